//! Estimates of the Kullback-Leibler divergence from log-probabilities of samples (Schulman 2020, "Approximating KL
//! divergence").

use num_traits::Float;

/// An estimator of `KL(q‖p)` from samples of `q`, of the log-ratio `ℓ = log p − log q`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KlEstimator {
    /// `−ℓ`: unbiased, and negative for many samples.
    K1,
    /// `ℓ²/2`: never negative, biased, with the gradient of the divergence where `p = q`.
    K2,
    /// `e^ℓ − 1 − ℓ`: unbiased and never negative.
    K3,
}

impl KlEstimator {
    /// The estimate, and its derivative by `ℓ` (which is that by `log p`, and minus that by `log q`).
    pub fn at<T: Float>(self, log_ratio: T) -> (T, T) {
        match self {
            KlEstimator::K1 => (-log_ratio, -T::one()),
            KlEstimator::K2 => (log_ratio * log_ratio / (T::one() + T::one()), log_ratio),
            KlEstimator::K3 => {
                let excess = log_ratio.exp_m1();
                (excess - log_ratio, excess)
            }
        }
    }
}

/// One estimate per sample `[batch]` and its derivative by `log p`, of what samples of `q` have as `log_p` and `log_q`.
///
/// # Panics
/// When the slices differ in length.
pub fn kl_estimates<T: Float>(estimator: KlEstimator, log_p: &[T], log_q: &[T]) -> (Vec<T>, Vec<T>) {
    assert_eq!(log_p.len(), log_q.len(), "log-probabilities under p and under q");
    log_p.iter().zip(log_q).map(|(p, q)| estimator.at(*p - *q)).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [KlEstimator; 3] = [KlEstimator::K1, KlEstimator::K2, KlEstimator::K3];

    #[test]
    fn derivatives_equal_finite_differences() {
        for estimator in ALL {
            for log_ratio in [-2.0, -0.3, 0.0, 1e-4, 1.5] {
                let at = |shift: f64| estimator.at(log_ratio + shift).0;
                let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
                assert!((slope - estimator.at(log_ratio).1).abs() < 1e-8, "{estimator:?} at {log_ratio}");
            }
        }
    }

    /// K3 is `ℓ²/2 + ℓ³/6 + …`; computed as `(e^ℓ − 1) − ℓ` without `exp_m1` it would have no digits left here.
    #[test]
    fn k3_keeps_digits_near_0() {
        let log_ratio: f64 = 1e-7;
        assert!((KlEstimator::K3.at(log_ratio).0 / (log_ratio.powi(2) / 2.0) - 1.0).abs() < 1e-2);
    }
}
