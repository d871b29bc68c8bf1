//! Data sets: examples with the split that their source prescribes. [`all`] is the table behind `lossward list datasets`,
//! `lossward data` and the error suggestions; a user's own files are [`Files`].

pub mod advice;
mod augmentation;
pub mod boxes;
mod built_in;
mod class_folders;
pub mod decoded;
pub mod description;
mod examples;
mod files;
mod folder;
mod generated;
pub mod idx;
pub mod images;
mod interventions;
mod masks;
pub mod notation;
mod once;
mod picture;
pub mod pixels;
mod scale;
pub mod source;
mod standardized;
pub mod table;
pub mod tabular;
mod target;
mod texts;

pub use augmentation::{Augmentation, Change};
pub use boxes::ObjectBox;
pub use examples::{Examples, InputValues};
pub use files::{DataSetSettings, FILE_KEYS, Files};
pub use interventions::{Imbalance, Interventions};
pub use masks::Masks;
pub use picture::{IGNORED_COLOR, Outline, Picture, class_color, mask_color};
pub use scale::{Feature, Scale};
pub use tabular::Split;
pub use target::{Target, Targets};

use crate::options::{OptionRow, Options};
use crate::{Error, Result};
use lossward_envs::registry::{Registry, TableRow};
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
    /// What is held out besides, from elsewhere, by what it is called.
    pub further: Vec<(String, Arc<Examples>)>,
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

/// The built-in data sets.
pub const BUILT_IN: &[DataSetRow] = &[
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
    built_in::MNIST_DETECT,
    generated::MOONS,
    built_in::MRI_LESION_SIM,
    built_in::MRI_STRUCTURES,
    built_in::MRI_TISSUE,
    built_in::PENGUINS,
    generated::SPIRALS,
    built_in::TREES_NEON,
    built_in::WINE,
];

impl TableRow for DataSetRow {
    const WHAT: &'static str = "data set";

    fn name(&self) -> &'static str {
        self.name
    }
}

static TABLE: Registry<DataSetRow> = Registry::new(&[BUILT_IN]);

/// Adds data sets of another crate, once and before anything else is done.
///
/// # Errors
/// When a name is taken, or it is not the first call.
pub fn register(sets: &'static [DataSetRow]) -> Result<(), String> {
    TABLE.add(sets)
}

/// Every data set that has a name.
pub fn all() -> impl Iterator<Item = &'static DataSetRow> + Clone {
    TABLE.all()
}

/// The data set named `name`.
pub fn find(name: &str) -> Result<&'static DataSetRow> {
    TABLE.find(name).map_err(Error::Argument)
}
