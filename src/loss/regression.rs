//! Losses of real values.

use crate::Result;
use crate::kernel::{self, plain};
use candle_core::{D, Tensor};

/// The squared error, averaged over the outputs of each example.
///
/// `predictions` and `targets` are `[batch, outputs]`; the result is `[batch]`. The gradient with respect to a prediction is
/// `2 (ŷ − y) / outputs`.
pub fn mse(predictions: &Tensor, targets: &Tensor) -> Result<Tensor> {
    Ok(kernel::squared_error(predictions, targets)?)
}

/// The absolute error, averaged over the outputs of each example; the gradient at an error of 0 is 0, as in PyTorch.
///
/// Shapes as for [`mse`].
pub fn mae(predictions: &Tensor, targets: &Tensor) -> Result<Tensor> {
    Ok(plain::abs(&(predictions - targets)?)?.mean(D::Minus1)?)
}
