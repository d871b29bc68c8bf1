//! Distances from a point to the sides of its box, as distributions over bins (Li et al. 2020, arXiv 2006.04388): bin i stands for i strides.

use super::{Corners, GridPoint};
use crate::loss::boxes::BELOW_LAST_BIN;

/// `Σ i pᵢ` with `p = softmax(logits)`, the distance in strides; `probabilities` become `p`.
///
/// Its derivative by logit i is `pᵢ (i − Σ j pⱼ)`.
pub fn expected_bin(logits: &[f64], probabilities: &mut [f64]) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (i, (probability, logit)) in probabilities.iter_mut().zip(logits).enumerate() {
        *probability = (logit - largest).exp();
        sum += *probability;
        weighted += i as f64 * *probability;
    }
    probabilities.iter_mut().for_each(|probability| *probability /= sum);
    weighted / sum
}

/// The box whose left, top, right and bottom side are this many strides from the point; it may reach beyond the image.
pub fn corners_at(point: &GridPoint, [left, top, right, bottom]: [f64; 4]) -> Corners {
    let GridPoint { x, y, stride } = *point;
    [x - left * stride, y - top * stride, x + right * stride, y + bottom * stride]
}

/// How many strides the left, top, right and bottom side are away: at least 0 and at most what `bins` reach, `bins − 1.01`.
pub fn distances(point: &GridPoint, corners: &Corners, bins: usize) -> [f64; 4] {
    point.sides(corners).map(|side| (side / point.stride).clamp(0.0, reach(bins)))
}

fn reach(bins: usize) -> f64 {
    (bins.max(2) - 1) as f64 - BELOW_LAST_BIN
}

/// The pixels that a side may be away when there are so many bins.
pub fn farthest(bins: usize, stride: f64) -> f64 {
    reach(bins) * stride
}

/// The bins that are needed for a side so many pixels away.
pub fn bins_needed(pixels: f64, stride: f64) -> usize {
    // A side on a bin needs the next one, too, whatever the division rounds to.
    ((pixels / stride + BELOW_LAST_BIN - 1e-9).ceil().max(1.0) as usize).saturating_add(1)
}
