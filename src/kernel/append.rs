//! Outputs that do not depend on the inputs.

use super::activation::Real;

/// Passes every row on with the same trained numbers behind it: `y = (x, b)`. Its bias `b` is `[outputs − inputs]`; it has no
/// weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Append {
    pub inputs: usize,
    pub outputs: usize,
}

impl Append {
    pub(super) fn forward<T: Real>(&self, x: &[T], b: &[T], y: &mut [T]) {
        for (y, x) in y.chunks_exact_mut(self.outputs).zip(x.chunks_exact(self.inputs)) {
            let (passed, appended) = y.split_at_mut(self.inputs);
            passed.copy_from_slice(x);
            appended.copy_from_slice(b);
        }
    }

    /// `dx` is the front of `dy`; `db` is the sum of the rest over the batch.
    pub(super) fn backward<T: Real>(&self, dy: &[T], db: &mut [T], dx: Option<&mut [T]>) {
        db.fill(T::zero());
        for row in dy.chunks_exact(self.outputs) {
            db.iter_mut().zip(&row[self.inputs..]).for_each(|(sum, dy)| *sum += *dy);
        }
        if let Some(dx) = dx {
            for (dx, dy) in dx.chunks_exact_mut(self.inputs).zip(dy.chunks_exact(self.outputs)) {
                dx.copy_from_slice(&dy[..self.inputs]);
            }
        }
    }
}
