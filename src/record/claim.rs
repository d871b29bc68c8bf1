//! Who trains: a trial's folder is claimed before anything is written into it, so that any number of processes share a results folder.
//!
//! `claim.json` names the host and the process. A process of this host is alive if its number and the moment of its start are those of a
//! running one; one of another host if it has touched its claim in the last minute. What a process that is gone has claimed is taken over.

use super::TrialFolder;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often a process touches its claims.
pub const HEARTBEAT: Duration = Duration::from_secs(5);

/// A process of another host is gone when it hasn't touched its claim for so long.
const GONE: Duration = Duration::from_secs(60);

/// The content of `claim.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claimant {
    /// The name of the machine, and what tells its starts and containers apart.
    pub host: String,
    pub process: u32,
    /// In the system's own unit since its start, where that is known.
    pub started: Option<u64>,
}

/// A folder that this process has claimed; it is given back when this is dropped.
pub struct Claim {
    path: PathBuf,
    content: String,
}

/// Whether a folder could be claimed.
pub enum Attempt {
    Claimed(Claim),
    /// By a process that is alive.
    Taken(Claimant),
}

impl Claimant {
    fn here() -> Claimant {
        let process = std::process::id();
        Claimant { host: host(), process, started: started(process) }
    }

    /// Whether it still runs, as far as its last touch says.
    fn is_alive(&self, touched: Option<Duration>) -> bool {
        let here = Claimant::here();
        if self.host == here.host && here.started.is_some() {
            return self.started.is_some() && started(self.process) == self.started;
        }
        touched.is_none_or(|age| age < GONE)
    }
}

/// `process 4711 on maple`
impl std::fmt::Display for Claimant {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "process {} on {}", self.process, self.host.split(' ').next().unwrap_or_default())
    }
}

/// The name of this machine, its current start and the numbering of its processes, as far as they can be found out.
fn host() -> String {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_string());
    let name = read("/proc/sys/kernel/hostname")
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok());
    let start = read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let numbering = std::fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default();
    format!("{} {start} {numbering}", name.unwrap_or_else(|| "unknown".into())).trim().to_string()
}

/// When a process of this machine started: the 22nd field of its `stat`, behind a name that may hold anything.
fn started(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// While it is held, no other process claims anything in the same results. Systems without locks go without.
struct Lock(#[expect(dead_code, reason = "the lock is held as long as the file is open")] Option<File>);

impl Lock {
    fn of(results: &Path) -> Lock {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(results.join(".lock")).ok();
        Lock(file.filter(|file| file.lock().is_ok()))
    }
}

impl TrialFolder {
    fn claim_path(&self) -> PathBuf {
        self.path().join("claim.json")
    }

    /// Claims the folder, and creates it, unless a process that is alive has it.
    pub fn claim(&self, results: &Path) -> Result<Attempt> {
        crate::disk::create_folder(self.path())?;
        let _lock = Lock::of(results);
        if let Some(claimant) = self.claimant()? {
            return Ok(Attempt::Taken(claimant));
        }
        let path = self.claim_path();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::file("remove", path)(error)),
            _ => {}
        }
        let content = serde_json::to_string(&Claimant::here()).map_err(|error| Error::content(&path, error))? + "\n";
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut file| file.write_all(content.as_bytes()));
        match written {
            Ok(()) => Ok(Attempt::Claimed(Claim { path, content })),
            // Where there are no locks, another process may have been faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let claimant = self.claimant()?;
                Ok(Attempt::Taken(claimant.unwrap_or_else(|| Claimant {
                    host: "another host".into(),
                    process: 0,
                    started: None,
                })))
            }
            Err(error) => Err(Error::file("write", path)(error)),
        }
    }

    /// Removes the claim of a process that is gone.
    pub fn sweep_claim(&self, results: &Path) -> Result<()> {
        let path = self.claim_path();
        if path.exists() {
            let _lock = Lock::of(results);
            if self.claimant()?.is_none() {
                // Another process may sweep as well.
                std::fs::remove_file(path).ok();
            }
        }
        Ok(())
    }

    /// The process that has claimed the folder, if it is alive.
    pub fn claimant(&self) -> Result<Option<Claimant>> {
        let path = self.claim_path();
        let Some(text) = super::outcome::read_if_present(&path)? else { return Ok(None) };
        let touched = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
        let age = touched.and_then(|at| SystemTime::now().duration_since(at).ok());
        // A claim that can't be read was cut off when its process was killed.
        Ok(serde_json::from_str::<Claimant>(&text).ok().filter(|claimant| claimant.is_alive(age)))
    }
}

impl Claim {
    /// Says that the process is alive.
    pub fn touch(&self) {
        if self.is_held() {
            // If it can't be touched, others may take it over, and this one notices.
            OpenOptions::new()
                .write(true)
                .open(&self.path)
                .and_then(|mut file| file.write_all(self.content.as_bytes()))
                .ok();
        }
    }

    /// Whether no other process has taken it over.
    pub fn is_held(&self) -> bool {
        std::fs::read_to_string(&self.path).is_ok_and(|text| text == self.content)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_held() {
            // A claim that stays is taken over once this process is gone.
            std::fs::remove_file(&self.path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, TrialFolder) {
        let results = tempfile::tempdir().unwrap();
        let folder = TrialFolder::of(results.path(), "a", 0);
        (results, folder)
    }

    #[test]
    fn a_folder_is_claimed_once_and_given_back() {
        let (results, folder) = folder();
        let Attempt::Claimed(claim) = folder.claim(results.path()).unwrap() else { panic!("free") };
        let Attempt::Taken(by) = folder.claim(results.path()).unwrap() else { panic!("taken") };
        assert_eq!(by, Claimant::here());
        claim.touch();
        assert!(claim.is_held());
        drop(claim);
        assert!(matches!(folder.claim(results.path()).unwrap(), Attempt::Claimed(_)));
    }

    /// A process that is gone, one whose number was given to another, and one that was killed while it wrote its claim.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_dead_process_has_claimed_is_taken_over() {
        let (results, folder) = folder();
        std::fs::create_dir_all(folder.path()).unwrap();
        let here = Claimant::here();
        let gone = Claimant { process: 4_194_999, ..here.clone() };
        let reused = Claimant { started: here.started.map(|at| at + 1), ..here.clone() };
        for text in [
            serde_json::to_string(&gone).unwrap(),
            serde_json::to_string(&reused).unwrap(),
            String::new(),
            "{\"ho".into(),
        ] {
            std::fs::write(folder.claim_path(), text).unwrap();
            assert!(matches!(folder.claim(results.path()).unwrap(), Attempt::Claimed(_)));
        }
        let elsewhere = Claimant { host: "maple".into(), ..here };
        std::fs::write(folder.claim_path(), serde_json::to_string(&elsewhere).unwrap()).unwrap();
        let Attempt::Taken(by) = folder.claim(results.path()).unwrap() else { panic!("it was touched just now") };
        assert_eq!(by.to_string(), format!("process {} on maple", std::process::id()));
        let old = SystemTime::now() - Duration::from_secs(61);
        File::options().write(true).open(folder.claim_path()).unwrap().set_modified(old).unwrap();
        assert!(matches!(folder.claim(results.path()).unwrap(), Attempt::Claimed(_)));
    }

    /// Many threads, as processes would, for one folder.
    #[test]
    fn only_one_of_many_takes_over() {
        let (results, folder) = folder();
        std::fs::create_dir_all(folder.path()).unwrap();
        for _ in 0..20 {
            std::fs::write(folder.claim_path(), "").unwrap();
            let claims: Vec<Option<Claim>> = std::thread::scope(|scope| {
                let attempt = || match folder.claim(results.path()).unwrap() {
                    Attempt::Claimed(claim) => Some(claim),
                    Attempt::Taken(_) => None,
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(attempt)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(claims.iter().flatten().count(), 1);
        }
    }
}
