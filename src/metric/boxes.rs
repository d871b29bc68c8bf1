//! Detected boxes against true ones, by COCO's rules (Lin et al. 2014; pycocotools `COCOeval`).
//!
//! Per image and category the 100 best detections are matched in the order of their scores (equal ones in the order of the
//! list): each takes the free true box with the highest intersection over union that reaches the threshold, of equal ones the
//! later. All matches of a category are then ranked together, images by rising id. True boxes outside an area range are
//! ignored: what matches them counts neither way, and so does a free detection outside the range.
//!
//! A true box that is marked as ignored is COCO's crowd: it is none to be found, any number of detections may match it, and its overlap
//! is `|A ∩ B| / |A|` with `A` the detection, so that whatever lies within it counts neither way. Boxes that count come first.

use super::ranked_boxes::{Match, Ranking};
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Neither to be found nor wrong to find.
    pub ignored: bool,
}

/// An object that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    pub image: i64,
    pub category: i64,
    pub bbox: Rectangle,
    pub score: f64,
}

/// True boxes and detections of some images, held against each other.
pub struct Boxes {
    /// By rising id.
    categories: Vec<i64>,
    /// One per category.
    of_category: Vec<Category>,
}

/// The boxes of one category.
#[derive(Default)]
struct Category {
    /// By rising id.
    images: Vec<Image>,
    /// The detections that are matched, by falling score: the image and the place among its detections.
    order: Vec<(usize, usize)>,
}

/// The boxes of one category and image.
#[derive(Default)]
struct Image {
    truths: Vec<Truth>,
    /// By falling score, at most [`MOST`].
    found: Vec<FoundBox>,
    /// Of the detections behind those.
    other_scores: Vec<f64>,
}

/// The boxes of one category and image as they were given.
type Group<'a> = (Vec<&'a TrueBox>, Vec<&'a Detection>);

struct Truth {
    area: f64,
    ignored: bool,
}

struct FoundBox {
    score: f64,
    area: f64,
    /// True boxes that it overlaps, by their indices, and how much.
    overlaps: Vec<(usize, f64)>,
}

/// What came of the detections whose score is high enough, over all images and categories.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoxCounts {
    /// Detections that match a true box.
    pub found: usize,
    /// Detections that match none.
    pub wrong: usize,
    /// True boxes that no detection matches.
    pub missed: usize,
}

/// Detections per image and category that are matched.
pub const MOST: usize = 100;
/// `np.linspace(0.5, 0.95, 10)`, rounding included, because an overlap can lie exactly on a threshold.
const THRESHOLD_STEP: f64 = (0.95 - 0.5) / 9.0;

/// What became of true boxes and detections, each in the order in which they were given.
#[derive(Clone, Debug, PartialEq)]
pub struct Matched {
    /// Whether a true box is found; nothing of one that is ignored.
    pub truths: Vec<Option<bool>>,
    /// Whether a detection is right; nothing of one that counts neither way.
    pub detections: Vec<Option<bool>>,
}

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

impl Boxes {
    /// With the categories that occur, or those of `categories` too.
    ///
    /// # Errors
    /// When there is no true box, no detection and no category, a number is not finite or a side is negative; the message names it.
    pub fn new(truths: &[TrueBox], detections: &[Detection], categories: &[i64]) -> Result<Self> {
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
        let mut groups: BTreeMap<(i64, i64), Group> = BTreeMap::new();
        truths.iter().for_each(|truth| groups.entry((truth.category, truth.image)).or_default().0.push(truth));
        detections.iter().for_each(|found| groups.entry((found.category, found.image)).or_default().1.push(found));
        let occurring = groups.keys().map(|(category, _)| *category).chain(categories.iter().copied());
        let categories: Vec<i64> = occurring.collect::<BTreeSet<i64>>().into_iter().collect();
        let mut of_category: Vec<Category> = categories.iter().map(|_| Category::default()).collect();
        let mut place = 0;
        for ((category, _), (truths, detections)) in groups {
            // Both are in order, and every group has its category.
            while categories[place] != category {
                place += 1;
            }
            of_category[place].images.push(Image::new(&truths, detections));
        }
        of_category.iter_mut().for_each(Category::rank);
        Ok(Boxes { categories, of_category })
    }

    /// By rising id.
    pub fn categories(&self) -> &[i64] {
        &self.categories
    }

    /// Detections of one category, ranked; nothing where it has no true box in the area range. The threshold is above 0.
    pub fn ranking(&self, category: i64, threshold: f64, area: AreaRange, at_most: usize) -> Option<Ranking> {
        let place = self.categories.binary_search(&category).ok()?;
        Some(self.of_category[place].ranking(threshold, area, at_most)).filter(|ranking| ranking.positives > 0)
    }

    /// The mean over categories that have true boxes, and over thresholds; undefined without any.
    pub fn mean_over_categories(
        &self,
        thresholds: &[f64],
        area: AreaRange,
        at_most: usize,
        of: fn(&Ranking) -> f64,
    ) -> f64 {
        let all = self.of_category.iter().flat_map(|category| thresholds.iter().map(move |at| (category, *at)));
        let rankings = all.map(|(category, threshold)| category.ranking(threshold, area, at_most));
        let values: Vec<f64> = rankings.filter(|ranking| ranking.positives > 0).map(|ranking| of(&ranking)).collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// [`Ranking::average_precision`] of one category, the mean over thresholds; undefined without true boxes.
    pub fn average_precision(&self, category: i64, thresholds: &[f64]) -> f64 {
        let rankings = thresholds.iter().filter_map(|at| self.ranking(category, *at, ALL_AREAS, MOST));
        let values: Vec<f64> = rankings.map(|ranking| ranking.average_precision()).collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// Of the detections with at least this score, at this threshold of overlap. Detections of an image and category behind the 100 best
    /// count as wrong.
    pub fn counts(&self, score: f64, threshold: f64) -> BoxCounts {
        let mut counts = BoxCounts::default();
        for category in &self.of_category {
            let ranking = category.ranking(threshold, ALL_AREAS, MOST);
            let (found, wrong) = ranking.matched(score);
            let others = category.images.iter().flat_map(|image| &image.other_scores);
            counts.found += found;
            counts.wrong += wrong + others.filter(|other| **other >= score).count();
            counts.missed += ranking.positives - found;
        }
        counts
    }
}

impl BoxCounts {
    /// `found / (found + wrong)`; undefined where nothing is detected.
    pub fn precision(&self) -> f64 {
        self.found as f64 / (self.found + self.wrong) as f64
    }

    /// `found / (found + missed)`; undefined where nothing is there.
    pub fn recall(&self) -> f64 {
        self.found as f64 / (self.found + self.missed) as f64
    }

    /// `2 found / (2 found + wrong + missed)`; undefined where nothing is there and nothing is detected.
    pub fn f1(&self) -> f64 {
        2.0 * self.found as f64 / (2 * self.found + self.wrong + self.missed) as f64
    }
}

/// [`BoxCounts::f1`] of all detections, as of one image: what a list of boxes earns. 1 where nothing is to be found and nothing is detected.
///
/// # Errors
/// As [`Boxes::new`], but not for empty lists.
pub fn box_f1(truths: &[TrueBox], detections: &[Detection], threshold: f64) -> Result<f64> {
    if truths.is_empty() && detections.is_empty() {
        return Ok(1.0);
    }
    let f1 = Boxes::new(truths, detections, &[])?.counts(f64::NEG_INFINITY, threshold).f1();
    Ok(if f1.is_nan() { 1.0 } else { f1 })
}

/// The boxes of one image, held against each other at this threshold of overlap, as [`Boxes::counts`] does. Detections of a category behind
/// the 100 best are wrong.
pub fn matched(truths: &[TrueBox], detections: &[Detection], threshold: f64) -> Matched {
    let mut all = Matched {
        truths: truths.iter().map(|truth| (!truth.ignored).then_some(false)).collect(),
        detections: vec![Some(false); detections.len()],
    };
    let categories: BTreeSet<i64> = detections.iter().map(|found| found.category).collect();
    for category in categories {
        let of_truths: Vec<usize> = (0..truths.len()).filter(|i| truths[*i].category == category).collect();
        let mut found: Vec<usize> = (0..detections.len()).filter(|i| detections[*i].category == category).collect();
        // Stable, as that of an image is.
        found.sort_by(|a, b| detections[*b].score.total_cmp(&detections[*a].score));
        let these: Vec<&TrueBox> = of_truths.iter().map(|i| &truths[*i]).collect();
        let image = Image::new(&these, found.iter().map(|i| &detections[*i]).collect());
        for (i, (became, truth)) in found.iter().zip(image.matched(threshold, ALL_AREAS)) {
            all.detections[*i] = (became != Match::Ignored).then_some(became == Match::True);
            if let Some(truth) = truth {
                all.truths[of_truths[truth]] = Some(true);
            }
        }
    }
    all
}

impl Category {
    fn rank(&mut self) {
        let images = self.images.iter().enumerate();
        let all = images.flat_map(|(i, image)| (0..image.found.len()).map(move |rank| (i, rank)));
        let mut order: Vec<(usize, usize)> = all.collect();
        let score = |(image, rank): &(usize, usize)| self.images[*image].found[*rank].score;
        order.sort_by(|a, b| score(b).total_cmp(&score(a)));
        self.order = order;
    }

    fn ranking(&self, threshold: f64, area: AreaRange, at_most: usize) -> Ranking {
        let matches: Vec<Vec<_>> = self.images.iter().map(|image| image.matched(threshold, area)).collect();
        let order = self.order.iter().filter(|(_, rank)| *rank < at_most);
        let matched =
            |(image, rank): &(usize, usize)| (self.images[*image].found[*rank].score, matches[*image][*rank].0);
        let counting = |image: &Image| image.truths.iter().filter(|truth| truth.counts(area)).count();
        Ranking { ranked: order.map(matched).collect(), positives: self.images.iter().map(counting).sum() }
    }
}

impl Image {
    fn new(truths: &[&TrueBox], mut detections: Vec<&Detection>) -> Image {
        detections.sort_by(|a, b| b.score.total_cmp(&a.score));
        let other_scores = detections.iter().skip(MOST).map(|found| found.score).collect();
        detections.truncate(MOST);
        let found = detections.iter().map(|found| {
            let here = |(i, truth): (usize, &&TrueBox)| {
                let overlap = if truth.ignored { share_within } else { intersection_over_union };
                Some((i, overlap(found.bbox, truth.bbox))).filter(|(_, overlap)| *overlap > 0.0)
            };
            let overlaps = truths.iter().enumerate().filter_map(here).collect();
            FoundBox { score: found.score, area: found.bbox[2] * found.bbox[3], overlaps }
        });
        let found = found.collect();
        let truths = truths.iter().map(|truth| Truth { area: truth.area, ignored: truth.ignored }).collect();
        Image { truths, found, other_scores }
    }

    /// What becomes of each detection, and which true box that counts it takes.
    fn matched(&self, threshold: f64, area: AreaRange) -> Vec<(Match, Option<usize>)> {
        let mut taken = vec![false; self.truths.len()];
        let mut become_of = |found: &FoundBox| {
            let mut best = None;
            // What counts is preferred, whatever the ignored boxes overlap.
            for counting in [true, false] {
                let mut overlap = threshold.min(1.0 - 1e-10);
                for (i, here) in &found.overlaps {
                    let truth = &self.truths[*i];
                    let free = truth.ignored || !taken[*i];
                    if truth.counts(area) == counting && free && *here >= overlap {
                        (best, overlap) = (Some(*i), *here);
                    }
                }
                if let Some(i) = best {
                    taken[i] = true;
                    return if counting { (Match::True, Some(i)) } else { (Match::Ignored, None) };
                }
            }
            (if inside(found.area, area) { Match::False } else { Match::Ignored }, None)
        };
        self.found.iter().map(&mut become_of).collect()
    }
}

impl Truth {
    fn counts(&self, area: AreaRange) -> bool {
        !self.ignored && inside(self.area, area)
    }
}

fn inside(size: f64, (low, high): AreaRange) -> bool {
    (low..=high).contains(&size)
}

/// `|A ∩ B|`
fn intersection(a: Rectangle, b: Rectangle) -> f64 {
    let side = |i: usize| (a[i] + a[i + 2]).min(b[i] + b[i + 2]) - a[i].max(b[i]);
    let (width, height) = (side(0), side(1));
    if width <= 0.0 || height <= 0.0 { 0.0 } else { width * height }
}

/// `|A ∩ B| / |A ∪ B|`
pub fn intersection_over_union(a: Rectangle, b: Rectangle) -> f64 {
    match intersection(a, b) {
        0.0 => 0.0,
        both => both / (a[2] * a[3] + b[2] * b[3] - both),
    }
}

/// `|A ∩ B| / |A|`
fn share_within(a: Rectangle, b: Rectangle) -> f64 {
    match intersection(a, b) {
        0.0 => 0.0,
        both => both / (a[2] * a[3]),
    }
}

#[cfg(test)]
mod tests;
