//! Element-wise activations and their derivatives.

use super::buffer::Shelved;
use super::math;
use super::vector::{Simd, WithSimd, vectorized};
use super::vectors::Lanes;
use candle_core::{CpuStorage, Result, WithDType, bail};
use num_traits::Float;

mod setting;

/// The non-linearity after a layer; a file has it by its name, in lower case with underscores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `z`
    Identity,
    /// `max(z, 0)`; derivative 0 at 0, as in PyTorch
    Relu,
    /// `z` above 0, elsewhere `slope · z`; the slope at 0, too, as in PyTorch (Maas, Hannun and Ng 2013)
    LeakyRelu(Slope),
    /// `z` above 0, elsewhere `α (e^z − 1)`, whose slope at 0 is α (Clevert, Unterthiner and Hochreiter 2015, arXiv 1511.07289)
    Elu(Slope),
    /// `tanh z`
    Tanh,
    /// `1 / (1 + e^−z)`
    Sigmoid,
    /// `ln(1 + e^z)` (Dugas et al. 2001)
    Softplus,
    /// `z / (1 + e^−z)`, also called swish (Hendrycks and Gimpel 2016, arXiv 1606.08415)
    Silu,
    /// `z Φ(z)` with the exact normal distribution function (Hendrycks and Gimpel 2016, arXiv 1606.08415)
    Gelu,
    /// `z (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2`, which is near [`Activation::Gelu`] (the same source)
    GeluTanh,
}

/// The slope of an activation below 0, at 0 if it bends there: finite, and not negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope(f64);

/// It is never NaN.
impl Eq for Slope {}

impl Slope {
    /// Nothing for what is negative or not finite.
    pub const fn new(slope: f64) -> Option<Slope> {
        if slope >= 0.0 && slope.is_finite() { Some(Slope(slope)) } else { None }
    }

    pub const fn get(self) -> f64 {
        self.0
    }

    fn real<T: Real>(self) -> T {
        <T as WithDType>::from_f64(self.0)
    }
}

impl Activation {
    /// Whether the derivative is a function of the argument; of the others it can be read off the result.
    pub(super) fn needs_argument(self) -> bool {
        matches!(self, Activation::Silu | Activation::Gelu | Activation::GeluTanh)
    }
}

/// The floats that the fused operations run on. In single precision the elementary functions are those of [`math`], which
/// loops over slices turn into vector code.
pub(crate) trait Real: Float + WithDType + Shelved + Lanes {
    fn fast_exp(self) -> Self;
    fn fast_ln(self) -> Self;
    /// `e^x − 1` of `x ≤ 0`, which keeps its digits near 0.
    fn fast_exp_m1(self) -> Self;
    fn fast_tanh(self) -> Self;
    fn sigmoid(self) -> Self;
    /// `Φ`
    fn normal_cdf(self) -> Self;
    /// The elements of a storage of this dtype.
    fn slice_mut(storage: &mut CpuStorage) -> Result<&mut [Self]>;

    /// `ln(1 + x)` of x in [0, 1], by way of the rounding error that 1 + x makes (Kahan).
    #[inline(always)]
    fn fast_ln_1p(self) -> Self {
        let sum = Self::one() + self;
        let rounded = sum - Self::one();
        if rounded > Self::zero() { sum.fast_ln() * (self / rounded) } else { self }
    }
}

fn wrong_dtype<T>(expected: &str, storage: &CpuStorage) -> Result<T> {
    bail!("a tensor of {:?} where {expected} is expected", candle_core::backend::BackendStorage::dtype(storage))
}

impl Real for f32 {
    #[inline(always)]
    fn fast_exp(self) -> f32 {
        math::exp(self)
    }

    #[inline(always)]
    fn fast_ln(self) -> f32 {
        math::ln(self)
    }

    /// By `tanh(x / 2)`, which has no cancellation.
    #[inline(always)]
    fn fast_exp_m1(self) -> f32 {
        let half = math::tanh(0.5 * self);
        2.0 * half / (1.0 - half)
    }

    #[inline(always)]
    fn fast_tanh(self) -> f32 {
        math::tanh(self)
    }

    #[inline(always)]
    fn sigmoid(self) -> f32 {
        math::sigmoid(self)
    }

    #[inline(always)]
    fn normal_cdf(self) -> f32 {
        math::normal_cdf(self)
    }

    fn slice_mut(storage: &mut CpuStorage) -> Result<&mut [f32]> {
        match storage {
            CpuStorage::F32(elements) => Ok(elements),
            other => wrong_dtype("f32", other),
        }
    }
}

impl Real for f64 {
    fn fast_exp(self) -> f64 {
        self.exp()
    }

    fn fast_ln(self) -> f64 {
        self.ln()
    }

    fn fast_exp_m1(self) -> f64 {
        self.exp_m1()
    }

    fn fast_tanh(self) -> f64 {
        self.tanh()
    }

    fn sigmoid(self) -> f64 {
        1.0 / (1.0 + (-self).exp())
    }

    fn normal_cdf(self) -> f64 {
        0.5 * (1.0 + candle_core::cpu::erf::erf_f64(self * std::f64::consts::FRAC_1_SQRT_2))
    }

    fn slice_mut(storage: &mut CpuStorage) -> Result<&mut [f64]> {
        match storage {
            CpuStorage::F64(elements) => Ok(elements),
            other => wrong_dtype("f64", other),
        }
    }
}

/// `values ← activation(values + shift)`. Where the derivative needs them, the arguments are kept in `arguments`, which has as
/// many elements, or none where they are not wanted.
pub(super) fn apply<T: Real>(activation: Activation, values: &mut [T], shift: T, arguments: &mut [T]) {
    if activation.needs_argument() {
        for (argument, value) in arguments.iter_mut().zip(values.iter()) {
            *argument = *value + shift;
        }
    }
    vectorized(Apply { activation, shift, values });
}

/// `gradient ← gradient · activation'`: with the derivative at `arguments` for an activation that needs them, and otherwise
/// read off its `results`.
pub(super) fn multiply_derivative<T: Real>(activation: Activation, gradient: &mut [T], results: &[T], arguments: &[T]) {
    let at = if activation.needs_argument() { arguments } else { results };
    vectorized(MultiplyDerivative { activation, gradient, at });
}

struct Apply<'a, T> {
    activation: Activation,
    shift: T,
    values: &'a mut [T],
}

impl<T: Real> WithSimd for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Apply { activation, shift, values } = self;
        let zero = T::zero();
        match activation {
            Activation::Identity if shift == zero => {}
            Activation::Identity => shifted(values, shift, |z| z),
            // Not `max`, which would turn a NaN into 0 and hide it.
            Activation::Relu => shifted(values, shift, |z| if z < zero { zero } else { z }),
            Activation::LeakyRelu(slope) => {
                let slope = slope.real::<T>();
                shifted(values, shift, |z| if z > zero { z } else { slope * z });
            }
            Activation::Elu(alpha) => {
                let alpha = alpha.real::<T>();
                shifted(values, shift, |z| if z > zero { z } else { alpha * z.fast_exp_m1() });
            }
            Activation::Tanh => shifted(values, shift, |z| z.fast_tanh()),
            Activation::Sigmoid => shifted(values, shift, |z| Real::sigmoid(z)),
            Activation::Softplus => shifted(values, shift, |z| {
                let positive = if z > zero { z } else { zero };
                positive + (-z.abs()).fast_exp().fast_ln_1p()
            }),
            Activation::Silu => shifted(values, shift, |z| z * Real::sigmoid(z)),
            Activation::Gelu => shifted(values, shift, |z| z * z.normal_cdf()),
            Activation::GeluTanh => {
                let [linear, cubic] = gelu_tanh::<T>();
                shifted(values, shift, |z| z * Real::sigmoid(z * (linear + cubic * (z * z))));
            }
        }
    }
}

/// `(1 + tanh u) / 2` is `σ(2u)`: the factors of `z` and `z³` in `2u`, for `u = √(2/π) (z + 0.044715 z³)`.
#[inline(always)]
fn gelu_tanh<T: Real>() -> [T; 2] {
    let linear = 2.0 * (std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2);
    [linear, 0.044_715 * linear].map(<T as WithDType>::from_f64)
}

#[inline(always)]
fn shifted<T: Real>(values: &mut [T], shift: T, f: impl Fn(T) -> T) {
    for value in values {
        *value = f(*value + shift);
    }
}

struct MultiplyDerivative<'a, T> {
    activation: Activation,
    gradient: &'a mut [T],
    at: &'a [T],
}

impl<T: Real> WithSimd for MultiplyDerivative<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let pairs = self.gradient.iter_mut().zip(self.at);
        let (zero, one) = (T::zero(), T::one());
        match self.activation {
            Activation::Identity => {}
            Activation::Relu => pairs.for_each(|(g, y)| *g = if *y > zero { *g } else { zero }),
            Activation::LeakyRelu(slope) => {
                let slope = slope.real::<T>();
                pairs.for_each(|(g, y)| *g = if *y > zero { *g } else { slope * *g });
            }
            Activation::Elu(alpha) => {
                let alpha = alpha.real::<T>();
                pairs.for_each(|(g, y)| *g = if *y > zero { *g } else { *g * (*y + alpha) });
            }
            Activation::Tanh => pairs.for_each(|(g, y)| *g *= one - *y * *y),
            Activation::Sigmoid => pairs.for_each(|(g, y)| *g *= *y * (one - *y)),
            // σ(z) is 1 − e^−y.
            Activation::Softplus => pairs.for_each(|(g, y)| *g *= -(-*y).fast_exp_m1()),
            Activation::Silu => pairs.for_each(|(g, z)| {
                let share = Real::sigmoid(*z);
                *g *= share * (one + *z * (one - share));
            }),
            Activation::GeluTanh => {
                let [linear, cubic] = gelu_tanh::<T>();
                pairs.for_each(|(g, z)| {
                    let square = *z * *z;
                    let share = Real::sigmoid(*z * (linear + cubic * square));
                    let slope = linear + (cubic + cubic + cubic) * square;
                    *g *= share * (one + *z * (one - share) * slope);
                });
            }
            Activation::Gelu => {
                let half = <T as WithDType>::from_f64(0.5);
                let density_at_0 = <T as WithDType>::from_f64(0.398_942_280_401_432_7);
                pairs.for_each(|(g, z)| {
                    let density = density_at_0 * (-half * *z * *z).fast_exp();
                    *g *= z.normal_cdf() + *z * density;
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
