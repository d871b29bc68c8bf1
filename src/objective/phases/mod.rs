//! Several objectives one after the other, on the same network.

mod kind;
#[cfg(test)]
mod tests;

use super::kind::ObjectiveSettings;
use super::{ColumnName, Counters, Mean, Objective, ObjectiveValue, Sense};
use crate::network::Network;
use crate::optimizer::{Schedule, Turn};
use crate::{Result, Rng};
use serde::Serialize;

/// The `objective` table of an arm with `kind = "phases"`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhasesSettings {
    pub phases: Vec<PhaseSettings>,
}

/// One of its phases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseSettings {
    /// Of the budget.
    pub share: f64,
    /// Over the phase, in place of the arm's, which runs over the whole budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<Schedule>,
    /// Whether the optimizer forgets its moments when the phase begins.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reset_optimizer: bool,
    #[serde(flatten)]
    pub objective: ObjectiveSettings,
}

/// A phase ends when its share of the budget is used up and nothing is left of what it gathered. Every phase has the streams that it would have
/// alone, and its schedules run over it.
pub struct Phases {
    phases: Vec<Phase>,
    /// Which of them is in hand.
    current: usize,
    /// What the others before it have consumed.
    earlier: Consumed,
    /// What the optimizer has not been told yet.
    turn: Option<Turn>,
    budget: u64,
}

#[derive(Clone, Copy, Default)]
struct Consumed {
    examples: u64,
    labels: u64,
}

struct Phase {
    objective: Box<dyn Objective>,
    /// Of minibatches.
    rng: Rng,
    /// Examples of the trial after which it ends.
    end: u64,
    learning_rate: Option<Schedule>,
    reset_optimizer: bool,
}

impl Phases {
    fn new(phases: Vec<Phase>, budget: u64) -> Phases {
        let mut made = Phases { phases, current: 0, earlier: Consumed::default(), turn: None, budget };
        made.turn = Some(made.asked());
        made
    }

    fn phase(&self) -> &Phase {
        &self.phases[self.current]
    }

    /// Goes on to the phase whose share is not used up yet.
    fn advance(&mut self) {
        while self.current + 1 < self.phases.len() {
            let counters = self.phase().objective.counters();
            let examples = self.earlier.examples + counters.examples;
            if counters.batch_is_left || examples < self.phase().end {
                return;
            }
            self.earlier = Consumed { examples, labels: self.earlier.labels + counters.labels };
            self.current += 1;
            self.turn = Some(self.asked());
        }
    }

    /// What the phase in hand asks of the optimizer.
    fn asked(&self) -> Turn {
        let share = |examples: u64| examples as f64 / self.budget as f64;
        let phase = self.phase();
        Turn {
            learning_rate: phase.learning_rate.clone(),
            over: (share(self.earlier.examples), share(phase.end)),
            reset: phase.reset_optimizer,
        }
    }
}

impl Objective for Phases {
    fn sense(&self) -> Sense {
        self.phase().objective.sense()
    }

    fn next(&mut self, network: &Network, _: &mut Rng, _: f64) -> Result<()> {
        self.advance();
        let (started, Phase { objective, rng, end, .. }) = (self.earlier.examples, &mut self.phases[self.current]);
        let progress = objective.counters().examples as f64 / end.saturating_sub(started).max(1) as f64;
        objective.next(network, rng, progress)
    }

    fn value(&self, network: &Network) -> Result<ObjectiveValue> {
        self.phase().objective.value(network)
    }

    fn note(&mut self, terms: &[(ColumnName, Mean)]) {
        self.phases[self.current].objective.note(terms);
    }

    fn turn(&mut self) -> Option<Turn> {
        self.turn.take()
    }

    fn counters(&self) -> Counters {
        let counters = self.phase().objective.counters();
        Counters {
            examples: self.earlier.examples + counters.examples,
            labels: self.earlier.labels + counters.labels,
            operations: self.phases.iter().map(|phase| phase.objective.counters().operations).sum(),
            before: self.earlier.examples + counters.before,
            rounds: (PhasesSettings::ROUNDS, (self.current + 1) as f64),
            batch_is_left: counters.batch_is_left,
        }
    }

    fn warnings(&self) -> Vec<String> {
        let of_phase = |(i, phase): (usize, &Phase)| {
            let named = phase.objective.warnings().into_iter().map(move |text| format!("phase {}: {text}", i + 1));
            named.collect::<Vec<_>>()
        };
        self.phases.iter().enumerate().flat_map(of_phase).collect()
    }

    fn judge(&mut self, value: f64, higher_is_better: bool) {
        self.phases[self.current].objective.judge(value, higher_is_better);
    }
}
