//! The same operations in candle's own vocabulary: the oracle of the fused ones, and what runs where they don't.

use super::{Activation, Convolution, Pooling};
use candle_core::{D, Result, Tensor};

/// `activation(x · wᵀ + b)`; `x` is `[batch, in]`, `w` is `[out, in]`, `b` is `[out]`.
pub fn dense(x: &Tensor, w: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
    activate(&x.matmul(&w.t()?)?.broadcast_add(b)?, activation)
}

/// `activation(x ∗ w + b)` with images and results as rows; see [`super::conv`]. candle can only differentiate this for square
/// images.
pub fn conv(x: &Tensor, w: &Tensor, b: &Tensor, sizes: Convolution, activation: Activation) -> Result<Tensor> {
    let images = x.reshape(((), sizes.channels, sizes.height, sizes.width))?;
    let z = images.conv2d(w, sizes.padding, sizes.stride, 1, 1)?;
    activate(&z.broadcast_add(&b.reshape((1, (), 1, 1))?)?.flatten_from(1)?, activation)
}

/// The largest value of every window; see [`super::pool`]. Not by candle's `max_pool2d`, whose gradient is divided by the
/// area of the window.
pub fn pool(x: &Tensor, sizes: Pooling) -> Result<Tensor> {
    let Pooling { channels, height, width, size } = sizes;
    let ((rows, columns), images) = (sizes.output(), x.reshape(((), channels, height, width))?);
    let images = images.narrow(2, 0, rows * size)?.narrow(3, 0, columns * size)?.contiguous()?;
    images.reshape((images.dim(0)?, channels, rows, size, columns, size))?.max(5)?.max(3)?.flatten_from(1)
}

pub fn activate(z: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Identity => Ok(z.clone()),
        Activation::Relu => z.relu(),
        Activation::Tanh => z.tanh(),
        Activation::Gelu => z.gelu_erf(),
    }
}

/// `|x|` with derivative 0 at 0, as in PyTorch; candle's own has 1 there, which would push weights off a zero.
pub fn abs(x: &Tensor) -> Result<Tensor> {
    x * x.sign()?.detach()
}

/// `log softmax(z)_y` of each row; see [`super::log_prob`].
pub fn log_prob(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    candle_nn::ops::log_softmax(logits, D::Minus1)?.gather(&classes.unsqueeze(1)?, 1)?.squeeze(1)
}
