//! What is predicted, and what belongs to each row. What a loss, a metric or a reward makes of it stands in `task::kind`.

use super::Scale;
use crate::Rng;
use crate::rows::picked;
use rand::Rng as _;
use rand::seq::SliceRandom;

/// What is predicted.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// One of these.
    Class { names: Vec<String> },
    /// A real number, or its natural logarithm. Losses and rewards are of its standardized value; metrics are in its own unit.
    Value { column: String, logarithm: bool, scale: Scale },
}

/// What belongs to the inputs, `[rows]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Each below the number of classes.
    Classes(Vec<u32>),
    /// Real values, standardized.
    Values(Vec<f32>),
}

impl Target {
    /// The number of classes, if there are any.
    pub fn classes(&self) -> Option<usize> {
        match self {
            Target::Class { names } => Some(names.len()),
            Target::Value { .. } => None,
        }
    }

    /// What to call it in a table or a plot: `class`, `price`, or `ln price`.
    pub fn name(&self) -> String {
        match self {
            Target::Class { .. } => "class".into(),
            Target::Value { column, logarithm: true, .. } => format!("ln {column}"),
            Target::Value { column, .. } => column.clone(),
        }
    }

    /// `one of 3 classes, counted from 0 in this order`
    pub fn in_words(&self) -> String {
        match self {
            Target::Class { names } => format!("one of {} classes, counted from 0 in this order", names.len()),
            Target::Value { .. } => format!("a real number, {}", self.name()),
        }
    }
}

impl Targets {
    pub fn len(&self) -> usize {
        match self {
            Targets::Classes(labels) => labels.len(),
            Targets::Values(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class or the value of one row.
    pub fn number(&self, row: usize) -> f64 {
        match self {
            Targets::Classes(labels) => f64::from(labels[row]),
            Targets::Values(values) => f64::from(values[row]),
        }
    }

    /// The classes; nothing of values.
    pub fn labels(&self) -> Option<&[u32]> {
        match self {
            Targets::Classes(labels) => Some(labels),
            Targets::Values(_) => None,
        }
    }

    /// The values; nothing of classes.
    pub fn values(&self) -> Option<&[f32]> {
        match self {
            Targets::Classes(_) => None,
            Targets::Values(values) => Some(values),
        }
    }

    /// These rows alone, in this order.
    pub fn kept(&self, rows: &[usize]) -> Targets {
        match self {
            Targets::Classes(labels) => Targets::Classes(picked(labels, rows, 1)),
            Targets::Values(values) => Targets::Values(picked(values, rows, 1)),
        }
    }

    /// In another order, each as likely.
    pub(super) fn shuffle(&mut self, rng: &mut Rng) {
        match self {
            Targets::Classes(labels) => labels.shuffle(rng),
            Targets::Values(values) => values.shuffle(rng),
        }
    }

    /// Gives these rows a wrong target: another of the classes, each of the others as likely, or the value of another row.
    pub(super) fn spoil(&mut self, spoiled: impl Iterator<Item = usize>, target: &Target, rng: &mut Rng) {
        let rows = self.len();
        match self {
            Targets::Classes(labels) => {
                let classes = target.classes().unwrap_or(1) as u32;
                for row in spoiled {
                    labels[row] = (labels[row] + rng.random_range(1..classes)) % classes;
                }
            }
            Targets::Values(values) => {
                let clean = values.clone();
                for row in spoiled {
                    values[row] = clean[(row + rng.random_range(1..rows.max(2))) % rows];
                }
            }
        }
    }
}
