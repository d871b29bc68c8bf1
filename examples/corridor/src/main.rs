//! Lossward with one environment more: `cargo run --release -p corridor -- env check Example/Corridor-v0`.

mod corridor;

use std::process::ExitCode;

fn main() -> ExitCode {
    lossward::cli::run_with(&[corridor::SPEC])
}
