//! What the files of `dataset` hold.

use super::Files;
use crate::data::boxes::{coco, yolo};
use crate::data::images::Images;
use crate::data::pixels::Pixels;
use crate::data::source::ByteSource;
use crate::data::table::Table;
use crate::data::tabular::{Split, Tabular};
use crate::data::{DataSet, folder};
use crate::{Error, FilePath, Result};
use std::path::Path;

/// The images of one part, with what belongs to them.
struct Part<'a> {
    images: &'a FilePath,
    labels: &'a Option<FilePath>,
    masks: &'a Option<FilePath>,
    boxes: &'a Option<FilePath>,
}

impl Files {
    pub(super) fn read(&self) -> Result<DataSet> {
        match (&self.csv, &self.images) {
            (Some(csv), None) => self.table(&csv.path()),
            (None, Some(images)) => self.of_images(images),
            _ => {
                Err(Error::Argument("`dataset` needs `csv` and `target`, or `images` and what belongs to them".into()))
            }
        }
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

    fn of_images(&self, images: &FilePath) -> Result<DataSet> {
        let train = Part { images, labels: &self.labels, masks: &self.masks, boxes: &self.boxes };
        let (train, names) = train.read(&self.classes)?;
        let (train, test) = match &self.test_images {
            Some(images) => {
                let (labels, masks, boxes) = (&self.test_labels, &self.test_masks, &self.test_boxes);
                (train, Part { images, labels, masks, boxes }.read(&names)?.0)
            }
            None => {
                let split = self.split(train.rows())?;
                train.split(split)
            }
        };
        if self.masks.is_some() {
            return Images::data_set_of_masks(train, test, &names, self.ignored_value);
        }
        if self.boxes.is_some() {
            return Images::data_set_of_boxes(train, test, names);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Images::data_set(train, test, &names)
    }
}

impl Part<'_> {
    /// With what the classes are called; nothing where that is seen from their numbers.
    fn read(&self, known: &[String]) -> Result<(Images, Vec<String>)> {
        let path = self.images.path();
        match (self.labels, self.masks, self.boxes) {
            (Some(labels), ..) => {
                let images = Images::read(ByteSource::File(&path), ByteSource::File(&labels.path()))?;
                Ok((images, known.to_vec()))
            }
            (_, Some(masks), _) => {
                let (pixels, masks) = (pixels(&path)?, masks.path());
                let images = match masks.is_dir() {
                    true => Images::with_mask_files(pixels, &masks),
                    false => Images::with_masks(pixels, ByteSource::File(&masks)),
                };
                Ok((images?, known.to_vec()))
            }
            (_, _, Some(boxes)) => with_boxes(pixels(&path)?, &boxes.path(), known),
            _ if path.is_dir() => Images::of_class_folders(&path, known),
            _ => Err(Error::Argument("`images` in one array need `labels`, `masks` or `boxes`".into())),
        }
    }
}

/// Of an array, or of a folder.
fn pixels(path: &Path) -> Result<Pixels> {
    if path.is_dir() {
        return folder::pixels(path, folder::files(path, &folder::IMAGES)?);
    }
    let pixels = Pixels::read(ByteSource::File(path))?;
    pixels.check()?;
    match pixels.rows() {
        0 => Err(pixels.error("there is no image in it")),
        _ => Ok(pixels),
    }
}

/// A folder has texts, a JSON begins as one, and all else is a table.
fn with_boxes(pixels: Pixels, boxes: &Path, known: &[String]) -> Result<(Images, Vec<String>)> {
    if boxes.is_dir() {
        return yolo::read(boxes, pixels, known);
    }
    let source = ByteSource::File(boxes);
    match source.begins_with(b'{')? {
        true => coco::read(source, pixels, known),
        false => Images::with_table(pixels, &Table::read(source)?, known),
    }
}
