//! One point per box: that of the cell which holds its center.

use super::{Assigned, learned};
use crate::detection::{Corners, Level, Object, PointGrid, format};

/// The column and the row of the cell that holds the center of a box. A center on a border belongs to the next cell; beyond the image it
/// belongs to the last one.
pub fn cell(level: &Level, corners: &Corners) -> [usize; 2] {
    let [x, y, ..] = format::centered(corners);
    // A cast holds what is below 0 at 0.
    let index = |center: f64, cells: usize| ((center / level.stride).floor() as usize).min(cells - 1);
    [index(x, level.width), index(y, level.height)]
}

/// The cell of each box, on every level. Of boxes in one cell the smaller one owns it, of equal ones the first; the score is 1.
pub fn center_cells(grid: &PointGrid, objects: &[Object]) -> Assigned {
    let mut assigned = Assigned::none(grid.points().len());
    for (level, start) in grid.with_starts() {
        for (index, object) in learned(objects) {
            let [column, row] = cell(level, &object.corners);
            let point = start + row * level.width + column;
            let is_smaller = |owner: usize| format::area(&object.corners) < format::area(&objects[owner].corners);
            if assigned.owners[point].is_none_or(is_smaller) {
                assigned.owners[point] = Some(index);
                assigned.scores[point] = 1.0;
            }
        }
    }
    assigned
}
