//! The same operations in candle's own vocabulary: the oracle of the fused ones, and what runs where they don't.

use super::{Activation, ClippedLoss, Conv, Dropout, Layer, Pool, Power, ValueClipping};
use candle_core::{D, Result, Tensor};
use std::ops::Range;

/// `x` through all layers; see [`super::chain`].
pub fn chain(x: &Tensor, parameters: &Tensor, layers: &[Layer]) -> Result<Tensor> {
    let mut y = x.clone();
    let mut start = 0;
    for layer in layers {
        let shape = layer.weight_shape().unwrap_or_else(|| vec![0]);
        let w = parameters.narrow(0, start, layer.weights())?.reshape(shape)?;
        let b = parameters.narrow(0, start + layer.weights(), layer.parameters() - layer.weights())?;
        start += layer.parameters();
        y = match layer {
            Layer::Dense(dense) => activate(&y.matmul(&w.t()?)?.broadcast_add(&b)?, dense.activation)?,
            Layer::Conv(sizes) => conv(&y, &w, &b, sizes)?,
            Layer::Pool(sizes) => pool(&y, sizes)?,
            Layer::Dropout(dropped) => dropout(&y, dropped)?,
            Layer::Append(_) => Tensor::cat(&[&y, &b.broadcast_left(y.dim(0)?)?], 1)?,
        };
    }
    Ok(y)
}

/// candle can only differentiate this for square images.
fn conv(x: &Tensor, w: &Tensor, b: &Tensor, sizes: &Conv) -> Result<Tensor> {
    let images = x.reshape(((), sizes.channels, sizes.height, sizes.width))?;
    let z = images.conv2d(w, sizes.padding, sizes.stride, 1, 1)?;
    activate(&z.broadcast_add(&b.reshape((1, (), 1, 1))?)?.flatten_from(1)?, sizes.activation)
}

/// Not by candle's `max_pool2d`, whose gradient is divided by the area of the window.
fn pool(x: &Tensor, sizes: &Pool) -> Result<Tensor> {
    let Pool { channels, height, width, size } = *sizes;
    let ((rows, columns), images) = (sizes.output(), x.reshape(((), channels, height, width))?);
    let images = images.narrow(2, 0, rows * size)?.narrow(3, 0, columns * size)?.contiguous()?;
    images.reshape((images.dim(0)?, channels, rows, size, columns, size))?.max(5)?.max(3)?.flatten_from(1)
}

fn dropout(x: &Tensor, dropout: &Dropout) -> Result<Tensor> {
    let factors: Vec<f64> = dropout.factors().take(x.elem_count()).collect();
    x * Tensor::from_vec(factors, x.shape(), x.device())?.to_dtype(x.dtype())?
}

fn activate(z: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Identity => Ok(z.clone()),
        Activation::Relu => z.relu(),
        Activation::Tanh => z.tanh(),
        Activation::Sigmoid => candle_nn::ops::sigmoid(z),
        // Not by candle's `gelu_erf`, whose derivative has only nine digits.
        Activation::Gelu => z * (((z * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)? * 0.5)?,
    }
}

/// `|x|` with derivative 0 at 0, as in PyTorch; candle's own has 1 there, which would push weights off a zero.
pub fn abs(x: &Tensor) -> Result<Tensor> {
    x * x.sign()?.detach()
}

/// See [`super::sum_of_powers`].
pub fn sum_of_powers(x: &Tensor, ranges: &[Range<usize>], power: Power) -> Result<Tensor> {
    let mut sum = Tensor::zeros((), x.dtype(), x.device())?;
    for range in ranges {
        let x = x.narrow(0, range.start, range.len())?;
        let powers = match power {
            Power::One => abs(&x)?,
            Power::Two => x.sqr()?,
        };
        sum = (sum + powers.sum_all()?)?;
    }
    Ok(sum)
}

/// `log softmax(z)_y` of each row; see [`super::log_prob`].
pub fn log_prob(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    candle_nn::ops::log_softmax(logits, D::Minus1)?.gather(&classes.unsqueeze(1)?, 1)?.squeeze(1)
}

/// See [`super::cross_entropy`].
pub fn cross_entropy(logits: &Tensor, weights: &Tensor) -> Result<Tensor> {
    (candle_nn::ops::log_softmax(logits, D::Minus1)? * weights)?.sum(D::Minus1)?.neg()
}

/// See [`super::value_loss`].
pub fn value_loss(values: &Tensor, returns: &Tensor, clipping: Option<ValueClipping>) -> Result<Tensor> {
    let returns = returns.reshape(values.shape())?;
    let free = (values - &returns)?.sqr()?;
    let Some(ValueClipping { old, clip, loss }) = clipping else { return free.mean_all() };
    let old = old.reshape(values.shape())?;
    let held = ((&old + (values - &old)?.clamp(-clip, clip)?)? - returns)?.sqr()?;
    match loss {
        ClippedLoss::Larger => free.maximum(&held)?.mean_all(),
        ClippedLoss::Clipped => held.mean_all(),
    }
}
