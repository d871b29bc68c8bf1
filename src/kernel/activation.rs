//! Element-wise activations and their derivatives.

use super::math;
use super::vector::vectorized;
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
    /// `e^x`; in single precision the vectorizable one of [`math`].
    fn exponential(self) -> Self;
    /// The elements of a storage of this dtype.
    fn slice_mut(storage: &mut CpuStorage) -> Result<&mut [Self]>;
}

impl Real for f32 {
    fn tanh_all(values: &mut [f32]) {
        vectorized(|| values.iter_mut().for_each(|value| *value = math::tanh(*value)));
    }

    #[inline(always)]
    fn exponential(self) -> f32 {
        math::exp(self)
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

    #[inline(always)]
    fn exponential(self) -> f64 {
        self.exp()
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

/// Whether the derivative can be read off the output, as [`multiply_derivative`] does.
pub(super) fn is_fused(activation: Activation) -> bool {
    activation != Activation::Gelu
}

/// Applies a fused activation in place.
pub(super) fn apply<T: Real>(activation: Activation, values: &mut [T]) {
    match activation {
        Activation::Identity => {}
        // Not `max`, which would turn a NaN into 0 and hide it.
        Activation::Relu => vectorized(|| {
            values.iter_mut().for_each(|value| *value = if *value < T::zero() { T::zero() } else { *value });
        }),
        Activation::Tanh => T::tanh_all(values),
        Activation::Gelu => values.iter_mut().for_each(|value| {
            let z = WithDType::to_f64(*value);
            *value = T::from_f64(0.5 * z * (1.0 + candle_core::cpu::erf::erf_f64(z * std::f64::consts::FRAC_1_SQRT_2)));
        }),
    }
}

/// `gradient · activation'(z)`, with the derivative written in terms of the output `y`.
pub(super) fn multiply_derivative<T: Real>(activation: Activation, gradient: &[T], y: &[T]) -> Vec<T> {
    let mut dz = gradient.to_vec();
    vectorized(|| {
        let pairs = dz.iter_mut().zip(y);
        match activation {
            Activation::Identity => {}
            Activation::Relu => pairs.for_each(|(dz, y)| *dz = if *y > T::zero() { *dz } else { T::zero() }),
            Activation::Tanh => pairs.for_each(|(dz, y)| *dz *= T::one() - *y * *y),
            Activation::Gelu => unreachable!("the derivative of gelu is not a function of its output"),
        }
    });
    dz
}
