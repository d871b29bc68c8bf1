//! The objective of a policy gradient, from a network's outputs to its value and its gradient in one pass.

use super::activation::Real;
use super::buffer::Buffer;
use super::categorical::{Choices, Chosen};
use super::differentiated::differentiated;
use super::gaussian::Gaussians;
use super::log_prob::{is_class_list, with_classes};
use super::vector::{Simd, WithSimd, vectorized};
use super::{plain, storage};
use crate::distribution::Policy;
use candle_core::{DType, Result, Tensor, WithDType, bail};

/// A batch of actions that were taken.
#[derive(Clone, Copy)]
pub struct Taken<'a> {
    /// How the outputs are read.
    pub policy: &'a Policy,
    /// As the policy drew them, before any clipping or squashing: `[batch]` or `[batch, width]` of u32, or in a box
    /// `[batch, width]` of the outputs' dtype.
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
    /// The mean surrogate plus the coefficient times the mean entropy: a scalar, differentiable in the outputs.
    pub scalar: Tensor,
    /// Means over the batch.
    pub surrogate: f64,
    pub entropy: f64,
    /// Mean of `ρ − 1 − log ρ`: an estimate of KL(π_old ‖ π) that is never negative ("k3" of Schulman 2020); 0 without clipping.
    pub approximate_kl: f64,
    /// Share of the batch with `|ρ − 1| > ε`; 0 without clipping.
    pub clip_fraction: f64,
}

/// The objective of a batch from the policy network's outputs, `[batch, outputs]`.
///
/// Its gradient with respect to a row is `(g ∇ log π(a|s) + c ∇H) / batch`, with `g = A` or, clipped, `ρ A` where the first of the
/// two terms is the smaller one and 0 elsewhere. For logits this is `(g (e_a − p) − c p (log p + H)) / batch`.
pub fn surrogate_objective(outputs: &Tensor, taken: &Taken) -> Result<SurrogateObjective> {
    let old_log_probs = taken.clipping.map(|clipping| clipping.old_log_probs);
    let (values, indices) = match taken.policy {
        Policy::Gaussian(_) => (Some(taken.actions), true),
        Policy::Categorical { .. } | Policy::MultiCategorical { .. } => (None, is_class_list(taken.actions)),
    };
    let floats = [outputs, taken.advantages].into_iter().chain(old_log_probs).chain(values);
    let fused = indices && { floats }.all(|tensor| storage::is_plain_cpu(tensor) && tensor.dtype() == outputs.dtype());
    match outputs.dtype() {
        DType::F32 if fused => objective::<f32>(outputs, taken),
        DType::F64 if fused => objective::<f64>(outputs, taken),
        _ => plain::surrogate_objective(outputs, taken),
    }
}

/// The distributions of a batch, each with the action that was taken: what the surrogate needs of them.
pub(crate) trait Distributions<T> {
    /// Sets `log π(a|s)` of each row.
    fn log_probs(&self, out: &mut [T]);
    /// The sum over rows, in nats.
    fn entropy(&self) -> f64;
    /// Sets the gradient of the mean over rows of `slope · log π(a|s) + coefficient · entropy` with respect to the outputs.
    fn gradient(&self, slopes: &[T], coefficient: T, out: &mut [T]);
}

fn objective<T: Real>(outputs: &Tensor, taken: &Taken) -> Result<SurrogateObjective> {
    let (batch, columns) = outputs.dims2()?;
    let (wanted, width) = (taken.policy.outputs(), taken.policy.width());
    if columns != wanted {
        bail!("{columns} outputs for a policy that reads {wanted}");
    }
    if taken.actions.elem_count() != batch * width {
        bail!("actions of shape {:?} for {batch} rows of {width}", taken.actions.shape());
    }
    let (sums, gradient) = match taken.policy {
        Policy::Categorical { .. } => with_classes(outputs, taken.actions, |logits: &[T], classes| {
            read_off(&Chosen { choices: &[Choices::among_all(logits, columns)], classes }, (batch, columns), taken)
        })?,
        Policy::MultiCategorical { sizes } => {
            storage::with_slice(outputs, |logits: &[T]| with_choices(logits, sizes, taken))?
        }
        Policy::Gaussian(gaussian) => storage::with_slices([outputs, taken.actions], |[outputs, values]| {
            let log_scale = gaussian.log_scale().map(<T as WithDType>::from_f64);
            read_off(&Gaussians { outputs, values, size: width, log_scale }, (batch, columns), taken)
        })?,
    }?;
    let mean = |sum: f64| sum / batch as f64;
    let (surrogate, entropy) = (mean(sums.surrogate), mean(sums.entropy));
    let scalar = <T as WithDType>::from_f64(surrogate + taken.entropy_coefficient * entropy);
    Ok(SurrogateObjective {
        scalar: differentiated(outputs, vec![scalar], (), gradient)?,
        surrogate,
        entropy,
        approximate_kl: mean(sums.kl),
        clip_fraction: mean(sums.clipped),
    })
}

fn with_choices<T: Real>(logits: &[T], sizes: &[u32], taken: &Taken) -> Result<(Sums, Buffer<T>)> {
    storage::with_slice(taken.actions, |classes: &[u32]| {
        let mut all = classes.iter().zip(sizes.iter().cycle());
        if let Some((class, size)) = all.find(|(class, size)| class >= size) {
            bail!("class {class} of {size}");
        }
        let columns = taken.policy.outputs();
        let chosen = Chosen { choices: &Choices::among_blocks(logits, sizes), classes };
        read_off(&chosen, (logits.len() / columns, columns), taken)
    })?
}

/// What the objective is made of, and its gradient, `[batch, columns]`.
fn read_off<T: Real>(
    distributions: &impl Distributions<T>,
    (batch, columns): (usize, usize),
    taken: &Taken,
) -> Result<(Sums, Buffer<T>)> {
    let old = taken.clipping.map_or(taken.advantages, |clipping| clipping.old_log_probs);
    if taken.advantages.elem_count() != batch || old.elem_count() != batch {
        bail!(
            "{} advantages and {} old log-probabilities for {batch} rows",
            taken.advantages.elem_count(),
            old.elem_count()
        );
    }
    let mut slopes: Buffer<T> = Buffer::any(batch);
    distributions.log_probs(&mut slopes);
    let clip = taken.clipping.map(|clipping| <T as WithDType>::from_f64(clipping.clip));
    let sums = storage::with_slices([taken.advantages, old], |[advantages, old]| {
        vectorized(Slopes { slopes: &mut slopes, advantages, old, clip })
    })?;
    let mut gradient: Buffer<T> = Buffer::any(batch * columns);
    distributions.gradient(&slopes, <T as WithDType>::from_f64(taken.entropy_coefficient), &mut gradient);
    Ok((Sums { entropy: distributions.entropy(), ..sums }, gradient))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::distribution::{PolicySettings, Squash};
    use crate::kernel::testing::{assert_equal_with_gradients, random_var};
    use candle_core::{Device, Var};
    use lossward_envs::{Bound, Dims, Space};
    use rand::Rng as _;

    /// A policy of each kind in turn.
    fn random_policy(kind: usize, rng: &mut Rng) -> Policy {
        let shape = Dims::of(&[rng.random_range(1..6)]);
        let (low, high) = (Bound::All(-0.5), Bound::All(2.0));
        let squashed = PolicySettings { squash: Squash::Tanh, ..PolicySettings::default() };
        match kind % 4 {
            0 => Policy::new(Space::Discrete(rng.random_range(1..20)), None),
            1 => Policy::new(Space::MultiDiscrete([&[2, 5, 1][..], &[3], &[4, 2]][rng.random_range(0..3usize)]), None),
            2 => Policy::new(Space::Box { shape, low, high }, None),
            _ => Policy::new(Space::Box { shape, low, high }, Some(&squashed)),
        }
        .unwrap()
    }

    fn random_actions(policy: &Policy, batch: usize, dtype: DType, rng: &mut Rng) -> Tensor {
        if let Policy::Gaussian(_) = policy {
            let values = random_var(&[batch, policy.width()], dtype, rng).as_detached_tensor();
            return (values * 2.0).unwrap();
        }
        let sizes = (0..batch).flat_map(|_| policy.choices());
        let actions: Vec<u32> = sizes.map(|size| rng.random_range(0..*size)).collect();
        Tensor::from_vec(actions, (batch, policy.width()), &Device::Cpu).unwrap()
    }

    /// Calls `check` with random batches of every policy: with and without clipping, with and without an entropy bonus.
    fn for_random_batches(dtype: DType, mut check: impl FnMut(&Var, &Taken)) {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for kind in 0..200 {
            let (policy, batch) = (random_policy(kind, &mut rng), rng.random_range(1..40));
            let outputs = random_var(&[batch, policy.outputs()], dtype, &mut rng);
            let actions = random_actions(&policy, batch, dtype, &mut rng);
            let advantages = random_var(&[batch], dtype, &mut rng).as_detached_tensor();
            let old_log_probs = (policy.log_prob(&outputs, &actions).unwrap().detach()
                + (random_var(&[batch], dtype, &mut rng).as_detached_tensor() * 0.5).unwrap())
            .unwrap();
            let clipping = rng.random::<bool>().then_some(Clipping { old_log_probs: &old_log_probs, clip: 0.2 });
            let entropy_coefficient = if rng.random() { 0.7 } else { 0.0 };
            let (policy, actions, advantages) = (&policy, &actions, &advantages);
            check(&outputs, &Taken { policy, actions, advantages, clipping, entropy_coefficient });
        }
    }

    #[test]
    fn the_fused_objective_equals_its_plain_twin() {
        for dtype in [DType::F64, DType::F32] {
            for_random_batches(dtype, |outputs, taken| {
                assert_equal_with_gradients(
                    |[outputs]| Ok(surrogate_objective(outputs, taken)?.scalar),
                    |[outputs]| Ok(plain::surrogate_objective(outputs, taken)?.scalar),
                    std::array::from_ref(outputs),
                    &format!("{:?} {:?} {dtype:?}", taken.policy, outputs.dims()),
                );
                let [fused, plain] =
                    [surrogate_objective, plain::surrogate_objective].map(|f| f(outputs, taken).unwrap());
                let pairs = [
                    (fused.surrogate, plain.surrogate),
                    (fused.entropy, plain.entropy),
                    (fused.approximate_kl, plain.approximate_kl),
                    (fused.clip_fraction, plain.clip_fraction),
                ];
                for (fused, plain) in pairs {
                    assert!((fused - plain).abs() < 1e-5 * (1.0 + plain.abs()), "{fused} {plain}");
                }
            });
        }
    }

    /// Central differences by every output. An entropy that is estimated from fixed actions changes otherwise: its gradient holds
    /// the noise fixed instead, so the bonus is left out there.
    #[test]
    fn gradients_equal_finite_differences() {
        for_random_batches(DType::F64, |outputs, taken| {
            let entropy_coefficient = if taken.policy.has_entropy() { taken.entropy_coefficient } else { 0.0 };
            let taken = Taken { entropy_coefficient, ..*taken };
            let value = |outputs: &Tensor| surrogate_objective(outputs, &taken).unwrap().scalar;
            let gradients = value(outputs).backward().unwrap();
            let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let (at, gradient) = (flat(outputs), flat(gradients.get(outputs).unwrap()));
            for i in (0..at.len()).step_by(7) {
                let shifted = |by: f64| {
                    let mut moved = at.clone();
                    moved[i] += by;
                    let moved = Tensor::from_vec(moved, outputs.dims(), &Device::Cpu).unwrap();
                    value(&moved).to_scalar::<f64>().unwrap()
                };
                let difference = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
                assert!(
                    (difference - gradient[i]).abs() < 1e-7,
                    "{:?} [{i}]: {difference} {}",
                    taken.policy,
                    gradient[i]
                );
            }
        });
    }

    /// What can't be chosen has no gradient and no part in the entropy: the batch is that of the smaller policy.
    #[test]
    fn masked_actions_count_for_nothing() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        let (all, few) = (Policy::Categorical { actions: 5 }, Policy::Categorical { actions: 3 });
        let allowed: Vec<bool> = [true, false, true, true, false].repeat(4);
        let (logits, advantages) = (random_var(&[4, 5], DType::F64, &mut rng), random_var(&[4], DType::F64, &mut rng));
        let kept = Tensor::new(&[0u32, 2, 3], &Device::Cpu).unwrap();
        let objective = |policy, outputs: &Tensor, actions: &[u32; 4]| {
            let actions = &Tensor::new(actions, &Device::Cpu).unwrap();
            let taken = Taken { policy, actions, advantages: &advantages, clipping: None, entropy_coefficient: 0.3 };
            [surrogate_objective, plain::surrogate_objective].map(|f| f(outputs, &taken).unwrap().scalar)
        };
        let masked = objective(&all, &all.masked(&logits, &allowed).unwrap(), &[0, 2, 3, 2]);
        let smaller = objective(&few, &logits.index_select(&kept, 1).unwrap(), &[0, 1, 2, 1]);
        let value_and_gradient = |scalar: &Tensor| {
            let gradients = scalar.backward().unwrap();
            (scalar.to_scalar::<f64>().unwrap(), gradients.get(&logits).unwrap().to_vec2::<f64>().unwrap())
        };
        let (value, gradient) = value_and_gradient(&smaller[0]);
        for scalar in masked {
            let (got, by_logits) = value_and_gradient(&scalar);
            assert!((got - value).abs() < 1e-12);
            for (got, want) in by_logits.iter().flatten().zip(gradient.iter().flatten()) {
                assert!((got - want).abs() < 1e-12, "{by_logits:?} {gradient:?}");
            }
            assert!(by_logits.iter().all(|row| row[1] == 0.0 && row[4] == 0.0));
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_told() {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let message = |policy: &Policy, outputs: &[usize], actions: &Tensor, advantages: usize| {
            let (advantages, clipping) = (&zeros(&[advantages]), None);
            let taken = Taken { policy, actions, advantages, clipping, entropy_coefficient: 0.0 };
            surrogate_objective(&zeros(outputs), &taken).err().unwrap().to_string()
        };
        let classes = |classes: &[u32]| Tensor::new(classes, &Device::Cpu).unwrap();
        let (three, pair) = (Policy::Categorical { actions: 3 }, Policy::MultiCategorical { sizes: &[2, 3] });
        assert!(message(&three, &[2, 3], &classes(&[0, 1]), 3).contains("3 advantages"));
        assert!(message(&three, &[2, 4], &classes(&[0, 1]), 2).contains("4 outputs for a policy that reads 3"));
        assert!(message(&pair, &[2, 5], &classes(&[0, 1]), 2).contains("for 2 rows of 2"));
        assert!(message(&pair, &[1, 5], &classes(&[2, 0]), 1).contains("class 2 of 2"));
    }
}
