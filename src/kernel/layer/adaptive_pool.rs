//! Average pooling to a size that does not depend on the image's.

use super::averaging::{self, Means, Shares, Side};
use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::Real;
use crate::kernel::vector::vectorized;
use candle_core::Tensor;
use lossward_envs::options::{Interval, OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[OptionRow {
        name: "adaptive_pool",
        meaning: "height and width of what comes out, or one number for both",
        kind: OptionKind::Numbers(Interval::AT_LEAST_ONE),
    }],
    meaning: "means over as many windows, which may overlap by a pixel, whatever the image's size",
    plan,
    ..LayerRow::PLAIN
};

pub(super) const GLOBAL_ROW: LayerRow = LayerRow {
    options: &[OptionRow { name: "global_pool", meaning: "true", kind: OptionKind::Flag { default: true } }],
    meaning: "the mean of every channel of an image (Lin, Chen and Yan 2013)",
    plan: plan_global,
    ..LayerRow::PLAIN
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    planned(super::sides(options, "adaptive_pool")?, arriving.image("adaptive_pool")?)
}

fn plan_global(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    super::switched_on(options, "global_pool")?;
    planned([1, 1], arriving.image("global_pool")?)
}

fn planned(
    [out_height, out_width]: [usize; 2],
    (channels, height, width): (usize, usize, usize),
) -> Result<Planned, String> {
    let layer = Layer::AdaptivePool(AdaptivePool { channels, height, width, out_height, out_width });
    Ok(Planned { layer: Some(layer), shape: vec![channels, out_height, out_width] })
}

/// The means of `out_height × out_width` windows, of which window `i` along a side of `n` pixels with `m` windows goes from
/// `⌊i n / m⌋` to `⌈(i + 1) n / m⌉`, as in PyTorch. `[batch, channels · height · width]` to `[batch, channels · out_height · out_width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdaptivePool {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub out_height: usize,
    pub out_width: usize,
}

impl AdaptivePool {
    fn sides(&self) -> [Side; 2] {
        [(self.height, self.out_height), (self.width, self.out_width)]
            .map(|(pixels, count)| Side::Adaptive { pixels, count })
    }
}

impl Operation for AdaptivePool {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.channels * self.height * self.width, 0]
    }

    fn outputs(&self) -> usize {
        self.channels * self.out_height * self.out_width
    }

    fn forward<T: Real>(&self, xs: &[&[T]], _: (&[T], &[T]), y: &mut [T], _: &mut [T]) {
        vectorized(Means { sides: self.sides(), x: xs[0], y });
    }

    fn backward<T: Real>(&self, _: Passed<T>, _: &[T], dy: &mut [T], _: (&mut [T], &mut [T]), dxs: &mut Dx<T>) {
        if let Some(dx) = &mut dxs[0] {
            vectorized(Shares { sides: self.sides(), dy, dx });
        }
    }

    fn plain(&self, xs: &[Tensor], _: &Tensor, _: &Tensor) -> candle_core::Result<Tensor> {
        averaging::plain_means(&xs[0], self.channels, self.sides())
    }
}
