//! Two layers behind one another.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::Real;
use candle_core::Tensor;
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[
        OptionRow {
            name: "concat",
            meaning: "the `name` of a layer before, or \"input\"",
            kind: OptionKind::Text { default: "input" },
        },
        OptionRow {
            name: "first",
            meaning: "whether the named layer comes first",
            kind: OptionKind::Flag { default: false },
        },
    ],
    meaning: "what comes in and, behind it, a layer by its name: features, or the channels of images of one size",
    joins: true,
    plan,
    ..LayerRow::PLAIN
};

fn plan(_: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let (first, second) = (arriving.shapes[0], arriving.shapes[1]);
    if first.len() != second.len() || first[1..] != second[1..] {
        return Err(format!(
            "`concat` of the shapes {first:?} and {second:?}, which differ in more than the first size"
        ));
    }
    let mut shape = first.to_vec();
    shape[0] += second[0];
    let sizes = [first, second].map(|shape| shape.iter().product());
    Ok(Planned { layer: Some(Layer::Concat(Concat { sizes })), shape })
}

/// `y = (x₁, x₂)`: an image is a row of planes, so that its channels stand behind one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concat {
    /// Floats per example of each.
    pub sizes: [usize; MOST_SOURCES],
}

impl Operation for Concat {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        self.sizes
    }

    fn outputs(&self) -> usize {
        self.sizes.iter().sum()
    }

    fn forward<T: Real>(&self, xs: &[&[T]], _: (&[T], &[T]), y: &mut [T], _: &mut [T]) {
        let rows = xs[0].chunks_exact(self.sizes[0]).zip(xs[1].chunks_exact(self.sizes[1]));
        for (y, (first, second)) in y.chunks_exact_mut(self.outputs()).zip(rows) {
            y[..self.sizes[0]].copy_from_slice(first);
            y[self.sizes[0]..].copy_from_slice(second);
        }
    }

    fn backward<T: Real>(&self, _: Passed<T>, _: &[T], dy: &mut [T], _: (&mut [T], &mut [T]), dxs: &mut Dx<T>) {
        let parts = [0..self.sizes[0], self.sizes[0]..self.outputs()];
        for ((dx, part), size) in dxs.iter_mut().zip(parts).zip(self.sizes) {
            let Some(dx) = dx else { continue };
            for (dx, dy) in dx.chunks_exact_mut(size).zip(dy.chunks_exact(self.outputs())) {
                dx.copy_from_slice(&dy[part.clone()]);
            }
        }
    }

    fn plain(&self, xs: &[Tensor], _: &Tensor, _: &Tensor) -> candle_core::Result<Tensor> {
        Tensor::cat(xs, 1)
    }
}
