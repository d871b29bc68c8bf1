//! Intervals by resampling runs.

use super::aggregate::{between, interquartile_mean, middle_mean};
use super::{CONFIDENCE, Estimate};
use crate::Rng;
use rand::Rng as _;
use std::sync::OnceLock;

/// Stratified resamples: runs are drawn with replacement within each task (Agarwal et al. 2021, arXiv 2108.13264). Drawn once
/// and used for every point of a curve, so that its band belongs to whole runs.
pub struct Bootstrap {
    /// Values of one resample: tasks × runs.
    size: usize,
    confidence: f64,
    /// `[resamples, tasks, runs]`: which value of `[tasks, runs]` stands there.
    indices: Vec<u32>,
    /// `[tasks, runs, resamples]`: how often a value stands in a resample; made when it is needed.
    counts: OnceLock<Vec<f32>>,
}

impl Bootstrap {
    /// Intervals cover [`CONFIDENCE`].
    ///
    /// # Panics
    /// When there are no runs, or 2³² values and more.
    pub fn new((tasks, runs): (usize, usize), resamples: usize, rng: &mut Rng) -> Self {
        let size = tasks * runs;
        assert!(u32::try_from(size).is_ok(), "{size} values are too many to resample");
        let mut indices = Vec::with_capacity(resamples * size);
        for _ in 0..resamples {
            for task in 0..tasks {
                indices.extend((0..runs).map(|_| (task * runs + rng.random_range(0..runs)) as u32));
            }
        }
        Bootstrap { size, confidence: CONFIDENCE, indices, counts: OnceLock::new() }
    }

    /// The same resamples, with intervals that cover another share.
    pub fn covering(self, confidence: f64) -> Self {
        Bootstrap { confidence, ..self }
    }

    /// Any statistic of `scores`, `[tasks, runs]`, with its percentile interval. `statistic` is called with slices of that shape.
    ///
    /// # Panics
    /// When the scores don't have the shape of the resamples.
    pub fn estimate(&self, scores: &[f64], mut statistic: impl FnMut(&[f64]) -> f64) -> Estimate {
        let point = statistic(scores);
        let mut resample = vec![0.0; self.size];
        let replicates = self.resamples(scores).map(|indices| {
            draw(scores, indices, &mut resample);
            statistic(&resample)
        });
        percentile_estimate(point, &mut replicates.collect::<Vec<f64>>(), self.confidence)
    }

    /// The interquartile mean of `scores`, `[tasks, runs]`, with its percentile interval: as by [`Self::estimate`], bit for bit where the scores
    /// are few and up to rounding where they are many, but several times as fast.
    pub fn interquartile_mean(&self, scores: &[f64]) -> Estimate {
        let resamples = self.resamples(scores);
        let few = scores.len() <= FEW && scores.iter().all(|score| !score.is_nan());
        let mut replicates = match few {
            true => few_middle_means(scores, resamples),
            false if scores.iter().all(|score| score.is_finite()) => self.many_middle_means(scores),
            false => middle_means(scores, resamples),
        };
        percentile_estimate(interquartile_mean(scores), &mut replicates, self.confidence)
    }

    /// Many statistics at once, each with its pointwise interval, such as a profile at several thresholds.
    ///
    /// # Panics
    /// When the scores don't have the shape of the resamples; when `statistics` doesn't always return as many.
    pub fn band(&self, scores: &[f64], mut statistics: impl FnMut(&[f64]) -> Vec<f64>) -> Vec<Estimate> {
        let points = statistics(scores);
        let mut replicates: Vec<Vec<f64>> = vec![Vec::new(); points.len()];
        let mut resample = vec![0.0; self.size];
        for indices in self.resamples(scores) {
            draw(scores, indices, &mut resample);
            let values = statistics(&resample);
            assert_eq!(values.len(), points.len(), "as many statistics of every resample");
            replicates.iter_mut().zip(values).for_each(|(all, value)| all.push(value));
        }
        let estimate =
            |(point, replicates): (&f64, &mut Vec<f64>)| percentile_estimate(*point, replicates, self.confidence);
        points.iter().zip(&mut replicates).map(estimate).collect()
    }

    /// A statistic of two arms with its percentile interval. Resamples of one arm come from `self`, those of the other from
    /// `other`: drawn apart for independent runs; the same one for runs that belong together seed by seed.
    ///
    /// # Panics
    /// When the scores don't have the shapes of the resamples, or the numbers of resamples differ.
    pub fn compare(
        &self,
        other: &Bootstrap,
        (x, y): (&[f64], &[f64]),
        mut statistic: impl FnMut(&[f64], &[f64]) -> f64,
    ) -> Estimate {
        let mut replicates = self.replicates(other, (x, y), &mut statistic);
        percentile_estimate(statistic(x, y), &mut replicates, self.confidence)
    }

    /// `statistic(x) − statistic(y)` with its percentile interval, and the two-sided p of its being 0: twice the share of
    /// resamples on the smaller side of 0, those at 0 on both (Efron & Tibshirani 1993, section 15.4). As [`Self::compare`].
    pub fn difference(
        &self,
        other: &Bootstrap,
        (x, y): (&[f64], &[f64]),
        mut statistic: impl FnMut(&[f64]) -> f64,
    ) -> (Estimate, f64) {
        let mut difference = |x: &[f64], y: &[f64]| statistic(x) - statistic(y);
        let mut replicates = self.replicates(other, (x, y), &mut difference);
        let share = |count: usize| (count + 1) as f64 / (replicates.len() + 1) as f64;
        let below = replicates.iter().filter(|value| **value <= 0.0).count();
        let above = replicates.iter().filter(|value| **value >= 0.0).count();
        let p = (2.0 * share(below.min(above))).min(1.0);
        let estimate = percentile_estimate(difference(x, y), &mut replicates, self.confidence);
        (estimate, if estimate.point.is_nan() { f64::NAN } else { p })
    }

    fn replicates(
        &self,
        other: &Bootstrap,
        (x, y): (&[f64], &[f64]),
        statistic: &mut impl FnMut(&[f64], &[f64]) -> f64,
    ) -> Vec<f64> {
        let (of_x, of_y) = (self.resamples(x), other.resamples(y));
        assert_eq!(of_x.len(), of_y.len(), "as many resamples of both");
        let (mut resample_x, mut resample_y) = (vec![0.0; x.len()], vec![0.0; y.len()]);
        let pairs = of_x.zip(of_y).map(|(of_x, of_y)| {
            draw(x, of_x, &mut resample_x);
            draw(y, of_y, &mut resample_y);
            statistic(&resample_x, &resample_y)
        });
        pairs.collect()
    }

    /// As [`middle_means`], of finite scores: what each of them adds to the middle of all resamples, from the least to the largest.
    fn many_middle_means(&self, scores: &[f64]) -> Vec<f64> {
        let resamples = self.indices.len() / self.size;
        let counts = self.counts.get_or_init(|| {
            let mut counts = vec![0.0; self.indices.len()];
            for (resample, indices) in self.indices.chunks_exact(self.size).enumerate() {
                indices.iter().for_each(|&i| counts[i as usize * resamples + resample] += 1.0);
            }
            counts
        });
        let mut order: Vec<usize> = (0..self.size).collect();
        order.sort_unstable_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let cut = self.size / 4;
        let (low, high) = (cut as f32, (self.size - cut) as f32);
        let (mut places, mut sums) = (vec![0.0f32; resamples], vec![0.0f64; resamples]);
        for i in order {
            let row = &counts[i * resamples..(i + 1) * resamples];
            for ((place, sum), count) in places.iter_mut().zip(&mut sums).zip(row) {
                let end = *place + count;
                let inside = (end.min(high) - place.max(low)).max(0.0);
                *sum += scores[i] * f64::from(inside);
                *place = end;
            }
        }
        sums.iter().map(|sum| sum / (self.size - 2 * cut) as f64).collect()
    }

    fn resamples(&self, scores: &[f64]) -> std::slice::ChunksExact<'_, u32> {
        assert_eq!(scores.len(), self.size, "one value per task and run");
        self.indices.chunks_exact(self.size)
    }
}

fn draw(scores: &[f64], indices: &[u32], resample: &mut [f64]) {
    resample.iter_mut().zip(indices).for_each(|(out, &i)| *out = scores[i as usize]);
}

/// The interquartile mean of each resample. The scores are sorted once, resamples of them by counting.
fn middle_means(scores: &[f64], resamples: std::slice::ChunksExact<u32>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let sorted: Vec<f64> = order.iter().map(|&i| scores[i]).collect();
    let mut ranks = vec![0; scores.len()];
    order.iter().enumerate().for_each(|(rank, &i)| ranks[i] = rank);
    let (mut resample, mut places) = (vec![0.0; scores.len()], vec![0; scores.len()]);
    let middle_mean_of = |indices: &[u32]| {
        places.fill(0);
        indices.iter().for_each(|&i| places[ranks[i as usize]] += 1);
        let mut end = 0;
        for place in &mut places {
            end += std::mem::replace(place, end);
        }
        for &i in indices {
            let rank = ranks[i as usize];
            resample[places[rank]] = sorted[rank];
            places[rank] += 1;
        }
        middle_mean(&resample)
    };
    resamples.map(middle_mean_of).collect()
}

/// Up to so many scores are sorted faster by a network.
const FEW: usize = 32;
/// Resamples that go through the network side by side.
const LANES: usize = 8;

/// As [`middle_means`], of few scores that are numbers: a network sorts several resamples at a time, without a branch.
fn few_middle_means(scores: &[f64], resamples: std::slice::ChunksExact<u32>) -> Vec<f64> {
    let size = scores.len();
    let network = sorting_network(size);
    let cut = size / 4;
    let mut lanes = vec![[0.0; LANES]; size];
    let mut means = Vec::with_capacity(resamples.len().next_multiple_of(LANES));
    let count = resamples.len();
    let mut resamples = resamples.peekable();
    while resamples.peek().is_some() {
        for (lane, indices) in resamples.by_ref().take(LANES).enumerate() {
            lanes.iter_mut().zip(indices).for_each(|(row, &i)| row[lane] = scores[i as usize]);
        }
        for &(low, high) in &network {
            let (a, b) = (lanes[low], lanes[high]);
            for lane in 0..LANES {
                // Of equal ones, zeros of either sign, each goes to one place.
                lanes[low][lane] = if a[lane] < b[lane] { a[lane] } else { b[lane] };
                lanes[high][lane] = if b[lane] > a[lane] { b[lane] } else { a[lane] };
            }
        }
        let mut sums = [-0.0; LANES];
        for row in &lanes[cut..size - cut] {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        means.extend(sums.map(|sum| sum / (size - 2 * cut) as f64));
    }
    means.truncate(count);
    means
}

/// Pairs of places that are put in order one after the other, by which any `size` values are sorted: merge exchange (Batcher
/// 1968; Knuth, The Art of Computer Programming 3, algorithm 5.2.2M).
fn sorting_network(size: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let top = size.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            pairs.extend((0..size.saturating_sub(d)).filter(|i| i & p == r).map(|i| (i, i + d)));
            if q == p {
                break;
            }
            (d, q, r) = (q - p, q / 2, p);
        }
        p /= 2;
    }
    pairs
}

/// The ends of the middle `confidence` of replicates, which are reordered. NaN over none.
pub(super) fn percentile_estimate(point: f64, replicates: &mut [f64], confidence: f64) -> Estimate {
    let tail = (1.0 - confidence) / 2.0;
    Estimate { point, low: selected_quantile(replicates, tail), high: selected_quantile(replicates, 1.0 - tail) }
}

/// [`quantile`](super::quantile) of values that are not sorted, in linear time.
fn selected_quantile(values: &mut [f64], q: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let at = q * (values.len() - 1) as f64;
    let (_, &mut below, rest) = values.select_nth_unstable_by(at.floor() as usize, f64::total_cmp);
    let above = rest.iter().copied().min_by(f64::total_cmp).unwrap_or(below);
    between(below, above, at.fract())
}

#[cfg(test)]
mod tests {
    use super::super::{mean, median, quantile};
    use super::*;
    use lossward_envs::stream;
    use rand_distr::{Distribution, StandardNormal};

    /// For the mean of the middle half of normal draws there is no closed form, but its interval must cover the center in
    /// about 95 % of repetitions. The percentile interval of 20 runs is known to be a little short.
    #[test]
    fn intervals_cover_the_truth_about_as_often_as_they_say() {
        let mut rng = stream(0, "test", 0);
        let covered = (0..400)
            .filter(|_| {
                let values: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(20).collect();
                let estimate = Bootstrap::new((1, 20), 500, &mut rng).interquartile_mean(&values);
                estimate.low <= 0.0 && 0.0 <= estimate.high
            })
            .count();
        assert!((352..=392).contains(&covered), "{covered} of 400 intervals cover the truth");
    }

    /// Sums of few and of many values, with ties, zeros of both signs and infinities.
    #[test]
    fn counting_gives_the_bits_of_sorting() {
        let mut rng = stream(0, "test", 1);
        for (tasks, runs) in [(1, 1), (1, 2), (1, 10), (3, 7), (1, 32), (10, 10)] {
            for step in [0.0, 0.5] {
                let round = |value: f64| if step > 0.0 { (value / step).round() * step } else { value };
                let mut scores: Vec<f64> =
                    StandardNormal.sample_iter(&mut rng).take(tasks * runs).map(|value: f64| round(value)).collect();
                if runs > 2 && step > 0.0 {
                    scores[1] = f64::INFINITY;
                }
                let bootstrap = Bootstrap::new((tasks, runs), 300, &mut rng).covering(0.9);
                let (fast, plain) =
                    (bootstrap.interquartile_mean(&scores), bootstrap.estimate(&scores, interquartile_mean));
                let near = |of: fn(&Estimate) -> f64| {
                    let (fast, exact) = (of(&fast), of(&plain));
                    let few = scores.len() <= FEW || !scores.iter().all(|score| score.is_finite());
                    fast.to_bits() == exact.to_bits() || !few && (fast - exact).abs() <= 1e-13
                };
                assert!(
                    near(|e| e.point) && near(|e| e.low) && near(|e| e.high),
                    "{tasks} × {runs}: {fast:?}, {plain:?}"
                );
            }
        }
    }

    /// All 3³ · 2 resamples' means of the first task are known by counting: between 0 and 3 with these masses.
    #[test]
    fn runs_are_drawn_with_replacement_within_their_task() {
        let bootstrap = Bootstrap::new((2, 3), 20_000, &mut stream(0, "test", 2));
        let scores = [0.0, 0.0, 3.0, 100.0, 100.0, 100.0];
        let mut shares = [0.0f64; 4];
        bootstrap.estimate(&scores, |resample| {
            assert!(resample[..3].iter().all(|score| *score < 50.0) && resample[3..] == [100.0; 3]);
            let ones = resample[..3].iter().filter(|score| **score == 3.0).count();
            shares[ones] += 1.0 / 20_000.0;
            0.0
        });
        for (share, exact) in shares.iter().zip([8.0, 12.0, 6.0, 1.0].map(|count| count / 27.0)) {
            assert!((share - exact).abs() < 0.015, "{shares:?}");
        }
    }

    /// By the zero-one principle a network that sorts all zeros and ones sorts everything.
    #[test]
    fn networks_sort() {
        for size in 0..=13 {
            for pattern in 0..1u32 << size {
                let mut values: Vec<u32> = (0..size).map(|i| pattern >> i & 1).collect();
                for (low, high) in sorting_network(size) {
                    if values[low] > values[high] {
                        values.swap(low, high);
                    }
                }
                assert!(values.is_sorted(), "{size}, {pattern:b}");
            }
        }
    }

    #[test]
    fn selected_quantiles_are_those_of_sorted_values() {
        let values: Vec<f64> = StandardNormal.sample_iter(&mut stream(0, "test", 3)).take(101).collect();
        let mut sorted = values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        for q in [0.0, 0.025, 0.3, 0.5, 0.977, 1.0] {
            assert_eq!(selected_quantile(&mut values.clone(), q), quantile(&sorted, q));
        }
        assert!(selected_quantile(&mut [], 0.5).is_nan());
    }

    #[test]
    fn runs_that_belong_together_are_resampled_together() {
        let x: Vec<f64> = StandardNormal.sample_iter(&mut stream(0, "test", 6)).take(12).collect();
        let y: Vec<f64> = x.iter().map(|x| x - 0.5).collect();
        let mut rng = stream(0, "test", 7);
        let (first, second) = (Bootstrap::new((1, 12), 2_000, &mut rng), Bootstrap::new((1, 12), 2_000, &mut rng));
        let (paired, p) = first.difference(&first, (&x, &y), mean);
        assert!((paired.low - 0.5).abs() < 1e-12 && (paired.high - 0.5).abs() < 1e-12, "{paired:?}");
        assert_eq!(p, 2.0 / 2_001.0);
        let (apart, p) = first.difference(&second, (&x, &y), mean);
        assert!(apart.low < 0.0 && apart.high > 1.0 && p > 0.1, "{apart:?}, {p}");
        assert_eq!(first.difference(&second, (&x, &x), |_| 1.0).1, 1.0);
        assert_eq!(apart, first.compare(&second, (&x, &y), |x, y| mean(x) - mean(y)));
    }

    #[test]
    fn a_wider_share_has_a_wider_interval_of_any_statistic() {
        let scores: Vec<f64> = StandardNormal.sample_iter(&mut stream(0, "test", 4)).take(20).collect();
        let estimate = |confidence: f64, statistic: fn(&[f64]) -> f64| {
            Bootstrap::new((4, 5), 2_000, &mut stream(0, "test", 5)).covering(confidence).estimate(&scores, statistic)
        };
        for statistic in [mean, |scores: &[f64]| median(scores, 4)] {
            let (wide, narrow) = (estimate(0.99, statistic), estimate(0.5, statistic));
            assert!(
                wide.low < narrow.low && narrow.low < wide.point && wide.point < narrow.high && narrow.high < wide.high
            );
        }
    }
}
