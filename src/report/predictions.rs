//! Held-out images with what is predicted of them, of all arms beneath one another.

use super::figure::ContactSheet;
use super::{Report, TrialRecord};
use crate::data::{IGNORED_COLOR, Outline, Picture, mask_color};
use crate::task::{OverlaidBox, Overlay, Predictions, Verdict};

/// What is there and was not found, what was found and is not there, and what is another class than was found: told apart with any color
/// vision, and by their brightness.
const MISSED: [u8; 3] = [86, 180, 233];
const WRONG: [u8; 3] = [213, 94, 0];
/// Of true boxes, which carry their class.
const TRUE: [u8; 3] = [0, 158, 115];
const CONFUSED: [u8; 3] = [240, 228, 66];
const RIGHT: [u8; 3] = [205, 205, 205];

/// Images beside one another; more than these go on below.
const ACROSS: usize = 8;
/// About so long is the longer side of one.
const SIDE: f64 = 112.0;

/// When a network predicts.
#[derive(Clone, Copy, PartialEq)]
enum When {
    End,
    Best,
}

/// The predictions of an arm, by its place.
type OfArm<'a> = (usize, &'a TrialRecord, &'a Predictions);

impl Report {
    /// `(name of the files, sheet)`: at the end, and where other weights were the best, of those; for each data set whose predictions are kept.
    pub fn prediction_sheets(&self) -> Vec<(String, ContactSheet)> {
        let mut groups: Vec<Vec<OfArm>> = Vec::new();
        for (place, arm) in self.arms.iter().enumerate() {
            let Some(of) = arm.trials.iter().find_map(|trial| Some((place, trial, trial.predictions.as_ref()?))) else {
                continue;
            };
            let same = |(_, _, other): &OfArm| other.images == of.2.images && other.truth == of.2.truth;
            match groups.iter_mut().find(|group| same(&group[0])) {
                Some(group) => group.push(of),
                None => groups.push(vec![of]),
            }
        }
        let mut sheets = Vec::new();
        for (i, group) in groups.iter().enumerate() {
            let number = if i == 0 { String::new() } else { format!("_{}", i + 1) };
            sheets.push((format!("predictions{number}"), self.sheet(group, When::End)));
            let others: Vec<OfArm> = group.iter().filter(|(.., kept)| kept.best.is_some()).copied().collect();
            if !others.is_empty() {
                sheets.push((format!("predictions_best{number}"), self.sheet(&others, When::Best)));
            }
        }
        sheets
    }

    fn sheet(&self, group: &[OfArm], when: When) -> ContactSheet {
        let (_, first, shown) = group[0];
        let places: Vec<usize> = (0..shown.images.len()).collect();
        let mut rows = Vec::new();
        for places in places.chunks(ACROSS) {
            let of =
                |picture: &dyn Fn(usize) -> Picture| places.iter().map(|place| picture(*place)).collect::<Vec<_>>();
            if matches!(shown.truth[0], Overlay::Mask(_)) {
                rows.push(("image".to_string(), of(&|place| shown.images[place].clone())));
            }
            rows.push(("truth".to_string(), of(&|place| seen(shown, place, &shown.truth[place]))));
            for (arm, trial, kept) in group {
                let (name, predicted) = (self.named(*arm, trial, when), kept.at(when));
                if is_of_several(kept) {
                    rows.push((name.clone(), of(&|place| seen(kept, place, &predicted[place]))));
                    rows.push(("errors".to_string(), of(&|place| judged(kept, place, &predicted[place]))));
                } else {
                    rows.push((name, of(&|place| judged(kept, place, &predicted[place]))));
                }
            }
        }
        let weights = if when == When::End { "at the end" } else { "by the best weights, where those are others" };
        let title = format!("{}: predictions {weights}", self.experiment.title);
        ContactSheet { title, subtitle: says(shown, first.seed), legend: legend(shown), rows, side: SIDE }
    }

    /// An arm, and when its weights were the best.
    fn named(&self, arm: usize, trial: &TrialRecord, when: When) -> String {
        let name = &self.arms[arm].name;
        let best = || {
            let (column, higher) = self.experiment.arms[arm].deciding_column(&trial.rows.columns)?;
            let (values, examples) = (trial.rows.column(&column)?, trial.rows.column("examples")?);
            let better = |a: f64, b: f64| if higher { a > b } else { a < b };
            let best = (0..values.len()).fold(None, |best: Option<usize>, row| match best {
                Some(before) if !(better(values[row], values[before]) || values[before].is_nan()) => best,
                _ => Some(row),
            });
            Some(format!("{name}, after {}", crate::numbers::grouped(examples[best?])))
        };
        (when == When::Best).then(best).flatten().unwrap_or(name.clone())
    }
}

impl Predictions {
    fn at(&self, when: When) -> &[Overlay] {
        match (when, &self.best) {
            (When::Best, Some(best)) => best,
            _ => &self.end,
        }
    }
}

/// Whether a pixel can be of the wrong object, so that what is predicted doesn't follow from what is missed and what is wrong.
fn is_of_several(kept: &Predictions) -> bool {
    matches!(kept.truth[0], Overlay::Mask(_)) && kept.classes.len() > 2
}

/// How it is to be read.
fn says(shown: &Predictions, seed: u64) -> String {
    let of = match shown.truth[0] {
        Overlay::Class { .. } => "the most likely class with its probability",
        Overlay::Mask(_) => "every pixel as its most likely class",
        Overlay::Boxes(_) => {
            "boxes with a score of at least 0.5, right where they overlap an object of their class by an IoU of 0.5"
        }
    };
    format!("{} held-out images, seed {seed} of each arm: {of}", shown.images.len())
}

/// What the colors mean.
fn legend(shown: &Predictions) -> Vec<(String, [u8; 3])> {
    let names = shown.classes.iter().enumerate();
    let is_mask = matches!(shown.truth[0], Overlay::Mask(_));
    let mut legend: Vec<(String, [u8; 3])> = match shown.truth[0] {
        Overlay::Class { .. } => Vec::new(),
        Overlay::Mask(_) => names.filter_map(|(class, name)| Some((name.clone(), mask_color(class)?))).collect(),
        Overlay::Boxes(_) => vec![("true".into(), TRUE)],
    };
    let beneath = match (legend.is_empty(), is_of_several(shown)) {
        (true, _) => "",
        (false, true) => "errors: ",
        (false, false) => "predicted: ",
    };
    legend.push((format!("{beneath}right"), RIGHT));
    if !matches!(shown.truth[0], Overlay::Class { .. }) {
        legend.push((format!("{beneath}missed"), MISSED));
    }
    legend.push((format!("{beneath}wrong"), WRONG));
    if is_of_several(shown) {
        legend.push((format!("{beneath}another class"), CONFUSED));
    }
    let is_ignored = |overlay: &Overlay| match overlay {
        Overlay::Boxes(boxes) => boxes.iter().any(|of| of.verdict == Verdict::Ignored),
        _ => false,
    };
    if is_mask && shown.ignored.is_some() || shown.truth.iter().any(is_ignored) {
        legend.push(("ignored".into(), IGNORED_COLOR));
    }
    legend
}

/// An image with what is there, or seems to be, in the colors of the classes.
fn seen(kept: &Predictions, place: usize, overlay: &Overlay) -> Picture {
    let image = kept.images[place].clone();
    match overlay {
        Overlay::Class { class, .. } => framed(image, name(kept, *class), RIGHT),
        Overlay::Mask(classes) => image.tinted(classes, kept.ignored),
        Overlay::Boxes(boxes) => boxed(image, boxes, |of| {
            let words = if kept.classes.len() > 1 { name(kept, of.class) } else { String::new() };
            let is_ignored = of.verdict == Verdict::Ignored;
            (if is_ignored { IGNORED_COLOR } else { TRUE }, words)
        }),
    }
}

/// An image with what is right, missed and wrong.
fn judged(kept: &Predictions, place: usize, predicted: &Overlay) -> Picture {
    let image = kept.images[place].clone();
    match (&kept.truth[place], predicted) {
        (Overlay::Class { class: label, .. }, Overlay::Class { class, score }) => {
            let words = with_score(name(kept, *class), *score);
            framed(image, words, if class == label { RIGHT } else { WRONG })
        }
        (Overlay::Mask(truth), Overlay::Mask(chosen)) => image
            .colored(|_| Some([0; 3]), 0.4)
            .colored(|pixel| verdict(kept.ignored, truth[pixel], chosen[pixel]), 0.75),
        (_, Overlay::Boxes(boxes)) => boxed(image, boxes, |of| {
            // What is missed has its name in the row of the truth; here it would lie on what was found instead.
            let is_named = kept.classes.len() > 1 && of.verdict != Verdict::Missed;
            let class = if is_named { name(kept, of.class) } else { String::new() };
            let color = match of.verdict {
                Verdict::Right | Verdict::There => RIGHT,
                Verdict::Wrong => WRONG,
                Verdict::Missed => MISSED,
                Verdict::Ignored => IGNORED_COLOR,
            };
            (color, with_score(class, of.score))
        }),
        _ => image,
    }
}

/// The color of what came of a pixel; nothing where nothing is there and nothing seems to be.
fn verdict(ignored: Option<u8>, truth: u8, chosen: u8) -> Option<[u8; 3]> {
    match (truth, chosen) {
        _ if ignored == Some(truth) => Some(IGNORED_COLOR),
        (0, 0) => None,
        (truth, chosen) if truth == chosen => Some(RIGHT),
        (_, 0) => Some(MISSED),
        (0, _) => Some(WRONG),
        _ => Some(CONFUSED),
    }
}

fn name(kept: &Predictions, class: usize) -> String {
    kept.classes.get(class).cloned().unwrap_or(class.to_string())
}

/// `cat: 93 %`; of one class that is not named `93 %`.
fn with_score(name: String, score: Option<f64>) -> String {
    match score.map(|score| format!("{:.0} %", 100.0 * score)) {
        None => name,
        Some(score) if name.is_empty() => score,
        Some(score) => format!("{name}: {score}"),
    }
}

fn framed(mut image: Picture, words: String, color: [u8; 3]) -> Picture {
    let corners = [0.0, 0.0, image.width as f64, image.height as f64];
    image.outlines.push(Outline { corners, color, words });
    image
}

/// What is quiet lies below what is not.
fn boxed(mut image: Picture, boxes: &[OverlaidBox], style: impl Fn(&OverlaidBox) -> ([u8; 3], String)) -> Picture {
    let mut sorted: Vec<&OverlaidBox> = boxes.iter().collect();
    sorted.sort_by_key(|of| !matches!(of.verdict, Verdict::Right | Verdict::Ignored));
    let edges = [image.width, image.height, image.width, image.height].map(|side| side as f64);
    image.outlines.extend(sorted.into_iter().map(|of| {
        let (color, words) = style(of);
        let corners = std::array::from_fn(|i| of.corners[i].clamp(0.0, edges[i]));
        Outline { corners, color, words }
    }));
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(classes: &[&str], truth: Overlay, end: Overlay) -> Predictions {
        Predictions {
            classes: classes.iter().map(|name| name.to_string()).collect(),
            ignored: Some(255),
            rows: vec![0],
            truth: vec![truth],
            end: vec![end],
            best: None,
            images: vec![Picture::new([1, 2, 3], |_, _| 1.0)],
        }
    }

    /// The five things that can come of a pixel, and what is ignored, whatever is predicted there.
    #[test]
    fn pixels_are_right_missed_wrong_or_of_another_class() {
        let truth = Overlay::Mask(vec![0, 1, 1, 0, 1, 255]);
        let kept = kept(&["none", "a", "b"], truth, Overlay::Mask(vec![0, 1, 0, 2, 2, 1]));
        let picture = judged(&kept, 0, &kept.end[0]);
        let mixed = |color: [u8; 3]| color.map(|value| (153.0 * 0.25) as u8 + (f64::from(value) * 0.75) as u8);
        let expected = [RIGHT, MISSED, WRONG, CONFUSED, IGNORED_COLOR].map(mixed);
        assert_eq!((picture.pixels[0], &picture.pixels[1..]), ([153; 3], &expected[..]));
    }

    #[test]
    fn classes_and_boxes_carry_words_and_a_verdict() {
        let class = |class, score| Overlay::Class { class, score };
        let of = kept(&["cat", "dog"], class(1, None), class(0, Some(0.934)));
        let outline = judged(&of, 0, &of.end[0]).outlines.remove(0);
        assert_eq!(
            (outline.words.as_str(), outline.color, outline.corners),
            ("cat: 93 %", WRONG, [0.0, 0.0, 3.0, 2.0])
        );
        assert_eq!(judged(&of, 0, &class(1, Some(1.0))).outlines[0].words, "dog: 100 %");
        let boxes = [Verdict::Missed, Verdict::Wrong, Verdict::Right].map(|verdict| OverlaidBox {
            corners: [0.0, 0.0, 1.0, 1.0],
            class: 0,
            score: (verdict != Verdict::Missed).then_some(0.5),
            verdict,
        });
        let of = kept(&["tree"], Overlay::Boxes(Vec::new()), Overlay::Boxes(boxes.to_vec()));
        let outlines = judged(&of, 0, &of.end[0]).outlines;
        let found: Vec<_> = outlines.iter().map(|outline| (outline.color, outline.words.as_str())).collect();
        assert_eq!(found, [(RIGHT, "50 %"), (MISSED, ""), (WRONG, "50 %")]);
    }
}
