//! A learning rate that falls when the evaluation stops improving.

use super::Schedule;
use crate::patience::Patience;

/// The state of [`Schedule::Plateau`].
pub(super) struct Plateau {
    pub rate: f64,
    factor: f64,
    to: f64,
    patience: Patience,
}

impl Plateau {
    /// Nothing when the schedule is another one.
    pub fn of(schedule: &Schedule) -> Option<Self> {
        match *schedule {
            Schedule::Plateau { from, factor, patience, threshold, to } => {
                Some(Plateau { rate: from, factor, to, patience: Patience::new(patience, threshold) })
            }
            _ => None,
        }
    }

    /// Multiplies the rate by the factor when patience runs out.
    pub fn judge(&mut self, value: f64, higher_is_better: bool) {
        if self.patience.runs_out(value, higher_is_better) {
            self.rate = (self.rate * self.factor).max(self.to);
        }
    }
}
