//! Performance profiles: the whole distribution of scores, from the easy to the hard (Agarwal et al. 2021, arXiv 2108.13264).
//!
//! With a pointwise band: `bootstrap.band(scores, |resample| run_score_profile(resample, thresholds))`.

use super::aggregate::task_means;

/// The share of all runs that score strictly more than each threshold, `[thresholds]`. NaN without runs.
pub fn run_score_profile(scores: &[f64], thresholds: &[f64]) -> Vec<f64> {
    let above = |threshold: &f64| scores.iter().filter(|score| *score > threshold).count() as f64 / scores.len() as f64;
    thresholds.iter().map(above).collect()
}

/// The share of tasks whose mean over runs is strictly more than each threshold, `[thresholds]`; `scores` is `[tasks, runs]`.
///
/// # Panics
/// When the scores don't divide into `tasks` rows.
pub fn average_score_profile(scores: &[f64], tasks: usize, thresholds: &[f64]) -> Vec<f64> {
    run_score_profile(&task_means(scores, tasks), thresholds)
}

#[cfg(test)]
mod tests {
    use super::super::{Bootstrap, mean};
    use super::*;
    use lossward_envs::stream;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn strictly_more_and_one_voice_per_task() {
        let scores = [0.0, 1.0, 1.0, 4.0];
        assert_eq!(run_score_profile(&scores, &[-1.0, 0.0, 1.0, 4.0]), [1.0, 0.75, 0.25, 0.0]);
        assert_eq!(average_score_profile(&scores, 2, &[0.4, 0.5, 2.4, 2.5]), [1.0, 0.5, 0.5, 0.0]);
    }

    /// The band at one threshold is the interval of a mean of zeros and ones; the area below the profile is the mean.
    #[test]
    fn bands_are_intervals_of_shares() {
        let scores: Vec<f64> = StandardNormal.sample_iter(&mut stream(0, "test", 0)).take(40).collect();
        let bootstrap = Bootstrap::new((4, 10), 1_000, &mut stream(0, "test", 1));
        let thresholds: Vec<f64> = (-400..400).map(|i| f64::from(i) / 100.0).collect();
        let band = bootstrap.band(&scores, |resample| run_score_profile(resample, &thresholds));
        let above: Vec<f64> = scores.iter().map(|score| f64::from(u8::from(*score > 0.0))).collect();
        assert_eq!(band[400], bootstrap.estimate(&above, mean));
        assert!(band.iter().all(|point| point.low <= point.point && point.point <= point.high));
        let area: f64 = band.iter().map(|point| point.point / 100.0).sum::<f64>() - 4.0;
        assert!((area - mean(&scores)).abs() < 0.01, "{area}");
    }
}
