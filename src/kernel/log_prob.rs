//! Log-softmax and the choice of one class per row, fused: what cross-entropy and policy gradients both differentiate.

use super::activation::Real;
use super::differentiated::differentiated;
use super::softmax::Softmax;
use super::{plain, storage};
use candle_core::{DType, Result, Tensor, WithDType, bail};

/// `log softmax(z)_y` of each row.
///
/// `logits` is `[batch, classes]`, `classes` is `[batch]` of u32; the result is `[batch]`. The gradient with respect to the
/// logits of a row is `g (e_y − softmax(z))`.
pub fn log_prob(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    match logits.dtype() {
        _ if !storage::is_plain_cpu(logits) || !is_class_list(classes) => plain::log_prob(logits, classes),
        DType::F32 => fused::<f32>(logits, classes, 1.0),
        _ => fused::<f64>(logits, classes, 1.0),
    }
}

/// `−log softmax(z)_y` of each row: the cross-entropy to labels, in one operation; see [`log_prob`].
pub(crate) fn negative_log_prob(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    match logits.dtype() {
        _ if !storage::is_plain_cpu(logits) || !is_class_list(classes) => plain::log_prob(logits, classes)?.neg(),
        DType::F32 => fused::<f32>(logits, classes, -1.0),
        _ => fused::<f64>(logits, classes, -1.0),
    }
}

pub(crate) fn is_class_list(classes: &Tensor) -> bool {
    classes.device().is_cpu() && classes.is_contiguous() && classes.dtype() == DType::U32
}

/// Calls `read` with the logits and the classes, which are checked against them.
pub(crate) fn with_classes<T: Real, R>(
    logits: &Tensor,
    classes: &Tensor,
    read: impl FnOnce(&[T], &[u32]) -> R,
) -> Result<R> {
    let (batch, columns) = logits.dims2()?;
    storage::with_slice(classes, |classes: &[u32]| {
        if classes.len() != batch {
            bail!("{} classes for {batch} rows of logits", classes.len());
        }
        if let Some(class) = classes.iter().find(|class| **class as usize >= columns) {
            bail!("class {class} of {columns}");
        }
        storage::with_slice(logits, |logits| read(logits, classes))
    })?
}

/// Times 1 or −1.
fn fused<T: Real>(logits: &Tensor, classes: &Tensor, sign: f64) -> Result<Tensor> {
    let (batch, columns) = logits.dims2()?;
    let sign = <T as WithDType>::from_f64(sign);
    let (values, gradient) = with_classes(logits, classes, |logits: &[T], classes| {
        let softmax = Softmax::of(logits, columns);
        let rows = logits.chunks_exact(columns.max(1)).zip(classes).enumerate();
        let values: Vec<T> =
            rows.map(|(row, (logits, class))| sign * softmax.log_prob(logits, row, *class as usize)).collect();
        let mut gradient = softmax.probabilities;
        gradient.iter_mut().for_each(|p| *p = -(sign * *p));
        for (row, class) in classes.iter().enumerate() {
            gradient[row * columns + *class as usize] += sign;
        }
        (values, gradient)
    })?;
    differentiated(logits, values, batch, gradient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{assert_equal_with_gradients, random_var};
    use candle_core::Device;
    use rand::Rng as _;

    #[test]
    fn the_fused_log_probability_equals_its_plain_twin() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for dtype in [DType::F64, DType::F32] {
            for _ in 0..50 {
                let (batch, columns) = (rng.random_range(1..20), rng.random_range(1..20u32));
                let logits = random_var(&[batch, columns as usize], dtype, &mut rng);
                let classes: Vec<u32> = (0..batch).map(|_| rng.random_range(0..columns)).collect();
                let classes = Tensor::new(classes, &Device::Cpu).unwrap();
                assert_equal_with_gradients(
                    |[z]| log_prob(z, &classes),
                    |[z]| plain::log_prob(z, &classes),
                    &[logits],
                    &format!("{batch}×{columns}"),
                );
            }
        }
    }

    #[test]
    fn views_are_handled() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        let logits = random_var(&[5, 4], DType::F32, &mut rng);
        let classes = Tensor::new(&[9u32, 0, 3, 1, 2], &Device::Cpu).unwrap();
        let classes = classes.narrow(0, 1, 4).unwrap();
        // Rows behind an offset, and rows that are columns of another tensor.
        for view in [|z: &Tensor| z.narrow(0, 1, 4), |z: &Tensor| z.narrow(0, 0, 4)?.t()] {
            assert_equal_with_gradients(
                |[z]| log_prob(&view(z)?, &classes),
                |[z]| plain::log_prob(&view(z)?.contiguous()?, &classes),
                std::array::from_ref(&logits),
                "a view",
            );
        }
    }

    #[test]
    fn an_empty_batch_has_no_log_probabilities() {
        let logits = candle_core::Var::zeros((0, 3), DType::F32, &Device::Cpu).unwrap();
        let log_probs = log_prob(&logits, &Tensor::zeros(0, DType::U32, &Device::Cpu).unwrap()).unwrap();
        assert_eq!(log_probs.dims(), [0]);
        let gradients = log_probs.sum_all().unwrap().backward().unwrap();
        assert_eq!(gradients.get(&logits).unwrap().dims(), [0, 3]);
    }

    #[test]
    fn a_class_that_does_not_exist_is_an_error() {
        let logits = Tensor::zeros((1, 3), DType::F32, &Device::Cpu).unwrap();
        let error = log_prob(&logits, &Tensor::new(&[3u32], &Device::Cpu).unwrap()).unwrap_err();
        assert!(error.to_string().contains("class 3 of 3"), "{error}");
    }
}
