//! What an experiment file says about a policy gradient.

use crate::kernel::ClippedLoss;
use crate::metric::Reward;
use crate::optimizer::Schedule;
use crate::options::Named;
use crate::rollout::{Deviation, Length};
use crate::surrogate::{GroupTarget, Surrogate};
use crate::task::{Credit, Payment};
use serde::{Deserialize, Serialize};

/// The `objective` table of an arm with `kind = "policy_gradient"`; a preset fills what the file leaves out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyGradientSettings {
    pub preset: String,
    /// On a data set: the metric that rewards what is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<Named>,
    /// On a data set of boxes: the images of a batch are rewarded together rather than each by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub together: bool,
    /// On a data set: which choices get the credit for it.
    #[serde(default, skip_serializing_if = "Credit::is_whole")]
    pub credit: Credit,
    /// Copies that act side by side.
    pub environments: usize,
    /// Copies that face the same context: they start in the same state and meet the same noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_size: Option<usize>,
    pub rollout: Length,
    /// γ
    pub discount: f64,
    /// λ of generalized advantage estimation; 1 gives plain returns.
    pub gae_lambda: f64,
    /// Rewards of a return before it bootstraps, instead of λ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_step: Option<usize>,
    /// Corrects, in every epoch, for the policy having moved since it acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v_trace: Option<VTraceSettings>,
    pub baseline: Baseline,
    /// Weight of the past in a moving average, per rollout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<f64>,
    /// Divide the advantages of a group by the standard deviation of its returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_deviation: Option<Deviation>,
    /// Scale the advantages of each minibatch to mean 0 and standard deviation 1.
    pub normalize_advantages: bool,
    pub surrogate: SurrogateKind,
    /// η of the surrogates `delightful` and `target`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
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
    /// No further epoch of a rollout once the mean of [`kl_k3`](crate::kernel::SurrogateObjective::kl_k3) over the last one is larger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_kl: Option<f64>,
    /// Transitions of a minibatch; the whole rollout when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// Coefficient of the entropy bonus.
    pub entropy_coefficient: Schedule,
}

/// The clips of V-trace; see [`crate::rollout::Traces`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VTraceSettings {
    pub error_clip: f64,
    pub trace_clip: f64,
    pub advantage_clip: f64,
}

/// Those of Espeholt et al. 2018.
impl Default for VTraceSettings {
    fn default() -> Self {
        VTraceSettings { error_clip: 1.0, trace_clip: 1.0, advantage_clip: 1.0 }
    }
}

/// What is subtracted from the returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    None,
    /// The mean over the steps of the rollout of what followed them.
    Mean,
    /// The same of the rollouts before, the later ones counting more.
    MovingAverage,
    /// A critic's value of the state.
    Value,
    /// The return of the most likely actions in the same context (self-critical: Rennie et al. 2017, arXiv 1612.00563).
    Greedy,
    /// The mean return of the others in the group (RLOO: Kool et al. 2019; Ahmadian et al. 2024, arXiv 2402.14740).
    LeaveOneOut,
    /// The mean return of the group (GRPO: Shao et al. 2024, arXiv 2402.03300).
    Group,
    /// `Σ_a π(a|s)²`: the reward that the policy would expect if it were right about itself, where 1 is paid for the right
    /// class (Osband 2026, arXiv 2603.14608).
    Confidence,
}

impl Baseline {
    /// Whether it compares the returns of whole episodes, so that all steps of one have the same advantage.
    pub fn compares_episodes(self) -> bool {
        matches!(self, Baseline::Greedy | Baseline::LeaveOneOut | Baseline::Group)
    }
}

/// The surrogate whose gradient is the policy gradient; see [`crate::kernel::Surrogate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurrogateKind {
    LogProb,
    Clipped,
    Delightful,
    /// Of the episodes of a group where there are groups, otherwise of a single sample.
    Target,
}

impl PolicyGradientSettings {
    /// What its third counter counts.
    pub const ROUNDS: &str = "episodes";

    /// Columns of the terms of every [`ObjectiveValue`](super::super::ObjectiveValue), in order.
    pub fn terms(&self) -> Vec<&'static str> {
        let mut terms =
            vec!["training_return", "training_length", "training_entropy", "kl_k1", "kl_k3", "advantage_deviation"];
        if self.surrogate == SurrogateKind::Clipped {
            terms.push("clip_fraction");
        }
        if self.compares_groups() {
            terms.push("zero_spread");
        }
        if self.baseline == Baseline::Value {
            terms.extend(["value_loss", "explained_variance"]);
        }
        terms
    }

    /// Whether the members of a group are compared with one another, rather than only drawn in one context.
    pub fn compares_groups(&self) -> bool {
        let compared = matches!(self.baseline, Baseline::LeaveOneOut | Baseline::Group);
        self.group_size.is_some() && (compared || self.surrogate == SurrogateKind::Target)
    }

    /// What is climbed; `clip` is ε in force, `target` what groups are told apart by, where they are.
    pub(super) fn climbed<'a>(&self, clip: f64, target: Option<&'a GroupTarget>) -> Surrogate<'a> {
        let temperature = self.temperature();
        match (self.surrogate, target) {
            (SurrogateKind::LogProb, _) => Surrogate::LogProb,
            (SurrogateKind::Clipped, _) => Surrogate::Clipped { clip },
            (SurrogateKind::Delightful, _) => Surrogate::Delightful { temperature },
            (SurrogateKind::Target, Some(target)) => Surrogate::GroupTarget(target),
            (SurrogateKind::Target, None) => Surrogate::Target { temperature },
        }
    }

    /// Whether copies begin every rollout in contexts that are drawn for them together.
    pub fn shares_contexts(&self) -> bool {
        self.group_size.is_some() || self.baseline == Baseline::Greedy
    }

    /// Whether what acted is what learns, in one batch of one step: then batch normalization takes its statistics from that batch both times.
    pub fn learns_as_it_acts(&self, of_data_set: bool) -> bool {
        let one_step = matches!(self.rollout, Length::Episodes | Length::Steps(1));
        of_data_set && one_step && self.batch_size.is_none() && self.epochs == 1
    }

    /// How the copies are paid, on a data set by this reward.
    pub fn payment(&self, reward: Option<Reward>) -> Payment {
        Payment { reward, credit: self.credit, group_size: self.group_size.unwrap_or(1) }
    }

    /// η, 1 when absent.
    pub fn temperature(&self) -> f64 {
        self.temperature.unwrap_or(1.0)
    }
}
