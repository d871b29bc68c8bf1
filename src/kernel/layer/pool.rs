//! Max pooling.

mod moving;
mod pairs;

use super::windows::{self, Windows};
use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::Real;
use crate::kernel::vector::vectorized;
use candle_core::Tensor;
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[
        OptionRow { name: "pool", meaning: "side of a window", kind: OptionKind::RequiredWhole { at_least: 1 } },
        windows::STRIDE,
        OptionRow {
            name: "padding",
            meaning: "pixels around the image, which are never the largest",
            kind: OptionKind::Whole { default: Some(0), at_least: 0 },
        },
    ],
    meaning: "the largest number of every window of an image",
    plan,
    ..LayerRow::PLAIN
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let (channels, height, width) = arriving.image("pool")?;
    let Windows { size, stride, padding } = Windows::of(options, "pool", (height, width))?;
    let stride = (stride != size).then_some(stride);
    let pool = Pool { channels, height, width, size, stride, padding };
    let (height, width) = pool.output();
    Ok(Planned { layer: Some(Layer::Pool(pool)), shape: vec![channels, height, width] })
}

/// The largest value of every window of `size × size` pixels; what is left over at the right and the bottom is dropped.
/// `[batch, channels · height · width]` to `[batch, channels · out_height · out_width]`. The gradient of a window goes to its first
/// pixel, row by row, that is the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub size: usize,
    /// Pixels from one window to the next; they stand side by side where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Pixels of −∞ around the image, at most half of the size.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub padding: usize,
}

impl Pool {
    fn windows(&self) -> Windows {
        Windows { size: self.size, stride: self.stride.unwrap_or(self.size), padding: self.padding }
    }

    /// `(height, width)` of the result.
    pub fn output(&self) -> (usize, usize) {
        let along = |side| self.windows().along(side).unwrap_or(0);
        (along(self.height), along(self.width))
    }

    /// Floats of one image.
    pub fn image(&self) -> usize {
        self.channels * self.height * self.width
    }
}

impl Operation for Pool {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.image(), 0]
    }

    fn outputs(&self) -> usize {
        self.channels * self.output().0 * self.output().1
    }

    /// Windows of the usual side get a loop of their own.
    fn forward<T: Real>(&self, xs: &[&[T]], _: (&[T], &[T]), y: &mut [T], _: &mut [T]) {
        let x = xs[0];
        match self.windows().are_pairs() {
            true => vectorized(pairs::Forward { pool: self, x, y }),
            false => vectorized(moving::Forward { pool: self, x, y }),
        }
    }

    fn backward<T: Real>(&self, passed: Passed<T>, _: &[T], dy: &mut [T], _: (&mut [T], &mut [T]), dxs: &mut Dx<T>) {
        let (pool, x, y) = (self, passed.xs[0], passed.y);
        match &mut dxs[0] {
            None => {}
            Some(dx) if self.windows().are_pairs() => vectorized(pairs::Backward { pool, x, y, dy, dx }),
            Some(dx) => vectorized(moving::Backward { pool, x, y, dy, dx }),
        }
    }

    /// Not by candle's `max_pool2d`, whose gradient is divided by the area of the window: every pixel of every window, and their largest. A
    /// pixel of −∞ behind the image stands for those around it.
    fn plain(&self, xs: &[Tensor], _: &Tensor, _: &Tensor) -> candle_core::Result<Tensor> {
        let Windows { size, stride, padding } = self.windows();
        let (plane, (rows, columns)) = (self.height * self.width, self.output());
        let at = |window: usize, pixel: usize| {
            let y = (window / columns * stride + pixel / size).checked_sub(padding).filter(|y| *y < self.height);
            let x = (window % columns * stride + pixel % size).checked_sub(padding).filter(|x| *x < self.width);
            y.zip(x).map_or(plane, |(y, x)| y * self.width + x) as u32
        };
        let windows = rows * columns;
        let pixels = (0..windows * size * size).map(|i| at(i / (size * size), i % (size * size)));
        let pixels = Tensor::from_iter(pixels, xs[0].device())?;
        let planes = xs[0].reshape((xs[0].dim(0)?, self.channels, plane))?;
        let around =
            (Tensor::ones((planes.dim(0)?, self.channels, 1), planes.dtype(), planes.device())? * f64::NEG_INFINITY)?;
        let of_windows = Tensor::cat(&[planes, around], 2)?.index_select(&pixels, 2)?;
        of_windows.reshape((xs[0].dim(0)?, self.channels * windows, size * size))?.max(2)
    }
}

#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if b > a { b } else { a }
}
