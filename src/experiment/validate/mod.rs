//! What types can't say: ranges, and combinations that make no sense.

mod policy_gradient;

use super::{Arm, Experiment, ObjectiveSettings, Plot};
use crate::Error;
use crate::data::{DataSetSettings, Target};
use crate::distribution::Policy;
use crate::loss::{self, Criterion, Loss};
use crate::metric::{self, Reward};
use crate::objective::SupervisedSettings;
use crate::optimizer::{Optimizer, Schedule};
use crate::options::Named;
use crate::task::{Evaluation, EvaluationSettings, Task, TaskSource};
use crate::visible::is_control;
use lossward_envs::wrapper::WrapError;

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

/// Checks everything, and fills in what depends on the task: the metrics, the checksums of a user's files and the default plot.
pub(super) fn check(experiment: &mut Experiment) -> Result<(), Invalid> {
    let at_top = |(path, message)| Invalid { arm: None, path, message };
    require(experiment.seeds.count >= 1, "seeds", "`seeds` must be at least 1").map_err(at_top)?;
    super::limits::of_experiment(experiment).map_err(at_top)?;
    for (i, arm) in experiment.arms.iter_mut().enumerate() {
        complete(arm).map_err(|(path, message)| Invalid { arm: Some(i), path, message })?;
    }
    check_texts(experiment)?;
    let mut columns: Vec<String> = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    for (i, arm) in experiment.arms.iter().enumerate() {
        let here = |(path, message)| Invalid { arm: Some(i), path, message };
        let (of_arm, of_data) = check_arm(arm, experiment).map_err(here)?;
        notes.extend(of_data.into_iter().filter(|note| !notes.contains(note)).collect::<Vec<_>>());
        columns.extend(of_arm.into_iter().filter(|column| !columns.contains(column)).collect::<Vec<_>>());
        check_folder_name(arm, &experiment.arms[..i]).map_err(here)?;
    }
    experiment.notes = notes;
    if experiment.plots.is_empty() {
        let usual = ["loss", "reward", "return", "accuracy", "r2", "entropy"].map(String::from);
        let mut y: Vec<String> = usual.into_iter().filter(|name| columns.contains(name)).collect();
        // And all that is asked for.
        y.extend(
            columns.iter().filter(|column| experiment.arms.iter().any(|arm| arm.evaluation.asks_for(column))).cloned(),
        );
        let mut seen: Vec<String> = Vec::new();
        y.retain(|name| {
            let new = !seen.contains(name);
            seen.push(name.clone());
            new
        });
        experiment.plots.push(Plot {
            name: super::curves(),
            x: super::examples(),
            y,
            log: None,
            range: None,
            arms: None,
        });
    }
    columns.extend(metric::gaps(&columns));
    check_columns(experiment, &columns).map_err(at_top)
}

/// Texts that are drawn and printed hold nothing that would act there.
fn check_texts(experiment: &Experiment) -> Result<(), Invalid> {
    let fault = |text: &str| text.chars().find(|c| is_control(*c) || matches!(c, '\n' | '\r' | '\t'));
    let message = |key: &str, c: char| {
        format!("`{key}` holds the control character U+{:04X}, which can't be shown; leave it out", c as u32)
    };
    let plots = experiment.plots.iter().enumerate().map(|(i, plot)| (format!("plot.{i}.name"), plot.name.as_str()));
    let top = [("title".to_string(), experiment.title.as_str())].into_iter().chain(plots);
    for (path, text) in top {
        if let Some(c) = fault(text) {
            let key = path.rsplit('.').next().unwrap_or_default();
            return Err(Invalid { arm: None, message: message(key, c), path });
        }
    }
    match experiment.arms.iter().enumerate().find_map(|(i, arm)| Some((i, fault(&arm.name)?))) {
        Some((i, c)) => Err(Invalid { arm: Some(i), path: "name".into(), message: message("name", c) }),
        None => Ok(()),
    }
}

/// Bytes of a name that every file system takes, with room for an ending.
const MOST_NAME: usize = 200;

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

fn complete(arm: &mut Arm) -> Check {
    if let Some(DataSetSettings::Files(files)) = &mut arm.task.dataset {
        files.fix().or_else(|error| fail("task.dataset", error))?;
    }
    count_epochs(arm)?;
    super::limits::of_arm(arm)?;
    if arm.evaluation.metrics.is_empty() {
        let usual = match load_task(arm)?.source {
            TaskSource::DataSet(data) if data.target.classes().is_none() => ["r2", "rmse"],
            _ => ["accuracy", "cross_entropy"],
        };
        arm.evaluation.metrics = usual.map(Named::plain).to_vec();
    }
    Ok(())
}

/// The examples of a budget that is given in epochs.
fn count_epochs(arm: &mut Arm) -> Check {
    let Some(epochs) = arm.budget.epochs else {
        let message = "`examples` must be at least 1, such as budget.examples = 100_000; or, on a data set, `epochs`";
        return require(arm.budget.examples >= 1, "budget.examples", message);
    };
    require(epochs >= 1, "budget.epochs", "`epochs` must be at least 1")?;
    let TaskSource::DataSet(data) = load_task(arm)?.source else {
        return fail("budget.epochs", "an environment has no epochs; give `budget.examples`, its steps");
    };
    let examples = epochs.saturating_mul(data.train.len() as u64);
    let agrees = arm.budget.examples == 0 || arm.budget.examples == examples;
    let message =
        format!("{epochs} `epochs` of {} training rows are {examples} examples; give one of the two", data.train.len());
    arm.budget.examples = examples;
    require(agrees, "budget.examples", &message)
}

fn load_task(arm: &Arm) -> Result<Task, (String, String)> {
    Task::load(&arm.task, 0).map_err(|error| {
        let message = error.to_string();
        // A message that begins with a key of the task is about that.
        let first = message.strip_prefix('`').and_then(|rest| rest.split(['`', '.']).next());
        let key = ["train_rows", "imbalance", "label_noise"].into_iter().find(|key| first == Some(key));
        let path = match (&error, key) {
            (Error::Option(_), _) => "task.options".into(),
            (_, Some(key)) => format!("task.{key}"),
            (Error::Wrapper(WrapError::Parameter { wrapper: "limit_time", .. }), _) => "task.max_steps".into(),
            (Error::Wrapper(_), _) => "task.wrappers".into(),
            _ if arm.task.dataset.is_some() => "task.dataset".into(),
            _ => "task.env".into(),
        };
        (path, message)
    })
}

fn check_columns(experiment: &Experiment, columns: &[String]) -> Check {
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let known = |path: &str, name: &String| match columns.contains(&name.as_str()) {
        true => Ok(()),
        false => fail(path, crate::error::unknown("column of the record", name, &columns)),
    };
    for (i, plot) in experiment.plots.iter().enumerate() {
        known(&format!("plot.{i}.x"), &plot.x)?;
        plot.y.iter().try_for_each(|name| known(&format!("plot.{i}.y"), name))?;
        require(!plot.y.is_empty(), &format!("plot.{i}.y"), "`y` of a plot is empty")?;
        let drawn: Vec<&str> = plot.y.iter().map(String::as_str).collect();
        let ranged = plot.range.iter().flat_map(|range| range.keys());
        for (key, name) in plot.log.iter().flatten().map(|name| ("log", name)).chain(ranged.map(|name| ("range", name)))
        {
            if !plot.y.contains(name) {
                return fail(&format!("plot.{i}.{key}"), crate::error::unknown("column of `y`", name, &drawn));
            }
        }
        for (name, [low, high]) in plot.range.iter().flatten() {
            let positive = !plot.log.iter().flatten().any(|log| log == name) || *low > 0.0;
            let holds = low.is_finite() && high.is_finite() && low < high && positive;
            let message = "a `range` is [low, high], finite, low below high, and on a logarithmic axis both positive";
            require(holds, &format!("plot.{i}.range"), message)?;
        }
        let names: Vec<&str> = experiment.arms.iter().map(|arm| arm.name.as_str()).collect();
        if let Some(name) = plot.arms.iter().flatten().find(|name| !names.contains(&name.as_str())) {
            return fail(&format!("plot.{i}.arms"), crate::error::unknown("arm", name, &names));
        }
        let none = plot.arms.as_ref().is_some_and(Vec::is_empty);
        require(!none, &format!("plot.{i}.arms"), "`arms` of a plot is empty; leave it out to draw all of them")?;
        let unnamed = super::slug(&plot.name).is_empty();
        require(!unnamed, &format!("plot.{i}.name"), "the `name` of a plot needs letters or digits")?;
        let long = super::slug(&plot.name).len() > MOST_NAME;
        let message = format!("a plot's `name` becomes a file; the most is {MOST_NAME} bytes");
        require(!long, &format!("plot.{i}.name"), &message)?;
        let repeated = experiment.plots[..i].iter().any(|other| super::slug(&other.name) == super::slug(&plot.name));
        require(!repeated, &format!("plot.{i}"), "two plots have the same `name`; without one it is \"curves\"")?;
        let drawn = experiment.arms.iter().flat_map(|arm| &arm.evaluation.metrics);
        let taken = drawn.map(|metric| super::slug(&metric.label())).any(|name| name == super::slug(&plot.name));
        require(
            !taken,
            &format!("plot.{i}.name"),
            "a metric has this `name`, and its figure would take the place of the plot",
        )?;
    }
    match &experiment.threshold {
        Some(threshold) => {
            require(threshold.value.is_finite(), "threshold.value", "the `value` of a threshold must be finite")?;
            known("threshold.metric", &threshold.metric)
        }
        None => Ok(()),
    }
}

/// Checks one arm and returns the columns of its records, and what there is to say about its data.
fn check_arm(arm: &Arm, experiment: &Experiment) -> Result<(Vec<String>, Vec<String>), (String, String)> {
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
    positive(arm.evaluation.every.unwrap_or(1), "evaluation.every")?;
    positive(arm.evaluation.episodes as u64, "evaluation.episodes")?;
    require(arm.network.output_gain.is_finite(), "network.output_gain", "`output_gain` must be finite")?;
    check_regularizer(arm, experiment)?;
    if let Some(early) = arm.evaluation.early_stopping {
        not_negative(early.threshold, "evaluation.early_stopping.threshold")?;
    }
    let rate = arm.network.dropout.unwrap_or(0.0);
    require((0.0..1.0).contains(&rate), "network.dropout", &format!("`dropout` must lie in [0, 1), not {rate}"))?;
    arm.optimizer.learning_rate.bounds().iter().try_for_each(|rate| not_negative(*rate, "optimizer.learning_rate"))?;
    // The message begins with the key that it is about.
    let optimizer_key = |message: &str| format!("optimizer.{}", message.split('`').nth(1).unwrap_or_default());
    Optimizer::new(&arm.optimizer, crate::stream(0, "gradient noise", 0))
        .map_err(|error| (optimizer_key(&error.to_string()), error.to_string()))?;
    let task = load_task(arm)?;
    let empty = arm.network.layers.is_empty() || arm.network.hidden().contains(&0);
    let network_key = if empty { "network.hidden" } else { "network.layers" };
    arm.network.check(&task.input_shape()).map_err(|error| (network_key.to_string(), error.to_string()))?;
    let policy = Policy::new(task.actions(), arm.network.policy.as_ref())
        .map_err(|error| ("network.policy".to_string(), error.to_string()))?;
    let bonus = arm.regularizer.entropy.is_none() || policy.has_entropy();
    let message = "the entropy of actions that tanh squashes has no closed form; `entropy_coefficient` of the objective estimates it";
    require(bonus, "regularizer.entropy", message)?;
    match &arm.objective {
        ObjectiveSettings::Supervised(settings) => check_supervised(settings, arm, &task, experiment)?,
        ObjectiveSettings::PolicyGradient(_) if arm.network.drops_units() => {
            let message = "a policy must act as it learns, so `dropout` is for supervised arms: give those a network of their own";
            let key = if arm.network.dropout.is_some() { "network.dropout" } else { "network.layers" };
            return fail(key, message).map(|()| Default::default());
        }
        ObjectiveSettings::PolicyGradient(settings) => policy_gradient::check(settings, &task, arm.budget.examples)?,
    }
    check_judging(arm, &task)?;
    check_metrics(arm, &task)?;
    let columns = super::columns(arm, &task).map_err(|error| ("evaluation".into(), error.to_string()))?;
    let notes = match &task.source {
        TaskSource::DataSet(data) => data.notes.clone(),
        TaskSource::Environment(_) => Vec::new(),
    };
    Ok((columns, notes))
}

/// No metric twice; and where the first one decides about the training, that it is a single number.
fn check_metrics(arm: &Arm, task: &Task) -> Check {
    let (metrics, of_training) = (&arm.evaluation.metrics, arm.evaluation.train_metrics.as_deref().unwrap_or_default());
    for (metrics, path) in [(&metrics[..], "evaluation.metrics"), (of_training, "evaluation.train_metrics")] {
        if let Some((_, metric)) = metrics.iter().enumerate().find(|(i, metric)| metrics[..*i].contains(metric)) {
            return fail(path, format!("`{}` stands there twice", metric.label()));
        }
        let only = EvaluationSettings { metrics: metrics.to_vec(), train_metrics: None, ..arm.evaluation.clone() };
        Evaluation::new(task, &only, 0).map_err(|error| (path.to_string(), error.to_string()))?;
    }
    if let Some(drawn) =
        of_training.iter().find(|named| metric::find(&named.name).is_ok_and(|metric| metric.is_drawn()))
    {
        let message = format!("`{}` is drawn, of the held-out examples alone: name it under `metrics`", drawn.name);
        return fail("evaluation.train_metrics", message);
    }
    let follows = match (&arm.evaluation.early_stopping, &arm.optimizer.learning_rate) {
        (Some(_), _) => "evaluation.early_stopping",
        (None, Schedule::Plateau { .. }) => "optimizer.learning_rate",
        _ => return Ok(()),
    };
    if arm.task.dataset.is_none() {
        return Ok(());
    }
    let evaluation = Evaluation::new(task, &arm.evaluation, 0);
    let evaluation = evaluation.map_err(|error| ("evaluation".to_string(), error.to_string()))?;
    let first = metrics.first().map(|metric| metric.label());
    let decides = first.is_some() && evaluation.columns().first() == first.as_ref();
    require(decides, follows, "the first of `metrics` decides, so it must be a single number, such as accuracy")
}

/// What the evaluation changes about the task, and that it belongs to such a task.
fn check_judging(arm: &Arm, task: &Task) -> Check {
    let EvaluationSettings { options, reward, train_metrics, .. } = &arm.evaluation;
    match (&task.source, options, reward) {
        (TaskSource::Environment(_), ..) if train_metrics.is_some() => fail(
            "evaluation.train_metrics",
            "an environment has no training examples; `train_metrics` is for data sets",
        ),
        (TaskSource::DataSet(_), Some(_), _) => {
            fail("evaluation.options", "`options` of the evaluation are for environments")
        }
        (TaskSource::Environment(_), _, Some(_)) => {
            fail("evaluation.reward", "an environment has rewards of its own; `reward` is for data sets")
        }
        (TaskSource::DataSet(data), _, Some(reward)) => {
            let classes = data.target.classes();
            Reward::of_target(Some(reward), classes).map(drop).or_else(|error| fail("evaluation.reward", error))
        }
        (TaskSource::Environment(environment), Some(options), _) => {
            environment.with_options(Some(options)).map(drop).or_else(|error| fail("evaluation.options", error))
        }
        _ => Ok(()),
    }
}

fn check_regularizer(arm: &Arm, experiment: &Experiment) -> Check {
    let settings = &arm.regularizer;
    let not_negative = |value: f64, key: &str| {
        let message =
            format!("`{}` must be finite and not negative, not {value}", key.rsplit('.').next().unwrap_or(key));
        require(value >= 0.0 && value.is_finite(), &format!("regularizer.{key}"), &message)
    };
    not_negative(settings.l1, "l1")?;
    not_negative(settings.l2, "l2")?;
    not_negative(settings.entropy.unwrap_or(0.0), "entropy")?;
    if let Some(elastic_net) = settings.elastic_net {
        not_negative(elastic_net.strength, "elastic_net.strength")?;
        let share = (0.0..=1.0).contains(&elastic_net.l1_ratio);
        require(share, "regularizer.elastic_net.l1_ratio", "`l1_ratio` must lie in [0, 1]")?;
    }
    let Some(kl) = &settings.kl else { return Ok(()) };
    let normalizes = arm.task.wrappers.as_ref().and_then(|wrappers| wrappers.normalize_observations) == Some(true);
    if normalizes && (kl.arm.is_some() || kl.file.is_some()) {
        let message = "another network has its own statistics of the observations; with `normalize_observations` the reference must be the initial network";
        return fail("regularizer.kl", message);
    }
    not_negative(kl.coefficient, "kl.coefficient")?;
    match (&kl.arm, &kl.file) {
        (Some(_), Some(_)) => {
            fail("regularizer.kl", "the reference is an `arm`, a `file`, or neither: the initial network")
        }
        (Some(name), None) => check_teacher("regularizer.kl.arm", name, arm, experiment),
        (None, Some(file)) => check_file(file, "regularizer.kl.file"),
        (None, None) => Ok(()),
    }
}

fn check_file(file: &crate::FilePath, path: &str) -> Check {
    let file = file.path();
    require(file.is_file(), path, &format!("there is no weights file {}", file.display()))
}

fn check_supervised(settings: &SupervisedSettings, arm: &Arm, task: &Task, experiment: &Experiment) -> Check {
    require(settings.batch_size >= 1, "objective.batch_size", "`batch_size` must be at least 1")?;
    let target = task.target().map_err(|error| ("objective".to_string(), error.to_string()))?;
    let at_loss = |error: crate::Error| ("objective.loss".to_string(), error.to_string());
    let criterion = Criterion::new(&settings.loss).map_err(at_loss)?;
    let (fits, does, held): (fn(&Loss) -> bool, _, _) = match target {
        Target::Class { .. } => (Loss::trains_classifiers, "a network's scores with class labels", "class labels"),
        Target::Value { .. } => (Loss::trains_values, "a network's prediction with a real value", "real values"),
    };
    if let Some(loss) = criterion.losses().find(|loss| !fits(loss)) {
        let fitting = loss::all().filter(|loss| fits(loss)).map(|loss| loss.name).collect::<Vec<_>>().join(", ");
        let name = loss.name;
        let of_classes =
            matches!(target, Target::Value { .. }) && loss.trains_classifiers() && arm.task.dataset.is_some();
        let hint = match of_classes {
            true => " (if its target holds classes, say so: `kind = \"classification\"` in `dataset`)",
            false => "",
        };
        let message =
            format!("`{name}` does not compare {does}, and this task has {held}{hint}; losses that fit: {fitting}");
        return fail("objective.loss", message);
    }
    target.classes().map_or(Ok(()), |classes| criterion.check_classes(classes)).map_err(at_loss)?;
    match (&settings.expert, &arm.task.env) {
        (None, None) => Ok(()),
        (None, Some(env)) => {
            fail("objective", format!("{env} has no labels; name an `expert`: {{ arm = \"…\" }} or {{ file = \"…\" }}"))
        }
        (Some(_), None) => fail("objective.expert", "a data set has labels; `expert` is for environments"),
        (Some(expert), Some(_)) => {
            require(expert.episodes >= 1, "objective.expert.episodes", "`episodes` must be at least 1")?;
            match (&expert.arm, &expert.file) {
                (Some(name), None) => check_teacher("objective.expert.arm", name, arm, experiment),
                (None, Some(file)) => check_file(file, "objective.expert.file"),
                _ => fail("objective.expert", "an expert is either an `arm` or a `file`"),
            }
        }
    }
}

/// Whether the network of the arm `name`, named at `path`, can be loaded for this arm.
fn check_teacher(path: &str, name: &str, arm: &Arm, experiment: &Experiment) -> Check {
    require(name != arm.name, path, "an arm can't be its own teacher")?;
    let others = experiment.arms.iter().filter(|other| other.name != arm.name);
    let known: Vec<&str> = others.clone().map(|other| other.name.as_str()).collect();
    let Some(teacher) = others.clone().find(|other| other.name == name) else {
        return fail(path, crate::error::unknown("arm", name, &known));
    };
    let reads = |arm: &Arm| {
        let task = Task::load(&arm.task, 0).ok()?;
        Some((arm.task.env.clone(), arm.task.dataset.clone(), task.input_shape(), task.actions()))
    };
    require(reads(teacher) == reads(arm), path, &format!("`{name}` has another task"))?;
    let same = teacher.network.layers == arm.network.layers && teacher.network.hidden() == arm.network.hidden();
    require(same, path, &format!("the network of `{name}` has other layers"))?;
    let same = teacher.network.policy.unwrap_or_default() == arm.network.policy.unwrap_or_default();
    require(same, path, &format!("the network of `{name}` has another `policy`"))?;
    require(teacher.teachers().next().is_none(), path, &format!("`{name}` itself learns from another arm"))
}
