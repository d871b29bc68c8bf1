//! Walk over a grid whose rule can be another one when it counts: what does a policy do after a shift?
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(4)`: 0 up, 1 right, 2 down, 3 left |
//! | Observation space | `Box(2, 7, 10)`: 1 at the walker in the first plane, 1 at the goal in the second, otherwise 0 |
//! | Reward | −1 for every step |
//! | Initial state | the walker in row 3, column 0; with `random_start`, in any cell but the goal, each as likely |
//! | Termination | the walker stands on the goal |
//! | Truncation | 100 steps |
//! | Solved at | the shortest way: −7, −12, −15 and −7 for the four shifts, from row 3, column 0 |
//!
//! # Dynamics
//! Row 0 is at the top; the goal is in row 3, column 7. A step moves the walker to the neighboring cell, not beyond the
//! edges. The option `shift` changes one rule; train with one value and evaluate with another:
//!
//! - `none`: nothing;
//! - `goal`: the goal is in row 6, column 9. It is seen, so that a policy that has learned to look for it could find it;
//! - `wind`: a step also carries the walker upward by 0, 0, 0, 1, 1, 1, 2, 2, 1, 0 cells, depending on the column in which it
//!   begins, not beyond the edge. Nothing shows it: dynamics have shifted, observations have not;
//! - `mirror`: right and left are exchanged. Nothing shows it either.
//!
//! # Source
//! The windy grid world of Sutton and Barto (2018), "Reinforcement Learning: An Introduction", second edition, example 6.5,
//! is `shift = "wind"`; to evaluate under a rule that training has not seen, Leike et al. (2017), "AI safety gridworlds",
//! arXiv 1711.09883.

use crate::options::{OptionKind, OptionRow, Options};
use crate::toy_text::dynamic_programming::best_expected_return;
use crate::toy_text::table::{Transition, TransitionTable};
use crate::{Action, BestReturn, Copies, Env, Ink, Outcome, Rng, Scene, Space, Spec};
use rand::Rng as _;

const ROWS: usize = 7;
const COLUMNS: usize = 10;
const START: (usize, usize) = (3, 0);
/// The reward of a step.
const STEP: f64 = -1.0;
const WIND: [usize; COLUMNS] = [0, 0, 0, 1, 1, 1, 2, 2, 1, 0];

pub const SPEC: Spec = Spec {
    id: "Lossward/ShiftedGrid-v0",
    summary: "walk to a goal over a 7×10 grid whose goal, wind or actions can be shifted (Sutton and Barto 2018)",
    source: include_str!("shifted_grid.rs"),
    observations: Space::binary(&[2, ROWS, COLUMNS]),
    actions: Space::Discrete(4),
    max_steps: Some(100),
    reward_threshold: None,
    best_return: Some(BestReturn {
        found: "by dynamic programming",
        expected: |options, max_steps| best_expected_return(&ShiftedGrid::new(options).table(), max_steps),
    }),
    options: &[
        OptionRow {
            name: "shift",
            meaning: "the rule that is another one: where the goal is, a wind, what left and right mean",
            kind: OptionKind::Choice(&["none", "goal", "wind", "mirror"]),
        },
        OptionRow {
            name: "random_start",
            meaning: "whether the walker starts anywhere",
            kind: OptionKind::Flag { default: false },
        },
    ],
    make: |options, rngs| Ok(Copies::of(&SPEC, vec![ShiftedGrid::new(options); rngs.len()], rngs)),
};

/// The rule that is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    None,
    Goal,
    Wind,
    Mirror,
}

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct ShiftedGrid {
    pub shift: Shift,
    random_start: bool,
    /// Row and column.
    pub walker: (usize, usize),
}

impl ShiftedGrid {
    /// With the walker at the usual start.
    pub fn new(options: &Options) -> ShiftedGrid {
        let shift = match options.choice("shift") {
            "goal" => Shift::Goal,
            "wind" => Shift::Wind,
            "mirror" => Shift::Mirror,
            _ => Shift::None,
        };
        ShiftedGrid { shift, random_start: options.flag("random_start"), walker: START }
    }

    /// Row and column.
    pub fn goal(&self) -> (usize, usize) {
        if self.shift == Shift::Goal { (6, 9) } else { (3, 7) }
    }

    /// Where a step leads.
    fn next(&self, action: u32) -> (usize, usize) {
        let (row, column) = self.walker;
        let action = match (action, self.shift) {
            (1, Shift::Mirror) => 3,
            (3, Shift::Mirror) => 1,
            (action, _) => action,
        };
        let (down, right) = [(0, 1), (1, 2), (2, 1), (1, 0)][action as usize];
        let wind = if self.shift == Shift::Wind { WIND[column] } else { 0 };
        (
            // The edge is where the way ends, move and wind taken together.
            (row + down).saturating_sub(1 + wind).min(ROWS - 1),
            (column + right).saturating_sub(1).min(COLUMNS - 1),
        )
    }

    /// The walk as a table, for dynamic programming; its states are the cells, row by row.
    fn table(&self) -> TransitionTable {
        let cell = |index: u32| (index as usize / COLUMNS, index as usize % COLUMNS);
        let begins = |index: &u32| if self.random_start { cell(*index) != self.goal() } else { cell(*index) == START };
        let starts: Vec<u32> = (0..(ROWS * COLUMNS) as u32).filter(begins).collect();
        let each = 1.0 / starts.len() as f64;
        let starts = starts.into_iter().map(|cell| (cell, each)).collect();
        TransitionTable::new((ROWS * COLUMNS, 4), starts, |index, action| {
            let next = ShiftedGrid { walker: cell(index), ..self.clone() }.next(action);
            vec![Transition::certain((next.0 * COLUMNS + next.1) as u32, STEP, next == self.goal())]
        })
    }
}

impl Env for ShiftedGrid {
    fn reset(&mut self, rng: &mut Rng) {
        self.walker = START;
        if self.random_start {
            // The cells but the goal, which the last one stands in for.
            let cell = |index| (index / COLUMNS, index % COLUMNS);
            let drawn = cell(rng.random_range(0..ROWS * COLUMNS - 1));
            self.walker = if drawn == self.goal() { cell(ROWS * COLUMNS - 1) } else { drawn };
        }
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        self.walker = self.next(action.index());
        Outcome { reward: STEP, terminated: self.walker == self.goal() }
    }

    fn observe(&self, out: &mut [f32]) {
        let goal = self.goal();
        out.fill(0.0);
        out[self.walker.0 * COLUMNS + self.walker.1] = 1.0;
        out[ROWS * COLUMNS + goal.0 * COLUMNS + goal.1] = 1.0;
    }

    /// Columns with wind are marked.
    fn scene(&self) -> Option<Scene> {
        Some(Scene::grid(ROWS, COLUMNS, |row, column| match (row, column) {
            cell if cell == self.walker => Some(Ink::Player),
            cell if cell == self.goal() => Some(Ink::Goal),
            (_, column) if self.shift == Shift::Wind && WIND[column] > 0 => Some(Ink::Quiet),
            _ => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream;
    use std::collections::VecDeque;

    /// Steps from the start to the goal by breadth-first search over the environment itself.
    fn shortest(shift: Shift, from: (usize, usize)) -> Option<u32> {
        let mut env = ShiftedGrid { shift, random_start: false, walker: from };
        let mut seen = [[false; COLUMNS]; ROWS];
        let mut queue = VecDeque::from([(from, 0)]);
        while let Some((cell, distance)) = queue.pop_front() {
            for action in 0..4 {
                env.walker = cell;
                if env.step(Action::Index(action), &mut stream(0, "env", 0)).terminated {
                    return Some(distance + 1);
                }
                if !std::mem::replace(&mut seen[env.walker.0][env.walker.1], true) {
                    queue.push_back((env.walker, distance + 1));
                }
            }
        }
        None
    }

    /// 15 is what Sutton and Barto tell of the windy grid world; the others are distances along rows and columns.
    #[test]
    fn the_shortest_ways_are_known() {
        let lengths = [Shift::None, Shift::Goal, Shift::Wind, Shift::Mirror].map(|shift| shortest(shift, START));
        assert_eq!(lengths, [Some(7), Some(12), Some(15), Some(7)]);
    }

    /// The way is as long as it is, or as the time limit; from random starts, on average.
    #[test]
    fn the_best_return_is_that_of_the_shortest_ways() {
        for (name, shift) in
            [("none", Shift::None), ("goal", Shift::Goal), ("wind", Shift::Wind), ("mirror", Shift::Mirror)]
        {
            for limit in [Some(100), Some(12), Some(5), None] {
                let cut = |steps: u32| -f64::from(steps.min(limit.unwrap_or(u32::MAX)));
                let best = |random_start: bool| {
                    let toml = format!("shift = \"{name}\"\nrandom_start = {random_start}");
                    let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(&toml).unwrap()).unwrap();
                    SPEC.best_expected_return(&options, limit).unwrap()
                };
                assert_eq!(best(false), cut(shortest(shift, START).unwrap()));
                let goal = ShiftedGrid { shift, random_start: true, walker: START }.goal();
                let cells = (0..ROWS * COLUMNS).map(|i| (i / COLUMNS, i % COLUMNS)).filter(|cell| *cell != goal);
                let mean = cells.map(|cell| cut(shortest(shift, cell).unwrap())).sum::<f64>() / 69.0;
                assert!((best(true) - mean).abs() < 1e-12, "{name} {limit:?}: {} {mean}", best(true));
            }
        }
    }

    #[test]
    fn the_goal_can_be_reached_from_every_cell_within_the_limit() {
        for shift in [Shift::None, Shift::Goal, Shift::Wind, Shift::Mirror] {
            for cell in (0..ROWS * COLUMNS).map(|i| (i / COLUMNS, i % COLUMNS)) {
                assert!(shortest(shift, cell).is_some_and(|steps| steps <= 100), "{shift:?} {cell:?}");
            }
        }
    }

    /// The best plan without a shift fails under each of them.
    #[test]
    fn a_plan_for_one_rule_fails_under_another() {
        for shift in [Shift::Goal, Shift::Wind, Shift::Mirror] {
            let mut env = ShiftedGrid { shift, random_start: false, walker: START };
            for _ in 0..100 {
                assert!(!env.step(Action::Index(1), &mut stream(0, "env", 0)).terminated, "{shift:?}");
            }
        }
    }

    #[test]
    fn random_starts_are_uniform_over_all_cells_but_the_goal() {
        for shift in [Shift::None, Shift::Goal] {
            let mut env = ShiftedGrid { shift, random_start: true, walker: START };
            let (mut rng, mut counts) = (stream(0, "env", 0), [[0_u32; COLUMNS]; ROWS]);
            for _ in 0..69_000 {
                env.reset(&mut rng);
                counts[env.walker.0][env.walker.1] += 1;
            }
            let goal = env.goal();
            assert_eq!(std::mem::replace(&mut counts[goal.0][goal.1], 1000), 0);
            // Binomial around 1000 with a standard deviation of 31.4.
            assert!(counts.iter().flatten().all(|count| count.abs_diff(1000) < 160), "{counts:?}");
        }
    }
}
