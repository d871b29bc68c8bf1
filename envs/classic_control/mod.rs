//! Classic control, equal to Gymnasium step for step from a given state.

pub mod acrobot;
pub mod cart_pole;
pub mod mountain_car;
pub mod mountain_car_continuous;
pub mod pendulum;
mod trigonometry;
