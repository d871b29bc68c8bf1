//! What a policy gradient differentiates.

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
