//! A 2-D convolution: sums of shifted rows, bias and activation, with an analytic backward.

mod padded;
mod same;
mod valid;

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned, filter_bias};
use crate::kernel::activation::{self, Activation, Real};
use crate::kernel::plain;
use candle_core::Tensor;
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[
        OptionRow { name: "conv", meaning: "filters", kind: OptionKind::RequiredWhole { at_least: 1 } },
        OptionRow {
            name: "kernel",
            meaning: "height and width of a filter",
            kind: OptionKind::RequiredWhole { at_least: 1 },
        },
        OptionRow {
            name: "stride",
            meaning: "pixels from one place of a filter to the next",
            kind: OptionKind::Whole { default: Some(1), at_least: 1 },
        },
        OptionRow {
            name: "padding",
            meaning: "zeros around the image; \"same\": half of the kernel, so that a stride of 1 keeps the size",
            kind: OptionKind::WholeOr { default: 0, at_least: 0, word: "same" },
        },
        super::BIAS,
    ],
    meaning: "a 2-D convolution of images, a bias and the activation",
    plan,
    ..LayerRow::PLAIN
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let whole = |name: &str| options.whole(name).unwrap_or_default() as usize;
    let (channels, height, width) = arriving.image("conv")?;
    let (filters, kernel, stride) = (whole("conv"), whole("kernel"), whole("stride"));
    let padding = match options.whole("padding") {
        Some(padding) => padding as usize,
        None if kernel % 2 == 1 => kernel / 2,
        None => return Err(format!("`padding = \"same\"` needs an odd kernel, not {kernel}")),
    };
    let activation = arriving.activation;
    let sizes = Conv {
        channels,
        height,
        width,
        filters,
        kernel,
        stride,
        padding,
        bias: arriving.has_bias(options),
        activation,
    };
    let (height, width) = sizes.output().ok_or(format!("a kernel of {kernel} on an image of {height}×{width}"))?;
    Ok(Planned { layer: Some(Layer::Conv(sizes)), shape: vec![filters, height, width] })
}

/// `y = activation(x ∗ w + b)`, a cross-correlation as in all deep-learning libraries.
///
/// `x` is `[batch, channels · height · width]`, `w` is `[filters, channels, kernel, kernel]`, `b` is `[filters]`; the result is
/// `[batch, filters · out_height · out_width]`. Images are rows of `channels × height × width` floats, channel by channel, row
/// by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub filters: usize,
    /// Height and width of a filter.
    pub kernel: usize,
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
    /// Whether there is one: a normalization that follows has its own.
    #[serde(default = "super::yes", skip_serializing_if = "super::is_true")]
    pub bias: bool,
    pub activation: Activation,
}

impl Conv {
    /// `(height, width)` of the result; nothing where the kernel is larger than the padded image.
    pub fn output(&self) -> Option<(usize, usize)> {
        let along = |size: usize| Some((size + 2 * self.padding).checked_sub(self.kernel)? / self.stride + 1);
        Some((along(self.height)?, along(self.width)?))
    }

    /// Floats of one image.
    pub fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Weights of one filter.
    fn filter(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    /// Floats of the result of one image.
    fn result(&self) -> usize {
        self.filters * self.pixels()
    }

    /// Pixels of the result.
    fn pixels(&self) -> usize {
        self.output().map_or(0, |(height, width)| height * width)
    }

    /// Rows and columns of a filter's weights, in order.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let kernel = self.kernel;
        (0..kernel * kernel).map(move |place| (place / kernel, place % kernel))
    }

    /// What the gradients of the images are made of: the weights that meet at a pixel, `[channels, filters, places]`, of these places.
    fn back<T: Real>(&self, w: &[T], places: &[(usize, usize)]) -> Vec<T> {
        let weight = |channel: usize, filter: usize, (row, column): (usize, usize)| {
            w[((filter * self.channels + channel) * self.kernel + row) * self.kernel + column]
        };
        let of_filter = |channel: usize, filter: usize| places.iter().map(move |place| weight(channel, filter, *place));
        let of_channel = |channel: usize| (0..self.filters).flat_map(move |filter| of_filter(channel, filter));
        (0..self.channels).flat_map(of_channel).collect()
    }

    fn way(&self) -> Way {
        match (self.stride, self.padding) {
            (1, padding) if self.kernel == 2 * padding + 1 => Way::Same,
            (1, 0) => Way::Valid,
            _ => Way::Padded,
        }
    }
}

/// How the sums of a convolution are computed.
enum Way {
    /// It keeps the size: images are read as they lie, and what lies beyond their edges is left out.
    Same,
    /// It stays inside of the images, which are read as they lie.
    Valid,
    /// By way of images with zeros around them.
    Padded,
}

impl Operation for Conv {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.image(), 0]
    }

    fn outputs(&self) -> usize {
        self.result()
    }

    fn weight_shape(&self) -> Option<Vec<usize>> {
        Some(vec![self.filters, self.channels, self.kernel, self.kernel])
    }

    fn weights(&self) -> usize {
        self.filters * self.filter()
    }

    fn biases(&self) -> usize {
        if self.bias { self.filters } else { 0 }
    }

    fn products(&self) -> usize {
        self.filters * self.filter() * self.pixels()
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn forward<T: Real>(&self, xs: &[&[T]], (w, b): (&[T], &[T]), y: &mut [T], arguments: &mut [T]) {
        let (x, pixels, mut done) = (xs[0], self.pixels(), 0);
        // Of images whose sums have just been written, which are near.
        let finish = |y: &mut [T]| {
            let arguments = arguments.get_mut(done..done + y.len()).unwrap_or_default();
            done += y.len();
            filter_bias::activate(self.activation, y, (b, pixels), arguments);
        };
        match self.way() {
            Way::Same => same::forward(self, (x, w), y, finish),
            Way::Valid => valid::forward(self, (x, w), y, finish),
            Way::Padded => padded::forward(self, (x, w), y, finish),
        }
    }

    /// With `dz = dy ⊙ activation'(z)`, which overwrites `dy`.
    fn backward<T: Real>(
        &self,
        passed: Passed<T>,
        w: &[T],
        dy: &mut [T],
        (dw, db): (&mut [T], &mut [T]),
        dxs: &mut Dx<T>,
    ) {
        let (x, dx, pixels, mut begun) = (passed.xs[0], dxs[0].as_deref_mut(), self.pixels(), 0);
        db.fill(T::zero());
        // Of images that are next.
        let begin = |dz: &mut [T]| {
            let range = begun..begun + dz.len();
            begun = range.end;
            let kept = passed.kept.get(range.clone()).unwrap_or_default();
            activation::multiply_derivative(self.activation, dz, &passed.y[range], kept);
            filter_bias::add_up(dz, pixels, db);
        };
        match self.way() {
            Way::Same => same::backward(self, (x, w), dy, begin, (dw, dx)),
            Way::Valid => valid::backward(self, (x, w), dy, begin, (dw, dx)),
            Way::Padded => padded::backward(self, (x, w), dy, begin, (dw, dx)),
        }
    }

    /// candle can only differentiate this for square images.
    fn plain(&self, xs: &[Tensor], w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
        let images = xs[0].reshape(((), self.channels, self.height, self.width))?;
        let z = images.conv2d(w, self.padding, self.stride, 1, 1)?;
        let z = if self.bias { z.broadcast_add(&b.reshape((1, (), 1, 1))?)? } else { z };
        plain::activate(&z.flatten_from(1)?, self.activation)
    }
}
