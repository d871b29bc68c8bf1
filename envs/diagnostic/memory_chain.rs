//! Remember what was shown first, and answer a question about it at the end.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(2)`: the answer |
//! | Observation space | `Box(1 + 2·bits)`: the share of steps that are left, `1 − t/length`; which bit is asked for (one-hot, in the last step only); the context, each bit as ±1 (in the first step only, otherwise 0) |
//! | Reward | in the last step 1 for the right answer and −1 for the wrong one; 0 before |
//! | Initial state | every bit of the context and the index of the question uniform |
//! | Termination | after `length` steps |
//! | Truncation | never |
//! | Solved at | 1, the return of a policy that remembers |
//!
//! # Dynamics
//! Time passes; only the last action counts. It is right if it is the bit that is asked for, 0 or 1. The observation after
//! the last step is all 0.
//!
//! # The best that can be expected
//! 1 with memory. What is shown in the last step says nothing about the context, so that every policy without memory earns
//! 0 on average, unless `length = 1`, where context and question are shown at once, or `visible = true`, which shows the
//! context all the time: both are controls that need no memory.
//!
//! # Source
//! The memory length and memory size experiments of bsuite, Osband et al. (2019), arXiv 1908.03568, with the question
//! one-hot rather than as a number.

use crate::options::{OptionKind, OptionRow, Options};
use crate::{Action, BestReturn, Bound, Copies, Dims, Env, Ink, Made, Outcome, Rng, Scene, Shape, Space, Spec};
use rand::Rng as _;

pub const SPEC: Spec = Spec {
    id: "Lossward/MemoryChain-v0",
    summary: "answer at the end what was shown at the start; 5 steps, 1 or −1 (bsuite 2019)",
    source: include_str!("memory_chain.rs"),
    observations: space(1),
    actions: Space::Discrete(2),
    max_steps: None,
    reward_threshold: None,
    best_return: Some(BestReturn { found: "in closed form", expected: best_return }),
    options: &[
        OptionRow {
            name: "length",
            meaning: "steps of an episode, at most 1000000",
            kind: OptionKind::Whole { default: Some(5), at_least: 1 },
        },
        OptionRow {
            name: "bits",
            meaning: "bits of the context, at most 1000",
            kind: OptionKind::Whole { default: Some(1), at_least: 1 },
        },
        OptionRow {
            name: "visible",
            meaning: "whether the context is shown in every step, which makes memory needless",
            kind: OptionKind::Flag { default: false },
        },
    ],
    make,
};

const fn space(bits: usize) -> Space {
    Space::Box { shape: Dims::of(&[1 + 2 * bits]), low: Bound::All(-1.0), high: Bound::All(1.0) }
}

fn make(options: &Options, rngs: Vec<Rng>) -> Made {
    let bits = options.whole_up_to("bits", 1000)?;
    let env = MemoryChain {
        length: options.whole_up_to("length", 1_000_000)?,
        visible: options.flag("visible"),
        context: vec![0; bits],
        question: 0,
        time: 0,
    };
    let spaces = (space(bits), SPEC.actions);
    Ok(Box::new(Copies::new(SPEC.id, spaces, SPEC.max_steps, vec![env; rngs.len()], rngs)))
}

/// 1 for the right answer, if there is time for one.
fn best_return(options: &Options, max_steps: Option<u32>) -> Option<f64> {
    let length = options.whole_up_to("length", 1_000_000).ok()?;
    Some(f64::from(u8::from(max_steps.is_none_or(|limit| limit as usize >= length))))
}

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct MemoryChain {
    length: usize,
    visible: bool,
    /// Bits, 0 or 1.
    pub context: Vec<u32>,
    /// Index of the bit that is asked for.
    pub question: usize,
    /// Steps since the reset.
    pub time: usize,
}

impl Env for MemoryChain {
    fn reset(&mut self, rng: &mut Rng) {
        self.context.fill_with(|| rng.random_range(0..2));
        self.question = rng.random_range(0..self.context.len());
        self.time = 0;
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        self.time += 1;
        if self.time < self.length {
            return Outcome { reward: 0.0, terminated: false };
        }
        let right = action.index() == self.context[self.question];
        Outcome { reward: if right { 1.0 } else { -1.0 }, terminated: true }
    }

    fn observe(&self, out: &mut [f32]) {
        out.fill(0.0);
        if self.time == self.length {
            return;
        }
        let (left, rest) = out.split_at_mut(1);
        let (question, context) = rest.split_at_mut(self.context.len());
        left[0] = 1.0 - self.time as f32 / self.length as f32;
        if self.time + 1 == self.length {
            question[self.question] = 1.0;
        }
        if self.time == 0 || self.visible {
            for (out, bit) in context.iter_mut().zip(&self.context) {
                *out = if *bit == 1 { 1.0 } else { -1.0 };
            }
        }
    }

    /// The bits (filled where 1) above the chain of steps, pale once they are hidden, and a mark over the question once it
    /// is asked.
    fn scene(&self) -> Option<Scene> {
        let (steps, bits) = (self.length as f32, self.context.len() as f32);
        let mut scene = Scene::new(bits.max(8.0), 4.0);
        let shown = self.time == 0 || self.visible;
        for (i, bit) in self.context.iter().enumerate() {
            let x = (scene.width - bits) / 2.0 + i as f32 + 0.5;
            let asked = self.time + 1 >= self.length && i == self.question;
            let ink = match (asked, shown) {
                (true, _) => Ink::Goal,
                (false, true) => Ink::Other,
                (false, false) => Ink::Quiet,
            };
            let text = bit.to_string();
            scene.shapes.push(Shape::Circle { center: (x, 2.5), radius: 0.45, ink });
            scene.shapes.push(Shape::Text { at: (x, 2.3), text, size: 0.6, ink: Ink::Outline });
        }
        let x = 0.5 + (scene.width - 1.0) * self.time as f32 / steps;
        let to = (scene.width - 0.5, 0.7);
        scene.shapes.push(Shape::Line { from: (0.5, 0.7), to, width: 0.1, ink: Ink::Quiet });
        scene.shapes.push(Shape::Circle { center: (x, 0.7), radius: 0.3, ink: Ink::Player });
        Some(scene)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream;

    /// Plays every context and question; `act(remembered, observation)` answers, given the first observation and the
    /// present one. Returns the mean.
    fn mean_return((length, bits, visible): (usize, usize, bool), act: impl Fn(&[f32], &[f32]) -> u32) -> f64 {
        let mut total = 0.0;
        for code in 0..1_usize << bits {
            for question in 0..bits {
                let context = (0..bits).map(|i| (code >> i & 1) as u32).collect();
                let mut env = MemoryChain { length, visible, context, question, time: 0 };
                let mut first = vec![0.0; 1 + 2 * bits];
                env.observe(&mut first);
                let mut now = first.clone();
                for step in 1..=length {
                    let outcome = env.step(Action::Index(act(&first, &now)), &mut stream(0, "env", 0));
                    assert_eq!(outcome.terminated, step == length);
                    assert!(outcome.terminated || outcome.reward == 0.0);
                    total += outcome.reward;
                    env.observe(&mut now);
                }
            }
        }
        total / ((1 << bits) * bits) as f64
    }

    /// The bit that is asked for: the context of one observation, the question of another.
    fn answer(context: &[f32], question: &[f32]) -> u32 {
        let bits = context.len() / 2;
        let asked = (0..bits).find(|i| question[1 + i] == 1.0).unwrap_or(0);
        u32::from(context[1 + bits + asked] > 0.0)
    }

    #[test]
    fn who_remembers_is_always_right() {
        for (length, bits) in [(1, 1), (1, 4), (2, 1), (5, 1), (7, 3)] {
            assert_eq!(mean_return((length, bits, false), answer), 1.0);
            let toml = format!("length = {length}\nbits = {bits}");
            let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(&toml).unwrap()).unwrap();
            let limits = [None, Some(length as u32), Some(length as u32 - 1)];
            let best = limits.map(|limit| SPEC.best_expected_return(&options, limit));
            assert_eq!(best, [Some(1.0), Some(1.0), Some(0.0)]);
        }
    }

    /// All 16 functions from what is shown at the end (two bits: which is asked) and the time to an answer.
    #[test]
    fn who_does_not_remember_earns_nothing_unless_the_context_stays_visible() {
        for length in [2, 5] {
            for policy in 0..16_u32 {
                let act = |_: &[f32], now: &[f32]| {
                    let sees = 2 * u32::from(now[1] == 1.0) + u32::from(now[2] == 1.0);
                    policy >> sees & 1
                };
                assert_eq!(mean_return((length, 2, false), act), 0.0);
            }
            assert_eq!(mean_return((length, 2, true), |_, now| answer(now, now)), 1.0);
        }
        assert_eq!(mean_return((1, 2, false), |_, now| answer(now, now)), 1.0);
    }

    #[test]
    fn the_end_does_not_show_the_context() {
        let observe = |context: Vec<u32>| {
            let env = MemoryChain { length: 3, visible: false, context, question: 1, time: 2 };
            let mut out = [f32::NAN; 5];
            env.observe(&mut out);
            out
        };
        assert_eq!(observe(vec![0, 1]), observe(vec![1, 0]));
        assert_eq!(observe(vec![0, 1])[1..], [0.0, 1.0, 0.0, 0.0]);
    }
}
