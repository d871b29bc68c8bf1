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

use crate::{Action, Copies, Env, Outcome, Rng, Space, Spec};
use rand::Rng as _;

const GRAVITY: f64 = 9.8;
const POLE_MASS: f64 = 0.1;
const TOTAL_MASS: f64 = 1.0 + POLE_MASS;
const HALF_LENGTH: f64 = 0.5;
const POLE_MASS_LENGTH: f64 = POLE_MASS * HALF_LENGTH;
const FORCE: f64 = 10.0;
const TIME_STEP: f64 = 0.02;
const MAX_POSITION: f64 = 2.4;
const MAX_ANGLE: f64 = 12.0 * 2.0 * std::f64::consts::PI / 360.0;

pub const SPEC: Spec = Spec {
    id: "CartPole-v1",
    summary: "balance a pole on a cart; 1 per step, at most 500 steps (Barto 1983)",
    observations: Space::Box {
        low: &[-4.8, f32::NEG_INFINITY, -0.418_879_03, f32::NEG_INFINITY],
        high: &[4.8, f32::INFINITY, 0.418_879_03, f32::INFINITY],
    },
    actions: Space::Discrete(2),
    max_steps: Some(500),
    reward_threshold: Some(475.0),
    make: |rngs| Copies::of(&SPEC, vec![CartPole::default(); rngs.len()], rngs),
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

    fn step(&mut self, action: Action, _: &mut Rng) -> Outcome {
        let [x, x_dot, theta, theta_dot] = self.state;
        let force = if action == 1 { FORCE } else { -FORCE };
        let (sin, cos) = theta.sin_cos();
        let push = (force + POLE_MASS_LENGTH * (theta_dot * theta_dot) * sin) / TOTAL_MASS;
        let theta_acceleration =
            (GRAVITY * sin - cos * push) / (HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cos * cos) / TOTAL_MASS));
        let x_acceleration = push - POLE_MASS_LENGTH * theta_acceleration * cos / TOTAL_MASS;
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
}
