//! Losses that compare numbers one by one, with their derivatives, in one pass.

use super::activation::Real;
use super::buffer::Buffer;
use super::differentiated::differentiated;
use super::storage;
use super::vector::{Simd, WithSimd, vectorized};
use candle_core::{DType, Result, Tensor, WithDType, bail};

/// A loss of `P` predicted numbers and `T` target numbers.
pub(crate) trait Pointwise<const P: usize, const T: usize>: Copy {
    /// The loss, and its derivative with respect to each prediction.
    ///
    /// Implementations are inlined into a vectorized loop: mark them `#[inline(always)]`.
    fn at<R: Real>(self, predictions: [R; P], targets: [R; T]) -> (R, [R; P]);
}

/// How the losses of an example's outputs become its loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Mean,
    Sum,
}

/// The loss of each example, `[batch]`, with the gradient in every prediction; targets get none.
///
/// All tensors are `[batch, outputs]`; what is not of the dtype of the predictions is converted.
pub(crate) fn pointwise<const P: usize, const T: usize>(
    loss: impl Pointwise<P, T>,
    predictions: [&Tensor; P],
    targets: [&Tensor; T],
    over: Over,
) -> Result<Tensor> {
    let shape = predictions[0].dims2()?;
    for tensor in predictions.iter().chain(&targets) {
        if tensor.dims2()? != shape {
            bail!("{:?} and {:?} where every shape should be the same", predictions[0].shape(), tensor.shape());
        }
    }
    let dtype = predictions[0].dtype();
    // Example by example, so that the gradient of one loss lies together.
    let stacked = stacked(&predictions)?;
    let mut converted = Vec::with_capacity(T);
    for target in targets {
        converted.push(target.to_dtype(dtype)?.contiguous()?);
    }
    let targets = std::array::from_fn(|i| &converted[i]);
    match dtype {
        DType::F32 => fused::<f32, P, T>(loss, &stacked, targets, shape, over),
        DType::F64 => fused::<f64, P, T>(loss, &stacked, targets, shape, over),
        other => bail!("a loss of predictions of dtype {other:?}; it takes f32 and f64"),
    }
}

/// Several predictions of the shape `[batch, …]` as `[batch, P, …]`.
pub(super) fn stacked(predictions: &[&Tensor]) -> Result<Tensor> {
    match predictions {
        [one] => one.contiguous(),
        several => Tensor::stack(several, 1),
    }
}

fn fused<R: Real, const P: usize, const T: usize>(
    loss: impl Pointwise<P, T>,
    predictions: &Tensor,
    targets: [&Tensor; T],
    (batch, outputs): (usize, usize),
    over: Over,
) -> Result<Tensor> {
    let scale = match over {
        Over::Mean => 1.0 / outputs as f64,
        Over::Sum => 1.0,
    };
    let read = |predictions: &[R], targets: [&[R]; T]| {
        let mut losses: Buffer<R> = Buffer::any(batch * outputs);
        let mut gradient: Buffer<R> = Buffer::any(predictions.len());
        // A single prediction per number is one long row.
        let row = if P == 1 { batch * outputs } else { outputs };
        for start in (0..batch * outputs).step_by(row.max(1)) {
            let range = start * P..(start + row) * P;
            vectorized(Row {
                loss,
                predictions: &predictions[range.clone()],
                targets: targets.map(|targets| &targets[start..start + row]),
                losses: &mut losses[start..start + row],
                gradient: &mut gradient[range],
                scale: <R as WithDType>::from_f64(scale),
            });
        }
        let sum = |losses: &[R]| losses.iter().map(|loss| WithDType::to_f64(*loss)).sum::<f64>();
        let values = losses.chunks_exact(outputs.max(1)).map(|losses| WithDType::from_f64(scale * sum(losses)));
        (values.collect::<Vec<R>>(), gradient)
    };
    let (values, gradient) = storage::with_slice(predictions, |predictions| {
        storage::with_slices(targets, |targets| read(predictions, targets))
    })??;
    differentiated(predictions, values, batch, gradient)
}

/// `row` numbers: `predictions` and `gradient` are `[P, row]`, the others `[row]`.
struct Row<'a, L, R, const P: usize, const T: usize> {
    loss: L,
    predictions: &'a [R],
    targets: [&'a [R]; T],
    losses: &'a mut [R],
    gradient: &'a mut [R],
    scale: R,
}

impl<L: Pointwise<P, T>, R: Real, const P: usize, const T: usize> WithSimd for Row<'_, L, R, P, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Row { loss, predictions, targets, losses, gradient, scale } = self;
        let row = losses.len();
        let (predictions, gradient) = (&predictions[..P * row], &mut gradient[..P * row]);
        let targets: [&[R]; T] = std::array::from_fn(|t| &targets[t][..row]);
        for i in 0..row {
            let (value, slopes) =
                loss.at(std::array::from_fn(|p| predictions[p * row + i]), std::array::from_fn(|t| targets[t][i]));
            losses[i] = value;
            for (p, slope) in slopes.into_iter().enumerate() {
                gradient[p * row + i] = scale * slope;
            }
        }
    }
}
