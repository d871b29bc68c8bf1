//! The squared error of a critic over a batch, fused.

use super::activation::Real;
use super::buffer::Buffer;
use super::differentiated::differentiated;
use super::vector::{Simd, WithSimd, vectorized};
use super::{plain, storage};
use candle_core::{DType, Result, Tensor, WithDType, bail};
use serde::{Deserialize, Serialize};

/// Holds a critic's values near what they were.
#[derive(Clone, Copy)]
pub struct ValueClipping<'a> {
    /// `V_old`, `[batch]`
    pub old: &'a Tensor,
    /// ε
    pub clip: f64,
    pub loss: ClippedLoss,
}

/// The loss of a value that is clipped to `V_clip = V_old + clip(V − V_old, −ε, ε)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClippedLoss {
    /// `max((V − R)², (V_clip − R)²)` (Schulman et al. 2017's code, and CleanRL)
    Larger,
    /// `(V_clip − R)²` (Stable-Baselines3): a value that has moved further than ε stays there.
    Clipped,
}

/// A critic's loss over a batch, a scalar: the mean of `(V − R)²`, or with clipping of what [`ClippedLoss`] says.
///
/// All tensors have one element per transition. Only the values are differentiated.
pub fn value_loss(values: &Tensor, returns: &Tensor, clipping: Option<ValueClipping>) -> Result<Tensor> {
    let old = clipping.map_or(returns, |clipping| clipping.old);
    let count = values.elem_count();
    if returns.elem_count() != count || old.elem_count() != count {
        bail!("{count} values for {} returns and {} old values", returns.elem_count(), old.elem_count());
    }
    match values.dtype() {
        _ if !is_fused(&[values, returns, old]) => plain::value_loss(values, returns, clipping),
        DType::F32 => fused_value_loss::<f32>(values, returns, clipping),
        _ => fused_value_loss::<f64>(values, returns, clipping),
    }
}

fn is_fused(tensors: &[&Tensor]) -> bool {
    tensors.iter().all(|tensor| storage::is_plain_cpu(tensor) && tensor.dtype() == tensors[0].dtype())
}

fn fused_value_loss<T: Real>(values: &Tensor, returns: &Tensor, clipping: Option<ValueClipping>) -> Result<Tensor> {
    let old = clipping.map_or(returns, |clipping| clipping.old);
    let clip = clipping.map(|clipping| (<T as WithDType>::from_f64(clipping.clip), clipping.loss));
    let (loss, gradient) = storage::with_slices([values, returns, old], |[values, returns, old]: [&[T]; 3]| {
        let mut gradient: Buffer<T> = Buffer::any(values.len());
        let sum = vectorized(ValueLoss { values, returns, old, clip, gradient: &mut gradient });
        (<T as WithDType>::from_f64(sum / values.len() as f64), gradient)
    })?;
    differentiated(values, vec![loss], (), gradient)
}

/// The sum of the losses, and the gradient of their mean.
struct ValueLoss<'a, T> {
    values: &'a [T],
    returns: &'a [T],
    old: &'a [T],
    clip: Option<(T, ClippedLoss)>,
    gradient: &'a mut [T],
}

impl<T: Real> WithSimd for ValueLoss<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let scale = <T as WithDType>::from_f64(2.0 / self.values.len() as f64);
        let mut sum = 0.0;
        let rows = self.values.iter().zip(self.returns).zip(self.old).zip(self.gradient);
        for (((value, target), old), gradient) in rows {
            let error = *value - *target;
            let (mut loss, mut slope) = (error * error, error);
            if let Some((clip, kind)) = self.clip {
                let change = *value - *old;
                let bounded = if change > clip { clip } else { change };
                let bounded = if bounded < -clip { -clip } else { bounded };
                let held = *old + bounded - *target;
                // Inside the interval both errors are the same one; outside it the held one does not depend on the value.
                if bounded != change && (kind == ClippedLoss::Clipped || held * held > loss) {
                    (loss, slope) = (held * held, T::zero());
                }
            }
            sum += WithDType::to_f64(loss);
            *gradient = scale * slope;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{assert_equal_with_gradients, random_var};
    use rand::Rng as _;

    #[test]
    fn the_fused_loss_equals_its_plain_twin() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for dtype in [DType::F64, DType::F32] {
            for _ in 0..40 {
                let shape = [rng.random_range(1..40), rng.random_range(1..5)];
                let values = random_var(&shape, dtype, &mut rng);
                // Behind an offset in a larger tensor.
                let mut view = || {
                    let larger = random_var(&[shape[0] + 1, shape[1]], dtype, &mut rng);
                    larger.as_detached_tensor().narrow(0, 1, shape[0]).unwrap()
                };
                let (targets, old) = (view(), view());
                let clipped = |loss| Some(ValueClipping { old: &old, clip: 0.3, loss });
                for clipping in [None, clipped(ClippedLoss::Larger), clipped(ClippedLoss::Clipped)] {
                    assert_equal_with_gradients(
                        |[values]| value_loss(values, &targets, clipping),
                        |[values]| plain::value_loss(values, &targets, clipping),
                        std::array::from_ref(&values),
                        &format!("{shape:?}, {:?}", clipping.map(|clipping| clipping.loss)),
                    );
                }
            }
        }
    }
}
