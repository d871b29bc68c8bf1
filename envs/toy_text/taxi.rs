//! Drive a taxi to a passenger and the passenger to where they want to go.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(6)`: 0 south, 1 north, 2 east, 3 west, 4 pick up, 5 drop off |
//! | Observation space | `Discrete(500)`, one-hot: `((5 · row + column) · 5 + passenger) · 4 + destination` |
//! | Reward | 20 for dropping the passenger off at the destination, −10 for picking up or dropping off where that can't be done, otherwise −1 |
//! | Initial state | any of the 300 in which the passenger waits at a stand that is not the destination, each equally likely |
//! | Termination | the passenger is dropped off at the destination |
//! | Truncation | 200 steps |
//! | Solved at | a mean return of 8 |
//!
//! # Dynamics
//! The city has 5 × 5 cells, rows from north to south, and four stands: 0 is `R`, 1 `G`, 2 `Y`, 3 `B`. The passenger is at one of them
//! or, as 4, in the taxi. Between two cells the taxi passes `:` but not `|`; a step into a wall leaves it where it is.
//!
//! ```text
//! +---------+
//! |R: | : :G|
//! | : | : : |
//! | : : : : |
//! | | : | : |
//! |Y| : |B: |
//! +---------+
//! ```
//!
//! Dropping off at a stand that is not the destination leaves the passenger there, for a reward of −1. With the option `action_mask`
//! policies choose among the actions that may change the state, as in the mask that Gymnasium leaves in `info`
//! ([`super::table::TransitionTable::moves`]).
//!
//! # Source
//! Dietterich (2000), "Hierarchical reinforcement learning with the MAXQ value function decomposition", Journal of Artificial Intelligence
//! Research 13; the transition table is that of Gymnasium's `Taxi-v4`, without rain and without fickle passengers, which is also that of
//! `Taxi-v3`. The best mean return is 7.93.

use super::dynamic_programming::best_expected_return;
use super::grid::{Direction, Grid};
use super::table::{TabularEnv, Transition, TransitionTable, World};
use crate::options::{OptionKind, OptionRow, Options};
use crate::{BestReturn, Ink, Scene, Shape, Space, Spec};

const GRID: Grid = Grid { rows: 5, columns: 5 };
const CITY: [&[u8; 11]; 5] = [b"|R: | : :G|", b"| : | : : |", b"| : : : : |", b"| | : | : |", b"|Y| : |B: |"];
/// The cells of the stands.
const STANDS: [u32; 4] = [0, 4, 20, 23];
const IN_TAXI: u32 = 4;

pub const SPEC: Spec = Spec {
    id: "Taxi-v4",
    summary: "pick up a passenger and drop them off; −1 per step, 20 at the end (Dietterich 2000)",
    source: include_str!("taxi.rs"),
    observations: Space::Discrete(500),
    actions: Space::Discrete(6),
    max_steps: Some(200),
    reward_threshold: Some(8.0),
    best_return: Some(BestReturn {
        found: "by dynamic programming",
        expected: |options, max_steps| best_expected_return(&world(options).table, max_steps),
    }),
    options: &[OptionRow {
        name: "action_mask",
        meaning: "whether policies choose among the actions that may change something",
        kind: OptionKind::Flag { default: false },
    }],
    make: |options, rngs| Ok(TabularEnv::copies(&SPEC, world(options), rngs)),
};

/// A state, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ride {
    /// `5 · row + column`
    pub taxi: u32,
    /// The number of a stand, or 4 in the taxi.
    pub passenger: u32,
    /// The number of a stand.
    pub destination: u32,
}

impl Ride {
    pub fn of(state: u32) -> Ride {
        Ride { taxi: state / 20, passenger: state / 4 % 5, destination: state % 4 }
    }

    pub fn state(self) -> u32 {
        (self.taxi * 5 + self.passenger) * 4 + self.destination
    }

    fn follow(self, action: u32) -> Transition {
        let stand = STANDS.iter().position(|cell| *cell == self.taxi).map(|stand| stand as u32);
        let (next, reward) = match action {
            0..4 => (Ride { taxi: drive(self.taxi, action), ..self }, -1.0),
            4 if stand == Some(self.passenger) => (Ride { passenger: IN_TAXI, ..self }, -1.0),
            5 if self.passenger == IN_TAXI && stand.is_some() => {
                let passenger = stand.unwrap_or(IN_TAXI);
                (Ride { passenger, ..self }, if passenger == self.destination { 20.0 } else { -1.0 })
            }
            _ => (self, -10.0),
        };
        Transition::certain(next.state(), reward, reward > 0.0)
    }
}

/// South, north, east or west.
fn drive(taxi: u32, action: u32) -> u32 {
    let (row, column) = GRID.place(taxi);
    let is_open = |side: u32| CITY[row as usize][(2 * column + side) as usize] == b':';
    let direction = match action {
        0 => Direction::Down,
        1 => Direction::Up,
        2 if is_open(2) => Direction::Right,
        3 if is_open(0) => Direction::Left,
        _ => return taxi,
    };
    GRID.neighbor(taxi, direction)
}

/// The city.
pub fn world(options: &Options) -> World {
    let begins = |state: &u32| {
        let Ride { passenger, destination, .. } = Ride::of(*state);
        passenger != IN_TAXI && passenger != destination
    };
    let starts = (0..500).filter(begins).map(|state| (state, 1.0 / 300.0)).collect();
    let table = TransitionTable::new((500, 6), starts, |state, action| vec![Ride::of(state).follow(action)]);
    World { table, masks_actions: options.flag("action_mask"), scene: Box::new(scene) }
}

/// The walls, the stands, the taxi, and the passenger at a stand or inside.
fn scene(state: u32) -> Scene {
    let ride = Ride::of(state);
    let goal = STANDS[ride.destination as usize];
    let mut scene = Scene::grid(5, 5, |row, column| (5 * row as u32 + column as u32 == goal).then_some(Ink::Goal));
    for (stand, name) in STANDS.into_iter().zip(["R", "G", "Y", "B"]) {
        let (x, y) = GRID.middle(stand);
        scene.shapes.push(Shape::Text { at: (x - 0.3, y + 0.15), text: name.into(), size: 0.3, ink: Ink::Outline });
    }
    let mut wall = |from, to| scene.shapes.push(Shape::Line { from, to, width: 0.08, ink: Ink::Outline });
    for (row, cells) in CITY.iter().enumerate() {
        for x in (0..=5).filter(|x| cells[2 * x] == b'|') {
            wall((x as f32, (4 - row) as f32), (x as f32, (5 - row) as f32));
        }
    }
    wall((0.0, 0.0), (5.0, 0.0));
    wall((0.0, 5.0), (5.0, 5.0));
    let (x, y) = GRID.middle(ride.taxi);
    scene.shapes.push(Shape::Rectangle { corner: (x - 0.35, y - 0.25), size: (0.7, 0.5), ink: Ink::Player });
    let waits = STANDS.get(ride.passenger as usize).map_or((x, y), |stand| GRID.middle(*stand));
    scene.shapes.push(Shape::Circle { center: waits, radius: 0.15, ink: Ink::Other });
    scene
}
