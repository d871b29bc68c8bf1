//! Where a detector looks.

use super::Corners;
use crate::{Error, Result};

/// Cells of one size over the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Cells.
    pub height: usize,
    /// Cells.
    pub width: usize,
    /// The side of a cell in pixels.
    pub stride: f64,
}

/// The center of a cell, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GridPoint {
    pub x: f64,
    pub y: f64,
    /// The side of its cell.
    pub stride: f64,
}

/// The points of one level or of several: row by row, levels one after another.
#[derive(Clone, Debug, PartialEq)]
pub struct PointGrid {
    levels: Vec<Level>,
    points: Vec<GridPoint>,
}

impl PointGrid {
    /// # Errors
    /// When there is no level, or one has no cell or no stride.
    pub fn new(levels: &[Level]) -> Result<PointGrid> {
        if levels.is_empty() {
            return Err(Error::Argument("a grid needs at least one level".into()));
        }
        let has_cells = |level: &Level| level.height > 0 && level.width > 0 && level.stride > 0.0;
        if let Some(level) = levels.iter().find(|level| !(has_cells(level) && level.stride.is_finite())) {
            return Err(Error::Argument(format!("{level:?}: a level needs cells, and a stride of some pixels")));
        }
        Ok(PointGrid { levels: levels.to_vec(), points: levels.iter().flat_map(Level::points).collect() })
    }

    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// `((column + ½) s, (row + ½) s)` of every cell.
    pub fn points(&self) -> &[GridPoint] {
        &self.points
    }

    /// Every level with the index of its first point.
    pub(super) fn with_starts(&self) -> impl Iterator<Item = (&Level, usize)> {
        self.levels.iter().scan(0, |next, level| {
            let start = *next;
            *next += level.height * level.width;
            Some((level, start))
        })
    }
}

impl Level {
    fn points(&self) -> impl Iterator<Item = GridPoint> {
        let Level { height, width, stride } = *self;
        let center = move |cell: usize| (cell as f64 + 0.5) * stride;
        (0..height)
            .flat_map(move |row| (0..width).map(move |column| GridPoint { x: center(column), y: center(row), stride }))
    }
}

impl GridPoint {
    /// How far the left, top, right and bottom side of a box are, in pixels; negative where the point lies beyond that side.
    pub fn sides(&self, [x1, y1, x2, y2]: &Corners) -> [f64; 4] {
        [self.x - x1, self.y - y1, x2 - self.x, y2 - self.y]
    }
}
