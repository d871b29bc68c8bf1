//! Swing the tip of a double pendulum above a line by a motor in its elbow.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(3)`: a torque of −1, 0 or 1 N m on the elbow |
//! | Observation space | `Box(6)`: cos θ₁, sin θ₁, cos θ₂, sin θ₂, θ₁' in [−4π, 4π] rad/s, θ₂' in [−9π, 9π] rad/s |
//! | Reward | −1 for every step, 0 for the terminating one |
//! | Initial state | each of θ₁, θ₂, θ₁', θ₂' uniform in [−0.1, 0.1) |
//! | Termination | −cos θ₁ − cos(θ₁ + θ₂) > 1: the tip is one link's length above the shoulder |
//! | Truncation | 500 steps |
//! | Solved at | a mean return of −100 |
//!
//! # Dynamics
//! `θ₁` is the angle of the upper link from hanging straight down, `θ₂` that of the lower link relative to the upper one. Both
//! links have length 1 m, mass 1 kg, their center of mass in the middle and a moment of inertia of 1 kg m²; gravity is
//! 9.8 m/s², `τ` the torque. With these numbers put in:
//!
//! ```text
//! d₁  = 3.5 + cos θ₂
//! d₂  = 1.25 + cos θ₂ / 2
//! φ₂  = 4.9 sin(θ₁ + θ₂)
//! φ₁  = −(θ₂'² / 2 + θ₁' θ₂') sin θ₂ + 14.7 sin θ₁ + φ₂
//! θ₂" = (τ + φ₁ d₂ / d₁ − θ₁'² sin θ₂ / 2 − φ₂) / (1.25 − d₂² / d₁)
//! θ₁" = −(d₂ θ₂" + φ₁) / d₁
//! ```
//!
//! integrated by one step of the classical fourth-order Runge–Kutta method of 0.2 s, the torque held. Then the angles are
//! wrapped into [−π, π] and the velocities clamped to ±4π and ±9π rad/s.
//!
//! # Source
//! Sutton (1996), "Generalization in reinforcement learning: successful examples using sparse coarse coding", NIPS 8, with
//! the equations of Sutton and Barto's book, in which the centrifugal term of θ₁' acts on θ₂"; the constants are those of
//! Gymnasium's `Acrobot-v1`.

use super::trigonometry::sin_cos;
use crate::{Action, Bound, Copies, Dims, Env, Ink, Outcome, Rng, Scene, Shape, Space, Spec};
use rand::Rng as _;
use std::f64::consts::{PI, TAU};

const TIME_STEP: f64 = 0.2;
const MAX_VELOCITIES: [f64; 2] = [4.0 * PI, 9.0 * PI];
const HIGH: [f32; 6] = [1.0, 1.0, 1.0, 1.0, MAX_VELOCITIES[0] as f32, MAX_VELOCITIES[1] as f32];
const LOW: [f32; 6] = [-1.0, -1.0, -1.0, -1.0, -HIGH[4], -HIGH[5]];

pub const SPEC: Spec = Spec {
    id: "Acrobot-v1",
    summary: "swing a double pendulum up by its elbow; −1 per step, at most 500 steps (Sutton 1996)",
    source: include_str!("acrobot.rs"),
    observations: Space::Box { shape: Dims::of(&[6]), low: Bound::Each(&LOW), high: Bound::Each(&HIGH) },
    actions: Space::Discrete(3),
    max_steps: Some(500),
    reward_threshold: Some(-100.0),
    best_return: None,
    options: &[],
    make: |_, rngs| Ok(Copies::of(&SPEC, vec![Acrobot::default(); rngs.len()], rngs)),
};

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug, Default)]
pub struct Acrobot {
    /// θ₁, θ₂, θ₁', θ₂'.
    pub state: [f64; 4],
}

impl Env for Acrobot {
    fn reset(&mut self, rng: &mut Rng) {
        self.state = std::array::from_fn(|_| rng.random_range(-0.1..0.1));
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        let torque = f64::from(action.index()) - 1.0;
        let [theta_1, theta_2, velocity_1, velocity_2] = runge_kutta(self.state, torque);
        let clamped = |velocity: f64, max: f64| velocity.clamp(-max, max);
        self.state = [
            wrapped(theta_1),
            wrapped(theta_2),
            clamped(velocity_1, MAX_VELOCITIES[0]),
            clamped(velocity_2, MAX_VELOCITIES[1]),
        ];
        let ((sin_1, cos_1), (sin_2, cos_2)) = (sin_cos(self.state[0]), sin_cos(self.state[1]));
        let terminated = -cos_1 - (cos_1 * cos_2 - sin_1 * sin_2) > 1.0;
        Outcome { reward: if terminated { 0.0 } else { -1.0 }, terminated }
    }

    fn observe(&self, out: &mut [f32]) {
        let [theta_1, theta_2, velocity_1, velocity_2] = self.state;
        let ((sin_1, cos_1), (sin_2, cos_2)) = (sin_cos(theta_1), sin_cos(theta_2));
        for (out, value) in out.iter_mut().zip([cos_1, sin_1, cos_2, sin_2, velocity_1, velocity_2]) {
            *out = value as f32;
        }
    }

    /// The line to reach and the two links, in meters.
    fn scene(&self) -> Option<Scene> {
        let mut scene = Scene::new(4.4, 4.4);
        let end = |(x, y): (f32, f32), angle: f64| (x + angle.sin() as f32, y - angle.cos() as f32);
        let shoulder = (2.2, 2.2);
        let elbow = end(shoulder, self.state[0]);
        let tip = end(elbow, self.state[0] + self.state[1]);
        let joint = |center, ink| Shape::Circle { center, radius: 0.1, ink };
        scene.shapes.extend([
            Shape::Line { from: (0.0, 3.2), to: (scene.width, 3.2), width: 0.03, ink: Ink::Goal },
            Shape::Line { from: shoulder, to: elbow, width: 0.14, ink: Ink::Other },
            Shape::Line { from: elbow, to: tip, width: 0.14, ink: Ink::Player },
            joint(shoulder, Ink::Quiet),
            joint(elbow, Ink::Outline),
        ]);
        Some(scene)
    }
}

/// An angle brought into [−π, π]. By subtraction, as in Gymnasium, because a step turns a link a few times at most.
#[inline(always)]
fn wrapped(mut angle: f64) -> f64 {
    while angle > PI {
        angle -= TAU;
    }
    while angle < -PI {
        angle += TAU;
    }
    angle
}

/// The state one time step later.
#[inline(always)]
fn runge_kutta(state: [f64; 4], torque: f64) -> [f64; 4] {
    let moved = |time: f64, slope: [f64; 4]| std::array::from_fn(|i| state[i] + time * slope[i]);
    let k1 = derivative(state, torque);
    let k2 = derivative(moved(0.5 * TIME_STEP, k1), torque);
    let k3 = derivative(moved(0.5 * TIME_STEP, k2), torque);
    let k4 = derivative(moved(TIME_STEP, k3), torque);
    moved(TIME_STEP / 6.0, std::array::from_fn(|i| k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]))
}

/// The velocities and accelerations of both angles. The quotients of the module's head are brought to one denominator, and the
/// sine of the sum is taken from those of the angles: half the divisions, half the sines.
#[inline(always)]
fn derivative([theta_1, theta_2, velocity_1, velocity_2]: [f64; 4], torque: f64) -> [f64; 4] {
    let ((sin_1, cos_1), (sin_2, cos_2)) = (sin_cos(theta_1), sin_cos(theta_2));
    let d1 = 3.5 + cos_2;
    let d2 = 1.25 + 0.5 * cos_2;
    let phi_2 = 4.9 * (sin_1 * cos_2 + cos_1 * sin_2);
    let phi_1 = 14.7 * sin_1 + phi_2 - (0.5 * velocity_2 + velocity_1) * velocity_2 * sin_2;
    let push = torque - 0.5 * (velocity_1 * velocity_1) * sin_2 - phi_2;
    let per_determinant = 1.0 / (1.25 * d1 - d2 * d2);
    let acceleration_2 = (push * d1 + phi_1 * d2) * per_determinant;
    let acceleration_1 = -(push * d2 + phi_1 * 1.25) * per_determinant;
    [velocity_1, velocity_2, acceleration_1, acceleration_2]
}
