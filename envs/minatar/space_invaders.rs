//! Shoot a formation of aliens that advances, turns at the edges and shoots back.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(4)`: nothing, left, right, fire |
//! | Observation space | `Box(6, 10, 10)`, zeros and ones: cannon, aliens, aliens if they move left, aliens if they move right, the cannon's bullets, the aliens' bullets |
//! | Reward | 1 for each alien shot |
//! | Initial state | cannon in column 5 of row 9; 24 aliens in rows 0 to 3 and columns 2 to 7, moving left |
//! | Termination | a bullet or an alien reaches the cannon, or the aliens would go below row 9 |
//! | Truncation | none |
//!
//! # Dynamics
//! Nothing is random but the sticky actions. In each step, in this order:
//! 1. the cannon moves by one column within the grid, or fires, at most every 5 steps: the bullet starts in row 9;
//! 2. the cannon's bullets move up by one row, the aliens' bullets down by one row;
//! 3. when their countdown is over, the aliens move by one column; if one of them is at the edge ahead, they turn around and
//!    move down by one row instead. The countdown starts at 12 steps, and again at `min(12 − waves shot, number of aliens)`,
//!    but at least 1;
//! 4. every 10 steps an alien shoots: the lowest of the column nearest to the cannon, the left one of two equally near; the
//!    bullet starts in the alien's cell;
//! 5. where a bullet of the cannon and an alien meet, both are gone;
//! 6. the countdowns go on, and if no alien is left, a new formation appears at the first one's place. It keeps the
//!    direction, and the countdown, of the last.
//!
//! The recorded frames don't show whether a formation shot while it moves right leaves the direction, how far the interval
//! of the moves shrinks after the third wave, and what happens to aliens at the bottom; the rules above are ours there.
//! Without `difficulty_ramping` the number of waves shot counts as 0.
//!
//! # Source
//! Young and Tian (2019), arXiv 1903.03176, and recorded frames of MinAtar 1.0.15; see [`super`].

use super::{Board, Console, Game, Key, RAMPING_OPTIONS, SIDE, Screen, copies, moved_sideways, observations};
use crate::{Ink, Outcome, Rng, Space, Spec};

pub const SPEC: Spec = Spec {
    id: "MinAtar/SpaceInvaders-v1",
    summary: "shoot aliens that advance and shoot back on a 10×10 grid; 1 per alien (Young and Tian 2019)",
    source: include_str!("space_invaders.rs"),
    observations: observations::<SpaceInvaders>(),
    actions: Space::Discrete(SpaceInvaders::KEYS.len() as u32),
    max_steps: None,
    reward_threshold: None,
    best_return: None,
    options: RAMPING_OPTIONS,
    make: |options, rngs| copies::<SpaceInvaders>(&SPEC, options, rngs),
};

const BOTTOM: i8 = 9;
const FORMATION: Board = Board::block((0, 4), (2, 8));
const RELOAD: u32 = 5;
const MOVE_INTERVAL: u32 = 12;
const SHOT_INTERVAL: u32 = 10;

/// The state of one copy; see the module's head for the rules.
#[derive(Clone, Debug, Default)]
pub struct SpaceInvaders {
    ramping: bool,
    cannon: i8,
    bullets: Board,
    aliens: Board,
    alien_bullets: Board,
    /// Columns per move of the aliens: 1 or −1.
    direction: i8,
    /// Steps until the cannon may fire, the aliens move and an alien shoots.
    reload: u32,
    until_move: u32,
    until_shot: u32,
    /// Formations shot, which make the next one faster.
    waves: u32,
}

/// An environment of this game.
pub type SpaceInvadersEnv = Console<SpaceInvaders>;

impl SpaceInvaders {
    /// Begins an episode.
    pub fn begin(&mut self) {
        *self = SpaceInvaders {
            ramping: self.ramping,
            cannon: 5,
            aliens: FORMATION,
            direction: -1,
            until_move: MOVE_INTERVAL,
            until_shot: SHOT_INTERVAL,
            ..SpaceInvaders::default()
        };
    }

    /// One step; nothing in it is random.
    pub fn advance(&mut self, key: Key) -> Outcome {
        if key == Key::Fire && self.reload == 0 {
            self.bullets = self.bullets.or(Board::cell(BOTTOM, self.cannon));
            self.reload = RELOAD;
        }
        self.cannon = moved_sideways(self.cannon, key);
        let cannon = Board::cell(BOTTOM, self.cannon);
        self.bullets = self.bullets.up();
        self.alien_bullets = self.alien_bullets.down();
        let mut terminated = self.alien_bullets.or(self.aliens).meets(cannon);
        if self.until_move == 0 {
            terminated |= self.move_aliens() || self.aliens.meets(cannon);
        }
        if self.until_shot == 0 {
            self.shoot();
        }
        let shot = self.aliens.and(self.bullets);
        self.aliens = self.aliens.without(shot);
        self.bullets = self.bullets.without(shot);
        for countdown in [&mut self.reload, &mut self.until_move, &mut self.until_shot] {
            *countdown = countdown.saturating_sub(1);
        }
        if self.aliens.is_empty() {
            self.aliens = FORMATION;
            self.waves += u32::from(self.ramping);
        }
        Outcome { reward: f64::from(shot.count()), terminated }
    }

    /// Whether the aliens have reached the ground.
    fn move_aliens(&mut self) -> bool {
        self.until_move = MOVE_INTERVAL.saturating_sub(self.waves).clamp(1, self.aliens.count());
        let edge = if self.direction > 0 { SIDE as i8 - 1 } else { 0 };
        if !self.aliens.meets(Board::column(edge)) {
            self.aliens = self.aliens.sideways(self.direction);
            return false;
        }
        if self.aliens.lowest_row() == Some(BOTTOM) {
            return true;
        }
        self.direction = -self.direction;
        self.aliens = self.aliens.down();
        false
    }

    fn shoot(&mut self) {
        self.until_shot = SHOT_INTERVAL;
        let lowest = |column: i8| Some((column, self.aliens.and(Board::column(column)).lowest_row()?));
        let nearest = (0..SIDE as i8).filter_map(lowest).min_by_key(|(column, _)| (column - self.cannon).abs());
        if let Some((column, row)) = nearest {
            self.alien_bullets = self.alien_bullets.or(Board::cell(row, column));
        }
    }
}

impl Game for SpaceInvaders {
    const KEYS: &'static [Key] = &[Key::None, Key::Left, Key::Right, Key::Fire];
    const CHANNELS: &'static [Ink] = &[Ink::Player, Ink::Goal, Ink::Goal, Ink::Goal, Ink::Other, Ink::Danger];

    fn new(ramping: bool) -> Self {
        SpaceInvaders { ramping, ..SpaceInvaders::default() }
    }

    fn start(&mut self, _: &mut Rng) {
        self.begin();
    }

    fn play(&mut self, key: Key, _: &mut Rng) -> Outcome {
        self.advance(key)
    }

    fn paint(&self, screen: &mut Screen<'_>) {
        screen.set(0, BOTTOM, self.cannon);
        screen.set_board(1, self.aliens);
        screen.set_board(if self.direction < 0 { 2 } else { 3 }, self.aliens);
        screen.set_board(4, self.bullets);
        screen.set_board(5, self.alien_bullets);
    }

    fn difficulty(&self) -> Option<u32> {
        Some(self.waves)
    }
}
