//! What a trial leaves on disk, and reading it back.
//!
//! ```text
//! results/digits/
//!   experiment.toml              the resolved experiment
//!   summary.csv, summary.json    the answer
//!   curves.svg, curves.png       one pair per [[plot]]
//!   report.html                  everything on one page
//!   trials/reinforce/seed-3/
//!     trial.toml                 the resolved arm and the seed: all that the trial is a function of
//!     rows.csv                   one row per evaluation, flushed as it comes
//!     outcome.json               how it ended, how many rows and which checksums its files have, and what trained it; absent while it
//!                                runs and after a kill
//!     claim.json                 who trains it; absent when it has ended
//!     drawn.json                 what is drawn of the final weights: confusion matrix, curves, bins; absent without any
//!     predictions.json, .png     held-out images and what is predicted of them, of the first seed; absent where none are asked for
//!     microscope.csv             what a microscope read; absent without one
//!     final.safetensors, best.safetensors
//! ```

mod claim;
mod drawn;
mod machine;
mod microscope;
mod outcome;
mod predictions;
mod provenance;
mod rows;
mod writer;

pub use claim::{Attempt, Claim, Claimant, HEARTBEAT};
pub use machine::Machine;
pub use microscope::{GradientReading, ReadingWriter};
pub use outcome::{Status, TrialOutcome};
pub use provenance::Provenance;
pub use rows::Rows;
pub use writer::{COUNTERS, Record};

use rows::RowWriter;

use crate::disk::{create_folder, write_whole};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The folder of one trial.
#[derive(Clone, Debug)]
pub struct TrialFolder(PathBuf);

impl TrialFolder {
    /// The folder of an arm (by its slug) and a seed, inside an experiment's results.
    pub fn of(results: &Path, arm: &str, seed: u64) -> Self {
        TrialFolder(results.join("trials").join(arm).join(format!("seed-{seed}")))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn identity(&self) -> PathBuf {
        self.0.join("trial.toml")
    }

    pub fn rows(&self) -> PathBuf {
        self.0.join("rows.csv")
    }

    pub fn outcome(&self) -> PathBuf {
        self.0.join("outcome.json")
    }

    pub fn drawn(&self) -> PathBuf {
        self.0.join("drawn.json")
    }

    pub fn predictions(&self) -> PathBuf {
        self.0.join("predictions.json")
    }

    pub fn predicted_images(&self) -> PathBuf {
        self.0.join("predictions.png")
    }

    pub fn final_weights(&self) -> PathBuf {
        self.0.join("final.safetensors")
    }

    pub fn best_weights(&self) -> PathBuf {
        self.0.join("best.safetensors")
    }

    /// Makes the trial unfinished; the rest of its record stays until it begins again.
    pub fn forget(&self) -> Result<()> {
        match std::fs::remove_file(self.outcome()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file("remove", self.outcome())(error))
            }
            _ => Ok(()),
        }
    }

    /// Empties the folder for a new start and writes the identity.
    pub fn begin(&self, identity: &str) -> Result<()> {
        create_folder(&self.0)?;
        let recorded = self.recorded().into_iter().filter(|file| *file != self.identity());
        for file in recorded.chain([self.outcome()]) {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::File { action: "remove", path: file, cause: error });
                }
                _ => {}
            }
        }
        write_whole(&self.identity(), identity.as_bytes())
    }
}
