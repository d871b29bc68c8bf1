//! Lossward: the same network, moved by the same optimizer, trained by a label or by a reward.
//!
//! *A batch comes from somewhere, one differentiable number is read off it, and a shared core moves the network along that
//! number.* The nouns, and where they live:
//!
//! - [`experiment::Experiment`]: a file that asks a question; resolved from defaults, presets, arms and overrides.
//! - [`experiment::Arm`]: one way of training in it.
//! - [`trial::Trial`]: one arm with one seed; the same two give the same record.
//! - [`task::Task`]: a data set or an environment, with its evaluation and the adaptors between labels and rewards.
//! - [`network::Network`]: a function with ordered, named parameters.
//! - [`objective::Objective`]: where a batch comes from, and which number is read off it, up or down ([`objective::Sense`]).
//! - [`optimizer::Optimizer`]: moves parameters along a gradient.
//! - [`microscope::Microscope`]: how the gradients of objectives lie to one another at the same weights.
//! - [`lossward_envs::Env`]: the dynamics of an environment.
//! - [`record::Record`]: rows on disk.
//! - [`report::Report`]: records read back, with statistics, drawn.
//! - [`card::Card`]: what an objective makes of one hard example, by formula and measured.
//!
//! [`train::train`] is the loop.

mod aligned;
pub mod benchmark;
pub mod card;
mod checks;
pub mod cli;
pub mod data;
pub mod detection;
pub mod diagnosis;
pub mod disk;
pub mod distribution;
mod error;
pub mod experiment;
mod file_path;
pub mod kernel;
pub mod laboratory;
pub mod loss;
pub mod metric;
pub mod microscope;
pub mod network;
mod numbers;
pub mod objective;
pub mod optimizer;
mod parallel;
pub mod patience;
pub mod record;
pub mod regularizer;
pub mod report;
pub mod rollout;
mod rows;
pub mod surrogate;
pub mod task;
pub mod train;
pub mod trial;
mod visible;

pub use candle_core;
pub use error::{Error, Result};
pub use file_path::FilePath;
pub use lossward_envs as envs;
pub use lossward_envs::{Rng, options, stream};
pub use rand;

/// The value of a scalar tensor, in double precision.
pub fn scalar(tensor: &candle_core::Tensor) -> Result<f64> {
    Ok(match tensor.dtype() {
        candle_core::DType::F32 => tensor.to_scalar::<f32>()?.into(),
        _ => tensor.to_dtype(candle_core::DType::F64)?.to_scalar()?,
    })
}
