//! The mathematics of an anchor-free detector (FCOS, Tian et al. 2019, arXiv 1904.01355).
//!
//! Its network puts out, for every point of a [`PointGrid`], a logit per class and a distribution over the distance to each side of a box
//! ([`Head`]). An [`Assignment`] says which points answer for which [`Object`]; [`Terms`] holds the outputs of a batch against that,
//! term by term; [`Head::found`] reads boxes off the outputs, and [`Suppression`] keeps the best of those that overlap.

mod alternatives;
pub mod assignment;
mod composite;
mod distance;
pub mod format;
mod grid;
mod head;
mod suppression;
#[cfg(test)]
mod tests;

pub use assignment::{Assigned, Assignment};
pub use composite::{Terms, check_losses, is_term};
pub use distance::{bins_needed, corners_at, distances, expected_bin, farthest};
pub use grid::{GridPoint, Level, PointGrid};
pub use head::Head;
pub use suppression::Suppression;

use crate::metric::{Detection, TrueBox};

/// A box: x1, y1, x2, y2 in pixels, which are continuous: the first pixel reaches from 0 to 1.
pub type Corners = [f64; 4];

/// Something that is there in an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Object {
    pub corners: Corners,
    pub class: usize,
    /// Not to be learned and not to be judged: no point answers for it, and what is found within it is not held against the network.
    pub ignored: bool,
}

/// A box that was found in an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    pub corners: Corners,
    pub class: usize,
    pub score: f64,
}

impl Object {
    /// As a metric takes it; the category is the class.
    pub fn truth(&self, image: i64) -> TrueBox {
        let (category, bbox) = (self.class as i64, format::xywh(&self.corners));
        TrueBox { image, category, bbox, area: format::area(&self.corners), ignored: self.ignored }
    }
}

impl Found {
    /// As a metric takes it; the category is the class.
    pub fn detection(&self, image: i64) -> Detection {
        Detection { image, category: self.class as i64, bbox: format::xywh(&self.corners), score: self.score }
    }
}
