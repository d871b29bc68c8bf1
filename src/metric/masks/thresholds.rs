//! How much better the best threshold would have been on these very images than 1/2.

use super::overlap::{ABSENT, DICE, PER_IMAGE, empty};
use super::{HALF, PredictedMasks};
use crate::Result;
use crate::metric::{ClassCounts, Confusion, Empty, Judge, Metric, Ratio, Value};
use crate::options::Options;

/// The threshold with the highest Dice score of class 1 on some images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestThreshold {
    /// Of equally good ones the nearest to 1/2; in the middle between the probabilities around it.
    pub threshold: f64,
    pub dice: f64,
    /// At the threshold 1/2.
    pub dice_at_half: f64,
}

const DICE_RATIO: Ratio = Ratio::FBeta(1.0);

impl BestThreshold {
    /// Tries every distinct probability of a pixel that counts. The score is that of all pixels together, or the mean of those of the images
    /// where it is defined; `empty` says what 0 / 0 counts as. Undefined where the score at 1/2 is.
    ///
    /// # Errors
    /// As [`PredictedMasks::foreground_probabilities`].
    pub fn of(masks: &PredictedMasks, per_image: bool, empty: Empty) -> Result<BestThreshold> {
        let order = by_falling_probability(masks)?;
        let image = |pixel: usize| if per_image { pixel / masks.shape.pixels } else { 0 };
        let dice_at_half = dice(masks, per_image, empty);
        let mut mean = RunningMean::new(masks, per_image, empty);
        let mut best = (dice_at_half, HALF);
        let mut try_between = |low: f64, high: f64, dice: f64| {
            let threshold = between(low, high);
            let is_nearer = (threshold - HALF).abs() < (best.1 - HALF).abs();
            if threshold > 0.0 && threshold < 1.0 && (dice > best.0 || (dice == best.0 && is_nearer)) {
                best = (dice, threshold);
            }
        };
        let mut above = 1.0;
        for alike in order.chunk_by(|a, b| a.0 == b.0) {
            try_between(alike[0].0, above, mean.value());
            alike.iter().for_each(|(_, pixel)| mean.predict(image(*pixel), masks.truth().of(*pixel) == 1));
            above = alike[0].0;
        }
        try_between(0.0, above, mean.value());
        let threshold = if dice_at_half.is_nan() { f64::NAN } else { best.1 };
        // The running mean has rounded a little at each pixel.
        let dice = if threshold == HALF { dice_at_half } else { dice(&masks.above(best.1)?, per_image, empty) };
        Ok(BestThreshold { threshold, dice: dice.max(dice_at_half), dice_at_half })
    }
}

/// A threshold with probabilities down to `high` above it, and those from `low` on not; NaN where there is none.
fn between(low: f64, high: f64) -> f64 {
    match (low + high) / 2.0 {
        middle if middle < high => middle,
        // Neighbors, or the end of what there is.
        _ if low < high => low,
        _ => f64::NAN,
    }
}

/// The pixels that count.
fn by_falling_probability(masks: &PredictedMasks) -> Result<Vec<(f64, usize)>> {
    let probabilities = masks.foreground_probabilities()?.iter().copied().zip(0..);
    let mut order: Vec<(f64, usize)> = probabilities.filter(|(_, pixel)| masks.counts(*pixel)).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    Ok(order)
}

/// Of class 1 as it is predicted.
fn dice(masks: &PredictedMasks, per_image: bool, empty: Empty) -> f64 {
    let of = |image: &Confusion| image.ratio(DICE_RATIO, 1, empty);
    match per_image {
        true => super::mean_of_defined(masks.confusions().iter().map(of)),
        false => of(&Confusion::sum(masks.confusions())),
    }
}

/// The mean Dice score while pixels are predicted one after another; of all images together there is one score.
struct RunningMean {
    counts: Vec<ClassCounts>,
    scores: Vec<f64>,
    /// Of the scores that are defined, and how many they are.
    sum: f64,
    defined: usize,
    empty: Empty,
}

impl RunningMean {
    /// Nothing is predicted yet.
    fn new(masks: &PredictedMasks, per_image: bool, empty: Empty) -> RunningMean {
        let labelled = |image: &Confusion| ClassCounts { hits: 0, chosen_as: 0, ..image.of_class(1) };
        let counts: Vec<ClassCounts> = match per_image {
            true => masks.confusions().iter().map(labelled).collect(),
            false => vec![labelled(&Confusion::sum(masks.confusions()))],
        };
        let scores: Vec<f64> = counts.iter().map(|counts| DICE_RATIO.of(*counts, empty)).collect();
        let defined = scores.iter().filter(|score| !score.is_nan());
        RunningMean { sum: defined.clone().sum(), defined: defined.count(), counts, scores, empty }
    }

    /// One more pixel of an image.
    fn predict(&mut self, image: usize, is_true: bool) {
        let counts = &mut self.counts[image];
        counts.chosen_as += 1;
        counts.hits += u64::from(is_true);
        let (before, after) = (self.scores[image], DICE_RATIO.of(*counts, self.empty));
        if !before.is_nan() {
            self.sum -= before;
            self.defined -= 1;
        }
        if !after.is_nan() {
            self.sum += after;
            self.defined += 1;
        }
        self.scores[image] = after;
    }

    fn value(&self) -> f64 {
        match self.scores[..] {
            // Without the rounding of the sum.
            [only] => only,
            _ => self.sum / self.defined as f64,
        }
    }
}

fn best(masks: &PredictedMasks, options: &Options) -> Result<BestThreshold> {
    BestThreshold::of(masks, options.flag("per_image"), empty(options))
}

pub(in crate::metric) const THRESHOLD_GAP: Metric = Metric {
    name: "threshold_gap",
    formula: "max_t D(t) − D(1/2), D(t) the Dice score of class 1 where its probability is above t",
    summary: "what another threshold would have gained on these very images, over all distinct probabilities; for scores of two classes",
    source: "Lipton et al. 2014, Thresholding classifiers to maximize F1 score",
    higher_is_better: Some(false),
    options: &[ABSENT, PER_IMAGE],
    judge: Judge::Masks(|masks, options| best(masks, options).map(|best| Value::Number(best.dice - best.dice_at_half))),
    ..DICE
};

pub(in crate::metric) const BEST_THRESHOLD: Metric = Metric {
    name: "best_threshold",
    formula: "argmax_t D(t), D(t) the Dice score of class 1 where its probability is above t; of equally good ones the nearest to 1/2",
    summary: "the threshold that would have been the best one on these very images; for scores of two classes",
    higher_is_better: None,
    judge: Judge::Masks(|masks, options| best(masks, options).map(|best| Value::Number(best.threshold))),
    ..THRESHOLD_GAP
};

#[cfg(test)]
mod tests {
    use super::super::{MaskPrediction, MaskShape};
    use super::*;
    use crate::metric::find;
    use rand::Rng as _;

    /// By the metric `dice` itself at thresholds between all neighboring probabilities.
    #[test]
    fn no_threshold_is_better_than_the_best() {
        let mut rng = crate::stream(0, "thresholds", 0);
        let metric = find("dice").unwrap();
        let Judge::Overlap(value) = metric.judge else { panic!() };
        for i in 0..300 {
            let (images, pixels) = (rng.random_range(1..4), rng.random_range(1..7));
            // Few distinct ones, so that several pixels share one; some are 0 and 1.
            let probabilities: Vec<f64> =
                (0..images * pixels).map(|_| f64::from(rng.random_range(0..=8u8)) / 8.0).collect();
            let truth: Vec<u8> = probabilities.iter().map(|p| u8::from(rng.random_bool(0.2 + 0.5 * p))).collect();
            let shape = MaskShape::new(1, pixels, 2);
            let masks = PredictedMasks::new(shape, MaskPrediction::Probabilities(&probabilities), &truth[..]).unwrap();
            let per_image = i % 2 == 0;
            let absent = ["undefined", "one", "zero", "ignore_empty"][i / 2 % 4];
            let at = |threshold: f64| {
                let given =
                    format!("positive = 1\nper_image = {per_image}\nabsent = '{absent}'\nthreshold = {threshold}");
                let options = Options::new("dice", metric.options, &toml::from_str(&given).unwrap()).unwrap();
                masks.overlap(value, &options).unwrap().numbers()[0]
            };
            let of = |name: &str| {
                let (row, given) = (find(name).unwrap(), format!("per_image = {per_image}\nabsent = '{absent}'"));
                let options = Options::new(name, row.options, &toml::from_str(&given).unwrap()).unwrap();
                let Judge::Masks(value) = row.judge else { panic!("{name}") };
                value(&masks, &options).unwrap().numbers()[0]
            };
            let (gap, threshold, at_half) = (of("threshold_gap"), of("best_threshold"), at(0.5));
            if at_half.is_nan() {
                assert!(gap.is_nan() && threshold.is_nan());
                continue;
            }
            let best = (0..8).map(|eighth| at((f64::from(eighth) + 0.5) / 8.0)).fold(at_half, f64::max);
            assert!((gap - (best - at_half)).abs() < 1e-12, "{gap}, not {best} - {at_half}");
            assert!((at(threshold) - best).abs() < 1e-12, "{threshold}");
            assert!(gap > 0.0 || threshold == 0.5, "{threshold}");
        }
    }

    /// Both pixels of the truth lie below one half, in the middle of 0.1 and 0.3, and above the third.
    #[test]
    fn the_best_threshold_lies_between_the_pixels() {
        let probabilities = [0.3, 0.4, 0.1];
        let shape = MaskShape::new(1, 3, 2);
        let masks =
            PredictedMasks::new(shape, MaskPrediction::Probabilities(&probabilities), &[1u8, 1, 0][..]).unwrap();
        let best = BestThreshold::of(&masks, false, 1.0.into()).unwrap();
        assert_eq!(best, BestThreshold { threshold: 0.2, dice: 1.0, dice_at_half: 0.0 });
        // The 0.4 would be wrong, were it counted.
        let shape = MaskShape { ignored: Some(7), ..shape };
        let masks =
            PredictedMasks::new(shape, MaskPrediction::Probabilities(&probabilities), &[1u8, 7, 0][..]).unwrap();
        let best = BestThreshold::of(&masks, true, 1.0.into()).unwrap();
        assert_eq!((best.threshold, best.dice), (0.2, 1.0));
        let masks =
            PredictedMasks::new(MaskShape::new(1, 3, 3), MaskPrediction::Logits(&[0.0; 9]), &[1u8, 2, 0][..]).unwrap();
        let error = BestThreshold::of(&masks, true, 1.0.into()).unwrap_err().to_string();
        assert_eq!(error, "a threshold is for two classes, and these masks have 3");
    }
}
