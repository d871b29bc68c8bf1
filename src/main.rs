use std::process::ExitCode;

fn main() -> ExitCode {
    lossward::cli::run()
}
