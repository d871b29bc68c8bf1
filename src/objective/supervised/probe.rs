//! A supervised loss at examples that are handed to it.

use super::SupervisedSettings;
use crate::Result;
use crate::data::Examples;
use crate::loss::Criterion;
use crate::objective::{AtExamples, Looked, Parts, Probe, Sense};
use crate::task::Kind;
use candle_core::{Tensor, Var};
use std::sync::Arc;

struct Labelled {
    examples: Arc<Examples>,
    kind: Arc<dyn Kind>,
    criterion: Criterion,
}

impl SupervisedSettings {
    /// Of the examples as they are, without augmentation.
    pub(super) fn probed(&self, parts: &Parts) -> Result<Probe> {
        let expert = self.expert.as_ref().map(parts.expert).transpose()?;
        let examples = parts.task.examples(expert.as_ref())?;
        let (kind, criterion) = (parts.task.kind()?, Criterion::new(&self.loss)?);
        Ok(Probe::Examples(Box::new(Labelled { examples, kind, criterion })))
    }
}

impl AtExamples for Labelled {
    fn examples(&self) -> &Arc<Examples> {
        &self.examples
    }

    fn trains_on_labels(&self) -> bool {
        true
    }

    /// Nothing is sampled: the mean over the examples itself.
    fn exact(&self, at: &Looked) -> Result<Option<Tensor>> {
        let outputs = Var::from_tensor(at.outputs)?;
        let comparison = self.kind.comparison(&outputs, &self.examples.targets.kept(at.rows))?;
        let (scalar, _) = self.criterion.value(comparison)?;
        let gradient = Sense::Minimize.as_loss(&scalar)?.backward()?.remove(&outputs);
        Ok(Some(gradient.map_or_else(|| outputs.zeros_like(), Ok)?))
    }
}
