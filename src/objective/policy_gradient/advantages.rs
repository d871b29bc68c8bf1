//! Advantages of a rollout, by the parts that the settings name.

use super::super::Mean;
use super::super::critic::Critic;
use super::{Baseline, PolicyGradientSettings, SurrogateKind, credits};
use crate::Result;
use crate::network::Network;
use crate::rollout::{self, Deviation, GroupScale, Rollout, Traces, Trajectories};
use crate::rows::picked;
use crate::surrogate::GroupTarget;
use candle_core::{Device, Tensor};

/// What a rollout is worth: per transition, gaps included, where nothing else is said.
#[derive(Default)]
pub(super) struct Estimates {
    /// The critic's; zeros without one.
    pub values: Vec<f32>,
    pub advantages: Vec<f32>,
    /// What the critic is fitted to.
    pub returns: Vec<f32>,
    /// What single choices are credited with; see [`credits::of_rollout`].
    pub credits: Vec<f32>,
    /// Contexts whose decisions are one choice, since they are rewarded together.
    contexts: usize,
    /// Discounted, of the whole episode of each copy, where episodes are compared.
    episode_returns: Vec<f32>,
    /// `log π_old` of the whole episode of each copy.
    episode_log_probs: Vec<f64>,
    copies: usize,
    moving_average: MovingAverage,
}

/// A mean of the past in which the later counts more, without the pull of its start towards 0.
#[derive(Default)]
struct MovingAverage {
    sum: f64,
    weight: f64,
}

impl MovingAverage {
    /// 0 before there is a past.
    fn value(&self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }

    fn add(&mut self, value: f64, decay: f64) {
        self.sum = decay * self.sum + (1.0 - decay) * value;
        self.weight = decay * self.weight + (1.0 - decay);
    }
}

impl Estimates {
    /// Of so many contexts that are rewarded together, 1 where each is by itself.
    pub fn of_contexts(contexts: usize) -> Self {
        Estimates { contexts, ..Estimates::default() }
    }

    /// Computes everything anew; `greedy` are the returns of the greedy copies, where there are some.
    pub fn of_rollout(
        &mut self,
        settings: &PolicyGradientSettings,
        rollout: &Rollout,
        policy_and_critic: (&Network, Option<&mut Critic>),
        greedy: &[f32],
    ) -> Result<()> {
        self.estimate(settings, rollout, policy_and_critic, greedy)?;
        self.credits = credits::of_rollout(settings, rollout);
        if self.contexts > 1 {
            // The surrogate is a mean over rows, and the log-probability of one choice the sum over its contexts.
            let scaled = self.advantages.iter_mut().chain(&mut self.credits);
            scaled.for_each(|advantage| *advantage *= self.contexts as f32);
        }
        Ok(())
    }

    fn estimate(
        &mut self,
        settings: &PolicyGradientSettings,
        rollout: &Rollout,
        (network, critic): (&Network, Option<&mut Critic>),
        greedy: &[f32],
    ) -> Result<()> {
        self.copies = rollout.copies();
        let next_values = self.set_values(rollout, critic)?;
        let trajectories = Trajectories {
            copies: self.copies,
            rewards: &rollout.rewards,
            values: &self.values,
            next_values: &next_values,
            ends: &rollout.ends,
        };
        let (discount, lambda) = (settings.discount as f32, settings.gae_lambda as f32);
        if let Some(clips) = settings.v_trace {
            let traces = Traces {
                lambda,
                error_clip: clips.error_clip as f32,
                trace_clip: clips.trace_clip as f32,
                advantage_clip: clips.advantage_clip as f32,
            };
            let v_trace = rollout::v_trace(&trajectories, &log_ratios(rollout, network)?, discount, &traces);
            (self.advantages, self.returns) = (v_trace.advantages, v_trace.targets);
            return Ok(());
        }
        match settings.n_step {
            Some(steps) => {
                self.returns = rollout::n_step_returns(&trajectories, discount, steps);
                self.advantages = self.returns.iter().zip(&self.values).map(|(g, v)| g - v).collect();
            }
            None => {
                self.advantages = rollout::advantages(&trajectories, discount, lambda);
                self.returns.clear();
                self.returns.extend(self.advantages.iter().zip(&self.values).map(|(a, v)| a + v));
            }
        }
        self.episode_returns.clear();
        if settings.baseline.compares_episodes() || settings.group_size.is_some() {
            // Without a critic the advantage of the first step is the return of the episode.
            self.episode_returns.extend_from_slice(&self.advantages[..self.copies]);
            self.set_episode_log_probs(rollout);
        }
        self.subtract_baseline(settings, rollout, network, greedy)
    }

    fn subtract_baseline(
        &mut self,
        settings: &PolicyGradientSettings,
        rollout: &Rollout,
        network: &Network,
        greedy: &[f32],
    ) -> Result<()> {
        let mean = || {
            let taken = self.advantages.iter().zip(&rollout.taken).filter(|(_, taken)| **taken);
            taken.map(|(advantage, _)| *advantage).sum::<f32>() / rollout.transitions() as f32
        };
        let all: f32 = match settings.baseline {
            Baseline::None | Baseline::Value => return Ok(()),
            Baseline::Mean => mean(),
            Baseline::MovingAverage => {
                let (past, now) = (self.moving_average.value(), f64::from(mean()));
                self.moving_average.add(now, settings.decay.unwrap_or(DECAY));
                past as f32
            }
            Baseline::Confidence => {
                let confidences = confidences(rollout, network)?;
                self.advantages.iter_mut().zip(confidences).for_each(|(advantage, baseline)| *advantage -= baseline);
                return Ok(());
            }
            Baseline::Greedy | Baseline::LeaveOneOut | Baseline::Group => {
                let of_episodes = self.episode_advantages(settings, greedy);
                for row in self.advantages.chunks_exact_mut(self.copies) {
                    row.copy_from_slice(&of_episodes);
                }
                return Ok(());
            }
        };
        self.advantages.iter_mut().for_each(|advantage| *advantage -= all);
        Ok(())
    }

    /// Of whole episodes that are compared, `[copies]`; `greedy` are the returns of the greedy ones, where those are the baseline.
    pub fn episode_advantages(&self, settings: &PolicyGradientSettings, greedy: &[f32]) -> Vec<f32> {
        let (returns, size) = (&self.episode_returns, settings.group_size.unwrap_or(1));
        match (settings.baseline, settings.group_deviation) {
            (Baseline::Greedy, _) => returns.iter().zip(greedy).map(|(sampled, greedy)| sampled - greedy).collect(),
            (Baseline::LeaveOneOut, _) => rollout::leave_one_out_advantages(returns, size),
            (_, None) => rollout::group_advantages(returns, size, GroupScale::One),
            (_, Some(deviation)) => rollout::group_advantages(returns, size, GroupScale::Group(deviation)),
        }
    }

    /// Sets the critic's values of the rollout and returns those of what each transition led to; zeros without a critic.
    fn set_values(&mut self, rollout: &Rollout, critic: Option<&mut Critic>) -> Result<Vec<f32>> {
        let (n, copies) = (rollout.rewards.len(), rollout.copies());
        self.values.clear();
        let mut next_values = vec![0.0; n];
        let Some(critic) = critic else {
            self.values.resize(n, 0.0);
            return Ok(next_values);
        };
        self.values.extend_from_slice(critic.values(&rollout.observations, n)?);
        next_values[..n - copies].copy_from_slice(&self.values[copies..]);
        let beyond = critic.values(&rollout.beyond_observations, rollout.beyond.len())?;
        for (i, value) in rollout.beyond.iter().zip(beyond) {
            next_values[*i] = *value;
        }
        Ok(next_values)
    }

    fn set_episode_log_probs(&mut self, rollout: &Rollout) {
        self.episode_log_probs.clear();
        self.episode_log_probs.resize(self.copies, 0.0);
        for row in rollout.log_probs.chunks_exact(self.copies) {
            self.episode_log_probs.iter_mut().zip(row).for_each(|(sum, log_prob)| *sum += f64::from(*log_prob));
        }
    }

    /// Of the groups, those in which nothing differs.
    pub fn zero_spread(&self, settings: &PolicyGradientSettings) -> Mean {
        match settings.group_size.filter(|_| settings.compares_groups()) {
            Some(size) => Mean::of_one(rollout::zero_spread_fraction(&self.episode_returns, size)),
            None => Mean::default(),
        }
    }

    /// How well the critic foresaw the returns of these transitions; nothing where those are constant.
    pub fn explained_variance(&self, rows: &[usize]) -> Mean {
        let pick = |of: &[f32]| picked(of, rows, 1).into_iter().map(f64::from).collect::<Vec<f64>>();
        let explained = rollout::explained_variance(&pick(&self.values), &pick(&self.returns));
        if explained.is_finite() { Mean::of_one(explained) } else { Mean::default() }
    }

    /// Of the rollouts so far; 0 before there is one.
    pub fn moving_average(&self) -> f64 {
        self.moving_average.value()
    }

    pub fn set_moving_average(&mut self, value: f64) {
        self.moving_average = MovingAverage { sum: value, weight: 1.0 };
    }

    /// Whole episodes with these returns and log-probabilities, one per copy.
    pub fn of_episodes(returns: &[f32], log_probs: &[f64]) -> Self {
        let (episode_returns, episode_log_probs) = (returns.to_vec(), log_probs.to_vec());
        Estimates { episode_returns, episode_log_probs, copies: returns.len(), ..Estimates::default() }
    }

    /// The target over the candidates of each group, `q_i ∝ p_i^old exp(u_i / η)` with the standardized returns `u`, for a batch
    /// of all rows; nothing where no groups are told apart by one.
    pub fn target(&self, settings: &PolicyGradientSettings, rows: &[usize]) -> Option<GroupTarget> {
        let size = settings.group_size.filter(|_| settings.surrogate == SurrogateKind::Target)?;
        let scores = rollout::group_advantages(&self.episode_returns, size, GroupScale::Group(Deviation::Population));
        let tilted = self.episode_log_probs.iter().zip(scores);
        let tilted: Vec<f64> = tilted.map(|(log_prob, u)| log_prob + f64::from(u) / settings.temperature()).collect();
        let normalized = |group: &[f64]| crate::distribution::log_probs(group).map(f64::exp).collect::<Vec<f64>>();
        let targets = tilted.chunks_exact(size).flat_map(normalized).collect();
        let candidates = rows.iter().map(|row| (row % self.copies) as u32).collect();
        Some(GroupTarget { targets, size, candidates })
    }
}

/// Weight of the past in a moving average when the settings give none.
const DECAY: f64 = 0.9;

/// `Σ_a π(a|s)²` of every transition.
fn confidences(rollout: &Rollout, network: &Network) -> Result<Vec<f32>> {
    let outputs = rollout.outputs(network)?;
    Ok(outputs.chunks_exact(network.policy().outputs()).map(|logits| confidence(logits) as f32).collect())
}

/// `Σ_a π(a|s)²` of the logits of one state.
pub(super) fn confidence<T: Copy + Into<f64>>(logits: &[T]) -> f64 {
    crate::distribution::log_probs(logits).map(|log_p| (2.0 * log_p).exp()).sum()
}

/// `log π(a|s) − log π_old(a|s)` of every transition.
fn log_ratios(rollout: &Rollout, network: &Network) -> Result<Vec<f32>> {
    let (n, policy) = (rollout.rewards.len(), network.policy());
    let outputs = Tensor::from_vec(rollout.outputs(network)?, (n, policy.outputs()), &Device::Cpu)?;
    let rows: Vec<usize> = (0..n).collect();
    let log_probs = policy.log_prob(&outputs, &rollout.actions.tensor(&rows, policy.width())?)?.to_vec1::<f32>()?;
    let ratios = log_probs.iter().zip(&rollout.log_probs).zip(&rollout.taken);
    // Nothing happened in a gap.
    Ok(ratios.map(|((now, old), taken)| if *taken { now - old } else { 0.0 }).collect())
}
