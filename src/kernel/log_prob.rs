//! Log-softmax and the choice of one class per row, fused: what cross-entropy and policy gradients both differentiate.

use super::activation::Real;
use super::vector::{Simd, WithSimd, vectorized};
use super::{plain, storage};
use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};

/// `log softmax(z)_y` of each row.
///
/// `logits` is `[batch, classes]`, `classes` is `[batch]` of u32; the result is `[batch]`. The gradient with respect to the
/// logits of a row is `g (e_y − softmax(z))`.
pub fn log_prob(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    let fused = storage::is_plain_cpu(logits) && classes.is_contiguous() && classes.dtype() == DType::U32;
    if fused { logits.apply_op2(classes, LogProb) } else { plain::log_prob(logits, classes) }
}

struct LogProb;

/// Classes per row; an empty batch has no rows to tell, and any number will do.
fn columns<T>(logits: &[T], classes: &[u32]) -> usize {
    logits.len().checked_div(classes.len()).unwrap_or(1)
}

/// The forward pass over all rows.
struct Forward<'a, T> {
    logits: &'a [T],
    classes: &'a [u32],
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let columns = columns(self.logits, self.classes);
        for ((row, &class), out) in self.logits.chunks_exact(columns).zip(self.classes).zip(self.out) {
            let largest = row.iter().fold(T::neg_infinity(), |a, b| if *b > a { *b } else { a });
            let sum = row.iter().fold(T::zero(), |sum, z| sum + (*z - largest).fast_exp());
            *out = row[class as usize] - largest - sum.fast_ln();
        }
    }
}

/// `dz = g (e_y − p)`, with `p_j = exp(z_j − z_y + log p_y)` read off the result.
struct Backward<'a, T> {
    logits: &'a [T],
    classes: &'a [u32],
    log_probs: &'a [T],
    gradient: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let columns = columns(self.logits, self.classes);
        let rows = self.logits.chunks_exact(columns).zip(self.out.chunks_exact_mut(columns));
        let per_row = self.classes.iter().zip(self.log_probs).zip(self.gradient);
        for ((row, out), ((&class, &log_prob), &g)) in rows.zip(per_row) {
            let normalizer = row[class as usize] - log_prob;
            out.iter_mut().zip(row).for_each(|(out, z)| *out = -g * (*z - normalizer).fast_exp());
            out[class as usize] += g;
        }
    }
}

impl LogProb {
    fn forward<T: Real>(zs: &CpuStorage, zl: &Layout, cs: &CpuStorage, cl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, columns) = zl.shape().dims2()?;
        let (logits, classes) = (storage::slice::<T>(zs, zl)?, storage::slice::<u32>(cs, cl)?);
        if classes.len() != batch {
            bail!("log_prob: {} classes for {batch} rows", classes.len());
        }
        if let Some(class) = classes.iter().find(|class| **class as usize >= columns) {
            bail!("log_prob: class {class} of {columns}");
        }
        let mut out = vec![T::zero(); batch];
        vectorized(Forward { logits, classes, out: &mut out });
        Ok((T::to_cpu_storage_owned(out), batch.into()))
    }

    fn backward<T: Real>(logits: &Tensor, classes: &Tensor, log_probs: &Tensor, gradient: &Tensor) -> Result<Tensor> {
        let mut out = vec![T::zero(); logits.elem_count()];
        let gradient = gradient.contiguous()?;
        storage::with_slice(classes, |classes| {
            storage::with_slices([logits, log_probs, &gradient], |[logits, log_probs, gradient]| {
                vectorized(Backward { logits, classes, log_probs, gradient, out: &mut out });
            })
        })??;
        Tensor::from_vec(out, logits.shape(), logits.device())
    }
}

impl CustomOp2 for LogProb {
    fn name(&self) -> &'static str {
        "log_prob"
    }

    fn cpu_fwd(&self, zs: &CpuStorage, zl: &Layout, cs: &CpuStorage, cl: &Layout) -> Result<(CpuStorage, Shape)> {
        match zs {
            CpuStorage::F32(_) => Self::forward::<f32>(zs, zl, cs, cl),
            _ => Self::forward::<f64>(zs, zl, cs, cl),
        }
    }

    fn bwd(
        &self,
        logits: &Tensor,
        classes: &Tensor,
        log_probs: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dz = match logits.dtype() {
            DType::F32 => Self::backward::<f32>(logits, classes, log_probs, gradient),
            _ => Self::backward::<f64>(logits, classes, log_probs, gradient),
        }?;
        Ok((Some(dz), None))
    }
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
