//! How soon a threshold is reached, where some trials never get there.

use super::Estimate;
use super::distribution::normal_critical;

/// How far one trial came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    /// Examples until it reached the threshold, or until it ended without: the time is at least this.
    pub examples: f64,
    pub reached: bool,
}

/// The share of trials that still wait, as a function of the examples (Kaplan & Meier 1958): `Π (1 − d/n)` over the counts up
/// to there at which `d` of the `n` trials that had not ended yet reached the threshold.
///
/// A trial that ends without reaching it is not thrown away, nor taken for one that reached it at its end: it counts among those
/// who wait for as long as it ran. The summary of it is the *median*, which needs only half of the trials to get there, and is
/// infinite where fewer did: a mean would depend on what happens after the budget. Where arms had the same budget, the
/// *restricted mean* compares them even then.
pub struct Survival {
    /// One per count at which a trial got there, rising.
    steps: Vec<Step>,
    /// The longest wait.
    end: f64,
    trials: usize,
    /// Trials that got there.
    reached: usize,
}

struct Step {
    examples: f64,
    /// Of trials that still wait after it.
    share: f64,
    /// `Σ d / (n (n − d))` so far: the relative variance of `share` (Greenwood 1926).
    variance: f64,
    /// This step's part of it.
    own_variance: f64,
}

impl Survival {
    pub fn of(waits: &[Wait]) -> Self {
        let mut sorted = waits.to_vec();
        // At one count, who gets there does so before the others leave.
        sorted.sort_by(|a, b| a.examples.total_cmp(&b.examples).then(b.reached.cmp(&a.reached)));
        let mut waiting = sorted.len();
        let (mut share, mut variance) = (1.0, 0.0);
        let mut steps = Vec::new();
        for group in sorted.chunk_by(|a, b| a.examples == b.examples) {
            let reached = group.iter().filter(|wait| wait.reached).count();
            if reached > 0 {
                let (n, d) = (waiting as f64, reached as f64);
                share = if reached == waiting { 0.0 } else { share * (1.0 - d / n) };
                let own_variance = d / (n * (n - d));
                variance += own_variance;
                steps.push(Step { examples: group[0].examples, share, variance, own_variance });
            }
            waiting -= group.len();
        }
        Survival {
            steps,
            end: sorted.last().map_or(0.0, |wait| wait.examples),
            trials: waits.len(),
            reached: waits.iter().filter(|wait| wait.reached).count(),
        }
    }

    /// The share of trials that still wait after this many examples.
    pub fn share(&self, examples: f64) -> f64 {
        self.at(examples).map_or(1.0, |step| step.share)
    }

    /// [`Self::share`] with an interval on the scale of `ln(−ln share)`, which stays between 0 and 1. Where all or none of the
    /// trials wait there is no spread to judge by, and the end is that of Clopper & Pearson (1934): such a share is not
    /// surprising among this many.
    pub fn share_interval(&self, examples: f64, confidence: f64) -> Estimate {
        match self.at(examples) {
            Some(step) => self.interval(step, confidence),
            None => Estimate { point: 1.0, low: all_of(self.trials, confidence), high: 1.0 },
        }
    }

    /// The count by which half of the trials got there, with the interval of Brookmeyer & Crowley (1982): all counts at which the
    /// interval of the share contains ½. Infinite is what the trials did not live to show.
    ///
    /// Where exactly half wait for a while, the middle of that while, so that the median of trials that all got there is the
    /// usual one.
    pub fn median(&self, confidence: f64) -> Estimate {
        let first = |below: &dyn Fn(&Step) -> bool| self.steps.iter().position(below);
        let examples = |step: Option<usize>| step.map_or(f64::INFINITY, |step| self.steps[step].examples);
        let half = first(&|step| step.share <= 0.5 + 1e-12);
        let flat = half.filter(|&step| self.steps[step].share > 0.5 - 1e-12);
        let point = match flat.and_then(|step| self.steps.get(step + 1)) {
            Some(next) => (examples(half) + next.examples) / 2.0,
            None => examples(half),
        };
        let low = first(&|step| self.interval(step, confidence).low <= 0.5);
        let high = first(&|step| self.interval(step, confidence).high <= 0.5);
        Estimate { point, low: examples(low), high: examples(high) }
    }

    /// The mean of the waits, cut off at `horizon`: the area below the share up to there, with a normal interval inside
    /// `[0, horizon]` (Irwin 1949; the variance is Greenwood's). NaN beyond the longest wait, while some still wait there.
    pub fn restricted_mean(&self, horizon: f64, confidence: f64) -> Estimate {
        if horizon > self.end && self.share(self.end) > 0.0 {
            return Estimate { point: f64::NAN, low: f64::NAN, high: f64::NAN };
        }
        let before = || self.steps.iter().filter(|step| step.examples < horizon);
        let ends = before().skip(1).map(|step| step.examples).chain([horizon]);
        let mut areas: Vec<f64> = before().zip(ends).map(|(step, end)| step.share * (end - step.examples)).collect();
        // From each step to the horizon.
        (1..areas.len()).rev().for_each(|i| areas[i - 1] += areas[i]);
        let point = before().next().map_or(horizon, |first| first.examples) + areas.first().unwrap_or(&0.0);
        // After the last trial got there nothing is left, and its variance is infinite.
        let of_step = |(step, area): (&Step, &f64)| if *area > 0.0 { area * area * step.own_variance } else { 0.0 };
        let margin = normal_critical((1.0 - confidence) / 2.0) * before().zip(&areas).map(of_step).sum::<f64>().sqrt();
        Estimate { point, low: (point - margin).max(0.0), high: (point + margin).min(horizon) }
    }

    fn interval(&self, step: &Step, confidence: f64) -> Estimate {
        let point = step.share;
        if point == 0.0 {
            return Estimate { point, low: 0.0, high: 1.0 - all_of(self.reached, confidence) };
        }
        let margin = normal_critical((1.0 - confidence) / 2.0) * step.variance.sqrt() / point.ln();
        let end = |margin: f64| (-((-point.ln()).ln() + margin).exp()).exp();
        Estimate { point, low: end(-margin), high: end(margin) }
    }

    fn at(&self, examples: f64) -> Option<&Step> {
        let after = self.steps.partition_point(|step| step.examples <= examples);
        after.checked_sub(1).map(|step| &self.steps[step])
    }
}

/// The probability that something happens in all of `trials` with the mass of one tail.
fn all_of(trials: usize, confidence: f64) -> f64 {
    ((1.0 - confidence) / 2.0).powf(1.0 / trials as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weeks of remission with maintenance therapy (Miller 1981), as the data set `aml` of R's `survival`; negative: still in
    /// remission.
    const MAINTAINED: [f64; 11] = [9.0, 13.0, -13.0, 18.0, 23.0, -28.0, 31.0, 34.0, -45.0, 48.0, -161.0];

    fn waits(examples: &[f64]) -> Vec<Wait> {
        examples.iter().map(|examples| Wait { examples: examples.abs(), reached: *examples > 0.0 }).collect()
    }

    /// As the survival package prints it, with `conf.type = "log-log"`.
    #[test]
    fn remission_of_leukemia() {
        let survival = Survival::of(&waits(&MAINTAINED));
        let table = [
            (9.0, [0.909, 0.508, 0.987]),
            (13.0, [0.818, 0.447, 0.951]),
            (18.0, [0.716, 0.350, 0.899]),
            (23.0, [0.614, 0.266, 0.835]),
            (31.0, [0.491, 0.167, 0.753]),
            (34.0, [0.368, 0.093, 0.657]),
            (48.0, [0.184, 0.012, 0.525]),
        ];
        for (examples, want) in table {
            let Estimate { point, low, high } = survival.share_interval(examples, 0.95);
            for (got, want) in [point, low, high].iter().zip(want) {
                assert!((got - want).abs() < 0.00051, "at {examples}: {got}, expected {want}");
            }
        }
        assert_eq!(survival.median(0.95), Estimate { point: 31.0, low: 13.0, high: f64::INFINITY });
        let mean = survival.restricted_mean(161.0, 0.95);
        let standard_error = (mean.point - mean.low) / normal_critical(0.025);
        assert!((mean.point - 52.6).abs() < 0.051 && (standard_error - 19.8).abs() < 0.051, "{mean:?}");
        assert!(survival.restricted_mean(162.0, 0.95).point.is_nan());
    }

    #[test]
    fn when_all_get_there_it_is_the_usual_median_and_mean() {
        let values = [4.0, 1.0, 3.0, 2.0, 10.0, 6.0];
        let survival = Survival::of(&waits(&values));
        assert_eq!(survival.median(0.95).point, 3.5);
        assert!((survival.restricted_mean(10.0, 0.95).point - 26.0 / 6.0).abs() < 1e-12);
        assert!((survival.restricted_mean(5.0, 0.95).point - 20.0 / 6.0).abs() < 1e-12);
        assert_eq!([survival.share(0.5), survival.share(3.0), survival.share(10.0)], [1.0, 0.5, 0.0]);
        // All of six by chance: p⁶ = 0.025.
        let (before, after) = (survival.share_interval(0.5, 0.95), survival.share_interval(10.0, 0.95));
        assert!((before.low.powi(6) - 0.025).abs() < 1e-12 && (1.0 - after.high - before.low).abs() < 1e-12);
        // At the last row of ten that came at two counts it is known that more than half got there; of five it is not.
        let tied = [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0];
        assert_eq!(Survival::of(&waits(&tied)).median(0.95), Estimate { point: 2.0, low: 1.0, high: 2.0 });
        assert_eq!(Survival::of(&waits(&tied[5..])).median(0.95).high, f64::INFINITY);
    }

    #[test]
    fn fewer_than_half_have_no_median_and_nobody_waits_the_whole_horizon() {
        let survival = Survival::of(&waits(&[1.0, 2.0, -9.0, -9.0, -9.0]));
        assert_eq!(survival.median(0.95).point, f64::INFINITY);
        assert!((survival.restricted_mean(9.0, 0.95).point - 30.0 / 5.0).abs() < 1e-12);
        let never = Survival::of(&waits(&[-9.0, -9.0]));
        assert_eq!(never.median(0.95), Estimate { point: f64::INFINITY, low: f64::INFINITY, high: f64::INFINITY });
        assert_eq!(never.restricted_mean(9.0, 0.95), Estimate { point: 9.0, low: 9.0, high: 9.0 });
    }

    /// Exponential waits with median ln 2, half of them cut short by another exponential clock: 20 trials, 400 times.
    #[test]
    fn intervals_of_the_median_cover_the_truth_about_as_often_as_they_say() {
        use rand_distr::{Distribution, Exp1};
        let mut rng = lossward_envs::stream(0, "test", 0);
        let covered = (0..400)
            .filter(|_| {
                let trial = |_| {
                    let [wait, end]: [f64; 2] = std::array::from_fn(|_| Exp1.sample(&mut rng));
                    Wait { examples: wait.min(2.0 * end), reached: wait <= 2.0 * end }
                };
                let median = Survival::of(&(0..20).map(trial).collect::<Vec<Wait>>()).median(0.95);
                median.low <= 2f64.ln() && 2f64.ln() <= median.high
            })
            .count();
        assert!((365..=398).contains(&covered), "{covered} of 400 intervals cover the truth");
    }
}
