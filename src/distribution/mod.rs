//! Action distributions: one `log_prob`, used by the cross-entropy and by the policy gradient alike.
//!
//! [`Policy`] says which of them a row of a network's outputs is, and [`Acting`] draws from a batch of them without a graph.
//! [`Categorical`], [`MultiCategorical`], [`Places`], [`Gaussian`] and [`TanhGaussian`] are their formulas as differentiable functions of tensors.

mod acting;
mod categorical;
mod gaussian;
mod multi_categorical;
mod places;
mod policy;
#[cfg(test)]
mod tests;

pub use acting::{Acting, RawActions};
pub use categorical::{Categorical, Probabilities, log_probs, mode};
pub use gaussian::{Gaussian, TanhGaussian};
pub use multi_categorical::MultiCategorical;
pub use places::Places;
pub use policy::{DeviationSource, GaussianPolicy, Policy, PolicySettings, Squash};
