//! Names and texts that are drawn, printed and become files.

use super::Invalid;
use crate::checks::{Check, fail, require};
use crate::experiment::{Arm, Experiment};
use crate::visible::is_control;

/// Bytes of a name that every file system takes, with room for an ending.
pub(super) const MOST_NAME: usize = 200;

/// That texts hold nothing that would act where they are drawn and printed, and that every arm has a folder of its own.
pub(super) fn check(experiment: &Experiment) -> Result<(), Invalid> {
    check_text("title", "title", &experiment.title)?;
    for (i, plot) in experiment.plots.iter().enumerate() {
        check_text(&format!("plot.{i}.name"), "name", &plot.name)?;
    }
    for (i, arm) in experiment.arms.iter().enumerate() {
        let named = check_text("name", "name", &arm.name);
        named.and_then(|()| check_folder_name(arm, &experiment.arms[..i])).map_err(Invalid::of_arm(i))?;
    }
    Ok(())
}

fn check_text(path: &str, key: &str, text: &str) -> Check {
    match text.chars().find(|c| is_control(*c) || matches!(c, '\n' | '\r' | '\t')) {
        None => Ok(()),
        Some(c) => {
            let code = c as u32;
            fail(path, format!("`{key}` holds the control character U+{code:04X}, which can't be shown; leave it out"))
        }
    }
}

/// Whether an arm's records have a folder of their own; also on file systems that know no case, since a slug has none.
fn check_folder_name(arm: &Arm, before: &[Arm]) -> Check {
    let slug = arm.slug();
    require(!slug.is_empty(), "name", "an arm's `name` becomes a folder, so it needs letters or digits")?;
    let message =
        format!("an arm's `name` becomes a folder, and {} bytes are too many; the most is {MOST_NAME}", slug.len());
    require(slug.len() <= MOST_NAME, "name", &message)?;
    match before.iter().find(|other| other.slug() == slug) {
        None => Ok(()),
        Some(other) => fail(
            "name",
            format!(
                "`{}` and `{}` would have the same folder, {slug}; arms need names that differ in their letters and digits",
                arm.name, other.name
            ),
        ),
    }
}
