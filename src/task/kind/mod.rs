//! What an example is labelled with, and everything that depends on it: a file per kind. Another kind is its file, a variant of
//! [`Target`] and [`Targets`] that holds it, and its line in [`of`].

mod class;
mod value;

use crate::data::{Target, Targets};
use crate::loss::{Loss, PerExample};
use crate::metric::{Judged, Metric, Reward};
use crate::network::Outputs;
use crate::options::{Named, Options};
use crate::{Error, Result};
use candle_core::Tensor;
use class::Class;
use lossward_envs::{Action, Space};
use std::sync::Arc;
use value::Value;

/// How a network's outputs and the targets of one kind come together: in a loss, in a metric, and as actions for a reward. Targets
/// that are handed in are of this kind; those of another panic.
pub trait Kind: Send + Sync {
    /// What a task of this kind has, in the plural: `class labels`.
    fn in_words(&self) -> &'static str;

    /// The number of classes, if there are any.
    fn classes(&self) -> Option<usize>;

    /// The same outputs read as a policy: what it chooses from.
    fn actions(&self) -> Space;

    /// What the outputs are, written beside the weights.
    fn outputs(&self) -> Outputs;

    fn fits_loss(&self, loss: &Loss) -> bool;

    /// What a loss that fits compares: `a network's scores with class labels`.
    fn compared(&self) -> &'static str;

    /// The targets of these rows, as [`Self::losses`] takes them.
    fn targets(&self, targets: &Targets, rows: &[usize]) -> Result<Tensor>;

    /// A loss of each example; `outputs` is `[batch, outputs]`.
    fn losses(&self, loss: &Loss, options: &Options, outputs: &Tensor, targets: &Tensor) -> Result<PerExample>;

    fn fits_metric(&self, metric: &Metric) -> bool;

    /// The metrics where none are named.
    fn usual_metrics(&self) -> &'static [&'static str];

    /// What metrics judge; `outputs` is `[examples, outputs]`.
    fn judged<'a>(&self, outputs: &'a [f32], targets: &'a Targets) -> Result<Judged<'a>>;

    /// Outputs and targets that show what a metric gives before anything is trained: one value, or one for each class.
    fn rehearsed(&self) -> (Vec<f32>, Targets);

    /// The metric that is named, or the usual one, as the reward of a decision.
    fn reward(&self, named: Option<&Named>) -> Result<Reward>;

    /// The decision that is rewarded, as a number.
    fn decision(&self, action: Action) -> f64;

    /// What these outputs earn on average: a class that is sampled (computed, without sampling), or the value that is predicted.
    fn mean_reward(&self, reward: &Reward, outputs: &[f32], targets: &Targets) -> f64;
}

/// The kind of a target.
pub fn of(target: &Target) -> Arc<dyn Kind> {
    match target {
        Target::Class { names } => Arc::new(Class { names: names.clone() }),
        Target::Value { column, logarithm, scale } => {
            Arc::new(Value { column: column.clone(), logarithm: *logarithm, scale: *scale })
        }
        _ => unreachable!("a task refuses targets that have no kind"),
    }
}

/// A bug: a data set's targets are of its kind.
fn foreign() -> Error {
    Error::Argument("these targets are of another kind".into())
}
