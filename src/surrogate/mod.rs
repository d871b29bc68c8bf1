//! The objective of a policy gradient, from a network's outputs to its value and its gradient.

mod choices;
mod fused;
pub mod plain;
#[cfg(test)]
mod tests;

use crate::distribution::Policy;
use crate::kernel::{is_class_list, is_plain_cpu};
use candle_core::{DType, Result, Tensor, bail};

/// A batch of actions that were taken.
#[derive(Clone, Copy)]
pub struct Taken<'a> {
    /// How the outputs are read.
    pub policy: &'a Policy,
    /// As the policy drew them, before any clipping or squashing: `[batch]` or `[batch, width]` of u32, or in a box
    /// `[batch, width]` of the outputs' dtype.
    pub actions: &'a Tensor,
    /// `[batch]`
    pub advantages: &'a Tensor,
    /// `log π_old(a|s)`, when the action was drawn, `[batch]`.
    pub old_log_probs: &'a Tensor,
    pub surrogate: Surrogate<'a>,
    /// Coefficient of the entropy bonus.
    pub entropy_coefficient: f64,
}

/// The function of a batch that is climbed, the mean over rows of what follows. Weights are held where it is differentiated.
#[derive(Clone, Copy, Debug)]
pub enum Surrogate<'a> {
    /// `A · log π(a|s)` (Williams 1992)
    LogProb,
    /// `min(ρ A, clip(ρ, 1 − ε, 1 + ε) A)` with `ρ = π(a|s) / π_old(a|s)` (Schulman et al. 2017, arXiv 1707.06347)
    Clipped {
        /// ε
        clip: f64,
    },
    /// `w · log π(a|s)` with the weight `w = A σ(−A log π(a|s) / η)`: a rare success counts in full, a rare failure hardly
    /// (Osband 2026, arXiv 2603.14608).
    Delightful {
        /// η
        temperature: f64,
    },
    /// The cross-entropy with a target that has the odds of the drawn action out of `K` multiplied by
    /// `L = e^(± K / (√(K − 1) η))`, with the sign of the advantage: the scores, `A` for that action and 0 for the others, are
    /// standardized and tilt the policy (the single-sample form of Kaddour 2026, arXiv 2604.06159). With `p = π(a|s)`, its gradient is
    /// that of `w · log π(a|s)` with the weight `w = p (L − 1) / (1 − p + L p)`, which stands for it here.
    Target {
        /// η
        temperature: f64,
    },
    /// See [`GroupTarget`].
    GroupTarget(&'a GroupTarget),
    /// `Σ_i Σ_c π_i(c|s) g_ic` over the choices `i` of an action and the options `c` of each: what the reward would gain by the option, the other
    /// choices as they were drawn, `[batch, Σ options]` in the order of [`Policy::options`]. Only differences between the options of a choice count,
    /// and the advantages don't. Where the others are drawn from `π`, the expected gradient is that of the expected reward.
    Gains(&'a Tensor),
    /// `Σ_i A_i log π_i(a_i|s)` with an advantage of its own for every choice of an action, `[batch, width]`; those of whole actions don't count.
    Parts(&'a Tensor),
}

/// `Σ_i q_i log p_i`, the mean over groups of candidates: minus the cross-entropy of frozen targets and the policy over the
/// candidates, `p_i ∝ Π_t π(a_t|s_t)` over the rows of candidate `i` (Kaddour 2026, arXiv 2604.06159).
#[derive(Clone, Debug)]
pub struct GroupTarget {
    /// `q`, `[groups, size]`, of sum 1 in every group.
    pub targets: Vec<f64>,
    /// Candidates of a group.
    pub size: usize,
    /// The candidate that a row belongs to, `[batch]`.
    pub candidates: Vec<u32>,
}

/// The objective of a batch, and what is read off it.
pub struct SurrogateObjective {
    /// The mean surrogate plus the coefficient times the mean entropy: a scalar, differentiable in the outputs.
    pub scalar: Tensor,
    /// Means over the batch.
    pub surrogate: f64,
    pub entropy: f64,
    /// Estimates of KL(π_old ‖ π) (Schulman 2020): the mean of `−log ρ`, unbiased …
    pub kl_k1: f64,
    /// … and that of `ρ − 1 − log ρ`, which is unbiased too and never negative.
    pub kl_k3: f64,
    /// Share of the batch with `|ρ − 1| > ε`; 0 without clipping.
    pub clip_fraction: f64,
}

/// The objective of a batch from the policy network's outputs, `[batch, outputs]`.
///
/// Its gradient with respect to a row is `(g ∇ log π(a|s) + c ∇H) / batch`, with `g` the weight that [`Surrogate`] gives or, clipped, `ρ A`
/// where the first of the two terms is the smaller one and 0 elsewhere. For logits this is `(g (e_a − p) − c p (log p + H)) / batch`; of a choice with
/// gains of its options, `p (g − Σ p g)` stands in the place of `g (e_a − p)`.
pub fn surrogate_objective(outputs: &Tensor, taken: &Taken) -> Result<SurrogateObjective> {
    let (values, indices) = match taken.policy {
        Policy::Gaussian(_) => (Some(taken.actions), true),
        Policy::Grid(_) => (None, taken.actions.dtype() == DType::U32 && taken.actions.is_contiguous()),
        Policy::Categorical { .. } | Policy::MultiCategorical { .. } => (None, is_class_list(taken.actions)),
    };
    let credits = match taken.surrogate {
        Surrogate::Gains(credits) | Surrogate::Parts(credits) => Some(credits),
        _ => None,
    };
    let floats = [outputs, taken.advantages, taken.old_log_probs].into_iter().chain(values).chain(credits);
    let fused = indices && { floats }.all(|tensor| is_plain_cpu(tensor) && tensor.dtype() == outputs.dtype());
    match outputs.dtype() {
        DType::F32 if fused => fused::objective::<f32>(outputs, taken),
        DType::F64 if fused => fused::objective::<f64>(outputs, taken),
        _ => plain::surrogate_objective(outputs, taken),
    }
}

/// `K / √(K − 1)`: how far apart the standardized scores of the drawn action and of the others are.
fn log_odds(policy: &Policy) -> Result<f64> {
    match policy {
        Policy::Categorical { actions } => Ok(*actions as f64 / (*actions as f64 - 1.0).sqrt()),
        _ => bail!("the single-sample target is for one action out of a few"),
    }
}
