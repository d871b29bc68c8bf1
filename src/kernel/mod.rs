//! The inner loops over floats of a network, and the only `unsafe` code.
//!
//! Every operation here sits beside its plain-candle twin in [`plain`], which is its test oracle and runs wherever the
//! fused one does not (another device or dtype). Work inside an operation is never split over threads, so that results do
//! not depend on how many trials run side by side.

mod activation;
mod dense;
mod matrix;
pub mod plain;
mod storage;

pub use activation::Activation;
pub(crate) use activation::Real;
pub use dense::{dense, dense_into};
pub(crate) use storage::update;
pub use storage::{first_not_finite, sum_of_squares};
