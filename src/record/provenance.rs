//! The machines and versions that trained an experiment.

use super::{outcome::read_if_present, write_whole};
use crate::benchmark::Machine;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What some of the trials were run with: an entry of `machine.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Versions of this program and of the tensor library beneath it.
    pub lossward: String,
    pub candle: String,
    pub machine: Machine,
}

impl Provenance {
    pub fn here() -> Self {
        Provenance { lossward: env!("CARGO_PKG_VERSION").into(), candle: candle_version(), machine: Machine::here() }
    }

    /// Joins those that trained this experiment before; replaces them when all trials are run (`anew`).
    pub fn note(self, results: &Path, anew: bool) -> Result<()> {
        let mut all = if anew { Vec::new() } else { Provenance::read(results)? };
        if !all.contains(&self) {
            all.push(self);
        }
        let path = file(results);
        let text = serde_json::to_string_pretty(&all).map_err(|error| Error::content(&path, error))?;
        write_whole(&path, (text + "\n").as_bytes())
    }

    /// Those of an experiment's results, the first ones first; none where nothing is recorded.
    pub fn read(results: &Path) -> Result<Vec<Provenance>> {
        let path = file(results);
        match read_if_present(&path)? {
            Some(text) => serde_json::from_str(&text).map_err(|error| Error::content(&path, error)),
            None => Ok(Vec::new()),
        }
    }
}

fn file(results: &Path) -> PathBuf {
    results.join("machine.json")
}

/// The locked version, with which this program was built.
fn candle_version() -> String {
    let lock = include_str!("../../Cargo.lock");
    let of = lock.split("name = \"candle-core\"\nversion = \"").nth(1).and_then(|rest| rest.split('"').next());
    of.unwrap_or("unknown").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_machine_joins_the_first_and_a_new_start_replaces_both() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Provenance::here(), Provenance { lossward: "0.0.1".into(), ..Provenance::here() });
        assert_eq!(Provenance::read(folder.path()).unwrap(), []);
        first.clone().note(folder.path(), true).unwrap();
        second.clone().note(folder.path(), false).unwrap();
        first.clone().note(folder.path(), false).unwrap();
        assert_eq!(Provenance::read(folder.path()).unwrap(), [first.clone(), second.clone()]);
        second.clone().note(folder.path(), true).unwrap();
        assert_eq!(Provenance::read(folder.path()).unwrap(), [second]);
        assert!(first.candle.starts_with("0."), "{}", first.candle);
    }
}
