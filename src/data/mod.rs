//! Data sets: labelled examples with the split that their source prescribes. [`ALL`] is the table behind `lossward list
//! datasets` and the error suggestions.

mod built_in;
mod generated;
pub mod idx;
mod images;
pub mod table;
pub mod tabular;

use crate::options::{OptionRow, Options};
use crate::{Error, Result, Rng};
use rand::Rng as _;

/// Inputs and labels, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    /// `[rows, features]`
    pub inputs: Vec<f32>,
    /// `[rows]`, each below the number of classes
    pub labels: Vec<u32>,
}

/// A classification data set.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSet {
    /// Of one input: `[features]`, or `[channels, height, width]`.
    pub shape: Vec<usize>,
    pub classes: usize,
    pub train: Examples,
    /// Held out: no example of it is ever trained on.
    pub test: Examples,
}

impl DataSet {
    /// Floats of one input.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }
}

impl DataSet {
    /// Gives this share of the training labels, rounded, another class, each of the others as likely (symmetric noise).
    ///
    /// # Errors
    /// When the share does not lie in [0, 1].
    pub fn spoil_labels(&mut self, share: f64, rng: &mut Rng) -> Result<()> {
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::Argument(format!("`label_noise` must lie in [0, 1], not {share}")));
        }
        let (rows, classes) = (self.train.len(), self.classes as u32);
        let spoiled = rand::seq::index::sample(rng, rows, (rows as f64 * share).round() as usize);
        for row in spoiled {
            let label = &mut self.train.labels[row];
            *label = (*label + rng.random_range(1..classes)) % classes;
        }
        Ok(())
    }
}

/// One row of the table.
pub struct DataSetRow {
    pub name: &'static str,
    pub summary: &'static str,
    pub licence: &'static str,
    /// What it may be told.
    pub options: &'static [OptionRow],
    pub load: fn(&Options) -> Result<DataSet>,
}

pub const ALL: &[DataSetRow] = &[
    generated::BLOBS,
    built_in::BREAST_CANCER,
    built_in::DIGITS,
    built_in::FASHION_MNIST,
    built_in::IRIS,
    built_in::LETTER,
    built_in::MNIST,
    generated::MOONS,
    built_in::PENGUINS,
    generated::SPIRALS,
    built_in::WINE,
];

/// The data set named `name`.
pub fn find(name: &str) -> Result<&'static DataSetRow> {
    ALL.iter().find(|row| row.name == name).ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|row| row.name).collect();
        Error::Argument(crate::error::unknown("data set", name, &known))
    })
}

impl Examples {
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The input of one row.
    pub fn input(&self, row: usize) -> &[f32] {
        let features = self.inputs.len() / self.labels.len();
        &self.inputs[row * features..(row + 1) * features]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_changes_so_many_labels_and_no_other() {
        let clean = (built_in::DIGITS.load)(&Options::defaults(&[])).unwrap();
        for (share, changed) in [(0.0, 0), (0.4, 575), (1.0, 1437)] {
            let mut noisy = clean.clone();
            noisy.spoil_labels(share, &mut crate::stream(0, "label noise", 0)).unwrap();
            let differing = noisy.train.labels.iter().zip(&clean.train.labels).filter(|(a, b)| a != b).count();
            assert_eq!((differing, &noisy.test), (changed, &clean.test), "{share}");
            assert!(noisy.train.labels.iter().all(|label| *label < 10));
        }
        let error = clean.clone().spoil_labels(1.5, &mut crate::stream(0, "label noise", 0)).unwrap_err().to_string();
        assert!(error.contains("[0, 1], not 1.5"), "{error}");
    }
}
