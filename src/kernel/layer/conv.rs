//! A 2-D convolution: unfolding, matrix product, bias and activation, image by image, with an analytic backward.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
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
        OptionRow { name: "conv", meaning: "filters", kind: OptionKind::RequiredWhole { at_least: 1 } },
        OptionRow {
            name: "kernel",
            meaning: "height and width of a filter",
            kind: OptionKind::RequiredWhole { at_least: 1 },
        },
        OptionRow {
            name: "stride",
            meaning: "pixels from one place of a filter to the next",
            kind: OptionKind::Whole { default: Some(1), at_least: 1 },
        },
        OptionRow {
            name: "padding",
            meaning: "zeros around the image",
            kind: OptionKind::Whole { default: Some(0), at_least: 0 },
        },
    ],
    meaning: "a 2-D convolution of images, a bias and the activation",
    joins: false,
    plan,
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let whole = |name: &str| options.whole(name).unwrap_or_default() as usize;
    let (channels, height, width) = arriving.image("conv")?;
    let (filters, kernel, stride, padding) = (whole("conv"), whole("kernel"), whole("stride"), whole("padding"));
    let activation = arriving.activation;
    let sizes = Conv { channels, height, width, filters, kernel, stride, padding, activation };
    let (height, width) = sizes.output().ok_or(format!("a kernel of {kernel} on an image of {height}×{width}"))?;
    Ok(Planned { layer: Some(Layer::Conv(sizes)), shape: vec![filters, height, width] })
}

/// `y = activation(x ∗ w + b)`, a cross-correlation as in all deep-learning libraries.
///
/// `x` is `[batch, channels · height · width]`, `w` is `[filters, channels, kernel, kernel]`, `b` is `[filters]`; the result is
/// `[batch, filters · out_height · out_width]`. Images are rows of `channels × height × width` floats, channel by channel, row
/// by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub filters: usize,
    /// Height and width of a filter.
    pub kernel: usize,
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
    pub activation: Activation,
}

impl Conv {
    /// `(height, width)` of the result; nothing where the kernel is larger than the padded image.
    pub fn output(&self) -> Option<(usize, usize)> {
        let along = |size: usize| Some((size + 2 * self.padding).checked_sub(self.kernel)? / self.stride + 1);
        Some((along(self.height)?, along(self.width)?))
    }

    /// Floats of one image.
    pub fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Weights of one filter.
    fn filter(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    /// Pixels of the result.
    fn pixels(&self) -> usize {
        self.output().map_or(0, |(height, width)| height * width)
    }

    /// `(height, width)` of the image with its zeros around it.
    fn padded(&self) -> (usize, usize) {
        (self.height + 2 * self.padding, self.width + 2 * self.padding)
    }

    /// Calls `visit(start in the image, start in the padded image)` for every row of every channel.
    fn for_each_image_row(&self, mut visit: impl FnMut(usize, usize)) {
        let (height, width) = self.padded();
        for channel in 0..self.channels {
            for y in 0..self.height {
                let to = (channel * height + y + self.padding) * width + self.padding;
                visit((channel * self.height + y) * self.width, to);
            }
        }
    }

    /// For every weight of a filter: where its row of the unfolded matrix begins, and the first pixel of the padded image that
    /// it meets. The following rows of the result lie `out_width` and `stride · width` further on.
    #[inline(always)]
    fn unfolded_rows(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let ((height, width), kernel, pixels) = (self.padded(), self.kernel, self.pixels());
        (0..self.filter()).map(move |weight| {
            let (channel, ky, kx) = (weight / (kernel * kernel), weight / kernel % kernel, weight % kernel);
            (weight * pixels, (channel * height + ky) * width + kx)
        })
    }

    /// `[filter, pixels]`: for every weight of a filter, the pixels of the padded image that it meets.
    fn unfold<T: Real>(&self, image: &[T], padded: &mut [T], unfolded: &mut [T]) {
        if self.padding == 0 {
            padded[..image.len()].copy_from_slice(image);
        } else {
            self.for_each_image_row(|from, to| {
                padded[to..to + self.width].copy_from_slice(&image[from..from + self.width]);
            });
        }
        vectorized(Unfold { conv: self, padded, unfolded });
    }

    /// The transpose of [`Self::unfold`]: every pixel gets the sum of the entries that were read from it.
    fn fold<T: Real>(&self, unfolded: &[T], padded: &mut [T], image: &mut [T]) {
        vectorized(Fold { conv: self, unfolded, padded });
        if self.padding == 0 {
            return image.copy_from_slice(&padded[..image.len()]);
        }
        self.for_each_image_row(|to, from| {
            image[to..to + self.width].copy_from_slice(&padded[from..from + self.width]);
        });
    }

    /// A zero image with its padding, and an unfolded one, each with some more floats than it needs: rows are moved in whole
    /// [`LANES`]. What is read there counts for nothing, but must not be NaN.
    fn scratch<T: Real>(&self) -> (Buffer<T>, Buffer<T>) {
        let (height, width) = self.padded();
        let padded = self.channels * height * width;
        let mut unfolded = Buffer::any(self.filter() * self.pixels() + LANES + self.kernel);
        unfolded[self.filter() * self.pixels()..].fill(T::zero());
        (Buffer::zeros(padded + LANES), unfolded)
    }
}

impl Operation for Conv {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.image(), 0]
    }

    fn outputs(&self) -> usize {
        self.filters * self.pixels()
    }

    fn weight_shape(&self) -> Option<Vec<usize>> {
        Some(vec![self.filters, self.channels, self.kernel, self.kernel])
    }

    fn weights(&self) -> usize {
        self.filters * self.filter()
    }

    fn biases(&self) -> usize {
        self.filters
    }

    fn products(&self) -> usize {
        self.filters * self.filter() * self.pixels()
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn forward<T: Real>(&self, xs: &[&[T]], (w, b): (&[T], &[T]), y: &mut [T], arguments: &mut [T]) {
        let x = xs[0];
        let (filter, pixels) = (self.filter(), self.pixels());
        let outputs = self.filters * pixels;
        let (mut padded, mut unfolded) = self.scratch();
        let weights = Matrix::new(w, self.filters, filter);
        for (i, (image, y)) in x.chunks_exact(self.image()).zip(y.chunks_exact_mut(outputs)).enumerate() {
            self.unfold(image, &mut padded, &mut unfolded);
            set_product(y, weights, Matrix::new(&unfolded[..filter * pixels], filter, pixels));
            let mut arguments = arguments.get_mut(i * outputs..(i + 1) * outputs).unwrap_or_default();
            for (plane, bias) in y.chunks_exact_mut(pixels).zip(b) {
                let (here, rest) = arguments.split_at_mut(pixels.min(arguments.len()));
                activation::apply(self.activation, plane, *bias, here);
                arguments = rest;
            }
        }
    }

    /// With `dz = dy ⊙ activation'(z)`, which overwrites `dy`; the unfolded images are made again rather than kept.
    fn backward<T: Real>(
        &self,
        passed: Passed<T>,
        w: &[T],
        dy: &mut [T],
        (dw, db): (&mut [T], &mut [T]),
        dxs: &mut Dx<T>,
    ) {
        let Passed { xs, y, arguments } = passed;
        let x = xs[0];
        let (filter, pixels) = (self.filter(), self.pixels());
        let outputs = self.filters * pixels;
        let (mut padded, mut unfolded) = self.scratch();
        let weights = Matrix::new(w, self.filters, filter).transposed();
        let mut folded: Buffer<T> = Buffer::any(padded.len());
        // The gradient of the weights is summed up as [filter, filters]: the product is faster with many rows and few columns.
        let mut dw_transposed: Buffer<T> = Buffer::zeros(dw.len());
        db.fill(T::zero());
        for (i, (image, dz)) in x.chunks_exact(self.image()).zip(dy.chunks_exact_mut(outputs)).enumerate() {
            let range = i * outputs..(i + 1) * outputs;
            let arguments = if arguments.is_empty() { &[] } else { &arguments[range.clone()] };
            activation::multiply_derivative(self.activation, dz, &y[range], arguments);
            self.unfold(image, &mut padded, &mut unfolded);
            let dz_matrix = Matrix::new(dz, self.filters, pixels);
            let entries = &mut unfolded[..filter * pixels];
            add_product(&mut dw_transposed, Matrix::new(entries, filter, pixels), dz_matrix.transposed());
            vectorized(AddPlanes { planes: dz, pixels, sums: db });
            if let Some(dx) = &mut dxs[0] {
                set_product(entries, weights, dz_matrix);
                self.fold(&unfolded, &mut folded, &mut dx[i * self.image()..(i + 1) * self.image()]);
            }
        }
        for (i, dw) in dw.iter_mut().enumerate() {
            *dw = dw_transposed[i % filter * self.filters + i / filter];
        }
    }

    /// candle can only differentiate this for square images.
    fn plain(&self, xs: &[Tensor], w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
        let images = xs[0].reshape(((), self.channels, self.height, self.width))?;
        let z = images.conv2d(w, self.padding, self.stride, 1, 1)?;
        plain::activate(&z.broadcast_add(&b.reshape((1, (), 1, 1))?)?.flatten_from(1)?, self.activation)
    }
}

/// Floats that are moved or added at once.
const LANES: usize = 16;

struct Unfold<'a, T> {
    conv: &'a Conv,
    padded: &'a [T],
    unfolded: &'a mut [T],
}

impl<T: Real> WithSimd for Unfold<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Unfold { conv, padded, unfolded } = self;
        let Some((out_height, out_width)) = conv.output() else { return };
        let (stride, width) = (conv.stride, conv.padded().1);
        for (start, from) in conv.unfolded_rows() {
            let (unfolded, padded) = (&mut unfolded[start..], &padded[from..]);
            if stride == 1 {
                // What is too much at the end of a row is overwritten by the next one.
                for y in 0..out_height {
                    let row = &mut unfolded[y * out_width..][..out_width.next_multiple_of(LANES)];
                    let pixels = &padded[y * width..][..row.len()];
                    for (row, pixels) in row.chunks_exact_mut(LANES).zip(pixels.chunks_exact(LANES)) {
                        row.copy_from_slice(pixels);
                    }
                }
            } else {
                for (y, row) in unfolded.chunks_exact_mut(out_width).take(out_height).enumerate() {
                    for (x, entry) in row.iter_mut().enumerate() {
                        *entry = padded[(y * width + x) * stride];
                    }
                }
            }
        }
    }
}

struct Fold<'a, T> {
    conv: &'a Conv,
    unfolded: &'a [T],
    padded: &'a mut [T],
}

impl<T: Real> WithSimd for Fold<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        if self.conv.stride == 1 { self.gather() } else { self.scatter() }
    }
}

impl<T: Real> Fold<'_, T> {
    /// Entry by entry to its pixel.
    #[inline(always)]
    fn scatter(&mut self) {
        let Fold { conv, unfolded, padded } = self;
        let Some((out_height, out_width)) = conv.output() else { return };
        let (stride, width) = (conv.stride, conv.padded().1);
        padded.fill(T::zero());
        for (start, from) in conv.unfolded_rows() {
            for y in 0..out_height {
                for x in 0..out_width {
                    padded[from + (y * width + x) * stride] += unfolded[start + y * out_width + x];
                }
            }
        }
    }

    /// Pixels side by side from all their entries, for a stride of 1: every pixel is written once.
    #[inline(always)]
    fn gather(&mut self) {
        let Fold { conv, unfolded, padded } = self;
        let Some((out_height, out_width)) = conv.output() else { return };
        let ((height, width), kernel) = (conv.padded(), conv.kernel);
        // 1 where the entry that lies `kx` before a pixel belongs to the same row, and 0 where it doesn't.
        let mut masks: Buffer<T> = Buffer::any(width.next_multiple_of(LANES) * kernel);
        for (i, mask) in masks.chunks_exact_mut(LANES).enumerate() {
            for (lane, mask) in mask.iter_mut().enumerate() {
                let column = (i / kernel * LANES + lane).wrapping_sub(i % kernel);
                *mask = if column < out_width { T::one() } else { T::zero() };
            }
        }
        for channel in 0..conv.channels {
            for y in 0..height {
                for x in (0..width).step_by(LANES) {
                    let mut sums = [T::zero(); LANES];
                    for ky in y.saturating_sub(out_height - 1)..kernel.min(y + 1) {
                        for kx in 0..kernel {
                            // The row of the result that these pixels and this weight share, `kx` to the left of the pixels.
                            let row = (((channel * kernel + ky) * kernel + kx) * out_height + y - ky) * out_width;
                            let mask = &masks[(x / LANES * kernel + kx) * LANES..][..LANES];
                            let entries = &unfolded[row + x - kx..][..LANES];
                            for ((sum, entry), mask) in sums.iter_mut().zip(entries).zip(mask) {
                                *sum += *entry * *mask;
                            }
                        }
                    }
                    // What is too much is overwritten by the next row.
                    padded[(channel * height + y) * width + x..][..LANES].copy_from_slice(&sums);
                }
            }
        }
    }
}

/// Adds the sum of every plane.
struct AddPlanes<'a, T> {
    planes: &'a [T],
    pixels: usize,
    sums: &'a mut [T],
}

impl<T: Real> WithSimd for AddPlanes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (sum, plane) in self.sums.iter_mut().zip(self.planes.chunks_exact(self.pixels)) {
            // Sums side by side: one running sum would wait for every addition.
            let mut sums = [T::zero(); 16];
            let chunks = plane.chunks_exact(16);
            let rest = chunks.remainder().iter().fold(T::zero(), |sum, value| sum + *value);
            for chunk in chunks {
                sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += *value);
            }
            *sum += sums.iter().fold(rest, |sum, value| sum + *value);
        }
    }
}
