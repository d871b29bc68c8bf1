//! The detections of a category in the order of their scores, and what is read off it.

use super::{Curve, Point};

/// What became of a detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Match {
    True,
    False,
    Ignored,
}

/// The detections of one category from all images by falling score, and how many true boxes there are to find.
pub struct Ranking {
    pub(super) ranked: Vec<(f64, Match)>,
    pub(super) positives: usize,
}

impl Ranking {
    /// True positives and precision after each detection.
    fn steps(&self) -> (Vec<f64>, Vec<f64>) {
        let (mut hits, mut misses) = (0.0, 0.0);
        let step = |(_, matched): &(f64, Match)| {
            match matched {
                Match::True => hits += 1.0,
                Match::False => misses += 1.0,
                Match::Ignored => {}
            }
            let precision = if hits == 0.0 { 0.0 } else { hits / (hits + misses) };
            (hits / self.positives as f64, precision)
        };
        self.ranked.iter().map(step).unzip()
    }

    /// How many detections with at least this score match a true box, and how many match none.
    pub(super) fn matched(&self, score: f64) -> (usize, usize) {
        let counting = self.ranked.iter().take_while(|(found, _)| *found >= score);
        counting.fold((0, 0), |(found, wrong), (_, matched)| match matched {
            Match::True => (found + 1, wrong),
            Match::False => (found, wrong + 1),
            Match::Ignored => (found, wrong),
        })
    }

    /// The share of true boxes that are found.
    pub fn recall(&self) -> f64 {
        self.steps().0.last().copied().unwrap_or(0.0)
    }

    /// The highest precision at a recall of at least 0, 0.01 … 1; 0 where that recall is never reached.
    pub fn interpolated_precision(&self) -> [f64; 101] {
        let (recall, mut precision) = self.steps();
        for i in (1..precision.len()).rev() {
            precision[i - 1] = precision[i - 1].max(precision[i]);
        }
        std::array::from_fn(|i| {
            let wanted = i as f64 * 0.01;
            precision.get(recall.partition_point(|recall| *recall < wanted)).copied().unwrap_or(0.0)
        })
    }

    /// The mean of [`Self::interpolated_precision`].
    pub fn average_precision(&self) -> f64 {
        self.interpolated_precision().iter().sum::<f64>() / 101.0
    }

    /// `(recall, precision)` at every distinct score, from the lowest, and at the end the point (0, 1), where nothing is found. Its area is
    /// the average precision; by chance next to nothing is found, so that the prevalence counts as 0.
    pub fn curve(&self, category: i64) -> Curve {
        let (recall, precision) = self.steps();
        let is_last = |i: &usize| self.ranked.get(i + 1).is_none_or(|(next, _)| *next < self.ranked[*i].0);
        let point = |i: usize| Point { x: recall[i], y: precision[i], threshold: self.ranked[i].0 };
        let end = Point { x: 0.0, y: 1.0, threshold: f64::INFINITY };
        let points = (0..self.ranked.len()).filter(is_last).map(point).rev().chain([end]).collect();
        Curve { class: category, points, area: self.average_precision(), prevalence: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    /// By its definition: at every recall the best precision of any cut that reaches it.
    #[test]
    fn interpolated_precision_agrees_with_trying_every_cut() {
        let mut rng = crate::stream(0, "cuts", 0);
        for positives in 1..30 {
            let kinds = [Match::True, Match::False, Match::Ignored];
            let mut ranked: Vec<(f64, Match)> = (0..40).map(|_| (0.5, kinds[rng.random_range(0..3)])).collect();
            let hits = |ranked: &[(f64, Match)], of: Match| ranked.iter().filter(|(_, matched)| *matched == of).count();
            while hits(&ranked, Match::True) > positives {
                ranked.pop();
            }
            let ranking = Ranking { ranked: ranked.clone(), positives };
            for (i, precision) in ranking.interpolated_precision().into_iter().enumerate() {
                let cuts = (1..=ranked.len()).map(|n| &ranked[..n]);
                // COCO's grid as it is in floating point: 28 · 0.01 is a little more than 7 / 25.
                let reaches = cuts.filter(|cut| hits(cut, Match::True) as f64 / positives as f64 >= i as f64 * 0.01);
                let precisions = reaches.map(|cut| {
                    let (found, wrong) = (hits(cut, Match::True) as f64, hits(cut, Match::False) as f64);
                    if found == 0.0 { 0.0 } else { found / (found + wrong) }
                });
                let best = precisions.fold(0.0, f64::max);
                assert!((precision - best).abs() < 1e-12, "recall {i} %, {positives} boxes: {precision}, not {best}");
            }
        }
    }
}
