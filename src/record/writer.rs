//! The record of a running trial: means since the last row, evaluations, weights.

use super::{RowWriter, Rows, TrialFolder};
use crate::diagnosis::{self, Finding};
use crate::experiment::Arm;
use crate::objective::{Mean, Objective};
use crate::regularizer::RegularizerSettings;
use crate::task::Evaluation;
use crate::train::Training;
use crate::{Error, Result};
use std::time::Instant;

/// Names of the columns of a record, in order:
///
/// - four counters: `updates`, `examples`, `epochs` or `episodes`, `seconds`;
/// - means over the updates since the last row: `loss` (what the optimizer minimized, without penalties; for a reward its
///   negative), the objective's terms, the penalties that are on (`l1`, `l2`, `elastic_net`, `entropy_bonus`, `kl_penalty`), `gradient_norm` (before clipping); and the last
///   `learning_rate`;
/// - the evaluation.
pub fn columns(
    rounds: &'static str,
    terms: &[String],
    regularizer: &RegularizerSettings,
    evaluation: &Evaluation,
) -> Vec<String> {
    let counters = ["updates", "examples", rounds, "seconds", "loss"];
    let terms = terms.iter().map(String::as_str);
    let columns =
        counters.into_iter().chain(terms).chain(regularizer.columns()).chain(["gradient_norm", "learning_rate"]);
    columns.map(str::to_string).chain(evaluation.columns()).collect()
}

/// Writes the rows and weights of one trial.
pub struct Record<'a> {
    folder: &'a TrialFolder,
    rows: RowWriter,
    /// Examples between two rows.
    every: u64,
    next_row: u64,
    started: Instant,
    updates: u64,
    /// Of the last row that was written.
    rows_at: Option<u64>,
    /// Means over the updates since the last row, from `loss` to `learning_rate`.
    means: Vec<Mean>,
    best: Option<f64>,
    /// Updates before the best row.
    best_at: Option<u64>,
    arm: &'a Arm,
    /// What was written, to see how it goes.
    so_far: Rows,
    /// Kinds of what was found.
    found: Vec<&'static str>,
}

impl<'a> Record<'a> {
    /// Begins the record in a folder whose identity is written.
    pub fn begin(folder: &'a TrialFolder, arm: &'a Arm, columns: &[String], evaluated: usize) -> Result<Self> {
        let every = arm.evaluation.every(arm.budget);
        Ok(Record {
            folder,
            arm,
            so_far: Rows::new(columns.to_vec()),
            found: Vec::new(),
            rows: RowWriter::create(&folder.rows(), columns)?,
            every,
            next_row: every,
            started: Instant::now(),
            updates: 0,
            rows_at: None,
            means: vec![Mean::default(); columns.len() - 4 - evaluated],
            best: None,
            best_at: None,
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

    /// Notes one update.
    pub fn note(&mut self, loss: f64, terms: &[Mean], penalties: impl Iterator<Item = f64>, rest: [f64; 2]) {
        self.updates += 1;
        let one = Mean::of_one;
        let noted = std::iter::once(one(loss)).chain(terms.iter().copied()).chain(penalties.chain(rest).map(one));
        self.means.iter_mut().zip(noted).for_each(|(mean, noted)| mean.add(noted));
        // The rate in force; a mean would blur it by rounding.
        if let Some(rate) = self.means.last_mut() {
            *rate = one(rest[1]);
        }
    }

    /// Evaluates, appends a row, and keeps the weights if they are the best so far. Returns the value that decided it.
    pub fn push<O: Objective>(&mut self, objective: &O, training: &mut Training) -> Result<f64> {
        let examples = objective.examples();
        self.next_row = (examples / self.every + 1) * self.every;
        self.rows_at = Some(self.updates);
        let parameters = training.network.parameters();
        if let Some((parameter, value)) = parameters.first_not_finite(parameters.values())? {
            let cause = Box::new(Error::NotFinite { what: format!("`{}`", parameter.name), value });
            return Err(Error::During { update: self.updates, examples, cause });
        }
        let evaluated = training.evaluation.of(&training.network)?;
        let counters = [self.updates as f64, examples as f64, objective.rounds(), self.seconds()];
        let means = self.means.iter().map(|mean| mean.value());
        let row: Vec<f64> = counters.into_iter().chain(means).chain(evaluated.iter().copied()).collect();
        self.rows.append(&row)?;
        self.so_far.push(&row);
        self.means.fill(Mean::default());
        let judged = evaluated.first().copied().unwrap_or(f64::NAN);
        let goodness = if training.evaluation.higher_is_better() { judged } else { -judged };
        if self.best.is_none_or(|best| goodness > best || best.is_nan()) {
            self.best = Some(goodness);
            self.best_at = self.rows_at;
            training.network.save(&self.folder.best_weights())?;
        }
        Ok(judged)
    }

    /// What the rows so far say about the trial, each kind of it once.
    pub fn findings(&mut self) -> Vec<Finding> {
        let all = diagnosis::findings(self.arm, &self.so_far).into_iter();
        let new: Vec<Finding> = all.filter(|finding| !self.found.contains(&finding.kind)).collect();
        self.found.extend(new.iter().map(|finding| finding.kind));
        new
    }

    /// The last row, unless it stands already, what is drawn, and the final weights; with early stopping those are the best ones, which get a
    /// row of their own.
    pub fn finish<O: Objective>(&mut self, objective: &O, training: &mut Training) -> Result<()> {
        if self.rows_at != Some(self.updates) {
            self.push(objective, training)?;
        }
        if training.patience.is_some() && self.best_at != self.rows_at {
            training.network.load(&self.folder.best_weights())?;
            self.push(objective, training)?;
        }
        self.folder.write_drawn(&training.evaluation.drawn(&training.network)?)?;
        training.network.save(&self.folder.final_weights())
    }
}
