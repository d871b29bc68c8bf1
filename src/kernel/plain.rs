//! The same operations in candle's own vocabulary: the oracle of the fused ones, and what runs where they don't.

use super::{Activation, ClippedLoss, Graph, Power, ValueClipping};
use candle_core::{D, Result, Tensor};
use std::ops::Range;

/// Every head of a graph, `[batch, outputs]` each; see [`super::graph()`].
pub fn graph(x: &Tensor, parameters: &Tensor, graph: &Graph) -> Result<Vec<Tensor>> {
    let mut results = vec![x.clone()];
    let mut start = 0;
    for node in graph.nodes() {
        let layer = &node.layer;
        let shape = layer.weight_shape().unwrap_or_else(|| vec![0]);
        let w = parameters.narrow(0, start, layer.weights())?.reshape(shape)?;
        let b = parameters.narrow(0, start + layer.weights(), layer.parameters() - layer.weights())?;
        start += layer.parameters();
        let xs: Vec<Tensor> = node.from.iter().map(|from| results[*from].clone()).collect();
        results.push(layer.plain(&xs, &w, &b)?);
    }
    Ok(graph.heads().iter().map(|head| results[*head].clone()).collect())
}

pub(super) fn activate(z: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Identity => Ok(z.clone()),
        Activation::Relu => z.relu(),
        Activation::LeakyRelu(slope) => candle_nn::ops::leaky_relu(z, slope.get()),
        Activation::Elu(alpha) => z.elu(alpha.get()),
        // `max(z, 0)` as `(z + |z|) / 2`, so that the derivative at 0 is ½.
        Activation::Softplus => ((z + abs(z)?)? * 0.5)? + (abs(z)?.neg()?.exp()? + 1.0)?.log()?,
        Activation::Silu => z * candle_nn::ops::sigmoid(z)?,
        Activation::GeluTanh => {
            let u = ((z + ((z.sqr()? * z)? * 0.044715)?)? * (2.0 / std::f64::consts::PI).sqrt())?;
            z * ((u.tanh()? + 1.0)? * 0.5)?
        }
        Activation::Tanh => z.tanh(),
        Activation::Sigmoid => candle_nn::ops::sigmoid(z),
        // Not by candle's `gelu_erf`, whose derivative has only nine digits.
        Activation::Gelu => z * (((z * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)? * 0.5)?,
    }
}

/// `rows · X · columnsᵀ` of every plane `X` of `x`, `[batch, channels, height, width]`: what is computed along both sides of an image.
pub(super) fn along_sides(x: &Tensor, [rows, columns]: [&Tensor; 2]) -> Result<Tensor> {
    rows.broadcast_matmul(x)?.broadcast_matmul(&columns.t()?)
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
