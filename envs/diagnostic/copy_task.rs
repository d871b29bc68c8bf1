//! Watch a sequence of symbols, then reproduce it from memory.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(symbols)`: the symbol to write |
//! | Observation space | `Box(symbols + 1 + length)`: the symbol that is shown (one-hot; all 0 while writing); 1 while writing, otherwise 0; the place in the sequence (one-hot) |
//! | Reward | 1 for every right symbol that is written, otherwise 0 |
//! | Initial state | every symbol of the sequence uniform |
//! | Termination | after `2·length` steps |
//! | Truncation | never |
//! | Solved at | `length` (5), the return of a policy that remembers |
//!
//! # Dynamics
//! In the first `length` steps the symbols are shown one after another, and actions do nothing; in the other `length` steps
//! each action is compared with the symbol of the same place. The observation after the last step is all 0.
//!
//! # The best that can be expected
//! `length` with memory; without it, `length/symbols`, the same for every policy, unless `visible = true`, which shows the
//! right symbol while it is to be written: a control that needs no memory.
//!
//! # Source
//! The copy task of Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8), and of Graves,
//! Wayne and Danihelka (2014), "Neural Turing machines", arXiv 1410.5401, with a reward for every symbol.

use crate::options::{OptionKind, OptionRow, Options};
use crate::{Action, BestReturn, Copies, Env, Ink, Made, Outcome, Rng, Scene, Shape, Space, Spec};
use rand::Rng as _;

pub const SPEC: Spec = Spec {
    id: "Lossward/Copy-v0",
    summary: "watch 5 symbols, then write them from memory; 1 per right symbol (Graves 2014)",
    source: include_str!("copy_task.rs"),
    observations: Space::binary(&[4 + 1 + 5]),
    actions: Space::Discrete(4),
    max_steps: None,
    reward_threshold: None,
    best_return: Some(BestReturn { found: "in closed form", expected: best_return }),
    options: &[
        OptionRow {
            name: "symbols",
            meaning: "different symbols, at most 1000",
            kind: OptionKind::Whole { default: Some(4), at_least: 2 },
        },
        OptionRow {
            name: "length",
            meaning: "symbols of a sequence, at most 1000",
            kind: OptionKind::Whole { default: Some(5), at_least: 1 },
        },
        OptionRow {
            name: "visible",
            meaning: "whether the right symbol is shown while it is to be written, which makes memory needless",
            kind: OptionKind::Flag { default: false },
        },
    ],
    make,
};

fn make(options: &Options, rngs: Vec<Rng>) -> Made {
    let symbols = options.whole_up_to("symbols", 1000)?;
    let length = options.whole_up_to("length", 1000)?;
    let env = CopyTask { symbols, visible: options.flag("visible"), sequence: vec![0; length], time: 0 };
    let spaces = (Space::binary(&[symbols + 1 + length]), Space::Discrete(symbols as u32));
    Ok(Box::new(Copies::new(SPEC.id, spaces, SPEC.max_steps, vec![env; rngs.len()], rngs)))
}

/// 1 for every step of the writing.
fn best_return(options: &Options, max_steps: Option<u32>) -> Option<f64> {
    let length = options.whole_up_to("length", 1000).ok()?;
    Some(max_steps.map_or(length, |limit| (limit as usize).saturating_sub(length).min(length)) as f64)
}

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct CopyTask {
    symbols: usize,
    visible: bool,
    pub sequence: Vec<u32>,
    /// Steps since the reset.
    pub time: usize,
}

impl Env for CopyTask {
    fn reset(&mut self, rng: &mut Rng) {
        let symbols = self.symbols as u32;
        self.sequence.fill_with(|| rng.random_range(0..symbols));
        self.time = 0;
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        let length = self.sequence.len();
        let right = self.time >= length && self.sequence[self.time - length] == action.index();
        self.time += 1;
        Outcome { reward: f64::from(u8::from(right)), terminated: self.time == 2 * length }
    }

    fn observe(&self, out: &mut [f32]) {
        out.fill(0.0);
        let length = self.sequence.len();
        let (writing, place) = (self.time >= length, self.time % length);
        if self.time == 2 * length {
            return;
        }
        if !writing || self.visible {
            out[self.sequence[place] as usize] = 1.0;
        }
        out[self.symbols] = f32::from(u8::from(writing));
        out[self.symbols + 1 + place] = 1.0;
    }

    /// The tape above; below it the head that reads, or that writes in the color of a goal.
    fn scene(&self) -> Option<Scene> {
        let length = self.sequence.len();
        let (writing, place) = (self.time >= length, (self.time.min(2 * length - 1)) % length);
        let mut scene = Scene::new(length as f32, 2.5);
        for (i, symbol) in self.sequence.iter().enumerate() {
            let x = i as f32;
            let ink = if i == place && !writing { Ink::Other } else { Ink::Quiet };
            let text = symbol.to_string();
            scene.shapes.push(Shape::Rectangle { corner: (x + 0.05, 1.3), size: (0.9, 0.9), ink });
            scene.shapes.push(Shape::Text { at: (x + 0.5, 1.55), text, size: 0.6, ink: Ink::Outline });
        }
        let x = place as f32 + 0.5;
        let points = vec![(x, 1.2), (x - 0.35, 0.4), (x + 0.35, 0.4)];
        scene.shapes.push(Shape::Polygon { points, ink: if writing { Ink::Goal } else { Ink::Player } });
        Some(scene)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream;

    /// The returns over all sequences; `act(tape, observation)` writes, given what was shown at each place.
    fn returns((symbols, length, visible): (usize, usize, bool), act: impl Fn(&[u32], &[f32]) -> u32) -> Vec<f64> {
        let play = |code: usize| {
            let sequence = (0..length).map(|i| (code / symbols.pow(i as u32) % symbols) as u32).collect();
            let mut env = CopyTask { symbols, visible, sequence, time: 0 };
            let (mut tape, mut now, mut total) = (Vec::new(), vec![0.0; symbols + 1 + length], 0.0);
            for step in 1..=2 * length {
                env.observe(&mut now);
                if now[symbols] == 0.0 {
                    tape.push(now[..symbols].iter().position(|x| *x == 1.0).unwrap() as u32);
                }
                let outcome = env.step(Action::Index(act(&tape, &now)), &mut stream(0, "env", 0));
                assert_eq!(outcome.terminated, step == 2 * length);
                assert!(step > length || outcome.reward == 0.0);
                total += outcome.reward;
            }
            total
        };
        (0..symbols.pow(length as u32)).map(play).collect()
    }

    #[test]
    fn who_remembers_the_tape_writes_all_of_it() {
        for (symbols, length) in [(2, 1), (4, 5), (3, 4)] {
            let write = |tape: &[u32], now: &[f32]| {
                let place = now[symbols + 1..].iter().position(|x| *x == 1.0).unwrap();
                tape[place]
            };
            assert!(returns((symbols, length, false), write).iter().all(|total| *total == length as f64));
            let toml = format!("symbols = {symbols}\nlength = {length}");
            let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(&toml).unwrap()).unwrap();
            let (n, best) = (length as u32, |limit| SPEC.best_expected_return(&options, limit).unwrap());
            assert_eq!([None, Some(2 * n), Some(9 * n)].map(best), [length as f64; 3]);
            assert_eq!([2 * n - 1, n + 1, n, 1].map(|limit| best(Some(limit))), [f64::from(n) - 1.0, 1.0, 0.0, 0.0]);
        }
    }

    /// Every function from the place to a symbol, which is all that is shown while writing.
    #[test]
    fn who_forgets_writes_one_right_symbol_in_as_many_as_there_are() {
        let (symbols, length) = (3, 3);
        for policy in 0..27_u32 {
            let write = |_: &[u32], now: &[f32]| {
                let place = now[symbols + 1..].iter().position(|x| *x == 1.0).unwrap();
                policy / 3_u32.pow(place as u32) % 3
            };
            let returns = returns((symbols, length, false), write);
            assert_eq!(returns.iter().sum::<f64>() / returns.len() as f64, 1.0);
        }
    }

    #[test]
    fn the_visible_tape_needs_no_memory() {
        let write = |_: &[u32], now: &[f32]| now[..4].iter().position(|x| *x == 1.0).unwrap() as u32;
        assert!(returns((4, 3, true), write).iter().all(|total| *total == 3.0));
    }
}
