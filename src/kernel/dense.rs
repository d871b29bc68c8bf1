//! A fused dense layer: matrix product, bias and activation in one pass, with an analytic backward.

use super::activation::{self, Activation, Real};
use super::affine::{self, Affine};
use super::matrix::{Matrix, add_product};
use super::vector::vectorized;
use super::{plain, storage};
use candle_core::{CpuStorage, Layout, Result, Shape, Tensor, bail};

/// `y = activation(x · wᵀ + b)`.
///
/// `x` is `[batch, in]`, `w` is `[out, in]`, `b` is `[out]`; the result is `[batch, out]`. With `dz = dy ⊙ activation'(z)`
/// the gradients are `dx = dz · w` (left out where `x` needs none), `dw = dzᵀ · x`, `db = Σ_batch dz`.
pub fn dense(x: &Tensor, w: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
    let fused = |activation| Dense { activation };
    affine::apply([x, w, b], activation, fused, |activation| plain::dense(x, w, b, activation))
}

/// The forward pass alone, from slices to a slice: acting needs no graph. `out` is `[batch, out]` and is overwritten.
///
/// # Panics
/// When the sizes don't fit.
pub fn dense_into(x: &[f32], w: &Tensor, b: &Tensor, activation: Activation, out: &mut [f32]) -> Result<()> {
    let (outputs, inputs) = w.dims2()?;
    storage::with_slice(w, |w| storage::with_slice(b, |b| forward(x, w, b, (inputs, outputs), activation, out)))?
}

fn forward<T: Real>(
    x: &[T],
    w: &[T],
    b: &[T],
    (inputs, outputs): (usize, usize),
    activation: Activation,
    out: &mut [T],
) {
    out.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(b));
    let batch = out.len() / outputs;
    add_product(out, Matrix::new(x, batch, inputs), Matrix::new(w, outputs, inputs).transposed());
    activation::apply(activation, out);
}

/// The operation with its settings.
struct Dense {
    activation: Activation,
}

impl Affine for Dense {
    const NAME: &'static str = "dense";

    fn forward<T: Real>(&self, arguments: [(&CpuStorage, &Layout); 3]) -> Result<(CpuStorage, Shape)> {
        let [(xs, xl), (ws, wl), (bs, bl)] = arguments;
        let (batch, inputs) = xl.shape().dims2()?;
        let (outputs, in_features) = wl.shape().dims2()?;
        if inputs != in_features || bl.shape().dims1()? != outputs {
            bail!("dense: x {:?}, w {:?} and b {:?} don't fit", xl.shape(), wl.shape(), bl.shape());
        }
        let mut y = vec![T::zero(); batch * outputs];
        let (x, w, b) = (storage::slice(xs, xl)?, storage::slice(ws, wl)?, storage::slice(bs, bl)?);
        forward(x, w, b, (inputs, outputs), self.activation, &mut y);
        Ok((T::to_cpu_storage_owned(y), (batch, outputs).into()))
    }

    fn backward<T: Real>(&self, x: &Tensor, w: &Tensor, y: &Tensor, dy: &Tensor) -> Result<[Option<Tensor>; 3]> {
        let (outputs, inputs) = w.dims2()?;
        let batch = x.dim(0)?;
        let dz: Vec<T> = affine::dz(self.activation, y, dy)?;
        let dz_matrix = Matrix::new(&dz, batch, outputs);
        let mut dw = vec![T::zero(); outputs * inputs];
        storage::with_slice(x, |x| {
            add_product(&mut dw, dz_matrix.transposed(), Matrix::new(x, batch, inputs));
        })?;
        let mut db = vec![T::zero(); outputs];
        vectorized(|| {
            for row in dz.chunks_exact(outputs) {
                db.iter_mut().zip(row).for_each(|(sum, dz)| *sum += *dz);
            }
        });
        let dx = if x.track_op() {
            let mut dx = vec![T::zero(); batch * inputs];
            storage::with_slice(w, |w| add_product(&mut dx, dz_matrix, Matrix::new(w, outputs, inputs)))?;
            Some(Tensor::from_vec(dx, (batch, inputs), x.device())?)
        } else {
            None
        };
        let dw = Tensor::from_vec(dw, (outputs, inputs), x.device())?;
        Ok([dx, Some(dw), Some(Tensor::from_vec(db, outputs, x.device())?)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{assert_equal_with_gradients, random_var};
    use candle_core::DType;
    use candle_core::Device;
    use rand::Rng as _;

    type DenseFn = fn(&Tensor, &Tensor, &Tensor, Activation) -> Result<Tensor>;

    #[test]
    fn the_fused_layer_equals_its_plain_twin() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for dtype in [DType::F64, DType::F32] {
            for activation in [Activation::Identity, Activation::Relu, Activation::Tanh, Activation::Gelu] {
                for _ in 0..20 {
                    let [batch, inputs, outputs] = std::array::from_fn(|_| rng.random_range(1..40usize));
                    let arguments = [
                        random_var(&[batch, inputs], dtype, &mut rng),
                        random_var(&[outputs, inputs], dtype, &mut rng),
                        random_var(&[outputs], dtype, &mut rng),
                    ];
                    assert_equal_with_gradients(
                        |[x, w, b]| dense(x, w, b, activation),
                        |[x, w, b]| plain::dense(x, w, b, activation),
                        &arguments,
                        &format!("{batch}×{inputs} to {outputs}, {activation:?}"),
                    );
                }
            }
        }
    }

    #[test]
    fn views_and_empty_batches_are_handled() {
        let x = Tensor::arange(0f32, 12.0, &Device::Cpu).unwrap().reshape((4, 3)).unwrap();
        let w = Tensor::arange(0f32, 6.0, &Device::Cpu).unwrap().reshape((2, 3)).unwrap();
        let b = Tensor::new(&[1f32, -1.0], &Device::Cpu).unwrap();
        let strided = Tensor::arange(0f32, 12.0, &Device::Cpu).unwrap().reshape((3, 4)).unwrap().t().unwrap();
        for view in [x.narrow(0, 1, 2).unwrap(), x.narrow(0, 0, 0).unwrap(), strided] {
            let rows = |f: DenseFn| f(&view, &w, &b, Activation::Tanh).unwrap().to_vec2::<f32>().unwrap();
            let (fused, plain) = (rows(dense), rows(plain::dense));
            assert_eq!(fused.len(), plain.len());
            for (a, b) in fused.iter().flatten().zip(plain.iter().flatten()) {
                assert!((a - b).abs() < 1e-6);
            }
        }
    }
}
