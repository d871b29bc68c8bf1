//! The `[evaluation]` table.

use crate::metric::{self, TRAIN};
use crate::options::{Given, Named};
use crate::patience::EarlyStopping;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// When and how a network is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationSettings {
    /// Examples between two rows of the record; a hundredth of the budget when absent.
    #[serde(default)]
    pub every: Option<u64>,
    /// On a data set; the first one that is not drawn decides which weights are the best. When absent, accuracy and cross-entropy
    /// of classes, R² and the root mean squared error of real values, what is usual for others. Held-out parts besides the test part
    /// have columns of their own, which begin with their name: `elsewhere_accuracy`.
    #[serde(default)]
    pub metrics: Vec<Named>,
    /// On a data set: metrics of the training examples; their columns begin with `train_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_metrics: Option<Vec<Named>>,
    /// On a data set: what a class earns, in the column `reward`; accuracy when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<Named>,
    /// On a data set: what is trained on where that is not `reward`, in the column `proxy`: how far the two part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Named>,
    /// On a data set: the square root of the mean `KL(π ‖ π_start)` over the held-out inputs, in the column `root_kl_to_start`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kl_to_start: bool,
    /// In an environment, per policy (sampled, deterministic).
    pub episodes: usize,
    /// Of the environment, over those of the task: to judge under another rule than was trained under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Given>,
    /// On a data set of images: how many held-out ones are kept with what is predicted of them, to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictions: Option<usize>,
    /// What is counted besides examples, updates and seconds, each in a column of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<Count>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
}

/// A further horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Examples that came with a label.
    Labels,
    /// Examples that came with a reward.
    Rewards,
    /// Multiplications and additions of dense layers and convolutions, in all passes of the training: acting, learning, critics and references.
    Operations,
}

impl Count {
    pub const ALL: [Count; 3] = [Count::Labels, Count::Rewards, Count::Operations];

    pub fn column(self) -> &'static str {
        match self {
            Count::Labels => "labels",
            Count::Rewards => "rewards",
            Count::Operations => "operations",
        }
    }
}

impl EvaluationSettings {
    /// Whether a column of the record is one of `metrics` or `train_metrics`, or a class of it.
    pub fn asks_for(&self, column: &str) -> bool {
        let is_of = |column: &str, metric: &Named| {
            let label = metric.label();
            column == label || column.strip_prefix(&label).is_some_and(|rest| rest.starts_with('['))
        };
        let of_training = column.strip_prefix(TRAIN);
        let held_out = metric::further(column).map_or(column, |(_, judged)| judged);
        self.metrics.iter().any(|metric| is_of(held_out, metric))
            || self.train_metrics.iter().flatten().any(|metric| of_training.is_some_and(|column| is_of(column, metric)))
    }

    /// Whether it asks for nothing that an environment has not.
    pub(super) fn check_of_environment(&self) -> Result<()> {
        if self.train_metrics.is_some() {
            let message = "an environment has no training examples; `train_metrics` is for data sets";
            return Err(Error::setting("train_metrics", message));
        }
        if self.predictions.is_some_and(|count| count > 0) {
            let message = "an environment has no held-out images; `predictions` is for data sets of images";
            return Err(Error::setting("predictions", message));
        }
        if self.kl_to_start {
            let message = "the distance from the start is taken over held-out inputs, and an environment has none";
            return Err(Error::setting("kl_to_start", message));
        }
        if self.proxy.is_some() {
            let message = "an environment has rewards of its own; `proxy` is for data sets";
            return Err(Error::setting("proxy", message));
        }
        if self.reward.is_some() {
            let message = "an environment has rewards of its own; `reward` is for data sets";
            return Err(Error::setting("reward", message));
        }
        Ok(())
    }

    /// Examples between two rows, with a budget of so many.
    pub fn every(&self, budget: u64) -> u64 {
        self.every.unwrap_or((budget / 100).max(1))
    }
}
