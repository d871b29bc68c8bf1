//! The objective of a policy gradient with a categorical policy, from logits to its value and its gradient in one pass.

use super::activation::Real;
use super::buffer::Buffer;
use super::differentiated::differentiated;
use super::log_prob::{is_class_list, with_classes};
use super::softmax::Softmax;
use super::vector::{Simd, WithSimd, vectorized};
use super::{plain, storage};
use candle_core::{DType, Result, Tensor, WithDType, bail};

/// A batch of actions that were taken.
#[derive(Clone, Copy)]
pub struct Taken<'a> {
    /// `[batch]` of u32
    pub actions: &'a Tensor,
    /// `[batch]`
    pub advantages: &'a Tensor,
    /// What the clipped surrogate needs; without it the surrogate is `log π(a|s) · A`.
    pub clipping: Option<Clipping<'a>>,
    /// Coefficient of the entropy bonus.
    pub entropy_coefficient: f64,
}

/// `min(ρ A, clip(ρ, 1 − ε, 1 + ε) A)` with `ρ = π(a|s) / π_old(a|s)` (Schulman et al. 2017, arXiv 1707.06347).
#[derive(Clone, Copy)]
pub struct Clipping<'a> {
    /// `log π_old(a|s)`, `[batch]`
    pub old_log_probs: &'a Tensor,
    /// ε
    pub clip: f64,
}

/// The objective of a batch, and what is read off it.
pub struct SurrogateObjective {
    /// The mean surrogate plus the coefficient times the mean entropy: a scalar, differentiable in the logits.
    pub scalar: Tensor,
    /// Means over the batch.
    pub surrogate: f64,
    pub entropy: f64,
    /// Mean of `ρ − 1 − log ρ`: an estimate of KL(π_old ‖ π) that is never negative ("k3" of Schulman 2020); 0 without clipping.
    pub approximate_kl: f64,
    /// Share of the batch with `|ρ − 1| > ε`; 0 without clipping.
    pub clip_fraction: f64,
}

/// The objective of a batch from the policy's logits, `[batch, actions]`.
///
/// The gradient with respect to the logits of a row is `(g (e_a − p) − c p (log p + H)) / batch`, with `g = A` or, clipped, `ρ A`
/// where the first of the two terms is the smaller one and 0 elsewhere.
pub fn surrogate_objective(logits: &Tensor, taken: &Taken) -> Result<SurrogateObjective> {
    let old_log_probs = taken.clipping.map(|clipping| clipping.old_log_probs);
    let floats = [logits, taken.advantages].into_iter().chain(old_log_probs);
    let fused = is_class_list(taken.actions) && { floats }
        .all(|tensor| storage::is_plain_cpu(tensor) && tensor.dtype() == logits.dtype());
    match logits.dtype() {
        DType::F32 if fused => objective::<f32>(logits, taken),
        DType::F64 if fused => objective::<f64>(logits, taken),
        _ => plain::surrogate_objective(logits, taken),
    }
}

fn objective<T: Real>(logits: &Tensor, taken: &Taken) -> Result<SurrogateObjective> {
    let (batch, columns) = logits.dims2()?;
    let old = taken.clipping.map_or(taken.advantages, |clipping| clipping.old_log_probs);
    if taken.advantages.elem_count() != batch || old.elem_count() != batch {
        bail!(
            "{} advantages and {} old log-probabilities for {batch} rows",
            taken.advantages.elem_count(),
            old.elem_count()
        );
    }
    let (sums, gradient) = with_classes(logits, taken.actions, |logits: &[T], actions| {
        storage::with_slices([taken.advantages, old], |[advantages, old]| {
            let softmax = Softmax::of(logits, columns);
            let mut slopes: Buffer<T> = Buffer::any(batch);
            for (row, (slope, action)) in slopes.iter_mut().zip(actions).enumerate() {
                *slope = softmax.log_prob(logits, row, *action as usize);
            }
            let clip = taken.clipping.map(|clipping| <T as WithDType>::from_f64(clipping.clip));
            let sums = vectorized(Slopes { slopes: &mut slopes, advantages, old, clip });
            let mut gradient: Buffer<T> = Buffer::any(logits.len());
            let coefficient = <T as WithDType>::from_f64(taken.entropy_coefficient);
            vectorized(Gradient {
                logits,
                columns,
                softmax: &softmax,
                slopes: &slopes,
                coefficient,
                out: &mut gradient,
            });
            for (row, action) in actions.iter().enumerate() {
                gradient[row * columns + *action as usize] += slopes[row] / real_count(batch);
            }
            let entropy = softmax.entropies.iter().map(|entropy| WithDType::to_f64(*entropy)).sum();
            (Sums { entropy, ..sums }, gradient)
        })
    })??;
    let mean = |sum: f64| sum / batch as f64;
    let (surrogate, entropy) = (mean(sums.surrogate), mean(sums.entropy));
    let scalar = <T as WithDType>::from_f64(surrogate + taken.entropy_coefficient * entropy);
    Ok(SurrogateObjective {
        scalar: differentiated(logits, vec![scalar], (), gradient)?,
        surrogate,
        entropy,
        approximate_kl: mean(sums.kl),
        clip_fraction: mean(sums.clipped),
    })
}

#[inline(always)]
fn real_count<T: Real>(count: usize) -> T {
    <T as WithDType>::from_f64(count as f64)
}

/// Sums over a batch.
#[derive(Default)]
struct Sums {
    surrogate: f64,
    entropy: f64,
    kl: f64,
    clipped: f64,
}

/// From log-probabilities to the derivative of each row's surrogate with respect to them, in place.
struct Slopes<'a, T> {
    slopes: &'a mut [T],
    advantages: &'a [T],
    /// Old log-probabilities; not read without `clip`.
    old: &'a [T],
    clip: Option<T>,
}

impl<T: Real> WithSimd for Slopes<'_, T> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Sums {
        let mut sums = Sums::default();
        let rows = self.slopes.iter_mut().zip(self.advantages).zip(self.old);
        let Some(clip) = self.clip else {
            for ((slope, advantage), _) in rows {
                sums.surrogate += WithDType::to_f64(*slope * *advantage);
                *slope = *advantage;
            }
            return sums;
        };
        let (one, zero) = (T::one(), T::zero());
        for ((slope, &advantage), old) in rows {
            let log_ratio = *slope - *old;
            let ratio = log_ratio.fast_exp();
            let (low, high) = (one - clip, one + clip);
            let bounded = if ratio < low { low } else { ratio };
            let bounded = if bounded > high { high } else { bounded };
            let (free, held) = (ratio * advantage, bounded * advantage);
            let is_free = free <= held;
            sums.surrogate += WithDType::to_f64(if is_free { free } else { held });
            sums.kl += WithDType::to_f64((ratio - one) - log_ratio);
            sums.clipped += if (ratio - one).abs() > clip { 1.0 } else { 0.0 };
            *slope = if is_free { free } else { zero };
        }
        sums
    }
}

/// `(−g p − c p (log p + H)) / batch`, to which the action's own `g / batch` is still to be added.
struct Gradient<'a, T: Real> {
    logits: &'a [T],
    columns: usize,
    softmax: &'a Softmax<T>,
    slopes: &'a [T],
    coefficient: T,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Gradient { logits, columns, softmax, slopes, coefficient, out } = self;
        let (scale, zero) = (T::one() / real_count(slopes.len()), T::zero());
        let rows = out.chunks_exact_mut(columns).zip(logits.chunks_exact(columns));
        for (row, ((out, logits), p)) in rows.zip(softmax.probabilities.chunks_exact(columns)).enumerate() {
            // log p + H = (z − m) − ln Σ + H
            let shift = softmax.largest[row] + softmax.log_sums[row] - softmax.entropies[row];
            for ((out, z), p) in out.iter_mut().zip(logits).zip(p) {
                // A class of no probability has no slope, though its logarithm is infinite.
                let bonus = if *p > zero { coefficient * *p * (*z - shift) } else { zero };
                *out = -(slopes[row] * *p + bonus) * scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::kernel::testing::{assert_equal_with_gradients, random_var};
    use candle_core::Device;
    use rand::Rng as _;

    /// Calls `check` with random batches: with and without clipping, with and without an entropy bonus.
    fn for_random_batches(dtype: DType, mut check: impl FnMut(&candle_core::Var, &Taken, &mut Rng)) {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for _ in 0..60 {
            let (batch, columns) = (rng.random_range(1..40), rng.random_range(1..20u32));
            let logits = random_var(&[batch, columns as usize], dtype, &mut rng);
            let actions: Vec<u32> = (0..batch).map(|_| rng.random_range(0..columns)).collect();
            let actions = Tensor::new(actions, &Device::Cpu).unwrap();
            let advantages = random_var(&[batch], dtype, &mut rng).as_detached_tensor();
            let old_log_probs = (plain::log_prob(&logits, &actions).unwrap().detach()
                + (random_var(&[batch], dtype, &mut rng).as_detached_tensor() * 0.5).unwrap())
            .unwrap();
            let clipping = rng.random::<bool>().then_some(Clipping { old_log_probs: &old_log_probs, clip: 0.2 });
            let entropy_coefficient = if rng.random() { 0.7 } else { 0.0 };
            check(
                &logits,
                &Taken { actions: &actions, advantages: &advantages, clipping, entropy_coefficient },
                &mut rng,
            );
        }
    }

    #[test]
    fn the_fused_objective_equals_its_plain_twin() {
        for dtype in [DType::F64, DType::F32] {
            for_random_batches(dtype, |logits, taken, _| {
                assert_equal_with_gradients(
                    |[logits]| Ok(surrogate_objective(logits, taken)?.scalar),
                    |[logits]| Ok(plain::surrogate_objective(logits, taken)?.scalar),
                    std::array::from_ref(logits),
                    &format!("{:?} {dtype:?}", logits.dims()),
                );
                let [fused, plain] =
                    [surrogate_objective, plain::surrogate_objective].map(|f| f(logits, taken).unwrap());
                let pairs = [
                    (fused.surrogate, plain.surrogate),
                    (fused.entropy, plain.entropy),
                    (fused.approximate_kl, plain.approximate_kl),
                    (fused.clip_fraction, plain.clip_fraction),
                ];
                for (fused, plain) in pairs {
                    assert!((fused - plain).abs() < 1e-5, "{fused} {plain}");
                }
            });
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_told() {
        let zeros = |n: usize| Tensor::zeros(n, DType::F32, &Device::Cpu).unwrap();
        let logits = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap();
        let actions = Tensor::new(&[0u32, 1], &Device::Cpu).unwrap();
        let taken = Taken { actions: &actions, advantages: &zeros(3), clipping: None, entropy_coefficient: 0.0 };
        let error = surrogate_objective(&logits, &taken).err().unwrap().to_string();
        assert!(error.contains("3 advantages"), "{error}");
    }
}
