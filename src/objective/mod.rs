//! Objectives: where a batch comes from, and which number is read off it.

mod critic;
mod policy_gradient;
mod supervised;

pub use policy_gradient::{
    Baseline, Parts, PolicyGradient, PolicyGradientSettings, SurrogateKind, Transitions, VTraceSettings,
};
pub use supervised::{ExpertSettings, Supervised, SupervisedSettings};

use crate::network::Network;
use crate::{Result, Rng};
use candle_core::Tensor;

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

/// One way to train a network.
pub trait Objective {
    type Batch;
    const SENSE: Sense;
    /// The name of the fourth counter of a record: `epochs` or `episodes`.
    const ROUNDS: &'static str;
    /// The next minibatch: rows of a table, or a shuffled slice of the rollout in hand; gathers anew when that is used up.
    fn next_batch(&mut self, network: &Network, rng: &mut Rng) -> Result<Self::Batch>;
    /// The scalar of one batch in its natural sign, differentiable in the network.
    fn value(&self, network: &Network, batch: &Self::Batch) -> Result<Value>;
    /// Examples consumed so far: labelled rows, or environment steps. The shared x axis.
    fn examples(&self) -> u64;
    /// Examples consumed before the batch in hand was gathered: what schedules go by, so that the first update gets their first
    /// value.
    fn examples_before(&self) -> u64;
    /// Epochs or episodes so far, as [`Self::ROUNDS`] says.
    fn rounds(&self) -> f64;
    /// Whether a batch is left of what was gathered: it is used up before the network is judged or the budget ends.
    fn has_batch_in_hand(&self) -> bool {
        false
    }
    /// What a user should know about the trial when it has ended, in sentences.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
    /// Tells optimizers of its own how the network was judged; see [`crate::optimizer::Optimizer::judge`].
    fn judge(&mut self, _value: f64, _higher_is_better: bool) {}
}

/// What an objective reads off a batch.
pub struct Value {
    /// Scalar, in the objective's natural sign.
    pub scalar: Tensor,
    /// What the network was asked and what it said: `[batch, inputs]` and `[batch, outputs]`.
    pub inputs: Tensor,
    pub outputs: Tensor,
    /// Named quantities for the record; the names are those of the objective's settings.
    pub terms: Vec<Mean>,
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
