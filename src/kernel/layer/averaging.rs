//! Means over windows of an image: what average pooling and adaptive average pooling share.

use super::windows::Windows;
use crate::kernel::activation::Real;
use crate::kernel::buffer::Buffer;
use crate::kernel::plain;
use crate::kernel::vector::{Simd, WithSimd};
use candle_core::{Tensor, WithDType};
use std::ops::Range;

/// The windows along one side of an image of so many pixels.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Moving {
        pixels: usize,
        windows: Windows,
        /// Whether what lies around the image counts, as zeros.
        count_padding: bool,
    },
    /// Window `i` of `count` from `⌊i · pixels / count⌋` to `⌈(i + 1) · pixels / count⌉`.
    Adaptive { pixels: usize, count: usize },
}

impl Side {
    fn pixels(self) -> usize {
        match self {
            Side::Moving { pixels, .. } | Side::Adaptive { pixels, .. } => pixels,
        }
    }

    /// How many windows there are.
    pub fn count(self) -> usize {
        match self {
            Side::Moving { pixels, windows, .. } => windows.along(pixels).unwrap_or(0),
            Side::Adaptive { count, .. } => count,
        }
    }

    /// The pixels of a window, and by how many their sum is divided.
    #[inline(always)]
    fn window(self, i: usize) -> (Range<usize>, usize) {
        match self {
            Side::Moving { pixels, windows: Windows { size, stride, padding }, count_padding } => {
                let range = (i * stride).saturating_sub(padding)..(i * stride + size - padding).min(pixels);
                let divisor = if count_padding { size } else { range.len() };
                (range, divisor)
            }
            Side::Adaptive { pixels, count } => {
                let range = i * pixels / count..((i + 1) * pixels).div_ceil(count);
                (range.clone(), range.len())
            }
        }
    }

    fn has_pairs(self) -> bool {
        matches!(self, Side::Moving { windows, .. } if windows.are_pairs())
    }

    /// `[windows, pixels]`: what every pixel counts in the mean of every window.
    fn weights(self, like: &Tensor) -> candle_core::Result<Tensor> {
        let mut weights = vec![0.0; self.count() * self.pixels()];
        for (i, row) in weights.chunks_exact_mut(self.pixels()).enumerate() {
            let (range, divisor) = self.window(i);
            row[range].fill(1.0 / divisor as f64);
        }
        Tensor::from_vec(weights, (self.count(), self.pixels()), like.device())?.to_dtype(like.dtype())
    }
}

/// The mean of every window of images, `[batch, planes · height · width]`, in candle's vocabulary.
pub(super) fn plain_means(x: &Tensor, planes: usize, [rows, columns]: [Side; 2]) -> candle_core::Result<Tensor> {
    let images = x.reshape((x.dim(0)?, planes, rows.pixels(), columns.pixels()))?;
    plain::along_sides(&images, [&rows.weights(x)?, &columns.weights(x)?])?.flatten_from(1)
}

fn real<T: Real>(count: usize) -> T {
    <T as WithDType>::from_f64(count as f64)
}

/// Sets the mean of every window of every plane.
pub(super) struct Means<'a, T> {
    pub sides: [Side; 2],
    pub x: &'a [T],
    pub y: &'a mut [T],
}

impl<T: Real> WithSimd for Means<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Means { sides: [rows, columns], x, y } = self;
        let (width, out_width) = (columns.pixels(), columns.count());
        let (plane, out_plane) = (rows.pixels() * width, rows.count() * out_width);
        let mut sums: Buffer<T> = Buffer::any(width);
        for (x, y) in x.chunks_exact(plane).zip(y.chunks_exact_mut(out_plane)) {
            for (i, out) in y.chunks_exact_mut(out_width).enumerate() {
                let (range, high) = rows.window(i);
                sums.fill(T::zero());
                x[range.start * width..range.end * width].chunks_exact(width).for_each(|row| add(row, &mut sums));
                if columns.has_pairs() {
                    add_pairs(&sums, real::<T>(2 * high).recip(), out);
                    continue;
                }
                for (j, out) in out.iter_mut().enumerate() {
                    let (range, wide) = columns.window(j);
                    *out = sums[range].iter().fold(T::zero(), |sum, x| sum + *x) / real(high * wide);
                }
            }
        }
    }
}

#[inline(always)]
fn add<T: Real>(values: &[T], sums: &mut [T]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += *value);
}

#[inline(always)]
fn add_pairs<T: Real>(values: &[T], factor: T, sums: &mut [T]) {
    sums.iter_mut().zip(values.chunks_exact(2)).for_each(|(sum, pair)| *sum = (pair[0] + pair[1]) * factor);
}

/// Sets the gradient of every pixel: what each window that it belongs to has, divided by the window's number of pixels.
pub(super) struct Shares<'a, T> {
    pub sides: [Side; 2],
    pub dy: &'a [T],
    pub dx: &'a mut [T],
}

impl<T: Real> WithSimd for Shares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Shares { sides: [rows, columns], dy, dx } = self;
        let (width, out_width) = (columns.pixels(), columns.count());
        let (plane, out_plane) = (rows.pixels() * width, rows.count() * out_width);
        let mut shares: Buffer<T> = Buffer::any(width);
        dx.fill(T::zero());
        for (dx, dy) in dx.chunks_exact_mut(plane).zip(dy.chunks_exact(out_plane)) {
            for (i, dy) in dy.chunks_exact(out_width).enumerate() {
                let (range, high) = rows.window(i);
                shares.fill(T::zero());
                match columns.has_pairs() {
                    true => share_in_pairs(dy, real::<T>(2 * high).recip(), &mut shares),
                    false => dy.iter().enumerate().for_each(|(j, dy)| {
                        let (range, wide) = columns.window(j);
                        let share = *dy / real(high * wide);
                        shares[range].iter_mut().for_each(|sum| *sum += share);
                    }),
                }
                dx[range.start * width..range.end * width].chunks_exact_mut(width).for_each(|row| add(&shares, row));
            }
        }
    }
}

#[inline(always)]
fn share_in_pairs<T: Real>(values: &[T], factor: T, out: &mut [T]) {
    for (pair, value) in out.chunks_exact_mut(2).zip(values) {
        (pair[0], pair[1]) = (*value * factor, *value * factor);
    }
}
