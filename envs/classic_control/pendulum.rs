//! Swing a pendulum up and hold it upright by a torque that is too weak to lift it at once.
//!
//! | | |
//! |---|---|
//! | Action space | `Box(1)`: the torque in [−2, 2] N m; a larger one is clipped |
//! | Observation space | `Box(3)`: cos θ, sin θ, θ' in [−8, 8] rad/s |
//! | Reward | −(θ² + 0.1 θ'² + 0.001 u²) with the state before the step, θ wrapped into [−π, π], and the clipped torque u |
//! | Initial state | θ uniform in [−π, π), θ' uniform in [−1, 1) |
//! | Termination | never |
//! | Truncation | 200 steps |
//! | Solved at | no threshold is given |
//!
//! # Dynamics
//! `θ` is the angle from upright and is not wrapped in the state. With gravity `g = 10` m/s², mass `m = 1` kg and length
//! `l = 1` m of a rod:
//!
//! ```text
//! θ' ← clamp(θ' + (3 g sin θ / (2 l) + 3 u / (m l²)) Δt, −8, 8)
//! θ  ← θ + θ' Δt
//! ```
//!
//! with Δt = 0.05 s: a semi-implicit Euler step.
//!
//! # Source
//! Gymnasium's `Pendulum-v1`, which states no paper; swinging a rod up by a limited torque is Atkeson and Schaal (1997), "Robot
//! learning from demonstration", ICML 14.

use super::trigonometry::sin_cos;
use crate::{Action, Bound, Copies, Dims, Env, Ink, Outcome, Rng, Scene, Shape, Space, Spec};
use rand::Rng as _;
use std::f64::consts::{PI, TAU};

const TIME_STEP: f64 = 0.05;
const MAX_SPEED: f64 = 8.0;
const MAX_TORQUE: f32 = 2.0;
/// `3 g / (2 l)`
const PULL: f64 = 15.0;

pub const SPEC: Spec = Spec {
    id: "Pendulum-v1",
    summary: "swing a pendulum up and hold it; the negative cost of angle, speed and torque for 200 steps",
    source: include_str!("pendulum.rs"),
    observations: Space::Box {
        shape: Dims::of(&[3]),
        low: Bound::Each(&[-1.0, -1.0, -MAX_SPEED as f32]),
        high: Bound::Each(&[1.0, 1.0, MAX_SPEED as f32]),
    },
    actions: Space::Box { shape: Dims::of(&[1]), low: Bound::All(-MAX_TORQUE), high: Bound::All(MAX_TORQUE) },
    max_steps: Some(200),
    reward_threshold: None,
    best_return: None,
    options: &[],
    make: |_, rngs| Ok(Copies::of(&SPEC, vec![Pendulum::default(); rngs.len()], rngs)),
};

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug, Default)]
pub struct Pendulum {
    /// θ, θ'.
    pub state: [f64; 2],
}

impl Env for Pendulum {
    fn reset(&mut self, rng: &mut Rng) {
        self.state = [rng.random_range(-PI..PI), rng.random_range(-1.0..1.0)];
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        let [theta, velocity] = self.state;
        let torque = action.values()[0].clamp(-MAX_TORQUE, MAX_TORQUE);
        let angle = wrapped(theta);
        // Gymnasium's products with the torque are of single precision.
        let (push, effort) = (f64::from(3.0 * torque), f64::from(0.001 * (torque * torque)));
        let cost = angle * angle + 0.1 * (velocity * velocity) + effort;
        let velocity = velocity + (PULL * sin_cos(theta).0 + push) * TIME_STEP;
        let velocity = velocity.clamp(-MAX_SPEED, MAX_SPEED);
        self.state = [theta + velocity * TIME_STEP, velocity];
        Outcome { reward: -cost, terminated: false }
    }

    fn observe(&self, out: &mut [f32]) {
        let (sin, cos) = sin_cos(self.state[0]);
        for (out, value) in out.iter_mut().zip([cos, sin, self.state[1]]) {
            *out = value as f32;
        }
    }

    /// The rod on its pivot and the point where its tip shall be, in meters.
    fn scene(&self) -> Option<Scene> {
        let mut scene = Scene::new(2.6, 2.6);
        let (pivot, theta) = ((1.3, 1.3), self.state[0]);
        let tip = |angle: f64| (pivot.0 + angle.sin() as f32, pivot.1 + angle.cos() as f32);
        scene.shapes.extend([
            Shape::Circle { center: tip(0.0), radius: 0.14, ink: Ink::Goal },
            Shape::Line { from: pivot, to: tip(theta), width: 0.16, ink: Ink::Player },
            Shape::Circle { center: tip(theta), radius: 0.08, ink: Ink::Player },
            Shape::Circle { center: pivot, radius: 0.05, ink: Ink::Outline },
        ]);
        Some(scene)
    }
}

/// An angle brought into [−π, π]; at ±π either sign is right, because it is squared.
#[inline(always)]
fn wrapped(angle: f64) -> f64 {
    angle - TAU * (angle / TAU).round()
}
