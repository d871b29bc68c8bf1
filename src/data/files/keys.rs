//! Which keys of `dataset` belong together, and what their values can be.

use super::Files;
use crate::data::notation::{Notation, THOUSANDS};
use crate::data::table::{Format, SEPARATORS};
use crate::{Error, Result};

impl Files {
    pub(super) fn check_keys(&self) -> Result<()> {
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
            ("masks", self.masks.is_some()),
            ("boxes", self.boxes.is_some()),
            ("classes", !self.classes.is_empty()),
            ("ignored_value", self.ignored_value.is_some()),
            ("test_images", self.test_images.is_some()),
            ("test_labels", self.test_labels.is_some()),
            ("test_masks", self.test_masks.is_some()),
            ("test_boxes", self.test_boxes.is_some()),
        ];
        let (strangers, wanted): (&[_], &str) =
            if self.csv.is_some() { (&of_images, "images") } else { (&of_tables, "csv") };
        if let Some((key, _)) = strangers.iter().find(|(_, given)| *given) {
            return Err(Error::Argument(format!("`{key}` belongs to `{wanted}`, which `dataset` does not name")));
        }
        if self.csv.is_some() && self.images.is_some() {
            return Err(Error::Argument("`dataset` has one of `csv` and `images`, not both".into()));
        }
        self.check_paths()?;
        self.check_targets()?;
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

    /// That no path is empty, and that what is a single file is no folder.
    fn check_paths(&self) -> Result<()> {
        let files = [
            ("csv", &self.csv),
            ("test_csv", &self.test_csv),
            ("labels", &self.labels),
            ("test_labels", &self.test_labels),
        ];
        let folders = files.into_iter().filter_map(|(key, path)| Some((key, path.as_ref()?)));
        if let Some((key, path)) = folders.into_iter().find(|(_, path)| path.path().is_dir()) {
            return Err(Error::Argument(format!("`{key}` must be a file; {:?} is a folder", path.written())));
        }
        match self.paths().find(|path| path.written().as_os_str().is_empty()) {
            Some(_) => Err(Error::Argument("a path of `dataset` is empty".into())),
            None => Ok(()),
        }
    }

    /// That what belongs to images is said once, and of both parts.
    fn check_targets(&self) -> Result<()> {
        let targets = [
            ("labels", self.labels.is_some(), self.test_labels.is_some()),
            ("masks", self.masks.is_some(), self.test_masks.is_some()),
            ("boxes", self.boxes.is_some(), self.test_boxes.is_some()),
        ];
        let named: Vec<&str> = targets.iter().filter(|(_, train, _)| *train).map(|(key, ..)| *key).collect();
        if let [one, other, ..] = named[..] {
            return Err(Error::Argument(format!("`dataset` has one of `{one}` and `{other}`, not both")));
        }
        for (key, train, test) in targets {
            if test && !train {
                return Err(Error::Argument(format!("`test_{key}` belongs to `{key}`, which `dataset` does not name")));
            }
            if train && test != self.test_images.is_some() {
                return Err(Error::Argument(format!("`test_images` and `test_{key}` need each other")));
            }
        }
        match self.ignored_value.is_some() && self.masks.is_none() {
            true => Err(Error::Argument("`ignored_value` belongs to `masks`, which `dataset` does not name".into())),
            false => Ok(()),
        }
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
}
