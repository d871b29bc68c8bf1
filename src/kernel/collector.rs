//! Where the gradient of a network's parameters is collected.

use super::activation::Real;
use super::buffer::Buffer;
use super::storage;
use super::vector::vectorized;
use candle_core::{Result, Tensor};
use std::sync::{Mutex, MutexGuard};

/// The gradient of a flat tensor of parameters over one backward pass, in memory that is used again.
///
/// candle's own store makes a tensor of zeros and a sum for every gradient: for the parameters of a network that would be most
/// of the memory that an update touches.
pub struct Collector(Mutex<Collected>);

struct Collected {
    gradient: Tensor,
    /// Whether it holds the gradient of this pass; what an earlier pass left counts for nothing.
    is_begun: bool,
}

impl Collector {
    /// For a flat tensor like `parameters`.
    pub fn new(parameters: &Tensor) -> Result<Self> {
        Ok(Collector(Mutex::new(Collected { gradient: parameters.zeros_like()?, is_begun: false })))
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
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
