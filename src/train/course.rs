//! How far a training has come, and what its record is told: rows when they are due, the best weights, what there is to notice.

use super::Training;
use crate::diagnosis::{self, Finding};
use crate::experiment::Arm;
use crate::objective::{Mean, Objective, ObjectiveValue};
use crate::optimizer::Descent;
use crate::record::{COUNTERS, Record, TrialFolder};
use crate::regularizer::Penalty;
use crate::task::Count;
use crate::{Error, Result};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// The weights of the best row so far. They are written from time to time and at the end: in a short training every row is better than the one
/// before.
struct Best {
    /// The value that decides, its sign such that higher is better.
    goodness: f64,
    /// Updates before the row.
    at: u64,
    weights: Vec<u8>,
    is_written: bool,
}

/// Between two writings of the best weights, while they get better.
const BETWEEN_WRITINGS: Duration = Duration::from_secs(1);

/// Of one trial.
pub struct Course<'a> {
    arm: &'a Arm,
    folder: &'a TrialFolder,
    record: Record,
    /// Examples between two rows.
    every: u64,
    next_row: u64,
    started: Instant,
    updates: u64,
    learning_rate: f64,
    /// Updates before the last row that was written.
    rows_at: Option<u64>,
    best: Option<Best>,
    best_written: Option<Instant>,
    /// Kinds of what was found.
    found: Vec<&'static str>,
}

impl<'a> Course<'a> {
    /// Begins in a folder whose identity is written.
    pub fn begin(arm: &'a Arm, folder: &'a TrialFolder, columns: &[String]) -> Result<Self> {
        let every = arm.evaluation.every(arm.budget.examples);
        Ok(Course {
            arm,
            folder,
            record: Record::begin(folder, columns)?,
            every,
            next_row: every,
            started: Instant::now(),
            updates: 0,
            learning_rate: f64::NAN,
            rows_at: None,
            best: None,
            best_written: None,
            found: Vec::new(),
        })
    }

    pub fn updates(&self) -> u64 {
        self.updates
    }

    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Whether a row is due after this many examples.
    pub fn is_due(&self, examples: u64) -> bool {
        examples >= self.next_row
    }

    /// Notes one update: its loss without penalties, what the objective said, the penalties and the step.
    pub fn note(&mut self, loss: f64, value: &ObjectiveValue, penalty: Option<&Penalty>, step: Descent) -> Result<()> {
        self.updates += 1;
        // The rate in force; a mean would blur it by rounding.
        self.learning_rate = step.learning_rate;
        let terms = value.terms.iter().map(|(column, mean)| (column.as_ref(), *mean));
        let penalties = penalty.iter().flat_map(|penalty| penalty.terms.iter());
        let penalties = penalties.map(|(column, term)| (*column, Mean::of_one(*term)));
        let step = [("gradient_norm", Mean::of_one(step.gradient_norm))];
        self.record.note([("loss", Mean::of_one(loss))].into_iter().chain(terms).chain(penalties).chain(step))
    }

    /// Evaluates the network, and tells the optimizers what came of it. Whether to stop here.
    pub fn judge(&mut self, objective: &mut dyn Objective, training: &mut Training) -> Result<bool> {
        let judged = self.push(objective, training)?;
        let findings = self.findings(training)?;
        // A listener that panicked is no reason to stop training.
        training.watch.findings.lock().unwrap_or_else(PoisonError::into_inner).extend(findings);
        let higher_is_better = training.evaluation.higher_is_better();
        training.optimizer.judge(judged, higher_is_better);
        objective.judge(judged, higher_is_better);
        Ok(training.patience.as_mut().is_some_and(|patience| patience.runs_out(judged, higher_is_better)))
    }

    /// The last row, unless it stands already, what is drawn, and the final weights; with early stopping those are the best ones, which get a
    /// row of their own.
    pub fn finish(&mut self, objective: &dyn Objective, training: &mut Training) -> Result<()> {
        if let Some(microscope) = &mut training.microscope {
            microscope.look_at_end((&training.network, objective), self.updates)?;
        }
        if self.rows_at != Some(self.updates) {
            self.push(objective, training)?;
        }
        self.write_best()?;
        if training.patience.is_some() && self.best_at() != self.rows_at {
            training.network.load(&self.folder.best_weights())?;
            self.push(objective, training)?;
        }
        self.folder.write_drawn(&training.evaluation.drawn(&training.network)?)?;
        training.network.save(&self.folder.final_weights())
    }

    /// Keeps what the finished network predicts of some held-out images, and what the best one did; it has the best weights afterwards.
    pub fn keep_predictions(&self, training: &mut Training) -> Result<()> {
        let Some(mut kept) = training.evaluation.predictions(&training.network)? else { return Ok(()) };
        // Early stopping has put the best weights back.
        if training.patience.is_none() && self.best_at() != self.rows_at {
            training.network.load(&self.folder.best_weights())?;
            kept.best = training.evaluation.predictions(&training.network)?.map(|best| best.end);
        }
        self.folder.write_predictions(&kept)
    }

    /// Evaluates, appends a row, and keeps the weights if they are the best so far. Returns the value that decides it.
    fn push(&mut self, objective: &dyn Objective, training: &mut Training) -> Result<f64> {
        let counters = objective.counters();
        let examples = counters.examples;
        self.next_row = (examples / self.every + 1) * self.every;
        self.rows_at = Some(self.updates);
        let parameters = training.network.parameters();
        if let Some((parameter, value)) = parameters.first_not_finite(parameters.flat())? {
            let cause = Box::new(Error::NotFinite { what: format!("`{}`", parameter.name), value });
            return Err(Error::During { update: self.updates, examples, cause });
        }
        let Training { network, evaluation, regularizer, .. } = training;
        let evaluated = network.uncounted(|network| evaluation.of(network))?;
        let operations = network.operations() + counters.operations + regularizer.operations();
        let [of_updates, of_examples, of_seconds] = COUNTERS;
        let counted = [
            (of_updates, self.updates as f64),
            (of_examples, examples as f64),
            counters.rounds,
            (of_seconds, self.seconds()),
            ("learning_rate", self.learning_rate),
        ];
        self.learning_rate = f64::NAN;
        let count = |count: &Count| match count {
            Count::Labels => counters.labels,
            Count::Rewards => examples - counters.labels,
            Count::Operations => operations,
        };
        let asked = self.arm.evaluation.counted.iter().map(|asked| (asked.column(), count(asked) as f64));
        let named = evaluated.iter().map(|(column, value)| (column.as_str(), *value));
        self.record.append(counted.into_iter().chain(asked).chain(named))?;
        let judged = evaluated.first().map_or(f64::NAN, |(_, value)| *value);
        let goodness = if training.evaluation.higher_is_better() { judged } else { -judged };
        if self.best.as_ref().is_none_or(|best| goodness > best.goodness || best.goodness.is_nan()) {
            let weights = training.network.to_bytes()?;
            self.best = Some(Best { goodness, at: self.updates, weights, is_written: false });
        }
        if self.best_written.is_none_or(|then| then.elapsed() >= BETWEEN_WRITINGS) {
            self.write_best()?;
        }
        Ok(judged)
    }

    fn best_at(&self) -> Option<u64> {
        self.best.as_ref().map(|best| best.at)
    }

    /// Writes the best weights so far, unless they stand there already.
    pub fn write_best(&mut self) -> Result<()> {
        let Some(best) = self.best.as_mut().filter(|best| !best.is_written) else { return Ok(()) };
        crate::disk::write_whole(&self.folder.best_weights(), &best.weights)?;
        best.is_written = true;
        self.best_written = Some(Instant::now());
        Ok(())
    }

    /// What the rows so far and the network say about the trial, each kind of it once.
    fn findings(&mut self, training: &Training) -> Result<Vec<Finding>> {
        let dead = diagnosis::dead_heads(&training.evaluation.heads_fed_zeros(&training.network)?);
        let all = diagnosis::findings(self.arm, self.record.rows()).into_iter().chain(dead);
        let new: Vec<Finding> = all.filter(|finding| !self.found.contains(&finding.kind)).collect();
        self.found.extend(new.iter().map(|finding| finding.kind));
        Ok(new)
    }
}
