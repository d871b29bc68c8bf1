//! A learning rate that falls when the evaluation stops improving.

use super::Schedule;

/// The state of [`Schedule::Plateau`].
pub(super) struct Plateau {
    pub rate: f64,
    factor: f64,
    patience: u64,
    threshold: f64,
    to: f64,
    best: Option<f64>,
    /// Evaluations since the best one, or since the rate fell last.
    waited: u64,
}

impl Plateau {
    /// Nothing when the schedule is another one.
    pub fn of(schedule: &Schedule) -> Option<Self> {
        match *schedule {
            Schedule::Plateau { from, factor, patience, threshold, to } => {
                Some(Plateau { rate: from, factor, patience, threshold, to, best: None, waited: 0 })
            }
            _ => None,
        }
    }

    /// Multiplies the rate by the factor when this evaluation is one more than `patience` without an improvement.
    ///
    /// As `torch.optim.lr_scheduler.ReduceLROnPlateau` with `threshold_mode="rel"` and no cooldown, but that the margin is
    /// relative to the size of the best value: PyTorch would call every negative return an improvement on itself.
    pub fn judge(&mut self, value: f64, higher_is_better: bool) {
        let improves = |best: f64| {
            let margin = self.threshold * best.abs();
            if higher_is_better { value > best + margin } else { value < best - margin }
        };
        if !value.is_nan() && self.best.is_none_or(improves) {
            self.best = Some(value);
            self.waited = 0;
            return;
        }
        self.waited += 1;
        if self.waited > self.patience {
            self.rate = (self.rate * self.factor).max(self.to);
            self.waited = 0;
        }
    }
}
