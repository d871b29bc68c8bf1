//! Value and gradient in one pass over the batch.

use super::{GroupTarget, Surrogate, SurrogateObjective, Taken, choices, log_odds};
use crate::distribution::{self, Policy};
use crate::kernel::{
    Buffer, Choices, Chosen, ChosenPlaces, Distributions, Gaussians, Grid, Real, Simd, WithSimd, differentiated,
    vectorized, with_classes, with_slice, with_slices,
};
use candle_core::{Result, Tensor, WithDType, bail};

pub(super) fn objective<T: Real>(outputs: &Tensor, taken: &Taken) -> Result<SurrogateObjective> {
    let (batch, columns) = outputs.dims2()?;
    let (wanted, width) = (taken.policy.outputs(), taken.policy.width());
    if columns != wanted {
        bail!("{columns} outputs for a policy that reads {wanted}");
    }
    if taken.actions.elem_count() != batch * width {
        bail!("actions of shape {:?} for {batch} rows of {width}", taken.actions.shape());
    }
    let (sums, gradient) = match choices::objective::<T>(outputs, taken)? {
        Some(by_choice) => by_choice,
        None => of_whole_actions::<T>(outputs, taken)?,
    };
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

fn of_whole_actions<T: Real>(outputs: &Tensor, taken: &Taken) -> Result<(Sums, Buffer<T>)> {
    let ((batch, columns), width) = (outputs.dims2()?, taken.policy.width());
    match taken.policy {
        Policy::Categorical { .. } => with_classes(outputs, taken.actions, |logits: &[T], classes| {
            read_off(&Chosen { choices: &[Choices::among_all(logits, columns)], classes }, (batch, columns), taken)
        })?,
        Policy::MultiCategorical { sizes } => with_slice(outputs, |logits: &[T]| with_choices(logits, sizes, taken))?,
        Policy::Grid(grid) => with_slice(outputs, |outputs: &[T]| on_grid(outputs, grid, taken))?,
        Policy::Gaussian(gaussian) => with_slices([outputs, taken.actions], |[outputs, values]| {
            let log_scale = gaussian.log_scale().map(<T as WithDType>::from_f64);
            read_off(&Gaussians { outputs, values, size: width, log_scale }, (batch, columns), taken)
        })?,
    }
}

fn on_grid<T: Real>(outputs: &[T], grid: &Grid, taken: &Taken) -> Result<(Sums, Buffer<T>)> {
    with_slice(taken.actions, |classes: &[u32]| {
        let sizes = grid.choices.iter().flat_map(|size| std::iter::repeat_n((*size).max(2), grid.places())).cycle();
        if let Some((class, size)) = classes.iter().zip(sizes).find(|(class, size)| *class >= size) {
            bail!("class {class} of {size}");
        }
        let columns = grid.outputs();
        read_off(&ChosenPlaces { grid, outputs, classes }, (outputs.len() / columns, columns), taken)
    })?
}

fn with_choices<T: Real>(logits: &[T], sizes: &[u32], taken: &Taken) -> Result<(Sums, Buffer<T>)> {
    with_slice(taken.actions, |classes: &[u32]| {
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
    let sums = with_slices([advantages, old], |[advantages, old]| {
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
pub(super) struct Sums {
    pub surrogate: f64,
    pub entropy: f64,
    pub kl_k1: f64,
    pub kl_k3: f64,
    pub clipped: f64,
}

impl Sums {
    /// Takes in `log π − log π_old` of one row.
    pub fn diverge(&mut self, log_ratio: f64) {
        self.kl_k1 -= log_ratio;
        self.kl_k3 += log_ratio.exp() - 1.0 - log_ratio;
    }
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
            Surrogate::GroupTarget(_) | Surrogate::Gains(_) | Surrogate::Parts(_) => {
                unreachable!("it has no weight of a row by itself")
            }
        })
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
            for (target, log_p) in targets.iter().zip(distribution::log_probs(log_probs)) {
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
