//! How well scores order positive examples before negative ones: curves over thresholds and the areas under them.

use super::chosen::{ABSENT, absent};
use super::{ClassValue, Curve, DrawnAs, Judge, Metric, Point, Scores, Value};
use crate::Error;
use crate::options::{OptionKind, OptionRow, Options};

/// True and false positives when every example with a score of at least `threshold` is called positive.
struct Step {
    threshold: f64,
    true_positives: f64,
    false_positives: f64,
}

/// One step per distinct score, from the highest; equal scores come together. With the numbers of positives and negatives.
fn steps(scores: &[f64], positive: &[bool]) -> (Vec<Step>, f64, f64) {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let (mut steps, mut found, mut wrong): (Vec<Step>, f64, f64) = (Vec::new(), 0.0, 0.0);
    for i in order {
        if positive[i] {
            found += 1.0
        } else {
            wrong += 1.0
        }
        let step = Step { threshold: scores[i], true_positives: found, false_positives: wrong };
        match steps.last_mut() {
            Some(last) if last.threshold == scores[i] => *last = step,
            _ => steps.push(step),
        }
    }
    (steps, found, wrong)
}

/// The receiver operating characteristic: `(false positive rate, true positive rate)` at every distinct score, from the
/// point (0, 0), where nothing is called positive, to (1, 1). A rate is undefined where there is no such example.
///
/// scikit-learn `roc_curve(drop_intermediate=False)`.
pub fn roc_curve(scores: &[f64], positive: &[bool]) -> Vec<Point> {
    let (steps, positives, negatives) = steps(scores, positive);
    let start = Step { threshold: f64::INFINITY, true_positives: 0.0, false_positives: 0.0 };
    let point = |step: &Step| Point {
        x: step.false_positives / negatives,
        y: step.true_positives / positives,
        threshold: step.threshold,
    };
    std::iter::once(&start).chain(&steps).map(point).collect()
}

/// The area under [`roc_curve`]: the probability that a positive example scores higher than a negative one, equal scores
/// counting half. Undefined without positives or without negatives.
pub fn roc_auc(scores: &[f64], positive: &[bool]) -> f64 {
    let (steps, positives, negatives) = steps(scores, positive);
    let (mut doubled, mut before) = (0.0, (0.0, 0.0));
    for step in &steps {
        doubled += (step.false_positives - before.0) * (step.true_positives + before.1);
        before = (step.false_positives, step.true_positives);
    }
    // 0 / 0 where a kind is missing.
    doubled / 2.0 / (positives * negatives)
}

/// `(recall, precision)` at every distinct score, from the lowest, and at the end the point (0, 1), where nothing is called
/// positive. Without positives the recall is 1 throughout.
///
/// scikit-learn `precision_recall_curve`.
pub fn precision_recall_curve(scores: &[f64], positive: &[bool]) -> Vec<Point> {
    let (steps, positives, _) = steps(scores, positive);
    let point = |step: &Step| Point {
        x: if positives == 0.0 { 1.0 } else { step.true_positives / positives },
        y: step.true_positives / (step.true_positives + step.false_positives),
        threshold: step.threshold,
    };
    let end = Point { x: 0.0, y: 1.0, threshold: f64::INFINITY };
    steps.iter().rev().map(point).chain([end]).collect()
}

/// `Σ (R_n − R_{n−1}) P_n` over the distinct scores from the highest, without interpolation; 0 without positives.
///
/// scikit-learn `average_precision_score`.
pub fn average_precision(scores: &[f64], positive: &[bool]) -> f64 {
    let (steps, positives, _) = steps(scores, positive);
    let (mut sum, mut before) = (0.0, 0.0);
    for step in &steps {
        let precision = step.true_positives / (step.true_positives + step.false_positives);
        sum += (step.true_positives - before) * precision;
        before = step.true_positives;
    }
    if positives == 0.0 { 0.0 } else { sum / positives }
}

/// The share of examples whose label is among the `k` highest scores of the row; of equal scores the lower class comes
/// first, so that `k = 1` is the accuracy.
pub fn top_k(scores: &Scores, k: usize) -> f64 {
    let hit = |(row, label): (&[f64], u32)| {
        let label = label as usize;
        let ahead = |(class, score): &(usize, &f64)| **score > row[label] || (**score == row[label] && *class < label);
        row.iter().enumerate().filter(ahead).count() < k
    };
    scores.examples().filter(|example| hit(*example)).count() as f64 / scores.examples_len() as f64
}

/// The area for every pair of classes, each against the other by its own score, and the mean of all.
///
/// Hand and Till 2001.
pub fn roc_auc_one_against_one(scores: &Scores) -> f64 {
    let mut areas = Vec::new();
    let against = |a: usize, b: usize| {
        let examples = scores.examples().filter(|(_, label)| *label as usize == a || *label as usize == b);
        let (column, positive): (Vec<f64>, Vec<bool>) =
            examples.map(|(row, label)| (row[a], label as usize == a)).unzip();
        roc_auc(&column, &positive)
    };
    for a in 0..scores.classes() {
        for b in a + 1..scores.classes() {
            areas.push((against(a, b) + against(b, a)) / 2.0);
        }
    }
    areas.iter().sum::<f64>() / areas.len() as f64
}

type Area = fn(&[f64], &[bool]) -> f64;

/// An area of each class against the rest, averaged as the options say; of two classes, that of class 1. A class without
/// examples counts as `absent`, if that is given, and not at all where it is NaN.
fn against_the_rest(scores: &Scores, area: Area, options: &Options, absent: Option<f64>) -> Value {
    let of = |class: usize| match absent {
        Some(absent) if !scores.is_binary() && scores.prevalence(class) == 0.0 => absent,
        _ => {
            let (column, positive) = scores.against_the_rest(class);
            area(&column, &positive)
        }
    };
    let classes = 0..scores.classes();
    match options.choice("average") {
        "none" if scores.columns == 1 => Value::PerClass(vec![ClassValue { class: 1, value: of(1) }]),
        "none" => Value::per_class(classes.map(of).collect()),
        _ if scores.is_binary() => Value::Number(of(1)),
        "weighted" => {
            let occurring = classes.filter(|class| absent.is_none() || scores.prevalence(*class) > 0.0);
            Value::Number(occurring.map(|class| scores.prevalence(class) * of(class)).sum())
        }
        "micro" => {
            let decisions = scores.examples().flat_map(|(row, label)| {
                row.iter().enumerate().map(move |(class, score)| (*score, class as u32 == label))
            });
            let (column, positive): (Vec<f64>, Vec<bool>) = decisions.unzip();
            Value::Number(area(&column, &positive))
        }
        _ => {
            let counted: Vec<f64> = classes.map(of).filter(|area| absent.is_none() || !area.is_nan()).collect();
            Value::Number(counted.iter().sum::<f64>() / counted.len() as f64)
        }
    }
}

/// A curve of each class against the rest; of two classes, that of class 1.
fn curves(scores: &Scores, points: fn(&[f64], &[bool]) -> Vec<Point>, area: Area) -> Value {
    let classes = if scores.is_binary() { 1..2 } else { 0..scores.classes() };
    let curve = |class: usize| {
        let (column, positive) = scores.against_the_rest(class);
        let (points, area) = (points(&column, &positive), area(&column, &positive));
        Curve { class: class as i64, points, area, prevalence: scores.prevalence(class) }
    };
    Value::Curves(classes.map(curve).collect())
}

const AVERAGE: OptionRow = OptionRow {
    name: "average",
    meaning: "over classes, each against the rest: the mean, weighted by examples, all decisions in one list, or no \
              average; of two classes it is class 1 that counts",
    kind: OptionKind::Choice(&["macro", "weighted", "micro", "none"]),
};

pub(super) const ROC_AUC: Metric = Metric {
    name: "roc_auc",
    formula: "P(score of a positive > score of a negative) + ½ P(equal)",
    summary: "area under the ROC curve; undefined where a class is missing",
    source: "Hanley and McNeil 1982; Hand and Till 2001 for ovo; scikit-learn roc_auc_score",
    range: (0.0, 1.0),
    higher_is_better: Some(true),
    drawn: None,
    options: &[
        OptionRow {
            name: "multi_class",
            meaning: "of more than two classes: each against the rest, or every pair",
            kind: OptionKind::Choice(&["ovr", "ovo"]),
        },
        AVERAGE,
    ],
    judge: Judge::Scores(|scores, options| match (options.choice("multi_class"), options.choice("average")) {
        ("ovo", "macro") if !scores.is_binary() => Ok(Value::Number(roc_auc_one_against_one(scores))),
        ("ovo", other) if !scores.is_binary() => {
            Err(Error::Argument(format!("`average` is {other}; pairs of classes (`multi_class` ovo) have only macro")))
        }
        _ => Ok(against_the_rest(scores, roc_auc, options, None)),
    }),
    reward: None,
};

pub(super) const AVERAGE_PRECISION: Metric = Metric {
    name: "average_precision",
    formula: "Σ (R_n − R_{n−1}) P_n over thresholds",
    summary: "area under the precision-recall steps, without interpolation; 0 for a single class without examples",
    source: "scikit-learn average_precision_score",
    options: &[
        AVERAGE,
        OptionRow {
            meaning: "what a class without examples counts as; an undefined one is left out of means",
            ..ABSENT
        },
    ],
    judge: Judge::Scores(|scores, options| {
        Ok(against_the_rest(scores, average_precision, options, Some(absent(options))))
    }),
    ..ROC_AUC
};

pub(super) const TOP_K: Metric = Metric {
    name: "top_k",
    formula: "mean of [fewer than k classes score higher than y]",
    summary: "share of examples whose label is among the k highest scores; of equal ones the lower class comes first",
    source: "scikit-learn top_k_accuracy_score",
    options: &[OptionRow {
        name: "k",
        meaning: "how many guesses",
        kind: OptionKind::Whole { default: Some(5), at_least: 1 },
    }],
    judge: Judge::Rows(|scores, options| {
        if scores.columns == 1 {
            return Err(Error::Argument("top_k needs a score for every class, in rows".into()));
        }
        let k = options.whole("k").and_then(|k| usize::try_from(k).ok()).unwrap_or(1);
        Ok(Value::Number(top_k(scores, k)))
    }),
    ..ROC_AUC
};

pub(super) const ROC_CURVE: Metric = Metric {
    name: "roc_curve",
    formula: "(fp / negatives, tp / positives) at every threshold",
    summary: "receiver operating characteristic of each class against the rest (of two classes: of class 1)",
    source: "scikit-learn roc_curve",
    higher_is_better: None,
    drawn: Some(DrawnAs::RocCurve),
    options: &[],
    judge: Judge::Scores(|scores, _| Ok(curves(scores, roc_curve, roc_auc))),
    ..ROC_AUC
};

pub(super) const PR_CURVE: Metric = Metric {
    name: "pr_curve",
    formula: "(tp / positives, tp / (tp + fp)) at every threshold",
    summary: "precision against recall of each class against the rest (of two classes: of class 1)",
    source: "scikit-learn precision_recall_curve",
    drawn: Some(DrawnAs::PrecisionRecallCurve),
    judge: Judge::Scores(|scores, _| Ok(curves(scores, precision_recall_curve, average_precision))),
    ..ROC_CURVE
};
