//! What is predicted, and what belongs to each row. What a loss, a metric or a reward makes of it stands in `task::kind`.

use super::{Masks, ObjectBox, Scale};
use crate::rows::picked;
use crate::{Error, Result, Rng};
use rand::Rng as _;
use rand::seq::SliceRandom;
use std::sync::Arc;

/// What is predicted.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// One of these.
    Class { names: Vec<String> },
    /// A real number, or its natural logarithm. Losses and rewards are of its standardized value; metrics are in its own unit.
    Value { column: String, logarithm: bool, scale: Scale },
    /// One of these for every pixel of an image; 0 is what is no object. A pixel of the value `ignored` counts nowhere.
    Mask { names: Vec<String>, ignored: Option<u8> },
    /// Objects in an image: any number of boxes, each around one of these.
    Boxes { names: Vec<String> },
}

/// What belongs to the inputs, `[rows]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Each below the number of classes.
    Classes(Vec<u32>),
    /// Real values, standardized.
    Values(Vec<f32>),
    /// A class below their number for each pixel, or what is ignored.
    Masks(Masks),
    /// The objects of each image.
    Boxes(Vec<Arc<[ObjectBox]>>),
}

impl Target {
    /// The number of classes, if there are any.
    pub fn classes(&self) -> Option<usize> {
        match self {
            Target::Class { names } | Target::Mask { names, .. } | Target::Boxes { names } => Some(names.len()),
            Target::Value { .. } => None,
        }
    }

    /// What the classes are called; nothing of values.
    pub fn names(&self) -> &[String] {
        match self {
            Target::Class { names } | Target::Mask { names, .. } | Target::Boxes { names } => names,
            Target::Value { .. } => &[],
        }
    }

    /// The value of pixels that count nowhere, if there are any.
    pub fn ignored(&self) -> Option<u8> {
        if let Target::Mask { ignored, .. } = self { *ignored } else { None }
    }

    /// What examples have of it, in the plural: `real values`.
    fn plural(&self) -> &'static str {
        match self {
            Target::Class { .. } => "classes",
            Target::Value { .. } => "real values",
            Target::Mask { .. } => "masks",
            Target::Boxes { .. } => "boxes",
        }
    }

    /// What to call it in a table or a plot: `class`, `price`, or `ln price`.
    pub fn name(&self) -> String {
        match self {
            Target::Class { .. } => "class".into(),
            Target::Value { column, logarithm: true, .. } => format!("ln {column}"),
            Target::Value { column, .. } => column.clone(),
            Target::Mask { .. } => "class of a pixel".into(),
            Target::Boxes { .. } => "class of an object".into(),
        }
    }

    /// That a setting is for others.
    ///
    /// # Errors
    /// Always: [`Error::Setting`] at its key.
    pub(super) fn refuse<T>(&self, key: &str, wanted: &str) -> Result<T> {
        Err(Error::setting(key, format!("`{key}` is for {wanted}, and this data set has {}", self.plural())))
    }

    /// `one of 3 classes, counted from 0 in this order`
    pub fn in_words(&self) -> String {
        match self {
            Target::Class { names } => format!("one of {} classes, counted from 0 in this order", names.len()),
            Target::Value { .. } => format!("a real number, {}", self.name()),
            Target::Mask { names, ignored } => {
                let ignored =
                    ignored.map_or(String::new(), |value| format!("; pixels of the value {value} are ignored"));
                format!("one of {} classes for every pixel, counted from 0 in this order{ignored}", names.len())
            }
            Target::Boxes { names } => {
                let classes = if names.len() == 1 { "class" } else { "classes, counted from 0 in this order" };
                format!("boxes around objects of {} {classes}", names.len())
            }
        }
    }
}

impl Targets {
    pub fn len(&self) -> usize {
        match self {
            Targets::Classes(labels) => labels.len(),
            Targets::Values(values) => values.len(),
            Targets::Masks(masks) => masks.len(),
            Targets::Boxes(images) => images.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class or the value of one row; NaN of what is no number.
    pub fn number(&self, row: usize) -> f64 {
        match self {
            Targets::Classes(labels) => f64::from(labels[row]),
            Targets::Values(values) => f64::from(values[row]),
            Targets::Masks(_) | Targets::Boxes(_) => f64::NAN,
        }
    }

    /// The classes, if each row has one.
    pub fn labels(&self) -> Option<&[u32]> {
        if let Targets::Classes(labels) = self { Some(labels) } else { None }
    }

    /// The values, if each row has one.
    pub fn values(&self) -> Option<&[f32]> {
        if let Targets::Values(values) = self { Some(values) } else { None }
    }

    /// The masks, if each row has one.
    pub fn masks(&self) -> Option<&Masks> {
        if let Targets::Masks(masks) = self { Some(masks) } else { None }
    }

    /// The objects of each row, if rows have any number of them.
    pub fn boxes(&self) -> Option<&[Arc<[ObjectBox]>]> {
        if let Targets::Boxes(images) = self { Some(images) } else { None }
    }

    /// These rows alone, in this order.
    pub fn kept(&self, rows: &[usize]) -> Targets {
        match self {
            Targets::Classes(labels) => Targets::Classes(picked(labels, rows, 1)),
            Targets::Values(values) => Targets::Values(picked(values, rows, 1)),
            Targets::Masks(masks) => Targets::Masks(masks.kept(rows)),
            Targets::Boxes(images) => Targets::Boxes(rows.iter().map(|row| images[*row].clone()).collect()),
        }
    }

    /// In another order, each as likely.
    pub(super) fn shuffle(&mut self, rng: &mut Rng) {
        match self {
            Targets::Classes(labels) => labels.shuffle(rng),
            Targets::Values(values) => values.shuffle(rng),
            Targets::Masks(masks) => masks.shuffle(rng),
            Targets::Boxes(images) => images.shuffle(rng),
        }
    }

    /// Gives these rows a wrong target: another of the classes, each of the others as likely, or the value of another row.
    ///
    /// # Errors
    /// When a target is neither: at `label_noise`.
    pub(super) fn spoil(&mut self, spoiled: impl Iterator<Item = usize>, target: &Target, rng: &mut Rng) -> Result<()> {
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
            Targets::Masks(_) | Targets::Boxes(_) => return target.refuse("label_noise", "classes and real values"),
        }
        Ok(())
    }
}
