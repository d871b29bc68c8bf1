//! Matrices turned over.

use super::activation::Real;
use super::buffer::Buffer;

/// `[rows, columns]` as `[columns, rows]`, both row by row.
///
/// # Panics
/// When the matrix has no whole number of rows.
pub(super) fn transposed<T: Real>(matrix: &[T], columns: usize) -> Buffer<T> {
    let rows = matrix.len() / columns.max(1);
    assert_eq!(matrix.len(), rows * columns, "a matrix of {columns} columns");
    let mut out = Buffer::any(matrix.len());
    for row in (0..rows).step_by(TILE) {
        for column in (0..columns).step_by(TILE) {
            let is_whole = row + TILE <= rows && column + TILE <= columns;
            if is_whole
                && tiles::turn(&matrix[row * columns + column..], columns, &mut out[column * rows + row..], rows)
            {
                continue;
            }
            for m in row..(row + TILE).min(rows) {
                for n in column..(column + TILE).min(columns) {
                    out[n * rows + m] = matrix[m * columns + n];
                }
            }
        }
    }
    out
}

/// Rows and columns that are turned over at once.
const TILE: usize = 16;

#[cfg(target_arch = "x86_64")]
mod tiles {
    use super::TILE;
    use crate::kernel::activation::Real;
    use std::any::TypeId;
    use std::arch::x86_64::*;

    /// Turns a tile over in registers where the machine has vectors as long as its rows; whether it did. `step` and `out_step` are floats from a
    /// row to the next.
    #[inline]
    pub(super) fn turn<T: Real>(from: &[T], step: usize, out: &mut [T], out_step: usize) -> bool {
        if TypeId::of::<T>() != TypeId::of::<f32>() || !is_x86_feature_detected!("avx512f") {
            return false;
        }
        let last = (TILE - 1) * step + TILE;
        let out_last = (TILE - 1) * out_step + TILE;
        assert!(from.len() >= last && out.len() >= out_last, "a whole tile");
        // SAFETY: the machine has these instructions, the floats are `f32`, and all rows lie in the slices.
        unsafe { turn_f32(from.as_ptr().cast(), step, out.as_mut_ptr().cast(), out_step) };
        true
    }

    /// # Safety
    /// `TILE` rows of `TILE` floats can be read and written.
    #[target_feature(enable = "avx512f")]
    unsafe fn turn_f32(from: *const f32, step: usize, out: *mut f32, out_step: usize) {
        let mut rows = [_mm512_setzero_ps(); TILE];
        for (m, row) in rows.iter_mut().enumerate() {
            // SAFETY: the caller's.
            *row = unsafe { _mm512_loadu_ps(from.add(m * step)) };
        }
        // Blocks of four by four are turned over within quarters of vectors, …
        let mut quarters = [_mm512_setzero_ps(); TILE];
        for i in (0..TILE).step_by(4) {
            let [low, high] = [0, 2].map(|m| _mm512_castps_pd(_mm512_unpacklo_ps(rows[i + m], rows[i + m + 1])));
            let [low_2, high_2] = [0, 2].map(|m| _mm512_castps_pd(_mm512_unpackhi_ps(rows[i + m], rows[i + m + 1])));
            quarters[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
            quarters[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
            quarters[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(low_2, high_2));
            quarters[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(low_2, high_2));
        }
        // … and then the quarters of four vectors are.
        for n in 0..4 {
            let [a, b, c, d] = [quarters[n], quarters[n + 4], quarters[n + 8], quarters[n + 12]];
            let [ab, ab_2] = [_mm512_shuffle_f32x4::<0b10_00_10_00>(a, b), _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b)];
            let [cd, cd_2] = [_mm512_shuffle_f32x4::<0b10_00_10_00>(c, d), _mm512_shuffle_f32x4::<0b11_01_11_01>(c, d)];
            let columns = [
                _mm512_shuffle_f32x4::<0b10_00_10_00>(ab, cd),
                _mm512_shuffle_f32x4::<0b10_00_10_00>(ab_2, cd_2),
                _mm512_shuffle_f32x4::<0b11_01_11_01>(ab, cd),
                _mm512_shuffle_f32x4::<0b11_01_11_01>(ab_2, cd_2),
            ];
            for (quarter, column) in columns.into_iter().enumerate() {
                // SAFETY: the caller's.
                unsafe { _mm512_storeu_ps(out.add((4 * quarter + n) * out_step), column) };
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod tiles {
    use crate::kernel::activation::Real;

    /// Turns a tile over in registers; not on this machine.
    pub(super) fn turn<T: Real>(_: &[T], _: usize, _: &mut [T], _: usize) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_changes_its_row_for_its_column() {
        for (rows, columns) in [(16, 16), (64, 64), (1, 5), (5, 1), (33, 20), (17, 48), (15, 31)] {
            let matrix: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let turned = transposed(&matrix, columns);
            let places = (0..rows * columns).map(|i| (i / columns, i % columns));
            assert!(
                places.into_iter().all(|(m, n)| turned[n * rows + m] == matrix[m * columns + n]),
                "{rows}×{columns}"
            );
            let double: Vec<f64> = matrix.iter().map(|x| f64::from(*x)).collect();
            assert!(transposed(&double, columns).iter().zip(&*turned).all(|(a, b)| *a == f64::from(*b)));
        }
    }
}
