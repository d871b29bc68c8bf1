"""Steps of environments with random actions: Lossward beside Gymnasium, JAX, rlox and EnvPool, in turns on one core.

    pip install -r benches/peers/requirements.txt
    cargo build --release
    python benches/peers/environments.py target/release/lossward

Plays 64 batches of actions, drawn beforehand, over and over, one action for each copy in a batch; episodes that end begin anew. Gymnasium
steps a vectorized CartPole (NumPy over all copies) and a SyncVectorEnv (one object per copy, begun anew in the same step); the vectorized one
and EnvPool begin an ended episode with the step after, whose action is lost, and that step counts. JAX steps cart_pole_jax.py, jitted and
mapped over the copies, one call per batch of actions from the host's memory, waited for, and in the column "JAX, 64 steps" one call for all.
rlox and EnvPool step compiled code, in Rust and in C++, called from Python. Compilation is not timed. Prints a Markdown table of steps of one
copy per second: the median of the rounds and their range.
"""

import functools

import rounds

rounds.use_cores(1)

import envpool
import gymnasium
import jax
import numpy
import rlox

import cart_pole_jax

BATCHES = 64
PEERS = ["Gymnasium, vectorized", "Gymnasium, SyncVectorEnv", "JAX", "JAX, 64 steps", "rlox", "EnvPool"]


def drawn(space):
    """Batches of actions for all copies."""
    space.seed(0)
    return [space.sample() for _ in range(BATCHES)]


def played(step, batches):
    """A function that plays all batches once, for `rounds.rate`, and the steps that it does."""

    def play():
        for actions in batches:
            step(actions)

    return functools.partial(rounds.rate, play, BATCHES * len(batches[0]))


def in_gymnasium(name, copies, mode):
    """Steps of copies in one of Gymnasium's modes, "vector_entry_point" or "sync"."""
    settings = {} if mode == "vector_entry_point" else {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}
    environments = gymnasium.make_vec(name, copies, vectorization_mode=mode, vector_kwargs=settings)
    environments.reset(seed=0)
    return played(environments.step, drawn(environments.action_space))


def in_envpool(name, copies):
    environments = envpool.make_gymnasium(name, num_envs=copies, num_threads=1, seed=0)
    environments.reset()
    space = gymnasium.vector.utils.batch_space(gymnasium.make(name).action_space, copies)
    return played(environments.step, drawn(space))


def in_rlox(copies, batches):
    """Steps of rlox's own CartPole, which wants a list of actions."""
    environments = rlox.VecEnv(n=copies, seed=0, env_id="CartPole-v1")
    environments.reset_all()
    return played(environments.step_all, [actions.tolist() for actions in batches])


class InJax:
    """CartPole-v1 in JAX, all copies."""

    def __init__(self, copies, batches):
        self.copies, self.batches = copies, [actions.astype(numpy.int32) for actions in batches]
        self.states = jax.vmap(cart_pole_jax.begin)(jax.random.split(jax.random.key(0), copies))
        self.key = jax.random.key(1)
        self.one = jax.jit(self.stepped, donate_argnums=0)
        self.all = jax.jit(self.scanned, donate_argnums=0)
        self.stacked = numpy.stack(self.batches)

    def stepped(self, states, key, actions):
        key, beginning = jax.random.split(key)
        states, outcome = jax.vmap(cart_pole_jax.step)(jax.random.split(beginning, self.copies), states, actions)
        return states, key, outcome

    def scanned(self, states, key, batches):
        """All batches; only the last outcome is kept, as in a loop that overwrites it."""
        first = self.stepped(states, key, batches[0])
        return jax.lax.scan(lambda carried, actions: (self.stepped(*carried[:2], actions), None), first, batches[1:])[0]

    def play(self, actions):
        self.states, self.key, outcome = self.one(self.states, self.key, actions)
        jax.block_until_ready(outcome)

    def play_all(self):
        self.states, self.key, outcome = self.all(self.states, self.key, self.stacked)
        jax.block_until_ready(outcome)

    def one_by_one(self):
        return played(self.play, self.batches)

    def at_once(self):
        return functools.partial(rounds.rate, self.play_all, BATCHES * self.copies)


def main():
    chosen = rounds.arguments(__doc__).parse_args()
    print(rounds.versions(chosen.lossward, ["gymnasium", "jax", "rlox", "envpool", "numpy"]))
    table = rounds.Comparison(chosen.lossward, chosen.rounds, "workload, steps/s, one core", PEERS)
    copies = 1024
    batches = drawn(gymnasium.spaces.MultiDiscrete([2] * copies))
    in_jax = InJax(copies, batches)
    works = [
        in_gymnasium("CartPole-v1", copies, "vector_entry_point"),
        in_gymnasium("CartPole-v1", copies, "sync"),
        in_jax.one_by_one(),
        in_jax.at_once(),
        in_rlox(copies, batches),
        in_envpool("CartPole-v1", copies),
    ]
    table.row("step CartPole-v1, 1024 copies", dict(zip(PEERS, works)))
    for name in ("Acrobot-v1", "Pendulum-v1"):
        works = {"Gymnasium, SyncVectorEnv": in_gymnasium(name, 64, "sync"), "EnvPool": in_envpool(name, 64)}
        table.row(f"step {name}, 64 copies", works)


if __name__ == "__main__":
    main()
