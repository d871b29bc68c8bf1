//! Functions whose gradient is known as soon as their value is.

use super::activation::Real;
use super::buffer::Buffer;
use super::storage;
use super::vector::vectorized;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use std::sync::Mutex;

/// A tensor of these values and this shape that depends on `x`: each value on an equal share of the elements of `x`, in order,
/// with this gradient.
pub(crate) fn differentiated<T: Real>(
    x: &Tensor,
    values: Vec<T>,
    shape: impl Into<Shape>,
    gradient: Buffer<T>,
) -> Result<Tensor> {
    x.apply_op1(Differentiated { values: Mutex::new(values), shape: shape.into(), gradient })
}

struct Differentiated<T: Real> {
    /// Taken by the forward pass.
    values: Mutex<Vec<T>>,
    shape: Shape,
    gradient: Buffer<T>,
}

impl<T: Real> CustomOp1 for Differentiated<T> {
    fn name(&self) -> &'static str {
        "differentiated"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = std::mem::take(&mut *self.values.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        Ok((T::to_cpu_storage_owned(values), self.shape.clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, upstream: &Tensor) -> Result<Option<Tensor>> {
        let upstream = upstream.contiguous()?;
        let mut dx = self.gradient.to_vec();
        storage::with_slice(&upstream, |upstream: &[T]| {
            let share = dx.len().checked_div(upstream.len()).unwrap_or(0).max(1);
            vectorized(|| {
                for (dx, scale) in dx.chunks_exact_mut(share).zip(upstream) {
                    dx.iter_mut().for_each(|dx| *dx *= *scale);
                }
            });
        })?;
        Tensor::from_vec(dx, x.shape(), x.device()).map(Some)
    }
}
