//! What dense and convolutional layers share as operations of candle: three arguments, an activation, two dtypes.

use super::activation::{self, Activation, Real};
use super::{plain, storage};
use candle_core::{CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor};

/// `activation(L(x, w) + b)` with `L` linear in both.
pub(super) trait Affine: Send + Sync + 'static {
    const NAME: &'static str;
    /// The result and its shape, from the storage and layout of `x`, `w` and `b`.
    fn forward<T: Real>(&self, arguments: [(&CpuStorage, &Layout); 3]) -> Result<(CpuStorage, Shape)>;
    /// The gradients of `x` (where it needs one), `w` and `b`, from the result `y` and its gradient.
    fn backward<T: Real>(&self, x: &Tensor, w: &Tensor, y: &Tensor, dy: &Tensor) -> Result<[Option<Tensor>; 3]>;
}

/// Runs the fused operation that `fused` makes for an activation, or its plain twin where that can't run.
pub(super) fn apply<A: Affine>(
    [x, w, b]: [&Tensor; 3],
    activation: Activation,
    fused: impl FnOnce(Activation) -> A,
    plain: impl FnOnce(Activation) -> Result<Tensor>,
) -> Result<Tensor> {
    if ![x, w, b].into_iter().all(|t| storage::is_plain_cpu(t) && t.dtype() == x.dtype()) {
        return plain(activation);
    }
    if activation::is_fused(activation) {
        x.apply_op3(w, b, Operation(fused(activation)))
    } else {
        plain::activate(&x.apply_op3(w, b, Operation(fused(Activation::Identity)))?, activation)
    }
}

/// `dy ⊙ activation'(z)`, with the derivative read off the result `y`.
pub(super) fn dz<T: Real>(activation: Activation, y: &Tensor, dy: &Tensor) -> Result<Vec<T>> {
    let dy = dy.contiguous()?;
    storage::with_slice(&dy, |dy| storage::with_slice(y, |y| activation::multiply_derivative(activation, dy, y)))?
}

struct Operation<A>(A);

impl<A: Affine> CustomOp3 for Operation<A> {
    fn name(&self) -> &'static str {
        A::NAME
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xl: &Layout,
        ws: &CpuStorage,
        wl: &Layout,
        bs: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let arguments = [(xs, xl), (ws, wl), (bs, bl)];
        match xs {
            CpuStorage::F32(_) => self.0.forward::<f32>(arguments),
            _ => self.0.forward::<f64>(arguments),
        }
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [dx, dw, db] = match x.dtype() {
            DType::F32 => self.0.backward::<f32>(x, w, y, dy),
            _ => self.0.backward::<f64>(x, w, y, dy),
        }?;
        Ok((dx, dw, db))
    }
}
