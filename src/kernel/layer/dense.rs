//! A dense layer: matrix product, bias and activation, with an analytic backward.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::{self, Activation, Real};
use crate::kernel::matrix::{Matrix, add_product, set_product};
use crate::kernel::plain;
use crate::kernel::vector::vectorized;
use candle_core::Tensor;
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[OptionRow { name: "dense", meaning: "units", kind: OptionKind::RequiredWhole { at_least: 1 } }],
    meaning: "a matrix product, a bias and the activation",
    plan,
    ..LayerRow::PLAIN
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let outputs = options.whole("dense").unwrap_or_default() as usize;
    let layer = Layer::Dense(Dense { inputs: arriving.size(), outputs, activation: arriving.activation });
    Ok(Planned { layer: Some(layer), shape: vec![outputs] })
}

/// `y = activation(x · wᵀ + b)`; `x` is `[batch, inputs]`, `w` is `[outputs, inputs]`, `b` is `[outputs]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dense {
    pub inputs: usize,
    pub outputs: usize,
    pub activation: Activation,
}

impl Operation for Dense {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.inputs, 0]
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn weight_shape(&self) -> Option<Vec<usize>> {
        Some(vec![self.outputs, self.inputs])
    }

    fn weights(&self) -> usize {
        self.outputs * self.inputs
    }

    fn biases(&self) -> usize {
        self.outputs
    }

    fn products(&self) -> usize {
        self.inputs * self.outputs
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn forward<T: Real>(&self, xs: &[&[T]], (w, b): (&[T], &[T]), y: &mut [T], arguments: &mut [T]) {
        y.chunks_exact_mut(self.outputs).for_each(|row| row.copy_from_slice(b));
        let batch = y.len() / self.outputs;
        add_product(y, Matrix::new(xs[0], batch, self.inputs), Matrix::new(w, self.outputs, self.inputs).transposed());
        activation::apply(self.activation, y, T::zero(), arguments);
    }

    /// With `dz = dy ⊙ activation'(z)`, which overwrites `dy`: `dx = dz · w`, `dw = dzᵀ · x`, `db = Σ_batch dz`.
    fn backward<T: Real>(
        &self,
        passed: Passed<T>,
        w: &[T],
        dy: &mut [T],
        (dw, db): (&mut [T], &mut [T]),
        dxs: &mut Dx<T>,
    ) {
        let Passed { xs, y, kept, .. } = passed;
        activation::multiply_derivative(self.activation, dy, y, kept);
        let batch = dy.len() / self.outputs;
        let dz = Matrix::new(dy, batch, self.outputs);
        set_product(dw, dz.transposed(), Matrix::new(xs[0], batch, self.inputs));
        db.fill(T::zero());
        vectorized(|| {
            for row in dy.chunks_exact(self.outputs) {
                db.iter_mut().zip(row).for_each(|(sum, dz)| *sum += *dz);
            }
        });
        if let Some(dx) = &mut dxs[0] {
            set_product(dx, dz, Matrix::new(w, self.outputs, self.inputs));
        }
    }

    fn plain(&self, xs: &[Tensor], w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
        plain::activate(&xs[0].matmul(&w.t()?)?.broadcast_add(b)?, self.activation)
    }
}
