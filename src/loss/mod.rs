//! Supervised losses: per example, reduced by the caller. [`all`] is the table behind `lossward loss`, `lossward list losses`,
//! the figures, the error suggestions and the finite-difference tests: a new loss is one function and one row.

mod binary;
pub mod boxes;
mod check;
mod classification;
mod dual;
mod embedding;
mod inputs;
#[cfg(test)]
mod kinks;
mod masks;
mod probabilities;
mod regression;
mod reward_side;
mod settings;
mod slice;
#[cfg(test)]
mod tests;

pub use check::check;
pub use inputs::{Inputs, PerExample};
pub use reward_side::exponentiated_payoff;
pub use settings::{Criterion, LossSettings, WeightedLoss};
pub use slice::{Line, Points, Slice};

use crate::kernel::Real;
use crate::options::{Interval, OptionRow, Options};
use crate::{Error, Result};
use lossward_envs::registry::{Registry, TableRow};

/// One row of the table.
pub struct Loss {
    pub name: &'static str,
    /// For one example.
    pub formula: &'static str,
    /// The derivative of the formula by what is predicted.
    pub gradient: &'static str,
    pub summary: &'static str,
    pub source: &'static str,
    pub layout: Layout,
    /// What is differentiated.
    pub predictions: &'static [Part],
    /// What it is compared with.
    pub targets: &'static [Part],
    pub options: &'static [OptionRow],
    /// Of the loss of an example.
    pub range: Interval,
    /// What is drawn of it.
    pub slice: Slice,
    pub per_example: fn(&Inputs, &Options) -> Result<PerExample>,
    /// Of a classifier's scores and class labels, where a loss of real values can also compare the softmax with the one-hot label.
    pub of_labels: Option<fn(&Inputs, &Options) -> Result<PerExample>>,
}

/// A tensor that a loss takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    pub name: &'static str,
    pub domain: Domain,
    /// A flag among the options that lifts the restriction to the domain.
    pub unless: Option<&'static str>,
    /// Whether it may be left out.
    pub optional: bool,
}

/// Which numbers a part may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Any finite number.
    Real,
    NotNegative,
    /// `[0, 1]`
    Unit,
    /// At most 0.
    LogProbability,
    /// −1 or 1.
    Sign,
    /// Indices of classes; instead of them, a distribution over the classes of the shape of the predictions where the layout
    /// is [`Layout::Classes`] and the loss takes soft labels, or masks where it is [`Layout::Masks`].
    Label {
        soft: bool,
    },
    /// `x1 ≤ x2` and `y1 ≤ y2`.
    Box,
}

/// How the shapes of the parts belong together. A list of numbers without rows counts as one number per example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Every part is `[batch, outputs]`.
    Same,
    /// Scores `[batch, classes, …]`, labels `[batch, …]`; every pixel of images counts as an example.
    Classes,
    /// Scores `[batch, channels, …]`; masks of the same shape, or labels `[batch, …]`.
    Masks,
    /// Every part is `[batch, 4]`: x1, y1, x2, y2.
    Boxes,
    /// Scores `[batch, sides, bins]`, distances `[batch, sides]`.
    Bins,
    /// Vectors `[batch, features]`; signs `[batch]`.
    Vectors,
}

const REAL_VALUES: Part = Part { name: "predictions", domain: Domain::Real, unless: None, optional: false };
const REAL_TARGETS: Part = Part { name: "targets", ..REAL_VALUES };

impl TableRow for Loss {
    const WHAT: &'static str = "loss";

    fn name(&self) -> &'static str {
        self.name
    }
}

static TABLE: Registry<Loss> = Registry::new(&[
    regression::ROWS,
    classification::ROWS,
    reward_side::ROWS,
    binary::ROWS,
    masks::ROWS,
    boxes::ROWS,
    embedding::ROWS,
]);

/// Adds losses of another crate, once and before anything else is done.
///
/// # Errors
/// When a name is taken, or it is not the first call.
pub fn register(losses: &'static [Loss]) -> Result<(), String> {
    TABLE.add(losses)
}

/// Every loss.
pub fn all() -> impl Iterator<Item = &'static Loss> + Clone {
    TABLE.all()
}

/// The loss named `name`.
pub fn find(name: &str) -> Result<&'static Loss> {
    TABLE.find(name).map_err(Error::Argument)
}

impl Loss {
    /// Whether it compares a network's scores, one per class, with labels.
    pub fn trains_classifiers(&self) -> bool {
        self.of_labels.is_some() || self.layout == Layout::Classes && self.predictions[0].domain == Domain::Real
    }

    /// The losses of a network's scores `[batch, classes]` against labels `[batch]`.
    pub fn of_classifier(&self, inputs: &Inputs, options: &Options) -> Result<PerExample> {
        self.of_labels.unwrap_or(self.per_example)(inputs, options)
    }

    /// Whether it compares a logit with a yes-or-no target.
    pub fn trains_logits(&self) -> bool {
        let domains = |parts: &[Part]| parts.iter().map(|part| part.domain).collect::<Vec<_>>();
        self.layout == Layout::Same
            && domains(self.predictions) == [Domain::Real]
            && domains(self.targets).first() == Some(&Domain::Unit)
    }

    /// Whether it compares real values of either sign with a prediction, or with a mean and a variance.
    pub fn trains_values(&self) -> bool {
        let domains: Vec<Domain> = self.predictions.iter().map(|part| part.domain).collect();
        self.layout == Layout::Same
            && matches!(self.targets, [Part { domain: Domain::Real, .. }])
            && matches!(domains[..], [Domain::Real] | [Domain::Real, Domain::NotNegative])
    }
}

/// A constant in the precision of the computation.
#[inline(always)]
fn real<R: Real>(x: f64) -> R {
    <R as candle_core::WithDType>::from_f64(x)
}
