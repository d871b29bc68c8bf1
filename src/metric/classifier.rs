//! A classifier's output, judged by any metric that fits it.

use super::{Confusion, Judge, Metric, Reward, Scores, Value};
use crate::options::Options;
use crate::{Error, Result, distribution};
use std::cell::OnceCell;

/// Logits and labels, and the forms that metrics judge them in, each made when a metric first asks for it.
pub struct ClassifierOutput<'a> {
    logits: &'a [f32],
    labels: &'a [u32],
    classes: usize,
    confusion: OnceCell<Confusion>,
    exact: OnceCell<Vec<f64>>,
    probabilities: OnceCell<Vec<f64>>,
}

impl<'a> ClassifierOutput<'a> {
    /// `logits` is `[examples, classes]`, `labels` is `[examples]`, at least one of them and each below `classes`.
    pub fn new(logits: &'a [f32], labels: &'a [u32], classes: usize) -> Self {
        let (confusion, exact, probabilities) = Default::default();
        ClassifierOutput { logits, labels, classes, confusion, exact, probabilities }
    }

    /// What a metric says of it. Chosen is the most likely class, the first of equals; probabilities are the softmax, in
    /// double precision.
    ///
    /// # Errors
    /// When the metric judges something else than class labels, or its options don't fit.
    pub fn judged_by(&self, metric: &Metric, options: &Options) -> Result<Value> {
        match metric.judge {
            Judge::Chosen(value) => value(self.confusion()?, options),
            Judge::Rows(value) => value(&self.scores(self.exact()), options),
            Judge::Scores(value) | Judge::Probabilities(value) => value(&self.scores(self.probabilities()), options),
            Judge::Values(_) | Judge::Masks(_) | Judge::Detections(_) => {
                Err(Error::Argument(format!("`{}` judges {}, not a classifier", metric.name, metric.judge)))
            }
        }
    }

    /// Not checked: a number that is not finite shows in the value.
    fn scores<'s>(&'s self, values: &'s [f64]) -> Scores<'s> {
        Scores { values, columns: self.classes, labels: self.labels }
    }

    fn confusion(&self) -> Result<&Confusion> {
        if self.confusion.get().is_none() {
            let chosen: Vec<u32> = self.logits.chunks_exact(self.classes).map(distribution::mode).collect();
            // Whoever came first has put in the same.
            self.confusion.set(Confusion::new(&chosen, self.labels, self.classes)?).ok();
        }
        self.confusion.get().ok_or_else(|| Error::Argument("there is no confusion".into()))
    }

    fn exact(&self) -> &[f64] {
        self.exact.get_or_init(|| self.logits.iter().map(|logit| f64::from(*logit)).collect())
    }

    fn probabilities(&self) -> &[f64] {
        self.probabilities.get_or_init(|| {
            self.logits.chunks_exact(self.classes).flat_map(distribution::log_probs).map(f64::exp).collect()
        })
    }
}

/// The mean over rows of `Σ_a softmax(z)_a r(a, y)`: what a policy that samples its class earns, without sampling.
pub fn expected_reward(reward: &Reward, logits: &[f32], labels: &[u32]) -> f64 {
    let classes = logits.len() / labels.len();
    let expected = |(row, &label): (&[f32], &u32)| {
        distribution::log_probs(row)
            .enumerate()
            .map(|(a, log_prob)| log_prob.exp() * reward.of(a as f64, f64::from(label)))
            .sum::<f64>()
    };
    logits.chunks_exact(classes).zip(labels).map(expected).sum::<f64>() / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    #[test]
    fn metrics_of_a_table_computed_by_hand() {
        // Rows: p = (1/4, 3/4) and p = (1/2, 1/2); labels 1 and 1; the tie goes to class 0.
        let (logits, labels) = ([0.0, 3f32.ln(), 0.0, 0.0], [1, 1]);
        let output = ClassifierOutput::new(&logits, &labels, 2);
        let value = |name: &str| {
            let metric = find(name).unwrap();
            output.judged_by(metric, &Options::defaults(metric.options)).unwrap().numbers()[0]
        };
        assert_eq!((value("accuracy"), value("top_k")), (0.5, 1.0));
        let expected = -(0.75f64.ln() + 0.5f64.ln()) / 2.0;
        assert!((value("cross_entropy") - expected).abs() < 1e-7);
        assert!((value("log_loss") - expected).abs() < 1e-7);
        assert!((value("brier") - (0.0625 + 0.25) / 2.0).abs() < 1e-7);
        let reward = Reward::of_target(None, Some(2)).unwrap();
        assert!((expected_reward(&reward, &logits, &labels) - 0.625).abs() < 1e-7);
        let mse = find("mse").unwrap();
        let error = output.judged_by(mse, &Options::defaults(mse.options)).unwrap_err().to_string();
        assert!(error.contains("`mse` judges real values"), "{error}");
    }
}
