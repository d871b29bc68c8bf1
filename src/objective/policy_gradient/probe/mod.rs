//! A policy gradient at examples that are handed to it: actions are sampled, or every class is tried.

#[cfg(test)]
mod tests;

use super::advantages::Estimates;
use super::{Baseline, PolicyGradientSettings, SurrogateKind};
use crate::data::Examples;
use crate::distribution::{self, Policy, Probabilities, RawActions};
use crate::metric::Reward;
use crate::objective::probe::numbers;
use crate::objective::{AtExamples, ComparedBaseline, Looked, Parts, Probe, Sense};
use crate::rollout::{self, GroupScale};
use crate::surrogate::{GroupTarget, Surrogate, Taken, surrogate_objective};
use crate::task::{Kind, TaskSource};
use crate::{Result, Rng};
use candle_core::{Device, Tensor, Var};
use lossward_envs::{Action, Actions};
use std::sync::Arc;

pub(super) struct Rewarded {
    settings: PolicyGradientSettings,
    examples: Arc<Examples>,
    kind: Arc<dyn Kind>,
    reward: Reward,
}

/// Actions with what they earn, `[rows, samples]`.
struct Draws {
    samples: usize,
    actions: RawActions,
    rewards: Vec<f32>,
}

/// Outputs that are repeated for samples at once, at most.
const REPEATED: usize = 1 << 20;

impl PolicyGradientSettings {
    /// Of the examples as they are, without augmentation; in an environment, of episodes.
    pub(in crate::objective) fn probed(&self, parts: &Parts) -> Result<Probe> {
        match &parts.task.source {
            TaskSource::Environment(_) => Ok(Probe::Episodes(Box::new(super::Episodes::new(self, parts)))),
            TaskSource::DataSet(data, kind) => {
                if !self.credit.is_whole() {
                    let message = "a microscope looks at rewards whose credit is `whole`; leave `credit` out";
                    return Err(crate::Error::Argument(message.into()));
                }
                let paying = parts.task.rewarded().unwrap_or(data);
                let (examples, reward) = (paying.train.clone(), kind.reward(self.reward.as_ref())?);
                Ok(Probe::Examples(Box::new(Rewarded { settings: self.clone(), examples, kind: kind.clone(), reward })))
            }
        }
    }

    /// Whether the samples of one context are told apart by a target over all of them.
    fn aims_at_groups(&self) -> bool {
        self.surrogate == SurrogateKind::Target && self.group_size.is_some()
    }

    fn compares_samples(&self) -> bool {
        self.aims_at_groups() || matches!(self.baseline, Baseline::LeaveOneOut | Baseline::Group)
    }
}

/// Every row so many times, one after another.
fn repeated(outputs: &Tensor, times: usize) -> Result<Tensor> {
    let (rows, columns) = outputs.dims2()?;
    Ok(outputs.unsqueeze(1)?.broadcast_as((rows, times, columns))?.reshape((rows * times, columns))?)
}

/// The softmax of each row, in double precision.
fn probabilities(logits: &[f32], classes: usize) -> impl Iterator<Item = Vec<f64>> + '_ {
    logits.chunks_exact(classes).map(|row| distribution::log_probs(row).map(f64::exp).collect())
}

fn mean_of(p: &[f64], r: &[f32]) -> f64 {
    p.iter().zip(r).map(|(p, r)| p * f64::from(*r)).sum()
}

/// `Σ_a π_a r_a |e_a − π|² / Σ_a π_a |e_a − π|²`; 0 of a class that is certain.
pub(super) fn optimal_constant(p: &[f64], r: &[f32]) -> f64 {
    let square: f64 = p.iter().map(|p| p * p).sum();
    let weights: Vec<f64> = p.iter().map(|p| p * (1.0 - 2.0 * p + square)).collect();
    let total: f64 = weights.iter().sum();
    if total > 0.0 { mean_of(&weights, r) / total } else { 0.0 }
}

impl Rewarded {
    /// What an action earns at the `i`-th of the rows.
    fn earned(&self, at: &Looked, i: usize, action: Action) -> f32 {
        self.kind.earned(&self.reward, action, &self.examples.targets, at.rows[i]) as f32
    }

    /// What these actions earn, so many of each row.
    fn rewards(&self, at: &Looked, actions: &RawActions, samples: usize) -> Vec<f32> {
        let mut applied = Vec::new();
        let (actions, width) = (at.policy.applied(actions, &mut applied), at.policy.width());
        let earned = |i: usize| {
            let place = i * width..(i + 1) * width;
            let action = match (actions, at.policy) {
                (Actions::Indices(all), Policy::Categorical { .. }) => Action::Index(all[i]),
                (Actions::Indices(all), _) => Action::Indices(&all[place]),
                (Actions::Values(all), _) => Action::Values(&all[place]),
            };
            self.earned(at, i / samples, action)
        };
        (0..at.rows.len() * samples).map(earned).collect()
    }

    fn draws(&self, at: &Looked, samples: usize, rng: &mut Rng) -> Result<Draws> {
        let (mut actions, mut drawn, mut log_probs) = (RawActions::default(), RawActions::default(), Vec::new());
        if let Policy::Categorical { actions: classes } = *at.policy {
            let logits = numbers(at.outputs)?;
            let probabilities = Probabilities::of(&logits, classes as usize);
            let rows = (0..at.rows.len()).flat_map(|row| std::iter::repeat_n(row, samples));
            let actions = RawActions::Indices(rows.map(|row| probabilities.sample(row, rng).0).collect());
            let rewards = self.rewards(at, &actions, samples);
            return Ok(Draws { samples, actions, rewards });
        }
        for (first, rows) in chunks(at, samples) {
            let outputs = numbers(&repeated(&at.outputs.narrow(0, first, rows)?, samples)?)?;
            at.policy.at(&outputs).sample(&vec![false; rows * samples], rng, &mut drawn, &mut log_probs);
            actions.extend(&drawn);
        }
        let rewards = self.rewards(at, &actions, samples);
        Ok(Draws { samples, actions, rewards })
    }

    /// What each class would earn at each row, `[rows, classes]`.
    fn table(&self, at: &Looked, classes: u32) -> Vec<f32> {
        let of_row = |i: usize| (0..classes).map(move |class| self.earned(at, i, Action::Index(class)));
        (0..at.rows.len()).flat_map(of_row).collect()
    }

    /// What the most likely actions earn, `[rows]`.
    fn greedy(&self, at: &Looked) -> Result<Vec<f32>> {
        let (outputs, mut modes) = (numbers(at.outputs)?, RawActions::default());
        at.policy.at(&outputs).modes(at.rows.len(), &mut modes);
        Ok(self.rewards(at, &modes, 1))
    }

    /// The expected reward of each row where every class can be tried; nothing otherwise.
    fn values(&self, at: &Looked) -> Result<Option<Vec<f32>>> {
        let Policy::Categorical { actions } = *at.policy else { return Ok(None) };
        let (logits, table, classes) = (numbers(at.outputs)?, self.table(at, actions), actions as usize);
        let of_rows = probabilities(&logits, classes).zip(table.chunks_exact(classes));
        Ok(Some(of_rows.map(|(p, r)| mean_of(&p, r) as f32).collect()))
    }

    /// The critic's values of the rows; the expected reward where there is no critic.
    fn critic_values(&self, at: &Looked) -> Result<Vec<f32>> {
        let rows = at.rows.len();
        let Some(critic) = at.learned.critic else {
            return Ok(self.values(at)?.unwrap_or_else(|| vec![0.0; rows]));
        };
        let mut values = Vec::new();
        critic.infer(&self.examples.inputs_of(at.rows.iter().copied()), rows, &mut values)?;
        Ok(values)
    }

    fn confidences(&self, at: &Looked) -> Result<Vec<f32>> {
        let logits = numbers(at.outputs)?;
        let squares = |p: Vec<f64>| p.iter().map(|p| p * p).sum::<f64>() as f32;
        Ok(probabilities(&logits, at.policy.outputs()).map(squares).collect())
    }

    /// As this objective computes them; the samples of one row are a group. Nothing where so few can't be compared.
    fn advantages(&self, at: &Looked, draws: &Draws) -> Result<Option<Vec<f32>>> {
        let (rewards, samples) = (&draws.rewards, draws.samples);
        if self.settings.compares_samples() && samples < 2 {
            return Ok(None);
        }
        let mut advantages = match self.settings.baseline {
            Baseline::None => rewards.clone(),
            Baseline::Mean => less(rewards, &[mean(rewards)], rewards.len()),
            Baseline::MovingAverage => less(rewards, &[at.learned.moving_average as f32], rewards.len()),
            Baseline::Value => less(rewards, &self.critic_values(at)?, samples),
            Baseline::Greedy => less(rewards, &self.greedy(at)?, samples),
            Baseline::Confidence => less(rewards, &self.confidences(at)?, samples),
            Baseline::LeaveOneOut => rollout::leave_one_out_advantages(rewards, samples),
            Baseline::Group => {
                let scale = self.settings.group_deviation.map_or(GroupScale::One, GroupScale::Group);
                rollout::group_advantages(rewards, samples, scale)
            }
        };
        if self.settings.normalize_advantages {
            rollout::normalize(&mut advantages);
        }
        Ok(Some(advantages))
    }

    /// The gradient of the loss by the outputs, from these actions with these advantages; `plain` is that of `A log π` alone.
    fn gradient(&self, at: &Looked, draws: &Draws, advantages: &[f32], plain: bool) -> Result<Tensor> {
        match (at.policy, &draws.actions) {
            (Policy::Categorical { actions }, RawActions::Indices(chosen))
                if draws.samples > *actions as usize && (plain || !self.settings.aims_at_groups()) =>
            {
                let (advantages, shares) = folded((chosen, advantages), draws.samples, *actions as usize);
                self.weighted(at, (&advantages, &shares), plain)
            }
            _ => self.of_each(at, draws, advantages, plain),
        }
    }

    /// The same, sample by sample.
    fn of_each(&self, at: &Looked, draws: &Draws, advantages: &[f32], plain: bool) -> Result<Tensor> {
        let samples = draws.samples;
        let mut parts = Vec::new();
        for (first, rows) in chunks(at, samples) {
            let places: Vec<usize> = (first * samples..(first + rows) * samples).collect();
            let outputs = repeated(&at.outputs.narrow(0, first, rows)?, samples)?;
            let actions = draws.actions.tensor(&places, at.policy.width())?;
            let target = if plain { None } else { self.target(at, draws, (&outputs, &actions, &places))? };
            let advantages = &advantages[places[0]..places[0] + places.len()];
            let gradient = self.of_rows(at, (&outputs, &actions, advantages), target.as_ref(), plain)?;
            let share = rows as f64 / at.rows.len() as f64;
            parts.push((gradient.reshape((rows, samples, ()))?.sum(1)? * share)?);
        }
        Ok(Tensor::cat(&parts, 0)?)
    }

    /// What groups aim at, where they do.
    fn target(
        &self,
        at: &Looked,
        draws: &Draws,
        (outputs, actions, places): (&Tensor, &Tensor, &[usize]),
    ) -> Result<Option<GroupTarget>> {
        if !self.settings.aims_at_groups() {
            return Ok(None);
        }
        let log_probs = numbers(&at.policy.log_prob(outputs, actions)?)?.into_iter().map(f64::from);
        let returns = &draws.rewards[places[0]..places[0] + places.len()];
        let settings = PolicyGradientSettings { group_size: Some(draws.samples), ..self.settings.clone() };
        let rows: Vec<usize> = (0..places.len()).collect();
        Ok(Estimates::of_episodes(returns, &log_probs.collect::<Vec<f64>>()).target(&settings, &rows))
    }

    /// The gradient by the outputs of every action, a mean over the actions: `[actions, outputs]`.
    fn of_rows(
        &self,
        at: &Looked,
        (outputs, actions, advantages): (&Tensor, &Tensor, &[f32]),
        target: Option<&GroupTarget>,
        plain: bool,
    ) -> Result<Tensor> {
        let outputs = Var::from_tensor(outputs)?;
        let clip = self.settings.clip.as_ref().map_or(f64::INFINITY, |clip| clip.at(at.progress));
        let taken = Taken {
            policy: at.policy,
            actions,
            advantages: &Tensor::from_slice(advantages, advantages.len(), &Device::Cpu)?.to_dtype(outputs.dtype())?,
            // The actions are drawn by the very policy that is differentiated.
            old_log_probs: &at.policy.log_prob(&outputs.as_detached_tensor(), actions)?,
            surrogate: if plain { Surrogate::LogProb } else { self.settings.climbed(clip, target) },
            entropy_coefficient: if plain { 0.0 } else { self.settings.entropy_coefficient.at(at.progress) },
        };
        let loss = Sense::Maximize.as_loss(&surrogate_objective(&outputs, &taken)?.scalar)?;
        Ok(loss.backward()?.remove(&outputs).map_or_else(|| outputs.zeros_like(), Ok)?)
    }

    /// The advantages of the same draws with another baseline; nothing where it can't be had.
    fn compared(&self, at: &Looked, draws: &Draws, baseline: ComparedBaseline) -> Result<Option<Vec<f32>>> {
        let (rewards, samples) = (&draws.rewards, draws.samples);
        Ok(match baseline {
            ComparedBaseline::None => Some(rewards.clone()),
            ComparedBaseline::Mean => Some(less(rewards, &[mean(rewards)], rewards.len())),
            ComparedBaseline::Value => self.values(at)?.map(|values| less(rewards, &values, samples)),
            ComparedBaseline::LeaveOneOut if samples < 2 => None,
            ComparedBaseline::LeaveOneOut => Some(rollout::leave_one_out_advantages(rewards, samples)),
            ComparedBaseline::Greedy => Some(less(rewards, &self.greedy(at)?, samples)),
            ComparedBaseline::Optimal => {
                let Policy::Categorical { actions } = *at.policy else { return Ok(None) };
                let (logits, table, classes) = (numbers(at.outputs)?, self.table(at, actions), actions as usize);
                let of_rows = probabilities(&logits, classes).zip(table.chunks_exact(classes));
                let constants: Vec<f32> = of_rows.map(|(p, r)| optimal_constant(&p, r) as f32).collect();
                Some(less(rewards, &constants, samples))
            }
        })
    }

    /// What the baseline is where no sample has a part in it, or expected to be.
    fn expected_baseline(&self, at: &Looked) -> Result<Vec<f32>> {
        let rows = at.rows.len();
        let values = |at| Ok::<_, crate::Error>(self.values(at)?.unwrap_or_default());
        Ok(match self.settings.baseline {
            Baseline::None => vec![0.0; rows],
            Baseline::Mean => vec![mean(&values(at)?); rows],
            Baseline::MovingAverage => vec![at.learned.moving_average as f32; rows],
            Baseline::Value => self.critic_values(at)?,
            Baseline::Greedy => self.greedy(at)?,
            Baseline::Confidence => self.confidences(at)?,
            Baseline::LeaveOneOut | Baseline::Group => values(at)?,
        })
    }

    /// The expectation over all classes of the gradient by the outputs; `plain` is that of `A log π` alone.
    fn enumerated(&self, at: &Looked, plain: bool) -> Result<Option<Tensor>> {
        let Policy::Categorical { actions } = *at.policy else { return Ok(None) };
        let classes = actions as usize;
        let advantages = less(&self.table(at, actions), &self.expected_baseline(at)?, classes);
        let shares: Vec<f64> = probabilities(&numbers(at.outputs)?, classes).flatten().collect();
        self.weighted(at, (&advantages, &shares), plain).map(Some)
    }

    /// The gradient by the outputs where each class of a row has this advantage and this share of the row, `[rows, classes]` both.
    fn weighted(&self, at: &Looked, (advantages, shares): (&[f32], &[f64]), plain: bool) -> Result<Tensor> {
        let rows = at.rows.len();
        let classes = shares.len() / rows;
        let all: Vec<u32> = (0..rows).flat_map(|_| 0..classes as u32).collect();
        let all = Tensor::from_vec(all, rows * classes, &Device::Cpu)?;
        let gradient = self.of_rows(at, (&repeated(at.outputs, classes)?, &all, advantages), None, plain)?;
        // The mean over all classes counts each of them 1 / classes times.
        let weights: Vec<f64> = shares.iter().map(|share| share * classes as f64).collect();
        let weights = Tensor::from_vec(weights, (rows, classes, 1), &Device::Cpu)?.to_dtype(gradient.dtype())?;
        Ok(gradient.reshape((rows, classes, classes))?.broadcast_mul(&weights)?.sum(1)?)
    }
}

impl AtExamples for Rewarded {
    fn examples(&self) -> &Arc<Examples> {
        &self.examples
    }

    fn trains_on_labels(&self) -> bool {
        false
    }

    /// `Σ_a π_a w(A_a, π_a) ∇log π_a`, each class weighed as the surrogate weighs it and the entropy bonus added; advantages are not divided by
    /// deviations. Of classes alone, and not where groups aim at a target.
    fn exact(&self, at: &Looked) -> Result<Option<Tensor>> {
        if self.settings.aims_at_groups() { Ok(None) } else { self.enumerated(at, false) }
    }

    fn of_expected_reward(&self, at: &Looked) -> Result<Option<Tensor>> {
        self.enumerated(at, true)
    }

    fn sampled(&self, at: &Looked, samples: usize, rng: &mut Rng) -> Result<Option<Tensor>> {
        let draws = self.draws(at, samples, rng)?;
        let advantages = self.advantages(at, &draws)?;
        advantages.map(|advantages| self.gradient(at, &draws, &advantages, false)).transpose()
    }

    fn baselined(
        &self,
        at: &Looked,
        samples: usize,
        (baselines, rng): (&[ComparedBaseline], &mut Rng),
    ) -> Result<Vec<(ComparedBaseline, Tensor)>> {
        let draws = self.draws(at, samples, rng)?;
        let mut gradients = Vec::new();
        for baseline in baselines {
            if let Some(advantages) = self.compared(at, &draws, *baseline)? {
                gradients.push((*baseline, self.gradient(at, &draws, &advantages, true)?));
            }
        }
        Ok(gradients)
    }
}

/// The advantage of each class of each row, and its share of the samples of the row, `[rows, classes]`: samples of one class and one row have one
/// advantage.
fn folded((chosen, advantages): (&[u32], &[f32]), samples: usize, classes: usize) -> (Vec<f32>, Vec<f64>) {
    let places = chosen.len() / samples * classes;
    let (mut of_classes, mut shares) = (vec![0.0; places], vec![0.0; places]);
    for (i, (class, advantage)) in chosen.iter().zip(advantages).enumerate() {
        let place = i / samples * classes + *class as usize;
        of_classes[place] = *advantage;
        shares[place] += 1.0 / samples as f64;
    }
    (of_classes, shares)
}

/// Rewards less what stands for each run of `size` of them.
fn less(rewards: &[f32], baselines: &[f32], size: usize) -> Vec<f32> {
    rewards.iter().enumerate().map(|(i, reward)| reward - baselines[i / size.max(1)]).collect()
}

fn mean(values: &[f32]) -> f32 {
    (values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64) as f32
}

/// `(first, count)` of rows that are repeated at once.
fn chunks(at: &Looked, samples: usize) -> impl Iterator<Item = (usize, usize)> {
    let rows = at.rows.len();
    let step = (REPEATED / (samples * at.policy.outputs()).max(1)).clamp(1, rows.max(1));
    (0..rows).step_by(step).map(move |first| (first, step.min(rows - first)))
}
