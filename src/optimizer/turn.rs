//! What changes for an optimizer in the middle of a training.

use super::{Optimizer, Schedule};

/// Another phase begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// In place of the optimizer's own, which goes on where this is nothing.
    pub learning_rate: Option<Schedule>,
    /// The progress from which and to which it runs.
    pub over: (f64, f64),
    /// Whether moments and counts are forgotten.
    pub reset: bool,
}

impl Turn {
    /// The learning rate of the phase at this progress of the trial, if it has one of its own.
    pub(super) fn rate(&self, progress: f64) -> Option<f64> {
        let (from, to) = self.over;
        let within = if to > from { ((progress - from) / (to - from)).clamp(0.0, 1.0) } else { 1.0 };
        self.learning_rate.as_ref().map(|schedule| schedule.at(within))
    }
}

impl Optimizer {
    /// Takes the turn before the next update.
    pub fn turn(&mut self, turn: Turn) {
        if turn.reset {
            self.updates = 0;
        }
        self.turn = Some(turn);
    }
}
