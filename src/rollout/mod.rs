//! Acting: transitions collected from vectorized environments, with what the advantages need; and the pure functions of the
//! policy-gradient family, from slices to numbers.

mod action_values;
mod distributional;
mod divergence;
mod greedy;
mod groups;
mod returns;
mod sequences;
mod v_trace;

pub use action_values::{Choice, state_values};
pub use distributional::{categorical_projection, quantile_huber_loss};
pub use divergence::{KlEstimator, kl_estimates};
pub use greedy::greedy_returns;
pub use groups::{Deviation, Scale, group_advantages, leave_one_out_advantages, zero_spread_fraction};
pub use returns::{Trajectories, advantages, deviation, explained_variance, lambda_returns, n_step_returns, normalize};
pub use sequences::{SequenceSurrogate, Sequences, sequence_surrogate};
pub use v_trace::{Traces, VTrace, v_trace};

use crate::distribution::RawActions;
use crate::network::Network;
use crate::{Result, Rng};
use lossward_envs::{Cause, Vectorized};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// How long the policy acts before it is updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// Every copy plays one whole episode.
    Episodes,
    /// Every copy takes this many steps; episodes go on in the next rollout.
    Steps(usize),
}

/// Transitions of `[time, copies]`, time-major. A copy whose episode is over while others still play leaves gaps.
#[derive(Default)]
pub struct Rollout {
    copies: usize,
    features: usize,
    /// `[time, copies, features]`
    pub observations: Vec<f32>,
    /// `[time, copies, width]`
    pub actions: RawActions,
    /// `[time, copies]`, like all that follow
    pub rewards: Vec<f32>,
    /// `log π(a|s)` when the action was drawn.
    pub log_probs: Vec<f32>,
    /// Whether a transition stands here.
    pub taken: Vec<bool>,
    pub ends: Vec<Option<Cause>>,
    /// Transitions that led to an observation without a next row: in truncated episodes, and at the end of the rollout.
    pub beyond: Vec<usize>,
    /// Those observations, `[beyond, features]`.
    pub beyond_observations: Vec<f32>,
    /// Total rewards of the episodes that ended, in order.
    pub returns: Vec<f64>,
    /// Their steps.
    pub lengths: Vec<f64>,
    outputs: Vec<f32>,
    drawn: RawActions,
    /// What the environment gets for them, where it differs.
    applied: Vec<f32>,
    paused: Vec<bool>,
}

/// Rewards that carry no information, for the control.
pub struct RandomRewards(pub Rng);

impl Rollout {
    /// Acts with the policy and overwrites the buffers. `random_rewards` replaces the environment's rewards.
    pub fn collect(
        &mut self,
        env: &mut dyn Vectorized,
        policy: &Network,
        length: Length,
        (rng, random_rewards): (&mut Rng, Option<&mut RandomRewards>),
    ) -> Result<()> {
        self.clear(env, policy);
        if length == Length::Episodes {
            env.reset();
        }
        loop {
            let start = self.rewards.len();
            self.act(env, policy, rng)?;
            env.step(policy.policy().applied(&self.drawn, &mut self.applied), &self.paused)?;
            self.store(env, length);
            let full = match length {
                Length::Episodes => !self.paused.contains(&false),
                Length::Steps(steps) => self.rewards.len() == steps * self.copies,
            };
            if full {
                self.bootstrap_from(start, env);
                break;
            }
        }
        if let Some(RandomRewards(rng)) = random_rewards {
            self.rewards.iter_mut().for_each(|reward| *reward = StandardNormal.sample(rng));
        }
        Ok(())
    }

    fn clear(&mut self, env: &dyn Vectorized, policy: &Network) {
        (self.copies, self.features) = (env.steps().copies, env.steps().features);
        self.observations.clear();
        self.actions.clear(policy.policy());
        self.drawn.clear(policy.policy());
        self.rewards.clear();
        self.log_probs.clear();
        self.taken.clear();
        self.ends.clear();
        self.beyond.clear();
        self.beyond_observations.clear();
        self.returns.clear();
        self.lengths.clear();
        self.paused.clear();
        self.paused.resize(self.copies, false);
    }

    fn act(&mut self, env: &dyn Vectorized, policy: &Network, rng: &mut Rng) -> Result<()> {
        let observations = &env.steps().observations;
        self.observations.extend_from_slice(observations);
        policy.infer(observations, self.copies, &mut self.outputs)?;
        policy.policy().at(&self.outputs).sample(&self.paused, rng, &mut self.drawn, &mut self.log_probs);
        self.taken.extend(self.paused.iter().map(|paused| !paused));
        self.actions.extend(&self.drawn);
        Ok(())
    }

    fn store(&mut self, env: &dyn Vectorized, length: Length) {
        let steps = env.steps();
        let start = self.rewards.len();
        self.rewards.extend_from_slice(&steps.rewards);
        self.ends.resize(start + self.copies, None);
        for end in &steps.ends {
            self.ends[start + end.copy] = Some(end.cause);
            self.returns.push(end.total_reward);
            self.lengths.push(f64::from(end.length));
            if end.cause == Cause::Truncated {
                self.beyond.push(start + end.copy);
                self.beyond_observations.extend_from_slice(steps.last_observation(end.copy));
            }
            self.paused[end.copy] = length == Length::Episodes;
        }
    }

    fn bootstrap_from(&mut self, start: usize, env: &dyn Vectorized) {
        for copy in 0..self.copies {
            if self.taken[start + copy] && self.ends[start + copy].is_none() {
                let observation = &env.steps().observations[copy * self.features..(copy + 1) * self.features];
                self.beyond.push(start + copy);
                self.beyond_observations.extend_from_slice(observation);
            }
        }
    }

    pub fn copies(&self) -> usize {
        self.copies
    }

    /// Transitions that stand in the buffers.
    pub fn transitions(&self) -> usize {
        self.taken.iter().filter(|taken| **taken).count()
    }
}
