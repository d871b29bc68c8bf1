//! Data sets: examples with the split that their source prescribes. [`ALL`] is the table behind `lossward list datasets`,
//! `lossward data` and the error suggestions; a user's own files are [`Files`].

pub mod boxes;
mod built_in;
pub mod description;
mod examples;
mod files;
mod generated;
pub mod idx;
pub mod images;
mod interventions;
pub mod notation;
mod once;
mod picture;
mod scale;
pub mod source;
pub mod table;
pub mod tabular;
mod target;
mod texts;

pub use examples::{Examples, InputValues};
pub use files::{DataSetSettings, Files};
pub use interventions::{Imbalance, Interventions};
pub use picture::Picture;
pub use scale::{Feature, Scale};
pub use tabular::Split;
pub use target::{Target, Targets};

use crate::options::{OptionRow, Options};
use crate::{Error, Result};
use std::sync::Arc;

/// Examples to learn from and others to be judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSet {
    /// Of one input: `[features]`, or `[channels, height, width]`.
    pub shape: Vec<usize>,
    /// One for each number of an input; a single one for all pixels of an image.
    pub features: Vec<Feature>,
    pub target: Target,
    pub train: Arc<Examples>,
    /// Held out: no example of it is ever trained on.
    pub test: Arc<Examples>,
    /// What whoever learns from it should know, in sentences.
    pub notes: Vec<String>,
}

/// One row of the table.
pub struct DataSetRow {
    pub name: &'static str,
    pub summary: &'static str,
    /// Who made it, and where it is from.
    pub source: &'static str,
    pub licence: &'static str,
    /// What it may be told.
    pub options: &'static [OptionRow],
    pub load: fn(&Options) -> Result<DataSet>,
}

pub const ALL: &[DataSetRow] = &[
    generated::BLOBS,
    built_in::BREAST_CANCER,
    generated::CURVE,
    built_in::DIABETES,
    built_in::DIGITS,
    built_in::FASHION_MNIST,
    built_in::HOUSE_AMES,
    built_in::HOUSE_SACRAMENTO,
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
