//! How long to wait for a better evaluation.

use serde::{Deserialize, Serialize};

/// The `early_stopping` table of an evaluation: training ends when the metric that decides the best weights has not improved
/// for more than `patience` evaluations, and the best weights become the final ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    pub patience: u64,
    /// What counts as better: by more than this share of the best value.
    #[serde(default)]
    pub threshold: f64,
}

/// Counts evaluations that are no improvement.
pub struct Patience {
    patience: u64,
    threshold: f64,
    best: Option<f64>,
    /// Evaluations since the best one, or since it ran out last.
    waited: u64,
}

impl Patience {
    /// `threshold` is relative to the size of the best value.
    pub fn new(patience: u64, threshold: f64) -> Self {
        Patience { patience, threshold, best: None, waited: 0 }
    }

    /// Whether this value is one more than `patience` without an improvement; then it begins anew. NaN is no improvement.
    ///
    /// As `torch.optim.lr_scheduler.ReduceLROnPlateau` with `threshold_mode="rel"`, but that the margin is relative to the size
    /// of the best value: PyTorch would call every negative return an improvement on itself.
    pub fn runs_out(&mut self, value: f64, higher_is_better: bool) -> bool {
        let improves = |best: f64| {
            let margin = self.threshold * best.abs();
            if higher_is_better { value > best + margin } else { value < best - margin }
        };
        if !value.is_nan() && self.best.is_none_or(improves) {
            self.best = Some(value);
            self.waited = 0;
            return false;
        }
        self.waited += 1;
        let over = self.waited > self.patience;
        if over {
            self.waited = 0;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_out_after_more_evaluations_without_an_improvement_than_allowed() {
        let mut patience = Patience::new(1, 0.1);
        let values = [1.0, 1.05, 1.2, 1.3, f64::NAN, 1.0, 2.0];
        let out = values.map(|value| patience.runs_out(value, true));
        // 1.05 is within a tenth of 1; 1.3 within a tenth of 1.2.
        assert_eq!(out, [false, false, false, false, true, false, false]);
        let mut patience = Patience::new(0, 0.0);
        assert_eq!([-1.0, -1.0, -2.0].map(|value| patience.runs_out(value, false)), [false, true, false]);
    }
}
