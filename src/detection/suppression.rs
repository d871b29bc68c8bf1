//! Of boxes that overlap, the best.

use super::Found;
use crate::loss::boxes::{Overlap, between};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Greedy non-maximum suppression within each class: from the highest score to the lowest, a box is kept unless it overlaps a kept one
/// of its class.
///
/// As `torchvision.ops.batched_nms` behind a threshold of the score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Suppression {
    /// Two boxes are of one object where their intersection over union is above this.
    pub iou: f64,
    /// Boxes whose score is not above this are left out.
    pub score: f64,
    /// The most boxes that are kept of an image.
    pub at_most: usize,
}

impl Default for Suppression {
    fn default() -> Self {
        Suppression { iou: 0.5, score: 0.05, at_most: 100 }
    }
}

impl Suppression {
    /// # Errors
    /// When a setting is out of range; at its key.
    pub fn check(&self) -> Result<()> {
        for (key, value) in [("iou", self.iou), ("score", self.score)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::setting(key, format!("`{key}` must be in [0, 1], not {value}")));
            }
        }
        match self.at_most {
            0 => Err(Error::setting("at_most", "`at_most` must be at least 1, not 0")),
            _ => Ok(()),
        }
    }

    /// The indices of those that are kept, by falling score; of equal scores the lower index comes first.
    pub fn kept(&self, found: &[Found]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..found.len()).filter(|i| found[*i].score > self.score).collect();
        order.sort_by(|a, b| found[*b].score.total_cmp(&found[*a].score));
        let mut kept: Vec<usize> = Vec::new();
        for i in order {
            if kept.len() >= self.at_most {
                break;
            }
            let is_same = |other: &Found| {
                other.class == found[i].class
                    && between(Overlap::Iou, &other.corners, &found[i].corners, 0.0) > self.iou
            };
            if !kept.iter().any(|other| is_same(&found[*other])) {
                kept.push(i);
            }
        }
        kept
    }
}
