//! Folders for what a benchmark writes.

use crate::Result;
use std::path::PathBuf;

/// A folder of its own for the records of a benchmark, removed at the end.
pub(super) struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("lossward-bench-{name}-{}", std::process::id()));
        crate::disk::create_folder(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
