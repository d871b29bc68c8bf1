//! What a detector's network puts out, and how boxes are read off it.

use super::distance::{corners_at, expected_bin};
use super::{Corners, Found, PointGrid, Suppression};
use crate::kernel::{Buffer, with_slice};
use crate::{Error, Result};
use candle_core::{DType, Tensor, WithDType};

/// The outputs `[batch, channels, points]` of a detector: a logit per class, then the logits of `bins` distances to the left, top,
/// right and bottom side.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub grid: PointGrid,
    pub classes: usize,
    pub bins: usize,
}

impl Head {
    /// # Errors
    /// When there is no class, or fewer than two bins.
    pub fn new(grid: PointGrid, classes: usize, bins: usize) -> Result<Head> {
        if classes == 0 {
            return Err(Error::Argument("a detector needs at least one class".into()));
        }
        if bins < 2 {
            return Err(Error::setting("bins", format!("`bins` must be at least 2, not {bins}")));
        }
        Ok(Head { grid, classes, bins })
    }

    /// `classes + 4 bins`
    pub fn channels(&self) -> usize {
        self.classes + 4 * self.bins
    }

    /// The outputs in double precision, `[batch, channels, points]` one after another.
    pub(super) fn read(&self, outputs: &Tensor) -> Result<Buffer<f64>> {
        let wanted = [self.channels(), self.grid.points().len()];
        if outputs.rank() != 3 || outputs.dims()[1..] != wanted {
            let (dims, [channels, points]) = (outputs.dims(), wanted);
            let message = format!("outputs of shape {dims:?}; a detector's are [batch, {channels}, {points}]");
            return Err(Error::Argument(message));
        }
        let mut buffer = Buffer::any(outputs.elem_count());
        let outputs = outputs.contiguous()?;
        match outputs.dtype() {
            DType::F32 => with_slice(&outputs, |values: &[f32]| widen(values, &mut buffer))?,
            DType::F64 => with_slice(&outputs, |values: &[f64]| widen(values, &mut buffer))?,
            other => return Err(Error::Argument(format!("outputs of dtype {other:?}; a detector's are f32 or f64"))),
        }
        Ok(buffer)
    }

    /// The outputs of each image.
    pub(super) fn images<'a>(&'a self, values: &'a [f64]) -> impl Iterator<Item = Image<'a>> {
        values.chunks_exact(self.channels() * self.grid.points().len()).map(|values| Image { head: self, values })
    }

    /// The box that each point predicts, image by image; it may reach beyond the image.
    ///
    /// # Errors
    /// When the outputs have another shape or dtype, as of all that reads them.
    pub fn boxes(&self, outputs: &Tensor) -> Result<Vec<Vec<Corners>>> {
        let values = self.read(outputs)?;
        let of_image = |image: Image| (0..self.grid.points().len()).map(|point| image.corners(point)).collect();
        Ok(self.images(&values).map(of_image).collect())
    }

    /// The boxes that are found in each image, by falling score. The score of a class is the logistic function of its logit, and a point
    /// may give a box of several classes.
    pub fn found(&self, outputs: &Tensor, suppression: &Suppression) -> Result<Vec<Vec<Found>>> {
        let values = self.read(outputs)?;
        let of_image = |image: Image| {
            let mut found = Vec::new();
            for point in 0..self.grid.points().len() {
                let scores = (0..self.classes).map(|class| (class, image.score(point, class)));
                let mut corners = None;
                for (class, score) in scores.filter(|(_, score)| *score > suppression.score) {
                    let corners = *corners.get_or_insert_with(|| image.corners(point));
                    found.push(Found { corners, class, score });
                }
            }
            suppression.kept(&found).into_iter().map(|i| found[i]).collect()
        };
        Ok(self.images(&values).map(of_image).collect())
    }

    /// The boxes of an action, `[classes + 4, points]`: whether there is an object of each class (0 or 1), and the bin of the distance to each side.
    /// All have the score 1; of those that overlap the first point's is kept.
    pub fn chosen(&self, action: &[u32], suppression: &Suppression) -> Vec<Found> {
        let found: Vec<Found> = self.claims(action).into_iter().map(|(_, found)| found).collect();
        suppression.kept(&found).into_iter().map(|i| found[i]).collect()
    }
}

fn widen<T: WithDType>(values: &[T], wide: &mut [f64]) {
    wide.iter_mut().zip(values).for_each(|(wide, value)| *wide = value.to_f64());
}

/// The outputs of one image, `[channels, points]`.
#[derive(Clone, Copy)]
pub(super) struct Image<'a> {
    head: &'a Head,
    values: &'a [f64],
}

impl Image<'_> {
    fn at(&self, channel: usize, point: usize) -> f64 {
        self.values[channel * self.head.grid.points().len() + point]
    }

    pub fn logit(&self, point: usize, class: usize) -> f64 {
        self.at(class, point)
    }

    /// `σ(logit)`
    pub fn score(&self, point: usize, class: usize) -> f64 {
        1.0 / (1.0 + (-self.logit(point, class)).exp())
    }

    /// The logits of the four distances, `[4, bins]`.
    pub fn bins(&self, point: usize) -> impl Iterator<Item = f64> {
        (self.head.classes..self.head.channels()).map(move |channel| self.at(channel, point))
    }

    pub fn corners(&self, point: usize) -> Corners {
        let bins = self.head.bins;
        let logits: Vec<f64> = self.bins(point).collect();
        let mut probabilities = vec![0.0; bins];
        let distances =
            std::array::from_fn(|side| expected_bin(&logits[side * bins..(side + 1) * bins], &mut probabilities));
        corners_at(&self.head.grid.points()[point], distances)
    }
}
