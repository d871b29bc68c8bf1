//! Student's, Welch's and the paired t test, and the interval of a mean.

use super::Estimate;
use super::aggregate::{mean, variance};
use super::distribution::{t_critical, t_tail};

/// Whether the means of two samples differ. NaN where a sample is too small for a deviation, and where there is neither spread
/// nor difference; without spread, a difference has an infinite `t`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TTest {
    /// The mean of the first minus that of the second.
    pub difference: f64,
    pub standard_error: f64,
    /// The difference in standard errors.
    pub t: f64,
    pub degrees_of_freedom: f64,
    /// Of a difference at least this far from 0, if there were none.
    pub p_two_sided: f64,
    /// Of a difference at least this high, if there were none.
    pub p_greater: f64,
    /// Of a difference at least this low, if there were none.
    pub p_less: f64,
}

impl TTest {
    fn new(difference: f64, standard_error: f64, degrees_of_freedom: f64) -> Self {
        let t = difference / standard_error;
        TTest {
            difference,
            standard_error,
            t,
            degrees_of_freedom,
            p_two_sided: 2.0 * t_tail(t.abs(), degrees_of_freedom),
            p_greater: t_tail(t, degrees_of_freedom),
            p_less: t_tail(-t, degrees_of_freedom),
        }
    }

    /// The difference with an interval that covers `confidence`.
    pub fn interval(&self, confidence: f64) -> Estimate {
        interval(self.difference, self.standard_error, (self.degrees_of_freedom, confidence))
    }
}

/// Independent samples with a deviation each (Welch 1947): `t = (ā − b̄) / √(s²_a/a + s²_b/b)` with the degrees of freedom of
/// Satterthwaite, `(v_a + v_b)² / (v_a²/(a − 1) + v_b²/(b − 1))` where `v = s²/n`.
pub fn welch_t_test(first: &[f64], second: &[f64]) -> TTest {
    let [a, b] = [first, second].map(|values| variance(values) / values.len() as f64);
    let freedom = |v: f64, values: &[f64]| v * v / (values.len() as f64 - 1.0);
    let degrees_of_freedom = (a + b).powi(2) / (freedom(a, first) + freedom(b, second));
    TTest::new(mean(first) - mean(second), (a + b).sqrt(), degrees_of_freedom)
}

/// Independent samples with one deviation in common (Student 1908): `t = (ā − b̄) / (s √(1/a + 1/b))` with
/// `s² = ((a − 1) s²_a + (b − 1) s²_b) / (a + b − 2)`.
pub fn student_t_test(first: &[f64], second: &[f64]) -> TTest {
    let (a, b) = (first.len() as f64, second.len() as f64);
    let standard_error = (pooled_variance(first, second) * (1.0 / a + 1.0 / b)).sqrt();
    TTest::new(mean(first) - mean(second), standard_error, a + b - 2.0)
}

/// `((a − 1) s²_a + (b − 1) s²_b) / (a + b − 2)`.
pub(super) fn pooled_variance(first: &[f64], second: &[f64]) -> f64 {
    let freedom = [first, second].map(|values| values.len() as f64 - 1.0);
    (freedom[0] * variance(first) + freedom[1] * variance(second)) / (freedom[0] + freedom[1])
}

/// Samples that belong together pair by pair, such as two arms by seed: `t = d̄ / (s_d / √n)` of the differences, with `n − 1`
/// degrees of freedom.
///
/// # Panics
/// When the samples have different lengths.
pub fn paired_t_test(first: &[f64], second: &[f64]) -> TTest {
    let differences = differences(first, second);
    TTest::new(mean(&differences), standard_error(&differences), differences.len() as f64 - 1.0)
}

/// The first minus the second, pair by pair.
pub(super) fn differences(first: &[f64], second: &[f64]) -> Vec<f64> {
    assert_eq!(first.len(), second.len(), "pairs of values");
    first.iter().zip(second).map(|(first, second)| first - second).collect()
}

/// `s / √n`, the standard error of a mean. NaN for fewer than two values.
pub fn standard_error(values: &[f64]) -> f64 {
    (variance(values) / values.len() as f64).sqrt()
}

/// The mean with Student's interval, `x̄ ± t s/√n`, that covers `confidence`; its ends are NaN for fewer than two values.
pub fn mean_interval(values: &[f64], confidence: f64) -> Estimate {
    interval(mean(values), standard_error(values), (values.len() as f64 - 1.0, confidence))
}

fn interval(point: f64, standard_error: f64, (degrees_of_freedom, confidence): (f64, f64)) -> Estimate {
    // Without spread the degrees of freedom of Welch's test are not known, nor needed.
    let margin = match standard_error {
        0.0 => 0.0,
        _ => standard_error * t_critical((1.0 - confidence) / 2.0, degrees_of_freedom),
    };
    Estimate { point, low: point - margin, high: point + margin }
}

#[cfg(test)]
mod tests {
    use super::super::CONFIDENCE;
    use super::*;
    use lossward_envs::stream;
    use rand_distr::{Distribution, StandardNormal};

    /// Student's own data (1908): hours of sleep gained by ten patients with either drug.
    const DEXTRO: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    const LAEVO: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

    /// As R prints them for `t.test` of `sleep`.
    #[test]
    fn students_sleep() {
        let close =
            |got: f64, want: f64, digits: i32| assert!((got - want).abs() < 0.5001 * 10f64.powi(-digits), "{got}");
        let welch = welch_t_test(&DEXTRO, &LAEVO);
        close(welch.t, -1.8608, 4);
        close(welch.degrees_of_freedom, 17.776, 3);
        close(welch.p_two_sided, 0.07939, 5);
        close(welch.interval(CONFIDENCE).low, -3.3654832, 7);
        close(welch.interval(CONFIDENCE).high, 0.2054832, 7);
        close(student_t_test(&DEXTRO, &LAEVO).p_two_sided, 0.07919, 5);
        let paired = paired_t_test(&DEXTRO, &LAEVO);
        close(paired.t, -4.0621, 4);
        close(paired.p_two_sided, 0.002833, 6);
        close(paired.interval(CONFIDENCE).low, -2.4598858, 7);
        close(paired.p_less + paired.p_greater, 1.0, 12);
        close(paired.p_less, paired.p_two_sided / 2.0, 12);
    }

    #[test]
    fn samples_without_spread() {
        let constant = [2.0; 3];
        for test in [welch_t_test, student_t_test, paired_t_test] {
            let same = test(&constant, &constant);
            assert!(same.t.is_nan() && same.p_two_sided.is_nan());
            assert_eq!(same.interval(0.9), Estimate { point: 0.0, low: 0.0, high: 0.0 });
            let other = test(&constant, &[1.0; 3]);
            assert_eq!((other.t, other.p_two_sided, other.p_greater, other.p_less), (f64::INFINITY, 0.0, 0.0, 1.0));
            assert!(test(&[1.0], &[2.0]).p_two_sided.is_nan());
        }
        assert!(mean_interval(&[1.0], 0.95).low.is_nan() && mean_interval(&[], 0.95).point.is_nan());
    }

    /// Under normal draws the intervals are exact but for Welch's, which is nearly so; of 2000, 5 % ± 1.5 %.
    #[test]
    fn intervals_cover_as_often_as_they_say_and_agree_with_their_p() {
        let mut rng = stream(0, "test", 0);
        let mut missed = [0; 4];
        for _ in 0..2_000 {
            let mut draw = |scale: f64, n| -> Vec<f64> {
                StandardNormal.sample_iter(&mut rng).take(n).map(|value: f64| scale * value).collect()
            };
            let (a, b, wide) = (draw(1.0, 6), draw(1.0, 6), draw(3.0, 12));
            for (missed, test) in
                missed.iter_mut().zip([welch_t_test(&a, &wide), student_t_test(&a, &b), paired_t_test(&a, &b)])
            {
                let interval = test.interval(0.95);
                let outside = interval.low > 0.0 || interval.high < 0.0;
                assert_eq!(outside, test.p_two_sided < 0.05, "{test:?}");
                *missed += u32::from(outside);
            }
            let interval = mean_interval(&a, 0.95);
            missed[3] += u32::from(interval.low > 0.0 || interval.high < 0.0);
        }
        assert!(missed.iter().all(|missed| (70..=130).contains(missed)), "{missed:?} of 2000");
    }
}
