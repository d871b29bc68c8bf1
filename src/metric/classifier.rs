//! A classifier's output, in each form that a metric asks for.

use super::{Confusion, Reward, Scores};
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

    /// Not checked: a number that is not finite shows in the value.
    fn scores<'s>(&'s self, values: &'s [f64]) -> Scores<'s> {
        Scores { values, columns: self.classes, labels: self.labels }
    }

    /// Of the most likely class, the first of equals.
    pub(super) fn confusion(&self) -> Result<&Confusion> {
        if self.confusion.get().is_none() {
            let chosen: Vec<u32> = self.logits.chunks_exact(self.classes).map(distribution::mode).collect();
            // Whoever came first has put in the same.
            self.confusion.set(Confusion::new(&chosen, self.labels, self.classes)?).ok();
        }
        self.confusion.get().ok_or_else(|| Error::Argument("there is no confusion".into()))
    }

    pub(super) fn logits(&self) -> Scores<'_> {
        self.scores(self.exact.get_or_init(|| self.logits.iter().map(|logit| f64::from(*logit)).collect()))
    }

    /// The softmax, in double precision.
    pub(super) fn probabilities(&self) -> Scores<'_> {
        self.scores(self.probabilities.get_or_init(|| {
            self.logits.chunks_exact(self.classes).flat_map(distribution::log_probs).map(f64::exp).collect()
        }))
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
    use super::*;

    /// p = (1/4, 3/4) and p = (1/2, 1/2), both labelled 1.
    #[test]
    fn the_expected_reward_is_the_mean_probability_of_the_label() {
        let reward = Reward::of_class(None, 2).unwrap();
        assert!((expected_reward(&reward, &[0.0, 3f32.ln(), 0.0, 0.0], &[1, 1]) - 0.625).abs() < 1e-7);
    }
}
