//! Element-wise activations and their derivatives.

use super::buffer::Shelved;
use super::math;
use super::vector::{Simd, WithSimd, vectorized};
use super::vectors::Lanes;
use candle_core::{CpuStorage, Result, WithDType, bail};
use num_traits::Float;
use serde::{Deserialize, Serialize};

/// The non-linearity after a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `z`
    Identity,
    /// `max(z, 0)`; derivative 0 at 0, as in PyTorch
    Relu,
    /// `tanh z`
    Tanh,
    /// `1 / (1 + e^−z)`
    Sigmoid,
    /// `z Φ(z)` with the exact normal distribution function (Hendrycks and Gimpel 2016, arXiv 1606.08415)
    Gelu,
}

impl Activation {
    /// Whether the derivative is a function of the argument; of the others it can be read off the result.
    pub(super) fn needs_argument(self) -> bool {
        self == Activation::Gelu
    }
}

/// The floats that the fused operations run on. In single precision the elementary functions are those of [`math`], which
/// loops over slices turn into vector code.
pub(crate) trait Real: Float + WithDType + Shelved + Lanes {
    fn fast_exp(self) -> Self;
    fn fast_ln(self) -> Self;
    fn fast_tanh(self) -> Self;
    fn sigmoid(self) -> Self;
    /// `Φ`
    fn normal_cdf(self) -> Self;
    /// The elements of a storage of this dtype.
    fn slice_mut(storage: &mut CpuStorage) -> Result<&mut [Self]>;
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
        match activation {
            Activation::Identity if shift == T::zero() => {}
            Activation::Identity => shifted(values, shift, |z| z),
            // Not `max`, which would turn a NaN into 0 and hide it.
            Activation::Relu => shifted(values, shift, |z| if z < T::zero() { T::zero() } else { z }),
            Activation::Tanh => shifted(values, shift, |z| z.fast_tanh()),
            Activation::Sigmoid => shifted(values, shift, |z| Real::sigmoid(z)),
            Activation::Gelu => shifted(values, shift, |z| z * z.normal_cdf()),
        }
    }
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
            Activation::Tanh => pairs.for_each(|(g, y)| *g *= one - *y * *y),
            Activation::Sigmoid => pairs.for_each(|(g, y)| *g *= *y * (one - *y)),
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
mod tests {
    use super::*;

    /// Wide vectors and none at all give the same bits, so that results don't depend on the machine's instructions.
    #[test]
    fn vector_code_equals_scalar_code() {
        let values: Vec<f32> = (-5000..5000).map(|i| i as f32 * 0.003).collect();
        for activation in
            [Activation::Identity, Activation::Relu, Activation::Tanh, Activation::Sigmoid, Activation::Gelu]
        {
            let (mut wide, mut narrow) = (values.clone(), values.clone());
            let shift = 0.25;
            vectorized(Apply { activation, shift, values: &mut wide });
            Apply { activation, shift, values: &mut narrow }.with_simd(pulp::Scalar::new());
            assert!(wide.iter().zip(&narrow).all(|(a, b)| a.to_bits() == b.to_bits()), "{activation:?}");
            let (mut wide, mut narrow) = (values.clone(), values.clone());
            vectorized(MultiplyDerivative { activation, gradient: &mut wide, at: &values });
            MultiplyDerivative { activation, gradient: &mut narrow, at: &values }.with_simd(pulp::Scalar::new());
            assert!(wide.iter().zip(&narrow).all(|(a, b)| a.to_bits() == b.to_bits()), "{activation:?}'");
        }
    }
}
