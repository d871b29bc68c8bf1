//! PPO on CartPole-v1 over the crates rlox-core (environments, advantages) and rlox-candle (networks, updates), for benches/peers/ppo.py.
//!
//! ```text
//! cargo build --release --locked --manifest-path benches/peers/rlox/Cargo.toml --target-dir target/rlox
//! RAYON_NUM_THREADS=1 target/rlox/release/rlox-ppo 102400 1
//! ```
//!
//! The settings are those of src/benchmark/ppo.toml as far as the crates have them: their update clips no gradients, decays weights by
//! 0.01 (candle's AdamW as it comes, with an epsilon of 1e-8), and draws the first weights as candle does. Prints the steps per second of
//! one training and the mean return of its last 100 episodes.

use candle_core::Device;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rlox_candle::actor_critic::CandleActorCritic;
use rlox_core::env::builtins::CartPole;
use rlox_core::env::parallel::VecEnv;
use rlox_core::env::{Action, RLEnv};
use rlox_core::seed::derive_seed;
use rlox_core::training::gae::compute_gae_batched;
use rlox_nn::{ActorCritic, PPOStepConfig, TensorData};
use std::error::Error;
use std::time::Instant;

const COPIES: usize = 4;
const ROLLOUT: usize = 128;
const SAMPLES: usize = COPIES * ROLLOUT;
const BATCH: usize = 128;
const EPOCHS: usize = 4;
const OBSERVATIONS: usize = 4;
const ACTIONS: usize = 2;
const WIDTH: usize = 64;
const LEARNING_RATE: f64 = 2.5e-4;
const DISCOUNT: f64 = 0.99;
const GAE_LAMBDA: f64 = 0.95;
const LAST: usize = 100;
const UPDATE: PPOStepConfig =
    PPOStepConfig { clip_eps: 0.2, vf_coef: 0.5, ent_coef: 0.01, max_grad_norm: 0.5, clip_vloss: true };

/// What the copies of the environment meet, one copy behind the other.
struct Rollout {
    observations: Vec<f32>,
    actions: Vec<f32>,
    log_probabilities: Vec<f32>,
    values: Vec<f64>,
    rewards: Vec<f64>,
    ends: Vec<f64>,
}

impl Rollout {
    fn new() -> Self {
        Rollout {
            observations: vec![0.0; SAMPLES * OBSERVATIONS],
            actions: vec![0.0; SAMPLES],
            log_probabilities: vec![0.0; SAMPLES],
            values: vec![0.0; SAMPLES],
            rewards: vec![0.0; SAMPLES],
            ends: vec![0.0; SAMPLES],
        }
    }
}

/// The copies of the environment where they are now.
struct Copies {
    environments: VecEnv,
    observations: TensorData,
    lengths: [usize; COPIES],
    /// The returns of all episodes that ended.
    returns: Vec<usize>,
}

impl Copies {
    fn new(seed: u64) -> Result<Self, Box<dyn Error>> {
        let copy = |i| Box::new(CartPole::new(Some(derive_seed(seed, i)))) as Box<dyn RLEnv>;
        let mut environments = VecEnv::new((0..COPIES).map(copy).collect())?;
        let observations = environments.reset_all(Some(seed))?.into_iter().flat_map(|one| one.into_inner()).collect();
        let observations = TensorData::new(observations, vec![COPIES, OBSERVATIONS]);
        Ok(Copies { environments, observations, lengths: [0; COPIES], returns: Vec::new() })
    }

    /// One step of all copies, written into the rollout.
    fn act(&mut self, agent: &CandleActorCritic, rollout: &mut Rollout, step: usize) -> Result<(), Box<dyn Error>> {
        let acted = agent.act(&self.observations)?;
        let values = agent.value(&self.observations)?;
        let actions: Vec<Action> = acted.actions.data.iter().map(|action| Action::Discrete(*action as u32)).collect();
        let outcome = self.environments.step_all_flat(&actions)?;
        for copy in 0..COPIES {
            let at = copy * ROLLOUT + step;
            let observation = &self.observations.data[copy * OBSERVATIONS..][..OBSERVATIONS];
            rollout.observations[at * OBSERVATIONS..][..OBSERVATIONS].copy_from_slice(observation);
            rollout.actions[at] = acted.actions.data[copy];
            rollout.log_probabilities[at] = acted.log_probs.data[copy];
            rollout.values[at] = f64::from(values.data[copy]);
            rollout.rewards[at] = outcome.rewards[copy];
            let ended = outcome.terminated[copy] || outcome.truncated[copy];
            rollout.ends[at] = f64::from(u8::from(ended));
            self.lengths[copy] += 1;
            if ended {
                self.returns.push(std::mem::take(&mut self.lengths[copy]));
            }
        }
        self.observations.data = outcome.obs_flat;
        Ok(())
    }
}

/// The advantages of a batch, with mean 0 and standard deviation 1.
fn normalized(advantages: Vec<f32>) -> Vec<f32> {
    let mean = advantages.iter().sum::<f32>() / BATCH as f32;
    let squares: f32 = advantages.iter().map(|advantage| (advantage - mean).powi(2)).sum();
    let deviation = (squares / (BATCH - 1) as f32).sqrt() + 1e-8;
    advantages.into_iter().map(|advantage| (advantage - mean) / deviation).collect()
}

/// All epochs on one rollout, whose end the copies are at.
fn learn(
    agent: &mut CandleActorCritic,
    rollout: &Rollout,
    copies: &Copies,
    rng: &mut ChaCha8Rng,
) -> Result<(), Box<dyn Error>> {
    let Rollout { observations, actions, log_probabilities, values, rewards, ends } = rollout;
    let following: Vec<f64> = agent.value(&copies.observations)?.data.into_iter().map(f64::from).collect();
    let (advantages, returns) = compute_gae_batched(rewards, values, ends, &following, ROLLOUT, DISCOUNT, GAE_LAMBDA);
    let mut order: Vec<usize> = (0..SAMPLES).collect();
    for _ in 0..EPOCHS {
        order.shuffle(rng);
        for rows in order.chunks_exact(BATCH) {
            let single = |numbers: &[f64]| rows.iter().map(|row| numbers[*row] as f32).collect::<Vec<f32>>();
            let kept = |numbers: &[f32]| rows.iter().map(|row| numbers[*row]).collect();
            let vector = |numbers: Vec<f32>| TensorData::new(numbers, vec![BATCH]);
            let observations = rows.iter().flat_map(|row| &observations[row * OBSERVATIONS..][..OBSERVATIONS]).copied();
            agent.ppo_step(
                &TensorData::new(observations.collect(), vec![BATCH, OBSERVATIONS]),
                &vector(kept(actions)),
                &vector(kept(log_probabilities)),
                &vector(normalized(single(&advantages))),
                &vector(single(&returns)),
                &vector(single(values)),
                &UPDATE,
            )?;
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<String> = std::env::args().skip(1).collect();
    let [steps, seed] = numbers.as_slice() else { return Err("usage: rlox-ppo STEPS SEED".into()) };
    let (steps, seed): (usize, u64) = (steps.parse()?, seed.parse()?);
    let updates = steps / SAMPLES;
    let begun = Instant::now();
    let mut agent = CandleActorCritic::new(OBSERVATIONS, ACTIONS, WIDTH, LEARNING_RATE, Device::Cpu, seed)?;
    let mut copies = Copies::new(seed)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rollout = Rollout::new();
    for update in 0..updates {
        agent.set_learning_rate((LEARNING_RATE * (1.0 - update as f64 / updates as f64)) as f32);
        for step in 0..ROLLOUT {
            copies.act(&agent, &mut rollout, step)?;
        }
        learn(&mut agent, &rollout, &copies, &mut rng)?;
    }
    let rate = (updates * SAMPLES) as f64 / begun.elapsed().as_secs_f64();
    let last = &copies.returns[copies.returns.len().saturating_sub(LAST)..];
    println!("{rate} {}", last.iter().sum::<usize>() as f64 / last.len() as f64);
    Ok(())
}
