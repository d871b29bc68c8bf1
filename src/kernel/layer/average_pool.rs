//! Average pooling.

use super::averaging::{self, Means, Shares, Side};
use super::windows::{self, Windows};
use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::Real;
use crate::kernel::vector::vectorized;
use candle_core::Tensor;
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[
        OptionRow {
            name: "average_pool",
            meaning: "side of a window",
            kind: OptionKind::RequiredWhole { at_least: 1 },
        },
        windows::STRIDE,
        OptionRow {
            name: "padding",
            meaning: "zeros around the image",
            kind: OptionKind::Whole { default: Some(0), at_least: 0 },
        },
        OptionRow {
            name: "count_padding",
            meaning: "whether these zeros count in the mean",
            kind: OptionKind::Flag { default: true },
        },
    ],
    meaning: "the mean of every window of an image",
    plan,
    ..LayerRow::PLAIN
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let (channels, height, width) = arriving.image("average_pool")?;
    let Windows { size, stride, padding } = Windows::of(options, "average_pool", (height, width))?;
    let count_padding = options.flag("count_padding");
    let pool = AveragePool { channels, height, width, size, stride, padding, count_padding };
    let [rows, columns] = pool.sides();
    Ok(Planned { layer: Some(Layer::AveragePool(pool)), shape: vec![channels, rows.count(), columns.count()] })
}

/// The mean of every window of `size × size` pixels; what is left over at the right and the bottom is dropped.
/// `[batch, channels · height · width]` to `[batch, channels · out_height · out_width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AveragePool {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub size: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// Zeros around the image, at most half of the size.
    pub padding: usize,
    /// Whether sums are divided by `size²` everywhere, or by the pixels of the image that a window has.
    pub count_padding: bool,
}

impl AveragePool {
    fn sides(&self) -> [Side; 2] {
        let windows = Windows { size: self.size, stride: self.stride, padding: self.padding };
        [self.height, self.width].map(|pixels| Side::Moving { pixels, windows, count_padding: self.count_padding })
    }
}

impl Operation for AveragePool {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.channels * self.height * self.width, 0]
    }

    fn outputs(&self) -> usize {
        self.channels * self.sides().map(Side::count).iter().product::<usize>()
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
