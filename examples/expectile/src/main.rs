//! Lossward with a loss, a metric and a data set more: `cargo run --release -p expectile -- loss expectile`.

mod expectile;
mod fan;

use lossward::cli::Extensions;
use std::process::ExitCode;

fn main() -> ExitCode {
    lossward::cli::run_with(Extensions {
        losses: &[expectile::LOSS],
        metrics: &[expectile::METRIC],
        data_sets: &[fan::FAN],
        ..Extensions::default()
    })
}
