//! The experiment file: what it may say, with defaults, presets and overrides resolved. Nothing else parses a config.

mod arms;
mod columns;
mod lenient;
mod limits;
mod load;
mod merge;
mod objective;
mod reading;
mod seeds;
mod source;
mod validate;

pub use arms::{PRESETS, preset};
pub use columns::columns;
pub use seeds::Seeds;

use crate::data::DataSetSettings;
use crate::file_path::{FilePath, way};
use crate::metric;
use crate::microscope::MicroscopeSettings;
use crate::network::NetworkSettings;
use crate::objective::ObjectiveSettings;
use crate::optimizer::OptimizerSettings;
use crate::regularizer::RegularizerSettings;
use crate::task::{EvaluationSettings, TaskSettings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file that asks a question, with everything it leaves out filled in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Experiment {
    pub title: String,
    /// What it is to answer: the key, or the comment `# Question: …` at the head of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// A trial per arm for each of them.
    pub seeds: Seeds,
    /// Where the paths of its files start, as seen from where this is written; there itself, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    #[serde(rename = "plot")]
    pub plots: Vec<Plot>,
    #[serde(rename = "arm")]
    pub arms: Vec<Arm>,
    /// What whoever believes its results should know of the data, in sentences.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// One way of training. All its tables are resolved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arm {
    pub name: String,
    pub task: TaskSettings,
    pub network: NetworkSettings,
    pub optimizer: OptimizerSettings,
    pub regularizer: RegularizerSettings,
    pub budget: Budget,
    pub evaluation: EvaluationSettings,
    /// Whose weights it begins with; its own initialization where nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<StartSettings>,
    pub objective: ObjectiveSettings,
    /// How its gradient is looked at, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microscope: Option<MicroscopeSettings>,
}

/// The final weights of another arm of the same seed, or those of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartSettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FilePath>,
}

/// When a trial ends: after so many `examples`, or on a data set after so many `epochs`, from which the examples follow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Labelled rows, or environment steps.
    #[serde(default)]
    pub examples: u64,
    /// Times that every training row is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
}

/// What counts as learned: the summary says after how many examples each arm got there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    pub metric: String,
    pub value: f64,
}

/// A figure: one panel per column of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plot {
    /// The files are called this.
    #[serde(default = "curves")]
    pub name: String,
    #[serde(default = "examples")]
    pub x: String,
    pub y: Vec<String>,
    /// Those of `y` that get a logarithmic axis; what is not positive lies on its lower end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Vec<String>>,
    /// `[low, high]` of the vertical axis of some of `y`; what lies beyond lies on its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<BTreeMap<String, [f64; 2]>>,
    /// The arms that it shows, in this order; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arms: Option<Vec<String>>,
}

fn curves() -> String {
    "curves".into()
}

fn examples() -> String {
    "examples".into()
}

impl Experiment {
    /// What is kept beside its results: with the way from there to where the paths of its files start, if it has files.
    pub fn kept_in(&self, results: &Path, folder: &Path) -> Experiment {
        let reads = self.arms.iter().any(Arm::reads_files);
        let way = reads.then(|| way(results, folder).or_else(|| folder.canonicalize().ok())).flatten();
        Experiment { folder: way, ..self.clone() }
    }
}

impl Arm {
    /// The name as a folder: lower case, runs of other characters become one `-`.
    pub fn slug(&self) -> String {
        slug(&self.name)
    }

    /// The column, of these, that decides which weights are the best, when early stopping ends a trial and by what arms are compared, and whether
    /// higher is better there: of the first metric that is a number, or numbers of classes; the reward where all are drawn.
    pub fn deciding_column(&self, columns: &[String]) -> Option<(String, bool)> {
        if self.task.env.is_some() {
            return Some(("deterministic_return".into(), true));
        }
        let of_metrics = self.evaluation.metrics.iter().find_map(|named| {
            let higher_is_better = metric::find(&named.name).ok()?.higher_is_better?;
            let (whole, first_class) = (named.label(), format!("{}[", named.label()));
            let column = columns.iter().find(|column| **column == whole || column.starts_with(&first_class))?;
            Some((column.clone(), higher_is_better))
        });
        of_metrics.or_else(|| columns.iter().find(|column| *column == "reward").map(|column| (column.clone(), true)))
    }

    /// Examples after which its training turns from one phase to the next.
    pub fn turns(&self) -> Vec<u64> {
        self.objective.turns(self.budget.examples)
    }

    /// Whether it reads files: weights, or data of the user's own.
    pub fn reads_files(&self) -> bool {
        matches!(self.task.dataset, Some(DataSetSettings::Files(_))) || self.weights_files().next().is_some()
    }

    /// Weights files that it reads.
    pub fn weights_files(&self) -> impl Iterator<Item = &FilePath> {
        let experts = self.objective.experts().into_iter().filter_map(|(_, expert)| expert.file.as_ref());
        let start = self.start.as_ref().and_then(|start| start.file.as_ref());
        experts.chain(self.regularizer.kl.as_ref().and_then(|kl| kl.file.as_ref())).chain(start)
    }

    /// All files that it reads, each with its key.
    fn files_mut(&mut self) -> Vec<(String, &mut FilePath)> {
        let mut files = Vec::new();
        if let Some(DataSetSettings::Files(data)) = &mut self.task.dataset {
            files.extend(data.paths_mut().map(|(key, file)| (format!("task.dataset.{key}"), file)));
        }
        for (place, expert) in self.objective.experts_mut() {
            files.extend(expert.file.as_mut().map(|file| (format!("{place}.file"), file)));
        }
        if let Some(kl) = &mut self.regularizer.kl {
            files.extend(kl.file.as_mut().map(|file| ("regularizer.kl.file".to_string(), file)));
        }
        if let Some(start) = &mut self.start {
            files.extend(start.file.as_mut().map(|file| ("start.file".to_string(), file)));
        }
        files
    }

    /// The other arms whose gradients its own is compared with.
    pub fn compared_with(&self) -> impl Iterator<Item = &str> {
        let named = self.microscope.iter().flat_map(|microscope| &microscope.against);
        named.map(String::as_str).filter(|name| *name != self.name)
    }

    /// The arms whose final networks this one needs, each with the place that names it: its experts', the reference of its divergence, and the
    /// one that it starts from.
    pub fn named_teachers(&self) -> impl Iterator<Item = (String, &str)> {
        let experts = self.objective.experts().into_iter();
        let experts = experts.filter_map(|(place, expert)| Some((format!("{place}.arm"), expert.arm.as_deref()?)));
        let reference = self.regularizer.kl.as_ref().and_then(|kl| kl.arm.as_deref());
        let start = self.start.as_ref().and_then(|start| start.arm.as_deref());
        let others = [("regularizer.kl.arm", reference), ("start.arm", start)];
        experts.chain(others.into_iter().filter_map(|(place, arm)| Some((place.to_string(), arm?))))
    }

    /// Their names.
    pub fn teachers(&self) -> impl Iterator<Item = &str> {
        self.named_teachers().map(|(_, name)| name)
    }
}

/// Lower case letters and digits, with one `-` for every run of anything else; a `+` becomes `plus`.
pub fn slug(name: &str) -> String {
    let spelled = name.to_lowercase().replace('+', " plus ");
    let words = spelled.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
