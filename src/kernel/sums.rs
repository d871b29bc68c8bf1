//! Sums of slices.

use super::activation::Real;
use super::vector::{LANES, Simd, WithSimd, vectorized};
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
