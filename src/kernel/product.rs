//! Matrix products of networks: nothing is packed, and every sum stays in a register until it is written.

use super::activation::Real;
use super::matrix::{Matrix, add_product, set_product};
use super::vector::{LANES, Simd, WithSimd, vectorized};
use super::vectors::{lanes, load, store};

/// `out ← start + a · b`: `a` is `[rows, steps]` at any strides, `b` is `[steps, columns]` and `out` `[rows, columns]`, both row by row.
pub(super) struct Product<'a, T> {
    pub a: &'a [T],
    /// Floats from a row of `a` to the next, and from a column to the next.
    pub strides: [usize; 2],
    pub b: &'a [T],
    pub rows: usize,
    pub steps: usize,
    pub columns: usize,
}

/// Whether the right matrix of a product is too large for the caches: then it is worth packing, by the library.
pub(super) fn is_large(steps: usize, columns: usize) -> bool {
    steps * columns >= 1 << 18
}

impl<T: Real> Product<'_, T> {
    /// The sums begin with `start`, `[columns]`, the same in every row, or with zeros where it is empty.
    ///
    /// # Panics
    /// When the sizes don't fit.
    pub fn write(&self, start: &[T], out: &mut [T]) {
        let Product { rows, steps, columns, strides, .. } = *self;
        let last = rows.saturating_sub(1) * strides[0] + steps.saturating_sub(1) * strides[1];
        assert!(self.a.len() > last || rows * steps == 0, "room to read the left matrix");
        assert_eq!(self.b.len(), steps * columns, "size of the right matrix");
        assert_eq!(out.len(), rows * columns, "size of the product");
        assert!(start.is_empty() || start.len() == columns, "size of a row");
        if !is_large(steps, columns) {
            return vectorized(Write { of: self, start, out });
        }
        let (a, b) = (Matrix::strided(self.a, [rows, steps], strides), Matrix::new(self.b, steps, columns));
        match start {
            [] => set_product(out, a, b),
            start => {
                out.chunks_exact_mut(columns).for_each(|row| row.copy_from_slice(start));
                add_product(out, a, b);
            }
        }
    }
}

/// `out ← a · b` of row-major matrices as the kernels do it: for measuring it.
///
/// # Panics
/// When the sizes don't fit.
pub(crate) fn multiply(out: &mut [f32], (a, rows): (&[f32], usize), (b, columns): (&[f32], usize)) {
    let steps = a.len() / rows;
    Product { a, strides: [steps, 1], b, rows, steps, columns }.write(&[], out);
}

struct Write<'a, 'b, T> {
    of: &'a Product<'b, T>,
    start: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Write<'_, '_, T> {
    type Output = ();

    /// Panels of columns, and in each blocks of rows whose sums fit the registers: 32 of the widest vectors, 16 of the others.
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (width, widest) = (lanes::<T, S>(), lanes::<f32, S>() == LANES);
        let mut column = 0;
        while column < self.of.columns {
            let left = self.of.columns - column;
            // SAFETY: `write` has asserted the sizes.
            column += unsafe {
                match left / width {
                    4.. if widest => self.panel::<S, 6, 4, false>(simd, column),
                    2.. if widest => self.panel::<S, 12, 2, false>(simd, column),
                    2.. => self.panel::<S, 6, 2, false>(simd, column),
                    1 => self.panel::<S, 12, 1, false>(simd, column),
                    _ => self.panel::<S, 12, 1, true>(simd, column),
                }
            };
        }
    }
}

impl<T: Real> Write<'_, '_, T> {
    /// `V` vectors of all rows; their columns.
    ///
    /// # Safety
    /// They are there; of the last one only some lanes, where `SOME`.
    #[inline(always)]
    unsafe fn panel<S: Simd, const M: usize, const V: usize, const SOME: bool>(
        &mut self,
        simd: S,
        column: usize,
    ) -> usize {
        let mut row = 0;
        while row < self.of.rows {
            // SAFETY: the caller's.
            row += unsafe {
                match self.of.rows - row {
                    left if left >= M => self.block::<S, M, V, SOME>(simd, (row, column)),
                    4.. => self.block::<S, 4, V, SOME>(simd, (row, column)),
                    2.. => self.block::<S, 2, V, SOME>(simd, (row, column)),
                    _ => self.block::<S, 1, V, SOME>(simd, (row, column)),
                }
            };
        }
        V * lanes::<T, S>()
    }

    /// `M` rows; their number.
    ///
    /// # Safety
    /// As [`Self::panel`].
    #[inline(always)]
    unsafe fn block<S: Simd, const M: usize, const V: usize, const SOME: bool>(
        &mut self,
        simd: S,
        (row, column): (usize, usize),
    ) -> usize {
        let Product { steps, columns, strides, .. } = *self.of;
        let width = lanes::<T, S>();
        let mask = T::mask(simd, u32::MAX >> (32 - (columns - column).min(width)));
        let read = |at: *const T| {
            // SAFETY: the caller's.
            unsafe { if SOME { T::load_some(simd, mask, at) } else { load::<T, S>(at) } }
        };
        let mut begun = [T::splat(simd, T::zero()); V];
        if !self.start.is_empty() {
            for (v, begun) in begun.iter_mut().enumerate() {
                *begun = read(self.start.as_ptr().wrapping_add(column + v * width));
            }
        }
        let mut sums = [begun; M];
        let (mut a, mut b) =
            (self.of.a.as_ptr().wrapping_add(row * strides[0]), self.of.b.as_ptr().wrapping_add(column));
        for _ in 0..steps {
            let mut right = [T::splat(simd, T::zero()); V];
            for (v, right) in right.iter_mut().enumerate() {
                *right = read(b.wrapping_add(v * width));
            }
            for (m, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the caller's.
                let left = T::splat(simd, unsafe { *a.wrapping_add(m * strides[0]) });
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = T::multiply_add(simd, left, right, *sum);
                }
            }
            (a, b) = (a.wrapping_add(strides[1]), b.wrapping_add(columns));
        }
        for (m, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                let to = self.out.as_mut_ptr().wrapping_add((row + m) * columns + column + v * width);
                // SAFETY: the caller's.
                unsafe {
                    match SOME {
                        true => T::store_some(simd, mask, to, *sum),
                        false => store::<T, S>(to, *sum),
                    }
                }
            }
        }
        M
    }
}

/// `out ← start + a · bᵀ` of rows that lie in one piece: `a` is `[rows, steps]`, `b` is `[columns, steps]`, `start` is `[columns]`. For few
/// columns, which would not fill a vector.
pub(super) struct RowProducts<'a, T> {
    pub a: &'a [T],
    pub b: &'a [T],
    pub steps: usize,
    pub start: &'a [T],
    pub out: &'a mut [T],
}

impl<T: Real> RowProducts<'_, T> {
    /// # Panics
    /// When the sizes don't fit.
    pub fn write(self) {
        let (columns, steps) = (self.start.len(), self.steps);
        assert_eq!(self.b.len(), columns * steps, "size of the right matrix");
        assert!(columns > 0 && self.a.len() * columns == self.out.len() * steps, "size of the product");
        vectorized(self);
    }
}

impl<T: Real> WithSimd for RowProducts<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (columns, rows) = (self.start.len(), self.out.len() / self.start.len());
        let mut row = 0;
        while row < rows {
            let block = if rows - row >= 8 { 8 } else { 1 };
            for column in 0..columns {
                // SAFETY: `write` has asserted the sizes.
                unsafe {
                    match block {
                        8 => self.rows::<S, 8>(simd, (row, column)),
                        _ => self.rows::<S, 1>(simd, (row, column)),
                    }
                }
            }
            row += block;
        }
    }
}

impl<T: Real> RowProducts<'_, T> {
    /// One column of `M` rows.
    ///
    /// # Safety
    /// They are there.
    #[inline(always)]
    unsafe fn rows<S: Simd, const M: usize>(&mut self, simd: S, (row, column): (usize, usize)) {
        let (width, steps) = (lanes::<T, S>(), self.steps);
        let (a, b) = (self.a.as_ptr().wrapping_add(row * steps), self.b.as_ptr().wrapping_add(column * steps));
        let mut sums = [T::splat(simd, T::zero()); M];
        for step in (0..steps / width * width).step_by(width) {
            // SAFETY: the caller's.
            unsafe {
                let right = load::<T, S>(b.wrapping_add(step));
                for (m, sum) in sums.iter_mut().enumerate() {
                    *sum = T::multiply_add(simd, load::<T, S>(a.wrapping_add(m * steps + step)), right, *sum);
                }
            }
        }
        if steps % width > 0 {
            let step = steps / width * width;
            let mask = T::mask(simd, u32::MAX >> (32 - (steps - step)));
            // SAFETY: the caller's.
            unsafe {
                let right = T::load_some(simd, mask, b.wrapping_add(step));
                for (m, sum) in sums.iter_mut().enumerate() {
                    let left = T::load_some(simd, mask, a.wrapping_add(m * steps + step));
                    *sum = T::multiply_add(simd, left, right, *sum);
                }
            }
        }
        let columns = self.start.len();
        for (m, sum) in sums.iter().enumerate() {
            self.out[(row + m) * columns + column] = self.start[column] + T::sum(simd, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    fn random(len: usize, rng: &mut lossward_envs::Rng) -> Vec<f32> {
        (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    /// `start + Σ_s a(row, s) · b(s, column)` in double precision.
    fn assert_product(
        out: &[f32],
        [rows, steps, columns]: [usize; 3],
        start: &[f32],
        a: impl Fn(usize, usize) -> f32,
        b: impl Fn(usize, usize) -> f32,
    ) {
        for (i, got) in out.iter().enumerate() {
            let (row, column) = (i / columns, i % columns);
            let sum: f64 = (0..steps).map(|s| f64::from(a(row, s)) * f64::from(b(s, column))).sum();
            let exact = sum + start.get(column).map_or(0.0, |x| f64::from(*x));
            let near = 1e-6 * (steps as f64 + 1.0).sqrt() + 1e-6;
            assert!((f64::from(*got) - exact).abs() < near, "{rows}×{steps}×{columns} at {i}: {got}, {exact}");
        }
    }

    #[test]
    fn products_equal_their_definition() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for i in 0..300 {
            // The last ones are left to the library.
            let [rows, steps, columns] = match i {
                0..298 => [30, 70, 150].map(|most| rng.random_range(1..most)),
                _ => [3, 600, 500],
            };
            let (a, b) = (random(rows * steps, &mut rng), random(steps * columns, &mut rng));
            let start = if i % 2 == 0 { Vec::new() } else { random(columns, &mut rng) };
            let strides = if i % 3 == 0 { [1, rows] } else { [steps, 1] };
            let mut out = vec![f32::NAN; rows * columns];
            Product { a: &a, strides, b: &b, rows, steps, columns }.write(&start, &mut out);
            let left = |row: usize, s: usize| a[row * strides[0] + s * strides[1]];
            assert_product(&out, [rows, steps, columns], &start, left, |s, column| b[s * columns + column]);
        }
    }

    #[test]
    fn products_of_rows_equal_their_definition() {
        let mut rng = lossward_envs::stream(0, "test", 1);
        for _ in 0..300 {
            let [rows, steps, columns] = [40, 70, 12].map(|most| rng.random_range(1..most));
            let (a, b) = (random(rows * steps, &mut rng), random(steps * columns, &mut rng));
            let start = random(columns, &mut rng);
            let mut out = vec![f32::NAN; rows * columns];
            RowProducts { a: &a, b: &b, steps, start: &start, out: &mut out }.write();
            let (left, right) =
                (|row: usize, s: usize| a[row * steps + s], |s: usize, column: usize| b[column * steps + s]);
            assert_product(&out, [rows, steps, columns], &start, left, right);
        }
    }
}
