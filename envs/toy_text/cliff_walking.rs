//! Walk along a cliff to the goal without falling off.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(4)`: 0 up, 1 right, 2 down, 3 left |
//! | Observation space | `Discrete(48)`, one-hot: the cell, `12 · row + column` from the upper left of 4 × 12 cells |
//! | Reward | −1 for every step, −100 for one into the cliff |
//! | Initial state | 36, the lower left cell |
//! | Termination | at the goal, 47, the lower right cell |
//! | Truncation | none |
//! | Solved at | not stated; the best return is −13 |
//!
//! # Options
//! - `is_slippery`: whether the direction is the intended one or one of the two at a right angle to it, each with probability 1/3. The
//!   best expected return is then −64.7.
//!
//! # Dynamics
//! The cliff is the lowest row but for its two ends. A step into it leads back to the start, and the episode goes on. A step over the
//! edge leaves you where you are.
//!
//! # Source
//! Sutton and Barto (2018), "Reinforcement Learning: An Introduction", example 6.6; the transition table is that of Gymnasium's
//! `CliffWalking-v1`.

use super::dynamic_programming::best_expected_return;
use super::grid::{Direction, Grid};
use super::table::{TabularEnv, Transition, TransitionTable, World};
use crate::options::{OptionKind, OptionRow, Options};
use crate::{BestReturn, Ink, Space, Spec};

const GRID: Grid = Grid { rows: 4, columns: 12 };
const START: u32 = 36;
const GOAL: u32 = 47;
const DIRECTIONS: [Direction; 4] = [Direction::Up, Direction::Right, Direction::Down, Direction::Left];

pub const SPEC: Spec = Spec {
    id: "CliffWalking-v1",
    summary: "walk along a cliff to the goal; −1 per step, −100 for falling (Sutton and Barto 2018)",
    source: include_str!("cliff_walking.rs"),
    observations: Space::Discrete(48),
    actions: Space::Discrete(4),
    max_steps: None,
    reward_threshold: None,
    best_return: Some(BestReturn {
        found: "by dynamic programming",
        expected: |options, max_steps| best_expected_return(&world(options).table, max_steps),
    }),
    options: &[OptionRow {
        name: "is_slippery",
        meaning: "whether two of three steps go to a side",
        kind: OptionKind::Flag { default: false },
    }],
    make: |options, rngs| Ok(TabularEnv::copies(&SPEC, world(options), rngs)),
};

/// The cliff with these options.
pub fn world(options: &Options) -> World {
    let turns: &[u32] = if options.flag("is_slippery") { &[3, 0, 1] } else { &[0] };
    let table = TransitionTable::new((48, 4), vec![(START, 1.0)], |cell, action| {
        let go = |turn: &u32| {
            let probability = 1.0 / turns.len() as f64;
            match GRID.neighbor(cell, DIRECTIONS[((action + turn) % 4) as usize]) {
                fallen if is_cliff(fallen) => {
                    Transition { probability, next_state: START, reward: -100.0, terminated: false }
                }
                next_state => Transition { probability, next_state, reward: -1.0, terminated: next_state == GOAL },
            }
        };
        turns.iter().map(go).collect()
    });
    let ink = |cell| match cell {
        START => Some(Ink::Quiet),
        GOAL => Some(Ink::Goal),
        cell => is_cliff(cell).then_some(Ink::Danger),
    };
    World { table, masks_actions: false, scene: Box::new(move |state| GRID.scene(ink, state)) }
}

fn is_cliff(cell: u32) -> bool {
    (START + 1..GOAL).contains(&cell)
}
