//! Whether probabilities are what they say.

use super::{Bin, DrawnAs, Judge, Metric, Scores, Value};
use crate::distribution;
use crate::options::{OptionKind, OptionRow, Options};
use crate::{Error, Result};

/// Confidence against correctness in `bins` bins of equal width, `[low, high)`, the last one with its end.
///
/// For rows of probabilities: the largest one, and whether its class (the first of equals) is the label. For a single
/// column: the probability of class 1, and whether that is the label.
pub fn reliability(probabilities: &Scores, bins: usize) -> Vec<Bin> {
    let edge = |i: usize| i as f64 / bins as f64;
    let empty = |i: usize| Bin { low: edge(i), high: edge(i + 1), count: 0, confidence_sum: 0.0, correct: 0 };
    let mut found: Vec<Bin> = (0..bins).map(empty).collect();
    for (row, label) in probabilities.examples() {
        let (confidence, correct) = match row {
            [p] => (*p, label == 1),
            row => {
                let chosen = distribution::mode(row);
                (row[chosen as usize], chosen == label)
            }
        };
        let bin = &mut found[(1..bins).filter(|i| edge(*i) <= confidence).count()];
        bin.count += 1;
        bin.confidence_sum += confidence;
        bin.correct += u64::from(correct);
    }
    found
}

/// How the distances between confidence and accuracy of the bins become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Norm {
    /// `Σ n_b / N |accuracy_b − confidence_b|`: the expected calibration error.
    L1,
    /// `√(Σ n_b / N (accuracy_b − confidence_b)²)`: its root mean square.
    L2,
    /// `max |accuracy_b − confidence_b|`: the maximum calibration error.
    Max,
}

/// The calibration error of bins; empty ones don't count.
///
/// Naeini et al. 2015, Guo et al. 2017; torchmetrics `calibration_error`.
pub fn calibration_error(bins: &[Bin], norm: Norm) -> f64 {
    let total = bins.iter().map(|bin| bin.count).sum::<u64>() as f64;
    let filled = bins.iter().filter(|bin| bin.count > 0);
    let gaps = filled.map(|bin| (bin.count as f64 / total, (bin.accuracy() - bin.confidence()).abs()));
    match norm {
        Norm::L1 => gaps.map(|(share, gap)| share * gap).sum(),
        Norm::L2 => gaps.map(|(share, gap)| share * gap * gap).sum::<f64>().sqrt(),
        Norm::Max => gaps.map(|(_, gap)| gap).fold(0.0, f64::max),
    }
}

const BINS: OptionRow = OptionRow {
    name: "bins",
    meaning: "bins of equal width from 0 to 1",
    kind: OptionKind::Whole { default: Some(15), at_least: 1 },
};

/// Finer than any set of examples.
const MOST_BINS: usize = 10_000;

fn bins(scores: &Scores, options: &Options) -> Result<Vec<Bin>> {
    match options.whole("bins").and_then(|bins| usize::try_from(bins).ok()) {
        Some(bins) if bins <= MOST_BINS => Ok(reliability(scores, bins)),
        _ => Err(Error::Argument(format!("`bins` must be at most {MOST_BINS}"))),
    }
}

pub(super) const CALIBRATION_ERROR: Metric = Metric {
    name: "calibration_error",
    formula: "Σ n_b / N |accuracy_b − confidence_b| over bins of confidence",
    summary: "how far confidence is from accuracy: l1 the expected, l2 the root mean square, max the largest distance",
    source: "Naeini et al. 2015; Guo et al. 2017; torchmetrics calibration_error",
    range: (0.0, 1.0),
    options: &[
        BINS,
        OptionRow {
            name: "norm",
            meaning: "how distances of bins become one number",
            kind: OptionKind::Choice(&["l1", "l2", "max"]),
        },
    ],
    judge: Judge::Probabilities(|probabilities, options| {
        let norm = match options.choice("norm") {
            "l2" => Norm::L2,
            "max" => Norm::Max,
            _ => Norm::L1,
        };
        Ok(Value::Number(calibration_error(&bins(probabilities, options)?, norm)))
    }),
    ..super::probability::LOG_LOSS
};

pub(super) const RELIABILITY: Metric = Metric {
    name: "reliability",
    formula: "(mean confidence, accuracy) per bin of confidence",
    summary: "reliability diagram: on the diagonal, confidence is what it says",
    source: "DeGroot and Fienberg 1983; Guo et al. 2017",
    range: (0.0, 1.0),
    higher_is_better: None,
    drawn: Some(DrawnAs::Reliability),
    options: &[BINS],
    judge: Judge::Probabilities(|probabilities, options| bins(probabilities, options).map(Value::Bins)),
    ..super::probability::LOG_LOSS
};
