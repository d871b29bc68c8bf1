//! Catch a falling ball with a paddle: does credit reach the moves that earned it?
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(3)`: 0 moves the paddle left, 1 keeps it, 2 moves it right |
//! | Observation space | `Box(1, rows, columns)`: 1 at the ball and at the paddle, otherwise 0 |
//! | Reward | in the last step 1 if the ball meets the paddle and −1 if not; 0 before |
//! | Initial state | the ball in the top row, in a uniform column; the paddle in the bottom row, in the middle (column `⌊columns/2⌋`) |
//! | Termination | the ball is in the bottom row, after `rows − 1` steps |
//! | Truncation | never |
//! | Solved at | 1, the return of the best policy where the paddle has the time to reach every column |
//!
//! # Dynamics
//! A step moves the paddle by one column, not beyond the edges, and then the ball down by one row.
//!
//! # Source
//! Mnih, Heess, Graves and Kavukcuoglu (2014), arXiv 1406.6247; the board of 10 × 5 and the rewards are those of bsuite,
//! Osband et al. (2019), arXiv 1908.03568.

use crate::options::{OptionKind, OptionRow, Options};
use crate::{Action, BestReturn, Copies, Env, Ink, Made, Outcome, Rng, Scene, Space, Spec};
use rand::Rng as _;

pub const SPEC: Spec = Spec {
    id: "Lossward/Catch-v0",
    summary: "catch a ball that falls over 10 rows and 5 columns; 1 or −1 at the end (bsuite 2019)",
    source: include_str!("catch.rs"),
    observations: Space::binary(&[1, 10, 5]),
    actions: Space::Discrete(3),
    max_steps: None,
    reward_threshold: None,
    best_return: Some(BestReturn { found: "in closed form", expected: best_return }),
    options: &[
        OptionRow {
            name: "rows",
            meaning: "height of the board, at most 200",
            kind: OptionKind::Whole { default: Some(10), at_least: 2 },
        },
        OptionRow {
            name: "columns",
            meaning: "width of the board, at most 200",
            kind: OptionKind::Whole { default: Some(5), at_least: 1 },
        },
    ],
    make,
};

fn make(options: &Options, rngs: Vec<Rng>) -> Made {
    let board = (options.whole_up_to("rows", 200)?, options.whole_up_to("columns", 200)?);
    let spaces = (Space::binary(&[1, board.0, board.1]), SPEC.actions);
    let env = Catch { board, ball: (0, 0), paddle: 0 };
    Ok(Box::new(Copies::new(SPEC.id, spaces, SPEC.max_steps, vec![env; rngs.len()], rngs)))
}

/// Every ball within reach is caught, the others are not.
fn best_return(options: &Options, max_steps: Option<u32>) -> Option<f64> {
    let (rows, columns) = (options.whole_up_to("rows", 200).ok()?, options.whole_up_to("columns", 200).ok()?);
    let steps = rows - 1;
    if max_steps.is_some_and(|limit| (limit as usize) < steps) {
        return Some(0.0);
    }
    let reached = (0..columns).filter(|column| column.abs_diff(columns / 2) <= steps).count();
    Some(2.0 * reached as f64 / columns as f64 - 1.0)
}

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct Catch {
    /// Rows and columns.
    board: (usize, usize),
    /// Row and column; row 0 is at the top.
    pub ball: (usize, usize),
    /// Column.
    pub paddle: usize,
}

impl Env for Catch {
    fn reset(&mut self, rng: &mut Rng) {
        self.ball = (0, rng.random_range(0..self.board.1));
        self.paddle = self.board.1 / 2;
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        self.paddle = (self.paddle + action.index() as usize).saturating_sub(1).min(self.board.1 - 1);
        self.ball.0 += 1;
        match self.ball.0 == self.board.0 - 1 {
            false => Outcome { reward: 0.0, terminated: false },
            true => Outcome { reward: if self.ball.1 == self.paddle { 1.0 } else { -1.0 }, terminated: true },
        }
    }

    fn observe(&self, out: &mut [f32]) {
        let (rows, columns) = self.board;
        out.fill(0.0);
        out[self.ball.0 * columns + self.ball.1] = 1.0;
        out[(rows - 1) * columns + self.paddle] = 1.0;
    }

    fn scene(&self) -> Option<Scene> {
        let (rows, columns) = self.board;
        let paddle = (rows - 1, self.paddle);
        Some(Scene::grid(rows, columns, |row, column| match (row, column) {
            cell if cell == self.ball => Some(Ink::Goal),
            cell if cell == paddle => Some(Ink::Player),
            _ => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream;

    /// Plays a sequence of actions from every column of the ball.
    fn play(board: (usize, usize), column: usize, actions: impl Iterator<Item = u32>) -> f64 {
        let mut env = Catch { board, ball: (0, column), paddle: board.1 / 2 };
        let mut rng = stream(0, "env", 0);
        for (i, action) in actions.enumerate() {
            let outcome = env.step(Action::Index(action), &mut rng);
            assert_eq!(outcome.terminated, i == board.0 - 2);
            if outcome.terminated {
                return outcome.reward;
            }
        }
        unreachable!("a sequence is as long as an episode")
    }

    /// The paddle is a random walk that stays at the edges; its distribution by the transition matrix.
    #[test]
    fn all_sequences_of_actions_earn_what_a_random_walk_does() {
        let mut walk = [0.0, 0.0, 1.0, 0.0, 0.0_f64];
        for _ in 0..9 {
            let at = |i: usize| walk[i];
            walk = [
                (2.0 * at(0) + at(1)) / 3.0,
                (at(0) + at(1) + at(2)) / 3.0,
                (at(1) + at(2) + at(3)) / 3.0,
                (at(2) + at(3) + at(4)) / 3.0,
                (at(3) + 2.0 * at(4)) / 3.0,
            ];
        }
        for (column, caught) in walk.into_iter().enumerate() {
            let all = 3_u32.pow(9);
            let total: f64 = (0..all).map(|code| play((10, 5), column, (0..9).map(|i| code / 3_u32.pow(i) % 3))).sum();
            assert!((total / f64::from(all) - (2.0 * caught - 1.0)).abs() < 1e-12, "column {column}");
        }
    }

    #[test]
    fn every_ball_can_be_caught() {
        for column in 0..5_usize {
            let actions = (0..9).map(|i| match column.abs_diff(2) > i {
                true if column > 2 => 2,
                true => 0,
                false => 1,
            });
            assert_eq!(play((10, 5), column, actions), 1.0);
        }
    }

    /// The best of all sequences of actions for each column of the ball, which is seen.
    #[test]
    fn the_best_return_is_that_of_the_best_sequences() {
        for (rows, columns) in [(2, 1), (2, 5), (3, 4), (3, 6), (4, 9), (10, 5)] {
            let steps = rows - 1;
            let of =
                |column, code: u32| play((rows, columns), column, (0..steps).map(|i| code / 3_u32.pow(i as u32) % 3));
            let best = |column| (0..3_u32.pow(steps as u32)).map(|code| of(column, code)).fold(-1.0, f64::max);
            let mean = (0..columns).map(best).sum::<f64>() / columns as f64;
            let toml = format!("rows = {rows}\ncolumns = {columns}");
            let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(&toml).unwrap()).unwrap();
            let told = |limit| SPEC.best_expected_return(&options, limit).unwrap();
            assert!(
                [None, Some(steps as u32)].iter().all(|limit| (told(*limit) - mean).abs() < 1e-12),
                "{toml}: {mean}"
            );
            assert_eq!(told(Some(steps as u32 - 1)), 0.0);
        }
    }

    #[test]
    fn the_board_has_the_size_that_was_asked_for() {
        let options = |toml: &str| Options::new(SPEC.id, SPEC.options, &toml::from_str(toml).unwrap()).unwrap();
        let env = (SPEC.make)(&options("rows = 4\ncolumns = 7"), vec![stream(0, "env", 0)]).unwrap();
        assert_eq!(env.observations(), Space::binary(&[1, 4, 7]));
        assert_eq!(env.steps().observations.iter().sum::<f32>(), 2.0);
        assert_eq!(env.steps().observations[3 * 7 + 3], 1.0);
        let error = (SPEC.make)(&options("rows = 201"), Vec::new()).err().unwrap();
        assert_eq!(error.to_string(), "`rows` must be at most 200, not 201");
    }
}
