//! Max pooling.

use super::activation::Real;
use super::buffer::Buffer;
use super::vector::{Simd, WithSimd, vectorized};

/// The largest value of every window; windows of `size × size` stand side by side, and what is left over at the right and the
/// bottom is dropped. `[batch, channels · height · width]` to `[batch, channels · out_height · out_width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub size: usize,
}

impl Pool {
    /// `(height, width)` of the result.
    pub fn output(&self) -> (usize, usize) {
        (self.height / self.size, self.width / self.size)
    }

    /// Floats of one image.
    pub fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Windows of the usual side get a loop of their own, which becomes vector code.
    pub(super) fn forward<T: Real>(&self, x: &[T], y: &mut [T]) {
        if self.size == 2 {
            return vectorized(ForwardTwo { pool: self, x, y });
        }
        let out_width = self.output().1;
        self.for_each_row(x.len(), |to, from| {
            let out = &mut y[to..to + out_width];
            out.fill(T::neg_infinity());
            for row in 0..self.size {
                let pixels = &x[from + row * self.width..][..out_width * self.size];
                for (out, window) in out.iter_mut().zip(pixels.chunks_exact(self.size)) {
                    window.iter().for_each(|pixel| *out = larger(*pixel, *out));
                }
            }
        });
    }

    /// The gradient goes to the first pixel of a window that is the largest, row by row.
    pub(super) fn backward<T: Real>(&self, x: &[T], y: &[T], dy: &[T], dx: &mut [T]) {
        let (out_height, out_width) = self.output();
        if (out_height * self.size, out_width * self.size) != (self.height, self.width) {
            dx.fill(T::zero());
        }
        if self.size == 2 {
            return vectorized(BackwardTwo { pool: self, x, y, dy, dx });
        }
        // What is left of each window's gradient: nothing once its first largest pixel has got it.
        let mut left = Buffer::any(out_width);
        self.for_each_row(x.len(), |to, from| {
            left.copy_from_slice(&dy[to..to + out_width]);
            for row in 0..self.size {
                let range = from + row * self.width..from + row * self.width + out_width * self.size;
                let windows = x[range.clone()].chunks_exact(self.size).zip(dx[range].chunks_exact_mut(self.size));
                for ((pixels, dx), (largest, left)) in windows.zip(y[to..to + out_width].iter().zip(left.iter_mut())) {
                    for (pixel, dx) in pixels.iter().zip(dx) {
                        (*dx, *left) = hand_over(*pixel == *largest, *left);
                    }
                }
            }
        });
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
}

#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

/// `(what the pixel gets, what is left for the others)`
#[inline(always)]
fn hand_over<T: Real>(is_largest: bool, left: T) -> (T, T) {
    if is_largest { (left, T::zero()) } else { (T::zero(), left) }
}

struct ForwardTwo<'a, T> {
    pool: &'a Pool,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> WithSimd for ForwardTwo<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let ForwardTwo { pool, x, y } = self;
        let out_width = pool.output().1;
        pool.for_each_row(x.len(), |to, from| {
            let upper = x[from..from + 2 * out_width].chunks_exact(2);
            let lower = x[from + pool.width..][..2 * out_width].chunks_exact(2);
            for (y, (upper, lower)) in y[to..to + out_width].iter_mut().zip(upper.zip(lower)) {
                *y = larger(larger(upper[0], upper[1]), larger(lower[0], lower[1]));
            }
        });
    }
}

struct BackwardTwo<'a, T> {
    pool: &'a Pool,
    x: &'a [T],
    y: &'a [T],
    dy: &'a [T],
    dx: &'a mut [T],
}

impl<T: Real> WithSimd for BackwardTwo<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let BackwardTwo { pool, x, y, dy, dx } = self;
        let (out_width, width) = (pool.output().1, pool.width);
        pool.for_each_row(x.len(), |to, from| {
            let upper = x[from..from + 2 * out_width].chunks_exact(2);
            let lower = x[from + width..][..2 * out_width].chunks_exact(2);
            let (dx_upper, dx_lower) = dx[from..from + width + 2 * out_width].split_at_mut(width);
            let dx_upper = dx_upper[..2 * out_width].chunks_exact_mut(2);
            let windows = upper.zip(lower).zip(dx_upper.zip(dx_lower.chunks_exact_mut(2)));
            let results = y[to..to + out_width].iter().zip(&dy[to..to + out_width]);
            for (((upper, lower), (dx_upper, dx_lower)), (largest, dy)) in windows.zip(results) {
                let mut left = *dy;
                (dx_upper[0], left) = hand_over(upper[0] == *largest, left);
                (dx_upper[1], left) = hand_over(upper[1] == *largest, left);
                (dx_lower[0], left) = hand_over(lower[0] == *largest, left);
                (dx_lower[1], _) = hand_over(lower[1] == *largest, left);
            }
        });
    }
}
