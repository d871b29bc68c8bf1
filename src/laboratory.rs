//! Many trials side by side: which of them are missing, and running those.

use crate::experiment::Experiment;
use crate::record::{self, Outcome, Status};
use crate::train::Watch;
use crate::trial::Trial;
use crate::{Error, Result};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex};

/// The trials of an experiment that have to run.
pub struct Plan<'a> {
    pub missing: Vec<Trial<'a>>,
    /// Trials of the experiment, those already finished included.
    pub total: usize,
}

/// What happens while trials run; `trial` is an index into [`Plan::missing`].
pub enum Event {
    Started { trial: usize, watch: Arc<Watch> },
    Ended { trial: usize, outcome: Result<Outcome> },
}

/// Compares the results folder with the experiment. Finished trials are kept; missing, unfinished and failed ones run.
///
/// # Errors
/// When a folder holds records of another trial (the experiment has changed since) and `force` is not set.
pub fn plan<'a>(experiment: &'a Experiment, results: &Path, force: bool) -> Result<Plan<'a>> {
    check_weights_files(experiment)?;
    if !force {
        check_folder(experiment, results)?;
    }
    let mut missing: Vec<Trial> = Vec::new();
    // Seed by seed, so that an interrupted run has compared all arms on the seeds that it reached.
    let all = experiment.seeds.range().flat_map(|seed| experiment.arms.iter().map(move |arm| (arm, seed)));
    let mut total = 0;
    for (arm, seed) in all {
        total += 1;
        let trial = Trial::new(arm, seed, results);
        match if force { Status::Missing } else { trial.folder.status(&trial.identity()?)? } {
            Status::Missing | Status::Ended(Outcome::Failed { .. }) => missing.push(trial),
            Status::Ended(Outcome::Finished { .. }) => {}
            Status::Other { there, wanted } => {
                let (there, wanted) = (there.trim(), wanted.trim());
                let message =
                    format!("holds the records of another experiment: there `{there}`, here `{wanted}`; {ELSEWHERE}");
                return Err(Error::content(trial.folder.path(), message));
            }
        }
    }
    add_teachers(experiment, results, &mut missing);
    Ok(Plan { missing, total })
}

/// A folder keeps one experiment: more seeds and more arms may join it, but its summary must not lose any.
fn check_folder(experiment: &Experiment, results: &Path) -> Result<()> {
    let path = results.join("experiment.toml");
    if !path.is_file() {
        return Ok(());
    }
    let there = Experiment::load_recorded(&path)?;
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

/// A finished teacher whose weights are gone (they are not kept in version control) has to run again for its pupils.
fn add_teachers<'a>(experiment: &'a Experiment, results: &Path, missing: &mut Vec<Trial<'a>>) {
    let wanted =
        missing.iter().flat_map(|trial| trial.arm.teachers().map(|name| (name, trial.seed))).collect::<Vec<_>>();
    for (name, seed) in wanted {
        let listed = missing.iter().any(|trial| trial.arm.name == name && trial.seed == seed);
        let teacher = experiment.arms.iter().find(|arm| arm.name == name).map(|arm| Trial::new(arm, seed, results));
        if let Some(teacher) = teacher.filter(|teacher| !listed && !teacher.folder.final_weights().is_file()) {
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
    record::create_folder(results)?;
    let path = results.join("experiment.toml");
    let text = toml::to_string(&experiment.kept_in(results, folder)).map_err(|error| Error::content(&path, error))?;
    record::write_whole(&path, text.as_bytes())
}

/// Runs the missing trials on `jobs` threads, one trial on one thread, and reports every start and end. When `stop` is set,
/// running trials stop after their update and no other begins.
pub fn run(plan: &Plan, results: &Path, jobs: usize, stop: &Arc<AtomicBool>, events: &Sender<Event>) {
    let queue = Queue { state: Mutex::new(vec![State::Waiting; plan.missing.len()]), changed: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(plan.missing.len()) {
            scope.spawn(|| {
                while let Some(trial) = queue.take(plan, stop) {
                    let watch = Arc::new(Watch { stop: stop.clone(), ..Watch::default() });
                    // Nobody listening is no reason to stop recording.
                    events.send(Event::Started { trial, watch: watch.clone() }).ok();
                    let outcome = plan.missing[trial].run(results, &watch);
                    queue.set(trial, State::Ended);
                    events.send(Event::Ended { trial, outcome }).ok();
                }
            });
        }
    });
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Waiting,
    Running,
    Ended,
}

struct Queue {
    state: Mutex<Vec<State>>,
    changed: Condvar,
}

impl Queue {
    /// The next trial whose teachers, if it has any, have ended; waits for one, and is over when none is left.
    fn take(&self, plan: &Plan, stop: &AtomicBool) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        loop {
            if stop.load(Ordering::Relaxed) || !state.contains(&State::Waiting) {
                return None;
            }
            let ready = |i: &usize| {
                let trial = &plan.missing[*i];
                let is_teacher = |other: &Trial| trial.arm.teachers().any(|name| name == other.arm.name);
                let mut others = plan.missing.iter().zip(state.iter());
                state[*i] == State::Waiting
                    && others.all(|(other, s)| other.seed != trial.seed || !is_teacher(other) || *s == State::Ended)
            };
            if let Some(next) = (0..state.len()).find(ready) {
                state[next] = State::Running;
                return Some(next);
            }
            state = self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }

    fn set(&self, trial: usize, to: State) {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())[trial] = to;
        self.changed.notify_all();
    }
}
