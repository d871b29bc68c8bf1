//! Which choices a reward is credited to.

use super::Kind;
use crate::checks::{Check, fail};
use crate::metric::{self, Reward};
use lossward_envs::Space;
use serde::{Deserialize, Serialize};

/// Who gets the credit for what an action with many choices earns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credit {
    /// All choices alike.
    #[default]
    Whole,
    /// Each option of each choice what the reward would have gained or lost by it, the other choices as they were drawn.
    Counterfactual,
    /// Each choice its own part of a reward that is a mean over choices.
    Decision,
}

/// How copies of a data set are paid.
#[derive(Clone, Debug, Default)]
pub struct Payment {
    /// Nothing where an environment has rewards of its own.
    pub reward: Option<Reward>,
    pub credit: Credit,
    /// Copies in a row that face the same context. Where the decisions of a batch are rewarded together, the batch is one copy of each group.
    pub group_size: usize,
}

impl Credit {
    pub fn is_whole(&self) -> bool {
        *self == Credit::Whole
    }

    /// Whether a reward can be credited so; otherwise an error at `credit`.
    pub(super) fn check(self, kind: &dyn Kind, reward: &Reward) -> Check {
        match self {
            Credit::Counterfactual if matches!(kind.actions(), Space::Box { .. }) => fail(
                "credit",
                format!(
                    "`credit = \"counterfactual\"` asks what another choice would have earned, and this task has {}, which are not chosen from a few",
                    kind.in_words()
                ),
            ),
            Credit::Decision if !reward.is_mean() => {
                let fits = |metric: &&metric::Metric| metric.reward.is_some() && kind.fits_metric(metric);
                let fitting = metric::all().filter(fits).map(|metric| metric.name).collect::<Vec<_>>();
                let instead = match &fitting[..] {
                    [] => String::new(),
                    names => format!(", or the reward {}", names.join(" or ")),
                };
                let message = format!(
                    "`credit = \"decision\"` needs a reward that is a mean over decisions, which `{}` is not; take \"counterfactual\" or \"whole\"{instead}",
                    reward.name()
                );
                fail("credit", message)
            }
            _ => Ok(()),
        }
    }
}
