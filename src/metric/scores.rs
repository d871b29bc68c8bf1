//! One number per example and class, with the labels.

use super::{check_classes, check_counts};
use crate::{Error, Result};

/// Scores, `[examples, classes]` row by row, and labels, `[examples]`. With a single column it is the score of class 1, and
/// the labels are 0 and 1.
#[derive(Clone, Copy)]
pub struct Scores<'a> {
    pub(super) values: &'a [f64],
    pub(super) columns: usize,
    pub(super) labels: &'a [u32],
}

impl<'a> Scores<'a> {
    /// Scores in any unit.
    ///
    /// # Errors
    /// When there are none, the shapes don't fit, a score is not finite or a label is no class; the message names it.
    pub fn new(values: &'a [f64], columns: usize, labels: &'a [u32]) -> Result<Self> {
        check_counts(values.len().checked_div(columns).unwrap_or(0), labels.len())?;
        check_classes("target", labels, columns.max(2))?;
        let scores = Scores { values, columns, labels };
        match values.iter().position(|value| !value.is_finite()) {
            Some(i) => Err(Error::NotFinite { what: scores.place(i), value: values[i] }),
            None => Ok(scores),
        }
    }

    /// Probabilities; rows of more than one sum to 1.
    ///
    /// # Errors
    /// As [`Self::new`], and for a number outside `[0, 1]` or a row whose sum is more than 1e-6 from 1.
    pub fn probabilities(values: &'a [f64], columns: usize, labels: &'a [u32]) -> Result<Self> {
        let scores = Scores::new(values, columns, labels)?;
        if let Some(i) = values.iter().position(|p| !(0.0..=1.0).contains(p)) {
            let message = format!("{} is {}, not a probability", scores.place(i), values[i]);
            return Err(Error::Argument(message));
        }
        for (row, sum) in scores.rows().map(|row| row.iter().sum::<f64>()).enumerate() {
            if columns > 1 && (sum - 1.0).abs() > 1e-6 {
                return Err(Error::Argument(format!("the probabilities of row {row} sum to {sum}, not to 1")));
            }
        }
        Ok(scores)
    }

    fn place(&self, i: usize) -> String {
        match self.columns {
            1 => format!("prediction {i}"),
            columns => format!("prediction [{}][{}]", i / columns, i % columns),
        }
    }

    pub fn rows(&self) -> impl Iterator<Item = &'a [f64]> + '_ {
        self.values.chunks_exact(self.columns)
    }

    /// Rows with their labels.
    pub fn examples(&self) -> impl Iterator<Item = (&'a [f64], u32)> + '_ {
        self.rows().zip(self.labels.iter().copied())
    }

    pub fn examples_len(&self) -> usize {
        self.labels.len()
    }

    pub fn classes(&self) -> usize {
        self.columns.max(2)
    }

    /// Whether there is one class to find: one column, or two of which the second is its.
    pub(super) fn is_binary(&self) -> bool {
        self.columns <= 2
    }

    /// The scores of one class, and which examples are of it; a single column is that of class 1.
    pub(super) fn against_the_rest(&self, class: usize) -> (Vec<f64>, Vec<bool>) {
        let scores = self.rows().map(|row| if self.columns == 1 { row[0] } else { row[class] });
        (scores.collect(), self.labels.iter().map(|label| *label as usize == class).collect())
    }

    /// Each class with its share of the examples.
    pub(super) fn prevalence(&self, class: usize) -> f64 {
        self.labels.iter().filter(|label| **label as usize == class).count() as f64 / self.labels.len() as f64
    }
}
