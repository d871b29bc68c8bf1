//! Rows of a flat table.

/// These rows of `all`, `[rows, width]`.
pub(crate) fn picked<T: Copy>(all: &[T], rows: &[usize], width: usize) -> Vec<T> {
    rows.iter().flat_map(|row| &all[row * width..(row + 1) * width]).copied().collect()
}
