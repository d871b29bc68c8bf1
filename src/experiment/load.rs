//! From text to an [`Experiment`]: defaults, file, presets, arms and overrides, in this order.

use super::arms::{merged_arms, over_defaults, read_arm};
use super::merge::merge;
use super::reading::read;
use super::source::{FileText, locate};
use super::{Experiment, Plot, Seeds, Threshold, validate};
use crate::{Error, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Everything at the top of a file; shared tables and arms are read elsewhere, and named here so that misspelt ones are
/// recognized.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Top {
    title: Option<String>,
    question: Option<String>,
    seeds: Seeds,
    folder: Option<PathBuf>,
    threshold: Option<Threshold>,
    #[serde(default)]
    plot: Vec<Plot>,
    #[serde(rename = "arm")]
    _arm: Option<IgnoredAny>,
    #[serde(rename = "task")]
    _task: Option<IgnoredAny>,
    #[serde(rename = "network")]
    _network: Option<IgnoredAny>,
    #[serde(rename = "optimizer")]
    _optimizer: Option<IgnoredAny>,
    #[serde(rename = "regularizer")]
    _regularizer: Option<IgnoredAny>,
    #[serde(rename = "budget")]
    _budget: Option<IgnoredAny>,
    #[serde(rename = "evaluation")]
    _evaluation: Option<IgnoredAny>,
    #[serde(rename = "objective")]
    _objective: Option<IgnoredAny>,
    #[serde(rename = "microscope")]
    _microscope: Option<IgnoredAny>,
}

impl Experiment {
    /// Reads a file and lays `key=value` overrides over it.
    ///
    /// An override of a shared table (`optimizer.learning_rate=3e-4`) holds for every arm; `arm.NAME.optimizer…` for one.
    ///
    /// # Errors
    /// The first thing that is wrong: the file, the line (or the override), the key, and the nearest valid name.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Experiment> {
        let (source, stem, question) = read_source(path, overrides)?;
        let (mut experiment, tables) = Self::parse(&source, stem)?;
        experiment.question = experiment.question.or(question);
        experiment.locate_files(path, &source, &tables)?;
        match validate::check(&mut experiment) {
            Ok(()) => Ok(experiment),
            Err(invalid) => Err(tables.placed(&source, invalid)),
        }
    }

    /// Reads the experiment that stands beside its records. It was checked before they were made, and is drawn from them alone: no data are
    /// loaded, and the files that it names may be gone since. `columns` are those of the records that are whole; without any, nothing is
    /// said about what is drawn.
    ///
    /// # Errors
    /// When it can't be read, is no experiment, or draws what its records have not.
    pub fn load_recorded(path: &Path, columns: &[String]) -> Result<Experiment> {
        let (source, stem, question) = read_source(path, &[])?;
        let (mut experiment, tables) = Self::parse(&source, stem)?;
        experiment.question = experiment.question.or(question);
        experiment.locate_files(path, &source, &tables)?;
        if !columns.is_empty() {
            validate::drawn(&mut experiment, columns.to_vec())
                .map_err(|error| tables.placed(&source, validate::Invalid { arm: None, error }))?;
        }
        Ok(experiment)
    }

    /// Where the paths of the file at `path` start: in its folder, or where it says.
    pub fn folder_of(&self, path: &Path) -> PathBuf {
        let beside = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.folder.as_ref().map_or(beside.to_path_buf(), |folder| beside.join(folder))
    }

    /// Files are looked for from the folder of the experiment, those of the command line from where the program is started.
    fn locate_files(&mut self, path: &Path, source: &FileText, tables: &Tables) -> Result<()> {
        let folder = self.folder_of(path);
        for (arm, table) in self.arms.iter_mut().zip(&tables.arms) {
            for (key, file) in arm.files_mut() {
                let given = locate(table, &key).is_some_and(|span| source.is_override(&span));
                if given && file.written().is_relative() {
                    let here = std::env::current_dir().map_err(Error::file("find", "."))?;
                    *file = here.join(file.written()).into();
                }
                file.start_from(&folder);
            }
        }
        Ok(())
    }

    fn parse(source: &FileText, stem: String) -> Result<(Experiment, Tables<'_>)> {
        let defaults = source.parse_defaults()?;
        let file = source.parse_file()?;
        let laid_under_objectives = |name: &str| matches!(name, "kind" | "preset" | "tuned");
        let settings = defaults.iter().filter(|(name, _)| !laid_under_objectives(name.get_ref()));
        let mut top: DeTable = settings.map(|(name, value)| (name.clone(), value.clone())).collect();
        merge(&mut top, &file);
        let mut shared_overrides = DeTable::new();
        let mut arm_overrides = DeTable::new();
        for given in source.parse_overrides()? {
            for (name, value) in given {
                match (name.get_ref().as_ref(), value.get_ref()) {
                    ("arm", DeValue::Table(arms)) => merge(&mut arm_overrides, arms),
                    _ => merge(&mut shared_overrides, &DeTable::from_iter([(name, value)])),
                }
            }
        }
        merge(&mut top, &shared_overrides);
        let head: Top = read(source, top.clone())?;
        let mut given = file.clone();
        merge(&mut given, &shared_overrides);
        let arms = merged_arms(source, &given, &shared_overrides, &arm_overrides)?;
        let mut experiment = Experiment {
            title: head.title.unwrap_or(stem),
            question: head.question,
            seeds: head.seeds,
            folder: head.folder,
            threshold: head.threshold,
            plots: head.plot,
            arms: Vec::new(),
            notes: Vec::new(),
        };
        let mut tables = Vec::new();
        for arm in arms {
            let (arm, merged) = read_arm(source, &defaults, over_defaults(source, &defaults, arm)?)?;
            experiment.arms.push(arm);
            tables.push(merged);
        }
        Ok((experiment, Tables { top, arms: tables }))
    }
}

/// The text, the file's name without its ending, and the question that it states.
fn read_source(path: &Path, overrides: &[String]) -> Result<(FileText, String, Option<String>)> {
    let text = super::source::text_of(path)?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok((FileText::new(path, &text, overrides), stem, stated_question(&text)))
}

/// What an experiment was read from, to say where something stands.
struct Tables<'i> {
    top: DeTable<'i>,
    arms: Vec<DeTable<'i>>,
}

impl Tables<'_> {
    /// An error of the file, at the line of the key that is to blame, or of the table around it.
    fn placed(&self, source: &FileText, invalid: validate::Invalid) -> Error {
        let table = invalid.arm.map_or(&self.top, |arm| &self.arms[arm]);
        let path = match &invalid.error {
            Error::Setting { key, .. } => key.as_str(),
            _ => "name",
        };
        let here = |path: &str| locate(table, path).filter(|span| !source.is_default(span));
        let around = path.rsplit_once('.').map_or("name", |(table, _)| table);
        let span = here(path).or_else(|| here(around)).or_else(|| here("name"));
        source.error(span, invalid.error.to_string())
    }
}

/// What the comment at the head of a file asks: from `# Question:` to the end of that paragraph.
fn stated_question(text: &str) -> Option<String> {
    let comment = text.lines().map_while(|line| Some(line.strip_prefix('#')?.trim()));
    let mut from = comment.skip_while(|line| !line.starts_with("Question:"));
    let first = from.next()?.trim_start_matches("Question:").trim().to_string();
    Some(from.take_while(|line| !line.is_empty()).fold(first, |question, line| format!("{question} {line}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_the_first_paragraph_of_the_comment() {
        let stated = "# Question: does it\n#   go on?\n#\n# Details.\ntitle = \"x\"";
        assert_eq!(stated_question(stated).as_deref(), Some("does it go on?"));
        assert_eq!(stated_question("title = \"x\"\n# Question: too late?"), None);
    }
}
