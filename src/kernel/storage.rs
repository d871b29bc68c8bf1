//! Slices of a tensor's storage.

use super::activation::Real;
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Storage, Tensor, WithDType, bail};
use std::{cell::Cell, marker::PhantomData};

/// Whether the fused operations can run on this tensor: contiguous, on the CPU, f32 or f64.
pub(crate) fn is_plain_cpu(tensor: &Tensor) -> bool {
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
pub(crate) fn with_slice<T: WithDType, R>(tensor: &Tensor, read: impl FnOnce(&[T]) -> R) -> Result<R> {
    with_slices([tensor], |[elements]| read(elements))
}

/// [`with_slice`] of several tensors.
pub(crate) fn with_slices<T: WithDType, R, const N: usize>(
    tensors: [&Tensor; N],
    read: impl FnOnce([&[T]; N]) -> R,
) -> Result<R> {
    let guards = tensors.map(Tensor::storage_and_layout);
    let mut slices: [&[T]; N] = [&[]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&guards) {
        let Storage::Cpu(storage) = &**storage else { bail!("a fused operation needs arguments on the CPU") };
        *slice = self::slice(storage, layout)?;
    }
    Ok(read(slices))
}

/// Calls `change(parameter, gradient)` on the elements of both, changing the parameter in place.
///
/// # Errors
/// When the two are not contiguous CPU tensors of dtype `T` and the same shape.
pub(crate) fn update<T: Real>(
    parameter: &Tensor,
    gradient: &Tensor,
    update: impl FnOnce(&mut [T], &[T]),
) -> Result<()> {
    if parameter.shape() != gradient.shape() {
        bail!("a gradient of shape {:?} for a parameter of shape {:?}", gradient.shape(), parameter.shape());
    }
    let gradient = gradient.contiguous()?;
    with_slice(&gradient, |gradient| change(parameter, |elements| update(elements, gradient)))?
}

/// Changes the elements of a contiguous CPU tensor in place.
pub(super) fn change<T: Real>(tensor: &Tensor, change: impl FnOnce(&mut [T])) -> Result<()> {
    tensor.inplace_op1(&Change(Cell::new(Some(change)), PhantomData))
}

/// An in-place operation over the elements of one tensor. candle hands out storage by dtype, hence the marker.
struct Change<T, F>(Cell<Option<F>>, PhantomData<T>);

impl<T: Real, F: FnOnce(&mut [T])> InplaceOp1 for Change<T, F> {
    fn name(&self) -> &'static str {
        "change"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("a tensor that is changed in place must be contiguous");
        };
        let elements = &mut T::slice_mut(storage)?[start..end];
        self.0.take().into_iter().for_each(|change| change(elements));
        Ok(())
    }
}

/// The first element that is not finite, with its index.
pub fn first_not_finite(tensor: &Tensor) -> Result<Option<(usize, f64)>> {
    fn find<T: Real>(elements: &[T]) -> Option<(usize, f64)> {
        let index = elements.iter().position(|element| !element.is_finite())?;
        Some((index, WithDType::to_f64(elements[index])))
    }
    let tensor = tensor.contiguous()?;
    match tensor.dtype() {
        candle_core::DType::F32 => with_slice(&tensor, find::<f32>),
        _ => with_slice(&tensor, find::<f64>),
    }
}
