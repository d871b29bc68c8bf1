//! Element-wise activations and their derivatives.

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
    /// `z Φ(z)` with the exact normal distribution function (Hendrycks and Gimpel 2016, arXiv 1606.08415)
    Gelu,
}

/// The floats that the fused operations run on.
pub(crate) trait Real: Float + WithDType {
    fn tanh_all(values: &mut [Self]);
    /// The elements of a storage of this dtype.
    fn slice_mut(storage: &mut CpuStorage) -> Result<&mut [Self]>;
}

impl Real for f32 {
    fn tanh_all(values: &mut [f32]) {
        for value in values {
            *value = tanh(*value);
        }
    }

    fn slice_mut(storage: &mut CpuStorage) -> Result<&mut [f32]> {
        match storage {
            CpuStorage::F32(elements) => Ok(elements),
            other => {
                bail!("a tensor of {:?} where f32 is expected", candle_core::backend::BackendStorage::dtype(other))
            }
        }
    }
}

impl Real for f64 {
    fn tanh_all(values: &mut [f64]) {
        for value in values {
            *value = value.tanh();
        }
    }

    fn slice_mut(storage: &mut CpuStorage) -> Result<&mut [f64]> {
        match storage {
            CpuStorage::F64(elements) => Ok(elements),
            other => {
                bail!("a tensor of {:?} where f64 is expected", candle_core::backend::BackendStorage::dtype(other))
            }
        }
    }
}

/// `tanh x` with a relative error below 5e-7: the odd rational approximation of degree 13/6 that Eigen uses, clamped where
/// single precision is ±1. Free of branches, so that loops over it become vector code.
pub(super) fn tanh(x: f32) -> f32 {
    let x = x.clamp(-7.905_311, 7.905_311);
    let y = x * x;
    let numerator = [
        -2.760_768_5e-16f32,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297e-8,
        1.485_722_4e-5,
        6.372_619_3e-4,
        4.893_524_6e-3,
    ];
    let denominator = [1.198_258_4e-6f32, 1.185_347e-4, 2.268_434_6e-3, 4.893_525e-3];
    let horner = |coefficients: &[f32]| coefficients.iter().fold(0.0, |sum, c| sum * y + c);
    x * horner(&numerator) / horner(&denominator)
}

/// Whether the derivative can be read off the output, as [`multiply_derivative`] does.
pub(super) fn is_fused(activation: Activation) -> bool {
    activation != Activation::Gelu
}

/// Applies a fused activation in place.
pub(super) fn apply<T: Real>(activation: Activation, values: &mut [T]) {
    match activation {
        Activation::Identity => {}
        Activation::Relu => values.iter_mut().for_each(|value| *value = Float::max(*value, T::zero())),
        Activation::Tanh => T::tanh_all(values),
        Activation::Gelu => values.iter_mut().for_each(|value| {
            let z = WithDType::to_f64(*value);
            *value = T::from_f64(0.5 * z * (1.0 + candle_core::cpu::erf::erf_f64(z * std::f64::consts::FRAC_1_SQRT_2)));
        }),
    }
}

/// `gradient · activation'(z)`, with the derivative written in terms of the output `y`.
pub(super) fn multiply_derivative<T: Real>(activation: Activation, gradient: &[T], y: &[T]) -> Vec<T> {
    let pairs = gradient.iter().zip(y);
    match activation {
        Activation::Identity => gradient.to_vec(),
        Activation::Relu => pairs.map(|(g, y)| if *y > T::zero() { *g } else { T::zero() }).collect(),
        Activation::Tanh => pairs.map(|(g, y)| *g * (T::one() - *y * *y)).collect(),
        Activation::Gelu => unreachable!("the derivative of gelu is not a function of its output"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rational_tanh_is_within_its_stated_error() {
        let worst = (-2_000_000..2_000_000)
            .map(|i| i as f32 * 5e-6)
            .filter(|x| *x != 0.0)
            .map(|x| ((f64::from(tanh(x)) - f64::from(x).tanh()) / f64::from(x).tanh()).abs())
            .fold(0.0, f64::max);
        assert!(worst < 5e-7, "the largest relative error is {worst:e}");
        assert_eq!((tanh(0.0), tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (0.0, 1.0, -1.0));
        assert!(tanh(f32::NAN).is_nan());
    }
}
