//! The critic: a second network, fitted to returns by the supervised squared loss.

use crate::kernel;
use crate::network::{Network, NetworkSettings};
use crate::optimizer::{Optimizer, OptimizerSettings};
use crate::{Error, Result, stream};
use candle_core::{Device, Tensor};

pub(super) struct Critic {
    network: Network,
    optimizer: Optimizer,
    values: Vec<f32>,
}

impl Critic {
    /// A network of the policy's shape with one output, and an optimizer of the same settings.
    pub fn new(network: &NetworkSettings, shape: &[usize], optimizer: &OptimizerSettings, seed: u64) -> Result<Self> {
        let settings = NetworkSettings { output_gain: 1.0, ..network.clone() };
        Ok(Critic {
            network: Network::new(&settings, (shape, 1), &mut stream(seed, "init", 1))?,
            optimizer: Optimizer::new(optimizer, stream(seed, "gradient noise", 1))?,
            values: Vec::new(),
        })
    }

    /// `V` of each observation; `observations` is `[rows, features]`, the result `[rows]`.
    pub fn values(&mut self, observations: &[f32], rows: usize) -> Result<&[f32]> {
        self.network.infer(observations, rows, &mut self.values)?;
        Ok(&self.values)
    }

    /// One update towards the returns, `[batch]`; the loss before it. With old values, `[batch]`, and an ε, those that
    /// have moved further than this are clipped.
    pub fn fit(
        &mut self,
        observations: &Tensor,
        returns: Vec<f32>,
        clipping: Option<(Vec<f32>, f64)>,
        progress: f64,
    ) -> Result<f64> {
        let column = |values: Vec<f32>| Tensor::from_vec(values, observations.dim(0)?, &Device::Cpu);
        let returns = column(returns)?;
        let clipping = clipping.map(|(old, clip)| column(old).map(|old| (old, clip))).transpose()?;
        let values = self.network.forward(observations)?;
        let loss = kernel::value_loss(&values, &returns, clipping.as_ref().map(|(old, clip)| (old, *clip)))?;
        let value = crate::scalar(&loss)?;
        if !value.is_finite() {
            return Err(Error::NotFinite { what: "the critic's loss".into(), value });
        }
        self.optimizer.descend(self.network.parameters(), &loss, progress)?;
        Ok(value)
    }

    /// See [`Optimizer::judge`].
    pub fn judge(&mut self, value: f64, higher_is_better: bool) {
        self.optimizer.judge(value, higher_is_better);
    }
}
