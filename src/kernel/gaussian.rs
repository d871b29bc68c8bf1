//! Diagonal Gaussian distributions of real actions, squashed by tanh or not.

use super::activation::Real;
use super::distributions::Distributions;
use super::vector::{Simd, WithSimd, vectorized};
use candle_core::WithDType;
use std::f64::consts::{LN_2, PI};

/// What was drawn in every row; the formulas are those of [`crate::distribution::Gaussian`] and
/// [`crate::distribution::TanhGaussian`].
#[derive(Clone, Copy)]
pub(crate) struct Gaussians<'a, T> {
    /// Means, and behind them the logarithms of the standard deviations: `[rows, 2 · size]`.
    pub outputs: &'a [T],
    /// Before any squashing, `[rows, size]`.
    pub values: &'a [T],
    pub size: usize,
    /// Of tanh: the sum of `ln((high − low)/2)`.
    pub log_scale: Option<T>,
}

impl<'a, T: Real> Gaussians<'a, T> {
    /// Of every row: means, logarithms of standard deviations, values.
    #[inline(always)]
    fn rows(&self) -> impl Iterator<Item = (&'a [T], &'a [T], &'a [T])> {
        let size = self.size;
        let rows = self.outputs.chunks_exact(2 * size).zip(self.values.chunks_exact(size));
        rows.map(move |(outputs, values)| (&outputs[..size], &outputs[size..], values))
    }
}

impl<T: Real> Distributions<T> for Gaussians<'_, T> {
    fn log_probs(&self, out: &mut [T]) {
        vectorized(LogProbs { of: *self, out });
    }

    fn entropy(&self) -> f64 {
        let mut entropy = 0.0;
        for (_, log_stds, values) in self.rows() {
            let of_one = |log_std: &T| 0.5 * (1.0 + (2.0 * PI).ln()) + WithDType::to_f64(*log_std);
            entropy += log_stds.iter().map(of_one).sum::<f64>();
            if let Some(log_scale) = self.log_scale {
                entropy += WithDType::to_f64(log_scale);
                entropy += values.iter().map(|u| WithDType::to_f64(log_slope_of_tanh(*u))).sum::<f64>();
            }
        }
        entropy
    }

    fn gradient(&self, slopes: &[T], coefficient: T, out: &mut [T]) {
        vectorized(Gradient { of: *self, slopes, coefficient, out });
    }
}

/// `ln(1 − tanh² u) = 2 (ln 2 − |u| − ln(1 + e^(−2|u|)))`, exact where tanh is ±1.
#[inline(always)]
fn log_slope_of_tanh<T: Real>(u: T) -> T {
    let two = T::one() + T::one();
    let tail = (T::one() + (-two * u.abs()).fast_exp()).fast_ln();
    two * (<T as WithDType>::from_f64(LN_2) - u.abs() - tail)
}

struct LogProbs<'a, T> {
    of: Gaussians<'a, T>,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for LogProbs<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let LogProbs { of, out } = self;
        let half = <T as WithDType>::from_f64(0.5);
        let constant = <T as WithDType>::from_f64(0.5 * (2.0 * PI).ln());
        for (out, (means, log_stds, values)) in out.iter_mut().zip(of.rows()) {
            let mut sum = T::zero();
            for ((mean, log_std), value) in means.iter().zip(log_stds).zip(values) {
                let z = (*value - *mean) * (-*log_std).fast_exp();
                sum -= half * z * z + *log_std + constant;
            }
            if let Some(log_scale) = of.log_scale {
                sum -= values.iter().fold(log_scale, |sum, u| sum + log_slope_of_tanh(*u));
            }
            *out = sum;
        }
    }
}

/// Of the mean over rows of `slope · log π + coefficient · entropy` with respect to the outputs.
struct Gradient<'a, T> {
    of: Gaussians<'a, T>,
    slopes: &'a [T],
    coefficient: T,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Gradient { of, slopes, coefficient, out } = self;
        let (one, zero) = (T::one(), T::zero());
        let scale = one / <T as WithDType>::from_f64(slopes.len() as f64);
        let rows = out.chunks_exact_mut(2 * of.size).zip(of.rows()).zip(slopes);
        for ((out, (means, log_stds, values)), slope) in rows {
            let (by_mean, by_log_std) = out.split_at_mut(of.size);
            let inputs = means.iter().zip(log_stds).zip(values);
            for ((by_mean, by_log_std), ((mean, log_std), value)) in by_mean.iter_mut().zip(by_log_std).zip(inputs) {
                let inverse = (-*log_std).fast_exp();
                let z = (*value - *mean) * inverse;
                // Of the squashed entropy by the value, which moves with the mean and the standard deviation.
                let drift = match of.log_scale {
                    Some(_) => -(one + one) * value.fast_tanh(),
                    None => zero,
                };
                *by_mean = (*slope * z * inverse + coefficient * drift) * scale;
                *by_log_std = (*slope * (z * z - one) + coefficient * (one + drift * (*value - *mean))) * scale;
            }
        }
    }
}
