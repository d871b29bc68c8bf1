//! What an example is labelled with, and everything that depends on it: a file per kind. Another kind is its file, a variant of
//! [`Target`] and [`Targets`] that holds it, and its line in [`of`].

mod boxes;
mod class;
mod detector;
mod mask;
mod value;

pub use detector::DetectorSettings;

use super::predictions::Overlaid;
use crate::data::{Augmentation, DataSet, Target, Targets};
use crate::distribution::{Policy, PolicySettings};
use crate::loss::{Criterion, Loss, PerExample};
use crate::metric::{Judged, Metric, Reward};
use crate::network::Outputs;
use crate::options::{Named, Options};
use crate::{Error, Result};
use boxes::Boxes;
use candle_core::Tensor;
use class::Class;
use lossward_envs::{Action, Space};
use mask::Mask;
use std::sync::{Arc, Mutex};
use value::Value;

/// The numbers of an action, with the only target of these.
pub type Answer = (Vec<u32>, Targets);

/// A loss of each example of a batch: any loss that fits, with its options.
pub type Comparison<'a> = Box<dyn Fn(&Loss, &Options) -> Result<PerExample> + 'a>;

/// How a network's outputs and the targets of one kind come together: in a loss, in a metric, and as actions for a reward. Targets
/// that are handed in are of this kind; those of another panic.
pub trait Kind: Send + Sync {
    /// What a task of this kind has, in the plural: `class labels`.
    fn in_words(&self) -> &'static str;

    /// The number of classes, if there are any.
    fn classes(&self) -> Option<usize>;

    /// Whether what is predicted still fits when images are changed so.
    ///
    /// # Errors
    /// When it doesn't; at the key that would have to be another.
    fn check_augmentation(&self, _augmentation: &Augmentation, _data: &DataSet) -> Result<()> {
        Ok(())
    }

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

    /// Whether losses that fit do so with their options, and together.
    fn check_loss(&self, criterion: &Criterion) -> Result<()> {
        let Some(classes) = self.classes() else { return Ok(()) };
        criterion.options().try_for_each(|options| Ok(options.check_classes(classes)?))
    }

    /// What a loss that fits compares: `a network's scores with class labels`.
    fn compared(&self) -> &'static str;

    /// The outputs of a batch, `[batch, outputs]`, beside its targets. What all losses need of them is computed here, once.
    fn comparison<'a>(&'a self, outputs: &Tensor, targets: &Targets) -> Result<Comparison<'a>>;

    fn fits_metric(&self, metric: &Metric) -> bool;

    /// The metrics where none are named.
    fn usual_metrics(&self) -> &'static [&'static str];

    /// What metrics judge; `outputs` is `[examples, outputs]`.
    fn judged<'a>(&self, outputs: &'a [f32], targets: &'a Targets) -> Result<Judged<'a>>;

    /// What is true and what is predicted of each image, as it is drawn; nothing of what can't be.
    ///
    /// # Errors
    /// As of [`Self::judged`].
    fn overlaid(&self, _outputs: &[f32], _targets: &Targets) -> Result<Option<Vec<Overlaid>>> {
        Ok(None)
    }

    /// Outputs and targets that show what a metric gives before anything is trained: one value, or one for each class.
    fn rehearsed(&self) -> (Vec<f32>, Targets);

    /// The metric that is named, or the usual one, as the reward of a decision.
    fn reward(&self, named: Option<&Named>) -> Result<Reward>;

    /// The same as what an arm is trained by: where the metric asks for it, or `together` does, a reward of the answers to a batch.
    ///
    /// # Errors
    /// As of [`Self::reward`]; and at `together` where it is said in vain.
    fn training_reward(&self, named: Option<&Named>, together: bool) -> Result<Reward> {
        if together {
            let message = "`together` rewards the boxes of a batch of images together; classes are, where their metric asks for it";
            return Err(Error::setting("together", format!("{message}, and this data set has {}", self.in_words())));
        }
        self.reward(named)
    }

    /// What the answers to a batch earn together, each with a target of its own.
    fn earned_together(&self, _reward: &Reward, _answers: &[Answer]) -> f64 {
        f64::NAN
    }

    /// As [`Self::gains`], of what the answers to a batch earn together: `[answers, Σ options]`.
    fn gains_together(&self, _reward: &Reward, _answers: &[Answer]) -> Vec<f64> {
        Vec::new()
    }

    /// What an action earns with the target of a row.
    fn earned(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> f64;

    /// What an action would earn beyond what it earns if one of its choices were another, for each option of each choice, `[Σ options]`; nothing of
    /// real values, which are not chosen from options.
    fn gains(&self, _reward: &Reward, _action: Action, _targets: &Targets, _row: usize) -> Vec<f64> {
        Vec::new()
    }

    /// What each choice of an action earns, where the reward is a mean over choices, `[width]`.
    fn parts(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> Vec<f64> {
        vec![self.earned(reward, action, targets, row)]
    }

    /// What these outputs earn on average: a class that is sampled (computed, without sampling), or the value, the mask or the boxes that are predicted.
    fn mean_reward(&self, reward: &Reward, outputs: &[f32], targets: &Targets) -> f64;
}

/// The kind of a data set's target; of boxes, as they are found by this detector or the usual one.
///
/// # Errors
/// When there is a detector and are no boxes, or it doesn't fit them: at `detector`, or a key of it.
pub fn of(data: &DataSet, detector: Option<&DetectorSettings>) -> Result<Arc<dyn Kind>> {
    let kind: Arc<dyn Kind> = match &data.target {
        Target::Class { names } => of_classes(names.clone()),
        Target::Value { column, logarithm, scale } => {
            Arc::new(Value { column: column.clone(), logarithm: *logarithm, scale: *scale })
        }
        Target::Mask { names, ignored } => {
            let size = match data.shape[..] {
                [_, height, width] => [height, width],
                _ => [1, data.shape.iter().product()],
            };
            Arc::new(Mask { names: names.clone(), ignored: *ignored, size })
        }
        Target::Boxes { names } => {
            let settings = detector.cloned().unwrap_or_default();
            let boxes = Boxes::new(names.clone(), data, settings);
            return Ok(Arc::new(boxes.map_err(|error| error.under("detector"))?));
        }
    };
    match detector {
        None => Ok(kind),
        Some(_) => {
            let held = kind.in_words();
            Err(Error::setting("detector", format!("`detector` finds boxes, and this data set has {held}")))
        }
    }
}

/// The kind of one of these classes.
pub fn of_classes(names: Vec<String>) -> Arc<dyn Kind> {
    Arc::new(Class { names })
}

/// These sizes for ever: a space is copied around, and there are few.
fn leaked(sizes: Vec<u32>) -> &'static [u32] {
    static KNOWN: Mutex<Vec<&'static [u32]>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(sizes) = known.iter().find(|known| ***known == sizes[..]) {
        return sizes;
    }
    let sizes: &'static [u32] = sizes.leak();
    known.push(sizes);
    sizes
}

/// A bug: a data set's targets are of its kind.
fn foreign() -> Error {
    Error::Argument("these targets are of another kind".into())
}
