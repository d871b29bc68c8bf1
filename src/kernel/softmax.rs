//! Probabilities of rows of logits with all that is read off them, in one pass.

use super::activation::Real;
use super::buffer::Buffer;
use super::vector::{LANES, Simd, WithSimd, vectorized};

/// Of every row of logits `z`: `p = e^(z − m) / Σ e^(z − m)` with `m` the row's largest logit, so that no exponential overflows.
pub(crate) struct Softmax<T: Real> {
    /// `[rows, columns]`
    pub probabilities: Buffer<T>,
    /// `m` of each row, `[rows]`
    pub largest: Buffer<T>,
    /// `ln Σ e^(z − m)` of each row, `[rows]`; `log p = (z − m) − this`
    pub log_sums: Buffer<T>,
    /// `−Σ p log p` of each row in nats, `[rows]`
    pub entropies: Buffer<T>,
}

impl<T: Real> Softmax<T> {
    /// `logits` is `[rows, columns]`.
    pub fn of(logits: &[T], columns: usize) -> Self {
        let rows = logits.len().checked_div(columns).unwrap_or(0);
        let mut softmax = Softmax {
            probabilities: Buffer::any(logits.len()),
            largest: Buffer::any(rows),
            log_sums: Buffer::any(rows),
            entropies: Buffer::any(rows),
        };
        let mut tile = Buffer::any(columns * LANES);
        vectorized(Blocks { logits, columns, softmax: &mut softmax, tile: &mut tile });
        softmax
    }

    /// `log p` of one class of one row, whose logits these are.
    pub fn log_prob(&self, logits: &[T], row: usize, class: usize) -> T {
        logits[class] - self.largest[row] - self.log_sums[row]
    }
}

/// Works on blocks of [`LANES`] rows, held column by column in a tile, so that every step is one vector operation however few
/// columns there are. The sums of a row run from the first column to the last.
struct Blocks<'a, T: Real> {
    logits: &'a [T],
    columns: usize,
    softmax: &'a mut Softmax<T>,
    /// `[columns, LANES]`
    tile: &'a mut [T],
}

impl<T: Real> WithSimd for Blocks<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Blocks { logits, columns, softmax, tile } = self;
        let Softmax { probabilities, largest, log_sums, entropies } = softmax;
        let blocks = logits.chunks(LANES * columns).zip(probabilities.chunks_mut(LANES * columns));
        let per_row = largest.chunks_mut(LANES).zip(log_sums.chunks_mut(LANES)).zip(entropies.chunks_mut(LANES));
        for ((logits, probabilities), ((largest, log_sums), entropies)) in blocks.zip(per_row) {
            let rows = largest.len();
            for (column, lanes) in tile.chunks_exact_mut(LANES).enumerate() {
                for (row, lane) in lanes[..rows].iter_mut().enumerate() {
                    *lane = logits[row * columns + column];
                }
            }
            let mut most = [T::neg_infinity(); LANES];
            for lanes in tile.chunks_exact(LANES) {
                each(&mut most, lanes, |most, z| if z > most { z } else { most });
            }
            let (mut sum, mut weighted) = ([T::zero(); LANES], [T::zero(); LANES]);
            for lanes in tile.chunks_exact_mut(LANES) {
                for i in 0..LANES {
                    let z = lanes[i] - most[i];
                    let power = z.fast_exp();
                    lanes[i] = power;
                    sum[i] += power;
                    // A class of no probability adds nothing, though its logarithm is infinite.
                    weighted[i] += if power > T::zero() { power * z } else { T::zero() };
                }
            }
            let mut log_sum = [T::zero(); LANES];
            let mut scale = [T::zero(); LANES];
            for i in 0..LANES {
                log_sum[i] = sum[i].fast_ln();
                scale[i] = T::one() / sum[i];
                weighted[i] = log_sum[i] - weighted[i] * scale[i];
            }
            largest.copy_from_slice(&most[..rows]);
            log_sums.copy_from_slice(&log_sum[..rows]);
            entropies.copy_from_slice(&weighted[..rows]);
            for (column, lanes) in tile.chunks_exact_mut(LANES).enumerate() {
                for i in 0..LANES {
                    lanes[i] *= scale[i];
                }
                for (row, lane) in lanes[..rows].iter().enumerate() {
                    probabilities[row * columns + column] = *lane;
                }
            }
        }
    }
}

#[inline(always)]
fn each<T: Copy>(results: &mut [T; LANES], lanes: &[T], combine: impl Fn(T, T) -> T) {
    for (result, lane) in results.iter_mut().zip(lanes) {
        *result = combine(*result, *lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    /// The definitions in double precision, row by row.
    #[test]
    fn every_row_is_as_defined() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for _ in 0..100 {
            let (rows, columns) = (rng.random_range(0..50), rng.random_range(1..40));
            let logits: Vec<f32> = (0..rows * columns).map(|_| rng.random_range(-20.0..20.0)).collect();
            let softmax = Softmax::of(&logits, columns);
            for (row, z) in logits.chunks_exact(columns).enumerate() {
                let powers: Vec<f64> = z.iter().map(|z| f64::from(*z).exp()).collect();
                let sum: f64 = powers.iter().sum();
                let mut entropy = 0.0;
                for (class, power) in powers.iter().enumerate() {
                    let p = power / sum;
                    entropy -= p * p.ln();
                    let got = f64::from(softmax.probabilities[row * columns + class]);
                    assert!((got - p).abs() < 5e-6 * p + 1e-30, "p = {p}, got {got}");
                    let got = f64::from(softmax.log_prob(z, row, class));
                    assert!((got - p.ln()).abs() < 1e-5, "log p = {}, got {got}", p.ln());
                }
                assert!((f64::from(softmax.entropies[row]) - entropy).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn impossible_classes_and_large_logits_stay_finite() {
        let softmax = Softmax::of(&[0f32, f32::NEG_INFINITY, 1e4, -1e4], 2);
        assert_eq!(softmax.probabilities[..], [1.0, 0.0, 1.0, 0.0]);
        assert_eq!(softmax.entropies[..], [0.0, 0.0]);
    }
}
