//! Windows of 2 × 2 that stand side by side.

use super::{Pool, larger};
use crate::kernel::activation::Real;
use crate::kernel::buffer::Buffer;
use crate::kernel::vector::{Simd, WithSimd};

/// Where every row of the result and its first row of pixels begin, for all images that `pixels` floats hold.
#[inline(always)]
fn rows(pool: &Pool, pixels: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (Pool { height, width, .. }, (out_height, out_width)) = (*pool, pool.output());
    let planes = 0..pixels / (height * width);
    planes.flat_map(move |plane| {
        (0..out_height).map(move |y| ((plane * out_height + y) * out_width, (plane * height + 2 * y) * width))
    })
}

/// Where groups of windows of 2 × 2 begin that are worked on side by side. The last ones of a row overlap those before, and
/// write the same again.
#[inline(always)]
fn groups(windows: usize, group: usize) -> impl Iterator<Item = usize> {
    (0..windows).step_by(group).map(move |at| at.min(windows - group))
}

pub(super) struct Forward<'a, T> {
    pub pool: &'a Pool,
    pub x: &'a [T],
    pub y: &'a mut [T],
}

impl<T: Real> Forward<'_, T> {
    #[inline(always)]
    fn in_groups_of<const N: usize>(&mut self) {
        let out_width = self.pool.output().1;
        for (to, from) in rows(self.pool, self.x.len()) {
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

impl<T: Real> WithSimd for Forward<'_, T> {
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

pub(super) struct Backward<'a, T> {
    pub pool: &'a Pool,
    pub x: &'a [T],
    pub y: &'a [T],
    pub dy: &'a [T],
    pub dx: &'a mut [T],
}

impl<T: Real> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Backward { pool, x, y, dy, dx } = self;
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
