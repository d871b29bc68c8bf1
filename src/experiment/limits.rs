//! Sizes beyond reason: nobody waits for them, or no machine has the memory. One place for all of them.

use super::{Arm, Experiment, ObjectiveSettings};
use crate::rollout::Length;
use crate::{Error, Result};

const SEEDS: u64 = 100_000;
const FIRST_SEED: u64 = 1 << 53;
const EXAMPLES: u64 = 100_000_000_000;
const EPOCHS: u64 = 10_000_000;
const ROWS: u64 = 10_000_000;
const EPISODES: u64 = 1_000_000;
const COPIES: u64 = 100_000;
const STEPS: u64 = 10_000_000;
const TRANSITIONS: u64 = 100_000_000;
const BATCH: u64 = 10_000_000;

/// A key with its value and the most that it can be.
type Limit = (&'static str, u64, u64);

/// What is beyond reason at the top of a file.
pub(super) fn of_experiment(experiment: &Experiment) -> Result<()> {
    let seeds = experiment.seeds;
    check(&[("seeds", seeds.count, SEEDS), ("seeds.from", seeds.from, FIRST_SEED)])
}

/// The same of an arm; `budget` is known by now.
pub(super) fn of_arm(arm: &Arm) -> Result<()> {
    let examples = arm.budget.examples;
    check(&[
        ("budget.epochs", arm.budget.epochs.unwrap_or(0), EPOCHS),
        ("budget.examples", examples, EXAMPLES),
        ("evaluation.every", arm.evaluation.every.unwrap_or(0), EXAMPLES),
        ("evaluation.episodes", arm.evaluation.episodes as u64, EPISODES),
    ])?;
    let rows = examples / arm.evaluation.every(examples).max(1);
    if rows > ROWS {
        let message = format!("`every` gives {rows} rows of a budget of {examples} examples; the most is {ROWS}");
        return Err(Error::setting("evaluation.every", message));
    }
    match &arm.objective {
        ObjectiveSettings::Supervised(settings) => {
            let episodes = settings.expert.as_ref().map_or(0, |expert| expert.episodes as u64);
            check(&[
                ("objective.batch_size", settings.batch_size as u64, BATCH),
                ("objective.expert.episodes", episodes, EPISODES),
            ])
        }
        ObjectiveSettings::PolicyGradient(settings) => {
            let steps = match settings.rollout {
                Length::Steps(steps) => steps as u64,
                Length::Episodes => 1,
            };
            let copies = settings.environments as u64;
            check(&[
                ("objective.environments", copies, COPIES),
                ("objective.epochs", settings.epochs as u64, EPOCHS),
                ("objective.batch_size", settings.batch_size.unwrap_or(0) as u64, BATCH),
                ("objective.n_step", settings.n_step.unwrap_or(0) as u64, STEPS),
                ("objective.rollout.steps", steps, STEPS),
            ])?;
            match copies * steps > TRANSITIONS {
                true => {
                    let message = format!(
                        "`rollout` has {} transitions, steps times environments; the most is {TRANSITIONS}",
                        copies * steps
                    );
                    Err(Error::setting("objective.rollout", message))
                }
                false => Ok(()),
            }
        }
    }
}

fn check(limits: &[Limit]) -> Result<()> {
    match limits.iter().find(|(_, value, most)| value > most) {
        Some((path, value, most)) => {
            let key = path.rsplit('.').next().unwrap_or(path);
            Err(Error::setting(path, format!("`{key}` is {value}, beyond reason; the most is {most}")))
        }
        None => Ok(()),
    }
}
