//! How far a policy has moved.

use crate::Result;
use crate::network::Network;
use candle_core::{Device, Tensor};

/// From what it was when it was first asked about.
#[derive(Default)]
pub(super) struct Drift {
    start: Option<Tensor>,
}

impl Drift {
    /// `√(mean KL(π ‖ π_start))` over these outputs, `[rows, outputs]`, of the same inputs each time; 0 at the first.
    pub fn root_kl(&mut self, network: &Network, outputs: &[f32], rows: usize) -> Result<f64> {
        let outputs = Tensor::from_slice(outputs, (rows, outputs.len() / rows.max(1)), &Device::Cpu)?;
        let start = self.start.get_or_insert_with(|| outputs.clone());
        let divergence = network.policy().kl_divergence(&outputs, start)?.to_vec1::<f32>()?;
        let mean = divergence.iter().map(|kl| f64::from(*kl)).sum::<f64>() / rows as f64;
        // Rounding can leave less than nothing where both are the same.
        Ok(mean.max(0.0).sqrt())
    }
}
