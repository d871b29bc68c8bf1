//! A set of cells of the grid, in one integer.

use super::{CELLS, SIDE};

/// Bit `row · 10 + column` is the cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Board(u128);

const ALL: u128 = (1 << CELLS) - 1;

impl Board {
    pub const EMPTY: Board = Board(0);

    pub const fn cell(row: i8, column: i8) -> Board {
        Board(1 << (row as usize * SIDE + column as usize))
    }

    /// The cells whose rows and columns lie in these half-open ranges.
    pub const fn block(rows: (i8, i8), columns: (i8, i8)) -> Board {
        let (mut block, mut row) = (0, rows.0);
        while row < rows.1 {
            let mut column = columns.0;
            while column < columns.1 {
                block |= Board::cell(row, column).0;
                column += 1;
            }
            row += 1;
        }
        Board(block)
    }

    pub const fn column(column: i8) -> Board {
        Board::block((0, SIDE as i8), (column, column + 1))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    pub fn and(self, other: Board) -> Board {
        Board(self.0 & other.0)
    }

    pub fn or(self, other: Board) -> Board {
        Board(self.0 | other.0)
    }

    pub fn without(self, other: Board) -> Board {
        Board(self.0 & !other.0)
    }

    pub fn meets(self, other: Board) -> bool {
        !self.and(other).is_empty()
    }

    /// One row up; the top row leaves the grid.
    pub fn up(self) -> Board {
        Board(self.0 >> SIDE)
    }

    /// One row down; the bottom row leaves the grid.
    pub fn down(self) -> Board {
        Board((self.0 << SIDE) & ALL)
    }

    /// One column to the right (or to the left for −1). No cell of the set may lie at that edge.
    pub fn sideways(self, direction: i8) -> Board {
        Board(if direction > 0 { self.0 << 1 } else { self.0 >> 1 })
    }

    /// The row of the lowest cell.
    pub fn lowest_row(self) -> Option<i8> {
        self.0.checked_ilog2().map(|cell| (cell as usize / SIDE) as i8)
    }

    /// The cells as `row · 10 + column`, in order.
    pub fn cells(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let cell = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (cell < CELLS).then_some(cell)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_move_and_leave() {
        let board = Board::cell(0, 3).or(Board::cell(9, 4));
        assert_eq!(board.up(), Board::cell(8, 4));
        assert_eq!(board.down(), Board::cell(1, 3));
        assert_eq!(board.sideways(1), Board::cell(0, 4).or(Board::cell(9, 5)));
        assert_eq!(board.sideways(-1), Board::cell(0, 2).or(Board::cell(9, 3)));
        assert_eq!(board.cells().collect::<Vec<usize>>(), [3, 94]);
        assert_eq!((board.count(), board.lowest_row(), Board::EMPTY.lowest_row()), (2, Some(9), None));
        assert!(board.meets(Board::column(4)) && !board.meets(Board::column(5)));
        assert_eq!(Board::block((1, 3), (2, 5)).count(), 6);
    }
}
