//! The points whose prediction fits a box best, by its class and its place together (TOOD, Feng et al. 2021, arXiv 2108.07755).

use super::{Assigned, Predicted, learned};
use crate::detection::{GridPoint, Object};
use crate::loss::boxes::{Overlap, between};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Points strictly inside a box are ranked by `t = s^α u^β`, with `s` the score of its class and `u` the overlap of the predicted box. The
/// `top_k` with the largest `t > 0` answer for it (of equal ones the first); a point that several boxes claim answers for the one that it
/// overlaps most, of equal ones the first. Its score is to become `t max u / (max t + ε)`, the maxima over the points of its box.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaskAligned {
    pub top_k: usize,
    pub alpha: f64,
    pub beta: f64,
    pub overlap: Alignment,
    /// ε
    pub epsilon: f64,
}

/// What `u` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// Intersection over union.
    Iou,
    /// The complete overlap of Zheng et al. 2019, at least 0.
    Ciou,
}

/// The paper's.
impl Default for TaskAligned {
    fn default() -> Self {
        TaskAligned { top_k: 13, alpha: 1.0, beta: 6.0, overlap: Alignment::Iou, epsilon: 1e-9 }
    }
}

/// A point is inside a box if every side is farther than this.
const INSIDE: f64 = 1e-9;

/// In the denominators of the complete overlap, as in its loss.
const OVERLAP_EPSILON: f64 = 1e-7;

/// A point that a box asks for.
#[derive(Clone, Copy)]
struct Claim {
    point: usize,
    alignment: f64,
    overlap: f64,
}

impl TaskAligned {
    pub(super) fn check(&self) -> Result<()> {
        if self.top_k == 0 {
            return Err(Error::setting("top_k", "`top_k` must be at least 1, not 0"));
        }
        for (key, value) in [("alpha", self.alpha), ("beta", self.beta), ("epsilon", self.epsilon)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::setting(key, format!("`{key}` must be at least 0, not {value}")));
            }
        }
        Ok(())
    }

    /// Of the points of one image, in any order.
    pub fn assigned(&self, points: &[GridPoint], objects: &[Object], predicted: Predicted) -> Assigned {
        let mut winners: Vec<Option<(usize, Claim)>> = vec![None; points.len()];
        let mut boxes = vec![None; points.len()];
        let mut corners = |point: usize| *boxes[point].get_or_insert_with(|| (predicted.corners)(point));
        for (index, object) in learned(objects) {
            let inside = |point: &usize| points[*point].sides(&object.corners).iter().all(|side| *side > INSIDE);
            let claims = (0..points.len()).filter(inside).map(|point| {
                let overlap = self.overlap(object, &corners(point));
                let alignment = (predicted.score)(point, object.class).powf(self.alpha) * overlap.powf(self.beta);
                Claim { point, alignment, overlap }
            });
            let mut claims: Vec<Claim> = claims.filter(|claim| claim.alignment > 0.0).collect();
            claims.sort_by(|a, b| b.alignment.total_cmp(&a.alignment));
            for claim in claims.into_iter().take(self.top_k) {
                if winners[claim.point].is_none_or(|(_, other)| claim.overlap > other.overlap) {
                    winners[claim.point] = Some((index, claim));
                }
            }
        }
        self.scored(&winners, objects.len())
    }

    fn overlap(&self, object: &Object, corners: &[f64; 4]) -> f64 {
        match self.overlap {
            Alignment::Iou => between(Overlap::Iou, corners, &object.corners, 0.0),
            Alignment::Ciou => between(Overlap::Ciou, corners, &object.corners, OVERLAP_EPSILON).max(0.0),
        }
    }

    fn scored(&self, winners: &[Option<(usize, Claim)>], objects: usize) -> Assigned {
        let mut largest = vec![(0.0f64, 0.0f64); objects];
        for (owner, claim) in winners.iter().flatten() {
            let (alignment, overlap) = largest[*owner];
            largest[*owner] = (alignment.max(claim.alignment), overlap.max(claim.overlap));
        }
        let mut assigned = Assigned::none(winners.len());
        for (point, winner) in winners.iter().enumerate() {
            if let Some((owner, claim)) = winner {
                let (alignment, overlap) = largest[*owner];
                assigned.owners[point] = Some(*owner);
                assigned.scores[point] = claim.alignment * overlap / (alignment + self.epsilon);
            }
        }
        assigned
    }
}
