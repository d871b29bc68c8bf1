//! Statistics of runs: pure functions of slices.
//!
//! Scores are `[tasks, runs]`, row by row in one slice: run `r` of task `t` is `scores[t · runs + r]`. Within one experiment an
//! arm has one task and a run per seed. What cannot be computed is NaN (a mean of nothing, a deviation of one value), never a
//! panic; a slice that does not fit its shape is a bug and panics.
//!
//! - Aggregates: [`mean`], [`median`], [`interquartile_mean`], [`optimality_gap`], with intervals by [`Bootstrap`].
//! - Whole distributions: [`run_score_profile`], [`average_score_profile`].
//! - Two arms: [`paired_t_test`], [`welch_t_test`], [`student_t_test`], [`mann_whitney`], [`sign_flip_p`], [`permutation_p`],
//!   [`Bootstrap::difference`]; how often one beats the other: [`probability_of_improvement`]; how large the difference is:
//!   [`cohens_d`], [`hedges_g`], [`paired_effect_size`]; many comparisons at once: [`holm`].
//! - Two columns: [`spearman`].
//! - Learning curves: [`mean_height`], [`smoothed`]; how soon: [`Survival`].

mod aggregate;
mod bootstrap;
mod curve;
mod distribution;
mod effect;
mod improvement;
mod permutation;
mod profile;
mod rank;
mod survival;
mod t_test;

pub use aggregate::{interquartile_mean, mean, median, optimality_gap, quantile, variance};
pub use bootstrap::Bootstrap;
pub use curve::{mean_height, smoothed, smoothed_from_first};
pub use distribution::{incomplete_beta, normal_critical, normal_tail, t_critical, t_tail};
pub use effect::{cohens_d, hedges_g, paired_effect_size};
pub use improvement::probability_of_improvement;
pub use permutation::{holm, permutation_p, sign_flip_p};
pub use profile::{average_score_profile, run_score_profile};
pub use rank::{MannWhitney, average_ranks, mann_whitney, spearman};
pub use survival::{Survival, Wait};
pub use t_test::{TTest, mean_interval, paired_t_test, standard_error, student_t_test, welch_t_test};

/// The share that intervals cover, unless another is asked for.
pub const CONFIDENCE: f64 = 0.95;

/// A point estimate with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub point: f64,
    pub low: f64,
    pub high: f64,
}
