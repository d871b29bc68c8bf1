//! Max pooling.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::Real;
use crate::kernel::buffer::Buffer;
use crate::kernel::vector::{Simd, WithSimd, vectorized};
use candle_core::Tensor;
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[OptionRow {
        name: "pool",
        meaning: "side of a window",
        kind: OptionKind::RequiredWhole { at_least: 1 },
    }],
    meaning: "the largest number of every window of an image; windows stand side by side",
    plan,
    ..LayerRow::PLAIN
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let (channels, height, width) = arriving.image("pool")?;
    let size = options.whole("pool").unwrap_or_default() as usize;
    if size > height || size > width {
        return Err(format!("windows of {size}×{size} on an image of {height}×{width}"));
    }
    let sizes = Pool { channels, height, width, size };
    let (height, width) = sizes.output();
    Ok(Planned { layer: Some(Layer::Pool(sizes)), shape: vec![channels, height, width] })
}

/// The largest value of every window; windows of `size × size` stand side by side, and what is left over at the right and the
/// bottom is dropped. `[batch, channels · height · width]` to `[batch, channels · out_height · out_width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    fn largest<T: Real>(&self, x: &[T], y: &mut [T]) {
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
    fn give_to_largest<T: Real>(&self, x: &[T], y: &[T], dy: &[T], dx: &mut [T]) {
        if self.size == 2 {
            return vectorized(BackwardTwo { pool: self, x, y, dy, dx });
        }
        dx.fill(T::zero());
        for (to, from) in self.rows(x.len()) {
            for i in 0..self.output().1 {
                let corner = from + i * self.size;
                let pixels = (0..self.size).flat_map(|row| (0..self.size).map(move |column| (row, column)));
                let mut pixels = pixels.map(|(row, column)| corner + row * self.width + column);
                if let Some(first) = pixels.find(|at| x[*at] == y[to + i]) {
                    dx[first] = dy[to + i];
                }
            }
        }
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

impl Operation for Pool {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.image(), 0]
    }

    fn outputs(&self) -> usize {
        self.channels * self.output().0 * self.output().1
    }

    fn forward<T: Real>(&self, xs: &[&[T]], _: (&[T], &[T]), y: &mut [T], _: &mut [T]) {
        self.largest(xs[0], y);
    }

    fn backward<T: Real>(&self, passed: Passed<T>, _: &[T], dy: &mut [T], _: (&mut [T], &mut [T]), dxs: &mut Dx<T>) {
        if let Some(dx) = &mut dxs[0] {
            self.give_to_largest(passed.xs[0], passed.y, dy, dx);
        }
    }

    /// Not by candle's `max_pool2d`, whose gradient is divided by the area of the window.
    fn plain(&self, xs: &[Tensor], _: &Tensor, _: &Tensor) -> candle_core::Result<Tensor> {
        let Pool { channels, height, width, size } = *self;
        let ((rows, columns), images) = (self.output(), xs[0].reshape(((), channels, height, width))?);
        let images = images.narrow(2, 0, rows * size)?.narrow(3, 0, columns * size)?.contiguous()?;
        images.reshape((images.dim(0)?, channels, rows, size, columns, size))?.max(5)?.max(3)?.flatten_from(1)
    }
}

#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

/// Where groups of windows of 2 × 2 begin that are worked on side by side. The last ones of a row overlap those before, and
/// write the same again.
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
        let (out_height, out_width) = pool.output();
        let (plane, out_plane, row) = (pool.height * pool.width, out_height * out_width, 2 * out_width);
        // Plane by plane: the upper rows of all windows, the lower ones with one pixel more on either side, and beside each pixel
        // its window's largest and gradient. Rows are moved one by one, so that the arithmetic has long loops.
        let whole = out_height * row;
        let mut scratch = Buffer::zeros(6 * whole + 4);
        let (upper, rest) = scratch.split_at_mut(whole + 2);
        let (lower, rest) = rest.split_at_mut(whole + 2);
        let (largest, rest) = rest.split_at_mut(whole);
        let (left, rest) = rest.split_at_mut(whole);
        let (to_upper, to_lower) = rest.split_at_mut(whole);
        let planes = x.chunks_exact(plane).zip(dx.chunks_exact_mut(plane));
        for ((x, dx), (y, dy)) in planes.zip(y.chunks_exact(out_plane).zip(dy.chunks_exact(out_plane))) {
            for (i, rows) in x.chunks_exact(2 * pool.width).take(out_height).enumerate() {
                upper[1 + i * row..][..row].copy_from_slice(&rows[..row]);
                lower[1 + i * row..][..row].copy_from_slice(&rows[pool.width..][..row]);
            }
            twice(y, largest);
            twice(dy, left);
            hand_out((upper, lower), (largest, left), to_upper, to_lower);
            if whole * 2 != plane {
                dx.fill(T::zero());
            }
            for (i, rows) in dx.chunks_exact_mut(2 * pool.width).take(out_height).enumerate() {
                rows[..row].copy_from_slice(&to_upper[i * row..][..row]);
                rows[pool.width..][..row].copy_from_slice(&to_lower[i * row..][..row]);
            }
        }
    }
}

#[inline(always)]
fn twice<T: Real>(values: &[T], out: &mut [T]) {
    for (pair, value) in out.chunks_exact_mut(2).zip(values) {
        (pair[0], pair[1]) = (*value, *value);
    }
}

/// The first pixel of a window that is the largest gets the gradient. A function, so that the compiler knows the slices apart.
#[inline(always)]
fn hand_out<T: Real>(
    (upper, lower): (&[T], &[T]),
    (largest, left): (&[T], &[T]),
    to_upper: &mut [T],
    to_lower: &mut [T],
) {
    let n = to_upper.len();
    let (largest, left, to_lower) = (&largest[..n], &left[..n], &mut to_lower[..n]);
    let (upper, upper_before, upper_after) = (&upper[1..][..n], &upper[..n], &upper[2..][..n]);
    let (lower, lower_before, lower_after) = (&lower[1..][..n], &lower[..n], &lower[2..][..n]);
    let (zero, one) = (T::zero(), T::one());
    for j in 0..n {
        let is = |pixel: T| if pixel == largest[j] { one } else { zero };
        let right = if j % 2 == 1 { one } else { zero };
        let beside_upper = right * is(upper_before[j]) + (one - right) * is(upper_after[j]);
        let beside_lower = right * is(lower_before[j]) + (one - right) * is(lower_after[j]);
        let (in_upper, in_lower) = (is(upper[j]), is(lower[j]));
        let not_above = (one - in_upper) * (one - beside_upper);
        to_upper[j] = left[j] * (in_upper * (one - right * beside_upper));
        to_lower[j] = left[j] * (in_lower * (one - right * beside_lower) * not_above);
    }
}
