//! A user's own data: `dataset = { csv = … }` or `dataset = { images = …, … }`.

mod keys;
mod reading;

use super::tabular::{Missing, TargetKind};
use super::{DataSet, Interventions, once};
use crate::options::{Given, Options};
use crate::{Error, FilePath, Result};
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Keys of `dataset` that name a file or a folder.
pub const FILE_KEYS: [&str; 10] =
    ["csv", "test_csv", "images", "labels", "test_images", "test_labels", "masks", "boxes", "test_masks", "test_boxes"];

/// The `dataset` of a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DataSetSettings {
    /// A row of [`super::all`].
    Named(String),
    Files(Box<Files>),
}

/// A table, or images and what belongs to them. Tables, arrays and JSON may be plain or gzip-compressed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// A table with a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<FilePath>,
    /// The column that is predicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Without it, numbers are values and texts are classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<TargetKind>,
    /// The natural logarithm of the target is predicted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub logarithm: bool,
    /// Columns that are no features.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
    /// Columns of categories, even where they are numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categorical: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// Texts that stand for an entry that is missing, beside those of [`super::table::MISSING`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_values: Vec<String>,
    /// What separates columns; a comma, if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<char>,
    /// What stands before the fraction of a number; a point, if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<char>,
    /// What stands between the thousands of a number; nothing, if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<char>,
    /// IDX: `[rows, height, width]`, `[rows, height, width, channels]` or `[rows, features]`; or a folder of PNG and JPEG files. Without
    /// labels, masks or boxes, the folders in it are the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<FilePath>,
    /// IDX: `[rows]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<FilePath>,
    /// IDX: `[rows, height, width]`; or a folder of PNG files that are called as the images are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masks: Option<FilePath>,
    /// A CSV with a row per box, a JSON of COCO's instances, or a folder of YOLO's text files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boxes: Option<FilePath>,
    /// What the classes of images are called, from 0; in a folder of classes also which there are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// The value of the pixels of a mask that count nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored_value: Option<u8>,
    /// What is held out, of the same format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_csv: Option<FilePath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_images: Option<FilePath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_labels: Option<FilePath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_masks: Option<FilePath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_boxes: Option<FilePath>,
    /// Without files of its own, every n-th row is held out; every fifth, if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_every: Option<usize>,
    /// Or the last rows are, so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_last: Option<usize>,
    /// Of the files, in the order of [`FILE_KEYS`], of a folder over its names and its files: filled in when an experiment is read, so that the records of one state of the data never pass for those of another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Vec<String>>,
}

impl DataSetSettings {
    /// # Errors
    /// When there is no set of this name, its options don't fit, or the files can't be learned from; at the key of the task that is to
    /// blame.
    pub fn load(&self, options: Option<&Given>, interventions: &Interventions, seed: u64) -> Result<DataSet> {
        let mut data = match self {
            DataSetSettings::Named(name) => {
                let row = super::find(name).map_err(at_dataset)?;
                let options = Options::new(row.name, row.options, &options.cloned().unwrap_or_default());
                let options = options.map_err(|error| Error::setting("options", error))?;
                let key = format!("{name} {:?}", options.values());
                // Its makers know it.
                let load = || Ok(DataSet { notes: Vec::new(), ..(row.load)(&options)? });
                once::read(Some(key), load).map_err(|error| match error {
                    Error::Option(error) => Error::setting("options", error),
                    other => at_dataset(other),
                })?
            }
            DataSetSettings::Files(_) if options.is_some() => {
                return Err(Error::setting("options", "`options` are for built-in data sets, not for files"));
            }
            DataSetSettings::Files(files) => files.load().map_err(at_dataset)?,
        };
        interventions.apply(&mut data, seed)?;
        Ok(data)
    }
}

fn at_dataset(error: Error) -> Error {
    Error::setting("dataset", error)
}

impl Files {
    /// All of them.
    pub fn paths(&self) -> impl Iterator<Item = &FilePath> {
        let Files {
            csv, test_csv, images, labels, test_images, test_labels, masks, boxes, test_masks, test_boxes, ..
        } = self;
        [csv, test_csv, images, labels, test_images, test_labels, masks, boxes, test_masks, test_boxes]
            .into_iter()
            .flatten()
    }

    /// The same with their keys.
    pub fn paths_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut FilePath)> {
        let Files {
            csv, test_csv, images, labels, test_images, test_labels, masks, boxes, test_masks, test_boxes, ..
        } = self;
        let all = [csv, test_csv, images, labels, test_images, test_labels, masks, boxes, test_masks, test_boxes];
        FILE_KEYS.into_iter().zip(all).filter_map(|(key, file)| Some((key, file.as_mut()?)))
    }

    /// Remembers what the files hold now, if that isn't said already.
    pub fn fix(&mut self) -> Result<()> {
        self.check_keys()?;
        if self.sha256.is_none() {
            self.sha256 = Some(self.paths().map(|file| once::sha256(&file.path())).collect::<Result<_>>()?);
        }
        Ok(())
    }

    /// # Errors
    /// When keys don't belong together, a file can't be read or learned from, or holds something else than its `sha256` says.
    pub fn load(&self) -> Result<DataSet> {
        self.check_keys()?;
        self.check_content()?;
        // The same settings of the same state of the files; it was checked that they hold what is said.
        let states: Option<Vec<_>> = self.paths().map(|file| once::state(&file.path())).collect();
        let key = states.map(|states| format!("{:?} {states:?}", Files { sha256: None, ..self.clone() }));
        once::read(key, || self.read())
    }

    fn check_content(&self) -> Result<()> {
        let Some(expected) = &self.sha256 else { return Ok(()) };
        let paths: Vec<PathBuf> = self.paths().map(FilePath::path).collect();
        if expected.len() != paths.len() {
            let message = format!("`sha256` has {} entries for {} files", expected.len(), paths.len());
            return Err(Error::Argument(message));
        }
        for (path, expected) in paths.into_iter().zip(expected) {
            let found = once::sha256(&path)?;
            if !found.eq_ignore_ascii_case(expected) {
                let message = format!("its SHA-256 is {found}, and `sha256` says {expected}: the data has changed");
                return Err(Error::content(path, message));
            }
        }
        Ok(())
    }
}

/// Written out rather than derived: an untagged enum would forget where in the file an error is.
impl<'de> Deserialize<'de> for DataSetSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(SettingsVisitor)
    }
}

struct SettingsVisitor;

impl<'de> Visitor<'de> for SettingsVisitor {
    type Value = DataSetSettings;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "the name of a data set, {{ csv = …, target = … }} or {{ images = …, … }}")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> std::result::Result<DataSetSettings, E> {
        Ok(DataSetSettings::Named(name.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<DataSetSettings, A::Error> {
        Ok(DataSetSettings::Files(Files::deserialize(MapAccessDeserializer::new(map))?.into()))
    }
}

impl std::fmt::Display for DataSetSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            DataSetSettings::Named(name) => f.write_str(name),
            DataSetSettings::Files(files) => {
                let names: Vec<String> = files.paths().map(|file| file.written().display().to_string()).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}
