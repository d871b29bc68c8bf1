//! How boxes are found: the settings of a detector, and what they come to in a data set.

use crate::data::{Augmentation, DataSet};
use crate::detection::{Assignment, Head, Level, PointGrid, Suppression, assignment::TaskAligned, bins_needed};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The `detector` table of a task. What is left out is as in [`DetectorSettings::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetectorSettings {
    /// The side of a cell of the grid in pixels; a network puts out a row of numbers for each.
    pub stride: usize,
    /// Of the distribution over the distance to a side: bin i stands for i strides.
    pub bins: usize,
    /// Which cells answer for which object.
    pub assignment: Assignment,
    /// Which of the boxes that overlap are kept.
    pub suppression: Suppression,
}

/// Cells of 4 pixels, 16 bins, task-aligned assignment.
impl Default for DetectorSettings {
    fn default() -> Self {
        DetectorSettings {
            stride: 4,
            bins: 16,
            assignment: Assignment::TaskAligned(TaskAligned::default()),
            suppression: Suppression::default(),
        }
    }
}

impl DetectorSettings {
    /// What a network of this data set puts out.
    ///
    /// # Errors
    /// When a setting is out of range or does not fit the images or their boxes; at its key.
    pub(super) fn head(&self, classes: usize, data: &DataSet) -> Result<Head> {
        let [_, height, width] = data.shape[..] else {
            let message = format!("a detector looks at images, and an input has the shape {:?}", data.shape);
            return Err(Error::Argument(message));
        };
        let stride = self.stride;
        if stride == 0 || height % stride != 0 || width % stride != 0 {
            let fitting = (1..=height.min(width)).filter(|side| height % side == 0 && width % side == 0);
            let fitting = fitting.map(|side| side.to_string()).collect::<Vec<_>>().join(", ");
            let message = format!(
                "`stride` is {stride}, which does not divide the sides of the images, {width}×{height} pixels; {fitting} do"
            );
            return Err(Error::setting("stride", message));
        }
        let grid = PointGrid::new(&[Level { height: height / stride, width: width / stride, stride: stride as f64 }])?;
        self.assignment.check(&grid).map_err(|error| error.under("assignment"))?;
        self.suppression.check().map_err(|error| error.under("suppression"))?;
        let head = Head::new(grid, classes, self.bins)?;
        self.check_bins(&head.grid, data, None)?;
        Ok(head)
    }

    /// Whether the bins reach the sides of the largest box, as it can come to be.
    ///
    /// # Errors
    /// When they don't; at `bins`.
    pub(super) fn check_bins(
        &self,
        grid: &PointGrid,
        data: &DataSet,
        augmentation: Option<&Augmentation>,
    ) -> Result<()> {
        let augmentation = augmentation.copied().unwrap_or_default();
        let boxes = data.train.targets.boxes().unwrap_or_default().iter().flat_map(|image| image.iter());
        let sides = boxes.filter(|object| !object.ignored).map(|object| {
            let [x1, y1, x2, y2] = object.corners.map(f64::from);
            augmentation.largest_side([x2 - x1, y2 - y1])
        });
        // What reaches over the edge is cut off.
        let edge = data.shape[1..].iter().max().map_or(0.0, |side| *side as f64);
        let largest = sides.fold(0.0, f64::max).min(edge);
        let needed = bins_needed(self.assignment.farthest_in_strides(grid, largest), 1.0);
        if self.bins >= needed {
            return Ok(());
        }
        let enlarged =
            if augmentation == Augmentation::default() { "" } else { ", turned and scaled as `augmentation` does," };
        let message = format!(
            "`bins` is {}, too few for the largest box to train on{enlarged} with a side of {} pixels, at a stride of {}; {needed} will do",
            self.bins,
            (100.0 * largest).round() / 100.0,
            self.stride
        );
        Err(Error::setting("bins", message))
    }
}
