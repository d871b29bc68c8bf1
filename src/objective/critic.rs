//! The critic: a second network, fitted to returns by the supervised squared loss.

use crate::kernel::{self, ValueClipping};
use crate::network::{HeadSettings, Network, NetworkSettings};
use crate::optimizer::{Optimizer, OptimizerSettings};
use crate::{Error, Result, stream};
use candle_core::Tensor;

pub(super) struct Critic {
    network: Network,
    optimizer: Optimizer,
    values: Vec<f32>,
}

impl Critic {
    /// A network with the policy's body and one head, and an optimizer of the same settings.
    pub fn new(network: &NetworkSettings, shape: &[usize], optimizer: &OptimizerSettings, seed: u64) -> Result<Self> {
        let head = HeadSettings::linear("value", 1, 1.0);
        Ok(Critic {
            network: Network::with_heads(network, shape, &[head], &mut stream(seed, "init", 1))?,
            optimizer: Optimizer::new(optimizer, stream(seed, "gradient noise", 1))?,
            values: Vec::new(),
        })
    }

    /// `V` of each observation; `observations` is `[rows, features]`, the result `[rows]`.
    pub fn values(&mut self, observations: &[f32], rows: usize) -> Result<&[f32]> {
        self.network.infer(observations, rows, &mut self.values)?;
        Ok(&self.values)
    }

    /// One update towards the returns, `[batch]`; the loss before it.
    pub fn fit(
        &mut self,
        observations: &Tensor,
        returns: &Tensor,
        clipping: Option<ValueClipping>,
        progress: f64,
    ) -> Result<f64> {
        let values = self.network.forward(observations)?;
        let loss = kernel::value_loss(&values, returns, clipping)?;
        let value = crate::scalar(&loss)?;
        if !value.is_finite() {
            return Err(Error::NotFinite { what: "the critic's loss".into(), value });
        }
        self.optimizer.descend(self.network.parameters(), &loss, progress)?;
        Ok(value)
    }

    pub fn operations(&self) -> u64 {
        self.network.operations()
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    /// See [`Optimizer::judge`].
    pub fn judge(&mut self, value: f64, higher_is_better: bool) {
        self.optimizer.judge(value, higher_is_better);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// The critic's values after one update at the learning rate that so many equal judgements have left.
    fn values(learning_rate: &str, judgements: usize) -> Vec<f32> {
        let network = "hidden = [4]\nactivation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 1.0";
        let optimizer = format!("rule = \"sgd\"\nlearning_rate = {learning_rate}");
        let (network, optimizer) = (toml::from_str(network).unwrap(), toml::from_str(&optimizer).unwrap());
        let mut critic = Critic::new(&network, &[2], &optimizer, 0).unwrap();
        (0..judgements).for_each(|_| critic.judge(1.0, true));
        let observations = [0.5, -1.0, 0.25, 2.0];
        let batch = Tensor::from_slice(&observations, (2, 2), &Device::Cpu).unwrap();
        critic.fit(&batch, &Tensor::new(&[1f32, -1.0], &Device::Cpu).unwrap(), None, 0.5).unwrap();
        critic.values(&observations, 2).unwrap().to_vec()
    }

    #[test]
    fn its_learning_rate_follows_a_plateau() {
        let plateau = "{ schedule = \"plateau\", from = 0.5, factor = 0.5, patience = 1 }";
        for (judgements, learning_rate) in [(0, "0.5"), (2, "0.5"), (3, "0.25"), (5, "0.125")] {
            assert_eq!(values(plateau, judgements), values(learning_rate, 0), "after {judgements}");
        }
        assert_ne!(values("0.5", 0), values("0.25", 0));
    }
}
