//! The same operations in candle's own vocabulary: the oracle of the fused ones, and what runs where they don't.

use super::Activation;
use candle_core::{Result, Tensor};

/// `activation(x · wᵀ + b)`; `x` is `[batch, in]`, `w` is `[out, in]`, `b` is `[out]`.
pub fn dense(x: &Tensor, w: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
    activate(&x.matmul(&w.t()?)?.broadcast_add(b)?, activation)
}

pub fn activate(z: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Identity => Ok(z.clone()),
        Activation::Relu => z.relu(),
        Activation::Tanh => z.tanh(),
        Activation::Gelu => z.gelu_erf(),
    }
}
