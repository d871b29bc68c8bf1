//! Data sets: built-in ones, and those of experiments.

use super::subject::{PICTURES, Subject};
use crate::data::{DataSet, DataSetRow, DataSetSettings, Files};
use crate::experiment::Experiment;
use crate::options::{self, Given, Options};
use crate::task::{Task, TaskSource};
use anyhow::Context;
use std::path::Path;

pub fn built_in(row: &'static DataSetRow, given: &Given) -> anyhow::Result<Subject> {
    let data = (row.load)(&Options::new(row.name, row.options, given)?)?;
    let mut subject = Subject { summary: row.summary.into(), ..of(row.name, &data) };
    subject.facts.splice(0..0, [("source", row.source.to_string()), ("licence", row.licence.to_string())]);
    let options = options::describe(row.options);
    subject.facts.extend(options.into_iter().map(|option| ("option", option)));
    Ok(subject)
}

/// A user's own images, by the keys of `dataset`.
pub fn of_images(files: Files) -> anyhow::Result<Subject> {
    let data = files.load()?;
    let settings = DataSetSettings::Files(files.into());
    Ok(Subject { summary: "images and what belongs to them".into(), ..of(&settings.to_string(), &data) })
}

/// What the first arm of an experiment learns from, as its first seed meets it.
pub fn of_experiment(path: &Path, overrides: &[String]) -> anyhow::Result<Subject> {
    let experiment = Experiment::load(path, overrides)?;
    let arm = experiment.arms.first().context("the experiment has no arm")?;
    let TaskSource::DataSet(data, _) = Task::load(&arm.task, 0)?.source else {
        anyhow::bail!(
            "{}: `{}` learns in an environment; `lossward env describe` describes it",
            path.display(),
            arm.name
        );
    };
    let name = arm.task.dataset.as_ref().map_or(String::new(), ToString::to_string);
    let summary = format!("what the arm `{}` of {} learns from with seed 0", arm.name, path.display());
    Ok(Subject { summary, ..of(&name, &data) })
}

fn of(name: &str, data: &DataSet) -> Subject {
    let sides: Vec<String> = data.shape.iter().map(usize::to_string).collect();
    let input = match data.shape.len() {
        1 if data.shape[0] == 1 => "1 number".into(),
        1 => format!("{} numbers", sides[0]),
        _ => format!("{} pixels (channels, height, width)", sides.join("×")),
    };
    Subject {
        name: name.into(),
        summary: String::new(),
        facts: vec![("an input", input), ("predicted", data.target.in_words())],
        description: data.description(),
        pictures: data.pictures(PICTURES).unwrap_or_default(),
        legend: data.legend(),
        notes: data.notes.clone(),
    }
}
