//! Windows of 2 × 2 that stand side by side.

use super::{Pool, larger};
use crate::kernel::activation::Real;
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

impl<T: Real> Backward<'_, T> {
    #[inline(always)]
    fn in_groups_of<const N: usize>(&mut self) {
        let (width, out_width) = (self.pool.width, self.pool.output().1);
        for (to, from) in rows(self.pool, self.x.len()) {
            for at in groups(out_width, N) {
                let (to, from) = (to + at, from + 2 * at);
                let windows = (&self.y[to..][..N], &self.dy[to..][..N]);
                let (upper, lower) = (&self.x[from..][..2 * N], &self.x[from + width..][..2 * N]);
                let (to_upper, rest) = self.dx[from..].split_at_mut(width);
                hand_out::<T, N>((upper, lower), windows, &mut to_upper[..2 * N], &mut rest[..2 * N]);
            }
        }
    }
}

impl<T: Real> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let (out_height, out_width) = self.pool.output();
        if 4 * out_height * out_width != self.pool.height * self.pool.width {
            self.dx.fill(T::zero());
        }
        match out_width {
            8.. => self.in_groups_of::<8>(),
            4.. => self.in_groups_of::<4>(),
            _ => self.in_groups_of::<1>(),
        }
    }
}

/// The first pixel of a window that is the largest gets the gradient. A function, so that the compiler knows the slices apart.
#[inline(always)]
fn hand_out<T: Real, const N: usize>(
    (upper, lower): (&[T], &[T]),
    (largest, gradient): (&[T], &[T]),
    to_upper: &mut [T],
    to_lower: &mut [T],
) {
    let (upper, lower, largest, gradient) = (&upper[..2 * N], &lower[..2 * N], &largest[..N], &gradient[..N]);
    let (to_upper, to_lower) = (&mut to_upper[..2 * N], &mut to_lower[..2 * N]);
    // Without branches, so that windows stand side by side in vectors.
    for i in 0..N {
        let (most, gradient, zero) = (largest[i], gradient[i], T::zero());
        let first = upper[2 * i] == most;
        let second = !first & (upper[2 * i + 1] == most);
        let third = !(first | second) & (lower[2 * i] == most);
        let fourth = !(first | second | third) & (lower[2 * i + 1] == most);
        to_upper[2 * i] = if first { gradient } else { zero };
        to_upper[2 * i + 1] = if second { gradient } else { zero };
        to_lower[2 * i] = if third { gradient } else { zero };
        to_lower[2 * i + 1] = if fourth { gradient } else { zero };
    }
}
