//! `lossward plot`

use super::busy::Busy;
use crate::report::{Report, Summary};
use std::path::PathBuf;

/// Draw the figures of an experiment and write its report again, from its records alone.
///
/// Reads experiment.toml and the rows of every trial, and writes the figures (SVG and PNG), the summary (CSV and JSON)
/// and report.html beside them. The same records give the same bytes.
#[derive(clap::Args)]
#[command(after_help = "Example: lossward plot results/digits")]
pub struct Arguments {
    /// The results folder of an experiment.
    folder: PathBuf,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let busy = Busy::new("reading the records", false);
    let report = Report::read(&arguments.folder)?;
    busy.finish(report.arms.iter().map(|arm| arm.trials.len()).sum(), "trials read");
    for arm in &report.arms {
        if !arm.missing.is_empty() {
            super::tell(format_args!(
                "{}: no finished trial for seeds {:?}; drawing without them",
                arm.name, arm.missing
            ));
        }
        for (seed, fault) in &arm.damaged {
            super::tell(format_args!(
                "{}, seed {seed} is left out, since its record is not whole: {fault}; `lossward run` trains it again",
                arm.name
            ));
        }
        for (seed, reason) in &arm.failed {
            super::tell(format_args!("{}, seed {seed} failed: {reason}", arm.name));
        }
    }
    let busy = Busy::new("computing intervals and drawing", false);
    let summary = Summary::of(&report)?;
    let written = report.write(&summary, &arguments.folder)?;
    busy.finish(written.len(), "files written");
    super::print(&format!("{}\n", summary.text(super::width())))?;
    let names: Vec<_> = written.iter().map(|path| path.display().to_string()).collect();
    super::print(&format!("wrote {}\n", names.join(", ")))
}
