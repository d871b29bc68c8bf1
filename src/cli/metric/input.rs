//! From JSON to what a metric judges.

use super::json::{Array, Json};
use crate::distribution;
use crate::metric::{
    Boxes, Confusion, Detection, Judge, Judged, MaskPrediction, MaskShape, Metric, PredictedMasks, RealValues, Scores,
    TrueBox, Value,
};
use crate::options::Options;
use anyhow::Context;
use serde::Deserialize;

/// How the predictions are to be read.
#[derive(Clone, Copy)]
pub struct Reading {
    pub classes: Option<usize>,
    pub logits: bool,
    /// The class of masks whose pixels count nowhere.
    pub ignored: Option<u32>,
}

/// Predictions and targets, checked.
pub enum Input {
    Chosen(Confusion),
    Scores { values: Vec<f64>, columns: usize, labels: Vec<u32> },
    Values { predictions: Vec<f64>, targets: Vec<f64>, columns: usize },
    Masks { shape: MaskShape, prediction: GivenPixels, truth: Vec<u32> },
    Boxes { truths: Vec<TrueBox>, detections: Vec<Detection>, categories: Vec<i64> },
}

/// What is predicted of every pixel of masks.
pub enum GivenPixels {
    Classes(Vec<u32>),
    Probabilities(Vec<f64>),
}

impl Input {
    /// # Errors
    /// When shapes don't fit or an entry is not what the metric needs; the message says which.
    pub fn read(metric: &Metric, predictions: Json, targets: Json, reading: Reading) -> anyhow::Result<Input> {
        let of_masks = matches!(metric.judge, Judge::Masks(_) | Judge::Overlap(_));
        let of_scores = matches!(metric.judge, Judge::Rows(_) | Judge::Scores(_) | Judge::Probabilities(_));
        if reading.logits && !of_scores && !of_masks {
            anyhow::bail!(
                "logits are for metrics of probabilities and of masks; {} judges {}",
                metric.name,
                metric.judge
            );
        }
        if reading.ignored.is_some() && !of_masks {
            anyhow::bail!("ignored pixels are for metrics of masks; {} judges {}", metric.name, metric.judge);
        }
        if matches!(metric.judge, Judge::Detections(_)) {
            return boxes(predictions, targets);
        }
        let predictions = Array::of(predictions).context("predictions")?;
        let targets = Array::of(targets).context("targets")?;
        match metric.judge {
            Judge::Chosen(_) => chosen(&predictions, &targets, reading).map(Input::Chosen),
            Judge::Values(_) => values(predictions, targets),
            Judge::Masks(_) | Judge::Overlap(_) => masks(predictions, &targets, reading),
            _ => scores(metric, predictions, &targets, reading),
        }
    }

    pub fn judged_by(&self, metric: &Metric, options: &Options) -> anyhow::Result<Value> {
        let judged = match self {
            Input::Chosen(confusion) => Judged::Chosen(confusion),
            Input::Scores { values, columns, labels } if matches!(metric.judge, Judge::Probabilities(_)) => {
                let scores = Scores::probabilities(values, *columns, labels);
                Judged::Scores(scores.context("predictions (are they logits? then add --logits)")?)
            }
            Input::Scores { values, columns, labels } => Judged::Scores(Scores::new(values, *columns, labels)?),
            Input::Values { predictions, targets, columns } => {
                Judged::Values(RealValues::new(predictions, targets, *columns)?)
            }
            Input::Masks { shape, prediction, truth } => {
                let prediction = match prediction {
                    GivenPixels::Classes(classes) => MaskPrediction::Classes(classes[..].into()),
                    GivenPixels::Probabilities(probabilities) => MaskPrediction::Probabilities(probabilities),
                };
                Judged::Masks(PredictedMasks::new(*shape, prediction, &truth[..])?)
            }
            Input::Boxes { truths, detections, categories } => {
                Judged::Boxes(Boxes::new(truths, detections, categories)?)
            }
        };
        Ok(judged.by(metric, options)?)
    }
}

/// Class indices.
fn indices(array: &Array, what: &str) -> anyhow::Result<Vec<u32>> {
    let whole = array.whole().with_context(|| format!("{what} must be class indices"))?;
    let index = |(i, index): (usize, i64)| {
        u32::try_from(index).ok().with_context(|| format!("{what}: entry {i} is {index}, not a class index"))
    };
    whole.into_iter().enumerate().map(index).collect()
}

fn labels(targets: &Array) -> anyhow::Result<Vec<u32>> {
    anyhow::ensure!(targets.shape.len() == 1, "targets must be a flat list of class indices such as [0, 2]");
    indices(targets, "targets")
}

/// More counts than this in confusion matrices are a typing error, and take gigabytes: 10,000 classes, or 100 images of 1,000 classes.
const MOST_COUNTS: usize = 100_000_000;

/// As many as the largest index says, or more; so many matrices are made of them.
fn class_count(indices: impl Iterator<Item = u32>, reading: Reading, matrices: usize) -> anyhow::Result<usize> {
    let classes = reading.classes.unwrap_or_else(|| indices.max().map_or(0, |largest| largest as usize + 1));
    let most = (MOST_COUNTS / matrices.max(1)).isqrt();
    let of = if matrices > 1 { format!(" of {matrices} images") } else { String::new() };
    anyhow::ensure!(classes <= most, "{classes} classes{of}; the most are {most}");
    Ok(classes)
}

fn chosen(predictions: &Array, targets: &Array, reading: Reading) -> anyhow::Result<Confusion> {
    let labels = labels(targets)?;
    let (chosen, classes) = match predictions.shape[..] {
        [_] => {
            let chosen = indices(predictions, "predictions").context("give class indices, or rows of scores")?;
            let classes = class_count(chosen.iter().chain(&labels).copied(), reading, 1)?;
            (chosen, classes)
        }
        [_, classes] if classes > 1 => {
            check_columns(classes, reading)?;
            (predictions.values.chunks_exact(classes).map(distribution::mode).collect(), classes)
        }
        _ => anyhow::bail!("predictions must be class indices such as [0, 2], or rows with a score per class"),
    };
    Ok(Confusion::new(&chosen, &labels, classes)?)
}

fn check_columns(columns: usize, reading: Reading) -> anyhow::Result<()> {
    match reading.classes {
        Some(classes) if classes != columns => {
            anyhow::bail!("the rows have {columns} numbers each, for {classes} classes")
        }
        _ => Ok(()),
    }
}

fn scores(metric: &Metric, predictions: Array, targets: &Array, reading: Reading) -> anyhow::Result<Input> {
    let labels = labels(targets)?;
    let columns = match predictions.shape[..] {
        [_] => 1,
        [_, columns] if columns > 0 => columns,
        _ => anyhow::bail!("predictions must be rows with a number per class, or a flat list for class 1"),
    };
    check_columns(columns.max(2), reading)?;
    let values = match metric.judge {
        Judge::Rows(_) => predictions.values,
        _ if !reading.logits => predictions.values,
        _ if columns == 1 => predictions.values.iter().map(sigmoid).collect(),
        _ => predictions.values.chunks_exact(columns).flat_map(distribution::log_probs).map(f64::exp).collect(),
    };
    Ok(Input::Scores { values, columns, labels })
}

fn sigmoid(logit: &f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

fn same_shape(predictions: &Array, targets: &Array) -> anyhow::Result<()> {
    let text = |array: &Array| array.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
    for (what, array) in [("predictions", predictions), ("targets", targets)] {
        anyhow::ensure!(!array.shape.is_empty(), "{what} must be a list, not {}", array.values[0]);
    }
    let (of_predictions, of_targets) = (text(predictions), text(targets));
    anyhow::ensure!(predictions.shape == targets.shape, "{of_predictions} predictions for {of_targets} targets");
    Ok(())
}

fn values(predictions: Array, targets: Array) -> anyhow::Result<Input> {
    same_shape(&predictions, &targets)?;
    let columns = predictions.shape[1..].iter().product();
    Ok(Input::Values { predictions: predictions.values, targets: targets.values, columns })
}

/// `[height, width]` is one image, with more levels the outermost is that of images; a flat list is an image without rows. Predictions that
/// are not all whole are probabilities of class 1.
fn masks(predictions: Array, targets: &Array, reading: Reading) -> anyhow::Result<Input> {
    same_shape(&predictions, targets)?;
    let truth = indices(targets, "targets")?;
    let has_scores = reading.logits || predictions.values.iter().any(|value| value.fract() != 0.0);
    let levels = &predictions.shape[..];
    let images = if levels.len() > 2 { levels[0] } else { 1 };
    let width = if matches!(levels.len(), 2 | 3) { levels.last().copied() } else { None };
    let pixels = truth.len() / images.max(1);
    let prediction = match has_scores {
        false => GivenPixels::Classes(indices(&predictions, "predictions")?),
        true if reading.logits => GivenPixels::Probabilities(predictions.values.iter().map(sigmoid).collect()),
        true => GivenPixels::Probabilities(predictions.values),
    };
    let classes = match &prediction {
        GivenPixels::Probabilities(_) => reading.classes.unwrap_or(2),
        GivenPixels::Classes(chosen) => {
            let counted = truth.iter().filter(|class| Some(**class) != reading.ignored);
            // There is a foreground, even where it is empty.
            class_count(chosen.iter().chain(counted).copied().chain([1]), reading, images)?
        }
    };
    let shape = MaskShape { pixels, width, classes, ignored: reading.ignored };
    Ok(Input::Masks { shape, prediction, truth })
}

/// An entry of COCO's lists; fields that no metric needs may be there too.
#[derive(Deserialize)]
struct Entry {
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    score: Option<f64>,
    area: Option<f64>,
    #[serde(default)]
    iscrowd: i64,
}

fn boxes(predictions: Json, targets: Json) -> anyhow::Result<Input> {
    let categories = categories(&targets).context("targets")?;
    let found = entries(predictions, "detections").context("predictions")?;
    let there = entries(targets, "annotations").context("targets")?;
    let detection = |(i, entry): (usize, Entry)| {
        let score = entry.score.with_context(|| format!("predictions: entry {i} has no `score`"))?;
        Ok(Detection { image: entry.image_id, category: entry.category_id, bbox: entry.bbox, score })
    };
    let truth = |entry: Entry| {
        let area = entry.area.unwrap_or(entry.bbox[2] * entry.bbox[3]);
        let ignored = entry.iscrowd != 0;
        TrueBox { image: entry.image_id, category: entry.category_id, bbox: entry.bbox, area, ignored }
    };
    Ok(Input::Boxes {
        truths: there.into_iter().map(truth).collect(),
        detections: found.into_iter().enumerate().map(detection).collect::<anyhow::Result<_>>()?,
        categories,
    })
}

/// The ids of COCO's list of categories, where it is there.
fn categories(targets: &Json) -> anyhow::Result<Vec<i64>> {
    let Json::Object(object) = targets else { return Ok(Vec::new()) };
    let Some(Json::List(list)) = object.get("categories") else { return Ok(Vec::new()) };
    let id = |(i, category): (usize, &Json)| {
        let Json::Object(category) = category else {
            return None.with_context(|| format!("category {i} is {category}"));
        };
        match category.get("id") {
            Some(Json::Number(id)) if id.is_i64() => Ok(id.as_i64().unwrap_or_default()),
            _ => None.with_context(|| format!("category {i} has no whole `id`")),
        }
    };
    list.iter().enumerate().map(id).collect()
}

/// A list, or an object that has it under `key`.
fn entries(json: Json, key: &str) -> anyhow::Result<Vec<Entry>> {
    let json = match json {
        Json::Object(mut object) => object.remove(key).unwrap_or(Json::Null),
        other => other,
    };
    let list = match json {
        Json::List(list) => list,
        Json::Array(array) if array.shape[0] == 0 => Vec::new(),
        Json::Array(_) => anyhow::bail!("entry 0 is no object with image_id, category_id and bbox"),
        _ => anyhow::bail!("there is no list of boxes, by itself or as `{key}`"),
    };
    let entry = |(i, entry): (usize, Json)| {
        let Json::Object(_) = &entry else {
            anyhow::bail!("entry {i} is {entry}, not an object with image_id, category_id and bbox");
        };
        Entry::deserialize(entry.into_value())
            .map_err(|error| anyhow::anyhow!("entry {i}: {error}; `bbox` is [x, y, width, height] as in COCO's files"))
    };
    list.into_iter().enumerate().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::json;
    use super::super::super::json::tests::{any_json, any_rows};
    use super::*;
    use crate::metric;
    use proptest::prelude::*;
    use proptest::test_runner::FileFailurePersistence::WithSource;

    fn any_boxes() -> impl Strategy<Value = String> {
        let number =
            || proptest::sample::select(&["0", "1", "-1", "0.5", "1e308", "-1e200", "9223372036854775807"][..]);
        let entry = (proptest::collection::vec(number(), 4), number(), number(), number());
        let entry = entry.prop_map(|(bbox, image, category, score)| {
            let bbox = bbox.join(",");
            format!("{{\"image_id\":{image},\"category_id\":{category},\"bbox\":[{bbox}],\"score\":{score}}}")
        });
        proptest::collection::vec(entry, 0..5).prop_map(|list| format!("[{}]", list.join(",")))
    }

    fn any_data() -> impl Strategy<Value = String> {
        prop_oneof![4 => any_rows(), 1 => any_json(), 1 => any_boxes()]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::with_failure_persistence(WithSource("found")) })]

        /// Whatever is given, a metric is in its range or undefined, or an error says why not.
        #[test]
        fn any_input_is_judged_or_refused(
            predictions in any_data(),
            targets in any_data(),
            logits in any::<bool>(),
            alike in any::<bool>(),
        ) {
            let targets = if alike { &predictions } else { &targets };
            let (Ok(predictions), Ok(targets)) = (json::read(&predictions), json::read(targets)) else { return Ok(()) };
            for metric in metric::all() {
                let reading = Reading { classes: None, logits, ignored: None };
                let options = Options::defaults(metric.options);
                let input = Input::read(metric, predictions.clone(), targets.clone(), reading);
                match input.and_then(|input| input.judged_by(metric, &options)) {
                    Ok(value) => {
                        let (low, high) = (metric.range.0 - 1e-9, metric.range.1 + 1e-9);
                        let fits = |x: &f64| x.is_nan() || (low..=high).contains(x);
                        prop_assert!(value.numbers().iter().all(fits), "{}: {:?}", metric.name, value);
                    }
                    Err(error) => {
                        let message = format!("{error:#}");
                        prop_assert!((10..600).contains(&message.len()), "{}: {}", metric.name, message);
                    }
                }
            }
        }
    }
}
