//! The surrogate of whole sequences of actions, such as tokens or the steps of an episode.

use super::KlEstimator;
use super::returns::single;
use num_traits::Float;

/// Sequences of one advantage each; log-probabilities are one sequence after the other, `[tokens]`.
#[derive(Clone, Copy, Debug)]
pub struct Sequences<'a, T> {
    /// Tokens of each sequence, `[sequences]`.
    pub lengths: &'a [usize],
    /// `[sequences]`
    pub advantages: &'a [T],
    /// Under the policy that learns.
    pub log_probs: &'a [T],
    /// Under the policy that acted.
    pub old_log_probs: &'a [T],
    /// Under the policy that is not to be left far behind.
    pub reference_log_probs: &'a [T],
}

/// A surrogate to maximize.
#[derive(Clone, Debug, PartialEq)]
pub struct SequenceSurrogate<T> {
    pub value: T,
    /// `[tokens]`
    pub per_token: Vec<T>,
    /// Of the value by `log_probs`, `[tokens]`.
    pub gradient: Vec<T>,
}

/// The objective of GRPO (Shao et al. 2024, arXiv 2402.03300, equation 3): the mean over sequences of the mean over their
/// tokens of
///
/// ```text
/// min(ρ A, clip(ρ, 1 − ε, 1 + ε) A) − β (e^ℓ − 1 − ℓ),   ρ = π / π_old,   ℓ = log π_reference − log π
/// ```
///
/// with `ε = clip` and `β = kl_coefficient`. A sequence without tokens counts as 0.
///
/// # Panics
/// When there are not as many tokens as the lengths say, or not as many advantages as lengths.
pub fn sequence_surrogate<T: Float>(sequences: &Sequences<T>, clip: T, kl_coefficient: T) -> SequenceSurrogate<T> {
    let Sequences { lengths, advantages, log_probs, old_log_probs, reference_log_probs } = *sequences;
    let tokens = lengths.iter().sum::<usize>();
    let given = [log_probs.len(), old_log_probs.len(), reference_log_probs.len()];
    assert_eq!(given, [tokens; 3], "log-probabilities of {tokens} tokens");
    assert_eq!(advantages.len(), lengths.len(), "advantages of the sequences");
    let (mut per_token, mut gradient) = (Vec::with_capacity(tokens), Vec::with_capacity(tokens));
    let mut value = T::zero();
    for (length, advantage) in lengths.iter().zip(advantages) {
        let weight = single::<T>(1.0 / (length * lengths.len()) as f64);
        for _ in 0..*length {
            let token = per_token.len();
            let (surrogate, slope) = clipped(log_probs[token] - old_log_probs[token], *advantage, clip);
            let (divergence, divergence_slope) = KlEstimator::K3.at(reference_log_probs[token] - log_probs[token]);
            per_token.push(surrogate - kl_coefficient * divergence);
            // The log-ratio of the divergence falls as the policy's log-probability rises.
            gradient.push(weight * (slope + kl_coefficient * divergence_slope));
            value = value + weight * per_token[token];
        }
    }
    SequenceSurrogate { value, per_token, gradient }
}

/// The clipped surrogate, and its derivative by the log-ratio.
fn clipped<T: Float>(log_ratio: T, advantage: T, clip: T) -> (T, T) {
    let ratio = log_ratio.exp();
    let free = ratio * advantage;
    let held = ratio.max(T::one() - clip).min(T::one() + clip) * advantage;
    if free <= held { (free, free) } else { (held, T::zero()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn the_gradient_equals_finite_differences_over_sequences_of_any_length() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        let lengths = [3, 0, 1, 5];
        let mut draw = |n: usize| (0..n).map(|_| rng.random_range(-2.0..0.0)).collect::<Vec<f64>>();
        let (log_probs, old_log_probs, reference_log_probs, advantages) = (draw(9), draw(9), draw(9), draw(4));
        let advantages: Vec<f64> = advantages.iter().map(|advantage| advantage + 1.0).collect();
        let surrogate = |log_probs: &[f64]| {
            let sequences = Sequences {
                lengths: &lengths,
                advantages: &advantages,
                log_probs,
                old_log_probs: &old_log_probs,
                reference_log_probs: &reference_log_probs,
            };
            sequence_surrogate(&sequences, 0.2, 0.1)
        };
        let got = surrogate(&log_probs);
        let mean = |tokens: &[f64]| tokens.iter().sum::<f64>() / tokens.len() as f64;
        let means = mean(&got.per_token[..3]) + mean(&got.per_token[3..4]) + mean(&got.per_token[4..]);
        assert!((got.value - means / 4.0).abs() < 1e-12);
        for token in 0..9 {
            let at = |shift: f64| {
                let mut moved = log_probs.clone();
                moved[token] += shift;
                surrogate(&moved).value
            };
            let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
            assert!((slope - got.gradient[token]).abs() < 1e-8, "{token}: {slope} {}", got.gradient[token]);
        }
    }
}
