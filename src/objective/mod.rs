//! Objectives: where a batch comes from, and which number is read off it.

mod critic;
mod kind;
mod mixture;
mod phases;
mod policy_gradient;
mod probe;
mod supervised;

pub use kind::{Checked, KINDS, ObjectiveKind, ObjectiveSettings, Parts, ROUNDS};
pub use mixture::{MixedSettings, Mixture, MixtureSettings};
pub use phases::{PhaseSettings, Phases, PhasesSettings};
pub use policy_gradient::{
    Baseline, Draws, Episodes, OneHotReward, PolicyGradient, PolicyGradientSettings, SurrogateKind, VTraceSettings,
    expected_update,
};
pub use probe::{AtExamples, ComparedBaseline, Learned, Looked, Probe};
pub use supervised::{ExpertSettings, Supervised, SupervisedSettings};

use crate::network::Network;
use crate::optimizer::Turn;
use crate::{Error, Result, Rng};
use candle_core::Tensor;
use std::borrow::Cow;

/// Which way is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// A loss.
    Minimize,
    /// A reward.
    Maximize,
}

impl Sense {
    /// What the optimizer descends on: the only place where a sign is flipped.
    pub fn as_loss(self, value: &Tensor) -> Result<Tensor> {
        match self {
            Sense::Minimize => Ok(value.clone()),
            Sense::Maximize => Ok(value.neg()?),
        }
    }
}

/// One way to train a network. It keeps the batch in hand, so that one can be asked and shown like another.
pub trait Objective {
    fn sense(&self) -> Sense;
    /// Takes up the next minibatch: rows of a table, or a shuffled slice of the rollout in hand; gathers anew when that is used up.
    /// `progress` in `[0, 1]` is the share of the budget that is used up.
    fn next(&mut self, network: &Network, rng: &mut Rng, progress: f64) -> Result<()>;
    /// The scalar of the batch in hand in its natural sign, differentiable in the network. Asking changes nothing.
    ///
    /// # Errors
    /// When there is no batch yet.
    fn value(&self, network: &Network) -> Result<ObjectiveValue>;
    /// Takes in the terms that an update was made with, such as how far the policy has moved.
    fn note(&mut self, _terms: &[(ColumnName, Mean)]) {}
    /// What the optimizer has to be told before the update in hand: that another phase has begun.
    fn turn(&mut self) -> Option<Turn> {
        None
    }
    fn counters(&self) -> Counters;
    /// What a user should know about the trial when it has ended, in sentences.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
    /// What it has learned beside the network, to be looked at.
    fn learned(&self) -> Learned<'_> {
        Learned::default()
    }
    /// Tells optimizers of its own how the network was judged; see [`crate::optimizer::Optimizer::judge`].
    fn judge(&mut self, _value: f64, _higher_is_better: bool) {}
}

/// How far an objective has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counters {
    /// Examples consumed so far: labelled rows, or environment steps. The shared x axis.
    pub examples: u64,
    /// Those of them that came with a label; the others came with a reward.
    pub labels: u64,
    /// [`Network::operations`] of networks of its own.
    pub operations: u64,
    /// Examples consumed before the batch in hand was gathered: what schedules go by, so that the first update gets their first
    /// value.
    pub before: u64,
    /// `epochs` or `episodes` so far.
    pub rounds: (&'static str, f64),
    /// Whether a batch is left of what was gathered: it is used up before the network is judged or the budget ends.
    pub batch_is_left: bool,
}

/// What an objective reads off a batch.
pub struct ObjectiveValue {
    /// Scalar, in the objective's natural sign.
    pub scalar: Tensor,
    /// What the network was asked and what it said: `[batch, inputs]` and `[batch, outputs]`.
    pub inputs: Tensor,
    pub outputs: Tensor,
    /// For the record, each with its column.
    pub terms: Vec<(ColumnName, Mean)>,
}

/// The name of a column of a record.
pub type ColumnName = Cow<'static, str>;

/// What the examples of several objectives are together.
fn examples_of(mut all: impl Iterator<Item = &'static str>) -> &'static str {
    let first = all.next().unwrap_or_default();
    if all.all(|other| other == first) { first } else { "labelled and rewarded examples" }
}

fn no_batch() -> Error {
    Error::Argument("an objective has a value when it has a batch: `next` comes first".into())
}

/// A mean that can be combined with others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    pub fn of_one(value: f64) -> Self {
        Mean { sum: value, count: 1.0 }
    }

    pub fn of(values: &[f64]) -> Self {
        Mean { sum: values.iter().sum(), count: values.len() as f64 }
    }

    pub fn add(&mut self, other: Mean) {
        self.sum += other.sum;
        self.count += other.count;
    }

    /// NaN over nothing.
    pub fn value(self) -> f64 {
        self.sum / self.count
    }
}
