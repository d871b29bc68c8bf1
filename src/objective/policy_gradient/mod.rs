//! Maximizing the reward of sampled actions: one objective with parts, of which REINFORCE, A2C, PPO, RLOO, GRPO, DG, TPO and
//! OTR are presets.

mod advantages;
mod credits;
mod episodes;
mod expected;
#[cfg(test)]
mod identities;
mod kind;
mod probe;
mod settings;
#[cfg(test)]
mod tests;

pub use episodes::Episodes;
pub use expected::{Draws, OneHotReward, expected_update};
pub use settings::{Baseline, PolicyGradientSettings, SurrogateKind, VTraceSettings};

use super::critic::Critic;
use super::{ColumnName, Counters, Learned, Mean, Objective, ObjectiveValue, Parts, Sense, no_batch};
use crate::kernel::{ClippedLoss, ValueClipping};
use crate::network::Network;
use crate::rollout::{self, RandomRewards, Rollout};
use crate::rows::picked;
use crate::surrogate::{GroupTarget, Surrogate, Taken, surrogate_objective};
use crate::task::{Control, Credit, TaskSource};
use crate::{Error, Result, Rng, stream};
use advantages::Estimates;
use candle_core::{Device, Tensor};
use lossward_envs::Vectorized;
use rand::seq::SliceRandom;

/// `E[surrogate] + c · E[entropy]` over the transitions of a rollout.
///
/// The discount weighs rewards within a return; the state distribution is left undiscounted, as is usual. Episodes that a
/// time limit cut bootstrap from the critic where there is one, and from 0 where there is none.
pub struct PolicyGradient {
    settings: PolicyGradientSettings,
    env: Box<dyn Vectorized>,
    /// Where the greedy episodes are played that returns are compared with.
    greedy: Option<Box<dyn Vectorized>>,
    policy_rng: Rng,
    random_rewards: Option<RandomRewards>,
    critic: Option<Critic>,
    rollout: Rollout,
    estimates: Estimates,
    /// Shuffled transitions of the rollout that minibatches are cut from, and how far they are used up.
    order: Vec<usize>,
    position: usize,
    epochs_left: usize,
    /// [`crate::surrogate::SurrogateObjective::kl_k3`] of the minibatches of this epoch.
    epoch_kl: Mean,
    batch: Option<Transitions>,
    /// The share of the budget that was used up before the rollout in hand: what its schedules go by.
    progress: f64,
    seed: u64,
    /// Contexts that were drawn so far.
    contexts: u64,
    examples: u64,
    /// Without the rollout in hand.
    before: u64,
    episodes: u64,
    /// Share of the groups that taught nothing, over all rollouts.
    zero_spread: Mean,
}

/// A minibatch of transitions.
struct Transitions {
    /// `[batch, features]`
    observations: Tensor,
    /// `[batch]` or `[batch, width]`
    actions: Tensor,
    /// `[batch, outputs]`; empty where the environment has no action mask.
    action_masks: Vec<bool>,
    /// `[batch]`, like all that follow
    old_log_probs: Tensor,
    advantages: Tensor,
    /// What is aimed at, where groups are told apart by a target.
    target: Option<GroupTarget>,
    /// What single choices are credited with, `[batch, …]`, where they are.
    credits: Option<Tensor>,
    /// ε and the entropy's coefficient in force.
    clip: f64,
    entropy_coefficient: f64,
    /// Over the batch, as they are before any normalization.
    advantage_deviation: f64,
    value_loss: Option<f64>,
    /// Of the rollout, in its first batch.
    gathered: Gathered,
}

/// What a rollout says about itself.
#[derive(Clone, Copy, Default)]
struct Gathered {
    /// Of the episodes that ended.
    training_return: Mean,
    training_length: Mean,
    zero_spread: Mean,
    explained_variance: Mean,
}

impl PolicyGradient {
    pub fn new(settings: &PolicyGradientSettings, parts: &Parts) -> Result<Self> {
        let (task, seed) = (parts.task, parts.seed);
        let payment = settings.payment(task.reward(settings.reward.as_ref(), settings.together)?);
        let env = || {
            let rngs = (0..settings.environments as u64).map(|i| stream(seed, "env", i)).collect();
            task.environments(&payment, settings.discount, rngs)
        };
        let critic = match settings.baseline {
            Baseline::Value => Some(Critic::new(parts.network, &task.input_shape(), parts.optimizer, seed)?),
            _ => None,
        };
        let random = task.control == Some(Control::RandomReward);
        let by_batch = settings.learns_as_it_acts(matches!(task.source, TaskSource::DataSet(..)));
        Ok(PolicyGradient {
            settings: settings.clone(),
            env: env()?,
            greedy: (settings.baseline == Baseline::Greedy).then(env).transpose()?,
            policy_rng: stream(seed, "policy", 0),
            random_rewards: random.then(|| RandomRewards(stream(seed, "control", 0))),
            critic,
            rollout: Rollout::new(by_batch),
            estimates: Estimates::of_contexts(credits::contexts(settings, payment.reward.as_ref())),
            order: Vec::new(),
            position: 0,
            epochs_left: 0,
            epoch_kl: Mean::default(),
            batch: None,
            progress: 0.0,
            seed,
            contexts: 0,
            examples: 0,
            before: 0,
            episodes: 0,
            zero_spread: Mean::default(),
        })
    }

    /// Begins after so many examples, with what another one of these settings has learned.
    fn go_on_from(&mut self, learned: Learned, examples: u64) -> Result<()> {
        self.examples = examples;
        self.estimates.set_moving_average(learned.moving_average);
        match (&self.critic, learned.critic) {
            (Some(critic), Some(from)) => critic.network().parameters().copy(from.parameters()),
            _ => Ok(()),
        }
    }

    /// Acts, and computes the advantages of what happened.
    fn gather(&mut self, network: &Network) -> Result<Gathered> {
        self.before = self.examples;
        if self.settings.shares_contexts() {
            self.draw_contexts();
        }
        let steps = self.env.steps();
        if !self.rollout.by_batch {
            network.observe(&steps.observations, steps.copies)?;
        }
        let draws = (&mut self.policy_rng, self.random_rewards.as_mut());
        self.rollout.collect(self.env.as_mut(), network, self.settings.rollout, draws)?;
        self.order.clear();
        self.order.extend((0..self.rollout.rewards.len()).filter(|&i| self.rollout.taken[i]));
        self.examples += self.order.len() as u64;
        self.episodes += self.rollout.returns.len() as u64;
        let greedy = match &mut self.greedy {
            None => Vec::new(),
            Some(env) => {
                let (returns, steps) = rollout::greedy_returns(env.as_mut(), network, self.settings.discount as f32)?;
                self.examples += steps;
                returns
            }
        };
        self.estimates.of_rollout(&self.settings, &self.rollout, (network, self.critic.as_mut()), &greedy)?;
        let zero_spread = self.estimates.zero_spread(&self.settings);
        self.zero_spread.add(zero_spread);
        Ok(Gathered {
            training_return: Mean::of(&self.rollout.returns),
            training_length: Mean::of(&self.rollout.lengths),
            zero_spread,
            explained_variance: match &self.critic {
                Some(_) => self.estimates.explained_variance(&self.order),
                None => Mean::default(),
            },
        })
    }

    /// New streams: the same one for every copy of a group, and for the greedy copy beside it.
    fn draw_contexts(&mut self) {
        let size = self.settings.group_size.unwrap_or(1) as u64;
        let (seed, first) = (self.seed, self.contexts);
        let streams =
            || (0..self.settings.environments as u64).map(|i| stream(seed, "env", first + i / size)).collect();
        self.env.restart(streams());
        if let Some(greedy) = &mut self.greedy {
            greedy.restart(streams());
        }
        self.contexts += self.settings.environments as u64 / size;
    }

    /// The next rows of the shuffled rollout; none when every epoch is used up.
    fn next_rows(&mut self, network: &Network, rng: &mut Rng) -> Result<Option<Vec<usize>>> {
        if self.position >= self.order.len() {
            let kl = std::mem::take(&mut self.epoch_kl).value();
            if self.settings.target_kl.is_some_and(|target| kl > target) {
                self.epochs_left = 0;
            }
            if self.epochs_left == 0 {
                return Ok(None);
            }
            if self.settings.v_trace.is_some() && self.epochs_left < self.settings.epochs {
                self.estimates.of_rollout(&self.settings, &self.rollout, (network, self.critic.as_mut()), &[])?;
            }
            self.epochs_left -= 1;
            self.position = 0;
            self.order.shuffle(rng);
        }
        let size = self.settings.batch_size.unwrap_or(self.order.len());
        let end = (self.position + size).min(self.order.len());
        let rows = self.order[self.position..end].to_vec();
        self.position = end;
        Ok(Some(rows))
    }

    /// What the choices of these rows are credited with.
    fn credits(&self, rows: &[usize]) -> Result<Option<Tensor>> {
        let width = self.estimates.credits.len() / self.rollout.rewards.len().max(1);
        if width == 0 {
            return Ok(None);
        }
        let credits = picked(&self.estimates.credits, rows, width);
        Ok(Some(Tensor::from_vec(credits, (rows.len(), width), &Device::Cpu)?))
    }

    /// One update of the critic; its loss before it.
    fn fit_critic(&mut self, observations: &Tensor, rows: &[usize]) -> Result<Option<f64>> {
        let progress = self.progress;
        let Some(critic) = &mut self.critic else { return Ok(None) };
        let column = |of: &[f32]| Tensor::from_vec(picked(of, rows, 1), rows.len(), &Device::Cpu);
        let old = self.settings.value_clip.as_ref().map(|_| column(&self.estimates.values)).transpose()?;
        let loss = self.settings.clipped_value_loss.unwrap_or(ClippedLoss::Larger);
        let clipping = old.as_ref().zip(self.settings.value_clip.as_ref());
        let clipping = clipping.map(|(old, clip)| ValueClipping { old, clip: clip.at(progress), loss });
        critic.fit(observations, &column(&self.estimates.returns)?, clipping, progress).map(Some)
    }
}

impl Objective for PolicyGradient {
    fn sense(&self) -> Sense {
        Sense::Maximize
    }

    fn next(&mut self, network: &Network, rng: &mut Rng, progress: f64) -> Result<()> {
        let mut gathered = Gathered::default();
        let rows = match self.next_rows(network, rng)? {
            Some(rows) => rows,
            None => {
                self.progress = progress;
                gathered = self.gather(network)?;
                self.epochs_left = self.settings.epochs;
                self.position = self.order.len();
                let rows = self.next_rows(network, rng)?;
                rows.ok_or_else(|| Error::Argument("`epochs` must be at least 1".into()))?
            }
        };
        let features = self.env.steps().features;
        let observations = picked(&self.rollout.observations, &rows, features);
        let masked = if self.rollout.action_masks.is_empty() { 0 } else { network.policy().outputs() };
        let action_masks = picked(&self.rollout.action_masks, &rows, masked);
        let observations = Tensor::from_vec(observations, (rows.len(), features), &Device::Cpu)?;
        let mut advantages = picked(&self.estimates.advantages, &rows, 1);
        let advantage_deviation = rollout::deviation(&advantages);
        if self.settings.normalize_advantages {
            rollout::normalize(&mut advantages);
        }
        let value_loss = self.fit_critic(&observations, &rows)?;
        let progress = self.progress;
        let column = |values: Vec<f32>| Tensor::from_vec(values, rows.len(), &Device::Cpu);
        self.batch = Some(Transitions {
            observations,
            actions: self.rollout.actions.tensor(&rows, network.policy().width())?,
            action_masks,
            old_log_probs: column(picked(&self.rollout.log_probs, &rows, 1))?,
            advantages: column(advantages)?,
            target: self.estimates.target(&self.settings, &rows),
            credits: self.credits(&rows)?,
            clip: self.settings.clip.as_ref().map_or(f64::INFINITY, |clip| clip.at(progress)),
            entropy_coefficient: self.settings.entropy_coefficient.at(progress),
            advantage_deviation,
            value_loss,
            gathered,
        });
        Ok(())
    }

    fn value(&self, network: &Network) -> Result<ObjectiveValue> {
        let batch = self.batch.as_ref().ok_or_else(no_batch)?;
        let surrogate = match (&batch.credits, self.settings.credit) {
            (Some(gains), Credit::Counterfactual) => Surrogate::Gains(gains),
            (Some(parts), Credit::Decision) => Surrogate::Parts(parts),
            _ => self.settings.climbed(batch.clip, batch.target.as_ref()),
        };
        let taken = Taken {
            policy: network.policy(),
            actions: &batch.actions,
            advantages: &batch.advantages,
            old_log_probs: &batch.old_log_probs,
            surrogate,
            entropy_coefficient: batch.entropy_coefficient,
        };
        let mut outputs = match self.rollout.by_batch {
            // A policy drops nothing, so that there is no seed to draw.
            true => network.forward_training(&batch.observations, 0)?.swap_remove(0),
            false => network.forward(&batch.observations)?,
        };
        if !batch.action_masks.is_empty() {
            outputs = network.policy().masked(&outputs, &batch.action_masks)?;
        }
        let objective = surrogate_objective(&outputs, &taken)?;
        let Gathered { training_return, training_length, zero_spread, explained_variance } = batch.gathered;
        let one = Mean::of_one;
        let mut terms = vec![
            ("training_return", training_return),
            ("training_length", training_length),
            ("training_entropy", one(objective.entropy)),
            ("kl_k1", one(objective.kl_k1)),
            (KL, one(objective.kl_k3)),
            ("advantage_deviation", one(batch.advantage_deviation)),
        ];
        if self.settings.surrogate == SurrogateKind::Clipped {
            terms.push(("clip_fraction", one(objective.clip_fraction)));
        }
        if self.settings.compares_groups() {
            terms.push(("zero_spread", zero_spread));
        }
        if let Some(loss) = batch.value_loss {
            terms.extend([("value_loss", one(loss)), ("explained_variance", explained_variance)]);
        }
        let terms = terms.into_iter().map(|(column, mean)| (ColumnName::Borrowed(column), mean)).collect();
        Ok(ObjectiveValue { scalar: objective.scalar, inputs: batch.observations.clone(), outputs, terms })
    }

    fn note(&mut self, terms: &[(ColumnName, Mean)]) {
        let moved = terms.iter().filter(|(column, _)| column == KL);
        moved.for_each(|(_, kl)| self.epoch_kl.add(*kl));
    }

    fn counters(&self) -> Counters {
        let moved_too_far = || self.settings.target_kl.is_some_and(|target| self.epoch_kl.value() > target);
        Counters {
            examples: self.examples,
            labels: 0,
            operations: self.critic.as_ref().map_or(0, Critic::operations),
            before: self.before,
            rounds: (PolicyGradientSettings::ROUNDS, self.episodes as f64),
            batch_is_left: self.position < self.order.len() || (self.epochs_left > 0 && !moved_too_far()),
        }
    }

    fn learned(&self) -> Learned<'_> {
        let critic = self.critic.as_ref().map(Critic::network);
        Learned { critic, moving_average: self.estimates.moving_average() }
    }

    fn judge(&mut self, value: f64, higher_is_better: bool) {
        self.critic.iter_mut().for_each(|critic| critic.judge(value, higher_is_better));
    }

    fn warnings(&self) -> Vec<String> {
        let share = self.zero_spread.value();
        let told = format!(
            "in {:.0} % of the groups all returns were equal, and nothing was learned from them: larger groups, or a task that is neither hopeless nor solved",
            100.0 * share
        );
        if share > NEARLY_ALL { vec![told] } else { Vec::new() }
    }
}

/// The column that says how far the policy has moved.
const KL: &str = "kl_k3";

/// The share of groups without spread from which a trial is warned about.
const NEARLY_ALL: f64 = 0.9;
