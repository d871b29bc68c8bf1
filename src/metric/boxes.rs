//! Detected boxes against true ones, by COCO's rules (Lin et al. 2014; pycocotools `COCOeval`).
//!
//! Per image and category the 100 best detections are matched in the order of their scores (equal ones in the order of the
//! list): each takes the free true box with the highest intersection over union that reaches the threshold, of equal ones the
//! later. All matches of a category are then ranked together, images by rising id. True boxes outside an area range are
//! ignored: what matches them counts neither way, and so does a free detection outside the range.

use crate::{Error, Result};
use std::collections::BTreeSet;

/// `[x, y, width, height]` in pixels.
pub type Rectangle = [f64; 4];

/// An object that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct TrueBox {
    pub image: i64,
    pub category: i64,
    pub bbox: Rectangle,
    /// In square pixels; of a box its width times its height.
    pub area: f64,
}

/// An object that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    pub image: i64,
    pub category: i64,
    pub bbox: Rectangle,
    pub score: f64,
}

/// True boxes and detections of some images.
pub struct Boxes<'a> {
    truths: &'a [TrueBox],
    detections: &'a [Detection],
    categories: Vec<i64>,
}

/// Detections per image and category that count.
pub const MOST: usize = 100;
/// `np.linspace(0.5, 0.95, 10)`, rounding included, because an overlap can lie exactly on a threshold.
const THRESHOLD_STEP: f64 = (0.95 - 0.5) / 9.0;

/// Square pixels, both ends included.
pub type AreaRange = (f64, f64);
pub const ALL_AREAS: AreaRange = (0.0, 1e10);
pub const SMALL: AreaRange = (0.0, 32.0 * 32.0);
pub const MEDIUM: AreaRange = (32.0 * 32.0, 96.0 * 96.0);
pub const LARGE: AreaRange = (96.0 * 96.0, 1e10);

/// COCO's ten thresholds of intersection over union: 0.5, 0.55 … 0.95.
pub fn thresholds() -> [f64; 10] {
    let mut thresholds = std::array::from_fn(|i| 0.5 + i as f64 * THRESHOLD_STEP);
    thresholds[9] = 0.95;
    thresholds
}

impl<'a> Boxes<'a> {
    /// With the categories that occur, or those of `categories` too.
    ///
    /// # Errors
    /// When there is no true box, no detection and no category, a number is not finite or a side is negative; the message names it.
    pub fn new(truths: &'a [TrueBox], detections: &'a [Detection], categories: &[i64]) -> Result<Self> {
        if truths.is_empty() && detections.is_empty() && categories.is_empty() {
            return Err(Error::Argument("the batch is empty: there are no true boxes and no detections".into()));
        }
        let of_truths = truths.iter().enumerate().map(|(i, truth)| ("true box", i, truth.bbox, truth.area));
        let found = detections.iter().enumerate().map(|(i, found)| ("detection", i, found.bbox, found.score));
        for (what, i, bbox, last) in of_truths.chain(found) {
            if let Some(bad) = bbox.iter().chain([&last]).find(|number| !number.is_finite()) {
                return Err(Error::NotFinite { what: format!("a number of {what} {i}"), value: *bad });
            }
            if bbox[2] < 0.0 || bbox[3] < 0.0 {
                return Err(Error::Argument(format!("{what} {i} has a negative side: {bbox:?}")));
            }
        }
        let occurring = truths.iter().map(|truth| truth.category).chain(detections.iter().map(|found| found.category));
        let categories: BTreeSet<i64> = occurring.chain(categories.iter().copied()).collect();
        Ok(Boxes { truths, detections, categories: categories.into_iter().collect() })
    }

    /// By rising id.
    pub fn categories(&self) -> &[i64] {
        &self.categories
    }

    /// Detections of one category, ranked; nothing where it has no true box in the area range.
    pub fn ranking(&self, category: i64, threshold: f64, area: AreaRange, at_most: usize) -> Option<Ranking> {
        let of_truths = self.truths.iter().filter(|truth| truth.category == category);
        let found = self.detections.iter().filter(|found| found.category == category);
        let images: BTreeSet<i64> =
            of_truths.clone().map(|truth| truth.image).chain(found.clone().map(|found| found.image)).collect();
        let mut ranking = Ranking { ranked: Vec::new(), positives: 0 };
        for image in images {
            let truths: Vec<&TrueBox> = of_truths.clone().filter(|truth| truth.image == image).collect();
            let mut detections: Vec<&Detection> = found.clone().filter(|found| found.image == image).collect();
            detections.sort_by(|a, b| b.score.total_cmp(&a.score));
            detections.truncate(MOST);
            ranking.positives += truths.iter().filter(|truth| inside(truth.area, area)).count();
            let matched = matches(&truths, &detections, threshold, area);
            let ranked = detections.iter().zip(matched).take(at_most).map(|(found, matched)| (found.score, matched));
            ranking.ranked.extend(ranked);
        }
        ranking.ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        Some(ranking).filter(|ranking| ranking.positives > 0)
    }

    /// The mean over categories that have true boxes, and over thresholds; undefined without any.
    pub fn mean_over_categories(
        &self,
        thresholds: &[f64],
        area: AreaRange,
        at_most: usize,
        of: fn(&Ranking) -> f64,
    ) -> f64 {
        let values: Vec<f64> = self
            .categories
            .iter()
            .flat_map(|category| thresholds.iter().map(move |threshold| (*category, *threshold)))
            .filter_map(|(category, threshold)| self.ranking(category, threshold, area, at_most))
            .map(|ranking| of(&ranking))
            .collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// [`Ranking::average_precision`] of one category, the mean over thresholds; undefined without true boxes.
    pub fn average_precision(&self, category: i64, thresholds: &[f64]) -> f64 {
        let one = Boxes { categories: vec![category], ..*self };
        one.mean_over_categories(thresholds, ALL_AREAS, MOST, Ranking::average_precision)
    }
}

fn inside(size: f64, (low, high): AreaRange) -> bool {
    (low..=high).contains(&size)
}

/// What became of a detection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Match {
    True,
    False,
    Ignored,
}

/// `|A ∩ B| / |A ∪ B|`
pub fn intersection_over_union(a: Rectangle, b: Rectangle) -> f64 {
    let side = |i: usize| (a[i] + a[i + 2]).min(b[i] + b[i + 2]) - a[i].max(b[i]);
    let (width, height) = (side(0), side(1));
    if width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    let both = width * height;
    both / (a[2] * a[3] + b[2] * b[3] - both)
}

/// Matches the detections of one image and category, given by falling score.
fn matches(truths: &[&TrueBox], detections: &[&Detection], threshold: f64, area: AreaRange) -> Vec<Match> {
    let mut truths: Vec<(&TrueBox, bool)> = truths.iter().map(|truth| (*truth, !inside(truth.area, area))).collect();
    // Those that count come first and are preferred, whatever the ignored ones overlap.
    truths.sort_by_key(|(_, ignored)| *ignored);
    let mut taken = vec![false; truths.len()];
    let mut take = |found: &&Detection| {
        let (mut best, mut overlap) = (None, threshold.min(1.0 - 1e-10));
        for (i, (truth, ignored)) in truths.iter().enumerate() {
            if taken[i] {
                continue;
            }
            if *ignored && best.is_some_and(|best: usize| !truths[best].1) {
                break;
            }
            let here = intersection_over_union(found.bbox, truth.bbox);
            if here >= overlap {
                (best, overlap) = (Some(i), here);
            }
        }
        match best {
            Some(i) => {
                taken[i] = true;
                if truths[i].1 { Match::Ignored } else { Match::True }
            }
            None if inside(found.bbox[2] * found.bbox[3], area) => Match::False,
            None => Match::Ignored,
        }
    };
    detections.iter().map(&mut take).collect()
}

/// The detections of one category from all images by falling score, and how many true boxes there are to find.
pub struct Ranking {
    ranked: Vec<(f64, Match)>,
    positives: usize,
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
