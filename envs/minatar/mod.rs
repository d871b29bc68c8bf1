//! MinAtar: five Atari games on a grid of 10 × 10, each thing in a channel of its own.
//!
//! Young and Tian (2019), "MinAtar: An Atari-inspired testbed for thorough and reproducible reinforcement learning
//! experiments", arXiv 1903.03176. The rules are written from the paper's descriptions and from recorded frames of MinAtar
//! 1.0.15, with which they agree frame by frame (tests/reference/envs/minatar_*.json); each game's file tells which rules
//! neither of the two decides.
//!
//! # What the games share
//! - Rows are counted from the top, columns from the left, both from 0.
//! - An observation is `[channels, 10, 10]` of zeros and ones, as a convolution reads it. MinAtar itself puts the channels
//!   last.
//! - The full set of actions is 0 nothing, 1 left, 2 up, 3 right, 4 down, 5 fire. By default only those with an effect
//!   are offered, in this order, as in MinAtar's `-v1`; `actions = "full"` offers all six, as in its `-v0`.
//! - `sticky_actions` is the probability with which a step repeats the action executed last instead of the chosen one (none
//!   right after a reset); Machado et al. (2018), arXiv 1709.06009.
//! - `difficulty_ramping`, in the games that become harder, says whether they do.
//! - "Every `n` steps" is counted down: with a countdown that starts at `n` and that every step lowers by 1 after all else,
//!   the event happens in step `n + 1` and then every `n` steps. Where the event's own step doesn't lower the countdown, it
//!   happens every `n + 1` steps, and the game says so.

pub mod asterix;
mod board;
pub mod breakout;
mod few;
pub mod freeway;
pub mod seaquest;
pub mod space_invaders;

pub use board::Board;

use crate::options::{Interval, OptionKind, OptionRow, OptionValue, Options};
use crate::{Action, Copies, Env, Ink, Made, Outcome, Rng, Scene, Space, Spec};
use rand::Rng as _;

/// Rows and columns of the grid.
pub const SIDE: usize = 10;
const CELLS: usize = SIDE * SIDE;
/// The most channels that a game has.
const MOST_CHANNELS: usize = 10;

/// What the player can press.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Key {
    #[default]
    None,
    Left,
    Up,
    Right,
    Down,
    Fire,
}

/// The full set of actions, in order.
pub const KEYS: [Key; 6] = [Key::None, Key::Left, Key::Up, Key::Right, Key::Down, Key::Fire];

/// One game, without what all games share.
pub trait Game: Clone + Send + 'static {
    /// The keys with an effect, in the order of the full set.
    const KEYS: &'static [Key];
    /// One ink per channel.
    const CHANNELS: &'static [Ink];
    /// `ramping`: whether it becomes harder, if it can.
    fn new(ramping: bool) -> Self;
    /// Begins an episode.
    fn start(&mut self, rng: &mut Rng);
    fn play(&mut self, key: Key, rng: &mut Rng) -> Outcome;
    /// Sets the cells of each channel on a blank screen.
    fn paint(&self, screen: &mut Screen<'_>);
    /// How often it became harder in this episode; nothing where it never does.
    fn difficulty(&self) -> Option<u32>;
}

/// An observation being written, `[channels, 10, 10]`.
pub struct Screen<'a>(pub &'a mut [f32]);

impl Screen<'_> {
    /// # Panics
    /// When the cell lies outside of the grid or the channel is not one of the game's.
    #[inline]
    pub fn set(&mut self, channel: usize, row: i8, column: i8) {
        self.0[channel * CELLS + row as usize * SIDE + column as usize] = 1.0;
    }

    /// Sets the cell if it lies on the grid.
    fn set_inside(&mut self, channel: usize, row: i8, column: i8) {
        if inside(row) && inside(column) {
            self.set(channel, row, column);
        }
    }

    fn set_board(&mut self, channel: usize, board: Board) {
        for cell in board.cells() {
            self.0[channel * CELLS + cell] = 1.0;
        }
    }
}

/// Whether a row or a column lies on the grid.
const fn inside(coordinate: i8) -> bool {
    0 <= coordinate && coordinate < SIDE as i8
}

/// The neighbor of a column to which a key moves, not beyond the edges.
fn moved_sideways(column: i8, key: Key) -> i8 {
    match key {
        Key::Left => (column - 1).max(0),
        Key::Right => (column + 1).min(SIDE as i8 - 1),
        _ => column,
    }
}

/// A [`Game`] behind the joystick: as an [`Env`].
#[derive(Clone, Debug)]
pub struct Console<G> {
    pub game: G,
    keys: &'static [Key],
    stickiness: f64,
    last: Key,
}

const ACTIONS: OptionRow = OptionRow {
    name: "actions",
    meaning: "the actions with an effect, or all six: nothing, left, up, right, down, fire",
    kind: OptionKind::Choice(&["minimal", "full"]),
};
const STICKY_ACTIONS: OptionRow = OptionRow::number(
    "sticky_actions",
    0.1,
    Interval::UNIT,
    "the probability of repeating the last action instead of the chosen one",
);
const DIFFICULTY_RAMPING: OptionRow = OptionRow {
    name: "difficulty_ramping",
    meaning: "whether the game becomes harder over time",
    kind: OptionKind::Flag { default: true },
};

/// Of games that are the same throughout.
const STEADY_OPTIONS: &[OptionRow] = &[ACTIONS, STICKY_ACTIONS];
/// Of games that become harder.
const RAMPING_OPTIONS: &[OptionRow] = &[ACTIONS, STICKY_ACTIONS, DIFFICULTY_RAMPING];

/// `[channels, 10, 10]`
const fn observations<G: Game>() -> Space {
    Space::binary(&[G::CHANNELS.len(), SIDE, SIDE])
}

/// Copies of a game with these options, one per stream.
fn copies<G: Game>(spec: &Spec, options: &Options, rngs: Vec<Rng>) -> Made {
    let console = Console::<G>::new(options);
    let spaces = (spec.observations, Space::Discrete(console.keys.len() as u32));
    Ok(Box::new(Copies::new(spec.id, spaces, spec.max_steps, vec![console; rngs.len()], rngs)))
}

impl<G: Game> Console<G> {
    fn new(options: &Options) -> Self {
        let keys = if options.choice("actions") == "full" { &KEYS[..] } else { G::KEYS };
        let ramping = options.values().get("difficulty_ramping") == Some(&OptionValue::Flag(true));
        Console { game: G::new(ramping), keys, stickiness: options.number("sticky_actions"), last: Key::None }
    }
}

impl<G: Game> Env for Console<G> {
    fn reset(&mut self, rng: &mut Rng) {
        self.last = Key::None;
        self.game.start(rng);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng) -> Outcome {
        if self.stickiness == 0.0 || !rng.random_bool(self.stickiness) {
            self.last = self.keys[action.index() as usize];
        }
        self.game.play(self.last, rng)
    }

    fn observe(&self, out: &mut [f32]) {
        out.fill(0.0);
        self.game.paint(&mut Screen(out));
    }

    /// The grid; in a cell with several channels the first is seen, trails and other quiet ones last.
    fn scene(&self) -> Option<Scene> {
        let mut cells = [0.0; MOST_CHANNELS * CELLS];
        self.game.paint(&mut Screen(&mut cells));
        Some(Scene::grid(SIDE, SIDE, |row, column| {
            let set = |channel: &usize| cells[channel * CELLS + row * SIDE + column] > 0.0;
            let inks = (0..G::CHANNELS.len()).filter(set).map(|channel| G::CHANNELS[channel]);
            inks.min_by_key(|ink| *ink == Ink::Quiet)
        }))
    }
}
