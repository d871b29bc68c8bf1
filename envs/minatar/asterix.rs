//! Collect the treasure and avoid the enemies that cross the grid.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(5)`: nothing, left, up, right, down |
//! | Observation space | `Box(4, 10, 10)`, zeros and ones: player, enemies, trails (the cells behind enemies and treasure), treasure |
//! | Reward | 1 for each treasure |
//! | Initial state | player in row 5, column 5; nothing else |
//! | Termination | the player and an enemy meet |
//! | Truncation | none |
//!
//! # Dynamics
//! Rows 1 to 8 are lanes for one enemy or treasure each; the player stays in these rows. In each step, in this order:
//! 1. every 10 steps something appears, if a lane is free: from the left or the right with equal chances, a treasure with
//!    chance 1/3 or else an enemy, in one of the free lanes with equal chances, at the edge;
//! 2. the player moves by one cell; a treasure in its cell is collected, an enemy there ends the episode;
//! 3. every 5 steps everything in the lanes moves by one column; what leaves the grid is gone, and what comes to the player
//!    is met as before;
//! 4. at the end of every 102nd step, with `difficulty_ramping`, the interval of 1 becomes shorter by 1 and, every second
//!    time, that of 3 by 1. An interval that has begun is not cut short, and none becomes shorter than 1.
//!
//! The recorded frames end before an interval is as short as 1; that this is the limit is our rule.
//!
//! # Source
//! Young and Tian (2019), arXiv 1903.03176, and recorded frames of MinAtar 1.0.15; see [`super`].

use super::{Console, Game, Key, RAMPING_OPTIONS, SIDE, Screen, copies, inside, moved_sideways, observations};
use crate::{Ink, Outcome, Rng, Space, Spec};
use rand::Rng as _;

pub const SPEC: Spec = Spec {
    id: "MinAtar/Asterix-v1",
    summary: "collect treasure and avoid enemies on a 10×10 grid; 1 per treasure (Young and Tian 2019)",
    source: include_str!("asterix.rs"),
    observations: observations::<Asterix>(),
    actions: Space::Discrete(Asterix::KEYS.len() as u32),
    max_steps: None,
    reward_threshold: None,
    best_return: None,
    options: RAMPING_OPTIONS,
    make: |options, rngs| copies::<Asterix>(&SPEC, options, rngs),
};

const LANES: usize = 8;
const SPAWN_INTERVAL: u8 = 10;
const MOVE_INTERVAL: u8 = 5;
const RAMP_INTERVAL: u8 = 102;

/// What appears at an edge: the random event of this game.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub from_left: bool,
    pub is_treasure: bool,
    /// Which of the free lanes, counted from the top.
    pub free_lane: usize,
}

/// An enemy or a treasure in its lane.
#[derive(Clone, Copy, Debug)]
struct Crossing {
    column: i8,
    /// Columns per move: 1 or −1.
    direction: i8,
    is_treasure: bool,
}

/// The state of one copy; see the module's head for the rules.
#[derive(Clone, Debug, Default)]
pub struct Asterix {
    ramping: bool,
    row: i8,
    column: i8,
    /// Lane `i` is row `i + 1`.
    lanes: [Option<Crossing>; LANES],
    spawn_interval: u8,
    move_interval: u8,
    until_spawn: u8,
    until_move: u8,
    until_ramp: u8,
    ramps: u32,
}

/// An environment of this game.
pub type AsterixEnv = Console<Asterix>;

impl Asterix {
    /// Begins an episode.
    pub fn begin(&mut self) {
        *self = Asterix {
            ramping: self.ramping,
            row: 5,
            column: 5,
            spawn_interval: SPAWN_INTERVAL,
            move_interval: MOVE_INTERVAL,
            until_spawn: SPAWN_INTERVAL,
            until_move: MOVE_INTERVAL,
            until_ramp: RAMP_INTERVAL,
            ..Asterix::default()
        };
    }

    /// One step; `arrival` draws what appears, given the number of free lanes, which is not 0.
    pub fn advance(&mut self, key: Key, arrival: impl FnOnce(usize) -> Arrival) -> Outcome {
        if self.until_spawn == 0 {
            self.until_spawn = self.spawn_interval;
            self.spawn(arrival);
        }
        self.column = moved_sideways(self.column, key);
        self.row = match key {
            Key::Up => (self.row - 1).max(1),
            Key::Down => (self.row + 1).min(LANES as i8),
            _ => self.row,
        };
        let mut outcome = Outcome { reward: 0.0, terminated: false };
        self.meet(&mut outcome);
        if self.until_move == 0 {
            self.until_move = self.move_interval;
            for lane in &mut self.lanes {
                *lane = lane.and_then(|thing| {
                    let column = thing.column + thing.direction;
                    inside(column).then_some(Crossing { column, ..thing })
                });
            }
            self.meet(&mut outcome);
        }
        self.until_spawn -= 1;
        self.until_move -= 1;
        self.ramp();
        outcome
    }

    fn spawn(&mut self, arrival: impl FnOnce(usize) -> Arrival) {
        let mut free = self.lanes.iter_mut().filter(|lane| lane.is_none());
        let count = free.by_ref().count();
        if count == 0 {
            return;
        }
        let Arrival { from_left, is_treasure, free_lane } = arrival(count);
        let (column, direction) = if from_left { (0, 1) } else { (SIDE as i8 - 1, -1) };
        if let Some(lane) = self.lanes.iter_mut().filter(|lane| lane.is_none()).nth(free_lane) {
            *lane = Some(Crossing { column, direction, is_treasure });
        }
    }

    /// The player and what is in its cell.
    fn meet(&mut self, outcome: &mut Outcome) {
        let lane = &mut self.lanes[self.row as usize - 1];
        match lane.filter(|thing| thing.column == self.column) {
            Some(Crossing { is_treasure: true, .. }) => {
                *lane = None;
                outcome.reward += 1.0;
            }
            Some(_) => outcome.terminated = true,
            None => {}
        }
    }

    fn ramp(&mut self) {
        if !self.ramping || (self.spawn_interval == 1 && self.move_interval == 1) {
            return;
        }
        self.until_ramp -= 1;
        if self.until_ramp == 0 {
            self.until_ramp = RAMP_INTERVAL;
            self.ramps += 1;
            self.spawn_interval = (self.spawn_interval - 1).max(1);
            if self.ramps.is_multiple_of(2) {
                self.move_interval = (self.move_interval - 1).max(1);
            }
        }
    }
}

impl Game for Asterix {
    const KEYS: &'static [Key] = &[Key::None, Key::Left, Key::Up, Key::Right, Key::Down];
    const CHANNELS: &'static [Ink] = &[Ink::Player, Ink::Danger, Ink::Quiet, Ink::Goal];

    fn new(ramping: bool) -> Self {
        Asterix { ramping, ..Asterix::default() }
    }

    fn start(&mut self, _: &mut Rng) {
        self.begin();
    }

    fn play(&mut self, key: Key, rng: &mut Rng) -> Outcome {
        self.advance(key, |free| Arrival {
            from_left: rng.random(),
            is_treasure: rng.random_ratio(1, 3),
            free_lane: rng.random_range(0..free),
        })
    }

    fn paint(&self, screen: &mut Screen<'_>) {
        screen.set(0, self.row, self.column);
        for (row, lane) in (1..).zip(&self.lanes) {
            let Some(thing) = lane else { continue };
            screen.set(if thing.is_treasure { 3 } else { 1 }, row, thing.column);
            screen.set_inside(2, row, thing.column - thing.direction);
        }
    }

    fn difficulty(&self) -> Option<u32> {
        Some(self.ramps)
    }
}
