//! The inner loops over floats of a network, and the only `unsafe` code.
//!
//! Every operation here sits beside its plain-candle twin in [`plain`], which is its test oracle and runs wherever the
//! fused one does not (another device or dtype). Work inside an operation is never split over threads, so that results do
//! not depend on how many trials run side by side.

#![allow(unsafe_code)]

mod activation;
mod buffer;
mod categorical;
mod collector;
mod copy_rows;
mod correlation;
mod cross_entropy;
mod differentiated;
mod distributions;
mod gaussian;
mod graph;
mod grid;
mod layer;
mod log_prob;
mod math;
mod matrix;
pub mod plain;
mod planes;
mod pointwise;
mod powers;
mod product;
mod rowwise;
mod softmax;
mod storage;
mod sums;
#[cfg(test)]
pub(crate) mod testing;
mod threads;
mod transposed;
mod value_loss;
mod vector;
mod vectors;

pub(crate) use activation::Real;
pub use activation::{Activation, Slope};
pub(crate) use buffer::Buffer;
pub(crate) use categorical::{Choices, Chosen};
pub use collector::Collector;
pub use cross_entropy::cross_entropy;
pub(crate) use differentiated::{differentiated, scaled_sum};
pub(crate) use distributions::Distributions;
pub(crate) use gaussian::Gaussians;
pub use graph::{Graph, LaidOut, Node, graph, graph_into};
pub(crate) use grid::ChosenPlaces;
pub use grid::Grid;
pub use layer::{
    AdaptivePool, Add, Append, Arriving, AveragePool, BatchNorm, Concat, Conv, ConvTranspose, Dense, Dropout,
    GroupNorm, Interpolation, Layer, LayerRow, Planned, Pool, ROWS as LAYERS, Upsample,
};
pub use log_prob::log_prob;
pub(crate) use log_prob::{is_class_list, negative_log_prob, with_classes};
pub(crate) use matrix::{multiply_otherwise, multiply_packed};
pub(crate) use pointwise::{Over, Pointwise, pointwise};
pub use powers::{Power, largest_magnitude, sum_of_powers, sum_of_squares};
pub(crate) use product::multiply;
pub(crate) use rowwise::rowwise;
pub use storage::first_not_finite;
pub(crate) use storage::{is_plain_cpu, update, with_slice, with_slices};
pub use threads::use_one_thread;
pub use value_loss::{ClippedLoss, ValueClipping, value_loss};
pub(crate) use vector::{Simd, WithSimd, vector_instructions, vectorized};
