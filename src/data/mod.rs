//! Data sets: labelled examples with the split that their source prescribes. [`ALL`] is the table behind `lossward list
//! datasets` and the error suggestions.

mod built_in;
pub mod idx;
mod images;
pub mod table;
pub mod tabular;

use crate::{Error, Result};

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

/// One row of the table.
pub struct DataSetRow {
    pub name: &'static str,
    pub summary: &'static str,
    pub licence: &'static str,
    pub load: fn() -> Result<DataSet>,
}

pub const ALL: &[DataSetRow] = &[
    built_in::BREAST_CANCER,
    built_in::DIGITS,
    built_in::FASHION_MNIST,
    built_in::IRIS,
    built_in::LETTER,
    built_in::MNIST,
    built_in::PENGUINS,
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
