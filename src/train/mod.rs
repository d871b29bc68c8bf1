//! The training loop.

mod course;

pub use course::Course;

use crate::diagnosis::Finding;
use crate::microscope::Microscope;
use crate::network::Network;
use crate::objective::{Counters, Objective};
use crate::optimizer::Optimizer;
use crate::patience::Patience;
use crate::regularizer::Regularizer;
use crate::task::Evaluation;
use crate::{Error, Result, Rng, scalar};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Everything that moves or judges a network, beside the objective.
pub struct Training<'a> {
    pub network: Network,
    pub optimizer: Optimizer,
    pub regularizer: Regularizer,
    pub evaluation: Evaluation,
    /// Runs out when early stopping ends the trial.
    pub patience: Option<Patience>,
    pub microscope: Option<Microscope>,
    /// Examples to train on.
    pub budget: u64,
    pub watch: &'a Watch,
}

impl Training<'_> {
    /// Lets the microscope look, where there is one and a look is due.
    fn look(&mut self, objective: &dyn Objective, updates: u64) -> Result<()> {
        let Training { microscope: Some(microscope), network, .. } = self else { return Ok(()) };
        microscope.look_if_due((network, objective), updates)
    }
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
pub fn train(objective: &mut dyn Objective, training: &mut Training, course: &mut Course, rng: &mut Rng) -> Result<()> {
    course.judge(objective, training)?;
    let mut counters = objective.counters();
    while counters.examples < training.budget || counters.batch_is_left {
        training.look(objective, course.updates())?;
        let updated = update(objective, training, course, rng);
        counters = objective.counters();
        updated.map_err(|error| match error {
            Error::Interrupted => error,
            _ => Error::During { update: course.updates() + 1, examples: counters.examples, cause: Box::new(error) },
        })?;
        // Not in the middle of a rollout: its examples are counted, but not yet learned from.
        let due = !counters.batch_is_left && course.is_due(counters.examples);
        if due && course.judge(objective, training)? {
            break;
        }
    }
    course.finish(objective, training)
}

/// One update of the network.
fn update(objective: &mut dyn Objective, training: &mut Training, course: &mut Course, rng: &mut Rng) -> Result<()> {
    let Training { network, optimizer, regularizer, watch, .. } = training;
    if watch.stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    let progress = objective.counters().examples as f64 / training.budget as f64;
    objective.next(network, rng, progress)?;
    if let Some(turn) = objective.turn() {
        optimizer.turn(turn);
    }
    let value = objective.value(network)?;
    let loss = objective.sense().as_loss(&value.scalar)?;
    let unpenalized = finite("the loss", scalar(&loss)?)?;
    let penalty = regularizer.penalty(network, &value)?;
    let total = match &penalty {
        Some(penalty) => (loss + &penalty.total)?,
        None => loss,
    };
    let Counters { before, examples, .. } = objective.counters();
    let descent = optimizer.descend(network.parameters(), &total, before as f64 / training.budget as f64)?;
    network.parameters().track()?;
    objective.note(&value.terms);
    course.note(unpenalized, &value, penalty.as_ref(), descent)?;
    watch.examples.store(examples, Ordering::Relaxed);
    Ok(())
}

/// The value, or an error that names it.
fn finite(what: &str, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::NotFinite { what: what.into(), value }) }
}
