//! Held-out images to look at: what is true of them, and what is predicted.

use crate::data::{DataSet, Examples, Picture, Targets};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Some held-out images, always the same of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// What the classes are called.
    pub classes: Vec<String>,
    /// Pixels that are truly of it count nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<u8>,
    /// Which rows of the held-out part they are.
    pub rows: Vec<usize>,
    pub truth: Vec<Overlay>,
    /// By the final weights.
    pub end: Vec<Overlay>,
    /// By the best weights, where those are others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Vec<Overlay>>,
    /// Kept in a file of their own.
    #[serde(skip)]
    pub images: Vec<Picture>,
}

/// What is there, or seems to be, in one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlay {
    Class {
        class: usize,
        /// The probability of a prediction.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<f64>,
    },
    /// A class for each pixel, row by row; on disk as lengths of runs.
    Mask(#[serde(with = "runs")] Vec<u8>),
    Boxes(Vec<OverlaidBox>),
}

/// A box in an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverlaidBox {
    /// `x1, y1, x2, y2` in pixels.
    pub corners: [f64; 4],
    pub class: usize,
    /// Of a detection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    pub verdict: Verdict,
}

/// What a box is in its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// An object, before anything is predicted.
    There,
    /// A detection that matches an object.
    Right,
    /// A detection that matches none.
    Wrong,
    /// An object that no detection matches.
    Missed,
    /// Counts neither way.
    Ignored,
}

/// What is true and what is predicted of one image.
pub struct Overlaid {
    pub truth: Overlay,
    pub predicted: Overlay,
}

/// Images of a contact sheet, at most.
const MOST: usize = 32;
/// Pixels of the longer side of an image that is kept as it is; a larger one is reduced to no more.
const SIDE: usize = 128;

/// The rows of the held-out part that are shown: of those on which something is to be found, or of all where they are too few, so many from the
/// first to the last.
///
/// # Errors
/// When they are too many, or inputs are no images; at `predictions`.
pub(super) fn rows_to_show(data: &DataSet, count: usize) -> Result<Vec<usize>> {
    let refuse = |message: String| Err(Error::setting("predictions", message));
    if count == 0 {
        return Ok(Vec::new());
    }
    if count > MOST {
        return refuse(format!("`predictions` is {count}; a contact sheet has at most {MOST} images"));
    }
    if data.shape.len() != 3 {
        let numbers = data.shape.iter().product::<usize>();
        return refuse(format!(
            "`predictions` shows images, and an input of this data set is a row of {numbers} numbers; leave it out"
        ));
    }
    let all: Vec<usize> = (0..data.test.len()).collect();
    let found = all.iter().copied().filter(|row| has_object(&data.test.targets, *row)).collect::<Vec<_>>();
    let from = if found.len() >= count { found } else { all };
    let shown = count.min(from.len());
    Ok((0..shown).map(|i| from[i * from.len() / shown]).collect())
}

fn has_object(targets: &Targets, row: usize) -> bool {
    match targets {
        Targets::Masks(masks) => masks.of(row).iter().any(|class| *class != 0),
        Targets::Boxes(images) => images[row].iter().any(|object| !object.ignored),
        Targets::Classes(_) | Targets::Values(_) => true,
    }
}

impl Predictions {
    /// Of these rows, whose examples are `shown`; as small as they are kept.
    pub(super) fn new(data: &DataSet, (rows, shown): (&[usize], &Examples), overlaid: Vec<Overlaid>) -> Predictions {
        let places: Vec<usize> = (0..rows.len()).collect();
        let images = data.images(shown, &places).unwrap_or_default();
        let [width, longest] = images.first().map_or([1; 2], |image| [image.width, image.width.max(image.height)]);
        let by = longest.div_ceil(SIDE);
        let (truth, end) = overlaid
            .into_iter()
            .map(|Overlaid { truth, predicted }| (truth.reduced(width, by), predicted.reduced(width, by)))
            .unzip();
        Predictions {
            classes: data.target.names().to_vec(),
            ignored: data.target.ignored(),
            rows: rows.to_vec(),
            truth,
            end,
            best: None,
            images: images.iter().map(|image| if by == 1 { image.clone() } else { image.reduced(by) }).collect(),
        }
    }

    /// Whether there is something on every image, and every mask has so many pixels.
    pub fn fits(&self, pixels: usize) -> bool {
        let whole = |overlays: &Vec<Overlay>| {
            let fits = |overlay: &Overlay| !matches!(overlay, Overlay::Mask(classes) if classes.len() != pixels);
            overlays.len() == self.rows.len() && overlays.iter().all(fits)
        };
        !self.rows.is_empty()
            && [Some(&self.truth), Some(&self.end), self.best.as_ref()].into_iter().flatten().all(whole)
    }
}

impl Overlay {
    /// Of an image that becomes smaller: of each square of `by` pixels that in the middle.
    fn reduced(self, width: usize, by: usize) -> Overlay {
        match self {
            Overlay::Mask(classes) if by > 1 => {
                let [across, down] = [width / by, classes.len() / width / by];
                let middle = |i: usize| (i / across * by + by / 2) * width + i % across * by + by / 2;
                Overlay::Mask((0..across * down).map(|i| classes[middle(i)]).collect())
            }
            Overlay::Boxes(boxes) => {
                let hundredth = |place: f64| (place / by as f64 * 100.0).round() / 100.0;
                let smaller = |of: OverlaidBox| OverlaidBox { corners: of.corners.map(hundredth), ..of };
                Overlay::Boxes(boxes.into_iter().map(smaller).collect())
            }
            other => other,
        }
    }
}

/// To a thousandth: as much as is shown, and more.
pub(super) fn rounded(score: f64) -> f64 {
    (score * 1e3).round() / 1e3
}

/// Classes as `[class, length, class, length, …]`.
mod runs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(classes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let runs = classes.chunk_by(|a, b| a == b).flat_map(|run| [usize::from(run[0]), run.len()]);
        runs.collect::<Vec<usize>>().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let runs = Vec::<usize>::deserialize(deserializer)?;
        let (pairs, rest) = runs.as_chunks::<2>();
        let length: usize = pairs.iter().fold(0, |sum, [_, length]| sum.saturating_add(*length));
        // What a file claims takes no memory beyond an image.
        if !rest.is_empty() || length > super::SIDE * super::SIDE {
            return Err(serde::de::Error::custom("a mask is pairs of a class and a length, together an image"));
        }
        let run = |[class, length]: &[usize; 2]| {
            let class = u8::try_from(*class).map_err(serde::de::Error::custom)?;
            Ok(std::iter::repeat_n(class, *length))
        };
        Ok(pairs.iter().map(run).collect::<Result<Vec<_>, D::Error>>()?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in(name: &str) -> DataSet {
        let row = crate::data::find(name).unwrap();
        (row.load)(&crate::options::Options::defaults(row.options)).unwrap()
    }

    #[test]
    fn rows_with_objects_are_shown_from_the_first_to_the_last() {
        let lesions = built_in("mri_lesion_sim");
        let rows = rows_to_show(&lesions, 8).unwrap();
        let masks = lesions.test.targets.masks().unwrap();
        assert!(rows.iter().all(|row| masks.of(*row).contains(&1)), "{rows:?}");
        assert!(rows.is_sorted() && rows[0] < 10 && rows[7] > 75, "{rows:?}");
        assert_eq!(rows_to_show(&lesions, 0).unwrap(), [0; 0]);
        let few = built_in("mri_structures");
        assert_eq!(rows_to_show(&few, 32).unwrap(), (0..32).collect::<Vec<_>>(), "all that there are");
    }

    #[test]
    fn what_has_no_images_is_refused_at_its_key() {
        let message = |name: &str, count: usize| rows_to_show(&built_in(name), count).unwrap_err().to_string();
        assert!(message("iris", 4).contains("an input of this data set is a row of 4 numbers"));
        assert!(message("digits", 33).contains("`predictions` is 33; a contact sheet has at most 32 images"));
    }

    /// A mask of 4×6 pixels, and boxes, halved; the middle of a square of 2 is its lower right pixel.
    #[test]
    fn overlays_shrink_with_their_images() {
        let mask = Overlay::Mask((0..24).collect());
        assert_eq!(mask.reduced(6, 2), Overlay::Mask(vec![7, 9, 11, 19, 21, 23]));
        let one = OverlaidBox { corners: [1.0, 2.0, 3.333, 4.0], class: 0, score: None, verdict: Verdict::There };
        let Overlay::Boxes(halved) = Overlay::Boxes(vec![one]).reduced(6, 2) else { panic!() };
        assert_eq!(halved[0].corners, [0.5, 1.0, 1.67, 2.0]);
    }

    #[test]
    fn masks_are_runs_on_disk() {
        let mask = Overlay::Mask(vec![0, 0, 0, 2, 2, 255]);
        let text = serde_json::to_string(&mask).unwrap();
        assert_eq!(text, "{\"mask\":[0,3,2,2,255,1]}");
        assert_eq!(serde_json::from_str::<Overlay>(&text).unwrap(), mask);
        for broken in ["[0]", "[0,999999999999]", "[256,1]", "[0,18446744073709551615,1,2]"] {
            assert!(serde_json::from_str::<Overlay>(&format!("{{\"mask\":{broken}}}")).is_err(), "{broken}");
        }
    }
}
