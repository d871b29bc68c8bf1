//! All points near the center of a box, on the level of its size (Tian et al. 2019, arXiv 1904.01355 and 2006.09214).

use super::{Assigned, is_inside, learned};
use crate::detection::{GridPoint, Level, Object, PointGrid, format};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A point answers for a box that it lies strictly inside of, if it is near the center of the box and the farthest side is within the range
/// of its level. Of several boxes the smallest owns it, of equal ones the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fcos {
    /// How near, in strides: both `|x − center|` and `|y − center|` are less; anywhere inside where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius: Option<f64>,
    /// The least and the largest `max(left, top, right, bottom)` of each level in pixels, both included. Where they are not given, a level
    /// ends at eight of its strides, as in the paper, and the next goes on from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranges: Option<Vec<[f64; 2]>>,
    /// Whether a score is to become [`centerness`] rather than 1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub centerness: bool,
}

/// `√(min(l, r) / max(l, r) · min(t, b) / max(t, b))` of the distances to the sides: 1 in the center, 0 on a side.
pub fn centerness([left, top, right, bottom]: [f64; 4]) -> f64 {
    (left.min(right) / left.max(right) * (top.min(bottom) / top.max(bottom))).sqrt()
}

impl Fcos {
    pub(super) fn check(&self, grid: &PointGrid) -> Result<()> {
        if let Some(radius) = self.radius.filter(|radius| !(*radius > 0.0 && radius.is_finite())) {
            return Err(Error::setting(
                "radius",
                format!("`radius` must be a number of strides above 0, not {radius}"),
            ));
        }
        let Some(ranges) = &self.ranges else { return Ok(()) };
        let levels = grid.levels().len();
        if ranges.len() != levels {
            let message = format!("`ranges` has {} pairs for {levels} levels of the grid", ranges.len());
            return Err(Error::setting("ranges", message));
        }
        match ranges.iter().find(|[least, most]| !(0.0 <= *least && least < most)) {
            Some([least, most]) => {
                Err(Error::setting("ranges", format!("`ranges` has [{least}, {most}]; it must be 0 ≤ least < most")))
            }
            None => Ok(()),
        }
    }

    /// The range of each level.
    fn ranges(&self, grid: &PointGrid) -> Vec<[f64; 2]> {
        self.ranges.clone().unwrap_or_else(|| {
            let levels = grid.levels();
            let end = |level: usize| if level + 1 == levels.len() { f64::INFINITY } else { 8.0 * levels[level].stride };
            (0..levels.len()).map(|level| [if level == 0 { 0.0 } else { end(level - 1) }, end(level)]).collect()
        })
    }

    pub(super) fn assigned(&self, grid: &PointGrid, objects: &[Object]) -> Assigned {
        let mut assigned = Assigned::none(grid.points().len());
        for ((level, start), range) in grid.with_starts().zip(self.ranges(grid)) {
            let points = start..start + level.height * level.width;
            for (i, point) in points.clone().zip(&grid.points()[points]) {
                let mut smallest = f64::INFINITY;
                for (index, object) in learned(objects) {
                    let sides = point.sides(&object.corners);
                    let area = format::area(&object.corners);
                    if area < smallest && is_inside(&sides) && self.is_near(point, object) && fits(&sides, range) {
                        smallest = area;
                        assigned.owners[i] = Some(index);
                        assigned.scores[i] = if self.centerness { centerness(sides) } else { 1.0 };
                    }
                }
            }
        }
        assigned
    }

    fn is_near(&self, point: &GridPoint, object: &Object) -> bool {
        let [x, y, ..] = format::centered(&object.corners);
        let is_near = |radius: f64| (point.x - x).abs().max((point.y - y).abs()) < radius * point.stride;
        self.radius.is_none_or(is_near)
    }

    pub(super) fn farthest_in_strides(&self, grid: &PointGrid, side: f64) -> f64 {
        let farthest = |(level, [_, most]): (&Level, [f64; 2])| {
            let near = self.radius.map_or(side, |radius| side / 2.0 + radius * level.stride);
            side.min(near).min(most) / level.stride
        };
        grid.levels().iter().zip(self.ranges(grid)).map(farthest).fold(0.0, f64::max)
    }
}

fn fits(sides: &[f64; 4], [least, most]: [f64; 2]) -> bool {
    let farthest = sides.iter().copied().fold(0.0, f64::max);
    least <= farthest && farthest <= most
}
