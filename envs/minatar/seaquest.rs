//! Rescue divers with a submarine, between enemies and with little air.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(6)`: nothing, left, up, right, down, fire |
//! | Observation space | `Box(10, 10, 10)`, zeros and ones: front and back of the player's submarine, its bullets, trails (the cells behind enemies and divers), enemy bullets, fish, enemy submarines, oxygen gauge, rescued divers gauge, divers |
//! | Reward | 1 for each enemy shot; for surfacing with 6 divers, 1 for each cell of the oxygen gauge |
//! | Initial state | submarine at the surface (row 0), its front in column 5, facing left; 200 oxygen |
//! | Termination | an enemy or its bullet meets the front; the oxygen is used up; surfacing without a diver |
//! | Truncation | none |
//!
//! # Dynamics
//! The player is where its front is, in rows 0 to 8; its back is the cell behind. Things that leave the grid are gone. In each
//! step, in this order:
//! 1. every 20 steps an enemy appears at the left or right edge with equal chances, a submarine with chance 1/3 or else a
//!    fish, in one of the rows 1 to 8 with equal chances, unless an enemy in that row goes the other way;
//! 2. every 30 steps a diver appears at the left or right edge of one of these rows, with equal chances;
//! 3. the player fires, at most every 5 steps, in the direction in which it faces, or moves by one cell within the grid; moving
//!    left or right turns it;
//! 4. the player's bullets move by one column; one that meets an enemy is gone with it (a fish, if there are several);
//! 5. divers move every 6 steps, and are rescued where they meet the player, before or after it, if it has fewer than 6;
//! 6. enemy submarines move every 6 steps, and shoot in their direction every 11 steps, from the cell where they are;
//! 7. enemy bullets move by one column, the new ones too;
//! 8. fish move every 6 steps. An enemy that moves onto a bullet of the player is gone with it; an enemy or an enemy bullet
//!    that meets the player before or after it moves ends the episode;
//! 9. below the surface the player uses 1 oxygen, and the episode ends when none is left. When it comes to the surface it must
//!    have a diver, or the episode ends. It then hands over one diver, and with 6 all of them and, as a debt, the next one;
//!    the oxygen is 200 again, and it becomes harder: the interval of 1 shrinks by 1 and, every second time, that of 6 and 8
//!    for enemies by 1, neither below 1.
//!
//! The countdowns of what moves or shoots begin when it appears, in whose step they already run, and stand still in the step
//! of the event. The gauges are in row 9: oxygen `⌊oxygen / 20⌋` cells from column 0, divers one cell each, leftward from column
//! 8.
//!
//! The recorded frames don't show the oxygen run out, a surfacing with the debt, and intervals near their limit; the rules above
//! are ours there; the debt counts as having no diver.
//!
//! # Source
//! Young and Tian (2019), arXiv 1903.03176, and recorded frames of MinAtar 1.0.15; see [`super`].

use super::few::Few;
use super::{Console, Game, KEYS, Key, RAMPING_OPTIONS, SIDE, Screen, copies, inside, moved_sideways, observations};
use crate::{Ink, Outcome, Rng, Space, Spec};
use rand::Rng as _;

pub const SPEC: Spec = Spec {
    id: "MinAtar/Seaquest-v1",
    summary: "rescue divers between enemies on a 10×10 grid; 1 per enemy shot, up to 10 per 6 divers (Young and Tian 2019)",
    source: include_str!("seaquest.rs"),
    observations: observations::<Seaquest>(),
    actions: Space::Discrete(Seaquest::KEYS.len() as u32),
    max_steps: None,
    reward_threshold: None,
    best_return: None,
    options: RAMPING_OPTIONS,
    make: |options, rngs| copies::<Seaquest>(&SPEC, options, rngs),
};

const GAUGES: i8 = 9;
const LOWEST_ROW: i8 = 8;
const MOST_OXYGEN: i32 = 200;
const OXYGEN_PER_CELL: i32 = MOST_OXYGEN / SIDE as i32;
const MOST_DIVERS: i8 = 6;
const RELOAD: u8 = 5;
const ENEMY_INTERVAL: u8 = 20;
const DIVER_INTERVAL: u8 = 30;
const MOVE_INTERVAL: u8 = 5;
const SHOT_INTERVAL: u8 = 10;
/// An enemy crosses the grid in at most 60 steps, and one appears in each step at most.
const MOST: usize = 64;

/// What may appear at an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwimmerKind {
    Enemy,
    Diver,
}

/// How it appears: the random event of this game.
#[derive(Clone, Copy, Debug)]
pub struct SwimmerArrival {
    pub from_left: bool,
    /// Of enemies only.
    pub is_submarine: bool,
    /// 1 to 8
    pub row: i8,
}

/// What crosses the grid.
#[derive(Clone, Copy, Debug, Default)]
struct Swimmer {
    row: i8,
    column: i8,
    /// Columns per move: 1 or −1.
    direction: i8,
    until_move: u8,
    /// Of submarines only.
    until_shot: u8,
}

impl Swimmer {
    fn is_at(&self, (row, column): (i8, i8)) -> bool {
        self.row == row && self.column == column
    }

    /// Counts down to its next move, which it makes if it is due: then true.
    fn moves(&mut self, interval: u8) -> bool {
        let due = self.until_move == 0;
        if due {
            self.until_move = interval;
            self.column += self.direction;
        } else {
            self.until_move -= 1;
        }
        due
    }
}

/// The state of one copy; see the module's head for the rules.
#[derive(Clone, Debug, Default)]
pub struct Seaquest {
    ramping: bool,
    row: i8,
    column: i8,
    /// Columns per move: 1 or −1.
    facing: i8,
    bullets: Few<Swimmer, 4>,
    enemy_bullets: Few<Swimmer, MOST>,
    fish: Few<Swimmer, MOST>,
    submarines: Few<Swimmer, MOST>,
    divers: Few<Swimmer, 4>,
    oxygen: i32,
    /// On board; −1 is a debt.
    rescued: i8,
    at_surface: bool,
    reload: u8,
    until_enemy: u8,
    until_diver: u8,
    enemy_interval: u8,
    move_interval: u8,
    ramps: u32,
}

/// An environment of this game.
pub type SeaquestEnv = Console<Seaquest>;

impl Seaquest {
    /// Begins an episode.
    pub fn begin(&mut self) {
        for swimmers in [&mut self.enemy_bullets, &mut self.fish, &mut self.submarines] {
            swimmers.clear();
        }
        self.bullets.clear();
        self.divers.clear();
        (self.row, self.column, self.facing) = (0, 5, -1);
        (self.oxygen, self.rescued, self.at_surface) = (MOST_OXYGEN, 0, true);
        (self.reload, self.until_enemy, self.until_diver) = (0, ENEMY_INTERVAL, DIVER_INTERVAL);
        (self.enemy_interval, self.move_interval, self.ramps) = (ENEMY_INTERVAL, MOVE_INTERVAL, 0);
    }

    /// One step; `arrival` draws how something appears.
    pub fn advance(&mut self, key: Key, mut arrival: impl FnMut(SwimmerKind) -> SwimmerArrival) -> Outcome {
        if self.until_enemy == 0 {
            self.until_enemy = self.enemy_interval;
            self.add_enemy(arrival(SwimmerKind::Enemy));
        }
        if self.until_diver == 0 {
            self.until_diver = DIVER_INTERVAL;
            self.divers.push(at_edge(arrival(SwimmerKind::Diver), MOVE_INTERVAL));
        }
        self.obey(key);
        let mut outcome = Outcome { reward: f64::from(self.move_bullets()), terminated: false };
        self.move_divers();
        self.move_submarines(&mut outcome);
        self.move_enemy_bullets(&mut outcome);
        self.move_fish(&mut outcome);
        for countdown in [&mut self.until_enemy, &mut self.until_diver, &mut self.reload] {
            *countdown = countdown.saturating_sub(1);
        }
        self.breathe(&mut outcome);
        outcome
    }

    fn add_enemy(&mut self, arrival: SwimmerArrival) {
        let enemy = at_edge(arrival, self.move_interval);
        let mut others = self.fish.iter().chain(self.submarines.iter());
        if others.any(|other| other.row == enemy.row && other.direction != enemy.direction) {
            return;
        }
        match arrival.is_submarine {
            true => self.submarines.push(enemy),
            false => self.fish.push(enemy),
        }
    }

    fn obey(&mut self, key: Key) {
        match key {
            Key::Fire if self.reload == 0 => {
                self.reload = RELOAD;
                let (row, column, direction) = (self.row, self.column, self.facing);
                self.bullets.push(Swimmer { row, column, direction, ..Swimmer::default() });
            }
            Key::Left => self.facing = -1,
            Key::Right => self.facing = 1,
            Key::Up => self.row = (self.row - 1).max(0),
            Key::Down => self.row = (self.row + 1).min(LOWEST_ROW),
            _ => {}
        }
        self.column = moved_sideways(self.column, key);
    }

    /// The number of enemies hit.
    fn move_bullets(&mut self) -> u8 {
        let mut hits = 0;
        let (fish, submarines) = (&mut self.fish, &mut self.submarines);
        self.bullets.retain(|bullet| {
            bullet.column += bullet.direction;
            let at = (bullet.row, bullet.column);
            let hit = fish.remove_first(|fish| fish.is_at(at)) || submarines.remove_first(|enemy| enemy.is_at(at));
            hits += u8::from(hit);
            !hit && inside(bullet.column)
        });
        hits
    }

    fn move_divers(&mut self) {
        let (player, rescued) = ((self.row, self.column), &mut self.rescued);
        self.divers.retain(|diver| {
            if diver.is_at(player) && *rescued < MOST_DIVERS {
                *rescued += 1;
                return false;
            }
            if diver.moves(MOVE_INTERVAL) && diver.is_at(player) && *rescued < MOST_DIVERS {
                *rescued += 1;
                return false;
            }
            inside(diver.column)
        });
    }

    fn move_submarines(&mut self, outcome: &mut Outcome) {
        let (player, interval) = ((self.row, self.column), self.move_interval);
        let (bullets, enemy_bullets) = (&mut self.bullets, &mut self.enemy_bullets);
        self.submarines.retain(|enemy| {
            if !survives(enemy, (player, interval), bullets, outcome) {
                return false;
            }
            if enemy.until_shot > 0 {
                enemy.until_shot -= 1;
            } else {
                enemy.until_shot = SHOT_INTERVAL;
                enemy_bullets.push(*enemy);
            }
            true
        });
    }

    fn move_enemy_bullets(&mut self, outcome: &mut Outcome) {
        let player = (self.row, self.column);
        self.enemy_bullets.retain(|bullet| {
            outcome.terminated |= bullet.is_at(player);
            bullet.column += bullet.direction;
            outcome.terminated |= bullet.is_at(player);
            inside(bullet.column)
        });
    }

    fn move_fish(&mut self, outcome: &mut Outcome) {
        let (player, interval) = ((self.row, self.column), self.move_interval);
        let bullets = &mut self.bullets;
        self.fish.retain(|fish| survives(fish, (player, interval), bullets, outcome));
    }

    /// Oxygen, and the surface.
    fn breathe(&mut self, outcome: &mut Outcome) {
        let was_at_surface = std::mem::replace(&mut self.at_surface, self.row == 0);
        if !self.at_surface {
            self.oxygen -= 1;
            outcome.terminated |= self.oxygen == 0;
        } else if !was_at_surface && self.rescued <= 0 {
            outcome.terminated = true;
        } else if !was_at_surface {
            self.hand_over(outcome);
        }
    }

    fn hand_over(&mut self, outcome: &mut Outcome) {
        if self.rescued == MOST_DIVERS {
            self.rescued = 0;
            outcome.reward += f64::from(self.oxygen / OXYGEN_PER_CELL);
        }
        self.rescued -= 1;
        self.oxygen = MOST_OXYGEN;
        if self.ramping && (self.enemy_interval > 1 || self.move_interval > 1) {
            self.ramps += 1;
            self.enemy_interval = (self.enemy_interval - 1).max(1);
            if self.ramps.is_multiple_of(2) {
                self.move_interval = (self.move_interval - 1).max(1);
            }
        }
    }
}

fn at_edge(arrival: SwimmerArrival, move_interval: u8) -> Swimmer {
    let (column, direction) = if arrival.from_left { (0, 1) } else { (SIDE as i8 - 1, -1) };
    Swimmer { row: arrival.row, column, direction, until_move: move_interval, until_shot: SHOT_INTERVAL }
}

/// Moves an enemy, if it is time: whether it is still there.
fn survives<const N: usize>(
    enemy: &mut Swimmer,
    (player, interval): ((i8, i8), u8),
    bullets: &mut Few<Swimmer, N>,
    outcome: &mut Outcome,
) -> bool {
    outcome.terminated |= enemy.is_at(player);
    if !enemy.moves(interval) {
        return true;
    }
    if enemy.is_at(player) {
        outcome.terminated = true;
    } else if bullets.remove_first(|bullet| bullet.is_at((enemy.row, enemy.column))) {
        outcome.reward += 1.0;
        return false;
    }
    inside(enemy.column)
}

impl Game for Seaquest {
    const KEYS: &'static [Key] = &KEYS;
    const CHANNELS: &'static [Ink] = &[
        Ink::Player,
        Ink::Player,
        Ink::Other,
        Ink::Quiet,
        Ink::Danger,
        Ink::Danger,
        Ink::Danger,
        Ink::Other,
        Ink::Goal,
        Ink::Goal,
    ];

    fn new(ramping: bool) -> Self {
        Seaquest { ramping, ..Seaquest::default() }
    }

    fn start(&mut self, _: &mut Rng) {
        self.begin();
    }

    fn play(&mut self, key: Key, rng: &mut Rng) -> Outcome {
        self.advance(key, |kind| SwimmerArrival {
            from_left: rng.random(),
            is_submarine: kind == SwimmerKind::Enemy && rng.random_ratio(1, 3),
            row: rng.random_range(1..=LOWEST_ROW),
        })
    }

    fn paint(&self, screen: &mut Screen<'_>) {
        screen.set(0, self.row, self.column);
        screen.set(1, self.row, self.column - self.facing);
        for (channel, bullets) in [(2, self.bullets.iter()), (4, self.enemy_bullets.iter())] {
            bullets.for_each(|bullet| screen.set(channel, bullet.row, bullet.column));
        }
        for (channel, swimmers) in [(5, self.fish.iter()), (6, self.submarines.iter()), (9, self.divers.iter())] {
            for swimmer in swimmers {
                screen.set(channel, swimmer.row, swimmer.column);
                screen.set_inside(3, swimmer.row, swimmer.column - swimmer.direction);
            }
        }
        (0..(self.oxygen / OXYGEN_PER_CELL) as i8).for_each(|column| screen.set(7, GAUGES, column));
        (0..self.rescued).for_each(|diver| screen.set(8, GAUGES, 8 - diver));
    }

    fn difficulty(&self) -> Option<u32> {
        Some(self.ramps)
    }
}
