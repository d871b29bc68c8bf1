//! Files that appear whole or not at all.

use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How names of files end that are being written: `.rows.csv.4711-3.partial`.
const PARTIAL: &str = ".partial";

/// Nobody writes on a file for so long without touching it.
const STALE: Duration = Duration::from_secs(600);

/// What this process is writing at the moment.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

pub fn create_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(Error::file("create the folder", path))
}

/// Writes a file that appears whole or not at all, also when the program is killed half-way: under a name that no other process has and
/// that did not exist, then renamed. A link that stands there is replaced, not followed.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let partial = path.with_file_name(format!(".{}.{}-{number}{PARTIAL}", shortened(&name), std::process::id()));
    unfinished(|all| all.push(partial.clone()));
    let write = || {
        // What another process of this number left behind long ago.
        match std::fs::remove_file(&partial) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        OpenOptions::new().write(true).create_new(true).open(&partial)?.write_all(content)
    };
    let written = write()
        .map_err(Error::file("write", path))
        .and_then(|()| std::fs::rename(&partial, path).map_err(Error::file("write", path)));
    if written.is_err() {
        // The error that is told is the first one.
        std::fs::remove_file(&partial).ok();
    }
    unfinished(|all| all.retain(|other| *other != partial));
    written
}

/// Whether a file could be written there; nothing is left of the attempt.
///
/// # Errors
/// When its folder is not there or can't be written to, or a folder has its name.
pub fn check_writable(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::file("write", path)(std::io::Error::other("a folder has this name")));
    }
    let attempt = path.with_file_name(format!(".{}-attempt{PARTIAL}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&attempt).map_err(Error::file("write", path))?;
    std::fs::remove_file(&attempt).map_err(Error::file("write", path))
}

/// Few enough bytes to leave room for what surrounds the name.
fn shortened(name: &str) -> &str {
    let end = (0..=name.len().min(200)).rfind(|end| name.is_char_boundary(*end));
    &name[..end.unwrap_or(0)]
}

fn unfinished(change: impl FnOnce(&mut Vec<PathBuf>)) {
    change(&mut UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Removes what is half-written, for a process that ends now.
pub fn abandon() {
    unfinished(|all| {
        for path in all.drain(..) {
            // Nobody is left to be told.
            std::fs::remove_file(path).ok();
        }
    });
}

/// Removes what processes that are gone left half-written in these folders.
pub fn sweep<'a>(folders: impl IntoIterator<Item = &'a Path>) {
    for entry in folders.into_iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(of) = name.strip_suffix(PARTIAL) else { continue };
        let process = of.rsplit('.').next().and_then(|last| last.split('-').next()?.parse::<u32>().ok());
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|at| at.elapsed().ok());
        let is_old = age.is_some_and(|age| age > STALE);
        if is_old || process.is_some_and(|process| process != std::process::id() && is_gone(process)) {
            // Another process may sweep as well.
            std::fs::remove_file(entry.path()).ok();
        }
    }
}

/// Whether no process of this machine has this number; not known elsewhere than on Linux.
fn is_gone(process: u32) -> bool {
    Path::new("/proc/self").exists() && !Path::new("/proc").join(process.to_string()).exists()
}

/// The checksum of a file in hexadecimal digits, as `sha256sum` prints it.
pub fn sha256(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(Error::file("open", path))?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(Error::file("read", path))? {
            0 => return Ok(digits(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// The same of bytes.
pub fn sha256_of(content: &[u8]) -> String {
    digits(&Sha256::digest(content))
}

fn digits(sum: &[u8]) -> String {
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        #[cfg(unix)]
        {
            let target = folder.path().join("target");
            std::fs::write(&target, "untouched").unwrap();
            std::os::unix::fs::symlink(&target, folder.path().join("link")).unwrap();
            write_whole(&folder.path().join("link"), b"new").unwrap();
            assert_eq!(std::fs::read(&target).unwrap(), b"untouched");
        }
        assert!(write_whole(&folder.path().join("nowhere/x"), b"").is_err());
        let left = std::fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().to_string_lossy().ends_with(PARTIAL));
        assert_eq!(left.count(), 0);
    }

    /// No process has a number beyond 2^22 on Linux.
    #[cfg(target_os = "linux")]
    #[test]
    fn only_what_is_left_behind_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let ours = format!(".x.{}-0{PARTIAL}", std::process::id());
        for name in [".x.4194999-0.partial", ours.as_str(), "x.partial", "rows.csv"] {
            std::fs::write(at(name), "").unwrap();
        }
        sweep([folder.path()]);
        assert!(!at(".x.4194999-0.partial").exists());
        assert!(at(&ours).exists() && at("x.partial").exists() && at("rows.csv").exists());
    }

    /// `printf abc | sha256sum`
    #[test]
    fn a_checksum_is_that_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x"), "abc").unwrap();
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&folder.path().join("x")).unwrap(), sum);
    }
}
