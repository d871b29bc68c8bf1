//! What types can't say: ranges, and combinations that make no sense. One way down: everything an arm needs is built once, and checked
//! as it is built.

mod arm;
mod microscope;
mod names;
mod plots;
mod regularizer;
mod teacher;

use super::{Arm, Experiment};
use crate::checks::{Check, at_least_one, fail, require};
use crate::data::DataSetSettings;
use crate::options::Named;
use crate::task::{Task, TaskSource};
use crate::{Error, Result, metric};

/// What is wrong, at a key ([`Error::Setting`]), and of which arm.
pub(super) struct Invalid {
    pub arm: Option<usize>,
    pub error: Error,
}

impl Invalid {
    fn of_arm(arm: usize) -> impl Fn(Error) -> Invalid {
        move |error| Invalid { arm: Some(arm), error }
    }
}

impl From<Error> for Invalid {
    fn from(error: Error) -> Invalid {
        Invalid { arm: None, error }
    }
}

/// An arm with its task, among all arms.
#[derive(Clone, Copy)]
struct Subject<'a> {
    arm: &'a Arm,
    task: &'a Task,
    arms: &'a [Arm],
    tasks: &'a [Task],
}

/// Checks everything, and fills in what depends on the task: the metrics, the checksums of a user's files and the default plot.
pub(super) fn check(experiment: &mut Experiment) -> Result<(), Invalid> {
    at_least_one(experiment.seeds.count, "seeds")?;
    super::limits::of_experiment(experiment)?;
    names::check(experiment)?;
    let mut tasks = Vec::new();
    for (i, arm) in experiment.arms.iter_mut().enumerate() {
        tasks.push(complete(arm).map_err(Invalid::of_arm(i))?);
    }
    let (mut columns, mut notes) = (Vec::new(), Vec::new());
    for (i, (arm, task)) in experiment.arms.iter().zip(&tasks).enumerate() {
        let subject = Subject { arm, task, arms: &experiment.arms, tasks: &tasks };
        add_new(&mut columns, arm::check(subject).map_err(Invalid::of_arm(i))?);
        if let TaskSource::DataSet(data, _) = &task.source {
            add_new(&mut notes, data.notes.clone());
        }
        notes.extend(arm::note(arm, task));
    }
    experiment.notes = notes;
    Ok(drawn(experiment, columns)?)
}

/// Checks what is drawn of records that have these columns, and fills in the default plot.
pub(super) fn drawn(experiment: &mut Experiment, mut columns: Vec<String>) -> Check {
    if experiment.plots.is_empty() {
        experiment.plots.push(plots::usual(&experiment.arms, &columns));
    }
    columns.extend(metric::gaps(&columns));
    plots::check(experiment, &columns)
}

fn add_new(all: &mut Vec<String>, more: Vec<String>) {
    for text in more {
        if !all.contains(&text) {
            all.push(text);
        }
    }
}

/// The task of an arm, which says how many examples an epoch has and what is judged where nothing is said.
fn complete(arm: &mut Arm) -> Result<Task> {
    if let Some(DataSetSettings::Files(files)) = &mut arm.task.dataset {
        files.fix().map_err(|error| error.under("task.dataset"))?;
    }
    let task = Task::load(&arm.task, 0).map_err(|error| error.under("task"))?;
    count_epochs(arm, &task)?;
    super::limits::of_arm(arm)?;
    if arm.evaluation.metrics.is_empty() {
        let usual = match &task.source {
            TaskSource::DataSet(_, kind) => kind.usual_metrics(),
            // Nothing is chosen there; records name these.
            TaskSource::Environment(_) => &["accuracy", "cross_entropy"],
        };
        arm.evaluation.metrics = usual.iter().copied().map(Named::plain).collect();
    }
    Ok(task)
}

/// The examples of a budget that is given in epochs.
fn count_epochs(arm: &mut Arm, task: &Task) -> Check {
    let Some(epochs) = arm.budget.epochs else {
        let message = "`examples` must be at least 1, such as budget.examples = 100_000; or, on a data set, `epochs`";
        return require(arm.budget.examples >= 1, "budget.examples", message);
    };
    at_least_one(epochs, "budget.epochs")?;
    let TaskSource::DataSet(data, _) = &task.source else {
        return fail("budget.epochs", "an environment has no epochs; give `budget.examples`, its steps");
    };
    let rows = data.train.len();
    let examples = epochs.saturating_mul(rows as u64);
    let agrees = arm.budget.examples == 0 || arm.budget.examples == examples;
    let message = format!("{epochs} `epochs` of {rows} training rows are {examples} examples; give one of the two");
    arm.budget.examples = examples;
    require(agrees, "budget.examples", &message)
}
