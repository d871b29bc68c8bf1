//! Walking on a grid of cells that are numbered row by row.

use crate::{Ink, Scene, Shape};

/// A grid of cells.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub rows: u32,
    pub columns: u32,
}

#[derive(Clone, Copy)]
pub(super) enum Direction {
    Left,
    Down,
    Right,
    Up,
}

impl Grid {
    /// The neighbor of a cell; the cell itself at the edge.
    pub fn neighbor(self, cell: u32, direction: Direction) -> u32 {
        let (row, column) = self.place(cell);
        let (row, column) = match direction {
            Direction::Left => (row, column.saturating_sub(1)),
            Direction::Down => ((row + 1).min(self.rows - 1), column),
            Direction::Right => (row, (column + 1).min(self.columns - 1)),
            Direction::Up => (row.saturating_sub(1), column),
        };
        row * self.columns + column
    }

    /// Row and column of a cell.
    pub fn place(self, cell: u32) -> (u32, u32) {
        (cell / self.columns, cell % self.columns)
    }

    /// The cells in their colors with lines around them, and the player in its cell.
    pub fn scene(self, ink: impl Fn(u32) -> Option<Ink>, player: u32) -> Scene {
        let (rows, columns) = (self.rows as usize, self.columns as usize);
        let mut scene = Scene::grid(rows, columns, |row, column| ink((row * columns + column) as u32));
        let mut line = |from, to| scene.shapes.push(Shape::Line { from, to, width: 0.02, ink: Ink::Outline });
        (0..=rows).for_each(|y| line((0.0, y as f32), (columns as f32, y as f32)));
        (0..=columns).for_each(|x| line((x as f32, 0.0), (x as f32, rows as f32)));
        scene.shapes.push(Shape::Circle { center: self.middle(player), radius: 0.3, ink: Ink::Player });
        scene
    }

    /// The middle of a cell in the picture.
    pub fn middle(self, cell: u32) -> (f32, f32) {
        let (row, column) = self.place(cell);
        (column as f32 + 0.5, (self.rows - 1 - row) as f32 + 0.5)
    }
}
