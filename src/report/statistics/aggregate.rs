//! What many scores come to in one number (Agarwal et al. 2021, arXiv 2108.13264).

/// `Σ x / n`. NaN over nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// `Σ (x − x̄)² / (n − 1)`. NaN over fewer than two values.
pub fn variance(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let center = mean(values);
    values.iter().map(|value| (value - center).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

/// The median over tasks of each task's mean over runs; `scores` is `[tasks, runs]`. Of an even number of tasks the mean of
/// the two in the middle. NaN over nothing.
///
/// # Panics
/// When the scores don't divide into `tasks` rows.
pub fn median(scores: &[f64], tasks: usize) -> f64 {
    let mut means = task_means(scores, tasks);
    if means.is_empty() {
        return f64::NAN;
    }
    means.sort_unstable_by(f64::total_cmp);
    quantile(&means, 0.5)
}

/// The mean over runs of each task, `[tasks]`, of `scores`, `[tasks, runs]`.
pub(super) fn task_means(scores: &[f64], tasks: usize) -> Vec<f64> {
    rows(scores, tasks).map(mean).collect()
}

/// The runs of each task.
pub(super) fn rows(scores: &[f64], tasks: usize) -> std::slice::ChunksExact<'_, f64> {
    assert!(tasks > 0 && scores.len().is_multiple_of(tasks), "{} scores are not {tasks} rows", scores.len());
    scores.chunks_exact((scores.len() / tasks).max(1))
}

/// The mean of the middle half: `⌊n/4⌋` values are dropped at each end. NaN over nothing.
///
/// Infinite values are allowed (a threshold that was never reached); they matter only if they stand in the middle half.
pub fn interquartile_mean(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    middle_mean(&sorted)
}

/// [`interquartile_mean`] of sorted values.
pub(super) fn middle_mean(sorted: &[f64]) -> f64 {
    let cut = sorted.len() / 4;
    mean(&sorted[cut..sorted.len() - cut])
}

/// `γ − mean(min(x, γ))`: how far scores are from `gamma`, where 1 is often the score of a human or of an expert; what is
/// beyond it counts as there. NaN over nothing.
pub fn optimality_gap(values: &[f64], gamma: f64) -> f64 {
    gamma - values.iter().map(|value| value.min(gamma)).sum::<f64>() / values.len() as f64
}

/// The quantile `q` in `[0, 1]` of sorted values, interpolated linearly between neighbors (type 7 of Hyndman & Fan 1996).
///
/// # Panics
/// Over nothing.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    between(sorted[at.floor() as usize], sorted[at.ceil() as usize], at.fract())
}

/// The point at `share` of the way between neighbors.
pub(super) fn between(below: f64, above: f64, share: f64) -> f64 {
    // Without this, the step to an infinite value would be 0 · ∞, and the one between two of them ∞ − ∞.
    if share == 0.0 || below.is_infinite() { below } else { below + share * (above - below) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinities_outside_the_middle_half_do_not_matter() {
        assert_eq!(interquartile_mean(&[1.0, 2.0, 3.0, f64::INFINITY]), 2.5);
        assert_eq!(interquartile_mean(&[1.0, f64::INFINITY, f64::INFINITY, f64::INFINITY]), f64::INFINITY);
        assert_eq!(quantile(&[1.0, 2.0, f64::INFINITY], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, f64::INFINITY, f64::INFINITY], 0.9), f64::INFINITY);
    }

    #[test]
    fn what_cannot_be_computed_is_not_a_number() {
        assert!(
            [mean(&[]), median(&[], 1), interquartile_mean(&[]), optimality_gap(&[], 1.0)].iter().all(|x| x.is_nan())
        );
        assert!(variance(&[1.0]).is_nan());
        assert_eq!(variance(&[1.0, 3.0]), 2.0);
    }

    /// Means of tasks 1, 5 and 30; their median is not the median of all scores, 3.
    #[test]
    fn the_median_is_over_tasks() {
        assert_eq!(median(&[0.0, 2.0, 3.0, 7.0, 0.0, 60.0], 3), 5.0);
        assert_eq!(median(&[0.0, 2.0, 3.0, 7.0], 2), 3.0);
    }
}
