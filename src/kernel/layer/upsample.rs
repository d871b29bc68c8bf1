//! Images made larger.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::Real;
use crate::kernel::buffer::Buffer;
use crate::kernel::plain;
use crate::kernel::vector::{Simd, WithSimd, vectorized};
use candle_core::{Tensor, WithDType};
use lossward_envs::options::{OptionKind, OptionRow, Options};
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[
        OptionRow {
            name: "upsample",
            meaning: "how many times as high and wide; 2 if bilinear",
            kind: OptionKind::RequiredWhole { at_least: 1 },
        },
        OptionRow {
            name: "mode",
            meaning: "whether each pixel becomes a block, or pixels between others are interpolated",
            kind: OptionKind::Choice(&["nearest", "bilinear"]),
        },
    ],
    meaning: "a larger image",
    plan,
    ..LayerRow::PLAIN
};

fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let (channels, height, width) = arriving.image("upsample")?;
    let factor = options.whole("upsample").unwrap_or(1) as usize;
    let mode = match options.choice("mode") {
        "bilinear" if factor == 2 => Interpolation::Bilinear,
        "bilinear" => return Err(format!("`upsample` must be 2, not {factor}, where `mode` is \"bilinear\"")),
        _ => Interpolation::Nearest,
    };
    let layer = Layer::Upsample(Upsample { channels, height, width, factor, mode });
    Ok(Planned { layer: Some(layer), shape: vec![channels, height * factor, width * factor] })
}

/// Where the pixels of a larger image come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// Each pixel becomes a block.
    Nearest,
    /// Along each side, pixel `o` of the larger image lies at `(o + ½) / 2 − ½` of the smaller one, whose outermost pixels go on beyond
    /// it (PyTorch's `align_corners = False`): ¾ of the nearer pixel and ¼ of the other. The factor must be 2.
    Bilinear,
}

/// `[batch, channels · height · width]` to `[batch, channels · factor · height · factor · width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upsample {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub factor: usize,
    pub mode: Interpolation,
}

impl Upsample {
    /// `[factor · pixels, pixels]`: what every pixel of a side counts in every one of the larger side.
    fn weights(&self, pixels: usize, like: &Tensor) -> candle_core::Result<Tensor> {
        let larger = pixels * self.factor;
        let mut weights = vec![0.0; larger * pixels];
        for (o, row) in weights.chunks_exact_mut(pixels).enumerate() {
            match self.mode {
                Interpolation::Nearest => row[o / self.factor] = 1.0,
                Interpolation::Bilinear => {
                    let place = ((o as f64 + 0.5) / self.factor as f64 - 0.5).max(0.0);
                    let (before, share) = (place.floor() as usize, place.fract());
                    row[before] += 1.0 - share;
                    row[(before + 1).min(pixels - 1)] += share;
                }
            }
        }
        Tensor::from_vec(weights, (larger, pixels), like.device())?.to_dtype(like.dtype())
    }
}

impl Operation for Upsample {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.channels * self.height * self.width, 0]
    }

    fn outputs(&self) -> usize {
        self.channels * self.height * self.width * self.factor * self.factor
    }

    fn forward<T: Real>(&self, xs: &[&[T]], _: (&[T], &[T]), y: &mut [T], _: &mut [T]) {
        vectorized(Forward { upsample: self, x: xs[0], y });
    }

    fn backward<T: Real>(&self, _: Passed<T>, _: &[T], dy: &mut [T], _: (&mut [T], &mut [T]), dxs: &mut Dx<T>) {
        if let Some(dx) = &mut dxs[0] {
            vectorized(Backward { upsample: self, dy, dx });
        }
    }

    fn plain(&self, xs: &[Tensor], _: &Tensor, _: &Tensor) -> candle_core::Result<Tensor> {
        let x = &xs[0];
        let images = x.reshape((x.dim(0)?, self.channels, self.height, self.width))?;
        let [rows, columns] = [self.height, self.width].map(|pixels| self.weights(pixels, x));
        plain::along_sides(&images, [&rows?, &columns?])?.flatten_from(1)
    }
}

/// What the nearer and the other pixel count, in a bilinear mean.
fn shares<T: Real>() -> [T; 2] {
    [0.75, 0.25].map(<T as WithDType>::from_f64)
}

struct Forward<'a, T> {
    upsample: &'a Upsample,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Forward { upsample: &Upsample { height, width, factor, mode, .. }, x, y } = self;
        if mode == Interpolation::Nearest {
            let rows = x.chunks_exact(width).zip(y.chunks_exact_mut(factor * factor * width));
            return rows.for_each(|(row, rows)| {
                let (first, others) = rows.split_at_mut(factor * width);
                if factor == 2 {
                    twice(row, first)
                } else {
                    repeat(row, factor, first)
                }
                others.chunks_exact_mut(factor * width).for_each(|other| other.copy_from_slice(first));
            });
        }
        // A row between two others, with one pixel more at either end.
        let mut between: Buffer<T> = Buffer::any(width + 2);
        for (x, y) in x.chunks_exact(height * width).zip(y.chunks_exact_mut(4 * height * width)) {
            for (o, out) in y.chunks_exact_mut(2 * width).enumerate() {
                let other = if o % 2 == 0 { (o / 2).saturating_sub(1) } else { (o / 2 + 1).min(height - 1) };
                mix(&x[o / 2 * width..][..width], &x[other * width..][..width], &mut between[1..][..width]);
                (between[0], between[width + 1]) = (between[1], between[width]);
                interpolate(&between, out);
            }
        }
    }
}

#[inline(always)]
fn twice<T: Real>(row: &[T], out: &mut [T]) {
    out.chunks_exact_mut(2).zip(row).for_each(|(pair, pixel)| (pair[0], pair[1]) = (*pixel, *pixel));
}

#[inline(always)]
fn repeat<T: Real>(row: &[T], factor: usize, out: &mut [T]) {
    out.chunks_exact_mut(factor).zip(row).for_each(|(block, pixel)| block.fill(*pixel));
}

#[inline(always)]
fn mix<T: Real>(near: &[T], far: &[T], out: &mut [T]) {
    let [most, rest] = shares::<T>();
    out.iter_mut().zip(near).zip(far).for_each(|((out, near), far)| *out = most * *near + rest * *far);
}

/// Of a row with a pixel more at either end.
#[inline(always)]
fn interpolate<T: Real>(row: &[T], out: &mut [T]) {
    let [most, rest] = shares::<T>();
    let n = out.len() / 2;
    let (before, at, after) = (&row[..n], &row[1..][..n], &row[2..][..n]);
    for (i, pair) in out.chunks_exact_mut(2).enumerate() {
        (pair[0], pair[1]) = (most * at[i] + rest * before[i], most * at[i] + rest * after[i]);
    }
}

struct Backward<'a, T> {
    upsample: &'a Upsample,
    dy: &'a [T],
    dx: &'a mut [T],
}

impl<T: Real> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Backward { upsample: &Upsample { height, width, factor, mode, .. }, dy, dx } = self;
        let wide = factor * width;
        let mut sums: Buffer<T> = Buffer::any(wide);
        if mode == Interpolation::Nearest {
            for (dx, rows) in dx.chunks_exact_mut(width).zip(dy.chunks_exact(factor * wide)) {
                sums.copy_from_slice(&rows[..wide]);
                rows[wide..].chunks_exact(wide).for_each(|row| add(row, &mut sums));
                if factor == 2 { add_pairs(&sums, dx) } else { add_blocks(&sums, factor, dx) }
            }
            return;
        }
        let (mut even, mut odd): (Buffer<T>, Buffer<T>) = (Buffer::any(width + 1), Buffer::any(width + 1));
        for (dx, dy) in dx.chunks_exact_mut(height * width).zip(dy.chunks_exact(4 * height * width)) {
            for (i, dx) in dx.chunks_exact_mut(width).enumerate() {
                let row = |o: usize| &dy[o * wide..][..wide];
                // The rows that this one is near to, and those that it is the other one of; beyond the image the outermost ones again.
                let (upper, lower) = ((2 * i).saturating_sub(1), (2 * i + 2).min(2 * height - 1));
                collect([row(2 * i), row(2 * i + 1)], [row(upper), row(lower)], &mut sums);
                separate(&sums, &mut even[..width], &mut odd[1..]);
                (even[width], odd[0]) = (odd[width], even[0]);
                gather(&even, &odd, dx);
            }
        }
    }
}

#[inline(always)]
fn add<T: Real>(values: &[T], sums: &mut [T]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += *value);
}

#[inline(always)]
fn add_pairs<T: Real>(values: &[T], out: &mut [T]) {
    out.iter_mut().zip(values.chunks_exact(2)).for_each(|(out, pair)| *out = pair[0] + pair[1]);
}

#[inline(always)]
fn add_blocks<T: Real>(values: &[T], factor: usize, out: &mut [T]) {
    let sum = |block: &[T]| block.iter().fold(T::zero(), |sum, value| sum + *value);
    out.iter_mut().zip(values.chunks_exact(factor)).for_each(|(out, block)| *out = sum(block));
}

/// ¾ of the near rows and ¼ of the others.
#[inline(always)]
fn collect<T: Real>(near: [&[T]; 2], far: [&[T]; 2], out: &mut [T]) {
    let [most, rest] = shares::<T>();
    let n = out.len();
    let ([a, b], [c, d]) = (near.map(|row| &row[..n]), far.map(|row| &row[..n]));
    for i in 0..n {
        out[i] = most * (a[i] + b[i]) + rest * (c[i] + d[i]);
    }
}

#[inline(always)]
fn separate<T: Real>(row: &[T], even: &mut [T], odd: &mut [T]) {
    for ((pair, even), odd) in row.chunks_exact(2).zip(even).zip(odd) {
        (*even, *odd) = (pair[0], pair[1]);
    }
}

/// As [`collect`] within a row, of which `even` has one pixel more at the end and `odd` at the beginning.
#[inline(always)]
fn gather<T: Real>(even: &[T], odd: &[T], out: &mut [T]) {
    let n = out.len();
    collect([&even[..n], &odd[1..][..n]], [&even[1..][..n], &odd[..n]], out);
}
