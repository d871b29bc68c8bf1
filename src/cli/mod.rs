//! The command line: one file per verb.

mod bench;
mod busy;
mod card;
mod data;
mod env;
mod interrupt;
pub mod json;
mod list;
mod loss;
mod metric;
mod plot;
mod progress;
mod run;
mod tell;

use crate::aligned::{self, Side};
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tell::tell;

/// A laboratory for training objectives: the same network, moved by the same optimizer, trained by a label or by a reward.
#[derive(Parser)]
#[command(
    name = "lossward",
    version,
    max_term_width = 100,
    after_help = "Example: lossward run experiments/digits.toml"
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Run(run::Arguments),
    Plot(plot::Arguments),
    List(list::Arguments),
    Data(data::Arguments),
    Loss(loss::Arguments),
    Metric(metric::Arguments),
    Card(card::Arguments),
    Env(env::Arguments),
    Bench(bench::Arguments),
}

/// Parses the arguments, does what they say, prints what went wrong. The status is 0 if everything worked, 1 if not, 2 for a
/// command line that can't be parsed, 130 after Ctrl-C.
///
/// To be called first thing in `main`, before any other thread exists: it sets environment variables that candle reads.
pub fn run() -> ExitCode {
    run_with(Extensions::default())
}

/// Rows of your own beside the built-in ones, in every table: they are listed, explained, suggested, checked, trained and drawn like those.
#[derive(Clone, Copy, Default)]
pub struct Extensions {
    pub environments: &'static [lossward_envs::Spec],
    pub losses: &'static [crate::loss::Loss],
    pub metrics: &'static [crate::metric::Metric],
    pub data_sets: &'static [crate::data::DataSetRow],
}

impl Extensions {
    fn register(self) -> Result<(), String> {
        lossward_envs::register(self.environments)?;
        crate::loss::register(self.losses)?;
        crate::metric::register(self.metrics)?;
        crate::data::register(self.data_sets)
    }
}

/// [`run`] with rows of your own: the `main` of a crate that adds some.
pub fn run_with(extensions: Extensions) -> ExitCode {
    crate::kernel::use_one_thread();
    if let Err(message) = extensions.register() {
        tell(format_args!("error: {message}"));
        return ExitCode::FAILURE;
    }
    let verb = Arguments::parse().verb;
    interrupt::listen();
    let done = match verb {
        Verb::Run(arguments) => run::run(&arguments),
        Verb::Plot(arguments) => plot::run(&arguments),
        Verb::List(arguments) => list::run(&arguments),
        Verb::Data(arguments) => data::run(&arguments),
        Verb::Loss(arguments) => loss::run(&arguments),
        Verb::Metric(arguments) => metric::run(&arguments),
        Verb::Card(arguments) => card::run(&arguments),
        Verb::Env(arguments) => env::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let interrupted = matches!(error.downcast_ref(), Some(crate::Error::Interrupted));
            if interrupted {
                tell(format_args!("stopped: {error}"))
            } else {
                tell(format_args!("error: {error:#}"))
            }
            ExitCode::from(if interrupted { 130 } else { 1 })
        }
    }
}

/// What a figure is written as.
enum Ending {
    Svg,
    Png,
}

/// By the ending of its name; to be asked before anything is done for it.
///
/// # Errors
/// When it is another one, or the file can't be written.
fn figure_ending(path: &std::path::Path, option: &str) -> anyhow::Result<Ending> {
    let ending = match path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase).as_deref() {
        Some("svg") => Ending::Svg,
        Some("png") => Ending::Png,
        _ => anyhow::bail!("{option} {}: the name must end in .svg or .png", path.display()),
    };
    crate::disk::check_writable(path)?;
    Ok(ending)
}

/// The width of the terminal that standard output is; nothing if it is none.
fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// Writes to standard output; the only place that does, so that a closed pipe (`| head`) ends the program quietly.
fn print(text: &str) -> anyhow::Result<()> {
    print_drawn(&crate::visible::visible(text))
}

/// The same of text that draws with the terminal's own signs; what is not ours in it has been made [`crate::visible::visible`].
fn print_drawn(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Rows of `(name, text)` as two aligned columns.
fn two_columns(rows: &[(String, String)]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|(name, text)| vec![name.clone(), text.clone()]).collect();
    aligned::lines(&rows, |_| Side::Left).iter().map(|line| format!("{line}\n")).collect()
}
