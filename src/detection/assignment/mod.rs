//! Which points answer for which object.

mod center_cell;
mod fcos;
mod task_aligned;

pub use center_cell::{cell, center_cells};
pub use fcos::{Fcos, centerness};
pub use task_aligned::{Alignment, TaskAligned};

use super::{Corners, GridPoint, Object, PointGrid};
use crate::{Error, Result};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// `"center"`, `"fcos"`, `"task_aligned"`, or with settings `{ fcos = { radius = 1.5 } }`.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// The cell that holds the center of the box.
    Center,
    /// The points near the center, on the level of the box's size.
    Fcos(Fcos),
    /// The points whose prediction is best already.
    TaskAligned(TaskAligned),
}

/// Which object each point of a grid answers for.
#[derive(Clone, Debug, PartialEq)]
pub struct Assigned {
    /// The index of the object.
    pub owners: Vec<Option<usize>>,
    /// What the score of the owner's class is to become, from 0 to 1; 0 without an owner.
    pub scores: Vec<f64>,
    /// Whether the point has no owner and lies within an object that is ignored: it says nothing about any class.
    pub ignored: Vec<bool>,
}

/// What a network predicts in an image, asked for where it is needed.
#[derive(Clone, Copy)]
pub struct Predicted<'a> {
    /// Of a point and a class, from 0 to 1.
    pub score: &'a dyn Fn(usize, usize) -> f64,
    /// The box of a point.
    pub corners: &'a dyn Fn(usize) -> Corners,
}

impl Assignment {
    /// Whether it fits the grid.
    ///
    /// # Errors
    /// When a setting is out of range; at its key.
    pub fn check(&self, grid: &PointGrid) -> Result<()> {
        match self {
            Assignment::Center if grid.levels().len() > 1 => Err(Error::Argument(format!(
                "`center` needs a grid of one level, and this one has {}; use fcos or task_aligned",
                grid.levels().len()
            ))),
            Assignment::Center => Ok(()),
            Assignment::Fcos(fcos) => fcos.check(grid).map_err(|error| error.under("fcos")),
            Assignment::TaskAligned(aligned) => aligned.check().map_err(|error| error.under("task_aligned")),
        }
    }

    /// Of one image. Objects that are ignored own nothing.
    pub fn assigned(&self, grid: &PointGrid, objects: &[Object], predicted: Predicted) -> Assigned {
        let mut assigned = match self {
            Assignment::Center => center_cells(grid, objects),
            Assignment::Fcos(fcos) => fcos.assigned(grid, objects),
            Assignment::TaskAligned(aligned) => aligned.assigned(grid.points(), objects, predicted),
        };
        assigned.ignore_within(grid.points(), objects);
        assigned
    }

    /// How many pixels away a side can be from a point that answers for a box with sides of at most `side` pixels, in strides of its
    /// level; the most of all levels. Of task alignment it is that of the coarsest level, to which the largest boxes can go.
    pub fn farthest_in_strides(&self, grid: &PointGrid, side: f64) -> f64 {
        match self {
            Assignment::Center => {
                let strides =
                    grid.levels().iter().map(|level| side.min(side / 2.0 + level.stride / 2.0) / level.stride);
                strides.fold(0.0, f64::max)
            }
            Assignment::Fcos(fcos) => fcos.farthest_in_strides(grid, side),
            Assignment::TaskAligned(_) => side / grid.levels().iter().map(|level| level.stride).fold(0.0, f64::max),
        }
    }
}

impl Assigned {
    /// Nothing owns anything.
    pub(super) fn none(points: usize) -> Assigned {
        Assigned { owners: vec![None; points], scores: vec![0.0; points], ignored: vec![false; points] }
    }

    fn ignore_within(&mut self, points: &[GridPoint], objects: &[Object]) {
        for object in objects.iter().filter(|object| object.ignored) {
            for (i, point) in points.iter().enumerate() {
                self.ignored[i] |= self.owners[i].is_none() && is_inside(&point.sides(&object.corners));
            }
        }
    }
}

/// Strictly.
fn is_inside(sides: &[f64; 4]) -> bool {
    sides.iter().all(|side| *side > 0.0)
}

/// What an object can own points of, with its index.
fn learned(objects: &[Object]) -> impl Iterator<Item = (usize, &Object)> {
    objects.iter().enumerate().filter(|(_, object)| !object.ignored)
}

const NAMES: [&str; 3] = ["center", "fcos", "task_aligned"];

impl<'de> Deserialize<'de> for Assignment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AssignmentVisitor)
    }
}

/// Written out rather than derived: a name alone stands for its defaults, and an unknown one is answered with the nearest.
struct AssignmentVisitor;

impl<'de> Visitor<'de> for AssignmentVisitor {
    type Value = Assignment;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "one of {}, or {{ NAME = {{ setting = value }} }}", NAMES.join(", "))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Assignment, E> {
        match name {
            "center" => Ok(Assignment::Center),
            "fcos" => Ok(Assignment::Fcos(Fcos::default())),
            "task_aligned" => Ok(Assignment::TaskAligned(TaskAligned::default())),
            other => Err(E::custom(crate::error::unknown("assignment", other, &NAMES))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Assignment, A::Error> {
        let name: String =
            map.next_key()?.ok_or_else(|| de::Error::custom("an empty table; write { NAME = { … } }"))?;
        let assignment = match name.as_str() {
            "fcos" => Assignment::Fcos(map.next_value()?),
            "task_aligned" => Assignment::TaskAligned(map.next_value()?),
            "center" => return Err(de::Error::custom("`center` has no settings; write \"center\"")),
            other => return Err(de::Error::custom(crate::error::unknown("assignment", other, &NAMES))),
        };
        match map.next_key::<String>()? {
            None => Ok(assignment),
            Some(second) => Err(de::Error::custom(format!("one assignment only: `{name}` or `{second}`"))),
        }
    }
}
