//! Surrogates that treat every choice of an action by itself: value and gradient in one pass over the batch.

use super::fused::Sums;
use super::{Surrogate, Taken};
use crate::distribution::{self, Policy};
use crate::kernel::{Buffer, Real, with_slice, with_slices};
use candle_core::{Result, Tensor, WithDType, bail};

/// What is read off a batch, and its gradient, `[batch, columns]`; nothing for surrogates of whole actions.
pub(super) fn objective<T: Real>(outputs: &Tensor, taken: &Taken) -> Result<Option<(Sums, Buffer<T>)>> {
    let (by_option, weights) = match taken.surrogate {
        Surrogate::Gains(gains) => (true, gains),
        Surrogate::Parts(parts) => (false, parts),
        _ => return Ok(None),
    };
    let (batch, columns) = outputs.dims2()?;
    let options = taken.policy.options();
    let width = if by_option { options.iter().sum() } else { options.len() };
    if options.is_empty() {
        bail!("real numbers are not chosen from options");
    }
    if weights.dims() != [batch, width] {
        bail!("credits of shape {:?} for {batch} rows of {width}", weights.shape());
    }
    if taken.actions.elem_count() != batch * options.len() {
        bail!("actions of shape {:?} for {batch} rows of {}", taken.actions.shape(), options.len());
    }
    if taken.old_log_probs.elem_count() != batch {
        bail!("{} old log-probabilities for {batch} rows", taken.old_log_probs.elem_count());
    }
    let mut gradient: Buffer<T> = Buffer::any(batch * columns);
    let sums = with_slices([outputs, weights, taken.old_log_probs], |[outputs, weights, old]: [&[T]; 3]| {
        with_slice(taken.actions, |classes: &[u32]| {
            if let Some((class, size)) =
                classes.iter().zip(options.iter().cycle()).find(|(class, size)| **class as usize >= **size)
            {
                bail!("class {class} of {size}");
            }
            let mut sums = Sums::default();
            for row in 0..batch {
                let of_row = Row {
                    policy: taken.policy,
                    logits: &outputs[row * columns..][..columns],
                    classes: &classes[row * options.len()..][..options.len()],
                    weights: &weights[row * width..][..width],
                    by_option,
                    entropy_coefficient: taken.entropy_coefficient,
                    share: 1.0 / batch as f64,
                };
                let log_prob = of_row.read_off(&mut sums, &mut gradient[row * columns..][..columns]);
                sums.diverge(log_prob - WithDType::to_f64(old[row]));
            }
            Ok(sums)
        })
    })???;
    Ok(Some((sums, gradient)))
}

/// One action with what its choices are credited with.
struct Row<'a, T> {
    policy: &'a Policy,
    logits: &'a [T],
    /// What was chosen.
    classes: &'a [u32],
    /// A number for every option of every choice, or one for every choice.
    weights: &'a [T],
    by_option: bool,
    entropy_coefficient: f64,
    /// Of the row in the batch.
    share: f64,
}

impl<T: Real> Row<'_, T> {
    /// Adds to the sums and sets the gradient; the log-probability of the action.
    fn read_off(&self, sums: &mut Sums, gradient: &mut [T]) -> f64 {
        let (mut first_weight, mut log_prob) = (0, 0.0);
        let coefficient = self.entropy_coefficient;
        each_choice(self.policy, self.logits, |choice, place, log_probs| {
            let chosen = self.classes[choice] as usize;
            log_prob += log_probs[chosen];
            let entropy = -log_probs.iter().filter(|l| l.is_finite()).map(|l| l.exp() * l).sum::<f64>();
            sums.entropy += entropy;
            let weight = |i: usize| WithDType::to_f64(self.weights[i]);
            let (mean, advantage) = match self.by_option {
                true => {
                    let gains = log_probs.iter().enumerate().map(|(class, l)| l.exp() * weight(first_weight + class));
                    (gains.sum::<f64>(), 0.0)
                }
                false => (0.0, weight(choice)),
            };
            sums.surrogate += if self.by_option { mean } else { advantage * log_probs[chosen] };
            // Of a single logit the first class has none.
            for (class, log_p) in log_probs.iter().enumerate().skip(place.first_class) {
                let p = log_p.exp();
                let slope = match self.by_option {
                    true => p * (weight(first_weight + class) - mean),
                    false => advantage * (f64::from(u8::from(class == chosen)) - p),
                };
                let bonus = if p > 0.0 && coefficient != 0.0 { coefficient * p * (log_p + entropy) } else { 0.0 };
                gradient[place.at + (class - place.first_class) * place.stride] =
                    <T as WithDType>::from_f64((slope - bonus) * self.share);
            }
            first_weight += log_probs.len();
        });
        log_prob
    }
}

/// Where the logits of a choice stand in a row.
struct Place {
    at: usize,
    stride: usize,
    first_class: usize,
}

/// Calls `visit(choice, place, log-probabilities of its options)` for every choice of a row, in the order of an action's numbers.
fn each_choice<T: Real>(policy: &Policy, row: &[T], mut visit: impl FnMut(usize, Place, &[f64])) {
    if let Policy::Grid(grid) = policy {
        let places = grid.places();
        return grid.for_each(row, |choice, at, log_probs| {
            let first_class = usize::from(grid.choices[choice / places] == 1);
            visit(choice, Place { at, stride: places, first_class }, log_probs);
        });
    }
    let (mut at, mut log_probs) = (0, Vec::new());
    for (choice, size) in policy.choices().iter().enumerate() {
        let logits: Vec<f64> = row[at..at + *size as usize].iter().map(|z| WithDType::to_f64(*z)).collect();
        log_probs.clear();
        log_probs.extend(distribution::log_probs(&logits));
        visit(choice, Place { at, stride: 1, first_class: 0 }, &log_probs);
        at += logits.len();
    }
}
