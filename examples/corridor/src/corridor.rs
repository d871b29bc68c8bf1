//! Walk to the right end of a corridor.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(2)`: 0 walks left, 1 walks right |
//! | Observation space | `Box(1)`: the cell as a share of the corridor |
//! | Reward | 1 for reaching the right end, else 0 |
//! | Initial state | the leftmost cell |
//! | Termination | at the right end |
//! | Truncation | 50 steps |
//!
//! # Dynamics
//! Ten cells in a row; a step moves by one of them, and a wall at the left end holds.
//!
//! # Source
//! Yours. `lossward env describe` and docs/environments.md show this head.

use lossward::envs::{Action, Bound, Copies, Dims, Env, Ink, Outcome, Rng, Scene, Shape, Space, Spec};

const CELLS: u32 = 10;

/// Everything that is known without a step.
pub const SPEC: Spec = Spec {
    id: "Example/Corridor-v0",
    summary: "walk to the right end of a corridor of ten cells",
    source: include_str!("corridor.rs"),
    // What `observe` writes: one number in [0, 1].
    observations: Space::Box { shape: Dims::of(&[1]), low: Bound::All(0.0), high: Bound::All(1.0) },
    actions: Space::Discrete(2),
    // A time limit stands here and never in the dynamics; None for none.
    max_steps: Some(50),
    // The mean return that counts as solved, where there is one.
    reward_threshold: Some(1.0),
    // The largest expected return, by options and time limit, where it can be told.
    best_return: None,
    // What a user may set: rows with a name, a range and a default.
    options: &[],
    // One copy per random stream.
    make: |_, rngs| Ok(Copies::of(&SPEC, vec![Corridor::default(); rngs.len()], rngs)),
};

/// The state of one copy, and nothing else: no random generator, no step counter.
#[derive(Clone, Debug, Default)]
struct Corridor {
    cell: u32,
}

impl Env for Corridor {
    /// Draws an initial state; every random number comes from `rng`.
    fn reset(&mut self, _rng: &mut Rng) {
        self.cell = 0;
    }

    /// Moves the state by one step. The action lies in the space: that is checked before.
    fn step(&mut self, action: Action<'_>, _rng: &mut Rng) -> Outcome {
        self.cell = if action.index() == 1 { self.cell + 1 } else { self.cell.saturating_sub(1) };
        let arrived = self.cell == CELLS - 1;
        Outcome { reward: f64::from(u8::from(arrived)), terminated: arrived }
    }

    /// Writes every element of the observation.
    fn observe(&self, out: &mut [f32]) {
        out[0] = self.cell as f32 / (CELLS - 1) as f32;
    }

    /// What a state looks like, for `--scene`: optional.
    fn scene(&self) -> Option<Scene> {
        let mut scene = Scene::grid(1, CELLS as usize, |_, column| (column as u32 == CELLS - 1).then_some(Ink::Goal));
        scene.shapes.push(Shape::Circle { center: (self.cell as f32 + 0.5, 0.5), radius: 0.35, ink: Ink::Player });
        Some(scene)
    }
}
