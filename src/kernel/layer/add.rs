//! The sum of two layers.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::Real;
use candle_core::Tensor;
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[OptionRow {
        name: "add",
        meaning: "the `name` of a layer before, or \"input\"",
        kind: OptionKind::Text { default: "input" },
    }],
    meaning: "what comes in and a layer by its name, added up: a residual connection (He et al. 2016)",
    joins: true,
    plan,
    ..LayerRow::PLAIN
};

fn plan(_: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let (first, second) = (arriving.shapes[0], arriving.shapes[1]);
    if first != second {
        return Err(format!("`add` of the shapes {first:?} and {second:?}, which differ"));
    }
    Ok(Planned { layer: Some(Layer::Add(Add { size: arriving.size() })), shape: first.to_vec() })
}

/// `y = x₁ + x₂`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Add {
    /// Floats per example.
    pub size: usize,
}

impl Operation for Add {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.size; MOST_SOURCES]
    }

    fn outputs(&self) -> usize {
        self.size
    }

    fn forward<T: Real>(&self, xs: &[&[T]], _: (&[T], &[T]), y: &mut [T], _: &mut [T]) {
        y.iter_mut().zip(xs[0]).zip(xs[1]).for_each(|((y, first), second)| *y = *first + *second);
    }

    fn backward<T: Real>(&self, _: Passed<T>, _: &[T], dy: &mut [T], _: (&mut [T], &mut [T]), dxs: &mut Dx<T>) {
        dxs.iter_mut().flatten().for_each(|dx| dx.copy_from_slice(dy));
    }

    fn plain(&self, xs: &[Tensor], _: &Tensor, _: &Tensor) -> candle_core::Result<Tensor> {
        &xs[0] + &xs[1]
    }
}
