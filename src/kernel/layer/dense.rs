//! A dense layer: matrix product, bias and activation, with an analytic backward.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::{self, Activation, Real};
use crate::kernel::buffer::Buffer;
use crate::kernel::matrix::{Matrix, add_product};
use crate::kernel::plain;
use crate::kernel::product::{self, Product, RowProducts};
use crate::kernel::sums::column_sums;
use crate::kernel::transposed::transposed;
use crate::kernel::vector::LANES;
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

/// With fewer outputs than these, the products of rows are faster than vectors that they would not fill.
const FEW: usize = LANES / 2;

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

    /// `[inputs, outputs]`, so that outputs fill the vectors, unless there are few of them, or so many weights that the library packs them.
    fn laid_out<T: Real>(&self, w: &[T]) -> Buffer<T> {
        match self.outputs < FEW || product::is_large(self.inputs, self.outputs) {
            true => Buffer::none(),
            false => transposed(w, self.inputs),
        }
    }

    fn forward<T: Real>(&self, xs: &[&[T]], (w, b): (&[T], &[T]), y: &mut [T], arguments: &mut [T]) {
        let Dense { inputs, outputs, activation } = *self;
        let (x, rows) = (xs[0], y.len() / outputs);
        if outputs < FEW {
            RowProducts { a: x, b: w, steps: inputs, start: b, out: y }.write();
        } else if product::is_large(inputs, outputs) {
            y.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(b));
            add_product(y, Matrix::new(x, rows, inputs), Matrix::new(w, outputs, inputs).transposed());
        } else {
            Product { a: x, strides: [inputs, 1], b: w, rows, steps: inputs, columns: outputs }.write(b, y);
        }
        activation::apply(activation, y, T::zero(), arguments);
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
        let (Passed { xs, y, kept, .. }, Dense { inputs, outputs, activation }) = (passed, *self);
        activation::multiply_derivative(activation, dy, y, kept);
        let (x, dz, batch) = (xs[0], &*dy, dy.len() / outputs);
        if inputs < outputs && inputs < LANES {
            // The longer side fills the vectors.
            let mut turned = Buffer::any(dw.len());
            Product { a: x, strides: [1, inputs], b: dz, rows: inputs, steps: batch, columns: outputs }
                .write(&[], &mut turned);
            dw.copy_from_slice(&transposed(&turned, outputs));
        } else {
            Product { a: dz, strides: [1, outputs], b: x, rows: outputs, steps: batch, columns: inputs }.write(&[], dw);
        }
        column_sums(dz, db);
        if let Some(dx) = &mut dxs[0] {
            Product { a: dz, strides: [outputs, 1], b: w, rows: batch, steps: outputs, columns: inputs }.write(&[], dx);
        }
    }

    fn plain(&self, xs: &[Tensor], w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
        plain::activate(&xs[0].matmul(&w.t()?)?.broadcast_add(b)?, self.activation)
    }
}
