//! What only shows from outside: start-up time and memory of this program's own processes.

use super::reinforcement::write_experiment;
use super::scratch::Scratch;
use super::{Row, Unit};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn program() -> Result<PathBuf> {
    std::env::current_exe().map_err(Error::file("find", Path::new("this program")))
}

/// This program with arguments.
fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(program()?);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command)
}

fn check(arguments: &[&str], ended: &Output) -> Result<()> {
    let said = String::from_utf8_lossy(&ended.stderr);
    let failed = || Error::Argument(format!("`lossward {}` failed: {}", arguments.join(" "), said.trim()));
    if ended.status.success() { Ok(()) } else { Err(failed()) }
}

pub(super) fn version(name: &str) -> Result<Row> {
    let mut all = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        let ended = command(&["--version"])?.output().map_err(Error::file("run", &program()?))?;
        all.push(1e3 * start.elapsed().as_secs_f64());
        check(&["--version"], &ended)?;
    }
    Ok(Row::new(name, Unit::Milliseconds, &all))
}

/// From the start of the process until ten updates are recorded: reading the experiment and the data, an evaluation before and
/// one after them. The time to the first update is shorter.
pub(super) fn ten_updates(name: &str) -> Result<Row> {
    let folder = Scratch::new("start")?;
    let path = folder.0.join("ten.toml");
    let text = "title = \"ten updates\"\n[task]\ndataset = \"digits\"\n[budget]\nexamples = 640\n[[arm]]\nname = \"CE\"\n\
                objective = { kind = \"supervised\", loss = \"cross_entropy\", batch_size = 64 }\n";
    std::fs::write(&path, text).map_err(Error::file("write", &path))?;
    let (file, out) = (path.display().to_string(), folder.0.join("out").display().to_string());
    let arguments = ["run", &file, "--seeds", "1", "--jobs", "1", "--quiet", "--out", &out];
    let recorded = folder.0.join("out/trials/ce/seed-0/outcome.json");
    let mut all = Vec::new();
    for _ in 0..10 {
        let start = Instant::now();
        let mut child = command(&arguments)?.spawn().map_err(Error::file("run", &program()?))?;
        while !recorded.exists() && child.try_wait().map_err(Error::file("wait for", &path))?.is_none() {
            std::thread::sleep(Duration::from_micros(100));
        }
        all.push(1e3 * start.elapsed().as_secs_f64());
        check(&arguments, &child.wait_with_output().map_err(Error::file("wait for", &path))?)?;
        std::fs::remove_dir_all(&out).map_err(Error::file("remove", &out))?;
    }
    Ok(Row::new(name, Unit::Milliseconds, &all))
}

/// The largest resident memory of a run, read from the kernel while it runs.
///
/// # Errors
/// Where there is no `/proc`.
pub(super) fn memory(name: &str) -> Result<Row> {
    let folder = Scratch::new("memory")?;
    let path = write_experiment(&folder.0)?;
    let (file, out) = (path.display().to_string(), folder.0.join("out").display().to_string());
    let arguments =
        ["run", &file, "budget.examples=102_400", "--seeds", "1", "--jobs", "1", "--quiet", "--force", "--out", &out];
    let mut child = command(&arguments)?.spawn().map_err(Error::file("run", &program()?))?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = f64::NAN;
    while child.try_wait().map_err(Error::file("wait for", &path))?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(kib) = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()) {
            peak = kib * 1024.0 / 1e6;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    check(&arguments, &child.wait_with_output().map_err(Error::file("wait for", &path))?)?;
    if peak.is_nan() {
        return Err(Error::Argument("peak memory is read from /proc, which this system has not".into()));
    }
    Ok(Row::new(name, Unit::Megabytes, &[peak]))
}
