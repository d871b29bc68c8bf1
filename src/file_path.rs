//! Files that an experiment names.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};

/// A path as it is written, and the folder that it starts from: that of the experiment file which names it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilePath {
    written: PathBuf,
    #[serde(skip)]
    folder: PathBuf,
}

impl FilePath {
    /// What it is called in messages and records: as it is written.
    pub fn written(&self) -> &Path {
        &self.written
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.written)
    }

    /// Whether weights can be there.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn check_weights(&self) -> Result<()> {
        let path = self.path();
        match path.is_file() {
            true => Ok(()),
            false => Err(Error::Argument(format!("there is no weights file {}", path.display()))),
        }
    }

    /// Says which folder it starts from.
    pub fn start_from(&mut self, folder: &Path) {
        self.folder = folder.to_path_buf();
    }
}

impl<P: Into<PathBuf>> From<P> for FilePath {
    fn from(written: P) -> Self {
        FilePath { written: written.into(), folder: PathBuf::new() }
    }
}

/// The way from one folder to another, both of which exist; nothing where there is none (another drive).
pub fn way(from: &Path, to: &Path) -> Option<PathBuf> {
    let (from, to) = (from.canonicalize().ok()?, to.canonicalize().ok()?);
    let (mut from, mut to) = (from.components().peekable(), to.components().peekable());
    let mut common = 0;
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
        common += 1;
    }
    (common > 0).then(|| from.map(|_| Component::ParentDir).chain(to).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_goes_up_and_down() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("a/b")).unwrap();
        std::fs::create_dir_all(at("c")).unwrap();
        assert_eq!(way(&at("a/b"), &at("c")), Some(PathBuf::from("../../c")));
        assert_eq!(way(&at("a"), &at("a/b")), Some(PathBuf::from("b")));
        assert_eq!(way(&at("a"), &at("a")), Some(PathBuf::new()));
        assert_eq!(way(&at("a"), &at("nowhere")), None);
    }
}
