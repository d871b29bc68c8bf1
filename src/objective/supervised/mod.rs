//! Minimizing a loss of labelled examples.

mod kind;
mod probe;

use super::{Counters, Mean, Objective, ObjectiveValue, Sense, no_batch};
use crate::data::{Augmentation, Examples, Targets};
use crate::loss::{Criterion, LossSettings};
use crate::network::Network;
use crate::task::Kind;
use crate::{Result, Rng};
use candle_core::{Device, Tensor};
use rand::Rng as _;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The `objective` table of an arm with `kind = "supervised"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupervisedSettings {
    pub loss: LossSettings,
    pub batch_size: usize,
    /// Who labels, where the task is an environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expert: Option<ExpertSettings>,
}

impl SupervisedSettings {
    /// What its third counter counts.
    pub const ROUNDS: &str = "epochs";
}

/// An expert's policy: the final one of another arm with the same seed, or a weights file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpertSettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<crate::FilePath>,
    /// Whole episodes that it demonstrates.
    pub episodes: usize,
}

/// `(1/B) Σ loss(f(x_i), y_i)` over shuffled minibatches. Every epoch visits every example once; its last batch is smaller
/// when the batch size does not divide the number of examples.
pub struct Supervised {
    examples: Arc<Examples>,
    kind: Arc<dyn Kind>,
    criterion: Criterion,
    batch_size: usize,
    /// Of the seeds that units are dropped by.
    dropout: Rng,
    augmenting: Option<Augmenting>,
    order: Vec<usize>,
    position: usize,
    batch: Option<Labelled>,
    consumed: u64,
    /// [`Self::consumed`] without the batch in hand.
    before: u64,
}

/// How images are changed when they are put into a batch.
pub struct Augmenting {
    pub settings: Augmentation,
    /// Of one input.
    pub shape: Vec<usize>,
    pub rng: Rng,
}

/// A minibatch.
struct Labelled {
    /// `[batch, features]`
    inputs: Tensor,
    targets: Targets,
    dropout_seed: u64,
}

impl Supervised {
    /// `dropout` is the stream that dropout draws from.
    pub fn new(
        (examples, kind): (Arc<Examples>, Arc<dyn Kind>),
        criterion: Criterion,
        batch_size: usize,
        (dropout, augmenting): (Rng, Option<Augmenting>),
    ) -> Self {
        let order: Vec<usize> = (0..examples.len()).collect();
        let position = order.len();
        Supervised {
            examples,
            kind,
            criterion,
            batch_size,
            dropout,
            augmenting,
            order,
            position,
            batch: None,
            consumed: 0,
            before: 0,
        }
    }
}

impl Objective for Supervised {
    fn sense(&self) -> Sense {
        Sense::Minimize
    }

    fn next(&mut self, _: &Network, rng: &mut Rng, _: f64) -> Result<()> {
        if self.position == self.order.len() {
            self.order.shuffle(rng);
            self.position = 0;
        }
        let end = (self.position + self.batch_size).min(self.order.len());
        let rows = &self.order[self.position..end];
        let size = rows.len();
        let (inputs, targets) = match &mut self.augmenting {
            None => (self.examples.inputs_of(rows.iter().copied()), self.examples.targets.kept(rows)),
            Some(Augmenting { settings, shape, rng }) => settings.augmented(&self.examples, rows, shape, rng),
        };
        self.position = end;
        self.before = self.consumed;
        self.consumed += size as u64;
        self.batch = Some(Labelled {
            inputs: Tensor::from_vec(inputs, (size, self.examples.features()), &Device::Cpu)?,
            targets,
            dropout_seed: self.dropout.random(),
        });
        Ok(())
    }

    fn value(&self, network: &Network) -> Result<ObjectiveValue> {
        let batch = self.batch.as_ref().ok_or_else(no_batch)?;
        let outputs = network.forward_training(&batch.inputs, batch.dropout_seed)?.swap_remove(0);
        let (scalar, terms) = self.criterion.value(self.kind.comparison(&outputs, &batch.targets)?)?;
        let terms = terms.into_iter().map(|(name, value)| (name.to_string().into(), Mean::of_one(value))).collect();
        Ok(ObjectiveValue { scalar, inputs: batch.inputs.clone(), outputs, terms })
    }

    fn counters(&self) -> Counters {
        Counters {
            examples: self.consumed,
            labels: self.consumed,
            operations: 0,
            before: self.before,
            rounds: (SupervisedSettings::ROUNDS, self.consumed as f64 / self.examples.len() as f64),
            batch_is_left: false,
        }
    }
}
