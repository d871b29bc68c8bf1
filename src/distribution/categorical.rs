//! One class out of several.

use crate::Rng;
use crate::kernel::{self, Choices};
use candle_core::{D, Result, Tensor};
use rand::Rng as _;

/// Categorical distributions, one per row of `logits`, `[batch, classes]`.
///
/// `p = softmax(logits)`. The gradient of `log p_y` with respect to the logits is `e_y − p`: what a label and a sampled
/// action have in common.
pub struct Categorical {
    logits: Tensor,
}

impl Categorical {
    /// From unnormalized log-probabilities, `[batch, classes]`.
    pub fn new(logits: &Tensor) -> Self {
        Categorical { logits: logits.clone() }
    }

    /// `log p_y` of each row, `[batch]`; `classes` is `[batch]` of u32.
    pub fn log_prob(&self, classes: &Tensor) -> Result<Tensor> {
        kernel::log_prob(&self.logits, classes)
    }

    /// `−Σ p log p` of each row in nats, `[batch]`. A class whose logit is −∞ has no part in it.
    pub fn entropy(&self) -> Result<Tensor> {
        let log_probs = self.log_probs()?;
        (log_probs.exp()? * where_finite(&log_probs, &log_probs)?)?.sum(D::Minus1)?.neg()
    }

    /// `Σ p (log p − log q)` of each row in nats, `[batch]`, over the classes that can occur.
    pub fn kl_divergence(&self, other: &Categorical) -> Result<Tensor> {
        let log_probs = self.log_probs()?;
        let difference = (&log_probs - other.log_probs()?)?;
        (log_probs.exp()? * where_finite(&log_probs, &difference)?)?.sum(D::Minus1)
    }

    /// `log p` of every class, `[batch, classes]`.
    pub fn log_probs(&self) -> Result<Tensor> {
        candle_nn::ops::log_softmax(&self.logits, D::Minus1)
    }
}

/// `values`, and 0 where `log_probs` is −∞.
fn where_finite(log_probs: &Tensor, values: &Tensor) -> Result<Tensor> {
    log_probs.ne(f64::NEG_INFINITY)?.where_cond(values, &values.zeros_like()?)
}

/// `log softmax` of one row, in double precision: subtracts the largest logit, so that no exponential overflows.
pub fn log_probs<T: Copy + Into<f64>>(logits: &[T]) -> impl Iterator<Item = f64> + '_ {
    let exact = |z: &T| -> f64 { (*z).into() };
    let largest = logits.iter().map(exact).fold(f64::NEG_INFINITY, f64::max);
    let normalizer = largest + logits.iter().map(|z| (exact(z) - largest).exp()).sum::<f64>().ln();
    logits.iter().map(move |z| exact(z) - normalizer)
}

/// The categorical distributions of many rows at once, without a graph: what acting and judging need.
pub struct Probabilities<'a>(Choices<'a, f32>);

impl<'a> Probabilities<'a> {
    /// `logits` is `[rows, classes]`.
    pub fn of(logits: &'a [f32], classes: usize) -> Self {
        Probabilities(Choices::among_all(logits, classes))
    }

    /// Independent classes of so many each, whose logits follow one another in a row.
    pub fn of_blocks(logits: &'a [f32], sizes: &[u32]) -> Vec<Self> {
        Choices::among_blocks(logits, sizes).into_iter().map(Probabilities).collect()
    }

    /// Draws a class of one row and returns it with its log-probability.
    pub fn sample(&self, row: usize, rng: &mut Rng) -> (u32, f32) {
        let mut left: f64 = rng.random();
        let mut drawn = 0;
        for (class, &p) in self.0.probabilities(row).iter().enumerate() {
            // Rounding may leave a crumb after the last class; it falls to the last one that can occur.
            if p > 0.0 {
                drawn = class;
            }
            left -= f64::from(p);
            if left < 0.0 {
                break;
            }
        }
        (drawn as u32, self.0.log_prob(row, drawn))
    }

    /// The most likely class of one row.
    pub fn mode(&self, row: usize) -> u32 {
        mode(self.0.logits(row))
    }

    /// The entropy of each row in nats.
    pub fn entropies(&self) -> &[f32] {
        self.0.entropies()
    }
}

/// The most likely class of one row; the first one of equals.
pub fn mode<T: PartialOrd>(logits: &[T]) -> u32 {
    let better = |best: usize, i: usize| if logits[i] > logits[best] { i } else { best };
    (0..logits.len()).fold(0, better) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_probabilities() {
        let logits = [0.0, 1.0, -1.0, f32::NEG_INFINITY];
        let mut rng = lossward_envs::stream(0, "policy", 0);
        let mut counts = [0u32; 4];
        let (probabilities, expected) = (Probabilities::of(&logits, 4), log_probs(&logits).collect::<Vec<_>>());
        for _ in 0..100_000 {
            let (class, log_prob) = probabilities.sample(0, &mut rng);
            assert!((f64::from(log_prob) - expected[class as usize]).abs() < 1e-6);
            counts[class as usize] += 1;
        }
        for (count, log_prob) in counts.iter().zip(expected) {
            // Five standard deviations of a binomial count.
            let expected = log_prob.exp() * 1e5;
            assert!((f64::from(*count) - expected).abs() <= 5.0 * expected.sqrt(), "{counts:?}");
        }
        assert_eq!(mode(&logits), 1);
    }

    #[test]
    fn uniform_logits_have_the_entropy_of_a_fair_die() {
        let entropy = |logits: &[f32]| Probabilities::of(logits, logits.len()).entropies()[0];
        assert!((entropy(&[3.0; 6]) - 6f32.ln()).abs() < 1e-6);
        assert_eq!(entropy(&[1e4, -1e4]), 0.0);
    }
}
