//! The `[microscope]` table of an arm, and the arms that it names.

use super::Subject;
use crate::checks::{Check, at_least_one, fail, most, require, within};
use crate::experiment::Arm;
use crate::microscope::MicroscopeSettings;
use crate::objective::{Baseline, ExpertSettings, ObjectiveSettings, Parts};
use crate::task::{TaskSettings, TaskSource};
use lossward_envs::Space;

pub(super) fn check(subject: Subject) -> Check {
    let Some(settings) = &subject.arm.microscope else { return Ok(()) };
    check_sizes(settings)?;
    check_probe("microscope", subject.arm, subject)?;
    check_baselines(settings, subject)?;
    let others = settings.against.iter().enumerate().filter(|(_, name)| **name != subject.arm.name);
    others.into_iter().try_for_each(|(i, name)| check_against(&format!("microscope.against.{i}"), name, subject))
}

fn check_sizes(settings: &MicroscopeSettings) -> Check {
    at_least_one(settings.every.unwrap_or(1), "microscope.every")?;
    at_least_one(settings.contexts, "microscope.contexts")?;
    require(
        settings.repeats >= 2,
        "microscope.repeats",
        "`repeats` must be at least 2: a variance is taken over them",
    )?;
    let message = "`samples` is empty; give sizes, such as [1, 4, 16, 64]";
    require(!settings.samples.is_empty(), "microscope.samples", message)?;
    settings.samples.iter().try_for_each(|samples| at_least_one(*samples, "microscope.samples"))?;
    let largest = settings.samples.iter().copied().max().unwrap_or(0);
    within(&[
        ("microscope.every", settings.every.unwrap_or(0), most::EXAMPLES),
        ("microscope.contexts", settings.contexts, most::BATCH),
        ("microscope.repeats", settings.repeats, most::EPISODES),
        ("microscope.samples", largest, most::STEPS),
    ])?;
    let (contexts, actions, most) = (settings.contexts, settings.contexts * largest, most::TRANSITIONS);
    let message =
        format!("{contexts} `contexts` with {largest} `samples` each are {actions} actions; the most is {most}");
    require(actions <= most, "microscope.samples", &message)
}

/// Whether gradients of the objective of this arm can be looked at.
fn check_probe(path: &str, of: &Arm, Subject { arm, task, .. }: Subject) -> Check {
    if !of.objective.experts().is_empty() {
        // Its examples are there when the expert is trained.
        return Ok(());
    }
    let (network, optimizer, budget) = (&arm.network, &arm.optimizer, arm.budget.examples);
    let expert = |_: &ExpertSettings| Err(crate::Error::Argument("an expert is trained before it is asked".into()));
    let probe = of.objective.kind().probe(&Parts { task, network, optimizer, budget, seed: 0, expert: &expert });
    probe.map(drop).map_err(|error| crate::Error::setting(path, error))
}

fn check_baselines(settings: &MicroscopeSettings, Subject { arm, task, .. }: Subject) -> Check {
    let key = "microscope.baselines";
    require(
        settings.baselines.is_empty() || arm.objective.kind().acts(),
        key,
        &format!("`baselines` are subtracted from rewards, and `{}` learns from labels", arm.name),
    )?;
    let is_of_classes = matches!((&task.source, task.actions()), (TaskSource::DataSet(..), Space::Discrete(_)));
    let message = "`baselines` are compared where every class can be tried: on a data set of class labels";
    require(settings.baselines.is_empty() || is_of_classes, key, message)
}

/// Whether the gradient of the arm `name`, named at `path`, can be had at the weights and examples of this one.
fn check_against(path: &str, name: &str, subject: Subject) -> Check {
    let Subject { arm, task, arms, .. } = subject;
    let Some(other) = arms.iter().find(|other| other.name == name) else {
        let known: Vec<&str> =
            arms.iter().map(|other| other.name.as_str()).filter(|other| *other != arm.name).collect();
        return fail(path, crate::error::unknown("arm", name, &known));
    };
    let message = format!(
        "`{name}` has other examples, inputs or outputs: but for `label_noise`, `control` and `augmentation` its `task` must be that of `{}`",
        arm.name
    );
    require(examples_of(&arm.task) == examples_of(&other.task), path, &message)?;
    let message = format!("`{name}` learns from an expert, which is no part of the trials of `{}`", arm.name);
    require(other.objective.experts().is_empty(), path, &message)?;
    let message = format!(
        "`{name}` has a critic (`baseline = \"value\"`), and `{}` trains none that could say what its episodes are worth",
        arm.name
    );
    let needs_critic = has_critic(other) && matches!(task.source, TaskSource::Environment(_));
    require(!needs_critic || has_critic(arm), path, &message)?;
    check_probe(path, other, subject)
}

/// The task without what leaves its examples where they are.
fn examples_of(task: &TaskSettings) -> TaskSettings {
    TaskSettings { label_noise: None, clean_rewards: false, control: None, augmentation: None, ..task.clone() }
}

fn has_critic(arm: &Arm) -> bool {
    matches!(&arm.objective, ObjectiveSettings::PolicyGradient(settings) if settings.baseline == Baseline::Value)
}
