//! Losses of class labels.

use crate::Result;
use crate::distribution::Categorical;
use candle_core::Tensor;

/// `−log softmax(z)_y`, per example in nats.
///
/// `logits` is `[batch, classes]`, `labels` is `[batch]` of u32; the result is `[batch]`. The gradient with respect to the
/// logits is `softmax(z) − e_y`. It is the negative log-likelihood of the label under the categorical distribution that a
/// policy with these logits acts by.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    Ok(Categorical::new(logits).log_prob(labels)?.neg()?)
}
