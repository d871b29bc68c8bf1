//! Bounce a ball off a paddle to break a wall of bricks.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(3)`: nothing, left, right |
//! | Observation space | `Box(4, 10, 10)`, zeros and ones: paddle, ball, trail (where the ball was a step ago), bricks |
//! | Reward | 1 for each brick broken |
//! | Initial state | paddle in column 4 of row 9, bricks in rows 1 to 3, the ball in row 3 with equal chances in column 0, moving down and right, or in column 9, moving down and left |
//! | Termination | the ball reaches row 9 and the paddle is at neither of the two columns between which the ball moves |
//! | Truncation | none |
//!
//! # Dynamics
//! In each step the paddle moves by one column within the grid; then the ball, which travels along diagonals, moves by one
//! cell. The first of these that applies, after a ball that would leave by a side has turned around and kept its column:
//! 1. above the top: it turns down and stays in row 0;
//! 2. onto a brick, unless it broke one in the step before: the brick breaks, the ball turns around vertically and keeps
//!    its row. In the step after a break it passes through bricks;
//! 3. onto row 9: if no bricks are left, the wall is built again. If the paddle is at the column from which the ball comes, the
//!    ball turns up and keeps its row; if the paddle is at the column to which it goes, it also turns around horizontally;
//!    otherwise the episode ends with the ball in row 9.
//!
//! The recorded frames don't show a missed ball after the last brick; here the wall stands again in the last observation.
//!
//! # Source
//! Young and Tian (2019), arXiv 1903.03176, and recorded frames of MinAtar 1.0.15; see [`super`].

use super::{Console, Game, Key, STEADY_OPTIONS, Screen, copies, inside, moved_sideways, observations};
use crate::{Ink, Outcome, Rng, Space, Spec};
use rand::Rng as _;

pub const SPEC: Spec = Spec {
    id: "MinAtar/Breakout-v1",
    summary: "break bricks with a ball and a paddle on a 10×10 grid; 1 per brick (Young and Tian 2019)",
    source: include_str!("breakout.rs"),
    observations: observations::<Breakout>(),
    actions: Space::Discrete(Breakout::KEYS.len() as u32),
    max_steps: None,
    reward_threshold: None,
    best_return: None,
    options: STEADY_OPTIONS,
    make: |options, rngs| copies::<Breakout>(&SPEC, options, rngs),
};

/// Rows 1 to 3; bit `(row − 1) · 10 + column` is a brick.
const WALL: u32 = (1 << 30) - 1;
const BOTTOM: i8 = 9;

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    row: i8,
    column: i8,
}

/// The state of one copy; see the module's head for the rules.
#[derive(Clone, Debug, Default)]
pub struct Breakout {
    paddle: i8,
    ball: Cell,
    trail: Cell,
    /// Rows and columns per step, each 1 or −1.
    velocity: Cell,
    bricks: u32,
    /// Whether the last step broke a brick.
    broke: bool,
}

/// An environment of this game.
pub type BreakoutEnv = Console<Breakout>;

impl Breakout {
    /// Begins an episode with the ball at the left or the right edge.
    pub fn serve(&mut self, from_left: bool) {
        let (column, direction) = if from_left { (0, 1) } else { (9, -1) };
        let ball = Cell { row: 3, column };
        *self = Breakout {
            paddle: 4,
            ball,
            trail: ball,
            velocity: Cell { row: 1, column: direction },
            bricks: WALL,
            broke: false,
        };
    }

    /// One step; nothing in it is random.
    pub fn advance(&mut self, key: Key) -> Outcome {
        self.paddle = moved_sideways(self.paddle, key);
        self.trail = self.ball;
        let mut next = Cell { row: self.ball.row + self.velocity.row, column: self.ball.column + self.velocity.column };
        if !inside(next.column) {
            next.column = self.ball.column;
            self.velocity.column = -self.velocity.column;
        }
        let brick = match next.row {
            1..=3 => self.bricks & 1 << ((next.row - 1) * 10 + next.column),
            _ => 0,
        };
        let breaks = brick != 0 && !self.broke;
        let mut terminated = false;
        if next.row < 0 {
            next.row = 0;
            self.velocity.row = 1;
        } else if breaks {
            self.bricks ^= brick;
            next.row = self.ball.row;
            self.velocity.row = -self.velocity.row;
        } else if next.row == BOTTOM {
            terminated = !self.returns(next.column);
            next.row = if terminated { BOTTOM } else { self.ball.row };
        }
        self.broke = breaks;
        self.ball = next;
        Outcome { reward: f64::from(u8::from(breaks)), terminated }
    }

    /// The ball at row 9, on its way to `column`: whether the paddle returns it.
    fn returns(&mut self, column: i8) -> bool {
        if self.bricks == 0 {
            self.bricks = WALL;
        }
        if self.paddle != self.ball.column && self.paddle != column {
            return false;
        }
        if self.paddle != self.ball.column {
            self.velocity.column = -self.velocity.column;
        }
        self.velocity.row = -1;
        true
    }
}

impl Game for Breakout {
    const KEYS: &'static [Key] = &[Key::None, Key::Left, Key::Right];
    const CHANNELS: &'static [Ink] = &[Ink::Player, Ink::Other, Ink::Quiet, Ink::Goal];

    fn new(_: bool) -> Self {
        Breakout::default()
    }

    fn start(&mut self, rng: &mut Rng) {
        self.serve(rng.random());
    }

    fn play(&mut self, key: Key, _: &mut Rng) -> Outcome {
        self.advance(key)
    }

    fn paint(&self, screen: &mut Screen<'_>) {
        screen.set(0, BOTTOM, self.paddle);
        screen.set(1, self.ball.row, self.ball.column);
        screen.set(2, self.trail.row, self.trail.column);
        for (brick, cell) in screen.0[310..340].iter_mut().enumerate() {
            *cell = (self.bricks >> brick & 1) as f32;
        }
    }

    fn difficulty(&self) -> Option<u32> {
        None
    }
}
