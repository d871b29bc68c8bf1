//! Losses of whole rows: functions of slices that give their value and their gradient.

use super::buffer::Buffer;
use super::differentiated::differentiated;
use super::pointwise::stacked;
use super::storage;
use candle_core::{DType, Result, Tensor, bail};

/// The loss of each example, `[batch]`, of `P` predictions that are `[batch, …]` of one shape.
///
/// `loss(row, predictions, gradient)` is called once per example with what it predicts, and writes its gradient, which comes
/// filled with zeros. It is computed in double precision whatever the dtype.
pub(crate) fn rowwise<const P: usize>(
    predictions: [&Tensor; P],
    mut loss: impl FnMut(usize, [&[f64]; P], [&mut [f64]; P]) -> f64,
) -> Result<Tensor> {
    if let Some(other) = predictions.iter().find(|other| other.dims() != predictions[0].dims()) {
        bail!("{:?} and {:?} where every shape should be the same", predictions[0].shape(), other.shape());
    }
    let stacked = stacked(&predictions)?;
    let (batch, width) = (predictions[0].dim(0)?, predictions[0].elem_count() / predictions[0].dim(0)?.max(1));
    let in_double = stacked.detach().to_dtype(DType::F64)?;
    let (values, gradient) = storage::with_slice(&in_double, |stacked: &[f64]| {
        let mut gradient: Buffer<f64> = Buffer::zeros(stacked.len());
        let rows = stacked.chunks_exact((P * width).max(1)).zip(gradient.chunks_exact_mut((P * width).max(1)));
        let values = rows.enumerate().map(|(row, (predictions, gradient))| {
            let mut parts = gradient.chunks_exact_mut(width);
            // There are P parts of this width.
            let gradient = std::array::from_fn(|_| parts.next().unwrap_or_default());
            loss(row, std::array::from_fn(|p| &predictions[p * width..(p + 1) * width]), gradient)
        });
        (values.collect::<Vec<f64>>(), gradient)
    })?;
    match stacked.dtype() {
        DType::F64 => differentiated(&stacked, values, batch, gradient),
        DType::F32 => {
            let mut narrowed: Buffer<f32> = Buffer::any(gradient.len());
            narrowed.iter_mut().zip(gradient.iter()).for_each(|(narrow, wide)| *narrow = *wide as f32);
            differentiated(&stacked, values.into_iter().map(|value| value as f32).collect(), batch, narrowed)
        }
        other => bail!("a loss of predictions of dtype {other:?}; it takes f32 and f64"),
    }
}
