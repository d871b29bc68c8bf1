//! Dive for a treasure that only a whole dive to the right finds: does the learner explore deeply?
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(2)`: one of them moves right and the other left; which one depends on the place |
//! | Observation space | `Box(1, size, size)`: 1 at the diver; all 0 at the bottom |
//! | Reward | `−0.01/size` for every move to the right, and 1 for one in the last column, which only the last step can be in |
//! | Initial state | the upper left cell |
//! | Termination | after `size` steps |
//! | Truncation | never |
//! | Solved at | 0.99, the return of the best policy |
//!
//! # Dynamics
//! A step moves the diver down by one row and right or left by one column, not beyond the edges. With
//! `meaning = "column"`, a fair coin per column says which action moves right there, with `"cell"` a coin per cell, and with
//! `"fixed"` action 1 always does. The coins are thrown once per trial; all copies of an environment share them, those of
//! the evaluation too. The option `instance` makes the throw the same in every trial.
//!
//! # The best that can be expected
//! Of the `2^size` sequences of moves one reaches the treasure: all to the right, for a return of
//! `1 − size · 0.01/size = 0.99`. The next best is 0, for all to the left. Actions at random earn `2^−size − 0.005`.
//!
//! # Source
//! Osband, Van Roy, Russo and Wen (2019), "Deep exploration via randomized value functions", Journal of Machine Learning
//! Research 20(124), and bsuite, Osband et al. (2019), arXiv 1908.03568, whose deterministic version `meaning = "cell"` is.

use crate::instance::{INSTANCE, instance};
use crate::options::{OptionKind, OptionRow, Options};
use crate::{Action, BestReturn, Copies, Env, Ink, Made, Outcome, Rng, Scene, Space, Spec};
use rand::Rng as _;
use std::sync::Arc;

const COST: f64 = 0.01;

pub const SPEC: Spec = Spec {
    id: "Lossward/DeepSea-v0",
    summary: "dive to the right for a treasure while every move there costs; 10 steps (Osband 2019)",
    source: include_str!("deep_sea.rs"),
    observations: Space::binary(&[1, 10, 10]),
    actions: Space::Discrete(2),
    max_steps: None,
    reward_threshold: None,
    best_return: Some(BestReturn { found: "in closed form", expected: best_return }),
    options: &[
        OptionRow {
            name: "size",
            meaning: "rows and columns, at most 100",
            kind: OptionKind::Whole { default: Some(10), at_least: 1 },
        },
        OptionRow {
            name: "meaning",
            meaning: "whether a coin per column or per cell says which action moves right, or action 1 always does",
            kind: OptionKind::Choice(&["column", "cell", "fixed"]),
        },
        INSTANCE,
    ],
    make,
};

fn make(options: &Options, rngs: Vec<Rng>) -> Made {
    let size = options.whole_up_to("size", 100)?;
    let right = throw(options.choice("meaning"), size, &mut instance(options, &rngs, "actions' meaning"));
    let env = DeepSea { size, right: right.into(), row: 0, column: 0 };
    let spaces = (Space::binary(&[1, size, size]), SPEC.actions);
    Ok(Box::new(Copies::new(SPEC.id, spaces, SPEC.max_steps, vec![env; rngs.len()], rngs)))
}

/// The treasure less the costs of the way, or nothing at all where there is no time for it.
fn best_return(options: &Options, max_steps: Option<u32>) -> Option<f64> {
    let size = options.whole_up_to("size", 100).ok()?;
    Some(if max_steps.is_none_or(|limit| limit as usize >= size) { 1.0 - COST } else { 0.0 })
}

/// The action that moves right in each cell, `[rows, columns]`.
fn throw(meaning: &str, size: usize, rng: &mut Rng) -> Vec<u32> {
    let mut coins = |count| (0..count).map(|_| rng.random_range(0..2)).collect::<Vec<u32>>();
    match meaning {
        "cell" => coins(size * size),
        "column" => coins(size).repeat(size),
        _ => vec![1; size * size],
    }
}

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct DeepSea {
    size: usize,
    /// The action that moves right in each cell, `[rows, columns]`, shared by all copies.
    right: Arc<[u32]>,
    /// `size` at the bottom.
    pub row: usize,
    pub column: usize,
}

impl Env for DeepSea {
    fn reset(&mut self, _: &mut Rng) {
        (self.row, self.column) = (0, 0);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        let right = action.index() == self.right[self.row * self.size + self.column];
        let reward = match right {
            true if self.column == self.size - 1 => 1.0 - COST / self.size as f64,
            true => -COST / self.size as f64,
            false => 0.0,
        };
        self.column = if right { (self.column + 1).min(self.size - 1) } else { self.column.saturating_sub(1) };
        self.row += 1;
        Outcome { reward, terminated: self.row == self.size }
    }

    fn observe(&self, out: &mut [f32]) {
        out.fill(0.0);
        if self.row < self.size {
            out[self.row * self.size + self.column] = 1.0;
        }
    }

    /// The cells that can be reached, the treasure in the lower right one, and the diver.
    fn scene(&self) -> Option<Scene> {
        let row_of_diver = self.row.min(self.size - 1);
        Some(Scene::grid(self.size, self.size, |row, column| match (row, column) {
            cell if cell == (row_of_diver, self.column) => Some(Ink::Player),
            cell if cell == (self.size - 1, self.size - 1) => Some(Ink::Goal),
            (row, column) if column > row => None,
            _ => Some(Ink::Quiet),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actions, Vectorized, stream};

    fn copies(toml: &str, seed: u64, copies: usize) -> Box<dyn Vectorized> {
        let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(toml).unwrap()).unwrap();
        (SPEC.make)(&options, vec![stream(seed, "env", 0); copies]).unwrap()
    }

    /// Every sequence of actions, one per copy.
    fn returns(toml: &str, size: u32, seed: u64) -> Vec<f64> {
        let sequences = 2_u32.pow(size);
        let mut env = copies(&format!("size = {size}\n{toml}"), seed, sequences as usize);
        for step in 0..size {
            assert!(env.steps().ends.is_empty());
            let actions: Vec<u32> = (0..sequences).map(|sequence| sequence >> step & 1).collect();
            env.step(Actions::Indices(&actions), &[]).unwrap();
        }
        env.steps().ends.iter().map(|end| end.total_reward).collect()
    }

    #[test]
    fn one_sequence_finds_the_treasure_whatever_actions_mean() {
        for (seed, meaning) in [(0, "column"), (1, "column"), (0, "cell"), (1, "cell"), (0, "fixed")] {
            for size in 1..=10 {
                let mut returns = returns(&format!("meaning = \"{meaning}\""), size, seed);
                assert_eq!(returns.len(), 1 << size);
                returns.sort_by(f64::total_cmp);
                assert!((returns[returns.len() - 1] - 0.99).abs() < 1e-12, "{meaning} {size}");
                assert_eq!(returns[returns.len() - 2], 0.0);
                let toml = format!("size = {size}\nmeaning = \"{meaning}\"");
                let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(&toml).unwrap()).unwrap();
                let best = [None, Some(size), Some(size - 1)].map(|limit| SPEC.best_expected_return(&options, limit));
                assert_eq!(best, [Some(0.99), Some(0.99), Some(0.0)]);
                let mean = returns.iter().sum::<f64>() / returns.len() as f64;
                assert!((mean - (0.5_f64.powi(size.cast_signed()) - 0.005)).abs() < 1e-12, "{meaning} {size}: {mean}");
            }
        }
    }

    /// The sequence with the best return, as bits.
    fn best(toml: &str, seed: u64) -> usize {
        let returns = returns(toml, 10, seed);
        (0..returns.len()).max_by(|a, b| returns[*a].total_cmp(&returns[*b])).unwrap()
    }

    #[test]
    fn the_meaning_is_that_of_a_trial_or_of_its_number() {
        assert_eq!(best("meaning = \"fixed\"", 0), (1 << 10) - 1);
        let meanings = |toml| [0, 1, 2].map(|seed| best(toml, seed));
        let [a, b, c] = meanings("");
        assert!(a != b && b != c, "{a} {b} {c}");
        let [a, b, c] = meanings("instance = 3");
        assert!(a == b && b == c, "{a} {b} {c}");
    }

    #[test]
    fn a_column_means_the_same_in_every_row_and_a_cell_need_not() {
        let rows_agree = |meaning| {
            let right = throw(meaning, 10, &mut stream(0, "test", 0));
            assert_eq!(right.len(), 100);
            right.chunks(10).all(|row| row == &right[..10])
        };
        assert!(rows_agree("column") && rows_agree("fixed") && !rows_agree("cell"));
        let ones = throw("cell", 100, &mut stream(0, "test", 0)).iter().sum::<u32>();
        // Of 10 000 fair coins, whose number of heads has a standard deviation of 50.
        assert!(ones.abs_diff(5000) < 200, "{ones}");
    }
}
