//! The `objective` table of a supervised arm.

use super::{Check, Subject, fail, positive, teacher};
use crate::loss::{self, Criterion};
use crate::objective::SupervisedSettings;

pub(super) fn check(settings: &SupervisedSettings, subject: Subject) -> Check {
    positive(settings.batch_size as u64, "objective.batch_size")?;
    check_loss(settings, subject)?;
    check_expert(settings, subject)
}

fn check_loss(settings: &SupervisedSettings, subject: Subject) -> Check {
    let at_loss = |error: crate::Error| error.under("objective.loss");
    let kind = subject.task.kind().map_err(|error| error.under("objective"))?;
    let criterion = Criterion::new(&settings.loss).map_err(at_loss)?;
    let Some(loss) = criterion.losses().find(|loss| !kind.fits_loss(loss)) else {
        return kind.classes().map_or(Ok(()), |classes| criterion.check_classes(classes)).map_err(at_loss);
    };
    let fitting = loss::all().filter(|loss| kind.fits_loss(loss)).map(|loss| loss.name).collect::<Vec<_>>().join(", ");
    let of_classes = kind.classes().is_none() && loss.trains_classifiers() && subject.arm.task.dataset.is_some();
    let hint = match of_classes {
        true => " (if its target holds classes, say so: `kind = \"classification\"` in `dataset`)",
        false => "",
    };
    let (name, compared, held) = (loss.name, kind.compared(), kind.in_words());
    let message =
        format!("`{name}` does not compare {compared}, and this task has {held}{hint}; losses that fit: {fitting}");
    fail("objective.loss", message)
}

fn check_expert(settings: &SupervisedSettings, subject: Subject) -> Check {
    match (&settings.expert, &subject.arm.task.env) {
        (None, None) => Ok(()),
        (None, Some(env)) => {
            fail("objective", format!("{env} has no labels; name an `expert`: {{ arm = \"…\" }} or {{ file = \"…\" }}"))
        }
        (Some(_), None) => fail("objective.expert", "a data set has labels; `expert` is for environments"),
        (Some(expert), Some(_)) => {
            positive(expert.episodes as u64, "objective.expert.episodes")?;
            match (&expert.arm, &expert.file) {
                (Some(name), None) => teacher::check("objective.expert.arm", name, subject),
                (None, Some(file)) => teacher::check_file("objective.expert.file", file),
                _ => fail("objective.expert", "an expert is either an `arm` or a `file`"),
            }
        }
    }
}
