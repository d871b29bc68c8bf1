//! Cross eight lanes of traffic.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(3)`: nothing, up, down |
//! | Observation space | `Box(7, 10, 10)`, zeros and ones: player, cars, and the trails (the cells behind the cars) of cars of pace 1 to 5, a channel each |
//! | Reward | 1 for reaching row 0 |
//! | Initial state | player in row 9 of column 4; in each of the rows 1 to 8 a car in column 0 with a random pace and direction |
//! | Termination | none |
//! | Truncation | 2501 steps |
//!
//! # Dynamics
//! A car's pace is uniform in 1, …, 5, its direction left or right with equal chances. In each step, in this order:
//! 1. the player moves up or down by one row within the grid, at most every 3 steps and not before the fourth;
//! 2. on reaching row 0 it is back in row 9, and all cars get a new pace and direction and begin to count anew;
//! 3. a car of pace `p` moves by one column every `p + 1` steps; this countdown starts at `p` and stands still in the step of
//!    the move. A car that leaves the grid enters on the other side. If it is in the player's cell before or after it moved, the
//!    player is back in row 9.
//!
//! MinAtar ends the 2501st step with a terminal state, though no observation tells that it is near; here it is the time limit.
//!
//! # Source
//! Young and Tian (2019), arXiv 1903.03176, and recorded frames of MinAtar 1.0.15; see [`super`].

use super::{Console, Game, Key, SIDE, STEADY_OPTIONS, Screen, copies, observations};
use crate::{Ink, Outcome, Rng, Space, Spec};
use rand::Rng as _;

pub const SPEC: Spec = Spec {
    id: "MinAtar/Freeway-v1",
    summary: "cross eight lanes of traffic on a 10×10 grid; 1 per crossing (Young and Tian 2019)",
    source: include_str!("freeway.rs"),
    observations: observations::<Freeway>(),
    actions: Space::Discrete(Freeway::KEYS.len() as u32),
    max_steps: Some(2501),
    reward_threshold: None,
    best_return: None,
    options: STEADY_OPTIONS,
    make: |options, rngs| copies::<Freeway>(&SPEC, options, rngs),
};

const CARS: usize = 8;
const BOTTOM: i8 = 9;
const PLAYER_COLUMN: i8 = 4;
const MOVE_INTERVAL: u8 = 3;
const SLOWEST: i8 = 5;

#[derive(Clone, Copy, Debug, Default)]
struct Car {
    column: i8,
    /// The pace, 1 to 5; negative to the left.
    velocity: i8,
    until_move: i8,
}

/// The state of one copy; see the module's head for the rules.
#[derive(Clone, Debug, Default)]
pub struct Freeway {
    row: i8,
    until_move: u8,
    /// Car `i` is in row `i + 1`.
    cars: [Car; CARS],
}

/// An environment of this game.
pub type FreewayEnv = Console<Freeway>;

impl Car {
    fn behind(&self) -> i8 {
        (self.column - self.velocity.signum()).rem_euclid(SIDE as i8)
    }

    fn advance(&mut self) {
        if self.until_move > 0 {
            self.until_move -= 1;
            return;
        }
        self.until_move = self.velocity.abs();
        self.column = (self.column + self.velocity.signum()).rem_euclid(SIDE as i8);
    }
}

impl Freeway {
    /// Begins an episode; `velocities` are the paces, negative to the left.
    pub fn begin(&mut self, velocities: [i8; CARS]) {
        *self = Freeway { row: BOTTOM, until_move: MOVE_INTERVAL, cars: [Car::default(); CARS] };
        self.set(velocities);
    }

    fn set(&mut self, velocities: [i8; CARS]) {
        for (car, velocity) in self.cars.iter_mut().zip(velocities) {
            car.velocity = velocity;
            car.until_move = velocity.abs();
        }
    }

    /// One step; `velocities` draws those of the cars.
    pub fn advance(&mut self, key: Key, velocities: impl FnOnce() -> [i8; CARS]) -> Outcome {
        if self.until_move == 0 && matches!(key, Key::Up | Key::Down) {
            self.until_move = MOVE_INTERVAL;
            self.row = if key == Key::Up { self.row - 1 } else { (self.row + 1).min(BOTTOM) };
        }
        let crossed = self.row == 0;
        if crossed {
            self.row = BOTTOM;
            self.set(velocities());
        }
        for (row, car) in (1..).zip(&mut self.cars) {
            let hit = self.row == row && car.column == PLAYER_COLUMN;
            car.advance();
            if hit || (self.row == row && car.column == PLAYER_COLUMN) {
                self.row = BOTTOM;
            }
        }
        self.until_move = self.until_move.saturating_sub(1);
        Outcome { reward: f64::from(u8::from(crossed)), terminated: false }
    }
}

/// Uniform velocities.
fn velocities(rng: &mut Rng) -> [i8; CARS] {
    std::array::from_fn(|_| {
        let pace = rng.random_range(1..=SLOWEST);
        if rng.random() { pace } else { -pace }
    })
}

impl Game for Freeway {
    const KEYS: &'static [Key] = &[Key::None, Key::Up, Key::Down];
    const CHANNELS: &'static [Ink] =
        &[Ink::Player, Ink::Danger, Ink::Quiet, Ink::Quiet, Ink::Quiet, Ink::Quiet, Ink::Quiet];

    fn new(_: bool) -> Self {
        Freeway::default()
    }

    fn start(&mut self, rng: &mut Rng) {
        self.begin(velocities(rng));
    }

    fn play(&mut self, key: Key, rng: &mut Rng) -> Outcome {
        self.advance(key, || velocities(rng))
    }

    fn paint(&self, screen: &mut Screen<'_>) {
        screen.set(0, self.row, PLAYER_COLUMN);
        for (row, car) in (1..).zip(&self.cars) {
            screen.set(1, row, car.column);
            screen.set(1 + car.velocity.unsigned_abs() as usize, row, car.behind());
        }
    }

    fn difficulty(&self) -> Option<u32> {
        None
    }
}
