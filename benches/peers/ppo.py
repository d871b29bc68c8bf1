"""PPO on CartPole-v1 with CleanRL's settings: Lossward beside other implementations, in turns on one core.

    pip install -r benches/peers/requirements.txt
    cargo build --release
    python benches/peers/ppo.py target/release/lossward

Times whole trainings with the settings of src/benchmark/ppo.toml: from drawing the weights and beginning the environments to the last
update, without evaluation, files and logs. The peers are Stable-Baselines3; rlox (environments and advantages in Rust, PyTorch for the rest);
a loop of one's own in CleanRL's way (ppo_torch.py, PyTorch and Gymnasium's SyncVectorEnv); a jitted training in purejaxrl's way (ppo_jax.py,
the environment in JAX), whose compilation is not timed but told; and, where its program is given with --rust, a loop over the crates
rlox-core and rlox-candle (rlox/, no Python; see there how it is built). The peers in PyTorch do a quarter of Lossward's 102,400 steps,
which does not change their rate. Prints a Markdown table of steps of the environment per second, the median of the rounds and their range,
and of each peer's last training the mean return of the last 100 episodes.

With --eight-seeds and a number of cores only the training in JAX is compared, mapped over 8 seeds at once in one process, with Lossward's
8 trials in 2 jobs, both on one core or on two. With --check nothing is timed and every peer does 102,400 steps: only the mean returns are printed.
"""

import subprocess
import time

import rounds

STEPS, STEPS_OF_PYTORCH, SEEDS, STEPS_OF_SEEDS = 102_400, 25_600, 8, 25_600

# Read before the libraries are imported, which then find out how many threads they may have.
parser = rounds.arguments(__doc__)
parser.add_argument("--rust", metavar="PROGRAM", help="the built program of the crates rlox-core and rlox-candle")
parser.add_argument("--eight-seeds", type=int, choices=[1, 2], metavar="CORES", help="8 seeds on so many cores, and nothing else")
parser.add_argument("--check", action="store_true", help="what the peers learn, instead of how fast")
parser.add_argument("--steps", type=int, help="other steps of every peer")
chosen = parser.parse_args()
rounds.use_cores(chosen.eight_seeds or 1)

import jax
import stable_baselines3
import torch
from rlox.algorithms.ppo import PPO as RloxPpo
from stable_baselines3.common.env_util import make_vec_env

import ppo_jax
import ppo_settings as settings
import ppo_torch


def stable_baselines(steps, seed):
    """Trains for so many steps; returns the mean return of the last episodes. Its value loss has no factor of a half of its own."""
    model = stable_baselines3.PPO(
        "MlpPolicy",
        make_vec_env(settings.ENVIRONMENT, settings.COPIES, seed=seed),
        learning_rate=lambda left: left * settings.LEARNING_RATE,
        n_steps=settings.ROLLOUT,
        batch_size=settings.BATCH,
        n_epochs=settings.EPOCHS,
        gamma=settings.DISCOUNT,
        gae_lambda=settings.GAE_LAMBDA,
        clip_range=settings.CLIP,
        clip_range_vf=settings.VALUE_CLIP,
        ent_coef=settings.ENTROPY,
        vf_coef=settings.VALUE / 2,
        max_grad_norm=settings.CLIP_NORM,
        policy_kwargs={
            "net_arch": {"pi": settings.HIDDEN, "vf": settings.HIDDEN},
            "activation_fn": torch.nn.Tanh,
            "optimizer_kwargs": {"eps": settings.EPSILON},
        },
        seed=seed,
        device="cpu",
    )
    model.learn(steps)
    return sum(episode["r"] for episode in model.ep_info_buffer) / len(model.ep_info_buffer)


def rlox_trained(steps, seed):
    """Trains for so many steps; returns the mean return of the last episodes. It has the networks and Adam's epsilon from the start."""
    torch.manual_seed(seed)
    trained = RloxPpo(
        settings.ENVIRONMENT,
        n_envs=settings.COPIES,
        seed=seed,
        n_steps=settings.ROLLOUT,
        n_epochs=settings.EPOCHS,
        batch_size=settings.BATCH,
        learning_rate=settings.LEARNING_RATE,
        clip_eps=settings.CLIP,
        vf_coef=settings.VALUE,
        ent_coef=settings.ENTROPY,
        max_grad_norm=settings.CLIP_NORM,
        gamma=settings.DISCOUNT,
        gae_lambda=settings.GAE_LAMBDA,
    )
    trained.train(steps)
    last = trained.collector.episode_rewards[-settings.LAST :]
    return sum(last) / len(last)


def compiled(function, keys):
    """The jitted function for keys of this shape, and the seconds that it took to compile."""
    begun = time.perf_counter()
    program = jax.jit(function).lower(keys).compile()
    return program, time.perf_counter() - begun


class Peer:
    """A peer's training of so many steps, of a new seed every time."""

    def __init__(self, train, steps):
        self.train, self.steps, self.seed, self.learned = train, steps, 0, None

    def rate(self):
        """Steps per second of one training."""
        self.seed += 1
        begun = time.perf_counter()
        self.learned = self.train(self.steps, self.seed)
        return self.steps / (time.perf_counter() - begun)


def in_jax(steps):
    """The training in JAX, compiled here."""
    program, seconds = compiled(ppo_jax.training(steps), jax.random.key(0))
    print(f"JAX took {seconds:.1f} s to compile a training.")

    def train(_, seed):
        _, returns, episodes = jax.block_until_ready(program(jax.random.key(seed)))
        return ppo_jax.last_return(returns.tolist(), episodes.tolist())

    return Peer(train, steps)


class RustPeer(Peer):
    """The training by the crates of rlox: a program that prints its steps per second and the mean return of the last episodes."""

    def rate(self):
        self.seed += 1
        command = [self.train, str(self.steps), str(self.seed)]
        rate, self.learned = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
        return rate


def peers():
    """All of them, with the steps that they are to do."""
    steps = chosen.steps or STEPS
    of_pytorch = chosen.steps or (STEPS if chosen.check else STEPS_OF_PYTORCH)
    all_peers = {
        "Stable-Baselines3": Peer(stable_baselines, of_pytorch),
        "rlox": Peer(rlox_trained, of_pytorch),
        "CleanRL's way": Peer(ppo_torch.train, of_pytorch),
        "JAX": in_jax(steps),
    }
    if chosen.rust:
        all_peers["rlox's crates"] = RustPeer(chosen.rust, steps)
    return all_peers


def eight_seeds():
    """Lossward's trials in two jobs, and the training in JAX mapped over as many seeds."""
    steps = chosen.steps or STEPS_OF_SEEDS
    program, seconds = compiled(jax.vmap(ppo_jax.training(steps)), jax.random.split(jax.random.key(0), SEEDS))
    print(f"JAX took {seconds:.1f} s to compile {SEEDS} trainings at once.")

    def rate():
        keys = jax.random.split(jax.random.key(1), SEEDS)
        begun = time.perf_counter()
        jax.block_until_ready(program(keys))
        return SEEDS * steps / (time.perf_counter() - begun)

    title = f"workload, steps/s, on cores: {chosen.eight_seeds}"
    table = rounds.Comparison(chosen.lossward, chosen.rounds, title, ["JAX, 8 seeds at once"])
    table.row("ppo on CartPole-v1, 8 seeds, 2 jobs", {"JAX, 8 seeds at once": rate})


def main():
    torch.set_num_threads(1)
    print(rounds.versions(chosen.lossward, ["stable-baselines3", "rlox", "torch", "gymnasium", "jax", "optax", "numpy"]))
    if chosen.eight_seeds:
        return eight_seeds()
    compared = peers()
    if not chosen.check:
        table = rounds.Comparison(chosen.lossward, chosen.rounds, "workload, steps/s, one core", list(compared))
        table.row("ppo on CartPole-v1, whole loop", {name: peer.rate for name, peer in compared.items()})
    print(f"\nMean return of the last {settings.LAST} episodes:")
    for name, peer in compared.items():
        if chosen.check:
            peer.rate()
        print(f"- {name}, seed {peer.seed}, after {peer.steps:,} steps: {peer.learned:.0f}", flush=True)


if __name__ == "__main__":
    main()
