//! A fused 2-D convolution: unfolding, matrix product, bias and activation, image by image, with an analytic backward.

use super::activation::{self, Activation, Real};
use super::affine::{self, Affine};
use super::matrix::{Matrix, add_product};
use super::vector::vectorized;
use super::{plain, storage};
use candle_core::{CpuStorage, Layout, Result, Shape, Tensor, bail};

/// The sizes of a convolution. Images are rows of `channels × height × width` floats, channel by channel, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub filters: usize,
    /// Height and width of a filter.
    pub kernel: usize,
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
}

impl Convolution {
    /// `(height, width)` of the result; nothing where the kernel is larger than the padded image.
    pub fn output(&self) -> Option<(usize, usize)> {
        let along = |size: usize| Some((size + 2 * self.padding).checked_sub(self.kernel)? / self.stride + 1);
        Some((along(self.height)?, along(self.width)?))
    }

    /// Floats of one image.
    fn image(&self) -> usize {
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

    /// Copies the image into the middle of `padded`, whose border is zero.
    fn pad<T: Real>(&self, image: &[T], padded: &mut [T]) {
        self.for_each_image_row(|from, to| copy(&mut padded[to..to + self.width], &image[from..from + self.width]));
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

    #[inline(always)]
    /// Calls `visit(start in the unfolded matrix, start in the padded image)` for every weight of a filter and every row of
    /// the result: the pixels that this weight meets in this row, `stride` apart.
    fn for_each_unfolded_row(&self, mut visit: impl FnMut(usize, usize)) {
        let Some((out_height, out_width)) = self.output() else { return };
        let (height, width) = self.padded();
        let mut start = 0;
        for channel in 0..self.channels {
            for (ky, kx) in (0..self.kernel).flat_map(|ky| (0..self.kernel).map(move |kx| (ky, kx))) {
                for y in 0..out_height {
                    visit(start, (channel * height + y * self.stride + ky) * width + kx);
                    start += out_width;
                }
            }
        }
    }

    #[inline(always)]
    /// `[filter, pixels]`: for every weight of a filter, the pixels of the padded image that it meets.
    fn unfold<T: Real>(&self, padded: &[T], unfolded: &mut [T]) {
        let out_width = self.output().map_or(0, |(_, width)| width);
        self.for_each_unfolded_row(|start, from| {
            let row = &mut unfolded[start..start + out_width];
            if self.stride == 1 {
                copy(row, &padded[from..from + out_width]);
            } else {
                row.iter_mut().zip(padded[from..].iter().step_by(self.stride)).for_each(|(out, pixel)| *out = *pixel);
            }
        });
    }

    #[inline(always)]
    /// The transpose of [`Self::unfold`]: adds every entry to the pixel that it came from.
    fn fold<T: Real>(&self, unfolded: &[T], padded: &mut [T]) {
        let out_width = self.output().map_or(0, |(_, width)| width);
        self.for_each_unfolded_row(|start, from| {
            let row = &unfolded[start..start + out_width];
            if self.stride == 1 {
                padded[from..from + out_width].iter_mut().zip(row).for_each(|(pixel, entry)| *pixel += *entry);
            } else {
                padded[from..].iter_mut().step_by(self.stride).zip(row).for_each(|(pixel, entry)| *pixel += *entry);
            }
        });
    }

    /// A padded image and an unfolded one, zero.
    fn scratch<T: Real>(&self) -> (Vec<T>, Vec<T>) {
        let (height, width) = self.padded();
        (vec![T::zero(); self.channels * height * width], vec![T::zero(); self.filter() * self.pixels()])
    }

    fn forward<T: Real>(&self, x: &[T], w: &[T], b: &[T], activation: Activation, out: &mut [T]) {
        let (filter, pixels) = (self.filter(), self.pixels());
        let (mut padded, mut unfolded) = self.scratch();
        let weights = Matrix::new(w, self.filters, filter);
        for (image, out) in x.chunks_exact(self.image()).zip(out.chunks_exact_mut(self.filters * pixels)) {
            self.pad(image, &mut padded);
            vectorized(|| self.unfold(&padded, &mut unfolded));
            out.chunks_exact_mut(pixels).zip(b).for_each(|(plane, bias)| plane.fill(*bias));
            add_product(out, weights, Matrix::new(&unfolded, filter, pixels));
            activation::apply(activation, out);
        }
    }

    fn backward<T: Real>(&self, x: &[T], w: &[T], dz: &[T], needs_dx: bool) -> [Vec<T>; 3] {
        let (filter, pixels) = (self.filter(), self.pixels());
        let (mut padded, mut unfolded) = self.scratch();
        let mut folded = padded.clone();
        let mut dx = vec![T::zero(); if needs_dx { x.len() } else { 0 }];
        let (mut dw, mut db) = (vec![T::zero(); w.len()], vec![T::zero(); self.filters]);
        let weights = Matrix::new(w, self.filters, filter).transposed();
        for (i, (image, dz)) in x.chunks_exact(self.image()).zip(dz.chunks_exact(self.filters * pixels)).enumerate() {
            self.pad(image, &mut padded);
            vectorized(|| self.unfold(&padded, &mut unfolded));
            let dz_matrix = Matrix::new(dz, self.filters, pixels);
            add_product(&mut dw, dz_matrix, Matrix::new(&unfolded, filter, pixels).transposed());
            for (sum, plane) in db.iter_mut().zip(dz.chunks_exact(pixels)) {
                *sum += plane.iter().fold(T::zero(), |sum, dz| sum + *dz);
            }
            if needs_dx {
                unfolded.fill(T::zero());
                add_product(&mut unfolded, weights, dz_matrix);
                folded.fill(T::zero());
                vectorized(|| self.fold(&unfolded, &mut folded));
                let dx = &mut dx[i * self.image()..(i + 1) * self.image()];
                self.for_each_image_row(|to, from| {
                    dx[to..to + self.width].copy_from_slice(&folded[from..from + self.width]);
                });
            }
        }
        [dx, dw, db]
    }
}

/// Copies a short row, four floats at a time; the last four may overlap the ones before. A call of `memmove` would take longer
/// than the copy.
#[inline(always)]
fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    let n = to.len().min(from.len());
    if n < 4 {
        return to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
    let mut at = 0;
    while at < n {
        let start = at.min(n - 4);
        to[start..start + 4].copy_from_slice(&from[start..start + 4]);
        at += 4;
    }
}

/// `activation(x ∗ w + b)`, a cross-correlation as in all deep-learning libraries.
///
/// `x` is `[batch, channels · height · width]`, `w` is `[filters, channels, kernel, kernel]`, `b` is `[filters]`; the result
/// is `[batch, filters · out_height · out_width]`.
pub fn conv(x: &Tensor, w: &Tensor, b: &Tensor, sizes: Convolution, activation: Activation) -> Result<Tensor> {
    let fused = |activation| Conv { sizes, activation };
    affine::apply([x, w, b], activation, fused, |activation| plain::conv(x, w, b, sizes, activation))
}

/// The forward pass alone, from slices to a slice; `out` is overwritten.
///
/// # Panics
/// When the sizes don't fit.
pub fn conv_into(
    x: &[f32],
    w: &Tensor,
    b: &Tensor,
    (sizes, activation): (Convolution, Activation),
    out: &mut [f32],
) -> Result<()> {
    storage::with_slice(w, |w| storage::with_slice(b, |b| sizes.forward(x, w, b, activation, out)))?
}

/// The operation with its settings.
struct Conv {
    sizes: Convolution,
    activation: Activation,
}

impl Affine for Conv {
    const NAME: &'static str = "conv";

    fn forward<T: Real>(&self, arguments: [(&CpuStorage, &Layout); 3]) -> Result<(CpuStorage, Shape)> {
        let [(xs, xl), (ws, wl), (bs, bl)] = arguments;
        let (batch, features) = xl.shape().dims2()?;
        let Convolution { channels, filters, kernel, .. } = self.sizes;
        let fits = features == self.sizes.image()
            && wl.shape().dims4()? == (filters, channels, kernel, kernel)
            && bl.shape().dims1()? == filters;
        if !fits {
            bail!("conv: x {:?}, w {:?} and b {:?} don't fit {:?}", xl.shape(), wl.shape(), bl.shape(), self.sizes);
        }
        let outputs = filters * self.sizes.pixels();
        let mut y = vec![T::zero(); batch * outputs];
        let (x, w, b) = (storage::slice(xs, xl)?, storage::slice(ws, wl)?, storage::slice(bs, bl)?);
        self.sizes.forward(x, w, b, self.activation, &mut y);
        Ok((T::to_cpu_storage_owned(y), (batch, outputs).into()))
    }

    fn backward<T: Real>(&self, x: &Tensor, w: &Tensor, y: &Tensor, dy: &Tensor) -> Result<[Option<Tensor>; 3]> {
        let dz: Vec<T> = affine::dz(self.activation, y, dy)?;
        let needs_dx = x.track_op();
        let [dx, dw, db] =
            storage::with_slice(x, |x| storage::with_slice(w, |w| self.sizes.backward(x, w, &dz, needs_dx)))??;
        let dx = if needs_dx { Some(Tensor::from_vec(dx, x.shape(), x.device())?) } else { None };
        let dw = Tensor::from_vec(dw, w.shape(), x.device())?;
        Ok([dx, Some(dw), Some(Tensor::from_vec(db, self.sizes.filters, x.device())?)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{assert_equal_with_gradients, random_var};
    use candle_core::DType;
    use candle_core::Var;
    use rand::Rng as _;

    #[test]
    fn the_fused_convolution_equals_its_plain_twin() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for dtype in [DType::F64, DType::F32] {
            for activation in [Activation::Identity, Activation::Relu, Activation::Tanh, Activation::Gelu] {
                for _ in 0..10 {
                    let (kernel, side) = (rng.random_range(1..4), rng.random_range(3..9));
                    let sizes = Convolution {
                        channels: rng.random_range(1..4),
                        height: side,
                        width: side,
                        filters: rng.random_range(1..6),
                        kernel,
                        stride: rng.random_range(1..3),
                        padding: rng.random_range(0..2),
                    };
                    let batch = rng.random_range(1..4);
                    let arguments = [
                        random_var(&[batch, sizes.image()], dtype, &mut rng),
                        random_var(&[sizes.filters, sizes.channels, kernel, kernel], dtype, &mut rng),
                        random_var(&[sizes.filters], dtype, &mut rng),
                    ];
                    assert_equal_with_gradients(
                        |[x, w, b]| conv(x, w, b, sizes, activation),
                        |[x, w, b]| plain::conv(x, w, b, sizes, activation),
                        &arguments,
                        &format!("{sizes:?}, {activation:?}, batch {batch}"),
                    );
                }
            }
        }
    }

    /// The definition, pixel by pixel, for an image that is not square; the gradient by central differences.
    #[test]
    fn an_oblong_image_is_convolved_as_defined() {
        let sizes = Convolution { channels: 2, height: 4, width: 7, filters: 3, kernel: 3, stride: 2, padding: 1 };
        let mut rng = lossward_envs::stream(0, "test", 0);
        let shapes: [&[usize]; 3] = [&[2, sizes.image()], &[3, 2, 3, 3], &[3]];
        let arguments = shapes.map(|shape| random_var(shape, DType::F64, &mut rng));
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let [x, w, b] = arguments.each_ref().map(|v| flat(v));
        let (out_height, out_width) = sizes.output().unwrap();
        let pixel = |image: usize, c: usize, y: usize, x_at: usize| match (y.checked_sub(1), x_at.checked_sub(1)) {
            (Some(y), Some(x_at)) if y < 4 && x_at < 7 => x[((image * 2 + c) * 4 + y) * 7 + x_at],
            _ => 0.0,
        };
        let mut expected = Vec::new();
        for (image, filter) in (0..2).flat_map(|image| (0..3).map(move |filter| (image, filter))) {
            for (oy, ox) in (0..out_height).flat_map(|oy| (0..out_width).map(move |ox| (oy, ox))) {
                let terms = (0..18).map(|i| (i / 9, i / 3 % 3, i % 3));
                let sum: f64 = terms
                    .map(|(c, ky, kx)| {
                        w[((filter * 2 + c) * 3 + ky) * 3 + kx] * pixel(image, c, 2 * oy + ky, 2 * ox + kx)
                    })
                    .sum();
                expected.push(sum + b[filter]);
            }
        }
        let value = |arguments: &[Var; 3]| {
            conv(&arguments[0], &arguments[1], &arguments[2], sizes, Activation::Identity).unwrap()
        };
        for (got, want) in flat(&value(&arguments)).iter().zip(&expected) {
            assert!((got - want).abs() < 1e-12, "{got} for {want}");
        }
        let objective = |arguments: &[Var; 3]| value(arguments).sqr().unwrap().sum_all().unwrap();
        let gradients = objective(&arguments).backward().unwrap();
        for (part, shape) in shapes.iter().enumerate() {
            let (at, gradient) = (flat(&arguments[part]), flat(gradients.get(&arguments[part]).unwrap()));
            for i in 0..at.len() {
                let shifted = |by: f64| {
                    let mut moved = at.clone();
                    moved[i] += by;
                    let moved = Tensor::from_vec(moved, *shape, &candle_core::Device::Cpu).unwrap();
                    let mut arguments = arguments.clone();
                    arguments[part] = Var::from_tensor(&moved).unwrap();
                    objective(&arguments).to_scalar::<f64>().unwrap()
                };
                let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                assert!((difference - gradient[i]).abs() < 1e-6 * (1.0 + difference.abs()), "part {part} [{i}]");
            }
        }
    }
}
