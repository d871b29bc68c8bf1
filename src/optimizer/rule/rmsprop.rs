//! A running root mean square.

use super::{EPSILON, L2, MOMENTUM, Made, RuleRow};
use crate::kernel::Real;
use crate::optimizer::pass::{Common, Rule, Share, real};
use crate::options::{Interval, OptionKind, OptionRow};

pub const RMSPROP: RuleRow = RuleRow {
    name: "rmsprop",
    formula: "v ← αv + (1−α)g²;  b ← μb + g/(√v + ε);  w ← w − ηb",
    summary: "a running root mean square (Hinton 2012, lecture 6e)",
    options: &[
        OptionRow::number("alpha", 0.99, Interval::BELOW_ONE, "α"),
        EPSILON,
        OptionRow {
            name: "centered",
            meaning: "√(v − m²) for √v, m ← αm + (1−α)g (Graves 2013, arXiv 1308.0850)",
            kind: OptionKind::Flag { default: false },
        },
        MOMENTUM,
        L2,
    ],
    make: |options| {
        let (centered, momentum) = (options.flag("centered"), options.number("momentum"));
        let zero_if = |needed: bool| needed.then_some(0.0);
        let rule = RmsProp { alpha: options.number("alpha"), epsilon: options.number("epsilon"), centered, momentum };
        Ok(Made::new([Some(0.0), zero_if(centered), zero_if(momentum > 0.0)], rule))
    },
};

struct RmsProp {
    alpha: f64,
    epsilon: f64,
    centered: bool,
    momentum: f64,
}

impl Rule for RmsProp {
    /// Buffers that the rule does not need are empty, so each pair of options walks over its own.
    #[inline(always)]
    fn step<T: Real>(&self, share: Share<T>, common: Common<T>) {
        let RmsProp { alpha, epsilon, centered, momentum } = *self;
        let (a, c, epsilon): (T, T, T) = (real(alpha), real(1.0 - alpha), real(epsilon));
        let (has_momentum, momentum): (bool, T) = (momentum > 0.0, real(momentum));
        let [squares, means, velocity] = share.buffers;
        // Below 0 the variance is a rounding error.
        let root = |variance: T| if variance > T::zero() { variance.sqrt() } else { T::zero() };
        let Share { weights, gradient, .. } = share;
        if centered {
            // Apart from what follows for the same reason as in Adam.
            for (((w, g), v), m) in weights.iter().zip(gradient).zip(&mut *squares).zip(&mut *means) {
                let g = common.gradient(*g, *w);
                *v = a * *v + c * g * g;
                *m = a * *m + c * g;
            }
        }
        let entries = weights.iter_mut().zip(gradient).zip(squares);
        match (centered, has_momentum) {
            (false, false) => entries.for_each(|((w, g), v)| {
                let g = common.gradient(*g, *w);
                *v = a * *v + c * g * g;
                *w -= common.rate * g / (v.sqrt() + epsilon);
            }),
            (false, true) => entries.zip(velocity).for_each(|(((w, g), v), b)| {
                let g = common.gradient(*g, *w);
                *v = a * *v + c * g * g;
                *b = momentum * *b + g / (v.sqrt() + epsilon);
                *w -= common.rate * *b;
            }),
            (true, false) => entries.zip(means).for_each(|(((w, g), v), m)| {
                *w -= common.rate * common.gradient(*g, *w) / (root(*v - *m * *m) + epsilon);
            }),
            (true, true) => entries.zip(means).zip(velocity).for_each(|((((w, g), v), m), b)| {
                *b = momentum * *b + common.gradient(*g, *w) / (root(*v - *m * *m) + epsilon);
                *w -= common.rate * *b;
            }),
        }
    }
}
