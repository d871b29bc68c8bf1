//! Drive an underpowered car out of a valley with as little force as possible.
//!
//! | | |
//! |---|---|
//! | Action space | `Box(1)`: the force in [−1, 1]; the car feels a larger one as ±1 |
//! | Observation space | `Box(2)`: position in [−1.2, 0.6], velocity in [−0.07, 0.07] per step |
//! | Reward | −0.1 a² for every step, with `a` as it was given, not as the car felt it; and 100 for the terminating step |
//! | Initial state | position uniform in [−0.6, −0.4), velocity 0 |
//! | Termination | position ≥ 0.45 with a velocity ≥ 0 |
//! | Truncation | 999 steps |
//! | Solved at | a mean return of 90 |
//!
//! # Dynamics
//! The track has the height `0.45 sin(3x) + 0.55` at the position `x`; a step is one unit of time. With the action `a`:
//!
//! ```text
//! v ← clamp(v + 0.0015 clamp(a, −1, 1) − 0.0025 cos(3x), −0.07, 0.07)
//! x ← clamp(x + v, −1.2, 0.6)
//! ```
//!
//! A car at −1.2 that moves left has hit the wall: its velocity becomes 0. The initial position is drawn in double precision;
//! every state after it is rounded to single precision and moved on in single precision, but for the cosine.
//!
//! # Source
//! Moore (1990), "Efficient memory-based learning for robot control", PhD thesis, University of Cambridge, UCAM-CL-TR-209; the
//! constants, the precision and the reward are those of Gymnasium's `MountainCarContinuous-v0`.

use super::{mountain_car::valley, trigonometry::sin_cos};
use crate::{Action, Bound, Copies, Dims, Env, Outcome, Rng, Scene, Space, Spec};
use rand::Rng as _;

const POWER: f64 = 0.0015;
const GRAVITY: f64 = 0.0025;
const MAX_SPEED: f32 = 0.07;
const MIN_POSITION: f32 = -1.2;
const MAX_POSITION: f32 = 0.6;
const GOAL: f32 = 0.45;

pub const SPEC: Spec = Spec {
    id: "MountainCarContinuous-v0",
    summary: "drive a weak car out of a valley; 100 at the top less the force spent, at most 999 steps (Moore 1990)",
    source: include_str!("mountain_car_continuous.rs"),
    observations: Space::Box {
        shape: Dims::of(&[2]),
        low: Bound::Each(&[MIN_POSITION, -MAX_SPEED]),
        high: Bound::Each(&[MAX_POSITION, MAX_SPEED]),
    },
    actions: Space::Box { shape: Dims::of(&[1]), low: Bound::All(-1.0), high: Bound::All(1.0) },
    max_steps: Some(999),
    reward_threshold: Some(90.0),
    best_return: None,
    options: &[],
    make: |_, rngs| Ok(Copies::of(&SPEC, vec![MountainCarContinuous::default(); rngs.len()], rngs)),
};

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug, Default)]
pub struct MountainCarContinuous {
    /// Position, velocity; of single precision, but for an initial state.
    pub state: [f64; 2],
}

impl Env for MountainCarContinuous {
    fn reset(&mut self, rng: &mut Rng) {
        self.state = [rng.random_range(-0.6..-0.4), 0.0];
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        let [position, velocity] = self.state;
        let given = action.values()[0];
        // An initial state is moved on in double precision, like Gymnasium's; a sum or a multiple of numbers of single precision,
        // rounded from double to single, is that of single precision.
        let is_single = f64::from(position as f32) == position;
        let rounded = |value: f64| if is_single { f64::from(value as f32) } else { value };
        let pull = GRAVITY * sin_cos(rounded(3.0 * position)).1;
        let acceleration = match given.abs() <= 1.0 {
            true => f64::from(given * POWER as f32 - pull as f32),
            // The bounds are of double precision.
            false => rounded(POWER.copysign(given.into()) - pull),
        };
        let velocity = rounded(velocity + acceleration).clamp(-f64::from(MAX_SPEED), MAX_SPEED.into());
        let position = ((position + velocity) as f32).clamp(MIN_POSITION, MAX_POSITION);
        let velocity = if position == MIN_POSITION { velocity.max(0.0) } else { velocity } as f32;
        self.state = [position.into(), velocity.into()];
        let terminated = position >= GOAL && velocity >= 0.0;
        let bonus = if terminated { 100.0 } else { 0.0 };
        Outcome { reward: bonus - f64::from(given).powi(2) * 0.1, terminated }
    }

    fn observe(&self, out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(self.state) {
            *out = value as f32;
        }
    }

    fn scene(&self) -> Option<Scene> {
        Some(valley(self.state[0], GOAL.into()))
    }
}
