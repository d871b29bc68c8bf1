//! The bias that all pixels of a filter share.

use crate::kernel::activation::{self, Activation, Real};
use crate::kernel::sums::Sum;
use crate::kernel::vector::vectorized;

/// `y ← activation(y + b)` of planes of so many pixels, `[batch, filters, pixels]`, with a bias per filter or none.
pub(super) fn activate<T: Real>(activation: Activation, y: &mut [T], (b, pixels): (&[T], usize), arguments: &mut [T]) {
    for (i, plane) in y.chunks_exact_mut(pixels).enumerate() {
        let bias = if b.is_empty() { T::zero() } else { b[i % b.len()] };
        let arguments = arguments.get_mut(i * pixels..(i + 1) * pixels).unwrap_or_default();
        activation::apply(activation, plane, bias, arguments);
    }
}

/// `db_f ← db_f + Σ dz` over the planes of each filter, if there are biases.
pub(super) fn add_up<T: Real>(dz: &[T], pixels: usize, db: &mut [T]) {
    if db.is_empty() {
        return;
    }
    for (i, plane) in dz.chunks_exact(pixels).enumerate() {
        db[i % db.len()] += vectorized(Sum(plane));
    }
}
