//! Overlap of predicted and true masks: class maps, one confusion of pixels per image.

use super::chosen::{ABSENT, AVERAGE, POSITIVE, absent, averaged};
use super::{Confusion, Judge, Metric, Ratio, Value};
use crate::Result;
use crate::options::{OptionKind, OptionRow, Options};

/// A ratio of pixels: of all images together, or image by image and then the mean.
fn overlap(images: &[Confusion], ratio: Ratio, options: &Options) -> Result<Value> {
    let absent = absent(options).into();
    if !options.flag("per_image") {
        return averaged(&Confusion::sum(images), ratio, options, absent);
    }
    let values: Vec<Value> =
        images.iter().map(|image| averaged(image, ratio, options, absent)).collect::<Result<_>>()?;
    let numbers: Vec<Vec<f64>> = values.iter().map(Value::numbers).collect();
    let mean = |i: usize| {
        let defined: Vec<f64> = numbers.iter().map(|of_image| of_image[i]).filter(|value| !value.is_nan()).collect();
        defined.iter().sum::<f64>() / defined.len() as f64
    };
    let means: Vec<f64> = (0..numbers[0].len()).map(mean).collect();
    Ok(match values[0] {
        Value::PerClass(_) => Value::per_class(means),
        _ => Value::Number(means[0]),
    })
}

const PER_IMAGE: OptionRow = OptionRow {
    name: "per_image",
    meaning: "image by image and then the mean over images, rather than the pixels of all images together",
    kind: OptionKind::Flag { default: false },
};
const OPTIONS: &[OptionRow] = &[AVERAGE, ABSENT, PER_IMAGE, POSITIVE];

pub(super) const DICE: Metric = Metric {
    name: "dice",
    formula: "2 |A ∩ B| / (|A| + |B|) per class, averaged",
    summary: "overlap of masks, of each class against the rest",
    source: "Dice 1945; torchmetrics segmentation.dice_score",
    range: (0.0, 1.0),
    higher_is_better: Some(true),
    drawn: None,
    options: OPTIONS,
    judge: Judge::Masks(|images, options| overlap(images, Ratio::FBeta(1.0), options)),
    reward: None,
};

pub(super) const MEAN_IOU: Metric = Metric {
    name: "mean_iou",
    formula: "|A ∩ B| / |A ∪ B| per class, averaged",
    summary: "intersection over union of masks, also called Jaccard index",
    source: "Jaccard 1912; torchmetrics jaccard_index and segmentation.mean_iou",
    judge: Judge::Masks(|images, options| overlap(images, Ratio::IntersectionOverUnion, options)),
    ..DICE
};

pub(super) const PIXEL_ACCURACY: Metric = Metric {
    name: "pixel_accuracy",
    formula: "mean over pixels of [prediction = truth]",
    summary: "share of pixels with the right class",
    source: "Long et al. 2015",
    options: &[],
    judge: Judge::Masks(|images, _| Ok(Value::Number(Confusion::sum(images).accuracy()))),
    ..DICE
};
