//! How many pixels of predicted and true masks agree.

use super::{FOREGROUND, PredictedMasks, THRESHOLD, at_threshold, mean_of_defined};
use crate::Result;
use crate::metric::chosen::{ACCURACY, AVERAGE, POSITIVE, absent, averaged};
use crate::metric::{Confusion, Empty, Judge, Metric, Ratio, Value};
use crate::options::{Interval, OptionKind, OptionRow, Options};

/// What the option `absent` says.
pub(super) fn empty(options: &Options) -> Empty {
    let without_label = (options.choice("absent") == "ignore_empty").then_some(f64::NAN);
    Empty { without_label, ..absent(options).into() }
}

impl PredictedMasks<'_> {
    /// What is said of counted pixels, as [`Judge::Overlap`] says it: of those of all images together, or image by image and then the mean.
    ///
    /// # Errors
    /// When another `threshold` than 1/2 is asked for and there are no scores, or the options don't fit.
    pub fn overlap(&self, of: fn(&Confusion, &Options) -> Result<Value>, options: &Options) -> Result<Value> {
        match options.values().contains_key(THRESHOLD.name) {
            true => at_threshold(self, options, |masks| overlap(masks.confusions(), of, options)),
            false => overlap(self.confusions(), of, options),
        }
    }
}

fn overlap(images: &[Confusion], of: fn(&Confusion, &Options) -> Result<Value>, options: &Options) -> Result<Value> {
    // What can't be asked for otherwise is a share of images.
    if options.values().contains_key(PER_IMAGE.name) && !options.flag(PER_IMAGE.name) {
        return of(&Confusion::sum(images), options);
    }
    let values: Vec<Value> = images.iter().map(|image| of(image, options)).collect::<Result<_>>()?;
    let numbers: Vec<Vec<f64>> = values.iter().map(Value::numbers).collect();
    let mean = |i: usize| mean_of_defined(numbers.iter().map(|of_image| of_image[i]));
    let means: Vec<f64> = (0..numbers[0].len()).map(mean).collect();
    Ok(match values[0] {
        Value::PerClass(_) => Value::per_class(means),
        _ => Value::Number(means[0]),
    })
}

/// Of all classes, averaged, or of the one that `positive` names.
fn of_classes(pixels: &Confusion, ratio: Ratio, options: &Options) -> Result<Value> {
    averaged(pixels, ratio, options, empty(options))
}

pub(super) const PER_IMAGE: OptionRow = OptionRow {
    name: "per_image",
    meaning: "image by image and then the mean over images, rather than the pixels of all images together",
    kind: OptionKind::Flag { default: false },
};
pub(super) const ABSENT: OptionRow = OptionRow {
    name: "absent",
    meaning: "what 0 / 0 counts as, such as a class absent from truth and prediction; an undefined one is left out of means. With \
              ignore_empty one absent from the truth is undefined, whatever is predicted",
    kind: OptionKind::Choice(&["undefined", "one", "zero", "ignore_empty"]),
};
const SMOOTH: OptionRow = OptionRow {
    name: "smooth",
    meaning: "s, added to numerator and denominator",
    kind: OptionKind::Number { default: 0.0, range: Interval::NOT_NEGATIVE },
};

pub(in crate::metric) const DICE: Metric = Metric {
    name: "dice",
    formula: "(2 |A ∩ B| + s) / (|A| + |B| + s) per class, averaged",
    summary: "overlap of masks, of each class against the rest",
    source: "Dice 1945; torchmetrics segmentation.dice_score; MONAI compute_dice for ignore_empty",
    range: (0.0, 1.0),
    higher_is_better: Some(true),
    drawn: None,
    options: &[AVERAGE, ABSENT, PER_IMAGE, POSITIVE, THRESHOLD, SMOOTH],
    judge: Judge::Overlap(|pixels, options| of_classes(pixels, Ratio::SmoothedDice(options.number("smooth")), options)),
    reward: None,
};

pub(in crate::metric) const MEAN_IOU: Metric = Metric {
    name: "mean_iou",
    formula: "|A ∩ B| / |A ∪ B| per class, averaged",
    summary: "intersection over union of masks, also called Jaccard index",
    source: "Jaccard 1912; torchmetrics jaccard_index and segmentation.mean_iou",
    options: &[AVERAGE, ABSENT, PER_IMAGE, POSITIVE, THRESHOLD],
    judge: Judge::Overlap(|pixels, options| of_classes(pixels, Ratio::IntersectionOverUnion, options)),
    ..DICE
};

pub(in crate::metric) const PIXEL_ACCURACY: Metric = Metric {
    name: "pixel_accuracy",
    formula: "mean over pixels of [prediction = truth]",
    summary: "share of pixels with the right class",
    source: "Long et al. 2015",
    options: &[PER_IMAGE, THRESHOLD],
    judge: Judge::Overlap(|pixels, _| Ok(Value::Number(pixels.accuracy()))),
    reward: ACCURACY.reward,
    ..DICE
};

pub(in crate::metric) const EXACT_MATCH: Metric = Metric {
    name: "exact_match",
    formula: "mean over images of [every pixel is right]",
    summary: "share of images without a wrong pixel",
    source: "Zhang and Zhou 2014, the subset accuracy of labels, here of pixels",
    options: &[THRESHOLD],
    judge: Judge::Overlap(|pixels, _| Ok(Value::Number(f64::from(u8::from(pixels.accuracy() == 1.0))))),
    ..DICE
};

/// What the rates of the foreground have in common.
const RATE: Metric = Metric { options: &[FOREGROUND, ABSENT, PER_IMAGE, THRESHOLD], ..DICE };

pub(in crate::metric) const SENSITIVITY: Metric = Metric {
    name: "sensitivity",
    formula: "tp / (tp + fn) of the foreground's pixels",
    summary: "share of the true foreground that is predicted; undefined without any",
    source: "Yerushalmy 1947; Taha and Hanbury 2015",
    judge: Judge::Overlap(|pixels, options| of_classes(pixels, Ratio::Recall, options)),
    ..RATE
};

pub(in crate::metric) const SPECIFICITY: Metric = Metric {
    name: "specificity",
    formula: "tn / (tn + fp) of the foreground's pixels",
    summary: "share of the true background that is not predicted as foreground; undefined without any",
    judge: Judge::Overlap(|pixels, options| of_classes(pixels, Ratio::Specificity, options)),
    ..SENSITIVITY
};

pub(in crate::metric) const POSITIVE_PREDICTIVE_VALUE: Metric = Metric {
    name: "positive_predictive_value",
    formula: "tp / (tp + fp) of the foreground's pixels",
    summary: "share of the predicted foreground that is true, the precision of its pixels; undefined without any",
    judge: Judge::Overlap(|pixels, options| of_classes(pixels, Ratio::Precision, options)),
    ..SENSITIVITY
};

#[cfg(test)]
mod tests {
    use super::super::{ClassMaps, MaskPrediction, MaskShape};
    use super::*;
    use crate::metric::{ClassCounts, Judged, find};

    fn value(masks: &PredictedMasks, name: &str, options: &str) -> Vec<f64> {
        let metric = find(name).unwrap();
        let options = Options::new(name, metric.options, &toml::from_str(options).unwrap()).unwrap();
        let Judge::Overlap(of) = metric.judge else { panic!("{name}") };
        masks.overlap(of, &options).unwrap().numbers()
    }

    /// Three images of four pixels: both masks empty, only the truth, only the prediction.
    #[test]
    fn an_option_says_what_empty_masks_count_as() {
        let (chosen, labels) = ([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        let prediction = MaskPrediction::Classes(ClassMaps::from(&chosen[..]));
        let masks = PredictedMasks::new(MaskShape::new(2, 2, 2), prediction, &labels[..]).unwrap();
        let of = |absent: &str| {
            let options = format!("positive = 1\nper_image = true\nabsent = '{absent}'");
            ["dice", "mean_iou", "sensitivity", "specificity", "positive_predictive_value"]
                .map(|name| value(&masks, name, &options)[0])
        };
        let third = 1.0 / 3.0;
        assert_eq!(of("one"), [third, third, 2.0 / 3.0, (1.0 + 1.0 + 0.5) / 3.0, 2.0 / 3.0]);
        assert_eq!(of("zero"), [0.0, 0.0, 0.0, 2.5 / 3.0, 0.0]);
        assert_eq!(of("undefined"), [0.0, 0.0, 0.0, 2.5 / 3.0, 0.0]);
        assert_eq!(of("ignore_empty")[0], 0.0);
        let dice = |image: usize| {
            let pixels = image * 4..image * 4 + 4;
            let bytes = |map: &[u32]| map[pixels.clone()].iter().map(|class| *class as u8).collect::<Vec<u8>>();
            Ratio::FBeta(1.0).of(ClassCounts::of_maps(&bytes(&chosen), &bytes(&labels), 1), 1.0)
        };
        assert_eq!([0, 1, 2].map(dice), [1.0, 0.0, 0.0]);
    }

    /// The second row is ignored, whatever is predicted there.
    #[test]
    fn ignored_pixels_count_nowhere() {
        let (chosen, labels) = ([1u8, 0, 1, 0], [1u8, 1, 255, 255]);
        let shape = MaskShape { ignored: Some(255), ..MaskShape::new(2, 2, 2) };
        let masks = PredictedMasks::new(shape, MaskPrediction::Classes((&chosen[..]).into()), &labels[..]).unwrap();
        assert_eq!(value(&masks, "pixel_accuracy", ""), [0.5]);
        assert_eq!(value(&masks, "dice", "positive = 1"), [2.0 / 3.0]);
        let regions = masks.regions(0, 1).unwrap();
        assert_eq!(regions.predicted.inside(), [true, false, false, false]);
        assert_eq!(regions.truth.inside(), [true, true, false, false]);
        let (all, recall) = (Judged::Masks(masks), find("recall").unwrap());
        let options = Options::new("recall", recall.options, &toml::from_str("positive = 1").unwrap()).unwrap();
        assert_eq!(all.by(recall, &options).unwrap().numbers(), [0.5]);
    }

    /// The same scores as one logit per pixel and as two planes: 0.3 and 2.0 lie above the threshold 1/2, 2.0 alone above 0.8.
    #[test]
    fn a_threshold_chooses_by_the_probability() {
        let labels = [1u8, 1, 0, 0];
        let shape = MaskShape::new(2, 2, 2);
        let planes = [0.0, 1.0, 0.0, 0.0, 0.3f32, 3.0, -1.0, 0.0];
        for logits in [&[0.3f32, 2.0, -1.0, 0.0][..], &planes] {
            let masks = PredictedMasks::new(shape, MaskPrediction::Logits(logits), &labels[..]).unwrap();
            assert_eq!(value(&masks, "sensitivity", ""), [1.0]);
            assert_eq!(value(&masks, "sensitivity", "threshold = 0.8"), [0.5]);
            assert_eq!(value(&masks, "specificity", "threshold = 0.4"), [0.5]);
        }
        let masks = PredictedMasks::new(shape, MaskPrediction::Classes((&labels[..]).into()), &labels[..]).unwrap();
        let dice = find("dice").unwrap();
        let options = Options::new("dice", dice.options, &toml::from_str("threshold = 0.8").unwrap()).unwrap();
        let error = Judged::Masks(masks).by(dice, &options).unwrap_err().to_string();
        assert_eq!(error, "`threshold` is 0.8: scores of pixels are needed, and these are class maps");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let shape = MaskShape::new(1, 2, 2);
        let error = |shape: MaskShape, prediction: MaskPrediction, truth: &[u8]| {
            PredictedMasks::new(shape, prediction, truth).err().unwrap().to_string()
        };
        let classes = |maps: &'static [u8]| MaskPrediction::Classes(maps.into());
        for (message, part) in [
            (error(shape, classes(&[]), &[]), "the batch is empty"),
            (error(shape, classes(&[0]), &[0, 1]), "1 predictions for 2 targets"),
            (error(shape, classes(&[0, 1, 1]), &[0, 1, 1]), "3 pixels are no whole number of images of 2"),
            (error(shape, classes(&[0, 1, 0, 2]), &[0; 4]), "image 1, row 0, column 1: the predicted class is 2"),
            (
                error(shape, classes(&[0, 1]), &[7, 1]),
                "image 0, row 0, column 0: the true class is 7; the classes are 0 to 1",
            ),
            (error(shape, MaskPrediction::Logits(&[0.0; 3]), &[0, 1]), "3 logits for 2 pixels of 2 classes"),
            (error(shape, MaskPrediction::Probabilities(&[0.5, 1.5]), &[0, 1]), "the prediction is 1.5"),
            (error(MaskShape { width: Some(3), ..shape }, classes(&[0, 1]), &[0, 1]), "no whole number of rows of 3"),
        ] {
            assert!(message.contains(part), "no `{part}` in: {message}");
        }
        let flat = MaskShape { width: None, ..shape };
        let masks = PredictedMasks::new(flat, classes(&[0, 1]), &[0u8, 1][..]).unwrap();
        assert!(masks.regions(0, 1).unwrap_err().to_string().contains("maps [height][width] are needed"));
    }

    /// Three classes in planes; the third pixel is a tie of the classes 1 and 2.
    #[test]
    fn the_likeliest_class_is_chosen_the_lowest_of_equals() {
        let planes = [1.0f32, 0.0, 0.0, 0.0, 2.0, 3.0, 0.5, 1.0, 3.0];
        let shape = MaskShape::new(1, 3, 3);
        let masks = PredictedMasks::new(shape, MaskPrediction::Logits(&planes), &[0u8, 1, 2][..]).unwrap();
        assert_eq!([0, 1, 2].map(|pixel| masks.chosen().of(pixel)), [0, 1, 1]);
        let logits = masks.logits().unwrap();
        assert_eq!(logits.rows().nth(1).unwrap(), [0.0, 2.0, 1.0]);
        assert!((masks.probabilities().unwrap().rows().nth(2).unwrap().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
