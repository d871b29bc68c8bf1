//! Slices of a tensor's storage.

use super::activation::Real;
use super::vector::vectorized;
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Storage, Tensor, WithDType, bail};
use std::{cell::RefCell, marker::PhantomData};

/// Whether the fused operations can run on this tensor: contiguous, on the CPU, f32 or f64.
pub(super) fn is_plain_cpu(tensor: &Tensor) -> bool {
    tensor.device().is_cpu()
        && tensor.is_contiguous()
        && matches!(tensor.dtype(), candle_core::DType::F32 | candle_core::DType::F64)
}

/// The elements of a contiguous view, inside its storage.
pub(super) fn slice<'a, T: WithDType>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<T>()?[start..end]),
        None => bail!("a fused operation needs contiguous arguments"),
    }
}

/// Calls `read` with the elements of a contiguous CPU tensor, without a copy.
pub(super) fn with_slice<T: WithDType, R>(tensor: &Tensor, read: impl FnOnce(&[T]) -> R) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(read(slice(storage, layout)?)),
        _ => bail!("a fused operation needs arguments on the CPU"),
    }
}

/// Calls `change(parameter, gradient)` on the elements of both, changing the parameter in place.
///
/// # Errors
/// When the two are not contiguous CPU tensors of dtype `T` and the same shape.
pub(crate) fn update<T: Real>(
    parameter: &Tensor,
    gradient: &Tensor,
    mut change: impl FnMut(&mut [T], &[T]),
) -> Result<()> {
    if parameter.shape() != gradient.shape() {
        bail!("a gradient of shape {:?} for a parameter of shape {:?}", gradient.shape(), parameter.shape());
    }
    let gradient = gradient.contiguous()?;
    with_slice(&gradient, |gradient| {
        parameter.inplace_op1(&Update(RefCell::new(|elements: &mut [T]| change(elements, gradient)), PhantomData))
    })?
}

/// An in-place operation over the elements of one tensor. candle hands out storage by dtype, hence the marker.
struct Update<T, F>(RefCell<F>, PhantomData<T>);

impl<T: Real, F: FnMut(&mut [T])> InplaceOp1 for Update<T, F> {
    fn name(&self) -> &'static str {
        "update"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("a parameter must be contiguous");
        };
        (self.0.borrow_mut())(&mut T::slice_mut(storage)?[start..end]);
        Ok(())
    }
}

/// The first element that is not finite.
pub fn first_not_finite(tensor: &Tensor) -> Result<Option<f64>> {
    fn find<T: Real>(elements: &[T]) -> Option<f64> {
        elements.iter().find(|element| !element.is_finite()).map(|element| WithDType::to_f64(*element))
    }
    let tensor = tensor.contiguous()?;
    match tensor.dtype() {
        candle_core::DType::F32 => with_slice(&tensor, find::<f32>),
        _ => with_slice(&tensor, find::<f64>),
    }
}

/// The sum of the squares of all elements, in double precision.
pub fn sum_of_squares(tensor: &Tensor) -> Result<f64> {
    fn sum<T: Real>(elements: &[T]) -> f64 {
        // Sums side by side: one running sum would wait for every addition.
        let mut sums = [0.0; 16];
        let mut chunks = elements.chunks_exact(16);
        vectorized(|| {
            for chunk in &mut chunks {
                for (sum, element) in sums.iter_mut().zip(chunk) {
                    *sum += WithDType::to_f64(*element * *element);
                }
            }
        });
        sums.iter().sum::<f64>() + chunks.remainder().iter().map(|e| WithDType::to_f64(*e * *e)).sum::<f64>()
    }
    let tensor = tensor.contiguous()?;
    match tensor.dtype() {
        candle_core::DType::F32 => with_slice(&tensor, sum::<f32>),
        _ => with_slice(&tensor, sum::<f64>),
    }
}
