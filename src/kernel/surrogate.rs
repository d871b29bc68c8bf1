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
    /// `log π_old(a|s)`, when the action was drawn, `[batch]`.
    pub old_log_probs: &'a Tensor,
    pub surrogate: Surrogate<'a>,
    /// Coefficient of the entropy bonus.
    pub entropy_coefficient: f64,
}

/// The function of a batch that is climbed, the mean over rows of what follows. Weights are held where it is differentiated.
#[derive(Clone, Copy, Debug)]
pub enum Surrogate<'a> {
    /// `A · log π(a|s)` (Williams 1992)
    LogProb,
    /// `min(ρ A, clip(ρ, 1 − ε, 1 + ε) A)` with `ρ = π(a|s) / π_old(a|s)` (Schulman et al. 2017, arXiv 1707.06347)
    Clipped {
        /// ε
        clip: f64,
    },
    /// `w · log π(a|s)` with the weight `w = A σ(−A log π(a|s) / η)`: a rare success counts in full, a rare failure hardly
    /// (Osband 2026, arXiv 2603.14608).
    Delightful {
        /// η
        temperature: f64,
    },
    /// The cross-entropy with a target that has the odds of the drawn action out of `K` multiplied by
    /// `L = e^(± K / (√(K − 1) η))`, with the sign of the advantage: the scores, `A` for that action and 0 for the others, are
    /// standardized and tilt the policy (the single-sample form of Kaddour 2026, arXiv 2604.06159). With `p = π(a|s)`, its gradient is
    /// that of `w · log π(a|s)` with the weight `w = p (L − 1) / (1 − p + L p)`, which stands for it here.
    Target {
        /// η
        temperature: f64,
    },
    /// See [`GroupTarget`].
    GroupTarget(&'a GroupTarget),
}

/// `Σ_i q_i log p_i`, the mean over groups of candidates: minus the cross-entropy of frozen targets and the policy over the
/// candidates, `p_i ∝ Π_t π(a_t|s_t)` over the rows of candidate `i` (Kaddour 2026, arXiv 2604.06159).
#[derive(Clone, Debug)]
pub struct GroupTarget {
    /// `q`, `[groups, size]`, of sum 1 in every group.
    pub targets: Vec<f64>,
    /// Candidates of a group.
    pub size: usize,
    /// The candidate that a row belongs to, `[batch]`.
    pub candidates: Vec<u32>,
}

/// The objective of a batch, and what is read off it.
pub struct SurrogateObjective {
    /// The mean surrogate plus the coefficient times the mean entropy: a scalar, differentiable in the outputs.
    pub scalar: Tensor,
    /// Means over the batch.
    pub surrogate: f64,
    pub entropy: f64,
    /// Estimates of KL(π_old ‖ π) (Schulman 2020): the mean of `−log ρ`, unbiased …
    pub kl_k1: f64,
    /// … and that of `ρ − 1 − log ρ`, which is unbiased too and never negative.
    pub kl_k3: f64,
    /// Share of the batch with `|ρ − 1| > ε`; 0 without clipping.
    pub clip_fraction: f64,
}

/// The objective of a batch from the policy network's outputs, `[batch, outputs]`.
///
/// Its gradient with respect to a row is `(g ∇ log π(a|s) + c ∇H) / batch`, with `g` the weight that [`Surrogate`] gives or, clipped, `ρ A`
/// where the first of the two terms is the smaller one and 0 elsewhere. For logits this is `(g (e_a − p) − c p (log p + H)) / batch`.
pub fn surrogate_objective(outputs: &Tensor, taken: &Taken) -> Result<SurrogateObjective> {
    let (values, indices) = match taken.policy {
        Policy::Gaussian(_) => (Some(taken.actions), true),
        Policy::Categorical { .. } | Policy::MultiCategorical { .. } => (None, is_class_list(taken.actions)),
    };
    let floats = [outputs, taken.advantages, taken.old_log_probs].into_iter().chain(values);
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
        kl_k1: mean(sums.kl_k1),
        kl_k3: mean(sums.kl_k3),
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
    let Taken { advantages, old_log_probs: old, surrogate, .. } = *taken;
    if advantages.elem_count() != batch || old.elem_count() != batch {
        bail!("{} advantages and {} old log-probabilities for {batch} rows", advantages.elem_count(), old.elem_count());
    }
    let mut slopes: Buffer<T> = Buffer::any(batch);
    distributions.log_probs(&mut slopes);
    let sums = storage::with_slices([advantages, old], |[advantages, old]| {
        let divergences = vectorized(Divergences { log_probs: &slopes, old });
        let sums = match surrogate {
            Surrogate::GroupTarget(target) => target.slopes(&mut slopes)?,
            _ => vectorized(Slopes { slopes: &mut slopes, advantages, old, weighing: Weighing::of(taken)? }),
        };
        candle_core::Result::Ok(Sums { kl_k1: divergences.kl_k1, kl_k3: divergences.kl_k3, ..sums })
    })??;
    let mut gradient: Buffer<T> = Buffer::any(batch * columns);
    distributions.gradient(&slopes, <T as WithDType>::from_f64(taken.entropy_coefficient), &mut gradient);
    Ok((Sums { entropy: distributions.entropy(), ..sums }, gradient))
}

/// Sums over a batch.
#[derive(Default)]
struct Sums {
    surrogate: f64,
    entropy: f64,
    kl_k1: f64,
    kl_k3: f64,
    clipped: f64,
}

/// The sums of the estimates of the divergence from the old policy.
struct Divergences<'a, T> {
    log_probs: &'a [T],
    old: &'a [T],
}

impl<T: Real> WithSimd for Divergences<'_, T> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Sums {
        let mut sums = Sums::default();
        for (log_prob, old) in self.log_probs.iter().zip(self.old) {
            let log_ratio = *log_prob - *old;
            sums.kl_k1 -= WithDType::to_f64(log_ratio);
            sums.kl_k3 += WithDType::to_f64((log_ratio.fast_exp() - T::one()) - log_ratio);
        }
        sums
    }
}

/// How a row counts.
#[derive(Clone, Copy)]
enum Weighing<T> {
    LogProb,
    Clipped {
        clip: T,
    },
    Delightful {
        inverse_temperature: T,
    },
    /// `ln L` for a positive advantage.
    Target {
        log_odds: T,
    },
}

impl<T: Real> Weighing<T> {
    fn of(taken: &Taken) -> Result<Self> {
        let real = <T as WithDType>::from_f64;
        Ok(match taken.surrogate {
            Surrogate::LogProb => Weighing::LogProb,
            Surrogate::Clipped { clip } => Weighing::Clipped { clip: real(clip) },
            Surrogate::Delightful { temperature } => {
                Weighing::Delightful { inverse_temperature: real(1.0 / temperature) }
            }
            Surrogate::Target { temperature } => {
                Weighing::Target { log_odds: real(log_odds(taken.policy)? / temperature) }
            }
            Surrogate::GroupTarget(_) => unreachable!("it has no weight of a row by itself"),
        })
    }
}

/// `K / √(K − 1)`: how far apart the standardized scores of the drawn action and of the others are.
pub(super) fn log_odds(policy: &Policy) -> Result<f64> {
    match policy {
        Policy::Categorical { actions } => Ok(*actions as f64 / (*actions as f64 - 1.0).sqrt()),
        _ => bail!("the single-sample target is for one action out of a few"),
    }
}

/// From log-probabilities to the derivative of each row's surrogate with respect to them, in place.
struct Slopes<'a, T> {
    slopes: &'a mut [T],
    advantages: &'a [T],
    /// Old log-probabilities.
    old: &'a [T],
    weighing: Weighing<T>,
}

impl<T: Real> WithSimd for Slopes<'_, T> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Sums {
        let (one, zero) = (T::one(), T::zero());
        match self.weighing {
            Weighing::LogProb => weigh(self, |_, advantage| advantage),
            Weighing::Delightful { inverse_temperature } => {
                weigh(self, |log_prob, advantage| advantage * (-(advantage * log_prob) * inverse_temperature).sigmoid())
            }
            Weighing::Target { log_odds } => weigh(self, |log_prob, advantage| {
                let sign = if advantage > zero {
                    one
                } else if advantage < zero {
                    -one
                } else {
                    zero
                };
                let (p, odds) = (log_prob.fast_exp(), (sign * log_odds).fast_exp());
                p * (odds - one) / (one - p + odds * p)
            }),
            Weighing::Clipped { clip } => clipped(self, clip),
        }
    }
}

/// The weight of each row, from its log-probability and its advantage.
#[inline(always)]
fn weigh<T: Real>(rows: Slopes<T>, weight: impl Fn(T, T) -> T) -> Sums {
    let mut sums = Sums::default();
    for (slope, advantage) in rows.slopes.iter_mut().zip(rows.advantages) {
        let weight = weight(*slope, *advantage);
        sums.surrogate += WithDType::to_f64(*slope * weight);
        *slope = weight;
    }
    sums
}

#[inline(always)]
fn clipped<T: Real>(rows: Slopes<T>, clip: T) -> Sums {
    let (one, zero) = (T::one(), T::zero());
    let mut sums = Sums::default();
    for ((slope, &advantage), old) in rows.slopes.iter_mut().zip(rows.advantages).zip(rows.old) {
        let ratio = (*slope - *old).fast_exp();
        let (low, high) = (one - clip, one + clip);
        let bounded = if ratio < low { low } else { ratio };
        let bounded = if bounded > high { high } else { bounded };
        let (free, held) = (ratio * advantage, bounded * advantage);
        let is_free = free <= held;
        sums.surrogate += WithDType::to_f64(if is_free { free } else { held });
        sums.clipped += if (ratio - one).abs() > clip { 1.0 } else { 0.0 };
        *slope = if is_free { free } else { zero };
    }
    sums
}

impl GroupTarget {
    /// As [`Slopes`]: `(q_i − p_i) · batch / groups` for each row of candidate `i`, since the gradient is a mean over rows.
    fn slopes<T: Real>(&self, slopes: &mut [T]) -> Result<Sums> {
        let GroupTarget { targets, size, candidates } = self;
        if candidates.len() != slopes.len() || candidates.iter().any(|candidate| *candidate as usize >= targets.len()) {
            bail!("{} rows of {} candidates for a batch of {}", candidates.len(), targets.len(), slopes.len());
        }
        let mut log_probs = vec![0.0; targets.len()];
        for (candidate, log_prob) in candidates.iter().zip(slopes.iter()) {
            log_probs[*candidate as usize] += WithDType::to_f64(*log_prob);
        }
        let rows_per_group = slopes.len() as f64 / (targets.len() / size) as f64;
        let mut surrogate = 0.0;
        let mut weights = Vec::with_capacity(targets.len());
        for (targets, log_probs) in targets.chunks_exact(*size).zip(log_probs.chunks_exact(*size)) {
            for (target, log_p) in targets.iter().zip(crate::distribution::log_probs(log_probs)) {
                surrogate += if *target > 0.0 { target * log_p } else { 0.0 } * rows_per_group;
                weights.push((target - log_p.exp()) * rows_per_group);
            }
        }
        for (candidate, slope) in candidates.iter().zip(slopes) {
            *slope = <T as WithDType>::from_f64(weights[*candidate as usize]);
        }
        Ok(Sums { surrogate, ..Sums::default() })
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

    /// Two groups of three candidates with random rows, and random targets.
    fn random_target(batch: usize, rng: &mut Rng) -> GroupTarget {
        let targets: Vec<f64> = (0..6).map(|_| rng.random_range(0.0..1.0)).collect();
        let sums = [targets[..3].iter().sum::<f64>(), targets[3..].iter().sum()];
        let targets = targets.iter().enumerate().map(|(i, target)| target / sums[i / 3]).collect();
        GroupTarget { targets, size: 3, candidates: (0..batch).map(|_| rng.random_range(0..6)).collect() }
    }

    /// Calls `check` with random batches of every policy: with every surrogate, with and without an entropy bonus.
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
            let target = random_target(batch, &mut rng);
            let surrogate = match rng.random_range(0..5) {
                0 => Surrogate::Clipped { clip: 0.2 },
                1 => Surrogate::Delightful { temperature: 0.8 },
                2 if policy.width() == 1 && policy.outputs() > 1 && matches!(policy, Policy::Categorical { .. }) => {
                    Surrogate::Target { temperature: 1.3 }
                }
                3 => Surrogate::GroupTarget(&target),
                _ => Surrogate::LogProb,
            };
            let entropy_coefficient = if rng.random() { 0.7 } else { 0.0 };
            let (policy, actions, advantages, old_log_probs) = (&policy, &actions, &advantages, &old_log_probs);
            check(&outputs, &Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient });
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
                    (fused.kl_k1, plain.kl_k1),
                    (fused.kl_k3, plain.kl_k3),
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
            // Their weights are held, so their own differences say nothing; see the identities of the objective.
            if matches!(taken.surrogate, Surrogate::Delightful { .. } | Surrogate::Target { .. }) {
                return;
            }
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
            let (surrogate, entropy_coefficient) = (Surrogate::LogProb, 0.3);
            let (advantages, old_log_probs) = (&advantages, &advantages);
            let taken = Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient };
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
            let (advantages, old_log_probs) = (&zeros(&[advantages]), &zeros(&[outputs[0]]));
            let (surrogate, entropy_coefficient) = (Surrogate::LogProb, 0.0);
            let taken = Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient };
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
