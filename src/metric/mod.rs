//! What people judge by; never differentiated. A metric that scores a chosen class can also be a reward: both come from the
//! same function. [`ALL`] is the table behind `lossward list metrics` and the error suggestions.

use crate::{Error, Result, distribution};

/// One row of the table.
pub struct Metric {
    pub name: &'static str,
    pub formula: &'static str,
    pub summary: &'static str,
    pub range: &'static str,
    pub higher_is_better: bool,
    pub score: Score,
}

/// How one example is scored; the metric is the mean over examples.
#[derive(Clone, Copy)]
pub enum Score {
    /// By the class that was chosen: `(chosen, label)`. Of a network's output, its most likely class is taken.
    Class(fn(u32, u32) -> f64),
    /// By the whole output: `(logits, label)`.
    Output(fn(&[f32], u32) -> f64),
}

pub const ALL: &[Metric] = &[
    Metric {
        name: "accuracy",
        formula: "mean of [argmax z = y]",
        summary: "share of examples whose most likely class is the label; as a reward: 1 for the right class, else 0",
        range: "0 to 1",
        higher_is_better: true,
        score: Score::Class(|chosen, label| f64::from(u8::from(chosen == label))),
    },
    Metric {
        name: "cross_entropy",
        formula: "mean of −log softmax(z)_y",
        summary: "log loss in nats; ln(classes) for a uniform guess",
        range: "0 to ∞",
        higher_is_better: false,
        score: Score::Output(|logits, label| -distribution::log_probs(logits).nth(label as usize).unwrap_or(f64::NAN)),
    },
];

/// The metric named `name`.
pub fn find(name: &str) -> Result<&'static Metric> {
    ALL.iter().find(|metric| metric.name == name).ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|metric| metric.name).collect();
        Error::Argument(crate::error::unknown("metric", name, &known))
    })
}

impl Metric {
    /// The mean over rows; `logits` is `[rows, classes]`, `labels` is `[rows]`.
    pub fn mean(&self, logits: &[f32], labels: &[u32]) -> f64 {
        let classes = logits.len() / labels.len();
        let score = |(row, &label): (&[f32], &u32)| match self.score {
            Score::Class(score) => score(distribution::mode(row), label),
            Score::Output(score) => score(row, label),
        };
        logits.chunks_exact(classes).zip(labels).map(score).sum::<f64>() / labels.len() as f64
    }
}

/// The mean over rows of `Σ_a softmax(z)_a score(a, y)`: what a policy that samples its class earns, without sampling.
pub fn expected_score(score: fn(u32, u32) -> f64, logits: &[f32], labels: &[u32]) -> f64 {
    let classes = logits.len() / labels.len();
    let expected = |(row, &label): (&[f32], &u32)| {
        distribution::log_probs(row)
            .enumerate()
            .map(|(a, log_prob)| log_prob.exp() * score(a as u32, label))
            .sum::<f64>()
    };
    logits.chunks_exact(classes).zip(labels).map(expected).sum::<f64>() / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_a_table_computed_by_hand() {
        // Rows: p = (1/4, 3/4) and p = (1/2, 1/2); labels 1 and 1; the tie goes to class 0.
        let logits = [0.0, 3f32.ln(), 0.0, 0.0];
        assert_eq!(find("accuracy").unwrap().mean(&logits, &[1, 1]), 0.5);
        let expected = -(0.75f64.ln() + 0.5f64.ln()) / 2.0;
        assert!((find("cross_entropy").unwrap().mean(&logits, &[1, 1]) - expected).abs() < 1e-7);
        let Score::Class(score) = find("accuracy").unwrap().score else { panic!("accuracy scores a class") };
        assert!((expected_score(score, &logits, &[1, 1]) - 0.625).abs() < 1e-7);
    }
}
