//! `lossward list`

use super::two_columns;
use crate::disk;
use crate::experiment::PRESETS;
use crate::kernel::LAYERS;
use crate::objective::KINDS;
use crate::optimizer::{COMMON_OPTIONS, RULE_SYMBOLS, RULES, SCHEDULE_SYMBOLS, SCHEDULES};
use crate::options::OptionRow;
use crate::report::figure::LossFigure;
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
    /// Of losses: draw each with its slope into this folder, as NAME.svg.
    #[arg(long, value_name = "FOLDER")]
    figures: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    Environments,
    Datasets,
    Losses,
    Metrics,
    Layers,
    Objectives,
    Optimizers,
    Schedules,
    Experiments,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(folder) = &arguments.figures {
        anyhow::ensure!(
            matches!(arguments.what, What::Losses),
            "--figures draws losses: lossward list losses --figures …"
        );
        return draw_losses(folder);
    }
    let row = |name: &str, text: String| (name.to_string(), text);
    let rows: Vec<(String, String)> = match arguments.what {
        What::Environments => super::env::lines(),
        What::Datasets => data::all()
            .map(|set| (set.name, format!("{}; {}", set.summary, set.licence), set.options))
            .flat_map(with_options)
            .collect(),
        What::Losses => loss::all()
            .flat_map(|loss| {
                let rest = format!("{}, lower is better{}", loss.range, option_names(loss.options));
                explained(loss.name, loss.formula, loss.summary, rest)
            })
            .collect(),
        What::Metrics => metric::all()
            .flat_map(|metric| {
                let (range, direction) = (metric.range_text(), metric.direction_text());
                let rest = format!("{range}, {direction}{}", option_names(metric.options));
                explained(metric.name, metric.formula, metric.summary, rest)
            })
            .collect(),
        What::Layers => LAYERS
            .iter()
            .map(|layer| (layer.name(), layer.meaning.to_string(), layer.options))
            .flat_map(with_options)
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

/// A name with its formula, and below it what it is for and what it can be.
fn explained(name: &str, formula: &str, summary: &str, rest: String) -> [(String, String); 3] {
    let below = |text: String| (String::new(), text);
    [(name.to_string(), formula.to_string()), below(summary.to_string()), below(rest)]
}

fn option_names(options: &[OptionRow]) -> String {
    let names: Vec<&str> = options.iter().map(|option| option.name).collect();
    if names.is_empty() { String::new() } else { format!("; options {}", names.join(", ")) }
}

fn draw_losses(folder: &Path) -> anyhow::Result<()> {
    disk::create_folder(folder)?;
    for loss in loss::all() {
        disk::write_whole(&folder.join(format!("{}.svg", loss.name)), &LossFigure::new(loss)?.svg()?)?;
    }
    super::print(&format!("drew {} losses into {}\n", loss::all().count(), folder.display()))
}

/// Every experiment file of a folder with the question that its first comment states.
fn experiments(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    if !folder.is_dir() {
        anyhow::bail!(
            "there is no folder {} here; `lossward list experiments` lists the experiment files of a folder, such as the one of Lossward's \
             repository: start it there, or give --folder",
            folder.display()
        );
    }
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
    anyhow::ensure!(!rows.is_empty(), "no experiment file (.toml) is in the folder {}", folder.display());
    rows.sort();
    Ok(rows)
}
