//! A dense layer: matrix product, bias and activation, with an analytic backward.

use super::activation::{self, Activation, Real};
use super::chain::Passed;
use super::matrix::{Matrix, add_product, set_product};
use super::vector::vectorized;

/// `y = activation(x · wᵀ + b)`; `x` is `[batch, inputs]`, `w` is `[outputs, inputs]`, `b` is `[outputs]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    pub inputs: usize,
    pub outputs: usize,
    pub activation: Activation,
}

impl Dense {
    pub(super) fn forward<T: Real>(&self, x: &[T], (w, b): (&[T], &[T]), y: &mut [T], arguments: &mut [T]) {
        y.chunks_exact_mut(self.outputs).for_each(|row| row.copy_from_slice(b));
        let batch = y.len() / self.outputs;
        add_product(y, Matrix::new(x, batch, self.inputs), Matrix::new(w, self.outputs, self.inputs).transposed());
        activation::apply(self.activation, y, T::zero(), arguments);
    }

    /// With `dz = dy ⊙ activation'(z)`, which overwrites `dy`: `dx = dz · w`, `dw = dzᵀ · x`, `db = Σ_batch dz`.
    pub(super) fn backward<T: Real>(
        &self,
        passed: Passed<T>,
        w: &[T],
        dy: &mut [T],
        (dw, db): (&mut [T], &mut [T]),
        dx: Option<&mut [T]>,
    ) {
        let Passed { x, y, arguments } = passed;
        activation::multiply_derivative(self.activation, dy, y, arguments);
        let batch = dy.len() / self.outputs;
        let dz = Matrix::new(dy, batch, self.outputs);
        set_product(dw, dz.transposed(), Matrix::new(x, batch, self.inputs));
        db.fill(T::zero());
        vectorized(|| {
            for row in dy.chunks_exact(self.outputs) {
                db.iter_mut().zip(row).for_each(|(sum, dz)| *sum += *dz);
            }
        });
        if let Some(dx) = dx {
            set_product(dx, dz, Matrix::new(w, self.outputs, self.inputs));
        }
    }
}
