//! Acting: transitions collected from vectorized environments, with what the advantages need.

mod returns;

pub use returns::{Trajectories, advantages, explained_variance, normalize};

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
    /// Which actions were allowed, `[time, copies, outputs]`; empty where the environment has no action mask.
    pub action_masks: Vec<bool>,
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
        self.action_masks.clear();
        self.actions.clear(policy.policy());
        self.drawn.clear(policy.policy());
        self.rewards.clear();
        self.log_probs.clear();
        self.taken.clear();
        self.ends.clear();
        self.beyond.clear();
        self.beyond_observations.clear();
        self.returns.clear();
        self.paused.clear();
        self.paused.resize(self.copies, false);
    }

    fn act(&mut self, env: &dyn Vectorized, policy: &Network, rng: &mut Rng) -> Result<()> {
        self.observations.extend_from_slice(&env.steps().observations);
        self.action_masks.extend_from_slice(&env.steps().action_masks);
        policy.decide(env.steps(), &mut self.outputs)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use lossward_envs::stream;

    /// A network of zeros draws each allowed action equally often.
    #[test]
    fn masked_actions_are_never_taken() {
        let spec = lossward_envs::find("Taxi-v4").unwrap();
        let rngs = || (0..3).map(|i| stream(0, "env", i)).collect::<Vec<Rng>>();
        let given = [("action_mask".to_string(), crate::options::OptionValue::Flag(true))];
        let options = crate::options::Options::new(spec.id, spec.options, &given.into_iter().collect()).unwrap();
        let settings = "activation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 0.0";
        let policy = Network::new(&toml::from_str(settings).unwrap(), (&[500], 6), &mut stream(0, "init", 0)).unwrap();
        let collected = |mut env: Box<dyn Vectorized>| {
            let mut rollout = Rollout::default();
            rollout.collect(env.as_mut(), &policy, Length::Steps(300), (&mut stream(0, "policy", 0), None)).unwrap();
            rollout
        };
        let masked = collected((spec.make)(&options, rngs()).unwrap());
        let RawActions::Indices(actions) = &masked.actions else { panic!("actions of Taxi") };
        assert_eq!(masked.action_masks.len(), 6 * actions.len());
        for ((action, mask), log_prob) in actions.iter().zip(masked.action_masks.chunks(6)).zip(&masked.log_probs) {
            assert!(mask[*action as usize]);
            let allowed = mask.iter().filter(|allowed| **allowed).count();
            assert!((log_prob + (allowed as f32).ln()).abs() < 1e-6);
        }
        // Forbidden pick-ups and drop-offs cost 10.
        assert!(masked.rewards.iter().all(|reward| *reward > -10.0));
        let free = collected(spec.make_default(rngs()));
        assert!(free.action_masks.is_empty() && free.rewards.contains(&-10.0));
    }
}
