//! The cross-entropy to a distribution of weights over the classes.

use super::activation::Real;
use super::differentiated::differentiated;
use super::softmax::Softmax;
use super::vector::vectorized;
use super::{plain, storage};
use candle_core::{DType, Result, Tensor, bail};

/// `−Σ_c w_c log softmax(z)_c` of each row: `logits` and `weights` are `[batch, classes]`, the result is `[batch]`.
///
/// The gradient with respect to the logits of a row is `(Σ_c w_c) softmax(z) − w`; the weights get none. Weights that sum to 1
/// are a soft label.
pub fn cross_entropy(logits: &Tensor, weights: &Tensor) -> Result<Tensor> {
    if logits.dims2()? != weights.dims2()? {
        bail!("weights of shape {:?} for logits of shape {:?}", weights.shape(), logits.shape());
    }
    let weights = weights.to_dtype(logits.dtype())?.contiguous()?;
    match logits.dtype() {
        _ if !storage::is_plain_cpu(logits) || !weights.device().is_cpu() => plain::cross_entropy(logits, &weights),
        DType::F32 => fused::<f32>(logits, &weights),
        _ => fused::<f64>(logits, &weights),
    }
}

fn fused<T: Real>(logits: &Tensor, weights: &Tensor) -> Result<Tensor> {
    let (batch, columns) = logits.dims2()?;
    let (values, gradient) = storage::with_slices([logits, weights], |[logits, weights]: [&[T]; 2]| {
        let softmax = Softmax::of(logits, columns);
        let mut values = Vec::with_capacity(batch);
        let rows = logits.chunks_exact(columns.max(1)).zip(weights.chunks_exact(columns.max(1)));
        for (row, (logits, weights)) in rows.enumerate() {
            let (largest, log_sum) = (softmax.largest[row], softmax.log_sums[row]);
            let terms = logits.iter().zip(weights).map(|(z, w)| *w * (log_sum - (*z - largest)));
            values.push(terms.fold(T::zero(), |sum, term| sum + term));
        }
        let mut gradient = softmax.probabilities;
        let rows = gradient.chunks_exact_mut(columns.max(1)).zip(weights.chunks_exact(columns.max(1)));
        for (gradient, weights) in rows {
            vectorized(|| {
                let total = weights.iter().fold(T::zero(), |sum, w| sum + *w);
                gradient.iter_mut().zip(weights).for_each(|(p, w)| *p = total * *p - *w);
            });
        }
        (values, gradient)
    })?;
    differentiated(logits, values, batch, gradient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{assert_equal_with_gradients, random_var};
    use rand::Rng as _;

    #[test]
    fn the_fused_cross_entropy_equals_its_plain_twin() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for dtype in [DType::F64, DType::F32] {
            for _ in 0..30 {
                let shape = [rng.random_range(1..40), rng.random_range(1..12)];
                let logits = random_var(&shape, dtype, &mut rng);
                let weights = random_var(&shape, dtype, &mut rng).as_detached_tensor().sqr().unwrap();
                assert_equal_with_gradients(
                    |[z]| cross_entropy(z, &weights),
                    |[z]| plain::cross_entropy(z, &weights),
                    std::array::from_ref(&logits),
                    &format!("{shape:?}"),
                );
            }
        }
    }
}
