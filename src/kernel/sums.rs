//! Sums of slices.

use super::activation::Real;
use super::vector::{LANES, Simd, WithSimd, vectorized};
use super::vectors::{Lanes, lanes, load, store};
use candle_core::WithDType;

/// The sum of a slice.
pub(super) struct Sum<'a, T>(pub &'a [T]);

impl<T: Real> WithSimd for Sum<'_, T> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> T {
        sum_of([self.0], |[x]| x)
    }
}

/// The sum of a function of slices of one length, entry by entry; by [`LANES`] sums side by side, since one would wait for every addition.
#[inline(always)]
pub(super) fn sum_of<T: Real, const N: usize>(slices: [&[T]; N], term: impl Fn([T; N]) -> T) -> T {
    let n = slices[0].len();
    let slices: [&[T]; N] = std::array::from_fn(|i| &slices[i][..n]);
    let mut sums = [T::zero(); LANES];
    for start in (0..n / LANES * LANES).step_by(LANES) {
        let chunks: [&[T]; N] = std::array::from_fn(|i| &slices[i][start..start + LANES]);
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += term(std::array::from_fn(|i| chunks[i][lane]));
        }
    }
    let rest = (n / LANES * LANES..n).map(|at| term(std::array::from_fn(|i| slices[i][at])));
    sums.into_iter().chain(rest).fold(T::zero(), |sum, x| sum + x)
}

/// `Σ x`
pub(super) fn sum<T: Real>(x: &[T]) -> f64 {
    WithDType::to_f64(vectorized(Sum(x)))
}

/// `Σ (x − a) (y − b)`
pub(super) fn sum_of_products<T: Real>((x, a): (&[T], f64), (y, b): (&[T], f64)) -> f64 {
    let [a, b] = [a, b].map(<T as WithDType>::from_f64);
    WithDType::to_f64(vectorized(Products { x, y, a, b }))
}

struct Products<'a, T> {
    x: &'a [T],
    y: &'a [T],
    a: T,
    b: T,
}

impl<T: Real> WithSimd for Products<'_, T> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> T {
        let Products { x, y, a, b } = self;
        sum_of([x, y], |[x, y]| (x - a) * (y - b))
    }
}

/// `out_j ← Σ_i rows_ij`, row after row; `rows` is `[any number, columns]`, and `out` `[columns]`.
///
/// # Panics
/// When the last row is not whole.
pub(super) fn column_sums<T: Real>(rows: &[T], out: &mut [T]) {
    assert!(rows.len().is_multiple_of(out.len().max(1)), "whole rows");
    vectorized(ColumnSums { rows, out });
}

struct ColumnSums<'a, T> {
    rows: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> WithSimd for ColumnSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut column = 0;
        while column < self.out.len() {
            // SAFETY: so many columns are left of every row.
            column += unsafe {
                match (self.out.len() - column) / lanes::<T, S>() {
                    4.. => self.columns::<S, 4, false>(simd, column),
                    1.. => self.columns::<S, 1, false>(simd, column),
                    _ => self.columns::<S, 1, true>(simd, column),
                }
            };
        }
    }
}

impl<T: Real> ColumnSums<'_, T> {
    /// `V` vectors of columns; their number.
    ///
    /// # Safety
    /// They are there; of the last one only some lanes, where `SOME`.
    #[inline(always)]
    unsafe fn columns<S: Simd, const V: usize, const SOME: bool>(&mut self, simd: S, column: usize) -> usize {
        let (columns, width) = (self.out.len(), lanes::<T, S>());
        let mask = T::mask(simd, u32::MAX >> (32 - (columns - column).min(width)));
        let mut sums = [T::splat(simd, T::zero()); V];
        for row in self.rows.chunks_exact(columns) {
            for (v, sum) in sums.iter_mut().enumerate() {
                let at = row.as_ptr().wrapping_add(column + v * width);
                // SAFETY: the caller's.
                let more = unsafe { if SOME { T::load_some(simd, mask, at) } else { load::<T, S>(at) } };
                *sum = <T as Lanes>::add(simd, *sum, more);
            }
        }
        for (v, sum) in sums.iter().enumerate() {
            let to = self.out.as_mut_ptr().wrapping_add(column + v * width);
            // SAFETY: the caller's.
            unsafe { if SOME { T::store_some(simd, mask, to, *sum) } else { store::<T, S>(to, *sum) } }
        }
        V * width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_added_up_row_after_row() {
        for (rows, columns) in [(1, 1), (7, 2), (128, 64), (9, 10), (5, 83), (0, 4)] {
            let values: Vec<f32> = (0..rows * columns).map(|i| (i as f32).sin()).collect();
            let mut expected = vec![0f32; columns];
            for row in values.chunks_exact(columns) {
                expected.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x);
            }
            let mut sums = vec![f32::NAN; columns];
            column_sums(&values, &mut sums);
            assert_eq!(sums, expected, "{rows} rows of {columns}");
        }
    }
}
