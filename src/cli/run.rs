//! `lossward run`

use super::busy::Busy;
use super::interrupt;
use super::progress::Progress;
use crate::disk;
use crate::experiment::Experiment;
use crate::laboratory::{self, Event};
use crate::record::TrialOutcome;
use crate::report::{Report, Summary};
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

/// Train every arm of an experiment over its seeds and draw the comparison.
///
/// Trials that are finished already are kept; missing, interrupted and failed ones run. When nothing is missing the figures
/// are only drawn again. Results are the same for any number of jobs.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  lossward run experiments/digits.toml
  lossward run experiments/digits.toml --seeds 3 --out /tmp/quick budget.examples=20_000
  lossward run experiments/cart_pole.toml optimizer.learning_rate=3e-4 arm.PPO.objective.epochs=4 --out results/slow")]
pub struct Arguments {
    /// The experiment file.
    file: PathBuf,
    /// Overrides: `optimizer.learning_rate=3e-4` for all arms, `arm.NAME.optimizer.learning_rate=…` for one.
    #[arg(value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Trials per arm (the same as the override `seeds=N`).
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Trials that run side by side; each uses one core. [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// The folder for records, figures and the report. [default: results/NAME-OF-THE-FILE]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Train again, also what is finished; the old records are lost.
    #[arg(long)]
    force: bool,
    /// No progress; only the table at the end, and errors.
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(bad) = arguments.overrides.iter().find(|given| !given.contains('=')) {
        anyhow::bail!("`{bad}` is not of the form key=value, such as optimizer.learning_rate=3e-4");
    }
    check_is_experiment(&arguments.file)?;
    let named = arguments.overrides.iter().find(|given| {
        given.trim_start().strip_prefix("seeds").is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
    });
    if let (Some(seeds), Some(given)) = (arguments.seeds, named) {
        anyhow::bail!("`--seeds {seeds}` and `{given}` both say which seeds; give one of them");
    }
    let seeds = arguments.seeds.map(|seeds| format!("seeds={seeds}"));
    let overrides: Vec<String> = arguments.overrides.iter().cloned().chain(seeds).collect();
    let experiment = Experiment::load(&arguments.file, &overrides)?;
    if !arguments.quiet {
        experiment.notes.iter().for_each(|note| super::tell(format_args!("warning: {note}")));
    }
    let stem = arguments.file.file_stem().unwrap_or_default();
    let results = arguments.out.clone().unwrap_or_else(|| Path::new("results").join(stem));
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let jobs = arguments.jobs.map_or(cores, usize::from);
    let failures = train(&experiment, &results, jobs, arguments)?;
    let total = experiment.arms.len() as u64 * experiment.seeds.count;
    let drawn = draw(experiment, &results, arguments.quiet);
    if failures > 0 {
        // What failed is told, whether it could be drawn or not.
        let rest = drawn.err().map_or(String::new(), |error| format!("; and drawing failed: {error:#}"));
        anyhow::bail!("{failures} of {total} trials failed; what they recorded is in {}{rest}", results.display());
    }
    drawn
}

/// Draws what is recorded, and prints the answer.
fn draw(experiment: Experiment, results: &Path, quiet: bool) -> anyhow::Result<()> {
    let busy = Busy::new("computing intervals and drawing", quiet);
    let report = Report::of(experiment, results)?;
    let summary = Summary::of(&report)?;
    let written = report.write(&summary, results)?;
    busy.finish(written.len(), "files written");
    super::print(&format!("\n{}\n", summary.text(super::width())))?;
    let names: Vec<_> = written.iter().map(|path| path.display().to_string()).collect();
    super::print(&format!("wrote {}\n", names.join(", ")))
}

/// Says what was meant where the file can't be an experiment.
fn check_is_experiment(file: &Path) -> anyhow::Result<()> {
    let shown = file.display();
    if file.is_dir() {
        if file.join("experiment.toml").is_file() {
            anyhow::bail!(
                "{shown} is a results folder; `lossward plot {shown}` draws it again, `lossward run {}` trains what is missing of it",
                file.join("experiment.toml").display()
            );
        }
        let files = experiments_in(file);
        match &files[..] {
            [] => anyhow::bail!("{shown} is a folder, and no experiment (a .toml file) is in it"),
            files => anyhow::bail!("{shown} is a folder; give one file of it: {}", files.join(", ")),
        }
    }
    if !file.exists() {
        let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = file.to_string_lossy();
        let known: Vec<String> =
            experiments_in(folder).into_iter().chain(experiments_in(Path::new("experiments"))).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        match known.is_empty() {
            true => anyhow::bail!("there is no file {shown}, and no experiment (a .toml file) beside it"),
            false => anyhow::bail!("{}", crate::error::unknown("experiment", name.trim_start_matches("./"), &known)),
        }
    }
    let ending =
        file.to_string_lossy().trim_end_matches(".gz").rsplit('.').next().map(str::to_lowercase).unwrap_or_default();
    match ending.as_str() {
        "csv" | "tsv" | "txt" | "data" => anyhow::bail!(
            "{shown} is a table; `lossward data {shown}` describes it, and an experiment file learns from it: \
             [task] dataset = {{ csv = \"{shown}\", target = \"…\" }}"
        ),
        "idx" | "idx1" | "idx3" | "idx4" | "idx1-ubyte" | "idx3-ubyte" => anyhow::bail!(
            "{shown} is an array; `lossward data {shown}` describes it, and an experiment file learns from it: \
             [task] dataset = {{ images = \"…\", labels = \"…\" }}"
        ),
        "safetensors" => anyhow::bail!("{shown} are weights; an experiment file names them as `expert` or `kl`"),
        _ => Ok(()),
    }
}

/// The experiment files of a folder, by name.
fn experiments_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_experiment = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let plain = |path: PathBuf| path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path).display().to_string();
    let mut names: Vec<String> = entries.map(|entry| entry.path()).filter(is_experiment).map(plain).collect();
    names.sort();
    names
}

/// Runs what is missing and returns how many trials failed.
fn train(experiment: &Experiment, results: &Path, jobs: usize, arguments: &Arguments) -> anyhow::Result<usize> {
    disk::create_folder(results)?;
    let plan = laboratory::plan(experiment, results, arguments.force)?;
    laboratory::begin(experiment, &experiment.folder_of(&arguments.file), results)?;
    plan.damaged.iter().for_each(super::tell);
    let kept = plan.total.saturating_sub(plan.missing.len());
    if plan.missing.is_empty() {
        super::tell(format_args!(
            "all {kept} trials in {} are finished; drawing them again (--force trains again, --out FOLDER elsewhere)",
            results.display()
        ));
        return Ok(0);
    }
    if kept > 0 && !arguments.quiet {
        let (total, missing) = (plan.total, plan.missing.len());
        super::tell(format_args!("{kept} of {total} trials are finished already; running the other {missing}"));
    }
    let stop = Arc::new(AtomicBool::new(false));
    interrupt::stops(Some(stop.clone()));
    let (sender, events) = mpsc::channel();
    let mut failures = 0;
    let mut progress = Progress::new(&plan, arguments.quiet);
    std::thread::scope(|scope| {
        let (plan, stop) = (&plan, &stop);
        // The sender moves in, so that the channel closes when the last trial has ended.
        scope.spawn(move || laboratory::run(plan, results, jobs, stop, &sender));
        loop {
            let event = match events.recv_timeout(Progress::REFRESH) {
                Ok(event) => Some(event),
                Err(mpsc::RecvTimeoutError::Timeout) => None,
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            };
            let failed = |outcome: &crate::Result<TrialOutcome>| !matches!(outcome, Ok(TrialOutcome::Finished { .. }));
            failures += usize::from(matches!(&event, Some(Event::Ended { outcome, .. }) if failed(outcome)));
            progress.show(event);
        }
    });
    progress.finish();
    interrupt::stops(None);
    if stop.load(Ordering::Relaxed) {
        return Err(crate::Error::Interrupted).with_context(|| {
            format!("finished trials are kept in {}; the same command runs the others", results.display())
        });
    }
    Ok(failures)
}
