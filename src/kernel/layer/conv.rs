//! A 2-D convolution: sums of shifted rows, bias and activation, with an analytic backward.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned, filter_bias};
use crate::kernel::activation::{self, Activation, Real};
use crate::kernel::correlation::{Correlation, Sums};
use crate::kernel::plain;
use crate::kernel::planes::{Planes, Sides};
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

    /// Pixels of the result.
    fn pixels(&self) -> usize {
        self.output().map_or(0, |(height, width)| height * width)
    }

    fn planes(&self, batch: usize) -> Planes {
        let Conv { height, width, kernel, stride, padding, .. } = *self;
        let result = self.output().unwrap_or((0, 0));
        Planes::new(&Sides { image: (height, width), result, kernel, stride, padding }, batch)
    }

    /// Rows and columns of a filter's weights, in order.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let kernel = self.kernel;
        (0..kernel * kernel).map(move |place| (place / kernel, place % kernel))
    }

    /// Where each weight of a filter reads its first pixel.
    fn taps(&self, planes: &Planes) -> Vec<usize> {
        let of_channel = |channel| self.places().map(move |place| planes.tap(channel, place));
        (0..self.channels).flat_map(of_channel).collect()
    }

    /// What the gradients of one phase of the images are made of: where the gradients of the results lie that a pixel took part in, and
    /// by which weights, `[channels, taps]`.
    fn back<T: Real>(&self, w: &[T], planes: &Planes, phase: usize) -> (Vec<usize>, Vec<T>) {
        let places: Vec<(usize, usize)> =
            self.places().filter(|place| planes.phase(place.0, place.1) == phase).collect();
        let all = |filter: usize| places.iter().map(move |place| (filter, *place));
        let taps = (0..self.filters).flat_map(all).map(|(filter, place)| planes.tap_back(filter, place)).collect();
        let weight = |channel: usize, (filter, (row, column)): (usize, (usize, usize))| {
            w[((filter * self.channels + channel) * self.kernel + row) * self.kernel + column]
        };
        let of_channel = |channel| (0..self.filters).flat_map(all).map(move |at| weight(channel, at));
        (taps, (0..self.channels).flat_map(of_channel).collect())
    }
}

impl Operation for Conv {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.image(), 0]
    }

    fn outputs(&self) -> usize {
        self.filters * self.pixels()
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
        let (planes, pixels) = (self.planes(y.len() / self.outputs()), self.pixels());
        let (mut images, mut results) = (planes.images(self.channels), planes.results(self.filters));
        let correlation = Correlation { taps: &self.taps(&planes), weights: w, positions: planes.positions() };
        let together = planes.together();
        for (xs, y) in xs[0].chunks(together * self.image()).zip(y.chunks_mut(together * self.outputs())) {
            planes.put_images(xs, self.channels, &mut images);
            correlation.apply(&images, &mut results);
            planes.take_results(&results, self.filters, y);
        }
        filter_bias::activate(self.activation, y, (b, pixels), arguments);
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
        activation::multiply_derivative(self.activation, dy, passed.y, passed.kept);
        filter_bias::add_up(dy, self.pixels(), db);
        let planes = self.planes(dy.len() / self.outputs());
        let (mut images, mut gradients) = (planes.images(self.channels), planes.gradients(self.filters));
        let (mut sums, positions) = (Sums::new(dw.len()), planes.positions());
        let correlation = Correlation { taps: &self.taps(&planes), weights: w, positions };
        let back: Vec<_> = (0..planes.phases()).map(|phase| self.back(w, &planes, phase)).collect();
        let mut by_pixels = planes.results(self.channels);
        let (together, mut dx) = (planes.together(), dxs[0].as_deref_mut());
        let groups = passed.xs[0].chunks(together * self.image()).zip(dy.chunks(together * self.outputs()));
        for (i, (xs, dz)) in groups.enumerate() {
            planes.put_images(xs, self.channels, &mut images);
            planes.put_gradients(dz, self.filters, &mut gradients);
            correlation.add_gradient(&images, planes.of_results(&gradients), &mut sums);
            let Some(dx) = &mut dx else { continue };
            let dx = &mut dx[i * together * self.image()..][..xs.len()];
            for (phase, (taps, weights)) in back.iter().enumerate() {
                Correlation { taps, weights, positions }.apply(&gradients, &mut by_pixels);
                planes.take_images(phase, &by_pixels, self.channels, dx);
            }
        }
        sums.total(dw);
    }

    /// candle can only differentiate this for square images.
    fn plain(&self, xs: &[Tensor], w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
        let images = xs[0].reshape(((), self.channels, self.height, self.width))?;
        let z = images.conv2d(w, self.padding, self.stride, 1, 1)?;
        let z = if self.bias { z.broadcast_add(&b.reshape((1, (), 1, 1))?)? } else { z };
        plain::activate(&z.flatten_from(1)?, self.activation)
    }
}
