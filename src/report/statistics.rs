//! Robust aggregates with intervals (Agarwal et al. 2021, arXiv 2108.13264).

use crate::Rng;
use rand::Rng as _;

/// A point estimate with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub point: f64,
    pub low: f64,
    pub high: f64,
}

/// The mean of the middle half: `⌊n/4⌋` values are dropped at each end. NaN over nothing.
///
/// Infinite values are allowed (a threshold that was never reached); they matter only if they stand in the middle half.
pub fn interquartile_mean(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let cut = sorted.len() / 4;
    let middle = &sorted[cut..sorted.len() - cut];
    middle.iter().sum::<f64>() / middle.len() as f64
}

/// The quantile `q` in `[0, 1]` of sorted values, interpolated linearly between neighbors.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (below, share) = (sorted[at.floor() as usize], at.fract());
    // Without this, the step to an infinite value would be 0 · ∞, and the one between two of them ∞ − ∞.
    if share == 0.0 || below.is_infinite() { below } else { below + share * (sorted[at.ceil() as usize] - below) }
}

/// Stratified resamples: runs are drawn with replacement within each task. Drawn once and used for every point of a curve,
/// so that its band belongs to whole runs.
pub struct Bootstrap {
    /// Values of one resample: tasks × runs.
    size: usize,
    /// `[resamples, tasks, runs]`
    indices: Vec<usize>,
}

/// The share that intervals cover.
pub const CONFIDENCE: f64 = 0.95;

impl Bootstrap {
    /// # Panics
    /// When there are no runs.
    pub fn new((tasks, runs): (usize, usize), resamples: usize, rng: &mut Rng) -> Self {
        let tasks_of_all = (0..resamples).flat_map(|_| 0..tasks);
        let draws = tasks_of_all.flat_map(|task| std::iter::repeat_n(task * runs, runs));
        let indices = draws.map(|first| first + rng.random_range(0..runs)).collect();
        Bootstrap { size: tasks * runs, indices }
    }

    /// The interquartile mean of all values, `[tasks, runs]`, with its percentile interval of 95 %.
    pub fn interquartile_mean(&self, values: &[f64]) -> Estimate {
        assert_eq!(values.len(), self.size, "one value per task and run");
        let mut resample = vec![0.0; self.size];
        let mut replicates: Vec<f64> = self
            .indices
            .chunks_exact(self.size)
            .map(|indices| {
                resample.iter_mut().zip(indices).for_each(|(out, &i)| *out = values[i]);
                interquartile_mean(&resample)
            })
            .collect();
        replicates.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - CONFIDENCE) / 2.0;
        Estimate {
            point: interquartile_mean(values),
            low: quantile(&replicates, tail),
            high: quantile(&replicates, 1.0 - tail),
        }
    }
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

    /// For the mean of the middle half of normal draws there is no closed form, but its interval must cover the center in
    /// about 95 % of repetitions. The percentile interval of 20 runs is known to be a little short.
    #[test]
    fn intervals_cover_the_truth_about_as_often_as_they_say() {
        use rand_distr::{Distribution, StandardNormal};
        let mut rng = lossward_envs::stream(0, "test", 0);
        let covered = (0..400)
            .filter(|_| {
                let values: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(20).collect();
                let estimate = Bootstrap::new((1, 20), 500, &mut rng).interquartile_mean(&values);
                estimate.low <= 0.0 && 0.0 <= estimate.high
            })
            .count();
        assert!((352..=392).contains(&covered), "{covered} of 400 intervals cover the truth");
    }
}
