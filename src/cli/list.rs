//! `lossward list`

use super::two_columns;
use crate::experiment::{KINDS, PRESETS};
use crate::optimizer::{COMMON_OPTIONS, RULE_SYMBOLS, RULES, SCHEDULE_SYMBOLS, SCHEDULES};
use crate::options::OptionRow;
use crate::{data, loss, metric};
use anyhow::Context;
use std::path::{Path, PathBuf};

/// List what can be named in an experiment file, or the experiments themselves.
#[derive(clap::Args)]
#[command(after_help = "Example: lossward list losses")]
pub struct Arguments {
    /// What to list.
    what: What,
    /// Where experiments are looked for.
    #[arg(long, value_name = "FOLDER", default_value = "experiments")]
    folder: PathBuf,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    Environments,
    Datasets,
    Losses,
    Metrics,
    Objectives,
    Optimizers,
    Schedules,
    Experiments,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let row = |name: &str, text: String| (name.to_string(), text);
    let rows: Vec<(String, String)> = match arguments.what {
        What::Environments => lossward_envs::ALL
            .iter()
            .map(|spec| {
                let spaces = format!("observations {}, actions {}", spec.observations, spec.actions);
                row(spec.id, format!("{}; {spaces}", spec.summary))
            })
            .collect(),
        What::Datasets => data::ALL.iter().map(|d| row(d.name, format!("{}; {}", d.summary, d.licence))).collect(),
        What::Losses => loss::all().map(|loss| row(loss.name, format!("{}: {}", loss.formula, loss.summary))).collect(),
        What::Metrics => metric::ALL
            .iter()
            .map(|metric| {
                let better = if metric.higher_is_better { "higher" } else { "lower" };
                row(
                    metric.name,
                    format!("{}: {}; {}, {better} is better", metric.formula, metric.summary, metric.range),
                )
            })
            .collect(),
        What::Objectives => KINDS
            .iter()
            .map(|(name, text)| row(name, text.to_string()))
            .chain(PRESETS.iter().map(|(name, text)| row(&format!("  preset {name}"), text.to_string())))
            .collect(),
        What::Optimizers => RULES
            .iter()
            .map(|rule| (rule.name, format!("{}: {}", rule.formula, rule.summary), rule.options))
            .chain([("every rule", "what happens to the gradient first, in this order".to_string(), COMMON_OPTIONS)])
            .flat_map(with_options)
            .chain([row("where", RULE_SYMBOLS.into())])
            .collect(),
        What::Schedules => SCHEDULES
            .iter()
            .map(|schedule| (schedule.name, format!("{}: {}", schedule.formula, schedule.summary), schedule.options))
            .flat_map(with_options)
            .chain([row("where", SCHEDULE_SYMBOLS.into())])
            .collect(),
        What::Experiments => experiments(&arguments.folder)?,
    };
    super::print(&two_columns(&rows))
}

/// A row, and one for each of its options.
fn with_options((name, text, options): (&str, String, &[OptionRow])) -> Vec<(String, String)> {
    let of = |option: &OptionRow| (format!("  {}", option.name), option.description());
    std::iter::once((name.to_string(), text)).chain(options.iter().map(of)).collect()
}

/// Every experiment file of a folder with the question that its first comment states.
fn experiments(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut rows = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let comment = text.lines().find_map(|line| line.strip_prefix('#')).unwrap_or_default().trim();
            rows.push((path.display().to_string(), comment.trim_start_matches("Question:").trim().to_string()));
        }
    }
    rows.sort();
    Ok(rows)
}
