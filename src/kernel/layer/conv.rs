//! A 2-D convolution: sums of shifted rows, bias and activation, with an analytic backward.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned, filter_bias};
use crate::kernel::activation::{self, Activation, Real};
use crate::kernel::correlation::{Correlation, Edges, Sums};
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

    /// Of a convolution that keeps the size and moves pixel by pixel: it needs no zeros around its images, but to know where they end.
    fn edges(&self) -> Option<Edges> {
        let keeps = self.stride == 1 && self.kernel == 2 * self.padding + 1;
        keeps.then(|| Edges::new(self.height, self.width, self.kernel))
    }

    /// Images as they lie, of so many channels, to as many as there are filters.
    fn in_place<'a>(&self, edges: &'a Edges, [channels, filters]: [usize; 2]) -> Correlation<'a> {
        let positions = self.height * self.width;
        Correlation { places: edges.places(), channels, channel: positions, filters, positions, edges: Some(edges) }
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

    /// `y` without bias and activation, by way of images with zeros around them.
    fn forward_padded<T: Real>(&self, xs: &[T], w: &[T], y: &mut [T]) {
        let planes = self.planes(y.len() / self.outputs());
        let (mut images, mut results) = (planes.images(self.channels), planes.results(self.filters));
        let places: Vec<isize> = self.places().map(|place| planes.place(place)).collect();
        let correlation = self.padded(&planes, &places);
        let together = planes.together();
        for (xs, y) in xs.chunks(together * self.image()).zip(y.chunks_mut(together * self.outputs())) {
            planes.put_images(xs, self.channels, &mut images);
            correlation.apply(w, &images, &mut results);
            planes.take_results(&results, self.filters, y);
        }
    }

    fn padded<'a>(&self, planes: &Planes, places: &'a [isize]) -> Correlation<'a> {
        let (channel, positions) = (planes.phases() * planes.positions(), planes.positions());
        Correlation { places, channels: self.channels, channel, filters: self.filters, positions, edges: None }
    }

    fn backward_padded<T: Real>(&self, xs: &[T], w: &[T], dz: &[T], dw: &mut [T], mut dx: Option<&mut [T]>) {
        let planes = self.planes(dz.len() / self.outputs());
        let (mut images, mut gradients) = (planes.images(self.channels), planes.gradients(self.filters));
        let places: Vec<isize> = self.places().map(|place| planes.place(place)).collect();
        let correlation = self.padded(&planes, &places);
        let of_phase = |phase: usize| {
            let places: Vec<_> = self.places().filter(|(row, column)| planes.phase(*row, *column) == phase).collect();
            let back: Vec<isize> = places.iter().map(|place| planes.place_back(*place)).collect();
            (back, self.back(w, &places))
        };
        let back: Vec<_> = (0..planes.phases()).map(of_phase).collect();
        let (mut by_pixels, positions) = (planes.results(self.channels), planes.positions());
        let (mut sums, together) = (Sums::new(&correlation), planes.together());
        let groups = xs.chunks(together * self.image()).zip(dz.chunks(together * self.outputs()));
        for (i, (xs, dz)) in groups.enumerate() {
            planes.put_images(xs, self.channels, &mut images);
            planes.put_gradients(dz, self.filters, &mut gradients);
            correlation.add_gradient(&images, planes.of_results(&gradients), &mut sums);
            let Some(dx) = &mut dx else { continue };
            let dx = &mut dx[i * together * self.image()..][..xs.len()];
            for (phase, (places, weights)) in back.iter().enumerate() {
                let (channels, filters) = (self.filters, self.channels);
                Correlation { places, channels, channel: positions, filters, positions, edges: None }.apply(
                    weights,
                    &gradients,
                    &mut by_pixels,
                );
                planes.take_images(phase, &by_pixels, self.channels, dx);
            }
        }
        sums.total(dw);
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
        match self.edges() {
            Some(edges) => self.in_place(&edges, [self.channels, self.filters]).apply(w, xs[0], y),
            None => self.forward_padded(xs[0], w, y),
        }
        filter_bias::activate(self.activation, y, (b, self.pixels()), arguments);
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
        let Some(edges) = self.edges() else {
            return self.backward_padded(passed.xs[0], w, dy, dw, dxs[0].as_deref_mut());
        };
        let correlation = self.in_place(&edges, [self.channels, self.filters]);
        let mut sums = Sums::new(&correlation);
        correlation.add_gradient(passed.xs[0], dy, &mut sums);
        sums.total(dw);
        if let Some(dx) = &mut dxs[0] {
            // A pixel meets the weights of a filter from the last one on.
            let places: Vec<_> = self.places().collect();
            let turned: Vec<_> = places.into_iter().rev().collect();
            self.in_place(&edges, [self.filters, self.channels]).apply(&self.back(w, &turned), dy, dx);
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
