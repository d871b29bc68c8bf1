//! Lossward with one environment more: `cargo run --release -p corridor -- env check Example/Corridor-v0`.

mod corridor;

use lossward::cli::Extensions;
use std::process::ExitCode;

fn main() -> ExitCode {
    lossward::cli::run_with(Extensions { environments: &[corridor::SPEC], ..Extensions::default() })
}
