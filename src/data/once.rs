//! What was read is not read again: a file is met by every check of an experiment and by every trial. The last few data sets and checksums of
//! the process are kept; a file that has another size or was written at another time since is read anew.

use super::{DataSet, folder};
use crate::{Result, parallel};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// So many are kept, of each kind: the arms of an experiment seldom learn from more.
const KEPT: usize = 4;

static DATA_SETS: Mutex<Vec<(String, DataSet)>> = Mutex::new(Vec::new());
static CHECKSUMS: Mutex<Vec<((PathBuf, State), String)>> = Mutex::new(Vec::new());

/// By which a change of a file is seen: its size, and when it was written.
pub type State = (u64, SystemTime);

/// Files that were written so shortly ago may be written again without their time saying so.
const SETTLED: Duration = Duration::from_millis(100);

/// Nothing where a change could not be seen. Of a folder over all that is read of it: the state of its files, and when the last of them was written.
pub fn state(path: &Path) -> Option<State> {
    if !path.is_dir() {
        return state_of_file(path);
    }
    let mut hasher = DefaultHasher::new();
    let mut last = SystemTime::UNIX_EPOCH;
    for file in folder::files(path, &folder::READ).ok()? {
        let state = state_of_file(&path.join(&file))?;
        last = last.max(state.1);
        (file, state).hash(&mut hasher);
    }
    Some((hasher.finish(), last))
}

fn state_of_file(file: &Path) -> Option<State> {
    let metadata = std::fs::metadata(file).ok()?;
    let written = metadata.modified().ok()?;
    let settled = written.elapsed().is_ok_and(|ago| ago > SETTLED);
    settled.then_some((metadata.len(), written))
}

/// The data set of this key; others wait while it is read. Without a key it is read anew.
pub fn read(key: Option<String>, load: impl FnOnce() -> Result<DataSet>) -> Result<DataSet> {
    match key {
        Some(key) => remembered(&DATA_SETS, key, load),
        None => load(),
    }
}

/// The SHA-256 of a file; of a folder, that of a text with a line for each file in it: its checksum, two spaces and its way from the
/// folder, in the order of the ways.
pub fn sha256(file: &Path) -> Result<String> {
    let sum = || match file.is_dir() {
        false => crate::disk::sha256(file),
        true => {
            let files = folder::files(file, &folder::READ)?;
            let sums =
                parallel::map(&files, |name| Ok(format!("{}  {name}\n", crate::disk::sha256(&file.join(name))?)));
            Ok(crate::disk::sha256_of(sums.into_iter().collect::<Result<String>>()?.as_bytes()))
        }
    };
    match state(file) {
        Some(state) => remembered(&CHECKSUMS, (file.to_path_buf(), state), sum),
        None => sum(),
    }
}

fn remembered<K: PartialEq, V: Clone>(
    kept: &Mutex<Vec<(K, V)>>,
    key: K,
    load: impl FnOnce() -> Result<V>,
) -> Result<V> {
    // What a panic left is whole: a value is loaded before it is kept.
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, value)) = kept.iter().find(|(other, _)| *other == key) {
        return Ok(value.clone());
    }
    let value = load()?;
    if kept.len() == KEPT {
        kept.remove(0);
    }
    kept.push((key, value.clone()));
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_when_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        let mut sums = Vec::new();
        for (content, hours) in [("a", 0), ("b", 0), ("b", 3), ("b", 3), ("c", 3), ("de", 3), ("f", 2)] {
            std::fs::write(&file, content).unwrap();
            let written = SystemTime::now() - Duration::from_secs(3600 * hours);
            std::fs::File::options().append(true).open(&file).unwrap().set_modified(written).unwrap();
            sums.push(sha256(&file).unwrap());
        }
        let changed: Vec<bool> = sums.windows(2).map(|pair| pair[0] != pair[1]).collect();
        assert_eq!(changed, [true, false, false, true, true, true], "just now, the same, the same, …");
        let kept = Mutex::new(Vec::new());
        let mut reads = 0;
        for key in [1, 1, 2, 1, 3, 4, 5, 1] {
            let value = remembered(&kept, key, || {
                reads += 1;
                Ok(10 * key)
            });
            assert_eq!(value.unwrap(), 10 * key);
        }
        assert_eq!(reads, 6, "the fifth one puts out the first");
    }
}
