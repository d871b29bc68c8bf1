//! A user's own data: `dataset = { csv = … }` or `dataset = { images = …, labels = … }`.

use super::images::Images;
use super::notation::{Notation, THOUSANDS};
use super::source::ByteSource;
use super::table::{Format, SEPARATORS, Table};
use super::tabular::{Missing, Split, Tabular, TargetKind};
use super::{DataSet, Interventions, once};
use crate::options::{Given, Options};
use crate::{Error, FilePath, Result};
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The `dataset` of a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DataSetSettings {
    /// A row of [`super::all`].
    Named(String),
    Files(Box<Files>),
}

/// Files of one of two formats. Plain or gzip-compressed.
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
    /// IDX: `[rows, height, width]`, `[rows, height, width, channels]` or `[rows, features]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<FilePath>,
    /// IDX: `[rows]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<FilePath>,
    /// What is held out, of the same format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_csv: Option<FilePath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_images: Option<FilePath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_labels: Option<FilePath>,
    /// Without files of its own, every n-th row is held out; every fifth, if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_every: Option<usize>,
    /// Or the last rows are, so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_last: Option<usize>,
    /// Of the files, in the order csv, test_csv or images, labels, test_images, test_labels: filled in when an experiment is
    /// read, so that the records of one state of the data never pass for those of another.
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
        let all = [&self.csv, &self.test_csv, &self.images, &self.labels, &self.test_images, &self.test_labels];
        all.into_iter().flatten()
    }

    /// The same with their keys.
    pub fn paths_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut FilePath)> {
        let Files { csv, test_csv, images, labels, test_images, test_labels, .. } = self;
        let all = [
            ("csv", csv),
            ("test_csv", test_csv),
            ("images", images),
            ("labels", labels),
            ("test_images", test_images),
            ("test_labels", test_labels),
        ];
        all.into_iter().filter_map(|(key, file)| Some((key, file.as_mut()?)))
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

    fn read(&self) -> Result<DataSet> {
        match (&self.csv, &self.images, &self.labels) {
            (Some(csv), None, None) => self.table(&csv.path()),
            (None, Some(images), Some(labels)) => self.images(&images.path(), &labels.path()),
            _ => Err(Error::Argument("`dataset` needs `csv` and `target`, or `images` and `labels`".into())),
        }
    }

    fn check_keys(&self) -> Result<()> {
        let of_tables = [
            ("target", self.target.is_some()),
            ("kind", self.kind.is_some()),
            ("logarithm", self.logarithm),
            ("ignored", !self.ignored.is_empty()),
            ("categorical", !self.categorical.is_empty()),
            ("missing", self.missing.is_some()),
            ("missing_values", !self.missing_values.is_empty()),
            ("separator", self.separator.is_some()),
            ("decimal", self.decimal.is_some()),
            ("thousands", self.thousands.is_some()),
            ("test_csv", self.test_csv.is_some()),
        ];
        let of_images = [
            ("labels", self.labels.is_some()),
            ("test_images", self.test_images.is_some()),
            ("test_labels", self.test_labels.is_some()),
        ];
        let (strangers, wanted): (&[_], &str) =
            if self.csv.is_some() { (&of_images, "images") } else { (&of_tables, "csv") };
        if let Some((key, _)) = strangers.iter().find(|(_, given)| *given) {
            return Err(Error::Argument(format!("`{key}` belongs to `{wanted}`, which `dataset` does not name")));
        }
        if self.csv.is_some() && self.images.is_some() {
            return Err(Error::Argument("`dataset` has one of `csv` and `images`, not both".into()));
        }
        if self.test_images.is_some() != self.test_labels.is_some() {
            return Err(Error::Argument("`test_images` and `test_labels` need each other".into()));
        }
        self.format()?;
        let of_its_own = self.test_csv.is_some() || self.test_images.is_some();
        let ways = [of_its_own, self.test_every.is_some(), self.test_last.is_some()];
        if ways.iter().filter(|given| **given).count() > 1 {
            let message = "what is held out is said once: files of its own, `test_every` or `test_last`";
            return Err(Error::Argument(message.into()));
        }
        if self.test_every.is_some_and(|n| n < 2) || self.test_last == Some(0) {
            return Err(Error::Argument("`test_every` must be at least 2, `test_last` at least 1".into()));
        }
        Ok(())
    }

    /// How a table is read.
    ///
    /// # Errors
    /// When a mark is none, or two are the same.
    pub fn format(&self) -> Result<Format<'_>> {
        let separator = self.separator.unwrap_or(',');
        let notation = Notation { decimal: self.decimal.unwrap_or('.'), thousands: self.thousands };
        let known = |key: &str, given: char, marks: &[char]| match marks.contains(&given) {
            true => Ok(()),
            false => {
                let marks: Vec<String> = marks.iter().map(|mark| format!("{:?}", mark.to_string())).collect();
                Err(Error::Argument(format!("`{key}` is {:?}; it can be {}", given.to_string(), marks.join(", "))))
            }
        };
        known("separator", separator, &SEPARATORS)?;
        known("decimal", notation.decimal, &['.', ','])?;
        notation.thousands.map_or(Ok(()), |mark| known("thousands", mark, &THOUSANDS))?;
        if notation.thousands == Some(notation.decimal) {
            let message = format!(
                "`thousands` and `decimal` are both {:?}; a number could be read in two ways",
                notation.decimal.to_string()
            );
            return Err(Error::Argument(message));
        }
        Ok(Format { separator, notation, missing: &self.missing_values })
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

    /// # Errors
    /// When more rows are to be held out than there are.
    fn split(&self, rows: usize) -> Result<Split> {
        match self.test_last {
            Some(last) if last >= rows => {
                Err(Error::Argument(format!("`test_last` is {last}, and the data has {rows} rows")))
            }
            Some(last) => Ok(Split::After(rows - last)),
            None => Ok(Split::Every(self.test_every.unwrap_or(5))),
        }
    }

    fn table(&self, csv: &Path) -> Result<DataSet> {
        let format = self.format()?;
        let table = Table::read_as(ByteSource::File(csv), &format)?;
        let Some(target) = &self.target else {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            let message = format!("`dataset` needs a `target`, the column to predict: one of {}", names.join(", "));
            return Err(Error::Argument(message));
        };
        let rows = table.rows();
        let (table, split) = match &self.test_csv {
            Some(test) => {
                (table.followed_by(Table::read_as(ByteSource::File(&test.path()), &format)?)?, Split::After(rows))
            }
            None => (table, self.split(rows)?),
        };
        Tabular {
            table: &table,
            target,
            kind: self.kind,
            logarithm: self.logarithm,
            ignored: &self.ignored.iter().map(String::as_str).collect::<Vec<_>>(),
            categorical: &self.categorical.iter().map(String::as_str).collect::<Vec<_>>(),
            missing: self.missing.unwrap_or_default(),
            split,
        }
        .data_set()
    }

    fn images(&self, images: &Path, labels: &Path) -> Result<DataSet> {
        let all = Images::read(ByteSource::File(images), ByteSource::File(labels))?;
        let (train, test) = match (&self.test_images, &self.test_labels) {
            (Some(images), Some(labels)) => {
                (all, Images::read(ByteSource::File(&images.path()), ByteSource::File(&labels.path()))?)
            }
            _ => {
                let split = self.split(all.rows())?;
                all.split(split)
            }
        };
        Images::data_set(train, test, &[])
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
        write!(f, "the name of a data set, {{ csv = …, target = … }} or {{ images = …, labels = … }}")
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
