//! A transposed 2-D convolution: matrix product, folding, bias and activation, image by image, with an analytic backward.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned, filter_bias};
use crate::kernel::activation::{self, Activation, Real};
use crate::kernel::buffer::Buffer;
use crate::kernel::matrix::{Matrix, add_product, set_product};
use crate::kernel::plain;
use crate::kernel::vector::{Simd, WithSimd, vectorized};
use candle_core::Tensor;
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[
        OptionRow { name: "conv_transpose", meaning: "filters", kind: OptionKind::RequiredWhole { at_least: 1 } },
        OptionRow {
            name: "kernel",
            meaning: "height and width of a filter",
            kind: OptionKind::RequiredWhole { at_least: 1 },
        },
        OptionRow {
            name: "stride",
            meaning: "pixels of the result from one pixel of the image to the next",
            kind: OptionKind::Whole { default: Some(1), at_least: 1 },
        },
        OptionRow {
            name: "padding",
            meaning: "pixels that are cut off all around",
            kind: OptionKind::Whole { default: Some(0), at_least: 0 },
        },
        super::BIAS,
    ],
    meaning: "a transposed convolution, which makes images larger, a bias and the activation (Zeiler et al. 2010)",
    plan,
    ..LayerRow::PLAIN
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let whole = |name: &str| options.whole(name).unwrap_or_default() as usize;
    let (channels, height, width) = arriving.image("conv_transpose")?;
    let (filters, kernel, stride, padding) =
        (whole("conv_transpose"), whole("kernel"), whole("stride"), whole("padding"));
    let (bias, activation) = (arriving.has_bias(options), arriving.activation);
    let sizes = ConvTranspose { channels, height, width, filters, kernel, stride, padding, bias, activation };
    let nothing = || format!("a padding of {padding} leaves nothing of an image of {height}×{width}");
    let (height, width) = sizes.output().ok_or_else(nothing)?;
    Ok(Planned { layer: Some(Layer::ConvTranspose(sizes)), shape: vec![filters, height, width] })
}

/// The transpose of the convolution with this kernel, stride and padding, whose result has the size of the image here:
/// `z[o, i s + u − p, j s + v − p] += x[c, i, j] w[c, o, u, v]`, and `y = activation(z + b)`.
///
/// `x` is `[batch, channels · height · width]`, `w` is `[channels, filters, kernel, kernel]` (PyTorch's layout), `b` is `[filters]` or
/// nothing; the result is `[batch, filters · out_height · out_width]` with `out_height = (height − 1) s − 2p + kernel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConvTranspose {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub filters: usize,
    /// Height and width of a filter.
    pub kernel: usize,
    pub stride: usize,
    /// Pixels that are cut off all around.
    pub padding: usize,
    #[serde(default = "super::yes", skip_serializing_if = "super::is_true")]
    pub bias: bool,
    pub activation: Activation,
}

impl ConvTranspose {
    /// `(height, width)` of the result; nothing where the padding leaves none.
    pub fn output(&self) -> Option<(usize, usize)> {
        let along = |side: usize| ((side - 1) * self.stride + self.kernel).checked_sub(2 * self.padding);
        Some((along(self.height)?, along(self.width)?)).filter(|(height, width)| *height > 0 && *width > 0)
    }

    /// Pixels of an image.
    fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Pixels of a plane of the result.
    fn out_pixels(&self) -> usize {
        self.output().map_or(0, |(height, width)| height * width)
    }

    /// Numbers that each pixel of a channel is multiplied by.
    fn spread(&self) -> usize {
        self.filters * self.kernel * self.kernel
    }

    /// Whether blocks of 2 × 2 stand side by side.
    fn doubles(&self) -> bool {
        (self.kernel, self.stride, self.padding) == (2, 2, 0)
    }

    /// Calls `visit(entry, pixel, count)` for every run of entries `[spread, pixels]` that belong to pixels of the result, each `stride`
    /// behind the one before.
    #[inline(always)]
    fn for_each_run(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let Some((out_height, out_width)) = self.output() else { return };
        let ConvTranspose { height, width, kernel, stride, padding, .. } = *self;
        for weight in 0..self.spread() {
            let (filter, u, v) = (weight / (kernel * kernel), weight / kernel % kernel, weight % kernel);
            let first = padding.saturating_sub(v).div_ceil(stride);
            let end = (out_width + padding).saturating_sub(v).div_ceil(stride).min(width);
            for y in 0..height {
                let row = (y * stride + u).checked_sub(padding).filter(|row| *row < out_height);
                if let (Some(row), true) = (row, first < end) {
                    let pixel = (filter * out_height + row) * out_width + first * stride + v - padding;
                    visit((weight * height + y) * width + first, pixel, end - first);
                }
            }
        }
    }
}

impl Operation for ConvTranspose {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.channels * self.pixels(), 0]
    }

    fn outputs(&self) -> usize {
        self.filters * self.out_pixels()
    }

    fn weight_shape(&self) -> Option<Vec<usize>> {
        Some(vec![self.channels, self.filters, self.kernel, self.kernel])
    }

    fn weights(&self) -> usize {
        self.channels * self.spread()
    }

    fn biases(&self) -> usize {
        if self.bias { self.filters } else { 0 }
    }

    /// On average over the pixels of the result, those at its border left out.
    fn fan_in(&self) -> f64 {
        self.channels as f64 * (self.kernel as f64 / self.stride as f64).max(1.0).powi(2)
    }

    fn products(&self) -> usize {
        self.weights() * self.pixels()
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn forward<T: Real>(&self, xs: &[&[T]], (w, b): (&[T], &[T]), y: &mut [T], arguments: &mut [T]) {
        let (spread, pixels, out_pixels) = (self.spread(), self.pixels(), self.out_pixels());
        let mut entries: Buffer<T> = Buffer::any(spread * pixels);
        let weights = Matrix::new(w, self.channels, spread).transposed();
        let images = xs[0].chunks_exact(self.channels * pixels);
        for (image, y) in images.zip(y.chunks_exact_mut(self.outputs())) {
            set_product(&mut entries, weights, Matrix::new(image, self.channels, pixels));
            vectorized(Fold { conv: self, entries: &entries, y });
        }
        filter_bias::activate(self.activation, y, (b, out_pixels), arguments);
    }

    /// With `dz = dy ⊙ activation'(z)`, which overwrites `dy`: the convolution of `dz` is `dx`.
    fn backward<T: Real>(
        &self,
        passed: Passed<T>,
        w: &[T],
        dy: &mut [T],
        (dw, db): (&mut [T], &mut [T]),
        dxs: &mut Dx<T>,
    ) {
        let (spread, pixels, out_pixels) = (self.spread(), self.pixels(), self.out_pixels());
        activation::multiply_derivative(self.activation, dy, passed.y, passed.kept);
        let image = self.channels * pixels;
        // Entries of pixels that were cut off stay 0.
        let mut entries: Buffer<T> = Buffer::zeros(spread * pixels);
        dw.fill(T::zero());
        db.fill(T::zero());
        filter_bias::add_up(dy, out_pixels, db);
        for (i, (x, dz)) in passed.xs[0].chunks_exact(image).zip(dy.chunks_exact(self.outputs())).enumerate() {
            vectorized(Unfold { conv: self, dz, entries: &mut entries });
            let unfolded = Matrix::new(&entries, spread, pixels);
            add_product(dw, Matrix::new(x, self.channels, pixels), unfolded.transposed());
            if let Some(dx) = &mut dxs[0] {
                set_product(&mut dx[i * image..(i + 1) * image], Matrix::new(w, self.channels, spread), unfolded);
            }
        }
    }

    fn plain(&self, xs: &[Tensor], w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
        let images = xs[0].reshape((xs[0].dim(0)?, self.channels, self.height, self.width))?;
        let z = images.conv_transpose2d(w, self.padding, 0, self.stride, 1)?;
        let z = if self.bias { z.broadcast_add(&b.reshape((1, (), 1, 1))?)? } else { z };
        plain::activate(&z.flatten_from(1)?, self.activation)
    }
}

/// Every pixel of the result gets the sum of its entries.
struct Fold<'a, T> {
    conv: &'a ConvTranspose,
    entries: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> WithSimd for Fold<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Fold { conv, entries, y } = self;
        let (stride, width) = (conv.stride, conv.width);
        if conv.doubles() {
            for (i, row) in y.chunks_exact_mut(2 * width).enumerate() {
                let [left, right] = pair(conv, i);
                interleave(&entries[left..][..width], &entries[right..][..width], row);
            }
            return;
        }
        y.fill(T::zero());
        conv.for_each_run(|entry, pixel, count| {
            let pixels = y[pixel..].iter_mut().step_by(stride);
            pixels.zip(&entries[entry..entry + count]).for_each(|(pixel, entry)| *pixel += *entry);
        });
    }
}

/// Every entry gets the pixel that it belongs to.
struct Unfold<'a, T> {
    conv: &'a ConvTranspose,
    dz: &'a [T],
    entries: &'a mut [T],
}

impl<T: Real> WithSimd for Unfold<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Unfold { conv, dz, entries } = self;
        let (stride, width) = (conv.stride, conv.width);
        if conv.doubles() {
            for (i, row) in dz.chunks_exact(2 * width).enumerate() {
                let [left, right] = pair(conv, i);
                let (before, rest) = entries.split_at_mut(right);
                separate(row, &mut before[left..][..width], &mut rest[..width]);
            }
            return;
        }
        conv.for_each_run(|entry, pixel, count| {
            let pixels = dz[pixel..].iter().step_by(stride);
            entries[entry..entry + count].iter_mut().zip(pixels).for_each(|(entry, pixel)| *entry = *pixel);
        });
    }
}

/// Where the entries of the left and of the right halves of a row of blocks of 2 × 2 begin.
#[inline(always)]
fn pair(conv: &ConvTranspose, row: usize) -> [usize; 2] {
    let (filter, y) = (row / (2 * conv.height), row % (2 * conv.height));
    [0, 1].map(|v| ((4 * filter + 2 * (y % 2) + v) * conv.height + y / 2) * conv.width)
}

#[inline(always)]
fn interleave<T: Real>(left: &[T], right: &[T], out: &mut [T]) {
    for ((pair, left), right) in out.chunks_exact_mut(2).zip(left).zip(right) {
        (pair[0], pair[1]) = (*left, *right);
    }
}

#[inline(always)]
fn separate<T: Real>(row: &[T], left: &mut [T], right: &mut [T]) {
    for ((pair, left), right) in row.chunks_exact(2).zip(left).zip(right) {
        (*left, *right) = (pair[0], pair[1]);
    }
}
