//! What the house asks of the settings of supervised learning.

use super::{Augmenting, Supervised, SupervisedSettings};
use crate::checks::{Check, at_least_one, fail, most, within};
use crate::loss::{self, Criterion};
use crate::objective::{Checked, Objective, ObjectiveKind, Parts, Probe};
use crate::task::{Task, TaskSource};
use crate::{Result, stream};

impl ObjectiveKind for SupervisedSettings {
    fn rounds(&self) -> &'static str {
        Self::ROUNDS
    }

    fn terms(&self) -> Result<Vec<String>> {
        Ok(Criterion::new(&self.loss)?.columns().to_vec())
    }

    fn examples(&self, of_environment: bool) -> &'static str {
        if of_environment { "labelled steps of an expert" } else { "labelled rows" }
    }

    fn acts(&self) -> bool {
        false
    }

    fn check(&self, of: &Checked) -> Check {
        at_least_one(self.batch_size as u64, "objective.batch_size")?;
        within(&[("objective.batch_size", self.batch_size as u64, most::BATCH)])?;
        self.check_loss(of.task)?;
        self.check_expert(of)
    }

    fn build(&self, parts: Parts) -> Result<Box<dyn Objective>> {
        let expert = self.expert.as_ref().map(parts.expert).transpose()?;
        let examples = (parts.task.examples(expert.as_ref())?, parts.task.kind()?);
        let (criterion, dropout) = (Criterion::new(&self.loss)?, stream(parts.seed, "dropout", 0));
        let augmenting = parts.task.augmentation().map(|settings| Augmenting {
            settings,
            shape: parts.task.input_shape(),
            rng: stream(parts.seed, "augmentation", 0),
        });
        Ok(Box::new(Supervised::new(examples, criterion, self.batch_size, (dropout, augmenting))))
    }

    fn probe(&self, parts: &Parts) -> Result<Probe> {
        self.probed(parts)
    }
}

impl SupervisedSettings {
    fn check_loss(&self, task: &Task) -> Check {
        let at_loss = |error: crate::Error| error.under("objective.loss");
        let kind = task.kind().map_err(|error| error.under("objective"))?;
        let criterion = Criterion::new(&self.loss).map_err(at_loss)?;
        let Some(loss) = criterion.losses().find(|loss| !kind.fits_loss(loss)) else {
            return kind.check_loss(&criterion).map_err(at_loss);
        };
        let fitting = loss::all().filter(|loss| kind.fits_loss(loss)).map(|loss| loss.name);
        let fitting = fitting.collect::<Vec<_>>().join(", ");
        let is_data_set = matches!(task.source, TaskSource::DataSet(..));
        let hint = match kind.classes().is_none() && loss.trains_classifiers() && is_data_set {
            true => " (if its target holds classes, say so: `kind = \"classification\"` in `dataset`)",
            false => "",
        };
        let (name, compared, held) = (loss.name, kind.compared(), kind.in_words());
        let message =
            format!("`{name}` does not compare {compared}, and this task has {held}{hint}; losses that fit: {fitting}");
        fail("objective.loss", message)
    }

    fn check_expert(&self, of: &Checked) -> Check {
        match (&self.expert, &of.task.source) {
            (None, TaskSource::DataSet(..)) => Ok(()),
            (None, TaskSource::Environment(environment)) => {
                let id = environment.spec.id;
                let message = format!("{id} has no labels; name an `expert`: {{ arm = \"…\" }} or {{ file = \"…\" }}");
                fail("objective", message)
            }
            (Some(_), TaskSource::DataSet(..)) => {
                fail("objective.expert", "a data set has labels; `expert` is for environments")
            }
            (Some(expert), TaskSource::Environment(_)) => {
                at_least_one(expert.episodes as u64, "objective.expert.episodes")?;
                within(&[("objective.expert.episodes", expert.episodes as u64, most::EPISODES)])?;
                match (&expert.arm, &expert.file) {
                    (Some(name), None) => (of.teacher)("objective.expert.arm", name),
                    (None, Some(file)) => file.check_weights().map_err(|error| error.under("objective.expert.file")),
                    _ => fail("objective.expert", "an expert is either an `arm` or a `file`"),
                }
            }
        }
    }
}
