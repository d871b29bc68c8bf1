//! What the house asks of the settings of a mixture.

use super::{LOSS, Mixture, MixtureSettings, Part, WEIGHT};
use crate::checks::{Check, fail, require};
use crate::objective::{Checked, MixedSettings, Objective, ObjectiveKind, ObjectiveSettings, Parts};
use crate::optimizer::Schedule;
use crate::{Result, stream};

impl MixedSettings {
    /// What begins its columns.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.objective.kind_name())
    }

    fn check_weight(&self, place: &str) -> Check {
        let place = format!("{place}.weight");
        let follows = matches!(self.weight, Schedule::Plateau { .. });
        require(!follows, &place, "`weight` can't follow the evaluation: the schedule plateau is for learning rates")?;
        let fits = self.weight.bounds().iter().all(|bound| bound.is_finite() && *bound >= 0.0);
        require(fits, &place, "`weight` must be finite and not negative")
    }
}

impl ObjectiveKind for MixtureSettings {
    /// Those of its first part.
    fn rounds(&self) -> &'static str {
        self.parts.first().map_or("", |part| part.objective.kind().rounds())
    }

    fn terms(&self) -> Result<Vec<String>> {
        let mut terms = Vec::new();
        for part in &self.parts {
            let is_scheduled = !matches!(part.weight, Schedule::Constant(_));
            let own = [LOSS.to_string()].into_iter().chain(is_scheduled.then(|| WEIGHT.to_string()));
            let all = own.chain(part.objective.kind().terms()?);
            terms.extend(all.map(|term| format!("{}.{term}", part.name())));
        }
        Ok(terms)
    }

    fn examples(&self, of_environment: bool) -> &'static str {
        crate::objective::examples_of(self.parts.iter().map(|part| part.objective.kind().examples(of_environment)))
    }

    fn acts(&self) -> bool {
        self.parts.iter().any(|part| part.objective.kind().acts())
    }

    fn lags(&self, of_data_set: bool) -> bool {
        self.parts.iter().any(|part| part.objective.kind().lags(of_data_set))
    }

    fn check(&self, of: &Checked) -> Check {
        require(
            !self.parts.is_empty(),
            "objective.parts",
            "a mixture needs `parts`, such as { weight = 0.5, kind = \"supervised\", … }",
        )?;
        for (i, part) in self.parts.iter().enumerate() {
            let place = format!("objective.parts.{i}");
            if matches!(part.objective, ObjectiveSettings::Phases(_)) {
                return fail(
                    &place,
                    "phases follow one another and are no part of a mixture; a phase can be a mixture",
                );
            }
            part.check_weight(&place)?;
            if self.parts[..i].iter().any(|other| other.name() == part.name()) {
                return fail(&place, format!("two parts are called \"{}\"; give one a `name`", part.name()));
            }
            of.part(&part.objective, ("parts", i), of.budget)?;
        }
        let all_zero = self.parts.iter().all(|part| part.weight.bounds().iter().all(|bound| *bound == 0.0));
        require(!all_zero, "objective.parts", "all weights are 0: nothing would be learned")
    }

    fn build(&self, parts: Parts) -> Result<Box<dyn Objective>> {
        let part = |settings: &MixedSettings| {
            Ok(Part {
                name: settings.name().to_string(),
                weight: settings.weight.clone(),
                objective: settings.objective.kind().build(parts)?,
                rng: stream(parts.seed, "batches", 0),
                now: 0.0,
            })
        };
        Ok(Box::new(Mixture { parts: self.parts.iter().map(part).collect::<Result<_>>()? }))
    }
}
