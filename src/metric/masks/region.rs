//! Pixels of an image that belong together.

use crate::{Error, Result};

/// A set of pixels of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    inside: Vec<bool>,
    width: usize,
}

/// Where a class is predicted in an image and where it truly is; both are of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    pub predicted: Region,
    pub truth: Region,
}

impl Region {
    /// Which pixels are inside, `[height, width]`.
    ///
    /// # Errors
    /// When there is none, or the rows are not whole.
    pub fn new(inside: Vec<bool>, width: usize) -> Result<Region> {
        if width == 0 || inside.is_empty() || !inside.len().is_multiple_of(width) {
            return Err(Error::Argument(format!("{} pixels are no whole number of rows of {width}", inside.len())));
        }
        Ok(Region { inside, width })
    }

    /// `[height, width]`
    pub fn inside(&self) -> &[bool] {
        &self.inside
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn height(&self) -> usize {
        self.inside.len() / self.width
    }

    pub fn is_empty(&self) -> bool {
        !self.inside.contains(&true)
    }

    /// The pixels of it that have a neighbor above, below, left or right outside of it or of the image.
    pub fn surface(&self) -> Region {
        let (width, last_row) = (self.width, self.inside.len() - self.width);
        let surrounded = |i: usize| {
            let (column, inner_row) = (i % width, (width..last_row).contains(&i));
            let inner = inner_row && column > 0 && column + 1 < width;
            inner && [i - width, i + width, i - 1, i + 1].into_iter().all(|neighbor| self.inside[neighbor])
        };
        let inside = self.inside.iter().enumerate().map(|(i, inside)| *inside && !surrounded(i)).collect();
        Region { inside, width }
    }
}
