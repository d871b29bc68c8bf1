//! Many trials side by side: which of them are missing, and running those.

use crate::disk;
use crate::experiment::Experiment;
use crate::record::{Attempt, Claim, Claimant, HEARTBEAT, Status, TrialOutcome};
use crate::train::Watch;
use crate::trial::Trial;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The trials of an experiment that have to run.
pub struct Plan<'a> {
    pub missing: Vec<Trial<'a>>,
    /// Trials of the experiment, those already finished included.
    pub total: usize,
    /// Why trials that finished once run again, in sentences.
    pub damaged: Vec<String>,
}

/// What happens while trials run; `trial` is an index into [`Plan::missing`].
pub enum Event {
    Started {
        trial: usize,
        watch: Arc<Watch>,
    },
    Ended {
        trial: usize,
        outcome: Result<TrialOutcome>,
    },
    /// Another process trains it; it is waited for when nothing else is left.
    Elsewhere {
        trial: usize,
        by: Claimant,
    },
    /// Another process has finished it.
    EndedElsewhere {
        trial: usize,
    },
}

/// Compares the results folder with the experiment. Finished trials are kept; missing, unfinished, damaged and failed ones run. `force`
/// runs all of them.
///
/// # Errors
/// When a folder holds records of another trial (the experiment has changed since) and `force` is not set; when it is, and another
/// process trains there.
pub fn plan<'a>(experiment: &'a Experiment, results: &Path, force: bool) -> Result<Plan<'a>> {
    check_weights_files(experiment)?;
    if !force {
        check_folder(experiment, results)?;
    }
    // Seed by seed, so that an interrupted run has compared all arms on the seeds that it reached.
    let all = experiment.seeds.range().flat_map(|seed| experiment.arms.iter().map(move |arm| (arm, seed)));
    let trials: Vec<Trial> = all.map(|(arm, seed)| Trial::new(experiment, arm, seed, results)).collect();
    if force {
        forget(&trials, results)?;
    }
    disk::sweep(std::iter::once(results).chain(trials.iter().map(|trial| trial.folder.path())));
    let mut plan = Plan { missing: Vec::new(), total: trials.len(), damaged: Vec::new() };
    for trial in trials {
        match trial.status()? {
            Status::Missing | Status::Ended(TrialOutcome::Failed { .. }) => plan.missing.push(trial),
            Status::Damaged(fault) => {
                plan.damaged.push(format!("{} runs again, since its record is not whole: {fault}", trial.name()));
                plan.missing.push(trial);
            }
            // Left by a process that was killed between the outcome and giving it back.
            Status::Ended(TrialOutcome::Finished { .. }) => trial.folder.sweep_claim(results)?,
            Status::Other { there, wanted } => {
                let message =
                    format!("holds the records of another experiment: there `{there}`, here `{wanted}`; {ELSEWHERE}");
                return Err(Error::content(trial.folder.path(), message));
            }
        }
    }
    add_teachers(experiment, results, &mut plan.missing);
    Ok(plan)
}

/// Makes all trials unfinished.
///
/// # Errors
/// When a process that is alive trains one of them.
fn forget(trials: &[Trial], results: &Path) -> Result<()> {
    for trial in trials {
        if let Some(by) = trial.folder.claimant()? {
            let message = format!("{by} trains {} there; stop it before you train again with --force", trial.name());
            return Err(Error::content(results, message));
        }
    }
    trials.iter().try_for_each(|trial| trial.folder.forget())
}

/// A folder keeps one experiment: more seeds and more arms may join it, but its summary must not lose any.
fn check_folder(experiment: &Experiment, results: &Path) -> Result<()> {
    let path = results.join("experiment.toml");
    if !path.is_file() {
        return Ok(());
    }
    let there = Experiment::load_recorded(&path, &[])?;
    let lost = there.arms.iter().find(|arm| experiment.arms.iter().all(|other| other.name != arm.name));
    let difference = match lost {
        _ if there.title != experiment.title => format!("the experiment \"{}\"", there.title),
        Some(arm) => format!("the arm `{}`, which this experiment has not", arm.name),
        None if !experiment.seeds.hold(there.seeds) => {
            format!("{}, and this asks for {}", there.seeds, experiment.seeds)
        }
        None => return Ok(()),
    };
    Err(Error::content(results, format!("holds {difference}; {ELSEWHERE}")))
}

/// What to do about a folder that holds something else.
const ELSEWHERE: &str = "give another folder with --out, or take this one with --force";

/// A finished teacher whose weights are gone (they are not kept in version control) has to run again for its pupils, and so have its own.
fn add_teachers<'a>(experiment: &'a Experiment, results: &Path, missing: &mut Vec<Trial<'a>>) {
    let of = |trial: &Trial<'a>| trial.arm.teachers().map(|name| (name, trial.seed)).collect::<Vec<_>>();
    let mut wanted: Vec<(&str, u64)> = missing.iter().flat_map(of).collect();
    while let Some((name, seed)) = wanted.pop() {
        let listed = missing.iter().any(|trial| trial.arm.name == name && trial.seed == seed);
        let teacher =
            experiment.arms.iter().find(|arm| arm.name == name).map(|arm| Trial::new(experiment, arm, seed, results));
        if let Some(teacher) = teacher.filter(|teacher| !listed && !teacher.folder.final_weights().is_file()) {
            wanted.extend(of(&teacher));
            missing.insert(0, teacher);
        }
    }
}

fn check_weights_files(experiment: &Experiment) -> Result<()> {
    let mut files = experiment.arms.iter().flat_map(|arm| arm.weights_files());
    files.try_for_each(|file| {
        let path = file.path();
        std::fs::metadata(&path).map(|_| ()).map_err(Error::file("read the weights", path))
    })
}

/// Writes the resolved experiment where its results will be; `folder` is where the paths of its files start.
pub fn begin(experiment: &Experiment, folder: &Path, results: &Path) -> Result<()> {
    disk::create_folder(results)?;
    let path = results.join("experiment.toml");
    let text = toml::to_string(&experiment.kept_in(results, folder)).map_err(|error| Error::content(&path, error))?;
    disk::write_whole(&path, text.as_bytes())
}

/// Runs the missing trials on `jobs` threads, one trial on one thread, and reports every start and end. When `stop` is set,
/// running trials stop after their update and no other begins. Trials that other processes have claimed are left to them; if those are
/// gone without finishing, they run here.
pub fn run(plan: &Plan, results: &Path, jobs: usize, stop: &Arc<AtomicBool>, events: &Sender<Event>) {
    let state = vec![State::Waiting; plan.missing.len()];
    let laboratory =
        Laboratory { plan, results, stop, state: Mutex::new(state), changed: Condvar::new(), claims: Mutex::default() };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(plan.missing.len()) {
            let events = events.clone();
            scope.spawn(|| laboratory.work(events));
        }
        scope.spawn(|| laboratory.beat());
    });
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Waiting,
    Running,
    /// Another process has claimed it.
    Elsewhere,
    Ended,
}

/// What the workers share.
struct Laboratory<'a> {
    plan: &'a Plan<'a>,
    results: &'a Path,
    stop: &'a Arc<AtomicBool>,
    state: Mutex<Vec<State>>,
    changed: Condvar,
    /// Of the running trials.
    claims: Mutex<BTreeMap<usize, Arc<Claim>>>,
}

/// How often trials are looked after that other processes train.
const LOOK: Duration = Duration::from_millis(200);

impl Laboratory<'_> {
    /// One worker, until nothing is left for it. Nobody listening to its events is no reason to stop recording.
    fn work(&self, events: Sender<Event>) {
        while let Some(trial) = self.take() {
            let ended = match self.claimed(trial) {
                Ok(Ok(claim)) => {
                    let claim = Arc::new(claim);
                    self.held(|claims| claims.insert(trial, claim.clone()));
                    let watch = Arc::new(Watch { stop: self.stop.clone(), ..Watch::default() });
                    events.send(Event::Started { trial, watch: watch.clone() }).ok();
                    let outcome = self.plan.missing[trial].run(self.results, &watch, &claim);
                    self.held(|claims| claims.remove(&trial));
                    Some(Event::Ended { trial, outcome })
                }
                Ok(Err(Some(by))) => {
                    events.send(Event::Elsewhere { trial, by }).ok();
                    None
                }
                Ok(Err(None)) => Some(Event::EndedElsewhere { trial }),
                Err(error) => Some(Event::Ended { trial, outcome: Err(error) }),
            };
            self.set(trial, if ended.is_some() { State::Ended } else { State::Elsewhere });
            if let Some(ended) = ended {
                events.send(ended).ok();
            }
        }
    }

    /// The claim of a trial; otherwise who else has it, or nobody where it has been finished meanwhile.
    fn claimed(&self, trial: usize) -> Result<Result<Claim, Option<Claimant>>> {
        let planned = &self.plan.missing[trial];
        match planned.folder.claim(self.results)? {
            Attempt::Taken(by) => Ok(Err(Some(by))),
            Attempt::Claimed(_) if self.is_done(planned)? => Ok(Err(None)),
            Attempt::Claimed(claim) => Ok(Ok(claim)),
        }
    }

    /// Whether a trial has finished since it was planned, with weights where others learn from it.
    fn is_done(&self, trial: &Trial) -> Result<bool> {
        let finished = matches!(trial.status()?, Status::Ended(TrialOutcome::Finished { .. }));
        Ok(finished && (trial.folder.final_weights().is_file() || !self.is_teacher(trial)))
    }

    fn is_teacher(&self, trial: &Trial) -> bool {
        self.plan
            .missing
            .iter()
            .any(|other| other.seed == trial.seed && other.arm.teachers().any(|name| name == trial.arm.name))
    }

    /// The next trial whose teachers, if it has any, have ended; waits for one, and is over when none is left.
    fn take(&self) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let is_left = |state: &State| matches!(state, State::Waiting | State::Elsewhere);
            if self.stop.load(Ordering::Relaxed) || !state.iter().any(is_left) {
                return None;
            }
            let ready = |i: &usize| {
                let trial = &self.plan.missing[*i];
                let is_teacher = |other: &Trial| trial.arm.teachers().any(|name| name == other.arm.name);
                let mut others = self.plan.missing.iter().zip(state.iter());
                others.all(|(other, s)| other.seed != trial.seed || !is_teacher(other) || *s == State::Ended)
            };
            let all = || (0..state.len()).filter(ready);
            // One that another process had claimed is tried again when that process has given it back.
            let given_back = |i: &usize| !self.plan.missing[*i].folder.claimant().is_ok_and(|by| by.is_some());
            let next = all().find(|i| state[*i] == State::Waiting);
            if let Some(next) = next.or_else(|| all().find(|i| state[*i] == State::Elsewhere && given_back(i))) {
                state[next] = State::Running;
                return Some(next);
            }
            state = self.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn set(&self, trial: usize, to: State) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)[trial] = to;
        self.changed.notify_all();
    }

    fn held<T>(&self, change: impl FnOnce(&mut BTreeMap<usize, Arc<Claim>>) -> T) -> T {
        change(&mut self.claims.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Touches the claims of the running trials from time to time.
    fn beat(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut touched = Instant::now();
        while state.iter().any(|state| *state != State::Ended) && !self.stop.load(Ordering::Relaxed) {
            state = self.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
            if touched.elapsed() >= HEARTBEAT {
                touched = Instant::now();
                self.held(|claims| claims.values().for_each(|claim| claim.touch()));
            }
        }
    }
}
