//! What an example is labelled with, and everything that depends on it: a file per kind. Another kind is its file, a variant of
//! [`Target`] and [`Targets`] that holds it, and its line in [`of`].

mod class;
mod mask;
mod value;

use crate::data::{DataSet, Target, Targets};
use crate::distribution::{Policy, PolicySettings};
use crate::loss::{Loss, PerExample};
use crate::metric::{Judged, Metric, Reward};
use crate::network::Outputs;
use crate::options::{Named, Options};
use crate::{Error, Result};
use candle_core::Tensor;
use class::Class;
use lossward_envs::{Action, Space};
use mask::Mask;
use std::sync::Arc;
use value::Value;

/// How a network's outputs and the targets of one kind come together: in a loss, in a metric, and as actions for a reward. Targets
/// that are handed in are of this kind; those of another panic.
pub trait Kind: Send + Sync {
    /// What a task of this kind has, in the plural: `class labels`.
    fn in_words(&self) -> &'static str;

    /// The number of classes, if there are any.
    fn classes(&self) -> Option<usize>;

    /// What a decision is among.
    fn actions(&self) -> Space;

    /// The same outputs read as a policy.
    ///
    /// # Errors
    /// When the settings don't fit what is chosen from.
    fn policy(&self, settings: Option<&PolicySettings>) -> Result<Policy> {
        Policy::new(self.actions(), settings)
    }

    /// What the outputs are, written beside the weights.
    fn outputs(&self) -> Outputs;

    fn fits_loss(&self, loss: &Loss) -> bool;

    /// Whether the options of a loss that fits do, too.
    fn check_loss(&self, options: &Options) -> Result<()> {
        Ok(self.classes().map_or(Ok(()), |classes| options.check_classes(classes))?)
    }

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

    /// What an action earns with the target of a row.
    fn earned(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> f64;

    /// What these outputs earn on average: a class that is sampled (computed, without sampling), or the value or the mask that is predicted.
    fn mean_reward(&self, reward: &Reward, outputs: &[f32], targets: &Targets) -> f64;
}

/// The kind of a data set's target.
pub fn of_data(data: &DataSet) -> Arc<dyn Kind> {
    of(&data.target, &data.shape)
}

/// The kind of the targets of inputs of this shape.
pub fn of(target: &Target, shape: &[usize]) -> Arc<dyn Kind> {
    match target {
        Target::Class { names } => Arc::new(Class { names: names.clone() }),
        Target::Value { column, logarithm, scale } => {
            Arc::new(Value { column: column.clone(), logarithm: *logarithm, scale: *scale })
        }
        Target::Mask { names, ignored } => {
            let size = if let [_, height, width] = *shape { [height, width] } else { [1, shape.iter().product()] };
            Arc::new(Mask { names: names.clone(), ignored: *ignored, size })
        }
        _ => unreachable!("a task refuses targets that have no kind"),
    }
}

/// A bug: a data set's targets are of its kind.
fn foreign() -> Error {
    Error::Argument("these targets are of another kind".into())
}
