//! What black-box tests share; not each of them uses all of it.

#![allow(dead_code, clippy::unwrap_used)]

pub mod records;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program, in a folder of its own.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

/// Two arms on the digits, small enough for a test.
pub const TINY: &str = r#"# Question: does the smoke rise?
title = "Tiny"
seeds = 2
threshold = { metric = "accuracy", value = 0.5 }
[task]
dataset = "digits"
[network]
hidden = [16]
[optimizer]
learning_rate = 3e-3
[budget]
examples = 4_000
[[arm]]
name = "label"
objective = { kind = "supervised", loss = "cross_entropy" }
[[arm]]
name = "reward"
objective = { kind = "policy_gradient", preset = "reinforce", reward = "accuracy", environments = 64 }
[[plot]]
y = ["loss", "accuracy"]
"#;

impl Sandbox {
    pub fn new() -> Self {
        Sandbox { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lossward"));
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }
}

/// What a run of the program printed.
#[derive(Debug)]
pub struct Run {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The run worked.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.status, Some(0), "{self:?}");
        self
    }

    /// The run failed with status 1 and every one of these in its message.
    pub fn failed_with(self, parts: &[&str]) -> Self {
        assert_eq!(self.status, Some(1), "{self:?}");
        for part in parts {
            assert!(self.err.contains(part), "no `{part}` in: {}", self.err);
        }
        self
    }
}

/// Every file below a folder with its content, sorted by path.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}
