//! The inner loops over floats of a network, and the only `unsafe` code.
//!
//! Every operation here sits beside its plain-candle twin in [`plain`], which is its test oracle and runs wherever the
//! fused one does not (another device or dtype). Work inside an operation is never split over threads, so that results do
//! not depend on how many trials run side by side.

#![allow(unsafe_code)]

mod activation;
mod append;
mod buffer;
mod categorical;
mod chain;
mod collector;
mod conv;
mod cross_entropy;
mod dense;
mod differentiated;
mod distributions;
mod dropout;
mod gaussian;
mod log_prob;
mod math;
mod matrix;
pub mod plain;
mod pointwise;
mod pool;
mod powers;
mod rowwise;
mod softmax;
mod storage;
#[cfg(test)]
pub(crate) mod testing;
mod threads;
mod value_loss;

mod vector;

pub use activation::Activation;
pub(crate) use activation::Real;
pub use append::Append;
pub(crate) use buffer::Buffer;
pub(crate) use categorical::{Choices, Chosen};
pub use chain::{Layer, chain, chain_into};
pub use collector::Collector;
pub use conv::Conv;
pub use cross_entropy::cross_entropy;
pub use dense::Dense;
pub(crate) use differentiated::differentiated;
pub(crate) use distributions::Distributions;
pub use dropout::Dropout;
pub(crate) use gaussian::Gaussians;
pub use log_prob::log_prob;
pub(crate) use log_prob::{is_class_list, with_classes};
pub(crate) use matrix::{multiply, multiply_otherwise};
pub(crate) use pointwise::{Over, Pointwise, pointwise};
pub use pool::Pool;
pub use powers::{Power, largest_magnitude, sum_of_powers, sum_of_squares};
pub(crate) use rowwise::rowwise;
pub use storage::first_not_finite;
pub(crate) use storage::{is_plain_cpu, update, with_slice, with_slices};
pub use threads::use_one_thread;
pub use value_loss::{ClippedLoss, ValueClipping, value_loss};
pub(crate) use vector::{Simd, WithSimd, vector_instructions, vectorized};
