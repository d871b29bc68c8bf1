//! Max pooling.

use super::activation::Real;
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
        for (to, from) in self.rows(x.len()) {
            let out = &mut y[to..to + out_width];
            out.fill(T::neg_infinity());
            for row in 0..self.size {
                let pixels = &x[from + row * self.width..][..out_width * self.size];
                for (out, window) in out.iter_mut().zip(pixels.chunks_exact(self.size)) {
                    window.iter().for_each(|pixel| *out = larger(*pixel, *out));
                }
            }
        }
    }

    /// The gradient goes to the first pixel of a window that is the largest, row by row.
    pub(super) fn backward<T: Real>(&self, x: &[T], y: &[T], dy: &[T], dx: &mut [T]) {
        let (out_height, out_width) = self.output();
        let (plane, out_plane) = (self.height * self.width, out_height * out_width);
        // Plane by plane, so that what is filled with zeros is still at hand when the gradients come.
        let planes = x.chunks_exact(plane).zip(dx.chunks_exact_mut(plane));
        let results = y.chunks_exact(out_plane).zip(dy.chunks_exact(out_plane));
        for ((x, dx), (y, dy)) in planes.zip(results) {
            dx.fill(T::zero());
            for row in 0..out_height {
                let rows = row * self.size * self.width..(row + 1) * self.size * self.width;
                let (x, dx) = (&x[rows.clone()], &mut dx[rows]);
                let (y, dy) = (&y[row * out_width..][..out_width], &dy[row * out_width..][..out_width]);
                for (column, (largest, dy)) in y.iter().zip(dy).enumerate() {
                    let corner = column * self.size;
                    dx[corner + self.first_largest(&x[corner..], *largest)] = *dy;
                }
            }
        }
    }

    /// Where the first pixel lies that is the largest of its window, counted from the window's corner.
    #[inline(always)]
    fn first_largest<T: Real>(&self, x: &[T], largest: T) -> usize {
        let Pool { size, width, .. } = *self;
        if size == 2 {
            // By arithmetic: a branch would be guessed wrong most of the time.
            let (upper, lower) = (&x[..2], &x[width..][..2]);
            let after_a = usize::from(upper[0] < largest);
            let after_b = after_a & usize::from(upper[1] < largest);
            let after_c = after_b & usize::from(lower[0] < largest);
            return after_a + after_b * (width - 1) + after_c;
        }
        let pixels = (0..size).flat_map(|row| row * width..row * width + size);
        pixels.clone().find(|at| x[*at] == largest).unwrap_or((size - 1) * (width + 1))
    }

    /// Where every row of the result and its first row of pixels begin, for all images that `pixels` floats hold.
    #[inline(always)]
    fn rows(&self, pixels: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (Pool { height, width, size, .. }, (out_height, out_width)) = (*self, self.output());
        let planes = 0..pixels / (height * width);
        planes.flat_map(move |plane| {
            (0..out_height).map(move |y| ((plane * out_height + y) * out_width, (plane * height + y * size) * width))
        })
    }
}

#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

/// Where groups of windows of 2 × 2 begin that are worked on side by side. The last ones of a row overlap those before, and write the same again.
#[inline(always)]
fn groups(windows: usize, group: usize) -> impl Iterator<Item = usize> {
    (0..windows).step_by(group).map(move |at| at.min(windows - group))
}

struct ForwardTwo<'a, T> {
    pool: &'a Pool,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> ForwardTwo<'_, T> {
    #[inline(always)]
    fn in_groups_of<const N: usize>(&mut self) {
        let out_width = self.pool.output().1;
        for (to, from) in self.pool.rows(self.x.len()) {
            for at in groups(out_width, N) {
                self.group::<N>(to + at, from + 2 * at);
            }
        }
    }

    #[inline(always)]
    fn group<const N: usize>(&mut self, to: usize, from: usize) {
        let (upper, lower) = (&self.x[from..][..2 * N], &self.x[from + self.pool.width..][..2 * N]);
        let y = &mut self.y[to..to + N];
        for i in 0..N {
            y[i] = larger(larger(upper[2 * i], upper[2 * i + 1]), larger(lower[2 * i], lower[2 * i + 1]));
        }
    }
}

impl<T: Real> WithSimd for ForwardTwo<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        match self.pool.output().1 {
            8.. => self.in_groups_of::<8>(),
            4.. => self.in_groups_of::<4>(),
            _ => self.in_groups_of::<1>(),
        }
    }
}
