//! The matrix product, single-threaded.

use super::activation::Real;

/// A strided view of a matrix.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A row-major matrix.
    ///
    /// # Panics
    /// When `data` does not hold exactly `rows × columns` elements.
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "a {rows}×{columns} matrix over {} elements", data.len());
        Matrix { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// With so many elements from a row to the next, and from a column to the next.
    ///
    /// # Panics
    /// When an element lies beyond `data`.
    pub fn strided(data: &'a [T], [rows, columns]: [usize; 2], [row_stride, column_stride]: [usize; 2]) -> Self {
        let last = rows.saturating_sub(1) * row_stride + columns.saturating_sub(1) * column_stride;
        assert!(rows * columns == 0 || last < data.len(), "a {rows}×{columns} matrix over {} elements", data.len());
        Matrix { data, rows, columns, row_stride, column_stride }
    }

    pub fn transposed(self) -> Self {
        Matrix {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `out ← out + a · b`, with `out` row-major `[a.rows, b.columns]`.
///
/// # Panics
/// When the shapes don't fit.
pub(super) fn add_product<T: Real>(out: &mut [T], a: Matrix<T>, b: Matrix<T>) {
    product(out, a, b, true);
}

/// `out ← a · b`; see [`add_product`].
pub(super) fn set_product<T: Real>(out: &mut [T], a: Matrix<T>, b: Matrix<T>) {
    product(out, a, b, false);
}

fn assert_fits<T>(out: &[T], a: Matrix<T>, b: Matrix<T>) {
    assert_eq!(a.columns, b.rows, "inner dimensions of a matrix product");
    assert_eq!(out.len(), a.rows * b.columns, "size of a matrix product");
}

fn product<T: Real>(out: &mut [T], a: Matrix<T>, b: Matrix<T>, add: bool) {
    assert_fits(out, a, b);
    if out.is_empty() {
        return;
    }
    if a.columns == 0 {
        if !add {
            out.fill(T::zero());
        }
        return;
    }
    // SAFETY: `Matrix` and the assertions above keep every index `row * row_stride + column * column_stride` inside the three
    // slices, and `out` is borrowed exclusively.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            add,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            T::one(),
            T::one(),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// `out ← a · b` of row-major matrices by the library that large products use: for measuring it.
///
/// # Panics
/// When the sizes don't fit.
pub(crate) fn multiply_packed(out: &mut [f32], (a, rows): (&[f32], usize), (b, columns): (&[f32], usize)) {
    set_product(out, Matrix::new(a, rows, a.len() / rows), Matrix::new(b, b.len() / columns, columns));
}

/// [`multiply_packed`] by the library that was second on the shapes of small networks.
pub(crate) fn multiply_otherwise(out: &mut [f32], (a, rows): (&[f32], usize), (b, columns): (&[f32], usize)) {
    let (a, b) = (Matrix::new(a, rows, a.len() / rows), Matrix::new(b, b.len() / columns, columns));
    assert_fits(out, a, b);
    // SAFETY: as in `product`.
    unsafe {
        matrixmultiply::sgemm(
            rows,
            a.columns,
            columns,
            1.0,
            a.data.as_ptr(),
            a.row_stride as isize,
            a.column_stride as isize,
            b.data.as_ptr(),
            b.row_stride as isize,
            b.column_stride as isize,
            0.0,
            out.as_mut_ptr(),
            columns as isize,
            1,
        );
    }
}
