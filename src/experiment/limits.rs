//! Sizes beyond reason.

use super::{Arm, Experiment};
use crate::checks::{Check, most, require, within};

/// What is beyond reason at the top of a file.
pub(super) fn of_experiment(experiment: &Experiment) -> Check {
    let seeds = experiment.seeds;
    within(&[("seeds", seeds.count, most::SEEDS), ("seeds.from", seeds.from, most::FIRST_SEED)])
}

/// The same of an arm, but for its objective; `budget` is known by now.
pub(super) fn of_arm(arm: &Arm) -> Check {
    let examples = arm.budget.examples;
    within(&[
        ("budget.epochs", arm.budget.epochs.unwrap_or(0), most::EPOCHS),
        ("budget.examples", examples, most::EXAMPLES),
        ("evaluation.every", arm.evaluation.every.unwrap_or(0), most::EXAMPLES),
        ("evaluation.episodes", arm.evaluation.episodes as u64, most::EPISODES),
    ])?;
    let (rows, most) = (examples / arm.evaluation.every(examples).max(1), most::ROWS);
    let message = format!("`every` gives {rows} rows of a budget of {examples} examples; the most is {most}");
    require(rows <= most, "evaluation.every", &message)
}
