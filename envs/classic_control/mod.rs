//! Classic control, equal to Gymnasium step for step from a given state.

pub mod cart_pole;
