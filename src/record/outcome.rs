//! How a trial ended.

use super::{TrialFolder, write_whole};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The content of `outcome.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Outcome {
    Finished {
        seconds: f64,
        /// What to know before the records are believed, in sentences.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    Failed {
        reason: String,
    },
}

/// What a trial's folder says about a trial that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Nothing there, or unfinished: it must run.
    Missing,
    /// It ran, and ended so.
    Ended(Outcome),
    /// Another trial's records are there: the first key in which its identity differs, as `(there, wanted)`.
    Other { there: String, wanted: String },
}

impl Outcome {
    pub fn write(&self, folder: &TrialFolder) -> Result<()> {
        let path = folder.outcome();
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::content(&path, error))?;
        write_whole(&path, (text + "\n").as_bytes())
    }
}

impl TrialFolder {
    /// Compares the folder with the identity of the trial that is wanted.
    pub fn status(&self, wanted: &str) -> Result<Status> {
        let Some(there) = read_if_present(&self.identity())? else { return Ok(Status::Missing) };
        let Some(outcome) = read_if_present(&self.outcome())? else { return Ok(Status::Missing) };
        if there != wanted {
            let (there, wanted) = difference(&there, wanted);
            return Ok(Status::Other { there, wanted });
        }
        let parsed = serde_json::from_str(&outcome).map_err(|error| Error::content(self.outcome(), error))?;
        Ok(Status::Ended(parsed))
    }
}

/// The first key in which two identities differ, with its value in each.
fn difference(there: &str, wanted: &str) -> (String, String) {
    let keys = |text: &str| {
        let mut found = Vec::new();
        // Nothing where it can't be read, so that everything differs.
        flatten("", &toml::from_str(text).unwrap_or_default(), &mut found);
        found
    };
    let (there, wanted) = (keys(there), keys(wanted));
    let of = |keys: &[(String, String)], key: &str| {
        let found = keys.iter().find(|(other, _)| other == key);
        found.map_or(format!("no {key}"), |(key, value)| format!("{key} = {value}"))
    };
    let differs = |(key, _): &&(String, String)| of(&there, key) != of(&wanted, key);
    match wanted.iter().chain(&there).find(differs) {
        Some((key, _)) => (of(&there, key), of(&wanted, key)),
        None => ("(the same, written another way)".into(), "(the same)".into()),
    }
}

fn flatten(path: &str, table: &toml::Table, found: &mut Vec<(String, String)>) {
    for (name, value) in table {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            toml::Value::Table(inner) if !inner.is_empty() => flatten(&key, inner, found),
            value => found.push((key, value.to_string())),
        }
    }
}

pub(super) fn read_if_present(path: &std::path::Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::File { action: "read", path: path.to_path_buf(), cause: error }),
    }
}
