//! Drive an underpowered car out of a valley by gathering momentum.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(3)`: 0 pushes left, 1 does nothing, 2 pushes right |
//! | Observation space | `Box(2)`: position in [−1.2, 0.6], velocity in [−0.07, 0.07] per step |
//! | Reward | −1 for every step, the terminating one included |
//! | Initial state | position uniform in [−0.6, −0.4), velocity 0 |
//! | Termination | position ≥ 0.5 with a velocity ≥ 0 |
//! | Truncation | 200 steps |
//! | Solved at | a mean return of −110 |
//!
//! # Dynamics
//! The track has the height `0.45 sin(3x) + 0.55` at the position `x`; a step is one unit of time. With the action `a`:
//!
//! ```text
//! v ← clamp(v + 0.001 (a − 1) − 0.0025 cos(3x), −0.07, 0.07)
//! x ← clamp(x + v, −1.2, 0.6)
//! ```
//!
//! A car at −1.2 that moves left has hit the wall: its velocity becomes 0.
//!
//! # Source
//! Moore (1990), "Efficient memory-based learning for robot control", PhD thesis, University of Cambridge, UCAM-CL-TR-209; the
//! constants are those of Gymnasium's `MountainCar-v0`.

use super::trigonometry::sin_cos;
use crate::{Action, Bound, Copies, Dims, Env, Ink, Outcome, Rng, Scene, Shape, Space, Spec};
use rand::Rng as _;

const FORCE: f64 = 0.001;
const GRAVITY: f64 = 0.0025;
const MAX_SPEED: f64 = 0.07;
const MIN_POSITION: f64 = -1.2;
const MAX_POSITION: f64 = 0.6;
const GOAL: f64 = 0.5;

pub const SPEC: Spec = Spec {
    id: "MountainCar-v0",
    summary: "drive a weak car out of a valley; −1 per step, at most 200 steps (Moore 1990)",
    source: include_str!("mountain_car.rs"),
    observations: Space::Box {
        shape: Dims::of(&[2]),
        low: Bound::Each(&[MIN_POSITION as f32, -MAX_SPEED as f32]),
        high: Bound::Each(&[MAX_POSITION as f32, MAX_SPEED as f32]),
    },
    actions: Space::Discrete(3),
    max_steps: Some(200),
    reward_threshold: Some(-110.0),
    best_return: None,
    options: &[],
    make: |_, rngs| Ok(Copies::of(&SPEC, vec![MountainCar::default(); rngs.len()], rngs)),
};

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug, Default)]
pub struct MountainCar {
    /// Position, velocity.
    pub state: [f64; 2],
}

impl Env for MountainCar {
    fn reset(&mut self, rng: &mut Rng) {
        self.state = [rng.random_range(-0.6..-0.4), 0.0];
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        let [position, velocity] = self.state;
        let push = (f64::from(action.index()) - 1.0) * FORCE;
        let velocity = (velocity + (push - GRAVITY * sin_cos(3.0 * position).1)).clamp(-MAX_SPEED, MAX_SPEED);
        let position = (position + velocity).clamp(MIN_POSITION, MAX_POSITION);
        let velocity = if position == MIN_POSITION { velocity.max(0.0) } else { velocity };
        self.state = [position, velocity];
        Outcome { reward: -1.0, terminated: position >= GOAL && velocity >= 0.0 }
    }

    fn observe(&self, out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(self.state) {
            *out = value as f32;
        }
    }

    fn scene(&self) -> Option<Scene> {
        Some(valley(self.state[0], GOAL))
    }
}

/// The hills, a flag at the goal and the car, in units of the position.
pub(super) fn valley(position: f64, goal: f64) -> Scene {
    // So that a car at either end is seen whole.
    const MARGIN: f64 = 0.1;
    let (left, across) = (MIN_POSITION - MARGIN, MAX_POSITION - MIN_POSITION + 2.0 * MARGIN);
    let mut scene = Scene::new(across as f32, 1.3);
    let height = |x: f64| 0.45 * (3.0 * x).sin() + 0.55;
    let at = |x: f64, above: f64| ((x - left) as f32, (height(x) + above) as f32);
    let mut ground: Vec<(f32, f32)> = (0..=60).map(|i| at(left + across * f64::from(i) / 60.0, 0.0)).collect();
    ground.extend([(scene.width, 0.0), (0.0, 0.0)]);
    // Along the slope, and away from it.
    let slope = (1.35 * (3.0 * position).cos()).atan();
    let (middle, along, away) = (at(position, 0.0), (slope.cos() as f32, slope.sin() as f32), 0.03);
    let point = |s: f32, t: f32| (middle.0 + s * along.0 - t * along.1, middle.1 + s * along.1 + t * along.0);
    let body = [point(-0.07, away), point(0.07, away), point(0.05, 0.09), point(-0.05, 0.09)];
    let wheel = |s| Shape::Circle { center: point(s, away), radius: 0.025, ink: Ink::Outline };
    let (foot, top) = (at(goal, 0.0), at(goal, 0.22));
    let flag = vec![top, (top.0, top.1 - 0.08), (top.0 + 0.09, top.1 - 0.04)];
    scene.shapes.extend([
        Shape::Polygon { points: ground, ink: Ink::Quiet },
        Shape::Line { from: foot, to: top, width: 0.012, ink: Ink::Outline },
        Shape::Polygon { points: flag, ink: Ink::Goal },
        Shape::Polygon { points: body.to_vec(), ink: Ink::Player },
        wheel(-0.045),
        wheel(0.045),
    ]);
    scene
}
