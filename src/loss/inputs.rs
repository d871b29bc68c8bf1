//! What goes into a loss and what comes out.

use crate::Result;
use crate::kernel::{self, Over, Pointwise};
use candle_core::Tensor;

/// Predictions and targets, in the order of a loss's parts.
pub struct Inputs {
    /// f32 or f64, all of one dtype.
    pub predictions: Vec<Tensor>,
    /// Labels are u32 or i64; everything else is converted to the dtype of the predictions. Optional ones may be left out.
    pub targets: Vec<Tensor>,
}

/// The losses of a batch.
pub struct PerExample {
    /// One per example.
    pub values: Tensor,
    /// What the mean divides by, where that is not the number of examples: the sum of their weights.
    pub total_weight: Option<f64>,
}

impl PerExample {
    /// A scalar; NaN where no example counts.
    pub fn mean(&self) -> Result<Tensor> {
        let total = self.total_weight.unwrap_or(self.values.elem_count() as f64);
        Ok(kernel::scaled_sum(&self.values, 1.0 / total)?)
    }
}

impl From<Tensor> for PerExample {
    fn from(values: Tensor) -> Self {
        PerExample { values, total_weight: None }
    }
}

impl Inputs {
    /// One prediction and one target.
    pub fn pair(predictions: &Tensor, targets: &Tensor) -> Inputs {
        Inputs { predictions: vec![predictions.clone()], targets: vec![targets.clone()] }
    }

    /// Compares `P` predictions with `T` targets number by number; the outputs of an example become its loss as `over` says.
    pub(super) fn compare<const P: usize, const T: usize>(
        &self,
        loss: impl Pointwise<P, T>,
        over: Over,
    ) -> Result<PerExample> {
        let rows = |tensors: &[Tensor]| tensors.iter().map(as_rows).collect::<Result<Vec<_>>>();
        let (predictions, targets) = (rows(&self.predictions)?, rows(&self.targets)?);
        let predictions: [&Tensor; P] = std::array::from_fn(|i| &predictions[i]);
        Ok(kernel::pointwise(loss, predictions, std::array::from_fn(|i| &targets[i]), over)?.into())
    }
}

/// `[batch, …]` as `[batch, outputs]`, and `[batch]` as `[batch, 1]`.
pub(super) fn as_rows(tensor: &Tensor) -> Result<Tensor> {
    let batch = tensor.dim(0)?;
    Ok(tensor.reshape((batch, tensor.elem_count() / batch.max(1)))?)
}
