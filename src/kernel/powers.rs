//! Sums of powers over ranges of a tensor: what penalties on weights are made of.

use super::activation::Real;
use super::vector::{Simd, WithSimd, vectorized};
use super::{plain, storage};
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, WithDType};
use std::marker::PhantomData;
use std::ops::Range;

/// What is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// `|x|`, with derivative 0 at 0, as in PyTorch
    One,
    /// `x²`
    Two,
}

/// The sum of a power of the elements in `ranges`, which don't overlap, of a flat tensor: a scalar.
///
/// # Panics
/// When a range ends beyond the tensor.
pub fn sum_of_powers(x: &Tensor, ranges: &[Range<usize>], power: Power) -> Result<Tensor> {
    if !storage::is_plain_cpu(x) {
        return plain::sum_of_powers(x, ranges, power);
    }
    match x.dtype() {
        DType::F32 => x.apply_op1(SumOfPowers::<f32>::new(ranges, power)),
        _ => x.apply_op1(SumOfPowers::<f64>::new(ranges, power)),
    }
}

struct SumOfPowers<T> {
    ranges: Vec<Range<usize>>,
    power: Power,
    dtype: PhantomData<T>,
}

impl<T> SumOfPowers<T> {
    fn new(ranges: &[Range<usize>], power: Power) -> Self {
        SumOfPowers { ranges: ranges.to_vec(), power, dtype: PhantomData }
    }
}

impl<T: Real> CustomOp1 for SumOfPowers<T> {
    fn name(&self) -> &'static str {
        "sum_of_powers"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = storage::slice::<T>(storage, layout)?;
        let sums = self.ranges.iter().map(|range| vectorized(Sum { x: &x[range.clone()], power: self.power }));
        let sum = <T as WithDType>::from_f64(sums.sum());
        Ok((T::to_cpu_storage_owned(vec![sum]), Shape::from(())))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let scale = gradient.to_scalar::<T>()?;
        let mut dx = vec![T::zero(); x.elem_count()];
        storage::with_slice(x, |x| {
            for range in &self.ranges {
                let (x, dx) = (&x[range.clone()], &mut dx[range.clone()]);
                vectorized(Derivative { x, dx, scale, power: self.power });
            }
        })?;
        Tensor::from_vec(dx, x.shape(), x.device()).map(Some)
    }
}

/// In double precision.
struct Sum<'a, T> {
    x: &'a [T],
    power: Power,
}

impl<T: Real> WithSimd for Sum<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        match self.power {
            Power::One => sum_of(self.x, |x| x.abs()),
            Power::Two => sum_of(self.x, |x| x * x),
        }
    }
}

/// The sum of the squares of all elements, in double precision.
pub fn sum_of_squares(tensor: &Tensor) -> Result<f64> {
    fn squares<T: Real>(x: &[T]) -> f64 {
        vectorized(Sum { x, power: Power::Two })
    }
    let tensor = tensor.contiguous()?;
    match tensor.dtype() {
        DType::F32 => storage::with_slice(&tensor, squares::<f32>),
        _ => storage::with_slice(&tensor, squares::<f64>),
    }
}

/// The largest `|x|` of all elements; 0 of none.
pub fn largest_magnitude(tensor: &Tensor) -> Result<f64> {
    fn largest<T: Real>(x: &[T]) -> f64 {
        WithDType::to_f64(vectorized(Largest { x }))
    }
    let tensor = tensor.contiguous()?;
    match tensor.dtype() {
        DType::F32 => storage::with_slice(&tensor, largest::<f32>),
        _ => storage::with_slice(&tensor, largest::<f64>),
    }
}

struct Largest<'a, T> {
    x: &'a [T],
}

impl<T: Real> WithSimd for Largest<'_, T> {
    type Output = T;

    /// Side by side, as [`sum_of`].
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> T {
        let mut largest = [T::zero(); 16];
        let chunks = self.x.chunks_exact(16);
        let rest = chunks.remainder();
        for chunk in chunks.chain([rest]) {
            for (largest, x) in largest.iter_mut().zip(chunk) {
                *largest = if x.abs() > *largest { x.abs() } else { *largest };
            }
        }
        largest.into_iter().fold(T::zero(), num_traits::Float::max)
    }
}

/// Sums side by side: one running sum would wait for every addition.
#[inline(always)]
fn sum_of<T: Real>(x: &[T], term: impl Fn(T) -> T) -> f64 {
    let mut sums = [0.0; 16];
    let chunks = x.chunks_exact(16);
    let rest: f64 = chunks.remainder().iter().map(|x| WithDType::to_f64(term(*x))).sum();
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += WithDType::to_f64(term(*x)));
    }
    sums.iter().sum::<f64>() + rest
}

struct Derivative<'a, T> {
    x: &'a [T],
    dx: &'a mut [T],
    scale: T,
    power: Power,
}

impl<T: Real> WithSimd for Derivative<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Derivative { x, dx, scale, power } = self;
        let pairs = dx.iter_mut().zip(x);
        let zero = T::zero();
        match power {
            Power::One => pairs.for_each(|(dx, x)| {
                let of_negative = if *x < zero { -scale } else { zero };
                *dx = if *x > zero { scale } else { of_negative };
            }),
            Power::Two => pairs.for_each(|(dx, x)| *dx = scale * (*x + *x)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{assert_equal_with_gradients, random_var};
    use rand::Rng as _;

    #[test]
    fn the_fused_sums_equal_their_plain_twins() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for dtype in [DType::F64, DType::F32] {
            for power in [Power::One, Power::Two] {
                for _ in 0..20 {
                    let [a, b, c, d] = std::array::from_fn(|_| rng.random_range(0..60));
                    let x = random_var(&[a + b + c + d], dtype, &mut rng);
                    let ranges = [a..a + b, a + b + c..a + b + c + d];
                    assert_equal_with_gradients(
                        |[x]| sum_of_powers(x, &ranges, power),
                        |[x]| plain::sum_of_powers(x, &ranges, power),
                        &[x],
                        &format!("{power:?} over {ranges:?}"),
                    );
                }
            }
        }
    }

    #[test]
    fn the_largest_magnitude_is_found_wherever_it_lies() {
        for len in 0..70 {
            for largest in 0..len {
                let mut x: Vec<f32> = (0..len).map(|i| (i as f32).sin()).collect();
                x[largest] = -2.5;
                let x = Tensor::from_vec(x, len, &candle_core::Device::Cpu).unwrap();
                assert_eq!(largest_magnitude(&x).unwrap(), 2.5);
                assert_eq!(largest_magnitude(&x.to_dtype(DType::F64).unwrap()).unwrap(), 2.5);
            }
        }
    }

    #[test]
    fn the_absolute_value_has_no_slope_at_zero() {
        let x = candle_core::Var::zeros(3, DType::F32, &candle_core::Device::Cpu).unwrap();
        let gradients = sum_of_powers(&x, &[0..1, 1..3], Power::One).unwrap().backward().unwrap();
        assert_eq!(gradients.get(&x).unwrap().to_vec1::<f32>().unwrap(), [0.0; 3]);
    }
}
