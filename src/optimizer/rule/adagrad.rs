//! Rates that shrink with the sum of squares.

use super::{L2, Made, RuleRow, epsilon};
use crate::kernel::Real;
use crate::optimizer::pass::{Common, Rule, Share, real};
use crate::options::{Interval, OptionRow};

pub const ADAGRAD: RuleRow = RuleRow {
    name: "adagrad",
    formula: "s ← s + g², s₀ = a;  w ← w − η/(1 + (t−1)δ) · g/(√s + ε)",
    summary: "rates that shrink with the sum of squares (Duchi et al. 2011)",
    options: &[
        OptionRow::number("learning_rate_decay", 0.0, Interval::NOT_NEGATIVE, "δ"),
        OptionRow::number("initial_accumulator", 0.0, Interval::NOT_NEGATIVE, "a"),
        epsilon(1e-10),
        L2,
    ],
    make: |options| {
        let rule =
            Adagrad { learning_rate_decay: options.number("learning_rate_decay"), epsilon: options.number("epsilon") };
        Ok(Made::new([Some(options.number("initial_accumulator")), None, None], rule))
    },
};

struct Adagrad {
    learning_rate_decay: f64,
    epsilon: f64,
}

impl Rule for Adagrad {
    #[inline(always)]
    fn step<T: Real>(&self, share: Share<T>, common: Common<T>) {
        let Adagrad { learning_rate_decay, epsilon } = *self;
        let past_updates = (share.step.update - 1) as f64;
        let rate: T = real(share.step.learning_rate / (1.0 + past_updates * learning_rate_decay));
        let epsilon: T = real(epsilon);
        let [squares, ..] = share.buffers;
        for ((w, g), s) in share.weights.iter_mut().zip(share.gradient).zip(squares) {
            let g = common.gradient(*g, *w);
            *s += g * g;
            *w -= rate * g / (s.sqrt() + epsilon);
        }
    }
}
