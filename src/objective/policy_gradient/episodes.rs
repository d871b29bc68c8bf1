//! A policy gradient from episodes of its own, in environments of its own.

use super::{PolicyGradient, PolicyGradientSettings};
use crate::network::{Network, NetworkSettings};
use crate::objective::probe::{Learned, numbers};
use crate::objective::{ExpertSettings, Objective, Parts};
use crate::optimizer::OptimizerSettings;
use crate::task::Task;
use crate::{Error, Result, stream};

/// The settings of an objective, and where it plays.
pub struct Episodes {
    settings: PolicyGradientSettings,
    task: Task,
    network: NetworkSettings,
    optimizer: OptimizerSettings,
    budget: u64,
}

impl Episodes {
    /// The whole rollout is one batch, and is used once.
    pub(super) fn new(settings: &PolicyGradientSettings, parts: &Parts) -> Self {
        let settings = PolicyGradientSettings { batch_size: None, epochs: 1, target_kl: None, ..settings.clone() };
        let (network, optimizer) = (parts.network.clone(), parts.optimizer.clone());
        Episodes { settings, task: parts.task.clone(), network, optimizer, budget: parts.budget }
    }

    /// The gradient of the loss with respect to the parameters, from one rollout that begins with new episodes, after so many examples of the
    /// training; all that is drawn comes of this seed. Wrappers go on from what they have learned, and tell nobody. Running statistics of the
    /// network itself move, as they do when it acts.
    pub fn gradient(&self, network: &Network, (learned, examples): (Learned, u64), seed: u64) -> Result<Vec<f32>> {
        let task = self.task.apart()?;
        let (settings, optimizer) = (&self.network, &self.optimizer);
        let none = |_: &ExpertSettings| Err(Error::Argument("a policy gradient has no expert".into()));
        let parts = Parts { task: &task, network: settings, optimizer, budget: self.budget, seed, expert: &none };
        let mut objective = PolicyGradient::new(&self.settings, &parts)?;
        objective.go_on_from(learned, examples)?;
        objective.next(network, &mut stream(seed, "batches", 0), examples as f64 / self.budget as f64)?;
        let loss = objective.sense().as_loss(&objective.value(network)?.scalar)?;
        let parameters = network.parameters();
        parameters.gradient(&loss)?.map_or_else(|| Ok(vec![0.0; parameters.flat().elem_count()]), |g| numbers(&g))
    }
}
