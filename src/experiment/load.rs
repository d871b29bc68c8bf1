//! From text to an [`Experiment`]: defaults, file, presets, arms and overrides, in this order.

use super::lenient::Lenient;
use super::merge::merge;
use super::source::{FileText, locate, table};
use super::{Arm, Budget, Experiment, KINDS, ObjectiveSettings, Plot, Seeds, Threshold, validate};
use crate::network::NetworkSettings;
use crate::optimizer::OptimizerSettings;
use crate::record::{Rows, TrialFolder};
use crate::regularizer::RegularizerSettings;
use crate::task::{EvaluationSettings, TaskSettings};
use crate::{Error, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The presets of the policy gradient with a sentence each; their values stand in `defaults.toml`.
pub const PRESETS: &[(&str, &str)] = &[
    ("reinforce", "whole episodes, plain returns, one update each; with any baseline (Williams 1992)"),
    ("a2c", "short rollouts that bootstrap from a critic (Mnih et al. 2016)"),
    ("ppo", "several epochs of a clipped surrogate per rollout (Schulman et al. 2017)"),
    ("rloo", "groups of episodes in one context, each against the others (Ahmadian et al. 2024)"),
    ("grpo", "groups of episodes in one context, standardized, clipped (Shao et al. 2024)"),
    ("dg", "delightful: rare successes count in full, rare failures hardly (Osband 2026)"),
    ("tpo", "cross-entropy with a policy that is tilted to what paid off (Kaddour 2026)"),
];

/// Tables that arms share unless they override them.
const SHARED: &[&str] = &["task", "network", "optimizer", "regularizer", "budget", "evaluation", "objective"];

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
}

/// An arm's tables, all but the objective, whose fields depend on its kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArmTables {
    name: String,
    task: TaskSettings,
    network: NetworkSettings,
    optimizer: OptimizerSettings,
    regularizer: RegularizerSettings,
    budget: Budget,
    evaluation: EvaluationSettings,
    #[serde(rename = "objective")]
    _objective: IgnoredAny,
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
    /// loaded, and the files that it names may be gone since.
    ///
    /// # Errors
    /// When it can't be read, is no experiment, or draws what its records have not.
    pub fn load_recorded(path: &Path) -> Result<Experiment> {
        let (source, stem, question) = read_source(path, &[])?;
        let (mut experiment, tables) = Self::parse(&source, stem)?;
        experiment.question = experiment.question.or(question);
        experiment.locate_files(path, &source, &tables)?;
        let columns = experiment.recorded_columns(path.parent().unwrap_or(Path::new(".")));
        if !columns.is_empty() {
            validate::drawn(&mut experiment, columns)
                .map_err(|error| tables.placed(&source, validate::Invalid { arm: None, error }))?;
        }
        Ok(experiment)
    }

    /// The columns of the records in this folder.
    fn recorded_columns(&self, results: &Path) -> Vec<String> {
        let of_arm = |arm: &Arm| {
            let folders = self.seeds.range().map(|seed| TrialFolder::of(results, &arm.slug(), seed));
            folders.filter_map(|folder| Rows::header(&folder.rows()).ok()).next().unwrap_or_default()
        };
        let mut columns: Vec<String> = Vec::new();
        for column in self.arms.iter().flat_map(of_arm) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
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

/// The tables of this one that arms share.
fn only_shared<'i>(of: &DeTable<'i>) -> DeTable<'i> {
    let shared = of.iter().filter(|(name, _)| SHARED.contains(&name.get_ref().as_ref()));
    shared.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// An arm's tables over the defaults; in between, where its objective says `tuned = true`, what is known to work for its preset in
/// its environment.
fn over_defaults<'i>(source: &FileText, defaults: &DeTable<'i>, mut arm: DeTable<'i>) -> Result<DeTable<'i>> {
    let mut under = only_shared(defaults);
    let tuned = match arm.get_mut("objective").map(Spanned::get_mut) {
        Some(DeValue::Table(objective)) => objective.remove("tuned"),
        _ => None,
    };
    if let Some(tuned) = tuned {
        match tuned.get_ref() {
            DeValue::Boolean(true) => merge(&mut under, tuned_table(source, defaults, &arm, tuned.span())?),
            DeValue::Boolean(false) => {}
            _ => return Err(source.error(Some(tuned.span()), "`tuned` must be true or false".into())),
        }
    }
    merge(&mut under, &arm);
    Ok(under)
}

/// What is tuned for the arm's preset in its environment.
fn tuned_table<'t, 'i>(
    source: &FileText,
    defaults: &'t DeTable<'i>,
    arm: &DeTable<'i>,
    span: std::ops::Range<usize>,
) -> Result<&'t DeTable<'i>> {
    let text =
        |of: &str, key: &str| table(arm, of).and_then(|table| table.get(key)?.get_ref().as_str().map(str::to_string));
    let (env, preset) = (text("task", "env").unwrap_or_default(), text("objective", "preset").unwrap_or_default());
    let of_env = table(defaults, "tuned").and_then(|tuned| table(tuned, &env));
    of_env.and_then(|of_env| table(of_env, &preset)).ok_or_else(|| {
        let all = table(defaults, "tuned").into_iter().flatten();
        let pairs = all.flat_map(|(env, presets)| {
            let presets = presets.get_ref().as_table().into_iter().flatten();
            presets.map(move |(preset, _)| format!("{} in {}", preset.get_ref(), env.get_ref()))
        });
        let known = pairs.collect::<Vec<_>>().join(", ");
        let place = if env.is_empty() { "this task".to_string() } else { format!("`{env}`") };
        source.error(Some(span), format!("nothing is tuned for `{preset}` in {place}; there is {known}"))
    })
}

/// The arms of the file over its shared tables, with the overrides on top.
fn merged_arms<'i>(
    source: &FileText,
    top: &DeTable<'i>,
    shared_overrides: &DeTable<'i>,
    arm_overrides: &DeTable<'i>,
) -> Result<Vec<DeTable<'i>>> {
    let none =
        || source.error(None, "an experiment needs at least one [[arm]] with a `name` and an `objective`".into());
    let listed = top.get("arm").ok_or_else(none)?;
    let array = listed
        .get_ref()
        .as_array()
        .ok_or_else(|| source.error(Some(listed.span()), "`arm` must be a list of tables: write [[arm]]".into()))?;
    let (mut arms, mut names) = (Vec::new(), Vec::new());
    for arm in array.iter() {
        let Some(own) = arm.get_ref().as_table() else {
            return Err(source.error(Some(arm.span()), "an arm must be a table: write [[arm]]".into()));
        };
        let name = own.get("name").and_then(|name| name.get_ref().as_str()).unwrap_or_default().to_string();
        if name.is_empty() {
            return Err(source.error(Some(arm.span()), "an arm needs a `name`".into()));
        }
        let mut merged = only_shared(top);
        merge(&mut merged, own);
        merge(&mut merged, &only_shared(shared_overrides));
        if let Some(given) = arm_overrides.get(name.as_str()) {
            let overrides = given.get_ref().as_table().ok_or_else(|| {
                source.error(
                    Some(given.span()),
                    format!("say which key of the arm: arm.{name}.optimizer.learning_rate=…"),
                )
            })?;
            merge(&mut merged, overrides);
        }
        names.push(name);
        arms.push(merged);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (name, value) in arm_overrides {
        if !names.contains(&name.get_ref().as_ref()) {
            return Err(source.error(Some(value.span()), crate::error::unknown("arm", name.get_ref(), &names)));
        }
    }
    if arms.is_empty() { Err(none()) } else { Ok(arms) }
}

/// One arm, with the preset or the kind's defaults laid under its objective, and its merged table.
fn read_arm<'i>(source: &FileText, defaults: &DeTable<'i>, mut merged: DeTable<'i>) -> Result<(Arm, DeTable<'i>)> {
    let name_span = || locate(&merged, "name");
    for required in ["task", "budget", "objective"] {
        if !merged.contains_key(required) {
            let example = match required {
                "task" => "task.dataset = \"digits\"",
                "budget" => "budget.examples = 100_000",
                _ => "objective = { kind = \"supervised\", loss = \"cross_entropy\" }",
            };
            let message =
                format!("the arm has no `{required}` table, and the experiment gives no common one; write {example}");
            return Err(source.error(name_span(), message));
        }
    }
    let (objective_key, objective) =
        merged.remove_entry("objective").ok_or_else(|| source.error(None, String::new()))?;
    let span = objective.span();
    let DeValue::Table(own) = objective.into_inner() else {
        return Err(source.error(Some(span), "`objective` must be a table".into()));
    };
    let mut objective = base_objective(source, defaults, &own, span.clone())?;
    merge(&mut objective, &own);
    merged.insert(objective_key, Spanned::new(span.clone(), DeValue::Table(objective.clone())));
    let tables: ArmTables = read(source, merged.clone())?;
    let kind = objective.remove("kind");
    let objective = match kind.as_ref().and_then(|kind| kind.get_ref().as_str()) {
        Some("supervised") => {
            // The kind's default number of episodes is no expert.
            if table(&own, "expert").is_none() {
                objective.remove("expert");
            }
            ObjectiveSettings::Supervised(read_at(source, objective, span)?)
        }
        _ => ObjectiveSettings::PolicyGradient(read_at(source, objective, span)?),
    };
    let ArmTables { name, task, network, optimizer, regularizer, budget, evaluation, .. } = tables;
    Ok((Arm { name, task, network, optimizer, regularizer, budget, evaluation, objective }, merged))
}

/// What lies under an objective: its kind's defaults or its preset.
fn base_objective<'i>(
    source: &FileText,
    defaults: &DeTable<'i>,
    own: &DeTable<'i>,
    span: std::ops::Range<usize>,
) -> Result<DeTable<'i>> {
    let named = |key: &str, kind: &str, known: Vec<&str>| match own.get(key) {
        None => {
            Err(source.error(Some(span.clone()), format!("`objective` needs a `{key}`; known: {}", known.join(", "))))
        }
        Some(value) => match value.get_ref().as_str() {
            Some(name) if known.contains(&name) => Ok(name.to_string()),
            Some(name) => Err(source.error(Some(value.span()), crate::error::unknown(kind, name, &known))),
            None => Err(source.error(Some(value.span()), format!("`{key}` must be a string"))),
        },
    };
    let kind = named("kind", "kind of objective", KINDS.iter().map(|(name, _)| *name).collect())?;
    let under = if kind == "policy_gradient" {
        let preset = named("preset", "preset", PRESETS.iter().map(|(name, _)| *name).collect())?;
        table(defaults, "preset").and_then(|presets| table(presets, &preset))
    } else {
        table(defaults, "kind").and_then(|kinds| table(kinds, &kind))
    };
    Ok(under.cloned().unwrap_or_default())
}

/// The first key with a date in it, and where that stands.
fn dated(table: &DeTable) -> Option<(String, std::ops::Range<usize>)> {
    fn inside(value: &Spanned<DeValue>) -> Option<std::ops::Range<usize>> {
        match value.get_ref() {
            DeValue::Datetime(_) => Some(value.span()),
            DeValue::Array(list) => list.iter().find_map(inside),
            DeValue::Table(table) => dated(table).map(|(_, span)| span),
            _ => None,
        }
    }
    table.iter().find_map(|(name, value)| Some((name.get_ref().to_string(), inside(value)?)))
}

fn read<'i, T: Deserialize<'i>>(source: &FileText, table: DeTable<'i>) -> Result<T> {
    read_at(source, table, 0..0)
}

fn read_at<'i, T: Deserialize<'i>>(source: &FileText, table: DeTable<'i>, span: std::ops::Range<usize>) -> Result<T> {
    if let Some((key, span)) = dated(&table) {
        return Err(
            source.error(Some(span), format!("`{key}` is a date, and nothing here takes one; a text stands in quotes"))
        );
    }
    let deserializer = toml::de::Deserializer::from(Spanned::new(span, table.clone()));
    T::deserialize(Lenient(deserializer)).map_err(|error| source.explain(&error, &table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_has_a_sentence_and_values() {
        let defaults: toml::Table = toml::from_str(include_str!("defaults.toml")).unwrap();
        let mut named: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
        let mut given: Vec<&str> = defaults["preset"].as_table().unwrap().keys().map(String::as_str).collect();
        named.sort_unstable();
        given.sort_unstable();
        assert_eq!(named, given);
    }

    #[test]
    fn the_question_is_the_first_paragraph_of_the_comment() {
        let stated = "# Question: does it\n#   go on?\n#\n# Details.\ntitle = \"x\"";
        assert_eq!(stated_question(stated).as_deref(), Some("does it go on?"));
        assert_eq!(stated_question("title = \"x\"\n# Question: too late?"), None);
    }
}
