//! How a trial ended.

use super::{Provenance, Rows, TrialFolder};
use crate::disk::{sha256, write_whole};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The content of `outcome.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum TrialOutcome {
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

/// What stands in `outcome.json` beside the outcome.
#[derive(Serialize, Deserialize)]
struct Ended {
    #[serde(flatten)]
    outcome: TrialOutcome,
    /// Not there in records of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<Manifest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provenance: Option<Provenance>,
}

/// What a record consists of, so that one that is not whole is never believed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Manifest {
    /// Rows below the header of rows.csv.
    rows: usize,
    /// Checksums by the names of the files.
    sha256: BTreeMap<String, String>,
}

/// What a trial's folder says about a trial that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Nothing there, or unfinished: it must run.
    Missing,
    /// It finished once, but its record is not whole any more: it must run again. What is wrong with it.
    Damaged(String),
    /// It ran, and ended so.
    Ended(TrialOutcome),
    /// Another trial's records are there: the first key in which its identity differs, as `(there, wanted)`.
    Other { there: String, wanted: String },
}

impl TrialOutcome {
    /// Writes it with what the record consists of now, and what trained it.
    pub fn write(&self, folder: &TrialFolder, provenance: Option<&Provenance>) -> Result<()> {
        let path = folder.outcome();
        let record = match self {
            TrialOutcome::Finished { .. } => Some(Manifest::of(folder)?),
            TrialOutcome::Failed { .. } => None,
        };
        let ended = Ended { outcome: self.clone(), record, provenance: provenance.cloned() };
        let text = serde_json::to_string_pretty(&ended).map_err(|error| Error::content(&path, error))?;
        write_whole(&path, (text + "\n").as_bytes())
    }
}

impl Manifest {
    fn of(folder: &TrialFolder) -> Result<Manifest> {
        let there = folder.recorded().into_iter().filter(|path| path.is_file());
        let sha256 = there.map(|path| Ok((name(&path), sha256(&path)?))).collect::<Result<_>>()?;
        Ok(Manifest { rows: Rows::read(&folder.rows())?.len(), sha256 })
    }

    /// What is wrong with the files, if anything is. Weights are not kept in version control: a record without any of them is whole.
    fn fault(&self, folder: &TrialFolder) -> Option<String> {
        let weights = [folder.final_weights(), folder.best_weights()];
        let without_weights = weights.iter().all(|path| !path.exists());
        let files = folder.recorded().into_iter().filter(|path| !(without_weights && weights.contains(path)));
        files.filter(|path| self.sha256.contains_key(&name(path))).find_map(|path| {
            let (file, expected) = (name(&path), &self.sha256[&name(&path)]);
            match std::fs::metadata(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Some(format!("{file} is missing"));
                }
                Ok(metadata) if metadata.len() == 0 => return Some(format!("{file} is empty")),
                _ => {}
            }
            match sha256(&path) {
                Ok(found) if found == *expected => None,
                Ok(_) if path == folder.rows() => {
                    Some(format!("rows.csv is not as it was when it had {} rows", self.rows))
                }
                Ok(_) => Some(format!("{file} is cut off or changed")),
                Err(error) => Some(error.to_string()),
            }
        })
    }
}

/// What a record of before checksums were kept may lack.
fn fault_without_checksums(folder: &TrialFolder) -> Option<String> {
    let whole = std::fs::read(folder.rows()).map(|text| text.ends_with(b"\n"));
    match (whole, Rows::read(&folder.rows())) {
        (Err(_), _) => Some("rows.csv is missing or can't be read".into()),
        (Ok(false), _) => Some("rows.csv is cut off".into()),
        (_, Err(error)) => Some(error.to_string()),
        (_, Ok(rows)) if rows.is_empty() => Some("rows.csv has no row".into()),
        _ => None,
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl TrialFolder {
    /// The files that a record consists of, beside its outcome.
    pub(super) fn recorded(&self) -> [PathBuf; 8] {
        let [predictions, images, microscope] = [self.predictions(), self.predicted_images(), self.microscope()];
        let [last, best] = [self.final_weights(), self.best_weights()];
        [self.identity(), self.rows(), self.drawn(), predictions, images, microscope, last, best]
    }

    fn ended(&self) -> Result<Option<Ended>> {
        match read_if_present(&self.outcome())? {
            None => Ok(None),
            Some(text) => serde_json::from_str(&text).map(Some).map_err(|error| Error::content(self.outcome(), error)),
        }
    }

    /// Whether its outcome says what the record consists of.
    pub fn has_checksums(&self) -> bool {
        self.ended().is_ok_and(|ended| ended.is_some_and(|ended| ended.record.is_some()))
    }

    /// What trained it, if that is recorded.
    pub fn provenance(&self) -> Option<Provenance> {
        self.ended().ok()??.provenance
    }

    /// Compares the folder with the identity of the trial that is wanted. What can't be read is damaged: no error, since the trial can run
    /// again.
    pub fn status(&self, wanted: &str) -> Status {
        let ended = match self.ended() {
            Ok(None) => return Status::Missing,
            Ok(Some(ended)) => ended,
            Err(error) => return Status::Damaged(format!("outcome.json is not whole ({error})")),
        };
        let there = match std::fs::read_to_string(self.identity()) {
            Ok(there) => there,
            Err(error) => return Status::Damaged(format!("trial.toml: {error}")),
        };
        let intact = match &ended.record {
            Some(record) => record
                .sha256
                .get("trial.toml")
                .is_none_or(|sum| sha256(&self.identity()).is_ok_and(|found| found == *sum)),
            None => toml::from_str::<toml::Table>(&there).is_ok_and(|table| !table.is_empty()),
        };
        if !intact {
            return Status::Damaged("trial.toml is cut off or changed".into());
        }
        if there != wanted {
            let (there, wanted) = difference(&there, wanted);
            return Status::Other { there, wanted };
        }
        let fault = match (&ended.outcome, &ended.record) {
            (TrialOutcome::Failed { .. }, _) => None,
            (TrialOutcome::Finished { .. }, Some(record)) => record.fault(self),
            (TrialOutcome::Finished { .. }, None) => fault_without_checksums(self),
        };
        fault.map_or(Status::Ended(ended.outcome), Status::Damaged)
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

pub(super) fn read_if_present(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::File { action: "read", path: path.to_path_buf(), cause: error }),
    }
}
