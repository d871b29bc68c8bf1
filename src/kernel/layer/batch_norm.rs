//! Batch normalization: every channel by its mean and deviation over the batch, or by running ones.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::{self, Activation, Real};
use crate::kernel::buffer::Buffer;
use crate::kernel::plain;
use crate::kernel::sums::{sum, sum_of_products};
use crate::kernel::vector::{Simd, WithSimd, vectorized};
use candle_core::{Tensor, WithDType};
use lossward_envs::options::{Interval, OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[
        OptionRow { name: "batch_norm", meaning: "true", kind: OptionKind::Flag { default: true } },
        OptionRow::number("momentum", 0.1, Interval::SHARE, "share of a batch in the running mean and variance"),
    ],
    meaning: "every channel (or feature) minus its mean over the batch, by its deviation, times a weight, plus a bias; then the activation \
              of the layer before. At evaluation the mean and the deviation are running ones",
    normalizes: true,
    plan,
    ..LayerRow::PLAIN
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    super::switched_on(options, "batch_norm")?;
    let shape = arriving.shapes[0];
    let channels = shape[0];
    let layer = Layer::BatchNorm(BatchNorm {
        channels,
        pixels: arriving.size() / channels.max(1),
        momentum: options.number("momentum"),
        of_batch: false,
        activation: arriving.activation,
    });
    Ok(Planned { layer: Some(layer), shape: shape.to_vec() })
}

/// `y = activation(γ (x − μ) / √(σ² + ε) + β)` per channel, with ε = 1e-5 (Ioffe and Szegedy 2015, arXiv 1502.03167).
///
/// `x` is `[batch, channels · pixels]`; the weight γ is `[channels]`, and so are β, the running mean and the running variance, which follow
/// one another. Of a batch, μ and σ² are its mean and its biased variance; `running ← (1 − m) running + m · batch`, of the variance
/// the unbiased one, with the momentum `m`, as in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNorm {
    pub channels: usize,
    /// Floats of a channel.
    pub pixels: usize,
    pub momentum: f64,
    /// Whether it normalizes by the batch at hand.
    #[serde(skip)]
    pub of_batch: bool,
    pub activation: Activation,
}

const EPSILON: f64 = 1e-5;

/// Of a channel: `z = slope · x + shift`.
#[derive(Clone, Copy)]
struct Line<T> {
    slope: T,
    shift: T,
}

impl BatchNorm {
    /// Mean and `1 / √(variance + ε)` of every channel: those of the batch, or the running ones.
    fn moments<T: Real>(&self, x: &[T], b: &[T]) -> Vec<[f64; 2]> {
        let inverse = |variance: f64| 1.0 / (variance + EPSILON).sqrt();
        if self.of_batch {
            let of_batch = |channel| self.of_channel(x, channel);
            return (0..self.channels).map(of_batch).map(|[mean, variance]| [mean, inverse(variance)]).collect();
        }
        let running = b[self.channels..].split_at(self.channels);
        let pairs = running.0.iter().zip(running.1);
        pairs.map(|(mean, variance)| [WithDType::to_f64(*mean), inverse(WithDType::to_f64(*variance))]).collect()
    }

    /// Mean and biased variance of a channel of a batch.
    fn of_channel<T: Real>(&self, x: &[T], channel: usize) -> [f64; 2] {
        let count = (x.len() / self.channels).max(1) as f64;
        let mean = self.planes(x, channel).map(sum).sum::<f64>() / count;
        let squares = self.planes(x, channel).map(|x| sum_of_products((x, mean), (x, mean)));
        [mean, squares.sum::<f64>() / count]
    }

    /// The floats of a channel, example by example.
    fn planes<'a, T>(&self, x: &'a [T], channel: usize) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
        let pixels = self.pixels;
        x.chunks_exact(self.channels * pixels).map(move |x| &x[channel * pixels..][..pixels])
    }

    fn line<T: Real>(&self, channel: usize, [mean, inverse]: [f64; 2], w: &[T], b: &[T]) -> Line<T> {
        let slope = WithDType::to_f64(w[channel]) * inverse;
        let shift = WithDType::to_f64(b[channel]) - mean * slope;
        Line { slope: <T as WithDType>::from_f64(slope), shift: <T as WithDType>::from_f64(shift) }
    }
}

impl Operation for BatchNorm {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.channels * self.pixels, 0]
    }

    fn outputs(&self) -> usize {
        self.channels * self.pixels
    }

    fn weight_shape(&self) -> Option<Vec<usize>> {
        Some(vec![self.channels])
    }

    fn weights(&self) -> usize {
        self.channels
    }

    fn scales(&self) -> bool {
        true
    }

    fn biases(&self) -> usize {
        3 * self.channels
    }

    fn statistics(&self) -> usize {
        2 * self.channels
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    /// Mean and inverse deviation of every channel.
    fn kept(&self, _: usize) -> usize {
        2 * self.channels
    }

    fn forward<T: Real>(&self, xs: &[&[T]], (w, b): (&[T], &[T]), y: &mut [T], kept: &mut [T]) {
        let moments = self.moments(xs[0], b);
        let is_wanted = !kept.is_empty();
        for (i, moments) in moments.iter().enumerate().filter(|_| is_wanted) {
            kept[i] = <T as WithDType>::from_f64(moments[0]);
            kept[self.channels + i] = <T as WithDType>::from_f64(moments[1]);
        }
        let lines: Vec<Line<T>> = moments.iter().enumerate().map(|(i, moments)| self.line(i, *moments, w, b)).collect();
        let planes = xs[0].chunks_exact(self.pixels).zip(y.chunks_exact_mut(self.pixels));
        for ((x, y), line) in planes.zip(lines.iter().cycle()) {
            vectorized(ApplyLine { line: *line, x, z: y });
            activation::apply(self.activation, y, T::zero(), &mut []);
        }
    }

    /// With `dz = dy ⊙ activation'(z)`, which overwrites `dy`, `x̂ = (x − μ) / σ` and sums over the batch of `n`: `dβ = Σ dz`,
    /// `dγ = Σ dz x̂`, and `dx = γ/σ (dz − dβ/n − x̂ dγ/n)` of a batch, `γ/σ dz` where mean and deviation are constants.
    fn backward<T: Real>(
        &self,
        passed: Passed<T>,
        w: &[T],
        dy: &mut [T],
        (dw, db): (&mut [T], &mut [T]),
        dxs: &mut Dx<T>,
    ) {
        let x = passed.xs[0];
        let count = (x.len() / self.channels).max(1) as f64;
        let moment = |i: usize| [passed.kept[i], passed.kept[self.channels + i]].map(WithDType::to_f64);
        let mut z = Buffer::any(if self.activation.needs_argument() { self.pixels } else { 0 });
        db.fill(T::zero());
        let mut lines = Vec::with_capacity(self.channels);
        for channel in 0..self.channels {
            let [mean, inverse] = moment(channel);
            let line = self.line(channel, [mean, inverse], w, passed.biases);
            let (mut by_bias, mut by_weight) = (0.0, 0.0);
            // Plane by plane, so that each is read from memory once.
            for start in (channel * self.pixels..x.len()).step_by(self.channels * self.pixels) {
                let plane = start..start + self.pixels;
                let (x, dz) = (&x[plane.clone()], &mut dy[plane.clone()]);
                if !z.is_empty() {
                    vectorized(ApplyLine { line, x, z: &mut z });
                }
                activation::multiply_derivative(self.activation, dz, &passed.y[plane], &z);
                by_bias += sum(dz);
                by_weight += sum_of_products((dz, 0.0), (x, mean)) * inverse;
            }
            db[channel] = <T as WithDType>::from_f64(by_bias);
            dw[channel] = <T as WithDType>::from_f64(by_weight);
            let slope = WithDType::to_f64(w[channel]) * inverse;
            let (of_mean, of_deviation) = match self.of_batch {
                true => (slope * by_bias / count, slope * by_weight / count * inverse),
                false => (0.0, 0.0),
            };
            lines.push([slope, -of_deviation, of_deviation * mean - of_mean].map(<T as WithDType>::from_f64));
        }
        if let Some(dx) = &mut dxs[0] {
            vectorized(ApplyGradients { lines: &lines, pixels: self.pixels, dz: dy, x, dx });
        }
    }

    fn observed<T: Real>(&self, kept: &[T], batch: usize) -> Option<(f64, Vec<f64>)> {
        let count = (batch * self.pixels) as f64;
        let (means, inverses) = kept.split_at(self.channels);
        let biased = |inverse: &T| (WithDType::to_f64(*inverse).powi(-2) - EPSILON).max(0.0);
        let unbiased = inverses.iter().map(|inverse| biased(inverse) * count / (count - 1.0).max(1.0));
        let values = means.iter().map(|mean| WithDType::to_f64(*mean)).chain(unbiased).collect();
        self.of_batch.then_some((self.momentum, values))
    }

    fn plain(&self, xs: &[Tensor], w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
        let x = xs[0].reshape(((), self.channels, self.pixels))?;
        let of_channels = |t: &Tensor| t.reshape((1, self.channels, 1));
        let part = |i: usize| of_channels(&b.narrow(0, i * self.channels, self.channels)?);
        let (mean, variance) = match self.of_batch {
            false => (part(1)?, part(2)?),
            true => {
                let mean = x.mean_keepdim(2)?.mean_keepdim(0)?;
                let variance = x.broadcast_sub(&mean)?.sqr()?.mean_keepdim(2)?.mean_keepdim(0)?;
                (mean, variance)
            }
        };
        let normalized = x.broadcast_sub(&mean)?.broadcast_div(&(variance + EPSILON)?.sqrt()?)?;
        let z = normalized.broadcast_mul(&of_channels(w)?)?.broadcast_add(&part(0)?)?;
        plain::activate(&z.flatten_from(1)?, self.activation)
    }
}

struct ApplyLine<'a, T> {
    line: Line<T>,
    x: &'a [T],
    z: &'a mut [T],
}

impl<T: Real> WithSimd for ApplyLine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Line { slope, shift } = self.line;
        for (z, x) in self.z.iter_mut().zip(self.x) {
            *z = slope * *x + shift;
        }
    }
}

/// `dx = a dz + b x + c`
struct ApplyGradients<'a, T> {
    lines: &'a [[T; 3]],
    pixels: usize,
    dz: &'a [T],
    x: &'a [T],
    dx: &'a mut [T],
}

impl<T: Real> WithSimd for ApplyGradients<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let planes = self.x.chunks_exact(self.pixels).zip(self.dx.chunks_exact_mut(self.pixels));
        for (((x, dx), dz), line) in planes.zip(self.dz.chunks_exact(self.pixels)).zip(self.lines.iter().cycle()) {
            let [a, b, c] = *line;
            for ((dx, x), dz) in dx.iter_mut().zip(x).zip(dz) {
                *dx = a * *dz + (b * *x + c);
            }
        }
    }
}
