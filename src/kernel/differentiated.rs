//! Functions whose gradient is known as soon as their value is.

use super::activation::Real;
use super::buffer::Buffer;
use super::storage;
use super::vector::vectorized;
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, WithDType};
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

/// `factor · Σ x`, a scalar, as candle adds up; in one operation.
pub(crate) fn scaled_sum(x: &Tensor, factor: f64) -> Result<Tensor> {
    match x.dtype() {
        _ if !storage::is_plain_cpu(x) => x.sum_all()? * factor,
        DType::F32 => x.apply_op1(ScaledSum::<f32>::of(x, factor)?),
        _ => x.apply_op1(ScaledSum::<f64>::of(x, factor)?),
    }
}

struct ScaledSum<T> {
    value: T,
    factor: T,
}

impl<T: Real> ScaledSum<T> {
    fn of(x: &Tensor, factor: f64) -> Result<Self> {
        let factor = <T as WithDType>::from_f64(factor);
        Ok(ScaledSum { value: factor * x.detach().sum_all()?.to_scalar::<T>()?, factor })
    }
}

impl<T: Real> CustomOp1 for ScaledSum<T> {
    fn name(&self) -> &'static str {
        "scaled sum"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((T::to_cpu_storage_owned(vec![self.value]), ().into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, upstream: &Tensor) -> Result<Option<Tensor>> {
        let slope = self.factor * upstream.to_scalar::<T>()?;
        Tensor::from_vec(vec![slope; x.elem_count()], x.shape(), x.device()).map(Some)
    }
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
