//! Maximizing the reward of sampled actions: one objective with parts, of which REINFORCE, A2C and PPO are presets.

use super::critic::Critic;
use super::{Mean, Objective, Sense, Value};
use crate::distribution::picked;
use crate::kernel::{self, ClippedLoss, Clipping, Taken, ValueClipping};
use crate::network::{Network, NetworkSettings};
use crate::optimizer::{OptimizerSettings, Schedule};
use crate::rollout::{self, Length, RandomRewards, Rollout, Trajectories};
use crate::task::{Control, Task};
use crate::{Error, Result, Rng, stream};
use candle_core::{Device, Tensor};
use lossward_envs::Vectorized;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// The `objective` table of an arm with `kind = "policy_gradient"`; a preset fills what the file leaves out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyGradientSettings {
    pub preset: String,
    /// On a data set: the metric that rewards a chosen class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<String>,
    /// Copies that act side by side.
    pub environments: usize,
    pub rollout: Length,
    /// γ
    pub discount: f64,
    /// λ of generalized advantage estimation; 1 gives plain returns.
    pub gae_lambda: f64,
    pub baseline: Baseline,
    /// Scale the advantages of each minibatch to mean 0 and standard deviation 1.
    pub normalize_advantages: bool,
    pub surrogate: Surrogate,
    /// ε of the clipped surrogate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Schedule>,
    /// ε of the clipped value loss; off when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_clip: Option<Schedule>,
    /// What a value is charged that has moved further than this; `larger` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clipped_value_loss: Option<ClippedLoss>,
    /// Passes over each rollout.
    pub epochs: usize,
    /// Transitions of a minibatch; the whole rollout when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// Coefficient of the entropy bonus.
    pub entropy_coefficient: f64,
}

impl PolicyGradientSettings {
    /// Names of the terms of every [`Value`], in order.
    pub fn terms(&self) -> Vec<String> {
        let mut terms = vec!["training_return"];
        if self.surrogate == Surrogate::Clipped {
            terms.extend(["approximate_kl", "clip_fraction"]);
        }
        if self.baseline == Baseline::Value {
            terms.extend(["value_loss", "explained_variance"]);
        }
        terms.into_iter().map(String::from).collect()
    }
}

/// What is subtracted from the returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    None,
    /// The mean return of the rollout.
    Mean,
    /// A critic's value of the state.
    Value,
}

/// The surrogate whose gradient is the policy gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surrogate {
    /// `log π(a|s) · A` (Williams 1992)
    LogProb,
    /// `min(ρ A, clip(ρ, 1−ε, 1+ε) A)` with `ρ = π(a|s) / π_old(a|s)` (Schulman et al. 2017, arXiv 1707.06347)
    Clipped,
}

/// `E[surrogate] + c · E[entropy]` over the transitions of a rollout.
///
/// The discount weighs rewards within a return; the state distribution is left undiscounted, as is usual. Episodes that a
/// time limit cut bootstrap from the critic where there is one, and from 0 where there is none.
pub struct PolicyGradient {
    settings: PolicyGradientSettings,
    env: Box<dyn Vectorized>,
    policy_rng: Rng,
    random_rewards: Option<RandomRewards>,
    critic: Option<Critic>,
    rollout: Rollout,
    /// Per transition of the rollout, gaps included.
    values: Vec<f32>,
    advantages: Vec<f32>,
    returns: Vec<f32>,
    /// Shuffled transitions of the rollout that minibatches are cut from, and how far they are used up.
    order: Vec<usize>,
    position: usize,
    epochs_left: usize,
    budget: u64,
    examples: u64,
    /// Without the rollout in hand.
    before: u64,
    episodes: u64,
}

/// A minibatch of transitions.
pub struct Transitions {
    /// `[batch, features]`
    pub observations: Tensor,
    /// `[batch]` or `[batch, width]`
    pub actions: Tensor,
    /// `[batch, outputs]`; empty where the environment has no action mask.
    pub action_masks: Vec<bool>,
    /// `[batch]`, like all that follow
    pub old_log_probs: Tensor,
    pub advantages: Tensor,
    /// ε in force.
    pub clip: f64,
    value_loss: Option<f64>,
    /// Of the episodes that ended in a rollout gathered for this batch.
    training_return: Mean,
    explained_variance: Mean,
}

/// What a policy-gradient objective is built from, beside its own settings.
pub struct Parts<'a> {
    pub network: &'a NetworkSettings,
    pub optimizer: &'a OptimizerSettings,
    pub budget: u64,
    pub seed: u64,
}

impl PolicyGradient {
    pub fn new(settings: &PolicyGradientSettings, task: &Task, parts: &Parts) -> Result<Self> {
        let seed = parts.seed;
        let rngs = (0..settings.environments as u64).map(|i| stream(seed, "env", i)).collect();
        let critic = match settings.baseline {
            Baseline::Value => Some(Critic::new(parts.network, &task.input_shape(), parts.optimizer, seed)?),
            Baseline::None | Baseline::Mean => None,
        };
        let random = task.control == Some(Control::RandomReward);
        Ok(PolicyGradient {
            settings: settings.clone(),
            env: task.environments(settings.reward.as_deref(), rngs)?,
            policy_rng: stream(seed, "policy", 0),
            random_rewards: random.then(|| RandomRewards(stream(seed, "control", 0))),
            critic,
            rollout: Rollout::default(),
            values: Vec::new(),
            advantages: Vec::new(),
            returns: Vec::new(),
            order: Vec::new(),
            position: 0,
            epochs_left: 0,
            budget: parts.budget,
            examples: 0,
            before: 0,
            episodes: 0,
        })
    }

    fn progress(&self) -> f64 {
        self.before as f64 / self.budget as f64
    }

    /// Acts, and computes the advantages of what happened. Returns how well the critic foresaw the returns.
    fn gather(&mut self, network: &Network) -> Result<Mean> {
        let draws = (&mut self.policy_rng, self.random_rewards.as_mut());
        self.rollout.collect(self.env.as_mut(), network, self.settings.rollout, draws)?;
        self.order.clear();
        self.order.extend((0..self.rollout.rewards.len()).filter(|&i| self.rollout.taken[i]));
        self.before = self.examples;
        self.examples += self.order.len() as u64;
        self.episodes += self.rollout.returns.len() as u64;
        let next_values = self.set_values()?;
        let trajectories = Trajectories {
            copies: self.rollout.copies(),
            rewards: &self.rollout.rewards,
            values: &self.values,
            next_values: &next_values,
            ends: &self.rollout.ends,
        };
        let (discount, lambda) = (self.settings.discount as f32, self.settings.gae_lambda as f32);
        self.advantages = rollout::advantages(&trajectories, discount, lambda);
        self.returns.clear();
        self.returns.extend(self.advantages.iter().zip(&self.values).map(|(a, v)| a + v));
        if self.settings.baseline == Baseline::Mean {
            let mean = self.order.iter().map(|&i| self.advantages[i]).sum::<f32>() / self.order.len() as f32;
            self.advantages.iter_mut().for_each(|advantage| *advantage -= mean);
        }
        let pick = |of: &[f32]| self.order.iter().map(|&i| f64::from(of[i])).collect::<Vec<f64>>();
        let explained = rollout::explained_variance(&pick(&self.values), &pick(&self.returns));
        Ok(if self.critic.is_some() && explained.is_finite() { Mean::of_one(explained) } else { Mean::default() })
    }

    /// Sets the critic's values of the rollout and returns those of what each transition led to; zeros without a critic.
    fn set_values(&mut self) -> Result<Vec<f32>> {
        let (n, copies) = (self.rollout.rewards.len(), self.rollout.copies());
        self.values.clear();
        let mut next_values = vec![0.0; n];
        let Some(critic) = &mut self.critic else {
            self.values.resize(n, 0.0);
            return Ok(next_values);
        };
        self.values.extend_from_slice(critic.values(&self.rollout.observations, n)?);
        next_values[..n - copies].copy_from_slice(&self.values[copies..]);
        let beyond = critic.values(&self.rollout.beyond_observations, self.rollout.beyond.len())?;
        for (i, value) in self.rollout.beyond.iter().zip(beyond) {
            next_values[*i] = *value;
        }
        Ok(next_values)
    }

    /// The next rows of the shuffled rollout; none when every epoch is used up.
    fn next_rows(&mut self, rng: &mut Rng) -> Option<Vec<usize>> {
        if self.position >= self.order.len() {
            if self.epochs_left == 0 {
                return None;
            }
            self.epochs_left -= 1;
            self.position = 0;
            self.order.shuffle(rng);
        }
        let size = self.settings.batch_size.unwrap_or(self.order.len());
        let end = (self.position + size).min(self.order.len());
        let rows = self.order[self.position..end].to_vec();
        self.position = end;
        Some(rows)
    }
}

impl Objective for PolicyGradient {
    type Batch = Transitions;
    const SENSE: Sense = Sense::Maximize;
    const ROUNDS: &'static str = "episodes";

    fn next_batch(&mut self, network: &Network, rng: &mut Rng) -> Result<Transitions> {
        let (mut training_return, mut explained_variance) = (Mean::default(), Mean::default());
        let rows = match self.next_rows(rng) {
            Some(rows) => rows,
            None => {
                explained_variance = self.gather(network)?;
                training_return = Mean::of(&self.rollout.returns);
                self.epochs_left = self.settings.epochs;
                self.position = self.order.len();
                self.next_rows(rng).ok_or_else(|| Error::Argument("`epochs` must be at least 1".into()))?
            }
        };
        let features = self.env.steps().features;
        let observations = picked(&self.rollout.observations, &rows, features);
        let masked = if self.rollout.action_masks.is_empty() { 0 } else { network.policy().outputs() };
        let action_masks = picked(&self.rollout.action_masks, &rows, masked);
        let pick = |of: &[f32]| rows.iter().map(|&i| of[i]).collect::<Vec<f32>>();
        let (old_log_probs, mut advantages) = (pick(&self.rollout.log_probs), pick(&self.advantages));
        if self.settings.normalize_advantages {
            rollout::normalize(&mut advantages);
        }
        let (progress, returns) = (self.progress(), pick(&self.returns));
        let observations = Tensor::from_vec(observations, (rows.len(), features), &Device::Cpu)?;
        let column = |values: Vec<f32>| Tensor::from_vec(values, rows.len(), &Device::Cpu);
        let old_values = self.settings.value_clip.as_ref().map(|_| column(pick(&self.values))).transpose()?;
        let loss = self.settings.clipped_value_loss.unwrap_or(ClippedLoss::Larger);
        let clipping = old_values.as_ref().zip(self.settings.value_clip.as_ref());
        let clipping = clipping.map(|(old, clip)| ValueClipping { old, clip: clip.at(progress), loss });
        let value_loss = match &mut self.critic {
            Some(critic) => Some(critic.fit(&observations, &column(returns)?, clipping, progress)?),
            None => None,
        };
        Ok(Transitions {
            observations,
            actions: self.rollout.actions.tensor(&rows, network.policy().width())?,
            action_masks,
            old_log_probs: column(old_log_probs)?,
            advantages: column(advantages)?,
            clip: self.settings.clip.as_ref().map_or(f64::INFINITY, |clip| clip.at(progress)),
            value_loss,
            training_return,
            explained_variance,
        })
    }

    fn value(&self, network: &Network, batch: &Transitions) -> Result<Value> {
        let clipping = match self.settings.surrogate {
            Surrogate::LogProb => None,
            Surrogate::Clipped => Some(Clipping { old_log_probs: &batch.old_log_probs, clip: batch.clip }),
        };
        let taken = Taken {
            policy: network.policy(),
            actions: &batch.actions,
            advantages: &batch.advantages,
            clipping,
            entropy_coefficient: self.settings.entropy_coefficient,
        };
        let mut outputs = network.forward(&batch.observations)?;
        if !batch.action_masks.is_empty() {
            outputs = network.policy().masked(&outputs, &batch.action_masks)?;
        }
        let objective = kernel::surrogate_objective(&outputs, &taken)?;
        let mut terms = vec![batch.training_return];
        if clipping.is_some() {
            terms.extend([objective.approximate_kl, objective.clip_fraction].map(Mean::of_one));
        }
        terms.extend(batch.value_loss.map(|loss| [Mean::of_one(loss), batch.explained_variance]).into_iter().flatten());
        Ok(Value { scalar: objective.scalar, inputs: batch.observations.clone(), outputs, terms })
    }

    fn examples(&self) -> u64 {
        self.examples
    }

    fn examples_before(&self) -> u64 {
        self.before
    }

    fn rounds(&self) -> f64 {
        self.episodes as f64
    }

    fn judge(&mut self, value: f64, higher_is_better: bool) {
        self.critic.iter_mut().for_each(|critic| critic.judge(value, higher_is_better));
    }

    fn has_batch_in_hand(&self) -> bool {
        self.epochs_left > 0 || self.position < self.order.len()
    }
}
