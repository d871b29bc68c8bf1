//! How good the probability of the label is: log loss, Brier score, cross-entropy.

use super::{Judge, Metric, Scores, Value};
use crate::distribution;

/// `−mean ln max(p_y, 2⁻⁵²)` in nats; a single column is the probability of class 1.
///
/// Clipped as in scikit-learn `log_loss`, so that a certain mistake costs 36.04.
pub fn log_loss(probabilities: &Scores) -> f64 {
    let loss = |(row, label): (&[f64], u32)| -probability(row, label).max(f64::EPSILON).ln();
    mean(probabilities, loss)
}

/// The probability of a class, of which a single column names that of class 1.
fn probability(row: &[f64], class: u32) -> f64 {
    match row {
        [p] if class == 0 => 1.0 - p,
        [p] => *p,
        row => row[class as usize],
    }
}

/// `mean Σ_c (p_c − [c = y])²`, from 0 to 2; of two classes `mean (p_1 − [y = 1])²`, which is half of that.
///
/// Brier 1950; scikit-learn `brier_score_loss`.
pub fn brier(probabilities: &Scores) -> f64 {
    let square = |p: f64, hit: bool| (p - f64::from(u8::from(hit))).powi(2);
    let score = |(row, label): (&[f64], u32)| match probabilities.is_binary() {
        true => square(probability(row, 1), label == 1),
        false => row.iter().enumerate().map(|(class, p)| square(*p, class as u32 == label)).sum(),
    };
    mean(probabilities, score)
}

/// `−mean log softmax(z)_y` in nats; a single column is the logit of class 1 against 0.
pub fn cross_entropy(logits: &Scores) -> f64 {
    let loss = |(row, label): (&[f64], u32)| {
        let pair = [0.0, row[0]];
        let row = if row.len() == 1 { &pair } else { row };
        -distribution::log_probs(row).nth(label as usize).unwrap_or(f64::NAN)
    };
    mean(logits, loss)
}

fn mean(scores: &Scores, of: impl Fn((&[f64], u32)) -> f64) -> f64 {
    scores.examples().map(of).sum::<f64>() / scores.examples_len() as f64
}

pub(super) const LOG_LOSS: Metric = Metric {
    name: "log_loss",
    formula: "−mean ln max(p_y, 2⁻⁵²)",
    summary: "surprise at the label, in nats; 36.04 at most",
    source: "scikit-learn log_loss",
    range: (0.0, f64::INFINITY),
    higher_is_better: Some(false),
    drawn: None,
    options: &[],
    judge: Judge::Probabilities(|probabilities, _| Ok(Value::Number(log_loss(probabilities)))),
    reward: None,
};

pub(super) const CROSS_ENTROPY: Metric = Metric {
    name: "cross_entropy",
    formula: "mean of −log softmax(z)_y",
    summary: "log loss of logits in nats; ln(classes) for a uniform guess",
    source: "PyTorch cross_entropy",
    judge: Judge::Rows(|logits, _| Ok(Value::Number(cross_entropy(logits)))),
    ..LOG_LOSS
};

pub(super) const BRIER: Metric = Metric {
    name: "brier",
    formula: "mean Σ_c (p_c − [c = y])²; of two classes mean (p_1 − [y = 1])²",
    summary: "squared error of probabilities; of two classes 1 at most",
    source: "Brier 1950; scikit-learn brier_score_loss",
    range: (0.0, 2.0),
    judge: Judge::Probabilities(|probabilities, _| Ok(Value::Number(brier(probabilities)))),
    ..LOG_LOSS
};
