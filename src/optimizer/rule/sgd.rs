//! Stochastic gradient descent, with momentum.

use super::{L2, MOMENTUM, Made, RuleRow, weight_decay};
use crate::Error;
use crate::kernel::Real;
use crate::optimizer::pass::{Common, Rule, Share, real};
use crate::options::{Interval, OptionKind, OptionRow};

pub const SGD: RuleRow = RuleRow {
    name: "sgd",
    formula: "v ← μv + (1−τ)g, v₁ = g;  w ← w − ηv  (Nesterov: w ← w − η(g + μv))",
    summary: "stochastic gradient descent, with momentum (Sutskever et al. 2013)",
    options: &[
        MOMENTUM,
        OptionRow::number("dampening", 0.0, Interval::UNIT, "τ, acts only with momentum, from the second update on"),
        OptionRow {
            name: "nesterov",
            meaning: "needs momentum, and no dampening",
            kind: OptionKind::Flag { default: false },
        },
        L2,
        weight_decay(0.0),
    ],
    make: |options| {
        let (momentum, dampening) = (options.number("momentum"), options.number("dampening"));
        let nesterov = options.flag("nesterov");
        if nesterov && (momentum == 0.0 || dampening != 0.0) {
            return Err(Error::setting("nesterov", "`nesterov` needs a positive `momentum` and no `dampening`"));
        }
        let velocity = (momentum > 0.0).then_some(0.0);
        Ok(Made::new([velocity, None, None], Sgd { momentum, dampening, nesterov }))
    },
};

struct Sgd {
    momentum: f64,
    dampening: f64,
    nesterov: bool,
}

impl Rule for Sgd {
    #[inline(always)]
    fn step<T: Real>(&self, share: Share<T>, common: Common<T>) {
        let Sgd { momentum, dampening, nesterov } = *self;
        if momentum == 0.0 {
            for (w, g) in share.weights.iter_mut().zip(share.gradient) {
                *w = *w * common.keep - common.rate * common.gradient(*g, *w);
            }
            return;
        }
        let take: T = if share.step.update == 1 { T::one() } else { real(1.0 - dampening) };
        let momentum: T = real(momentum);
        let [velocity, ..] = share.buffers;
        for ((w, g), v) in share.weights.iter_mut().zip(share.gradient).zip(velocity) {
            let g = common.gradient(*g, *w);
            *v = momentum * *v + take * g;
            *w = *w * common.keep - common.rate * if nesterov { g + momentum * *v } else { *v };
        }
    }
}
