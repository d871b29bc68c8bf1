//! Images laid out so that each weight of a filter reads one contiguous row of them, at all places of the filter.

use super::activation::Real;
use super::buffer::Buffer;
use super::copy_rows::CopyRows;
use super::vector::{LANES, Simd, WithSimd, vectorized};
use super::vectors::copy;

/// How images, and what filters make of them, lie in memory.
///
/// An image gets its zeros around it and is split into `stride²` phases: the pixels whose row and column leave the same rests when
/// divided by the stride. Within a phase, the pixel that a weight meets moves by 1 when the filter moves by its stride, along a row as
/// well as from the end of a row to the next one. A result has the rows and columns of a phase; those at its end belong to no place of
/// the filter. Several small images lie behind one another, so that rows are long.
#[derive(Clone, Copy)]
pub(super) struct Planes {
    height: usize,
    width: usize,
    padding: usize,
    stride: usize,
    /// `(height, width)` of a result.
    result: (usize, usize),
    /// `(height, width)` of a phase of an image.
    phase: (usize, usize),
    /// Images that lie behind one another.
    together: usize,
    /// The farthest that a weight reads from where the filter stands, in whole vectors, so that results begin with one.
    reach: usize,
}

/// Floats of a row that are worth the start of a loop.
const LONG: usize = 1024;

/// Sizes of images and of filters.
pub(super) struct Sides {
    /// `(height, width)`
    pub image: (usize, usize),
    pub result: (usize, usize),
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Planes {
    /// Of so many images at most.
    pub fn new(sides: &Sides, batch: usize) -> Planes {
        let Sides { image: (height, width), result, kernel, stride, padding } = *sides;
        let phase = ((height + 2 * padding).div_ceil(stride), (width + 2 * padding).div_ceil(stride));
        let together = (LONG / (phase.0 * phase.1)).clamp(1, batch.max(1));
        let reach = ((kernel - 1) / stride * (phase.1 + 1)).next_multiple_of(LANES);
        Planes { height, width, padding, stride, result, phase, together, reach }
    }

    pub fn phases(&self) -> usize {
        self.stride * self.stride
    }

    /// Images that are worked on at once.
    pub fn together(&self) -> usize {
        self.together
    }

    /// Floats of a phase of all images of a channel; of a filter's results.
    pub fn positions(&self) -> usize {
        (self.together * self.phase.0 * self.phase.1).next_multiple_of(LANES)
    }

    /// What [`Self::put_images`] fills; the zeros around them are there.
    pub fn images<T: Real>(&self, channels: usize) -> Buffer<T> {
        Buffer::zeros(channels * self.phases() * self.positions() + self.reach)
    }

    /// What a correlation fills.
    pub fn results<T: Real>(&self, filters: usize) -> Buffer<T> {
        Buffer::any(filters * self.positions())
    }

    /// What [`Self::put_gradients`] fills, of results: zeros where no result is.
    pub fn gradients<T: Real>(&self, filters: usize) -> Buffer<T> {
        Buffer::zeros(self.reach + filters * self.positions())
    }

    /// The gradients of the results alone, as [`Self::results`] has them.
    pub fn of_results<'a, T>(&self, gradients: &'a [T]) -> &'a [T] {
        &gradients[self.reach..]
    }

    /// Where, in a phase, the weight in this row and column of a filter reads.
    fn shift(&self, row: usize, column: usize) -> usize {
        row / self.stride * self.phase.1 + column / self.stride
    }

    /// The phase that the weight in this row and column of a filter reads.
    pub fn phase(&self, row: usize, column: usize) -> usize {
        row % self.stride * self.stride + column % self.stride
    }

    /// Where a weight reads the first channel of the images, with the filter at its first place.
    pub fn place(&self, (row, column): (usize, usize)) -> isize {
        (self.phase(row, column) * self.positions() + self.shift(row, column)) as isize
    }

    /// Where the gradient of the first filter's result lies that this weight made with the first pixel of its phase.
    pub fn place_back(&self, (row, column): (usize, usize)) -> isize {
        (self.reach - self.shift(row, column)) as isize
    }

    /// `xs` is `[images, channels, height, width]`.
    pub fn put_images<T: Real>(&self, xs: &[T], channels: usize, images: &mut [T]) {
        vectorized(PutImages { planes: self, xs, channels, images });
    }

    /// Those of one phase of all channels, `[channels, positions]`, to `xs`, `[images, channels, height, width]`.
    pub fn take_images<T: Real>(&self, phase: usize, values: &[T], channels: usize, xs: &mut [T]) {
        let positions = self.positions();
        self.for_each_row(channels, xs.len() / (self.height * self.width), |at, row, y| {
            let (to, from) = (&mut xs[row..row + self.width], &values[at.0 * positions..]);
            if (y + self.padding) % self.stride != phase / self.stride {
                return;
            }
            if self.stride == 1 {
                return to.copy_from_slice(&from[at.1 + self.padding..][..self.width]);
            }
            for (x, to) in to.iter_mut().enumerate() {
                let x = x + self.padding;
                if x % self.stride == phase % self.stride {
                    *to = from[at.1 + x / self.stride];
                }
            }
        });
    }

    /// Calls `visit((channel, place of the row in its phase), place in the images, row)` for every row of `planes` images and channels.
    #[inline(always)]
    fn for_each_row(&self, channels: usize, planes: usize, mut visit: impl FnMut((usize, usize), usize, usize)) {
        for plane in 0..planes {
            for y in 0..self.height {
                let row = plane / channels * self.phase.0 + (y + self.padding) / self.stride;
                visit((plane % channels, row * self.phase.1), (plane * self.height + y) * self.width, y);
            }
        }
    }

    /// Every row of the results of so many images and filters: where it lies among results, and among images.
    #[inline(always)]
    fn result_rows(&self, filters: usize, images: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (Planes { result: (height, width), phase, .. }, positions) = (*self, self.positions());
        (0..images * filters).flat_map(move |plane| {
            let start = plane % filters * positions + plane / filters * phase.0 * phase.1;
            (0..height).map(move |y| (start + y * phase.1, (plane * height + y) * width))
        })
    }

    /// To `y`, `[images, filters, out_height, out_width]`.
    pub fn take_results<T: Real>(&self, results: &[T], filters: usize, y: &mut [T]) {
        let rows = self.result_rows(filters, y.len() / (filters * self.result.0 * self.result.1));
        vectorized(CopyRows { rows, width: self.result.1, from: results, to: y });
    }

    /// `dy` is `[images, filters, out_height, out_width]`; images that are missing have none.
    pub fn put_gradients<T: Real>(&self, dy: &[T], filters: usize, gradients: &mut [T]) {
        let images = dy.len() / (filters * self.result.0 * self.result.1);
        let gradients = &mut gradients[self.reach..];
        if images < self.together {
            gradients.fill(T::zero());
        }
        let rows = self.result_rows(filters, images).map(|(to, from)| (from, to));
        vectorized(CopyRows { rows, width: self.result.1, from: dy, to: gradients });
    }
}

struct PutImages<'a, T> {
    planes: &'a Planes,
    xs: &'a [T],
    channels: usize,
    images: &'a mut [T],
}

impl<T: Real> WithSimd for PutImages<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let PutImages { planes, xs, channels, images } = self;
        let Planes { width, stride, padding, .. } = *planes;
        let positions = planes.positions();
        planes.for_each_row(channels, xs.len() / (planes.height * width), |at, row, y| {
            let row = &xs[row..row + width];
            let first = (at.0 * planes.phases() + (y + padding) % stride * stride) * positions + at.1;
            if stride == 1 {
                return copy::<T, S>(simd, row, &mut images[first + padding..][..width]);
            }
            for (x, pixel) in row.iter().enumerate() {
                let x = x + padding;
                images[first + x % stride * positions + x / stride] = *pixel;
            }
        });
    }
}
