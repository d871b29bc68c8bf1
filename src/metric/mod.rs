//! What people judge by; never differentiated. A metric that scores a chosen class can also be a reward: both come from the
//! same row. [`all`] is the table behind `lossward list metrics`, `lossward metric` and the error suggestions; each row
//! stands beside the functions that it calls, which are of use by themselves.

mod boxes;
mod calibration;
mod chosen;
mod classifier;
mod confusion;
mod detection;
mod judged;
mod masks;
mod probability;
mod ranked_boxes;
mod ranking;
mod regression;
mod reward;
mod scores;
#[cfg(test)]
mod table_test;
mod value;

pub use boxes::{
    ALL_AREAS, AreaRange, BoxCounts, Boxes, Detection, LARGE, MEDIUM, Matched, SMALL, TrueBox, box_f1,
    intersection_over_union, matched, thresholds,
};
pub use calibration::{Norm, calibration_error, reliability};
pub use classifier::{ClassifierOutput, expected_reward};
pub use confusion::{Average, ClassCounts, Confusion, Empty, Ratio};
pub use judged::Judged;
pub use masks::{
    BestThreshold, ClassMaps, Components, Connectivity, Covered, Directions, LesionCounts, MaskPrediction, MaskShape,
    PredictedMasks, Region, Regions, SurfaceDistances,
};
pub use probability::{brier, cross_entropy, log_loss};
pub use ranked_boxes::Ranking;
pub use ranking::{average_precision, precision_recall_curve, roc_auc, roc_auc_one_against_one, roc_curve, top_k};
pub use regression::{
    RealValues, explained_variance, max_error, mean_absolute_error, mean_absolute_percentage_error, mean_squared_error,
    median_absolute_error, r2, root_mean_squared_error,
};
pub use reward::Reward;
pub use scores::Scores;
pub use value::{Bin, ClassValue, Curve, Drawn, Point, Value, number};

use crate::options::{OptionRow, Options};
use crate::{Error, Result};
use lossward_envs::registry::{Registry, TableRow};

/// One row of the table.
#[derive(Debug)]
pub struct Metric {
    pub name: &'static str,
    pub formula: &'static str,
    pub summary: &'static str,
    /// The paper, and the package whose conventions hold.
    pub source: &'static str,
    /// The least and the largest number that it can give.
    pub range: (f64, f64),
    /// Nothing for what is drawn, and for what is no better either way.
    pub higher_is_better: Option<bool>,
    pub options: &'static [OptionRow],
    /// How its value is drawn, where it is looked at rather than compared.
    pub drawn: Option<DrawnAs>,
    pub judge: Judge,
    /// What one decision earns, from `(prediction, target)`, where the metric can be a reward: higher is better. Classes are
    /// whole numbers here.
    pub reward: Option<fn(f64, f64, &Options) -> f64>,
}

/// A picture of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnAs {
    /// Of [`Value::Counts`].
    ConfusionMatrix,
    /// Of [`Value::Curves`].
    RocCurve,
    /// Of [`Value::Curves`].
    PrecisionRecallCurve,
    /// Of [`Value::Bins`].
    Reliability,
}

/// What a metric judges, and how.
#[derive(Clone, Copy, Debug)]
pub enum Judge {
    /// Chosen classes against labels.
    Chosen(fn(&Confusion, &Options) -> Result<Value>),
    /// Numbers per class that are compared within an example, such as logits, against labels.
    Rows(fn(&Scores, &Options) -> Result<Value>),
    /// Numbers per class that are compared between examples too, against labels.
    Scores(fn(&Scores, &Options) -> Result<Value>),
    /// Probabilities of classes, against labels.
    Probabilities(fn(&Scores, &Options) -> Result<Value>),
    /// Real values against real values.
    Values(fn(&RealValues, &Options) -> Result<Value>),
    /// Class maps, or scores of pixels, against class maps.
    Masks(fn(&PredictedMasks, &Options) -> Result<Value>),
    /// The same, where it matters only how many pixels of each class are predicted as each: of one image, or of all of them together.
    Overlap(fn(&Confusion, &Options) -> Result<Value>),
    /// Detected boxes against true ones.
    Detections(fn(&Boxes, &Options) -> Result<Value>),
}

/// The built-in metrics, a row each.
const BUILT_IN: &[Metric] = &[
    chosen::ACCURACY,
    chosen::COST,
    ranking::TOP_K,
    chosen::PRECISION,
    chosen::RECALL,
    chosen::F1,
    chosen::F_BETA,
    chosen::BALANCED_ACCURACY,
    chosen::MATTHEWS,
    chosen::COHEN_KAPPA,
    chosen::CONFUSION_MATRIX,
    ranking::ROC_AUC,
    ranking::ROC_CURVE,
    ranking::AVERAGE_PRECISION,
    ranking::PR_CURVE,
    probability::CROSS_ENTROPY,
    probability::LOG_LOSS,
    probability::BRIER,
    calibration::CALIBRATION_ERROR,
    calibration::RELIABILITY,
    regression::R2,
    regression::EXPLAINED_VARIANCE,
    regression::MSE,
    regression::RMSE,
    regression::MAE,
    regression::MAPE,
    regression::MEDIAN_ABSOLUTE_ERROR,
    regression::MAX_ERROR,
    masks::overlap::DICE,
    masks::overlap::MEAN_IOU,
    masks::overlap::PIXEL_ACCURACY,
    masks::overlap::EXACT_MATCH,
    masks::overlap::SENSITIVITY,
    masks::overlap::SPECIFICITY,
    masks::overlap::POSITIVE_PREDICTIVE_VALUE,
    masks::lesions::LESION_RECALL,
    masks::lesions::LESION_PRECISION,
    masks::lesions::LESION_F1,
    masks::lesions::FALSE_POSITIVES_PER_IMAGE,
    masks::surfaces::HAUSDORFF,
    masks::surfaces::HAUSDORFF_95,
    masks::surfaces::SURFACE_DISTANCE,
    masks::thresholds::THRESHOLD_GAP,
    masks::thresholds::BEST_THRESHOLD,
    detection::MAP,
    detection::MAP_50,
    detection::MAP_75,
    detection::AP_PER_CLASS,
    detection::AVERAGE_RECALL,
    detection::BOX_PRECISION,
    detection::BOX_RECALL,
    detection::BOX_F1,
    detection::BOX_PR_CURVE,
];

impl TableRow for Metric {
    const WHAT: &'static str = "metric";

    fn name(&self) -> &'static str {
        self.name
    }
}

static TABLE: Registry<Metric> = Registry::new(&[BUILT_IN]);

/// Adds metrics of another crate, once and before anything else is done.
///
/// # Errors
/// When a name is taken, or it is not the first call.
pub fn register(metrics: &'static [Metric]) -> Result<(), String> {
    TABLE.add(metrics)
}

/// Every metric.
pub fn all() -> impl Iterator<Item = &'static Metric> + Clone {
    TABLE.all()
}

/// The metric named `name`.
pub fn find(name: &str) -> Result<&'static Metric> {
    TABLE.find(name).map_err(Error::Argument)
}

/// What the columns of training examples' metrics begin with.
pub const TRAIN: &str = "train_";

/// What the difference between a metric of training and of held-out examples is called; it is computed when it is asked for.
pub const GAP: &str = "gap_";

/// The gaps that these columns give.
pub fn gaps(columns: &[String]) -> Vec<String> {
    let judged = columns.iter().filter_map(|column| column.strip_prefix(TRAIN));
    let with_both = judged.filter(|judged| columns.iter().any(|column| column == judged));
    with_both.map(|judged| format!("{GAP}{judged}")).collect()
}

/// The metric behind a column of a record: `f1` of `f1(average=none)[2]`, of `train_f1`, and of `elsewhere_f1`.
pub fn of_column(column: &str) -> Option<&'static Metric> {
    named(column.strip_prefix(TRAIN).or(further(column).map(|(_, judged)| judged)).unwrap_or(column))
}

/// The further held-out part of a column, and its column of the metric: `elsewhere` and `f1` of `elsewhere_f1`.
pub fn further(column: &str) -> Option<(&str, &str)> {
    if column.starts_with(TRAIN) || column.starts_with(GAP) || named(column).is_some() {
        return None;
    }
    // What is behind an earlier mark is the longer name, as `box_f1` of `elsewhere_box_f1`.
    let end = column.find(['(', '[']).unwrap_or(column.len());
    let mut marks = column[..end].match_indices('_').map(|(at, _)| (&column[..at], &column[at + 1..]));
    marks.find(|(part, judged)| !part.is_empty() && named(judged).is_some())
}

/// The metric that begins such a text.
fn named(column: &str) -> Option<&'static Metric> {
    let name = column.split(['(', '[']).next().unwrap_or(column);
    all().find(|metric| metric.name == name)
}

impl Metric {
    /// Whether it can judge logits against class labels.
    pub fn judges_classifiers(&self) -> bool {
        matches!(self.judge, Judge::Chosen(_) | Judge::Rows(_) | Judge::Scores(_) | Judge::Probabilities(_))
    }

    /// Whether it can judge real values.
    pub fn judges_values(&self) -> bool {
        matches!(self.judge, Judge::Values(_))
    }

    /// Whether it can judge masks: its own kind, and what judges classifiers, to which every pixel is an example.
    pub fn judges_masks(&self) -> bool {
        matches!(self.judge, Judge::Masks(_) | Judge::Overlap(_)) || self.judges_classifiers()
    }

    /// Whether it can judge detected boxes.
    pub fn judges_boxes(&self) -> bool {
        matches!(self.judge, Judge::Detections(_))
    }

    /// Whether its value is a picture rather than numbers to follow.
    pub fn is_drawn(&self) -> bool {
        self.drawn.is_some()
    }

    /// `0 to 1`
    pub fn range_text(&self) -> String {
        let bound = |bound: f64| match bound {
            f64::INFINITY => "∞".to_string(),
            f64::NEG_INFINITY => "−∞".to_string(),
            bound => bound.to_string().replace('-', "−"),
        };
        format!("{} to {}", bound(self.range.0), bound(self.range.1))
    }

    /// `higher is better`
    pub fn direction_text(&self) -> &'static str {
        match self.higher_is_better {
            Some(true) => "higher is better",
            Some(false) => "lower is better",
            None if self.is_drawn() => "drawn",
            None => "no better either way",
        }
    }
}

/// What it judges: `chosen classes against labels`.
impl std::fmt::Display for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Judge::Chosen(_) => "chosen classes against labels",
            Judge::Rows(_) => "scores or logits per class against labels",
            Judge::Scores(_) => "scores per class against labels",
            Judge::Probabilities(_) => "probabilities per class against labels",
            Judge::Values(_) => "real values against real values",
            Judge::Masks(_) | Judge::Overlap(_) => "class maps, or scores of pixels, against class maps",
            Judge::Detections(_) => "detected boxes against true ones",
        })
    }
}

fn check_counts(predictions: usize, targets: usize) -> Result<()> {
    match (predictions, targets) {
        (0, 0) => Err(Error::Argument("the batch is empty: there are no predictions and no targets".into())),
        (predictions, targets) if predictions != targets => {
            Err(Error::Argument(format!("{predictions} predictions for {targets} targets")))
        }
        _ => Ok(()),
    }
}

fn check_classes(what: &str, indices: &[u32], classes: usize) -> Result<()> {
    match indices.iter().position(|index| *index as usize >= classes) {
        Some(i) => Err(Error::Argument(format!(
            "{what} {i} is class {}; the classes are 0 to {}",
            indices[i],
            classes.saturating_sub(1)
        ))),
        None => Ok(()),
    }
}
