//! The training loop.

use crate::diagnosis::Finding;
use crate::network::Network;
use crate::objective::Objective;
use crate::optimizer::{Descent, Optimizer};
use crate::patience::Patience;
use crate::record::Record;
use crate::regularizer::Regularizer;
use crate::task::Evaluation;
use crate::{Error, Result, Rng, scalar};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Everything that moves or judges a network, beside the objective.
pub struct Training<'a> {
    pub network: Network,
    pub optimizer: Optimizer,
    pub regularizer: Regularizer,
    pub evaluation: Evaluation,
    /// Runs out when early stopping ends the trial.
    pub patience: Option<Patience>,
    /// Examples to train on.
    pub budget: u64,
    pub watch: &'a Watch,
}

/// What the outside sees of a running trial, and how it asks all of them to stop.
#[derive(Default)]
pub struct Watch {
    pub examples: AtomicU64,
    /// What was noticed and not yet told.
    pub findings: Mutex<Vec<Finding>>,
    pub stop: std::sync::Arc<AtomicBool>,
}

/// Trains until the budget is used up or patience runs out: a batch comes from somewhere, one number is read off it, and the network is moved
/// along that number.
pub fn train<O: Objective>(
    objective: &mut O,
    training: &mut Training,
    record: &mut Record,
    rng: &mut Rng,
) -> Result<()> {
    judge(objective, training, record)?;
    while objective.examples() < training.budget || objective.has_batch_in_hand() {
        update(objective, training, record, rng).map_err(|error| match error {
            Error::Interrupted => error,
            _ => Error::During { update: record.updates() + 1, examples: objective.examples(), cause: Box::new(error) },
        })?;
        // Not in the middle of a rollout: its examples are counted, but not yet learned from.
        let due = !objective.has_batch_in_hand() && record.is_due(objective.examples());
        if due && judge(objective, training, record)? {
            break;
        }
    }
    record.finish(objective, training)
}

/// Evaluates the network, and tells the optimizers what came of it. Whether to stop here.
fn judge<O: Objective>(objective: &mut O, training: &mut Training, record: &mut Record) -> Result<bool> {
    let judged = record.push(objective, training)?;
    // A listener that panicked is no reason to stop training.
    training.watch.findings.lock().unwrap_or_else(PoisonError::into_inner).extend(record.findings());
    let higher_is_better = training.evaluation.higher_is_better();
    training.optimizer.judge(judged, higher_is_better);
    objective.judge(judged, higher_is_better);
    Ok(training.patience.as_mut().is_some_and(|patience| patience.runs_out(judged, higher_is_better)))
}

/// One update of the network.
fn update<O: Objective>(objective: &mut O, training: &mut Training, record: &mut Record, rng: &mut Rng) -> Result<()> {
    let Training { network, optimizer, regularizer, watch, .. } = training;
    if watch.stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    let batch = objective.next_batch(network, rng)?;
    let value = objective.value(network, &batch)?;
    let loss = O::SENSE.as_loss(&value.scalar)?;
    let unpenalized = finite("the loss", scalar(&loss)?)?;
    let penalty = regularizer.penalty(network, &value)?;
    let total = match &penalty {
        Some(penalty) => (loss + &penalty.total)?,
        None => loss,
    };
    let progress = objective.examples_before() as f64 / training.budget as f64;
    let Descent { gradient_norm, learning_rate } = optimizer.descend(network.parameters(), &total, progress)?;
    let penalties = penalty.iter().flat_map(|penalty| penalty.terms.iter().copied());
    record.note(unpenalized, &value.terms, penalties, [gradient_norm, learning_rate]);
    watch.examples.store(objective.examples(), Ordering::Relaxed);
    Ok(())
}

/// The value, or an error that names it.
fn finite(what: &str, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::NotFinite { what: what.into(), value }) }
}
