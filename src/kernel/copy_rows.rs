//! Rows that are copied from one layout to another.

use super::activation::Real;
use super::vector::{Simd, WithSimd};
use super::vectors::copy;

/// Copies rows from one place to another, `(from, to)`.
pub(super) struct CopyRows<'a, T, R> {
    pub rows: R,
    pub width: usize,
    pub from: &'a [T],
    pub to: &'a mut [T],
}

impl<T: Real, R: Iterator<Item = (usize, usize)>> WithSimd for CopyRows<'_, T, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (from, to) in self.rows {
            copy::<T, S>(simd, &self.from[from..][..self.width], &mut self.to[to..][..self.width]);
        }
    }
}
