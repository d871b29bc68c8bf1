//! Outputs that do not depend on the inputs.

use super::{Dx, MOST_SOURCES, Operation, Passed};
use crate::kernel::activation::Real;
use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// Passes every row on with the same trained numbers behind it: `y = (x, b)`. Its bias `b` is `[outputs − inputs]`; it has no
/// weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Append {
    pub inputs: usize,
    pub outputs: usize,
}

impl Operation for Append {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.inputs, 0]
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn biases(&self) -> usize {
        self.outputs - self.inputs
    }

    fn forward<T: Real>(&self, xs: &[&[T]], (_, b): (&[T], &[T]), y: &mut [T], _: &mut [T]) {
        for (y, x) in y.chunks_exact_mut(self.outputs).zip(xs[0].chunks_exact(self.inputs)) {
            let (passed, appended) = y.split_at_mut(self.inputs);
            passed.copy_from_slice(x);
            appended.copy_from_slice(b);
        }
    }

    /// `dx` is the front of `dy`; `db` is the sum of the rest over the batch.
    fn backward<T: Real>(&self, _: Passed<T>, _: &[T], dy: &mut [T], (_, db): (&mut [T], &mut [T]), dxs: &mut Dx<T>) {
        db.fill(T::zero());
        for row in dy.chunks_exact(self.outputs) {
            db.iter_mut().zip(&row[self.inputs..]).for_each(|(sum, dy)| *sum += *dy);
        }
        if let Some(dx) = &mut dxs[0] {
            for (dx, dy) in dx.chunks_exact_mut(self.inputs).zip(dy.chunks_exact(self.outputs)) {
                dx.copy_from_slice(&dy[..self.inputs]);
            }
        }
    }

    fn plain(&self, xs: &[Tensor], _: &Tensor, b: &Tensor) -> Result<Tensor> {
        Tensor::cat(&[&xs[0], &b.broadcast_left(xs[0].dim(0)?)?], 1)
    }
}
