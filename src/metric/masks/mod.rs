//! Segmentation masks: class maps, or scores of pixels, against true class maps.
//!
//! [`PredictedMasks`] holds those of some images, [`Region`] the pixels of one class of one image. What is rated are shares of pixels
//! ([`overlap`]), connected regions ([`lesions`]), distances between surfaces ([`surfaces`]) and the choice of a threshold
//! ([`thresholds`]).

mod components;
mod distances;
mod images;
pub(super) mod lesions;
pub(super) mod overlap;
mod pixels;
mod region;
pub(super) mod surfaces;
pub(super) mod thresholds;

pub use components::{Components, Connectivity};
pub use images::{ClassMaps, MaskPrediction, MaskShape, PredictedMasks};
pub use lesions::{Covered, LesionCounts};
pub use region::{Region, Regions};
pub use surfaces::{Directions, SurfaceDistances};
pub use thresholds::BestThreshold;

use crate::options::{Interval, OptionError, OptionKind, OptionRow, Options};
use crate::{Error, Result};

/// The threshold that is meant where none is given.
const HALF: f64 = 0.5;

const THRESHOLD: OptionRow = OptionRow {
    name: "threshold",
    meaning: "of two classes with scores: a pixel is predicted as class 1 where its probability is above it",
    kind: OptionKind::Number { default: HALF, range: Interval::INSIDE_UNIT },
};
const FOREGROUND: OptionRow = OptionRow {
    name: "positive",
    meaning: "the class that is the foreground",
    kind: OptionKind::Whole { default: Some(1), at_least: 0 },
};

/// What `of` says of the predictions at the option `threshold`.
fn at_threshold<T>(
    masks: &PredictedMasks,
    options: &Options,
    of: impl FnOnce(&PredictedMasks) -> Result<T>,
) -> Result<T> {
    let threshold = options.number("threshold");
    if threshold == HALF {
        return of(masks);
    }
    let of_scores = |error: Error| OptionError::new("threshold", format!("`threshold` is {threshold}: {error}"));
    of(&masks.above(threshold).map_err(of_scores)?)
}

/// What `of` says of the foreground of each image.
fn of_foregrounds<T>(masks: &PredictedMasks, options: &Options, of: impl Fn(&Regions) -> T) -> Result<Vec<T>> {
    at_threshold(masks, options, |masks| {
        let class = super::chosen::positive(options, masks.classes())?.unwrap_or(1) as u32;
        (0..masks.images()).map(|image| Ok(of(&masks.regions(image, class)?))).collect()
    })
}

/// The mean of the values that are defined; undefined where none is.
fn mean_of_defined(values: impl Iterator<Item = f64>) -> f64 {
    let defined: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    defined.iter().sum::<f64>() / defined.len() as f64
}
