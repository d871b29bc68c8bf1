//! Acting: transitions collected from vectorized environments, with what the advantages need; and the pure functions of the
//! policy-gradient family, from slices to numbers.

mod action_values;
mod distributional;
mod divergence;
mod greedy;
mod groups;
mod once;
mod returns;
mod sequences;
mod v_trace;

pub use action_values::{Choice, state_values};
pub use distributional::{categorical_projection, quantile_huber_loss};
pub use divergence::{KlEstimator, kl_estimates};
pub use greedy::greedy_returns;
pub use groups::{Deviation, GroupScale, group_advantages, leave_one_out_advantages, zero_spread_fraction};
pub use once::Once;
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

impl Length {
    /// Steps of each copy, at least.
    pub fn steps(self) -> usize {
        match self {
            Length::Episodes => 1,
            Length::Steps(steps) => steps,
        }
    }
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
    /// `[time, copies]`, like all that follow where nothing else is said
    pub rewards: Vec<f32>,
    /// [`Steps::credits`](lossward_envs::Steps::credits), `[time, copies, …]`.
    pub credits: Vec<f32>,
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
    /// See [`Self::new`].
    pub(crate) by_batch: bool,
    outputs: Vec<f32>,
    drawn: RawActions,
    /// What the environment gets for them, where it differs.
    applied: Vec<f32>,
    paused: Vec<bool>,
}

/// Rewards that carry no information, for the control.
pub struct RandomRewards(pub Rng);

impl Rollout {
    /// An empty one. With `by_batch` the policy acts normalized by the copies of a step where it normalizes by batches, rather than by running
    /// statistics; it has no action masks then.
    pub fn new(by_batch: bool) -> Rollout {
        Rollout { by_batch, ..Rollout::default() }
    }

    /// Acts with the policy and overwrites the buffers. `random_rewards` replaces the environment's rewards.
    pub fn collect(
        &mut self,
        env: &mut dyn Vectorized,
        policy: &Network,
        length: Length,
        (rng, random_rewards): (&mut Rng, Option<&mut RandomRewards>),
    ) -> Result<()> {
        self.clear(env);
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

    fn clear(&mut self, env: &dyn Vectorized) {
        (self.copies, self.features) = (env.steps().copies, env.steps().features);
        self.observations.clear();
        self.action_masks.clear();
        self.actions.clear();
        self.rewards.clear();
        self.credits.clear();
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
        self.observations.extend_from_slice(&env.steps().observations);
        self.action_masks.extend_from_slice(&env.steps().action_masks);
        match self.by_batch {
            true => policy.infer_by_batch(&env.steps().observations, self.copies, &mut self.outputs)?,
            false => policy.infer_steps(env.steps(), &mut self.outputs)?,
        }
        policy.policy().at(&self.outputs).sample(&self.paused, rng, &mut self.drawn, &mut self.log_probs);
        self.taken.extend(self.paused.iter().map(|paused| !paused));
        self.actions.extend(&self.drawn);
        Ok(())
    }

    fn store(&mut self, env: &dyn Vectorized, length: Length) {
        let steps = env.steps();
        let start = self.rewards.len();
        self.rewards.extend_from_slice(&steps.rewards);
        self.credits.extend_from_slice(&steps.credits);
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

    /// What the policy, as it is now, says to every observation, `[time, copies, outputs]`.
    pub fn outputs(&self, policy: &Network) -> Result<Vec<f32>> {
        let mut outputs = Vec::new();
        match self.by_batch {
            true => policy.infer_by_batch(&self.observations, self.rewards.len(), &mut outputs)?,
            false => policy.infer(&self.observations, self.rewards.len(), &mut outputs)?,
        }
        if !self.action_masks.is_empty() {
            policy.policy().mask(&mut outputs, &self.action_masks)?;
        }
        Ok(outputs)
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
    use crate::distribution::Policy;
    use crate::options::{OptionValue, Options};
    use lossward_envs::{Action, Bound, Copies, Dims, Env, Outcome, Space, stream};

    const SETTINGS: &str = "activation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 0.0";

    fn collected(env: &mut dyn Vectorized, actions: Space) -> Rollout {
        let policy = Policy::new(actions, None).unwrap();
        let shape = env.observations().shape();
        let settings = toml::from_str(SETTINGS).unwrap();
        let network = Network::of_policy(&settings, (&shape, policy), &mut stream(0, "init", 0)).unwrap();
        let mut rollout = Rollout::default();
        rollout.collect(env, &network, Length::Steps(300), (&mut stream(0, "policy", 0), None)).unwrap();
        rollout
    }

    /// Pays the sum of the action's numbers.
    struct Sum;

    impl Env for Sum {
        fn reset(&mut self, _: &mut Rng) {}
        fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
            let reward = match action {
                Action::Index(index) => index.into(),
                Action::Indices(indices) => indices.iter().map(|index| f64::from(*index)).sum(),
                Action::Values(values) => values.iter().map(|value| f64::from(*value)).sum(),
            };
            Outcome { reward, terminated: false }
        }
        fn observe(&self, out: &mut [f32]) {
            out.fill(1.0);
        }
    }

    fn collected_sums(actions: Space) -> Rollout {
        let rngs = (0..3).map(|i| stream(0, "env", i)).collect();
        collected(&mut Copies::new("Sum", (Space::binary(&[2]), actions), None, vec![Sum, Sum, Sum], rngs), actions)
    }

    #[test]
    fn an_environment_gets_what_was_drawn_within_its_bounds() {
        let pairs = collected_sums(Space::MultiDiscrete(&[2, 3]));
        let RawActions::Indices(indices) = &pairs.actions else { panic!("indices") };
        for (pair, reward) in indices.chunks(2).zip(&pairs.rewards) {
            assert!(pair[0] < 2 && pair[1] < 3 && (pair[0] + pair[1]) as f32 == *reward);
        }
        assert!(pairs.log_probs.iter().all(|log_prob| (log_prob + 6f32.ln()).abs() < 1e-6));
        let (low, high) = (Bound::All(-1.0), Bound::All(0.5));
        let boxed = collected_sums(Space::Box { shape: Dims::of(&[2]), low, high });
        let RawActions::Values(values) = &boxed.actions else { panic!("values") };
        assert_eq!((indices.len(), values.len()), (2 * 900, 2 * 900));
        assert!(values.iter().any(|value| *value > 0.5) && values.iter().any(|value| *value < -1.0));
        for (pair, reward) in values.chunks(2).zip(&boxed.rewards) {
            assert!((pair[0].clamp(-1.0, 0.5) + pair[1].clamp(-1.0, 0.5) - reward).abs() < 1e-6);
        }
    }

    /// A network of zeros draws each allowed action equally often.
    #[test]
    fn masked_actions_are_never_taken() {
        let spec = lossward_envs::find("Taxi-v4").unwrap();
        let rngs = || (0..3).map(|i| stream(0, "env", i)).collect::<Vec<Rng>>();
        let given = [("action_mask".to_string(), OptionValue::Flag(true))];
        let options = Options::new(spec.id, spec.options, &given.into_iter().collect()).unwrap();
        let masked = collected((spec.make)(&options, rngs()).unwrap().as_mut(), spec.actions);
        let RawActions::Indices(actions) = &masked.actions else { panic!("actions of Taxi") };
        assert_eq!(masked.action_masks.len(), 6 * actions.len());
        for ((action, mask), log_prob) in actions.iter().zip(masked.action_masks.chunks(6)).zip(&masked.log_probs) {
            assert!(mask[*action as usize]);
            let allowed = mask.iter().filter(|allowed| **allowed).count();
            assert!((log_prob + (allowed as f32).ln()).abs() < 1e-6);
        }
        // Forbidden pick-ups and drop-offs cost 10.
        assert!(masked.rewards.iter().all(|reward| *reward > -10.0));
        let free = collected(spec.make_default(rngs()).as_mut(), spec.actions);
        assert!(free.action_masks.is_empty() && free.rewards.contains(&-10.0));
    }
}
