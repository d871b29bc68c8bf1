//! The `[regularizer]` table of an arm.

use super::{Subject, teacher};
use crate::checks::{Check, fail, not_negative, require};

pub(super) fn check(subject: Subject) -> Check {
    let (arm, settings) = (subject.arm, &subject.arm.regularizer);
    not_negative(settings.l1, "regularizer.l1")?;
    not_negative(settings.l2, "regularizer.l2")?;
    not_negative(settings.entropy.unwrap_or(0.0), "regularizer.entropy")?;
    if let Some(elastic_net) = settings.elastic_net {
        not_negative(elastic_net.strength, "regularizer.elastic_net.strength")?;
        let share = (0.0..=1.0).contains(&elastic_net.l1_ratio);
        require(share, "regularizer.elastic_net.l1_ratio", "`l1_ratio` must lie in [0, 1]")?;
    }
    let Some(kl) = &settings.kl else { return Ok(()) };
    let normalizes = arm.task.wrappers.as_ref().and_then(|wrappers| wrappers.normalize_observations) == Some(true);
    let message = "another network has its own statistics of the observations; with `normalize_observations` the reference must be the initial network";
    require(!normalizes || kl.arm.is_none() && kl.file.is_none(), "regularizer.kl", message)?;
    not_negative(kl.coefficient, "regularizer.kl.coefficient")?;
    match (&kl.arm, &kl.file) {
        (Some(_), Some(_)) => {
            fail("regularizer.kl", "the reference is an `arm`, a `file`, or neither: the initial network")
        }
        (Some(name), None) => teacher::check("regularizer.kl.arm", name, subject),
        (None, Some(file)) => file.check_weights().map_err(|error| error.under("regularizer.kl.file")),
        (None, None) => Ok(()),
    }
}
