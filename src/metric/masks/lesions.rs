//! Connected regions of the foreground, called lesions after where they are counted most: which are found, and what is found beside them.

use super::overlap::PER_IMAGE;
use super::{Connectivity, FOREGROUND, PredictedMasks, Regions, THRESHOLD, mean_of_defined, of_foregrounds};
use crate::Result;
use crate::metric::{Judge, Metric, Value};
use crate::options::{OptionError, OptionKind, OptionRow, Options};

/// How much of a lesion must be predicted for it to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    /// A pixel.
    Any,
    /// Half of its pixels.
    Half,
}

/// The connected components of a true foreground and of a predicted one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LesionCounts {
    /// True components.
    pub lesions: usize,
    /// True components that are found.
    pub found: usize,
    /// Predicted components.
    pub predicted: usize,
    /// Predicted components without a pixel of the true foreground.
    pub false_positives: usize,
}

impl LesionCounts {
    /// Of one image.
    pub fn of(regions: &Regions, connectivity: Connectivity, covered: Covered) -> LesionCounts {
        let Regions { predicted, truth } = regions;
        let (lesions, components) = (truth.components(connectivity), predicted.components(connectivity));
        let is_found = |(size, hit): (usize, usize)| match covered {
            Covered::Any => hit > 0,
            Covered::Half => 2 * hit >= size,
        };
        let hits = lesions.sizes().into_iter().zip(lesions.covered_by(predicted));
        LesionCounts {
            lesions: lesions.count,
            found: hits.filter(|hit| is_found(*hit)).count(),
            predicted: components.count,
            false_positives: components.covered_by(truth).into_iter().filter(|hit| *hit == 0).count(),
        }
    }

    /// Of all images together.
    pub fn sum(images: &[LesionCounts]) -> LesionCounts {
        images.iter().fold(LesionCounts::default(), |sum, image| LesionCounts {
            lesions: sum.lesions + image.lesions,
            found: sum.found + image.found,
            predicted: sum.predicted + image.predicted,
            false_positives: sum.false_positives + image.false_positives,
        })
    }

    /// The share of lesions that is found; undefined where there are none.
    pub fn recall(&self) -> f64 {
        self.found as f64 / self.lesions as f64
    }

    /// The share of predicted components that touches a lesion; undefined where there are none.
    pub fn precision(&self) -> f64 {
        (self.predicted - self.false_positives) as f64 / self.predicted as f64
    }

    /// The harmonic mean of the two; 0 where one of them is 0 or undefined, and undefined where both are.
    pub fn f1(&self) -> f64 {
        let (recall, precision) = (self.recall(), self.precision());
        match recall * precision {
            product if product > 0.0 => 2.0 * product / (recall + precision),
            _ if recall.is_nan() && precision.is_nan() => f64::NAN,
            _ => 0.0,
        }
    }
}

fn connectivity(options: &Options) -> Result<Connectivity> {
    match options.whole("connectivity") {
        Some(4) => Ok(Connectivity::Four),
        None | Some(8) => Ok(Connectivity::Eight),
        Some(other) => {
            Err(OptionError::new("connectivity", format!("`connectivity` must be 4 or 8, not {other}")).into())
        }
    }
}

fn counts(masks: &PredictedMasks, covered: Covered, options: &Options) -> Result<Vec<LesionCounts>> {
    let connectivity = connectivity(options)?;
    of_foregrounds(masks, options, |regions| LesionCounts::of(regions, connectivity, covered))
}

/// Of the lesions of all images together, or image by image and then the mean.
fn share(counts: &[LesionCounts], options: &Options, of: fn(&LesionCounts) -> f64) -> Value {
    Value::Number(match options.flag("per_image") {
        true => mean_of_defined(counts.iter().map(of)),
        false => of(&LesionCounts::sum(counts)),
    })
}

fn covered(options: &Options) -> Covered {
    if options.choice("covered") == "half" { Covered::Half } else { Covered::Any }
}

const CONNECTIVITY: OptionRow = OptionRow {
    name: "connectivity",
    meaning: "8: pixels that share a side or a corner are connected; 4: a side",
    kind: OptionKind::Whole { default: Some(8), at_least: 4 },
};
const COVERED: OptionRow = OptionRow {
    name: "covered",
    meaning: "how much of a lesion must be predicted for it to be found: any pixel, or half of it",
    kind: OptionKind::Choice(&["any", "half"]),
};
const LESIONS_PER_IMAGE: OptionRow = OptionRow {
    meaning: "image by image and then the mean over images where it is defined, rather than the lesions of all images together",
    ..PER_IMAGE
};

pub(in crate::metric) const LESION_RECALL: Metric = Metric {
    name: "lesion_recall",
    formula: "share of the connected components of the true foreground that have a predicted pixel",
    summary: "lesions that are found, each counting one whatever its size; undefined where there is none",
    source: "Commowick et al. 2018, Objective evaluation of multiple sclerosis lesion segmentation",
    range: (0.0, 1.0),
    higher_is_better: Some(true),
    drawn: None,
    options: &[COVERED, CONNECTIVITY, FOREGROUND, LESIONS_PER_IMAGE, THRESHOLD],
    judge: Judge::Masks(|masks, options| {
        Ok(share(&counts(masks, covered(options), options)?, options, LesionCounts::recall))
    }),
    reward: None,
};

pub(in crate::metric) const LESION_PRECISION: Metric = Metric {
    name: "lesion_precision",
    formula: "share of the connected components of the predicted foreground that have a true pixel",
    summary: "found components that are none beside a lesion; undefined where nothing is predicted",
    options: &[CONNECTIVITY, FOREGROUND, LESIONS_PER_IMAGE, THRESHOLD],
    judge: Judge::Masks(|masks, options| {
        Ok(share(&counts(masks, Covered::Any, options)?, options, LesionCounts::precision))
    }),
    ..LESION_RECALL
};

pub(in crate::metric) const LESION_F1: Metric = Metric {
    name: "lesion_f1",
    formula: "2 P R / (P + R) of lesion precision P and lesion recall R; 0 where one of them is 0 or undefined",
    summary: "harmonic mean of lesion precision and lesion recall; undefined where there is no lesion and none is predicted",
    judge: Judge::Masks(|masks, options| {
        Ok(share(&counts(masks, covered(options), options)?, options, LesionCounts::f1))
    }),
    ..LESION_RECALL
};

pub(in crate::metric) const FALSE_POSITIVES_PER_IMAGE: Metric = Metric {
    name: "false_positives_per_image",
    formula: "mean over images of the number of predicted components without a true pixel",
    summary: "regions found where nothing is",
    source: "Bunch et al. 1978, A free-response approach to the measurement of radiographic observer performance",
    range: (0.0, f64::INFINITY),
    higher_is_better: Some(false),
    options: &[CONNECTIVITY, FOREGROUND, THRESHOLD],
    judge: Judge::Masks(|masks, options| {
        let counts = counts(masks, Covered::Any, options)?;
        Ok(Value::Number(LesionCounts::sum(&counts).false_positives as f64 / counts.len() as f64))
    }),
    ..LESION_RECALL
};

#[cfg(test)]
mod tests {
    use super::super::{MaskPrediction, MaskShape};
    use super::*;
    use crate::metric::find;

    fn value(masks: &PredictedMasks, name: &str, options: &str) -> Result<f64> {
        let metric = find(name).unwrap();
        let options = Options::new(name, metric.options, &toml::from_str(options).unwrap()).unwrap();
        let Judge::Masks(of) = metric.judge else { panic!("{name}") };
        of(masks, &options).map(|value| value.numbers()[0])
    }

    /// Three images of a row of six pixels: of two lesions one pixel of the first is predicted; one lesion, whole, and a region beside it; no
    /// lesion, but two regions.
    #[test]
    fn lesions_are_counted_over_all_images_or_image_by_image() {
        let labels = [1u8, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let chosen = [1u8, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0];
        let prediction = MaskPrediction::Classes((&chosen[..]).into());
        let masks = PredictedMasks::new(MaskShape::new(1, 6, 2), prediction, &labels[..]).unwrap();
        let of = |name: &str, options: &str| value(&masks, name, options).unwrap();
        assert_eq!(of("lesion_recall", ""), 2.0 / 3.0);
        assert_eq!(of("lesion_recall", "covered = 'half'"), 1.0 / 3.0);
        assert_eq!(of("lesion_recall", "per_image = true"), (0.5 + 1.0) / 2.0);
        assert_eq!(of("lesion_precision", ""), 2.0 / 5.0);
        assert_eq!(of("lesion_precision", "per_image = true"), (1.0 + 0.5 + 0.0) / 3.0);
        assert!((of("lesion_f1", "") - 0.5).abs() < 1e-15);
        assert_eq!(of("lesion_f1", "per_image = true"), (2.0 / 3.0 + 2.0 / 3.0 + 0.0) / 3.0);
        assert_eq!(of("false_positives_per_image", ""), 1.0);
        // The background is the foreground.
        assert_eq!(of("lesion_recall", "positive = 0"), 1.0);
        let error = value(&masks, "lesion_recall", "connectivity = 6").unwrap_err().to_string();
        assert_eq!(error, "`connectivity` must be 4 or 8, not 6");
        assert!(value(&masks, "lesion_recall", "positive = 2").unwrap_err().to_string().contains("0 to 1"));
    }
}
