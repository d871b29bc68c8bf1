//! Balance a pole on a cart by pushing the cart left or right.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(2)`: 0 pushes left with 10 N, 1 pushes right with 10 N |
//! | Observation space | `Box(4)`: position (m), velocity (m/s), pole angle from the vertical (rad), angular velocity (rad/s) |
//! | Reward | 1 for every step, the terminating one included |
//! | Initial state | each of the four uniform in [−0.05, 0.05) |
//! | Termination | \|position\| > 2.4 m or \|angle\| > 12° |
//! | Truncation | 500 steps |
//! | Solved at | a mean return of 475 |
//!
//! # Dynamics
//! With `θ` the angle, `F = ±10` N, gravity `g = 9.8` m/s², cart mass 1 kg, pole mass `m = 0.1` kg, total `M = 1.1` kg and
//! half pole length `l = 0.5` m:
//!
//! ```text
//! u  = (F + m l θ'² sin θ) / M
//! θ" = (g sin θ − u cos θ) / (l (4/3 − m cos² θ / M))
//! x" = u − m l θ" cos θ / M
//! ```
//!
//! integrated by one explicit Euler step of 0.02 s.
//!
//! # Source
//! Barto, Sutton and Anderson (1983), "Neuronlike adaptive elements that can solve difficult learning control problems",
//! IEEE Transactions on Systems, Man, and Cybernetics 13(5); the constants are those of Gymnasium's `CartPole-v1`.

use crate::{Action, Bound, Copies, Dims, Env, Ink, Outcome, Rng, Scene, Shape, Space, Spec};
use rand::Rng as _;

const GRAVITY: f64 = 9.8;
const POLE_MASS: f64 = 0.1;
const TOTAL_MASS: f64 = 1.0 + POLE_MASS;
/// Multiplied by, because a division takes several times as long; the two differ in the last bit at most.
const PER_TOTAL_MASS: f64 = 1.0 / TOTAL_MASS;
const HALF_LENGTH: f64 = 0.5;
const POLE_MASS_LENGTH: f64 = POLE_MASS * HALF_LENGTH;
const FORCE: f64 = 10.0;
const TIME_STEP: f64 = 0.02;
const MAX_POSITION: f64 = 2.4;
const MAX_ANGLE: f64 = 12.0 * 2.0 * std::f64::consts::PI / 360.0;

pub const SPEC: Spec = Spec {
    id: "CartPole-v1",
    summary: "balance a pole on a cart; 1 per step, at most 500 steps (Barto 1983)",
    source: include_str!("cart_pole.rs"),
    observations: Space::Box {
        shape: Dims::of(&[4]),
        low: Bound::Each(&[-4.8, f32::NEG_INFINITY, -0.418_879_03, f32::NEG_INFINITY]),
        high: Bound::Each(&[4.8, f32::INFINITY, 0.418_879_03, f32::INFINITY]),
    },
    actions: Space::Discrete(2),
    max_steps: Some(500),
    reward_threshold: Some(475.0),
    best_return: None,
    options: &[],
    make: |_, rngs| Ok(Copies::of(&SPEC, vec![CartPole::default(); rngs.len()], rngs)),
};

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug, Default)]
pub struct CartPole {
    /// Position, velocity, angle, angular velocity.
    pub state: [f64; 4],
}

impl Env for CartPole {
    fn reset(&mut self, rng: &mut Rng) {
        self.state = std::array::from_fn(|_| rng.random_range(-0.05..0.05));
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        let [x, x_dot, theta, theta_dot] = self.state;
        let force = if action.index() == 1 { FORCE } else { -FORCE };
        let (sin, cos) = sin_cos(theta);
        let push = (force + POLE_MASS_LENGTH * (theta_dot * theta_dot) * sin) * PER_TOTAL_MASS;
        let theta_acceleration =
            (GRAVITY * sin - cos * push) / (HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cos * cos) * PER_TOTAL_MASS));
        let x_acceleration = push - POLE_MASS_LENGTH * theta_acceleration * cos * PER_TOTAL_MASS;
        self.state = [
            x + TIME_STEP * x_dot,
            x_dot + TIME_STEP * x_acceleration,
            theta + TIME_STEP * theta_dot,
            theta_dot + TIME_STEP * theta_acceleration,
        ];
        Outcome { reward: 1.0, terminated: self.state[0].abs() > MAX_POSITION || self.state[2].abs() > MAX_ANGLE }
    }

    fn observe(&self, out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(self.state) {
            *out = value as f32;
        }
    }

    /// The track within its ends, the cart and the pole, in meters.
    fn scene(&self) -> Option<Scene> {
        let mut scene = Scene::new(2.0 * MAX_POSITION as f32, 2.0);
        let (x, angle) = (self.state[0] as f32 + MAX_POSITION as f32, self.state[2] as f32);
        let (axle, length) = ((x, 0.7), 2.0 * HALF_LENGTH as f32);
        let tip = (axle.0 + length * angle.sin(), axle.1 + length * angle.cos());
        scene.shapes.extend([
            Shape::Line { from: (0.0, 0.5), to: (scene.width, 0.5), width: 0.02, ink: Ink::Quiet },
            Shape::Rectangle { corner: (x - 0.25, 0.5), size: (0.5, 0.2), ink: Ink::Player },
            Shape::Line { from: axle, to: tip, width: 0.08, ink: Ink::Other },
            Shape::Circle { center: axle, radius: 0.05, ink: Ink::Outline },
        ]);
        Some(scene)
    }
}

/// `(sin x, cos x)` to the last bit or two, for the small angles at which the pole still stands by their Taylor series, which
/// take a third of the time of the general functions.
#[inline(always)]
fn sin_cos(x: f64) -> (f64, f64) {
    if x.abs() > 0.25 {
        return x.sin_cos();
    }
    let y = x * x;
    let sin = -1.0 / 39_916_800.0;
    let sin = 1.0 / 362_880.0 + y * sin;
    let sin = -1.0 / 5_040.0 + y * sin;
    let sin = 1.0 / 120.0 + y * sin;
    let sin = -1.0 / 6.0 + y * sin;
    let cos = 1.0 / 479_001_600.0;
    let cos = -1.0 / 3_628_800.0 + y * cos;
    let cos = 1.0 / 40_320.0 + y * cos;
    let cos = -1.0 / 720.0 + y * cos;
    let cos = 1.0 / 24.0 + y * cos;
    let cos = -0.5 + y * cos;
    (x + x * y * sin, 1.0 + y * cos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sines_and_cosines_are_those_of_the_standard_library() {
        for i in -300_000..=300_000 {
            let x = f64::from(i) * 1e-6;
            let ((sin, cos), (exact_sin, exact_cos)) = (sin_cos(x), x.sin_cos());
            assert!((sin - exact_sin).abs() <= 2.0 * f64::EPSILON * exact_sin.abs(), "sin {x} = {sin}");
            assert!((cos - exact_cos).abs() <= f64::EPSILON, "cos {x} = {cos}");
        }
    }
}
