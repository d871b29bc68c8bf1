//! Normalization within an example: group, layer and instance normalization are one operation.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::{self, Activation, Real};
use crate::kernel::plain;
use crate::kernel::sums::sum_of;
use crate::kernel::vector::{Simd, WithSimd, vectorized};
use candle_core::{Tensor, WithDType};
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const GROUP_ROW: LayerRow = LayerRow {
    options: &[OptionRow {
        name: "group_norm",
        meaning: "groups of channels",
        kind: OptionKind::RequiredWhole { at_least: 1 },
    }],
    meaning: "groups of channels with mean 0 and deviation 1 in each example, a scale and a bias for each channel, and the activation \
              (Wu and He 2018)",
    plan: plan_group,
    normalizes: true,
    ..LayerRow::PLAIN
};

pub(super) const INSTANCE_ROW: LayerRow = LayerRow {
    options: &[OptionRow { name: "instance_norm", meaning: "true", kind: OptionKind::Flag { default: true } }],
    meaning: "the same of every channel of an image alone (Ulyanov, Vedaldi and Lempitsky 2016)",
    plan: plan_instance,
    normalizes: true,
    ..LayerRow::PLAIN
};

pub(super) const LAYER_ROW: LayerRow = LayerRow {
    options: &[OptionRow { name: "layer_norm", meaning: "true", kind: OptionKind::Flag { default: true } }],
    meaning: "the same of all numbers of an example together, with a scale and a bias for each (Ba, Kiros and Hinton 2016)",
    plan: plan_layer,
    normalizes: true,
    ..LayerRow::PLAIN
};

fn plan_group(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let (groups, channels) = (options.whole("group_norm").unwrap_or(1) as usize, arriving.shapes[0][0]);
    if channels % groups != 0 {
        return Err(format!("`group_norm` must divide the {channels} channels that come in, and {groups} does not"));
    }
    planned(arriving, channels, groups)
}

fn plan_instance(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    super::switched_on(options, "instance_norm")?;
    let (channels, ..) = arriving.image("instance_norm")?;
    planned(arriving, channels, channels)
}

fn plan_layer(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    super::switched_on(options, "layer_norm")?;
    planned(arriving, arriving.size(), 1)
}

fn planned(arriving: &Arriving, channels: usize, groups: usize) -> Result<Planned, String> {
    let pixels = arriving.size() / channels;
    if channels / groups * pixels == 1 {
        return Err("numbers are normalized each by itself, and become 0: take fewer groups".into());
    }
    let layer = Layer::GroupNorm(GroupNorm { channels, pixels, groups, activation: arriving.activation });
    Ok(Planned { layer: Some(layer), shape: arriving.shapes[0].to_vec() })
}

/// `y = activation(w_c (x − μ) / √(σ² + 10⁻⁵) + b_c)`, with the mean `μ` and the variance `σ²` (divided by the count) over a group of
/// consecutive channels of one example.
///
/// `x` and `y` are `[batch, channels · pixels]`, `w` and `b` are `[channels]`. Instance normalization has as many groups as channels; layer
/// normalization has one group, and every number is a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupNorm {
    pub channels: usize,
    /// Floats of a channel.
    pub pixels: usize,
    /// Divides the channels.
    pub groups: usize,
    pub activation: Activation,
}

/// Added to a variance.
const EPSILON: f64 = 1e-5;

impl GroupNorm {
    fn size(&self) -> usize {
        self.channels * self.pixels
    }

    /// Channels of a group.
    fn group(&self) -> usize {
        self.channels / self.groups
    }
}

impl Operation for GroupNorm {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.size(), 0]
    }

    fn outputs(&self) -> usize {
        self.size()
    }

    fn weight_shape(&self) -> Option<Vec<usize>> {
        Some(vec![self.channels])
    }

    fn weights(&self) -> usize {
        self.channels
    }

    fn biases(&self) -> usize {
        self.channels
    }

    fn scales(&self) -> bool {
        true
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn forward<T: Real>(&self, xs: &[&[T]], (w, b): (&[T], &[T]), y: &mut [T], arguments: &mut [T]) {
        let size = self.size();
        for (i, (x, y)) in xs[0].chunks_exact(size).zip(y.chunks_exact_mut(size)).enumerate() {
            vectorized(Normalize { norm: self, x, w, b, y });
            let arguments = arguments.get_mut(i * size..(i + 1) * size).unwrap_or_default();
            activation::apply(self.activation, y, T::zero(), arguments);
        }
    }

    /// With `dz = dy ⊙ activation'(z)`, which overwrites `dy`, `x̂ = (x − μ) / √(σ² + 10⁻⁵)` and `g = w dz`:
    /// `dx = (g − mean g − x̂ mean(g x̂)) / √(σ² + 10⁻⁵)`, `dw = Σ dz x̂`, `db = Σ dz`. The moments are computed again rather than kept.
    fn backward<T: Real>(
        &self,
        passed: Passed<T>,
        w: &[T],
        dy: &mut [T],
        (dw, db): (&mut [T], &mut [T]),
        dxs: &mut Dx<T>,
    ) {
        let (size, y, arguments) = (self.size(), passed.y, passed.kept);
        dw.fill(T::zero());
        db.fill(T::zero());
        for (i, (x, dz)) in passed.xs[0].chunks_exact(size).zip(dy.chunks_exact_mut(size)).enumerate() {
            let range = i * size..(i + 1) * size;
            let arguments = arguments.get(range.clone()).unwrap_or_default();
            activation::multiply_derivative(self.activation, dz, &y[range.clone()], arguments);
            let dx = dxs[0].as_mut().map(|dx| &mut dx[range]);
            vectorized(Differentiate { norm: self, x, w, dz, dw, db, dx });
        }
    }

    fn plain(&self, xs: &[Tensor], w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
        let batch = xs[0].dim(0)?;
        let groups = xs[0].reshape((batch, self.groups, self.group() * self.pixels))?;
        let centered = groups.broadcast_sub(&groups.mean_keepdim(2)?)?;
        let deviation = (centered.sqr()?.mean_keepdim(2)? + EPSILON)?.sqrt()?;
        let normalized = centered.broadcast_div(&deviation)?.reshape((batch, self.channels, self.pixels))?;
        let [w, b] = [w, b].map(|of| of.reshape((1, self.channels, 1)));
        plain::activate(&normalized.broadcast_mul(&w?)?.broadcast_add(&b?)?.flatten_from(1)?, self.activation)
    }
}

/// The mean, and what deviations from it are multiplied by to have variance 1.
#[inline(always)]
fn moments<T: Real>(x: &[T]) -> (T, T) {
    let n = <T as WithDType>::from_f64(x.len() as f64);
    let mean = sum_of([x], |[x]| x) / n;
    let variance = sum_of([x], |[x]| (x - mean) * (x - mean)) / n;
    (mean, (variance + <T as WithDType>::from_f64(EPSILON)).sqrt().recip())
}

/// Of one example.
struct Normalize<'a, T> {
    norm: &'a GroupNorm,
    x: &'a [T],
    w: &'a [T],
    b: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> WithSimd for Normalize<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Normalize { norm, x, w, b, y } = self;
        let (group, pixels) = (norm.group(), norm.pixels);
        let groups = x.chunks_exact(group * pixels).zip(y.chunks_exact_mut(group * pixels));
        for ((x, y), (w, b)) in groups.zip(w.chunks_exact(group).zip(b.chunks_exact(group))) {
            let (mean, scale) = moments(x);
            if pixels == 1 {
                scale_each(x, (mean, scale), (w, b), y);
                continue;
            }
            let channels = x.chunks_exact(pixels).zip(y.chunks_exact_mut(pixels));
            channels.zip(w.iter().zip(b)).for_each(|((x, y), (w, b))| scale_all(x, mean, (scale * *w, *b), y));
        }
    }
}

#[inline(always)]
fn scale_each<T: Real>(x: &[T], (mean, scale): (T, T), (w, b): (&[T], &[T]), y: &mut [T]) {
    for (((y, x), w), b) in y.iter_mut().zip(x).zip(w).zip(b) {
        *y = (*x - mean) * (scale * *w) + *b;
    }
}

#[inline(always)]
fn scale_all<T: Real>(x: &[T], mean: T, (scale, shift): (T, T), y: &mut [T]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y = (*x - mean) * scale + shift);
}

/// Of one example; the gradients of the parameters are added.
struct Differentiate<'a, T> {
    norm: &'a GroupNorm,
    x: &'a [T],
    w: &'a [T],
    dz: &'a mut [T],
    dw: &'a mut [T],
    db: &'a mut [T],
    dx: Option<&'a mut [T]>,
}

impl<T: Real> WithSimd for Differentiate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Differentiate { norm, x, w, dz, dw, db, mut dx } = self;
        let (group, pixels) = (norm.group(), norm.pixels);
        let floats = group * pixels;
        let parameters = w.chunks_exact(group).zip(dw.chunks_exact_mut(group).zip(db.chunks_exact_mut(group)));
        let groups = x.chunks_exact(floats).zip(dz.chunks_exact_mut(floats));
        for (i, ((x, dz), (w, (dw, db)))) in groups.zip(parameters).enumerate() {
            let (mean, scale) = moments(x);
            let sums = match pixels {
                1 => differentiate_each(x, (mean, scale), w, dz, (dw, db)),
                _ => differentiate_all(x, (mean, scale), w, dz, (dw, db)),
            };
            let Some(dx) = dx.as_mut().map(|dx| &mut dx[i * floats..(i + 1) * floats]) else { continue };
            let n = <T as WithDType>::from_f64(floats as f64);
            let (shift, slope) = (scale * sums.0 / n, scale * scale * scale * sums.1 / n);
            if pixels == 1 {
                combine((x, mean), dz, (scale, shift, slope), dx);
                continue;
            }
            let channels = x.chunks_exact(pixels).zip(dz.chunks_exact(pixels)).zip(dx.chunks_exact_mut(pixels));
            channels.zip(w).for_each(|(((x, dz), dx), w)| combine((x, mean), dz, (scale * *w, shift, slope), dx));
        }
    }
}

/// Where every number is a channel: adds to `dw` and `db`, makes `g` of `dz`, and gives the sums of `g` and of `g (x − μ)`.
#[inline(always)]
fn differentiate_each<T: Real>(
    x: &[T],
    (mean, scale): (T, T),
    w: &[T],
    dz: &mut [T],
    (dw, db): (&mut [T], &mut [T]),
) -> (T, T) {
    let n = x.len();
    let (w, dz, dw, db) = (&w[..n], &mut dz[..n], &mut dw[..n], &mut db[..n]);
    for i in 0..n {
        dw[i] += dz[i] * ((x[i] - mean) * scale);
        db[i] += dz[i];
        dz[i] *= w[i];
    }
    (sum_of([dz], |[g]| g), sum_of([dz, x], |[g, x]| g * (x - mean)))
}

/// Where channels have several numbers: adds to `dw` and `db`, and gives the sums of `g` and of `g (x − μ)`.
#[inline(always)]
fn differentiate_all<T: Real>(
    x: &[T],
    (mean, scale): (T, T),
    w: &[T],
    dz: &[T],
    (dw, db): (&mut [T], &mut [T]),
) -> (T, T) {
    let pixels = x.len() / w.len();
    let mut sums = (T::zero(), T::zero());
    let channels = x.chunks_exact(pixels).zip(dz.chunks_exact(pixels));
    for (((x, dz), w), (dw, db)) in channels.zip(w).zip(dw.iter_mut().zip(db)) {
        let (of_dz, of_products) = (sum_of([dz], |[dz]| dz), sum_of([dz, x], |[dz, x]| dz * (x - mean)));
        *dw += of_products * scale;
        *db += of_dz;
        sums = (sums.0 + *w * of_dz, sums.1 + *w * of_products);
    }
    sums
}

#[inline(always)]
fn combine<T: Real>((x, mean): (&[T], T), dz: &[T], (scale, shift, slope): (T, T, T), dx: &mut [T]) {
    for ((dx, dz), x) in dx.iter_mut().zip(dz).zip(x) {
        *dx = scale * *dz - shift - slope * (*x - mean);
    }
}
