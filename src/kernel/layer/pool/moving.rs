//! Windows of any size, stride and padding. Pixels that windows side by side meet at the same place are sorted behind one another, so that
//! both passes have long loops.

use super::{Pool, larger};
use crate::kernel::activation::Real;
use crate::kernel::buffer::Buffer;
use crate::kernel::vector::{Simd, WithSimd};

/// How the pixels of a plane, with those around it, are sorted: in each row those in columns 0, stride, 2 · stride, … come first, then
/// those in 1, 1 + stride, ….
struct Sorted {
    pool: Pool,
    out: (usize, usize),
    stride: usize,
    /// Of the columns, so many groups; a stride beyond the image would make more than it has columns.
    groups: usize,
    /// Floats of a group of one row.
    group: usize,
    /// Floats of a row.
    row: usize,
}

impl Sorted {
    #[inline(always)]
    fn new(pool: &Pool) -> Sorted {
        let width = pool.width + 2 * pool.padding;
        let stride = pool.windows().stride;
        let groups = stride.min(width);
        let group = width.div_ceil(groups);
        Sorted { pool: *pool, out: pool.output(), stride, groups, group, row: groups * group }
    }

    fn floats(&self) -> usize {
        (self.pool.height + 2 * self.pool.padding) * self.row
    }

    /// Floats of a plane of the image and of the result.
    fn planes(&self) -> (usize, usize) {
        (self.pool.height * self.pool.width, self.out.0 * self.out.1)
    }

    /// For every group of columns: its first pixel in a row, and where that is in a sorted row.
    #[inline(always)]
    fn columns(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (groups, group, padding, width) = (self.groups, self.group, self.pool.padding, self.pool.width);
        let columns = (0..groups).map(move |i| {
            let first = (i + groups - padding % groups) % groups;
            (first, i * group + (first + padding) / groups)
        });
        columns.filter(move |(first, _)| *first < width)
    }

    /// Where the pixels of a column of the windows begin in a sorted row.
    #[inline(always)]
    fn column(&self, of_window: usize) -> usize {
        of_window % self.groups * self.group + of_window / self.groups
    }

    #[inline(always)]
    fn sort<T: Real>(&self, plane: &[T], sorted: &mut [T]) {
        let Pool { width, padding, .. } = self.pool;
        let rows = sorted.chunks_exact_mut(self.row).skip(padding);
        for (pixels, row) in plane.chunks_exact(width).zip(rows) {
            if self.groups == 1 {
                row[padding..][..width].copy_from_slice(pixels);
                continue;
            }
            for (from, to) in self.columns() {
                let pixels = pixels[from..].iter().step_by(self.groups);
                row[to..].iter_mut().zip(pixels).for_each(|(to, from)| *to = *from);
            }
        }
    }

    #[inline(always)]
    fn unsort<T: Real>(&self, sorted: &[T], plane: &mut [T]) {
        let Pool { width, padding, .. } = self.pool;
        let rows = sorted.chunks_exact(self.row).skip(padding);
        for (pixels, row) in plane.chunks_exact_mut(width).zip(rows) {
            if self.groups == 1 {
                pixels.copy_from_slice(&row[padding..][..width]);
                continue;
            }
            for (to, from) in self.columns() {
                let pixels = pixels[to..].iter_mut().step_by(self.groups);
                pixels.zip(&row[from..]).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

pub(super) struct Forward<'a, T> {
    pub pool: &'a Pool,
    pub x: &'a [T],
    pub y: &'a mut [T],
}

impl<T: Real> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let sorted = Sorted::new(self.pool);
        let ((plane, out_plane), out_width, size) = (sorted.planes(), sorted.out.1, self.pool.size);
        let mut pixels: Buffer<T> = Buffer::any(sorted.floats());
        pixels.fill(T::neg_infinity());
        let mut of_rows: Buffer<T> = Buffer::any(sorted.row);
        for (x, y) in self.x.chunks_exact(plane).zip(self.y.chunks_exact_mut(out_plane)) {
            sorted.sort(x, &mut pixels);
            for (i, out) in y.chunks_exact_mut(out_width).enumerate() {
                let rows = &pixels[i * sorted.stride * sorted.row..][..size * sorted.row];
                of_rows.fill(T::neg_infinity());
                rows.chunks_exact(sorted.row).for_each(|row| raise(row, &mut of_rows));
                out.fill(T::neg_infinity());
                (0..size).for_each(|column| raise(&of_rows[sorted.column(column)..][..out_width], out));
            }
        }
    }
}

#[inline(always)]
fn raise<T: Real>(values: &[T], largest: &mut [T]) {
    largest.iter_mut().zip(values).for_each(|(largest, value)| *largest = larger(*value, *largest));
}

pub(super) struct Backward<'a, T> {
    pub pool: &'a Pool,
    pub x: &'a [T],
    pub y: &'a [T],
    pub dy: &'a mut [T],
    pub dx: &'a mut [T],
}

impl<T: Real> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Backward { pool, x, y, dy, dx } = self;
        let sorted = Sorted::new(pool);
        let ((plane, out_plane), out_width) = (sorted.planes(), sorted.out.1);
        let mut pixels: Buffer<T> = Buffer::any(sorted.floats());
        pixels.fill(T::neg_infinity());
        let mut gradient: Buffer<T> = Buffer::any(sorted.floats());
        let planes = x.chunks_exact(plane).zip(dx.chunks_exact_mut(plane));
        for ((x, dx), (y, dy)) in planes.zip(y.chunks_exact(out_plane).zip(dy.chunks_exact_mut(out_plane))) {
            sorted.sort(x, &mut pixels);
            gradient.fill(T::zero());
            for (i, (y, dy)) in y.chunks_exact(out_width).zip(dy.chunks_exact_mut(out_width)).enumerate() {
                for of_window in 0..pool.size * pool.size {
                    let row = (i * sorted.stride + of_window / pool.size) * sorted.row;
                    let at = row + sorted.column(of_window % pool.size);
                    hand_out(y, &pixels[at..][..out_width], dy, &mut gradient[at..][..out_width]);
                }
            }
            sorted.unsort(&gradient, dx);
        }
    }
}

/// Pixels that are the largest of their windows get what is left of these windows' gradients. A function, so that the compiler knows the
/// slices apart.
#[inline(always)]
fn hand_out<T: Real>(largest: &[T], pixels: &[T], left: &mut [T], gradient: &mut [T]) {
    let n = largest.len();
    let (pixels, left, gradient) = (&pixels[..n], &mut left[..n], &mut gradient[..n]);
    for i in 0..n {
        let is_largest = pixels[i] == largest[i];
        gradient[i] += if is_largest { left[i] } else { T::zero() };
        left[i] = if is_largest { T::zero() } else { left[i] };
    }
}
