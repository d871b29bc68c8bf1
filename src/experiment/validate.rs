//! What types can't say: ranges, and combinations that make no sense.

use super::{Arm, Experiment, ObjectiveSettings, Plot};
use crate::objective::{Baseline, PolicyGradientSettings, SupervisedSettings, Surrogate};
use crate::optimizer::{Optimizer, Schedule};
use crate::rollout::Length;
use crate::task::Task;
use crate::{loss, trial};

/// What is wrong, and at which key of which arm.
pub(super) struct Invalid {
    pub arm: Option<usize>,
    pub path: String,
    pub message: String,
}

type Check = Result<(), (String, String)>;

fn fail(path: &str, message: impl ToString) -> Check {
    Err((path.into(), message.to_string()))
}

fn require(holds: bool, path: &str, message: &str) -> Check {
    if holds { Ok(()) } else { fail(path, message) }
}

/// Checks everything, and fills in the default plot.
pub(super) fn check(experiment: &mut Experiment) -> Result<(), Invalid> {
    let at_top = |(path, message)| Invalid { arm: None, path, message };
    require(experiment.seeds >= 1, "seeds", "`seeds` must be at least 1").map_err(at_top)?;
    let mut columns: Vec<&'static str> = Vec::new();
    for (i, arm) in experiment.arms.iter().enumerate() {
        let here = |(path, message)| Invalid { arm: Some(i), path, message };
        let of_arm = check_arm(arm, experiment).map_err(here)?;
        columns.extend(of_arm.into_iter().filter(|column| !columns.contains(column)).collect::<Vec<_>>());
        let same = experiment.arms[..i].iter().any(|other| other.slug() == arm.slug());
        require(!same && !arm.slug().is_empty(), "name", "arms need names that differ in their letters and digits")
            .map_err(here)?;
    }
    if experiment.plots.is_empty() {
        let usual = ["loss", "reward", "return", "accuracy", "entropy"];
        let y = usual.iter().filter(|name| columns.contains(name)).map(|name| name.to_string()).collect();
        experiment.plots.push(Plot { name: super::curves(), x: super::examples(), y });
    }
    check_columns(experiment, &columns).map_err(at_top)
}

fn check_columns(experiment: &Experiment, columns: &[&str]) -> Check {
    let known = |path: &str, name: &String| match columns.contains(&name.as_str()) {
        true => Ok(()),
        false => fail(path, crate::error::unknown("column of the record", name, columns)),
    };
    for (i, plot) in experiment.plots.iter().enumerate() {
        known(&format!("plot.{i}.x"), &plot.x)?;
        plot.y.iter().try_for_each(|name| known(&format!("plot.{i}.y"), name))?;
        require(!plot.y.is_empty(), &format!("plot.{i}.y"), "`y` of a plot is empty")?;
        let unnamed = super::slug(&plot.name).is_empty();
        require(!unnamed, &format!("plot.{i}.name"), "the `name` of a plot needs letters or digits")?;
        let repeated = experiment.plots[..i].iter().any(|other| super::slug(&other.name) == super::slug(&plot.name));
        require(!repeated, &format!("plot.{i}"), "two plots have the same `name`; without one it is \"curves\"")?;
    }
    match &experiment.threshold {
        Some(threshold) => {
            require(threshold.value.is_finite(), "threshold.value", "the `value` of a threshold must be finite")?;
            known("threshold.metric", &threshold.metric)
        }
        None => Ok(()),
    }
}

/// Checks one arm and returns the columns of its records.
fn check_arm(arm: &Arm, experiment: &Experiment) -> Result<Vec<&'static str>, (String, String)> {
    let positive = |value: u64, path: &str| {
        let key = path.rsplit('.').next().unwrap_or(path);
        require(value >= 1, path, &format!("`{key}` must be at least 1"))
    };
    let not_negative = |value: f64, path: &str| {
        let key = path.rsplit('.').next().unwrap_or(path);
        require(
            value >= 0.0 && value.is_finite(),
            path,
            &format!("`{key}` must be finite and not negative, not {value}"),
        )
    };
    positive(arm.budget.examples, "budget.examples")?;
    positive(arm.evaluation.every.unwrap_or(1), "evaluation.every")?;
    positive(arm.evaluation.episodes as u64, "evaluation.episodes")?;
    require(arm.network.output_gain.is_finite(), "network.output_gain", "`output_gain` must be finite")?;
    not_negative(arm.regularizer.l1, "regularizer.l1")?;
    not_negative(arm.regularizer.l2, "regularizer.l2")?;
    arm.optimizer.learning_rate.bounds().iter().try_for_each(|rate| not_negative(*rate, "optimizer.learning_rate"))?;
    // The message begins with the key that it is about.
    let optimizer_key = |message: &str| format!("optimizer.{}", message.split('`').nth(1).unwrap_or_default());
    Optimizer::new(&arm.optimizer, crate::stream(0, "gradient noise", 0))
        .map_err(|error| (optimizer_key(&error.to_string()), error.to_string()))?;
    let named = if arm.task.dataset.is_some() { "task.dataset" } else { "task.env" };
    let task = Task::load(&arm.task, 0).map_err(|error| (named.to_string(), error.to_string()))?;
    let empty = arm.network.layers.is_empty() || arm.network.hidden().contains(&0);
    let network_key = if empty { "network.hidden" } else { "network.layers" };
    arm.network.check(&task.input_shape()).map_err(|error| (network_key.to_string(), error.to_string()))?;
    match &arm.objective {
        ObjectiveSettings::Supervised(settings) => check_supervised(settings, arm, experiment)?,
        ObjectiveSettings::PolicyGradient(settings) => check_policy_gradient(settings, &task, arm.budget.examples)?,
    }
    trial::columns(arm, &task).map_err(|error| ("evaluation.metrics".into(), error.to_string()))
}

fn check_supervised(settings: &SupervisedSettings, arm: &Arm, experiment: &Experiment) -> Check {
    require(settings.batch_size >= 1, "objective.batch_size", "`batch_size` must be at least 1")?;
    let loss = loss::find(&settings.loss).or_else(|error| fail("objective.loss", error).map(|()| &loss::ALL[0]))?;
    if loss.targets != loss::Targets::Classes {
        let fitting = loss::ALL.iter().filter(|loss| loss.targets == loss::Targets::Classes).map(|loss| loss.name);
        let fitting = fitting.collect::<Vec<_>>().join(", ");
        let message =
            format!("`{}` compares real values, and this task has class labels; losses that fit: {fitting}", loss.name);
        return fail("objective.loss", message);
    }
    match (&settings.expert, &arm.task.env) {
        (None, None) => Ok(()),
        (None, Some(env)) => {
            fail("objective", format!("{env} has no labels; name an `expert`: {{ arm = \"…\" }} or {{ file = \"…\" }}"))
        }
        (Some(_), None) => fail("objective.expert", "a data set has labels; `expert` is for environments"),
        (Some(expert), Some(_)) => {
            require(expert.episodes >= 1, "objective.expert.episodes", "`episodes` must be at least 1")?;
            match (&expert.arm, &expert.file) {
                (Some(name), None) => check_expert_arm(name, arm, experiment),
                (None, Some(file)) => require(
                    file.is_file(),
                    "objective.expert.file",
                    &format!("there is no weights file {}", file.display()),
                ),
                _ => fail("objective.expert", "an expert is either an `arm` or a `file`"),
            }
        }
    }
}

fn check_expert_arm(name: &str, arm: &Arm, experiment: &Experiment) -> Check {
    let path = "objective.expert.arm";
    require(name != arm.name, path, "an arm can't be its own expert")?;
    let others = experiment.arms.iter().filter(|other| other.name != arm.name);
    let known: Vec<&str> = others.clone().map(|other| other.name.as_str()).collect();
    let Some(expert) = others.clone().find(|other| other.name == name) else {
        return fail(path, crate::error::unknown("arm", name, &known));
    };
    require(expert.task.env == arm.task.env, path, &format!("`{name}` plays another environment"))?;
    let same = expert.network.layers == arm.network.layers && expert.network.hidden() == arm.network.hidden();
    require(same, path, &format!("the network of `{name}` has other layers"))?;
    require(expert.expert_arm().is_none(), path, &format!("`{name}` itself learns from an expert arm"))
}

fn check_policy_gradient(settings: &PolicyGradientSettings, task: &Task, budget: u64) -> Check {
    let positive =
        |value: usize, path: &str, key: &str| require(value >= 1, path, &format!("`{key}` must be at least 1"));
    positive(settings.environments, "objective.environments", "environments")?;
    positive(settings.epochs, "objective.epochs", "epochs")?;
    positive(settings.batch_size.unwrap_or(1), "objective.batch_size", "batch_size")?;
    let steps = match settings.rollout {
        Length::Steps(steps) => steps,
        Length::Episodes => 1,
    };
    positive(steps, "objective.rollout", "steps")?;
    let rollout = settings.environments.saturating_mul(steps) as u64;
    let message = format!("one rollout takes {rollout} steps or more, beyond the budget of {budget} examples");
    require(rollout <= budget, "objective.environments", &message)?;
    for (value, key) in [(settings.discount, "discount"), (settings.gae_lambda, "gae_lambda")] {
        require(
            (0.0..=1.0).contains(&value),
            &format!("objective.{key}"),
            &format!("`{key}` must lie in [0, 1], not {value}"),
        )?;
    }
    require(
        settings.gae_lambda == 1.0 || settings.baseline == Baseline::Value,
        "objective.gae_lambda",
        "a `gae_lambda` below 1 needs `baseline = \"value\"`",
    )?;
    require(
        settings.entropy_coefficient.is_finite() && settings.entropy_coefficient >= 0.0,
        "objective.entropy_coefficient",
        "`entropy_coefficient` must be finite and not negative",
    )?;
    for (key, clip) in [("clip", &settings.clip), ("value_clip", &settings.value_clip)] {
        let message = format!("`{key}` can't follow the evaluation: the schedule plateau is for learning rates");
        require(!matches!(clip, Some(Schedule::Plateau { .. })), &format!("objective.{key}"), &message)?;
    }
    match (settings.surrogate, &settings.clip) {
        (Surrogate::Clipped, None) => {
            return fail("objective.surrogate", "the clipped surrogate needs a `clip`, such as 0.2");
        }
        (Surrogate::LogProb, Some(_)) => {
            return fail("objective.clip", "`clip` belongs to `surrogate = \"clipped\"`; this arm's is \"log_prob\"");
        }
        (_, Some(clip)) => {
            let range = clip.bounds().iter().all(|bound| (0.0..1.0).contains(bound));
            require(range, "objective.clip", "`clip` must lie in [0, 1)")?;
        }
        (Surrogate::LogProb, None) => {}
    }
    if let Some(clip) = &settings.value_clip {
        require(
            settings.baseline == Baseline::Value,
            "objective.value_clip",
            "`value_clip` needs `baseline = \"value\"`",
        )?;
        let [smallest, largest] = clip.bounds();
        let positive = clip.at(0.0) > 0.0 && smallest >= 0.0 && largest.is_finite();
        require(positive, "objective.value_clip", "`value_clip` must be positive and finite")?;
    }
    let reward = settings.reward.as_deref();
    let made = task.environments(reward, Vec::new());
    made.map(|_| ()).or_else(|error| fail("objective.reward", error))
}
