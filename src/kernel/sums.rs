//! Sums of slices, with many running sums side by side: a single one would wait for every addition.

use super::activation::Real;
use super::vector::{Simd, WithSimd, vectorized};
use candle_core::WithDType;

const LANES: usize = 16;

/// `Σ x`
pub(super) fn sum<T: Real>(x: &[T]) -> f64 {
    vectorized(Sum { x })
}

/// `Σ (x − a) (y − b)`
pub(super) fn sum_of_products<T: Real>((x, a): (&[T], f64), (y, b): (&[T], f64)) -> f64 {
    vectorized(Products { x, y, a: <T as WithDType>::from_f64(a), b: <T as WithDType>::from_f64(b) })
}

struct Sum<'a, T> {
    x: &'a [T],
}

impl<T: Real> WithSimd for Sum<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let mut sums = [T::zero(); LANES];
        let chunks = self.x.chunks_exact(LANES);
        let rest = chunks.remainder().iter().fold(T::zero(), |sum, x| sum + *x);
        for chunk in chunks {
            sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += *x);
        }
        WithDType::to_f64(sums.iter().fold(rest, |sum, lane| sum + *lane))
    }
}

struct Products<'a, T> {
    x: &'a [T],
    y: &'a [T],
    a: T,
    b: T,
}

impl<T: Real> WithSimd for Products<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let Products { x, y, a, b } = self;
        let mut sums = [T::zero(); LANES];
        let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
        let rest = xs.remainder().iter().zip(ys.remainder());
        let rest = rest.fold(T::zero(), |sum, (x, y)| sum + (*x - a) * (*y - b));
        for (xs, ys) in xs.zip(ys) {
            for ((sum, x), y) in sums.iter_mut().zip(xs).zip(ys) {
                *sum += (*x - a) * (*y - b);
            }
        }
        WithDType::to_f64(sums.iter().fold(rest, |sum, lane| sum + *lane))
    }
}
