//! Max pooling.

use super::activation::Real;
use super::vector::vectorized;
use super::{plain, storage};
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};

/// The sizes of a pooling: windows of `size × size` side by side; what is left over at the right and the bottom is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooling {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub size: usize,
}

impl Pooling {
    /// `(height, width)` of the result.
    pub fn output(&self) -> (usize, usize) {
        (self.height / self.size, self.width / self.size)
    }

    fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Calls `visit(start of a row of the result, start of its first row of pixels)` for all images that `pixels` floats hold.
    #[inline(always)]
    fn for_each_row(&self, pixels: usize, mut visit: impl FnMut(usize, usize)) {
        let (out_height, out_width) = self.output();
        for plane in 0..pixels / (self.height * self.width) {
            for y in 0..out_height {
                visit((plane * out_height + y) * out_width, (plane * self.height + y * self.size) * self.width);
            }
        }
    }

    #[inline(always)]
    fn forward_windows<T: Real>(&self, size: usize, x: &[T], out: &mut [T]) {
        let out_width = self.output().1;
        self.for_each_row(x.len(), |to, from| {
            let out = &mut out[to..to + out_width];
            out.fill(T::neg_infinity());
            for row in 0..size {
                let pixels = &x[from + row * self.width..][..out_width * size];
                for (out, window) in out.iter_mut().zip(pixels.chunks_exact(size)) {
                    window.iter().for_each(|pixel| *out = if *pixel > *out { *pixel } else { *out });
                }
            }
        });
    }

    /// The gradient goes to the first pixel of a window that is the largest.
    #[inline(always)]
    fn backward_windows<T: Real>(&self, size: usize, x: &[T], (y, dy): (&[T], &[T]), dx: &mut [T]) {
        let out_width = self.output().1;
        // What is left of each window's gradient: nothing once its first largest pixel has got it.
        let mut left = vec![T::zero(); out_width];
        self.for_each_row(x.len(), |to, from| {
            left.copy_from_slice(&dy[to..to + out_width]);
            for row in 0..size {
                let range = from + row * self.width..from + row * self.width + out_width * size;
                let windows = x[range.clone()].chunks_exact(size).zip(dx[range].chunks_exact_mut(size));
                for ((pixels, dx), (largest, left)) in windows.zip(y[to..to + out_width].iter().zip(&mut left)) {
                    for (pixel, dx) in pixels.iter().zip(dx) {
                        let is_largest = *pixel == *largest;
                        *dx = if is_largest { *left } else { T::zero() };
                        *left = if is_largest { T::zero() } else { *left };
                    }
                }
            }
        });
    }

    /// Windows of the usual side get a loop of their own, which the compiler can unroll.
    fn forward<T: Real>(&self, x: &[T], out: &mut [T]) {
        match self.size {
            2 => vectorized(|| self.forward_windows(2, x, out)),
            size => self.forward_windows(size, x, out),
        }
    }

    fn backward<T: Real>(&self, x: &[T], y: &[T], dy: &[T]) -> Vec<T> {
        let mut dx = vec![T::zero(); x.len()];
        match self.size {
            2 => vectorized(|| self.backward_windows(2, x, (y, dy), &mut dx)),
            size => self.backward_windows(size, x, (y, dy), &mut dx),
        }
        dx
    }
}

/// The largest value of every window; `[batch, channels · height · width]` to `[batch, channels · out_height · out_width]`.
pub fn pool(x: &Tensor, sizes: Pooling) -> Result<Tensor> {
    if storage::is_plain_cpu(x) { x.apply_op1(Pool { sizes }) } else { plain::pool(x, sizes) }
}

/// The forward pass alone, from slice to slice.
pub fn pool_into(x: &[f32], sizes: Pooling, out: &mut [f32]) {
    sizes.forward(x, out);
}

struct Pool {
    sizes: Pooling,
}

impl Pool {
    fn forward<T: Real>(&self, xs: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, features) = xl.shape().dims2()?;
        if features != self.sizes.image() {
            bail!("pool: x {:?} doesn't fit {:?}", xl.shape(), self.sizes);
        }
        let (height, width) = self.sizes.output();
        let outputs = self.sizes.channels * height * width;
        let mut y = vec![T::zero(); batch * outputs];
        self.sizes.forward::<T>(storage::slice(xs, xl)?, &mut y);
        Ok((T::to_cpu_storage_owned(y), (batch, outputs).into()))
    }

    fn backward<T: Real>(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Tensor> {
        let dy = dy.contiguous()?;
        let dx: Vec<T> = storage::with_slice(x, |x| {
            storage::with_slice(y, |y| storage::with_slice(&dy, |dy| self.sizes.backward(x, y, dy)))
        })???;
        Tensor::from_vec(dx, x.shape(), x.device())
    }
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        match xs {
            CpuStorage::F32(_) => self.forward::<f32>(xs, xl),
            _ => self.forward::<f64>(xs, xl),
        }
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        match x.dtype() {
            DType::F32 => self.backward::<f32>(x, y, dy),
            _ => self.backward::<f64>(x, y, dy),
        }
        .map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{assert_equal_with_gradients, random_var};
    use rand::Rng as _;

    #[test]
    fn the_fused_pooling_equals_its_plain_twin() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for dtype in [DType::F64, DType::F32] {
            for _ in 0..20 {
                let size = rng.random_range(1..4);
                let (height, width) = (rng.random_range(size..12), rng.random_range(size..12));
                let sizes = Pooling { channels: rng.random_range(1..4), height, width, size };
                let x = random_var(&[rng.random_range(1..4), sizes.image()], dtype, &mut rng);
                let what = format!("{sizes:?}");
                assert_equal_with_gradients(|[x]| pool(x, sizes), |[x]| plain::pool(x, sizes), &[x], &what);
            }
        }
    }

    #[test]
    fn the_rest_of_an_uneven_image_is_dropped() {
        let x = Tensor::arange(0f32, 15.0, &candle_core::Device::Cpu).unwrap().reshape((1, 15)).unwrap();
        let pooled = pool(&x, Pooling { channels: 1, height: 3, width: 5, size: 2 }).unwrap();
        assert_eq!(pooled.to_vec2::<f32>().unwrap(), [[6.0, 8.0]]);
    }
}
