//! What a policy gradient differentiates.

use crate::Result;
use crate::kernel::plain;
use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

/// The surrogate whose gradient is the policy gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surrogate {
    /// `log π(a|s) · A` (Williams 1992)
    LogProb,
    /// `min(ρ A, clip(ρ, 1−ε, 1+ε) A)` with `ρ = π(a|s) / π_old(a|s)` (Schulman et al. 2017, arXiv 1707.06347)
    Clipped,
}

/// The clipped surrogate of a batch with its diagnostics.
pub struct Ratios {
    /// `[batch]`
    pub surrogate: Tensor,
    /// Mean of `ρ − 1 − log ρ`: an estimate of KL(π_old ‖ π) that is never negative ("k3" of Schulman 2020).
    pub approximate_kl: f64,
    /// Share of the batch with `|ρ − 1| > ε`.
    pub clip_fraction: f64,
}

impl Ratios {
    /// `log_probs`, `old_log_probs` and `advantages` are `[batch]`; only the first is differentiated.
    pub fn new(log_probs: &Tensor, old_log_probs: &Tensor, advantages: &Tensor, clip: f64) -> Result<Self> {
        let log_ratio = (log_probs - old_log_probs)?;
        let ratio = log_ratio.exp()?;
        let clipped = ratio.clamp(1.0 - clip, 1.0 + clip)?;
        let surrogate = (&ratio * advantages)?.minimum(&(clipped * advantages)?)?;
        let detached = ratio.detach();
        let approximate_kl = crate::scalar(&((&detached - 1.0)? - log_ratio.detach())?.mean_all()?)?;
        let outside = plain::abs(&(detached - 1.0)?)?.gt(clip)?.to_dtype(DType::F64)?;
        Ok(Ratios { surrogate, approximate_kl, clip_fraction: crate::scalar(&outside.mean_all()?)? })
    }
}
