//! What the house asks of the settings of phases.

use super::{Phase, PhaseSettings, Phases, PhasesSettings};
use crate::checks::{Check, fail, not_negative, require};
use crate::objective::{Checked, Objective, ObjectiveKind, ObjectiveSettings, Parts};
use crate::optimizer::Schedule;
use crate::{Result, stream};

impl PhasesSettings {
    /// What its third counter counts: the phase in hand, from 1.
    pub const ROUNDS: &str = "phase";

    /// Examples of the trial after which each phase ends.
    pub fn ends(&self, budget: u64) -> Vec<u64> {
        let sums = self.phases.iter().scan(0.0, |sum, phase| {
            *sum += phase.share;
            Some(*sum)
        });
        sums.map(|sum: f64| (sum.min(1.0) * budget as f64).round() as u64).collect()
    }
}

impl ObjectiveKind for PhasesSettings {
    fn rounds(&self) -> &'static str {
        Self::ROUNDS
    }

    /// Of all phases, each once: what another phase has not is a gap.
    fn terms(&self) -> Result<Vec<String>> {
        let mut terms = Vec::new();
        for phase in &self.phases {
            for term in phase.objective.kind().terms()? {
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
        Ok(terms)
    }

    fn examples(&self, of_environment: bool) -> &'static str {
        crate::objective::examples_of(self.phases.iter().map(|phase| phase.objective.kind().examples(of_environment)))
    }

    fn acts(&self) -> bool {
        self.phases.iter().any(|phase| phase.objective.kind().acts())
    }

    fn lags(&self, of_data_set: bool) -> bool {
        self.phases.iter().any(|part| part.objective.kind().lags(of_data_set))
    }

    fn check(&self, of: &Checked) -> Check {
        let example = "phases need `phases`, such as { share = 0.5, kind = \"supervised\", … }";
        require(!self.phases.is_empty(), "objective.phases", example)?;
        for (i, phase) in self.phases.iter().enumerate() {
            let place = format!("objective.phases.{i}");
            if matches!(phase.objective, ObjectiveSettings::Phases(_)) {
                return fail(&place, "a phase that consists of phases; write them one after the other");
            }
            let share = format!("{place}.share");
            let message = format!("`share` must lie in [0, 1], not {}", phase.share);
            require((0.0..=1.0).contains(&phase.share), &share, &message)?;
            let rate = format!("{place}.learning_rate");
            let bounds = phase.learning_rate.iter().flat_map(Schedule::bounds);
            bounds.into_iter().try_for_each(|bound| not_negative(bound, &rate))?;
            let follows = matches!(phase.learning_rate, Some(Schedule::Plateau { .. }));
            require(!follows, &rate, "a phase's `learning_rate` can't follow the evaluation; the arm's can")?;
        }
        let sum: f64 = self.phases.iter().map(|phase| phase.share).sum();
        let message = format!("the shares of the phases sum to {sum}, and must to 1");
        require((sum - 1.0).abs() < 1e-9, "objective.phases", &message)?;
        let mut start = 0;
        for (i, (phase, end)) in self.phases.iter().zip(self.ends(of.budget)).enumerate() {
            // What never begins may be larger than nothing.
            let budget = if end > start { end - start } else { of.budget };
            of.part(&phase.objective, ("phases", i), budget)?;
            start = end;
        }
        Ok(())
    }

    fn build(&self, parts: Parts) -> Result<Box<dyn Objective>> {
        let ends = self.ends(parts.budget);
        let phase = |(settings, end): (&PhaseSettings, u64)| {
            let rate = settings.learning_rate.as_ref().unwrap_or(&parts.optimizer.learning_rate);
            let optimizer =
                crate::optimizer::OptimizerSettings { learning_rate: rate.clone(), ..parts.optimizer.clone() };
            Ok(Phase {
                objective: settings.objective.kind().build(Parts { optimizer: &optimizer, ..parts })?,
                rng: stream(parts.seed, "batches", 0),
                end,
                learning_rate: settings.learning_rate.clone(),
                reset_optimizer: settings.reset_optimizer,
            })
        };
        let phases = self.phases.iter().zip(ends).map(phase).collect::<Result<_>>()?;
        Ok(Box::new(Phases::new(phases, parts.budget)))
    }
}
