//! Where the gradient of a network's parameters is collected, and the statistics of its batches.

use super::activation::Real;
use super::buffer::Buffer;
use super::storage;
use super::vector::vectorized;
use candle_core::{DType, Result, Tensor, WithDType};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

/// The gradient of a flat tensor of parameters over one backward pass, in memory that is used again.
///
/// candle's own store makes a tensor of zeros and a sum for every gradient: for the parameters of a network that would be most
/// of the memory that an update touches.
pub struct Collector {
    gradient: Mutex<Collected>,
    observed: Mutex<Vec<Observed>>,
}

/// What a layer has seen of a batch: means and variances.
pub(super) struct Observed {
    /// Where the running ones lie among the parameters.
    pub range: Range<usize>,
    /// The share that the batch gets in them.
    pub momentum: f64,
    pub values: Vec<f64>,
}

struct Collected {
    gradient: Tensor,
    /// Whether it holds the gradient of this pass; what an earlier pass left counts for nothing.
    is_begun: bool,
}

impl Collector {
    /// For a flat tensor like `parameters`.
    pub fn new(parameters: &Tensor) -> Result<Self> {
        let gradient = Mutex::new(Collected { gradient: parameters.zeros_like()?, is_begun: false });
        Ok(Collector { gradient, observed: Mutex::default() })
    }

    /// What a forward pass has seen, in place of what an earlier one has.
    pub(super) fn observe(&self, observed: Vec<Observed>) {
        *self.observed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = observed;
    }

    /// Moves the running statistics among the parameters towards what the last forward pass has seen, once.
    pub fn track(&self, parameters: &Tensor) -> Result<()> {
        let observed = std::mem::take(&mut *self.observed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        match parameters.dtype() {
            _ if observed.is_empty() => Ok(()),
            DType::F64 => storage::change(parameters, |values: &mut [f64]| track(values, &observed)),
            _ => storage::change(parameters, |values: &mut [f32]| track(values, &observed)),
        }
    }

    /// Begins a new pass.
    pub fn clear(&self) {
        self.lock().is_begun = false;
    }

    /// The gradient of this pass; nothing where no operation had one. Its memory is used again by the next pass.
    pub fn collected(&self) -> Option<Tensor> {
        let collected = self.lock();
        collected.is_begun.then(|| collected.gradient.clone())
    }

    /// Adds what `write` makes of a slice as long as the parameters, every element of which it sets.
    pub(super) fn add<T: Real>(&self, write: impl FnOnce(&mut [T])) -> Result<()> {
        let mut collected = self.lock();
        let is_first = !std::mem::replace(&mut collected.is_begun, true);
        storage::change(&collected.gradient, |gradient: &mut [T]| {
            if is_first {
                return write(gradient);
            }
            let mut more = Buffer::any(gradient.len());
            write(&mut more);
            vectorized(|| gradient.iter_mut().zip(more.iter()).for_each(|(sum, more)| *sum += *more));
        })
    }

    fn lock(&self) -> MutexGuard<'_, Collected> {
        self.gradient.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// `running ← (1 − m) running + m · observed`
fn track<T: Real>(values: &mut [T], observed: &[Observed]) {
    for Observed { range, momentum, values: of_batch } in observed {
        for (running, of_batch) in values[range.clone()].iter_mut().zip(of_batch) {
            let kept = (1.0 - momentum) * WithDType::to_f64(*running);
            *running = <T as WithDType>::from_f64(kept + momentum * of_batch);
        }
    }
}
