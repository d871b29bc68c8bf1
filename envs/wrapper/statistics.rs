//! Running mean and variance, shared by those who update and those who read them.

use super::WrapError;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Mean and population variance of all rows so far, for each feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moments {
    /// `[features]`
    pub mean: Vec<f64>,
    /// `[features]`
    pub variance: Vec<f64>,
    /// Rows so far, and the weight that mean and variance had before the first one.
    pub count: f64,
}

/// Features whose sums are formed at once.
const LANES: usize = 8;

impl Moments {
    /// The weight of mean 0 and variance 1 before the first row, as in stable-baselines3.
    pub const INITIAL_COUNT: f64 = 1e-4;

    /// Mean 0 and variance 1 with the weight `count`; with 0, the first rows alone decide.
    pub fn new(features: usize, count: f64) -> Self {
        Moments { mean: vec![0.0; features], variance: vec![1.0; features], count }
    }

    /// Takes in a batch of rows, `[features]` each. With `n` rows so far and `m` new ones, their mean `μ'` and population
    /// variance `σ²'`, and δ = μ' − μ:
    ///
    /// ```text
    /// μ  ← μ + δ m / (n + m)
    /// σ² ← (n σ² + m σ²' + δ² n m / (n + m)) / (n + m)
    /// n  ← n + m
    /// ```
    ///
    /// Chan, Golub and LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample variances", Stanford
    /// STAN-CS-79-773; as stable-baselines3's `RunningMeanStd`. No rows change nothing.
    pub fn update<'a, T: Copy + Into<f64> + 'a>(&mut self, rows: impl Iterator<Item = &'a [T]> + Clone) {
        let rows_before = self.count;
        let new_rows = rows.clone().count() as f64;
        if new_rows == 0.0 {
            return;
        }
        let all_rows = rows_before + new_rows;
        for start in (0..self.mean.len()).step_by(LANES) {
            let features = start..(start + LANES).min(self.mean.len());
            let part = rows.clone().map(|row| &row[features.clone()]);
            let means = sums(part.clone(), |_, x| x).map(|sum| sum / new_rows);
            let squares = sums(part, |lane, x| (x - means[lane]) * (x - means[lane]));
            for (lane, feature) in features.clone().enumerate() {
                let (mean, variance) = (&mut self.mean[feature], &mut self.variance[feature]);
                let delta = means[lane] - *mean;
                *mean += delta * new_rows / all_rows;
                let between = delta * delta * rows_before * new_rows / all_rows;
                *variance = (*variance * rows_before + squares[lane] + between) / all_rows;
            }
        }
        self.count = all_rows;
    }

    /// Whether these are moments of anything.
    fn check(&self) -> Result<(), WrapError> {
        let Moments { mean, variance, count } = self;
        let what = if mean.len() != variance.len() {
            format!("{} means and {} variances; there must be one of each per feature", mean.len(), variance.len())
        } else if let Some(i) = mean.iter().position(|mean| !mean.is_finite()) {
            format!("the mean of feature {i} is {}; it must be finite", mean[i])
        } else if let Some(i) = variance.iter().position(|variance| !(0.0..f64::INFINITY).contains(variance)) {
            format!("the variance of feature {i} is {}; it must be in [0, ∞)", variance[i])
        } else if !(0.0..f64::INFINITY).contains(count) {
            format!("the count is {count}; it must be in [0, ∞)")
        } else {
            return Ok(());
        };
        Err(WrapError::Moments(what))
    }
}

/// Over all rows, the sum of `term(lane, x)` for each feature.
fn sums<'a, T: Copy + Into<f64> + 'a>(
    rows: impl Iterator<Item = &'a [T]>,
    term: impl Fn(usize, f64) -> f64,
) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for row in rows {
        for (lane, (sum, &x)) in sums.iter_mut().zip(row).enumerate() {
            *sum += term(lane, x.into());
        }
    }
    sums
}

/// A handle on [`Moments`]; its clones are handles on the same. The first wrapper that is given a new handle
/// ([`Statistics::default`]) decides on the number of features: mean 0, variance 1, [`Moments::INITIAL_COUNT`].
#[derive(Clone, Debug, Default)]
pub struct Statistics(Arc<Mutex<Option<Moments>>>);

impl Statistics {
    /// What there is so far, to be saved with the weights of a network; nothing before the first wrapper.
    pub fn moments(&self) -> Option<Moments> {
        self.lock().clone()
    }

    /// Replaces what there is so far.
    ///
    /// # Errors
    /// When these are no moments, or of another number of features than those that are replaced.
    pub fn set(&self, moments: Moments) -> Result<(), WrapError> {
        moments.check()?;
        let mut current = self.lock();
        let (features, given) = (current.as_ref().map(|moments| moments.mean.len()), moments.mean.len());
        if let Some(features) = features.filter(|features| *features != given) {
            return Err(WrapError::Moments(format!("{given} features; there must be {features}")));
        }
        *current = Some(moments);
        Ok(())
    }

    /// How many features these are statistics of: `features`, if that was open.
    pub(super) fn sized(&self, features: usize) -> usize {
        self.lock().get_or_insert_with(|| Moments::new(features, Moments::INITIAL_COUNT)).mean.len()
    }

    /// Works on the moments, once [`Self::sized`].
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Moments) -> T) -> T {
        work(self.lock().as_mut().expect("a wrapper decides on the number of features before it uses the moments"))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Moments>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition, over the pooled rows, for batches of many sizes and more features than lanes.
    #[test]
    fn batches_give_what_all_rows_at_once_give() {
        let features = 2 * LANES + 3;
        let row = |i: usize| (0..features).map(|f| ((i * 7 + f * 3) % 11) as f64 * (1.0 + f as f64)).collect();
        let rows: Vec<Vec<f64>> = (0..40).map(row).collect();
        let mut moments = Moments::new(features, 0.0);
        let mut start = 0;
        for size in [1, 5, 0, 2, 17, 15] {
            moments.update(rows[start..start + size].iter().map(Vec::as_slice));
            start += size;
        }
        assert_eq!((start, moments.count), (40, 40.0));
        for f in 0..features {
            let mean = rows.iter().map(|row| row[f]).sum::<f64>() / 40.0;
            let variance = rows.iter().map(|row| (row[f] - mean).powi(2)).sum::<f64>() / 40.0;
            assert!((moments.mean[f] - mean).abs() < 1e-12 * mean.abs(), "mean {f}");
            assert!((moments.variance[f] - variance).abs() < 1e-12 * variance, "variance {f}");
        }
    }

    #[test]
    fn a_handle_keeps_its_number_of_features() {
        let statistics = Statistics::default();
        assert_eq!(statistics.moments(), None);
        assert_eq!((statistics.sized(3), statistics.clone().sized(5)), (3, 3));
        let mut moments = Moments { count: 7.0, ..Moments::new(3, 0.0) };
        statistics.clone().set(moments.clone()).unwrap();
        assert_eq!(statistics.moments(), Some(moments.clone()));
        let message = |moments| statistics.set(moments).unwrap_err().to_string();
        assert_eq!(message(Moments::new(4, 0.0)), "running statistics: 4 features; there must be 3");
        moments.variance[2] = -1.0;
        let expected = "running statistics: the variance of feature 2 is -1; it must be in [0, ∞)";
        assert_eq!(message(moments.clone()), expected);
        moments.mean.pop();
        let expected = "running statistics: 2 means and 3 variances; there must be one of each per feature";
        assert_eq!(message(moments), expected);
        assert!(message(Moments::new(3, f64::NAN)).contains("the count is NaN"));
    }
}
