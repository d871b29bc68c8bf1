//! What a reward would have been with one choice another way, the others as they are.

use super::{Earning, Reward};
use crate::metric::{Confusion, Judge, MaskShape};

impl Reward {
    /// What a class map would earn beyond what it earns if one pixel were of another class, `[pixels, classes]`: 0 for the class that it is of, and
    /// at pixels that are ignored.
    ///
    /// From the counts alone where the metric is read off them (overlaps, and the metrics of chosen classes): it is computed at most `classes³` times
    /// for all pixels. Otherwise it is computed for each of the `pixels · (classes − 1)` maps.
    pub fn gains_of_mask(&self, shape: MaskShape, predicted: &[u8], truth: &[u8]) -> Vec<f64> {
        let mut gains = vec![0.0; predicted.len() * shape.classes];
        let rows = gains.chunks_exact_mut(shape.classes).zip(predicted).zip(truth).enumerate();
        let rows = rows.filter(|(_, (_, label))| shape.ignored != Some(u32::from(**label)));
        match self.moves(shape, predicted, truth) {
            Some(mut moves) => rows.for_each(|(_, ((gains, from), label))| {
                gains.copy_from_slice(moves.gains(usize::from(*label), usize::from(*from)));
            }),
            None => {
                let (before, mut changed) = (self.of_mask(shape, predicted, truth), predicted.to_vec());
                rows.for_each(|(pixel, ((gains, from), _))| {
                    let others = gains.iter_mut().enumerate().filter(|(to, _)| *to != usize::from(*from));
                    others.for_each(|(to, gain)| {
                        changed[pixel] = to as u8;
                        *gain = self.of_mask(shape, &changed, truth) - before;
                    });
                    changed[pixel] = *from;
                });
            }
        }
        gains
    }

    /// The part of the reward that each pixel of a class map earns, where the metric is a mean over them, `[pixels]`; 0 where they are ignored.
    pub fn parts_of_mask(&self, shape: MaskShape, predicted: &[u8], truth: &[u8]) -> Vec<f64> {
        let counted = truth.iter().filter(|label| shape.ignored != Some(u32::from(**label))).count() as f64;
        let part = |(chosen, label): (&u8, &u8)| match shape.ignored == Some(u32::from(*label)) {
            true => 0.0,
            false => self.of(f64::from(*chosen), f64::from(*label)) / counted,
        };
        predicted.iter().zip(truth).map(part).collect()
    }

    /// What each class would earn for one example beyond what the chosen one earns, `[classes]`.
    pub fn gains_of_class(&self, classes: usize, chosen: u32, label: u32) -> Vec<f64> {
        let of = |class: u32| self.of(f64::from(class), f64::from(label));
        (0..classes as u32).map(|class| of(class) - of(chosen)).collect()
    }

    /// What a batch of chosen classes would earn beyond what it earns if one example had got each class, `[examples, classes]`.
    ///
    /// The metric is computed once for every class of label, chosen class and class instead that there is: at most `classes³` times.
    pub fn gains_of_batch(&self, classes: usize, chosen: &[u32], labels: &[u32]) -> Vec<f64> {
        let pairs = labels.iter().copied().zip(chosen.iter().copied());
        let mut moves = Moves::new(self, Confusion::counted(classes, pairs.clone()));
        pairs.flat_map(|(label, from)| moves.gains(label as usize, from as usize).to_vec()).collect()
    }

    /// What a batch of chosen classes earns; 0 where the metric is undefined.
    pub fn of_batch(&self, classes: usize, chosen: &[u32], labels: &[u32]) -> f64 {
        self.of_counts(&Confusion::counted(classes, labels.iter().copied().zip(chosen.iter().copied())))
    }

    /// Nothing where counts are not enough for the metric.
    fn moves(&self, shape: MaskShape, predicted: &[u8], truth: &[u8]) -> Option<Moves<'_>> {
        let is_counted = matches!(self.metric.judge, Judge::Chosen(_) | Judge::Overlap(_));
        if !is_counted || !matches!(self.of, Earning::Mask) {
            return None;
        }
        let pairs = truth.iter().zip(predicted).filter(|(label, _)| shape.ignored != Some(u32::from(**label)));
        let pairs = pairs.map(|(label, chosen)| (u32::from(*label), u32::from(*chosen)));
        Some(Moves::new(self, Confusion::counted(shape.classes, pairs)))
    }
}

/// The gains of counted choices: those of all examples of one class that were chosen alike are the same, and are computed once.
pub(super) struct Moves<'a> {
    reward: &'a Reward,
    confusion: Confusion,
    earned: f64,
    /// `[label, chosen]`, each with a gain per class.
    known: Vec<Option<Vec<f64>>>,
}

impl<'a> Moves<'a> {
    pub fn new(reward: &'a Reward, confusion: Confusion) -> Self {
        let (earned, known) = (reward.of_counts(&confusion), vec![None; confusion.classes().pow(2)]);
        Moves { reward, confusion, earned, known }
    }

    /// What is gained by choosing each class for an example of the class `label` that was chosen as `from`.
    pub fn gains(&mut self, label: usize, from: usize) -> &[f64] {
        let Moves { reward, confusion, earned, known } = self;
        let classes = confusion.classes();
        known[label * classes + from].get_or_insert_with(|| {
            let mut gain = |to: usize| {
                confusion.move_one(label, from, to);
                let gain = reward.of_counts(confusion) - *earned;
                confusion.move_one(label, to, from);
                gain
            };
            (0..classes).map(|to| if to == from { 0.0 } else { gain(to) }).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Named;
    use rand::Rng as _;
    use std::collections::BTreeMap;

    fn reward(named: &str, shape: MaskShape) -> Reward {
        let table: BTreeMap<String, Named> = toml::from_str(&format!("reward = {named}")).unwrap();
        Reward::of_masks(Some(&table["reward"]), shape).unwrap()
    }

    /// Overlaps, other metrics of counts, and some that need the maps.
    const REWARDS: &[&str] = &[
        "{ dice = { positive = 1, absent = 'one' } }",
        "{ dice = { absent = 'ignore_empty', smooth = 0.5 } }",
        "{ mean_iou = { absent = 'zero' } }",
        "{ f1 = { positive = 1, absent = 'one' } }",
        "{ f_beta = { average = 'weighted' } }",
        "'pixel_accuracy'",
        "'exact_match'",
        "'sensitivity'",
        "'specificity'",
        "{ positive_predictive_value = { positive = 0 } }",
        "'matthews'",
        "'cohen_kappa'",
        "'balanced_accuracy'",
        "'cost'",
        "'hausdorff'",
        "{ surface_distance = { positive = 1 } }",
        "'lesion_f1'",
        "'false_positives_per_image'",
    ];

    /// Random masks of two and three classes, some all of one class, with and without ignored pixels: against the reward of each changed map.
    #[test]
    fn gains_are_differences_between_whole_masks() {
        let mut rng = crate::stream(0, "gains", 0);
        for round in 0..120 {
            let (height, width, classes) = (rng.random_range(1..4), rng.random_range(1..5), rng.random_range(2..4u8));
            let ignored = (round % 3 == 0).then_some(9);
            let shape = MaskShape { ignored, ..MaskShape::new(height, width, classes.into()) };
            let sparse = [0.0, 0.3, 1.0][round % 3];
            let mut map = || -> Vec<u8> {
                let class = |_| if rng.random_bool(sparse) { rng.random_range(0..classes) } else { 0 };
                (0..height * width).map(class).collect()
            };
            let (predicted, mut truth) = (map(), map());
            if ignored.is_some() && truth.len() > 1 {
                truth[0] = 9;
            }
            for named in REWARDS {
                let reward = reward(named, shape);
                let (before, gains) =
                    (reward.of_mask(shape, &predicted, &truth), reward.gains_of_mask(shape, &predicted, &truth));
                for (i, gain) in gains.iter().enumerate() {
                    let (pixel, class) = (i / usize::from(classes), i % usize::from(classes));
                    let mut changed = predicted.clone();
                    changed[pixel] = class as u8;
                    let expected = reward.of_mask(shape, &changed, &truth) - before;
                    assert!(
                        (gain - expected).abs() < 1e-12,
                        "{named}: {gain}, not {expected}: {predicted:?} {truth:?}"
                    );
                }
                if reward.is_mean() {
                    let parts = reward.parts_of_mask(shape, &predicted, &truth);
                    let sum: f64 = parts.iter().sum();
                    assert!((sum - before).abs() < 1e-12, "{named}: {sum}, not {before}");
                    assert!(ignored.is_none() || truth[0] != 9 || parts[0] == 0.0);
                }
            }
        }
        let means = REWARDS.iter().filter(|named| reward(named, MaskShape::new(1, 2, 2)).is_mean());
        assert_eq!(means.copied().collect::<Vec<_>>(), ["'pixel_accuracy'", "'cost'"]);
    }
}
