//! Adaptive moments, and with decoupled weight decay.

use super::{AMSGRAD, BETA1, BETA2, EPSILON, L2, Made, RuleRow, weight_decay};
use crate::Result;
use crate::kernel::Real;
use crate::optimizer::pass::{Common, Rule, Share, real};
use crate::options::Options;

pub const ADAM: RuleRow = RuleRow {
    name: "adam",
    formula: "m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  w ← w − η m̂/(√v̂ + ε),  m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ)",
    summary: "adaptive moments (Kingma and Ba 2014, arXiv 1412.6980)",
    options: &[BETA1, BETA2, EPSILON, AMSGRAD, L2],
    make,
};

pub const ADAMW: RuleRow = RuleRow {
    name: "adamw",
    formula: "w ← w − ηλw, then Adam",
    summary: "Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv 1711.05101)",
    options: &[BETA1, BETA2, EPSILON, AMSGRAD, weight_decay(0.01)],
    make,
};

fn make(options: &Options) -> Result<Made> {
    let amsgrad = options.flag("amsgrad");
    let adam =
        Adam { betas: [options.number("beta1"), options.number("beta2")], epsilon: options.number("epsilon"), amsgrad };
    Ok(Made::new([Some(0.0), Some(0.0), amsgrad.then_some(0.0)], adam))
}

struct Adam {
    betas: [f64; 2],
    epsilon: f64,
    amsgrad: bool,
}

impl Rule for Adam {
    #[inline(always)]
    fn step<T: Real>(&self, share: Share<T>, common: Common<T>) {
        let Adam { betas, epsilon, amsgrad } = *self;
        let correction = betas.map(|beta| 1.0 - beta.powi(share.step.update.min(i32::MAX as u64) as i32));
        let rate: T = real(share.step.learning_rate / correction[0]);
        let root_correction: T = real(1.0 / correction[1].sqrt());
        let ([b1, b2], [c1, c2]): ([T; 2], [T; 2]) = (betas.map(real), betas.map(|beta| real(1.0 - beta)));
        let epsilon: T = real(epsilon);
        let [first, second, largest] = share.buffers;
        if amsgrad {
            // In one loop with the rest there would be more slices than the compiler proves to be apart, and no vectors.
            for (((w, g), v), top) in share.weights.iter().zip(share.gradient).zip(&mut *second).zip(&mut *largest) {
                let g = common.gradient(*g, *w);
                *v = b2 * *v + c2 * g * g;
                *top = if *v > *top { *v } else { *top };
            }
            for (((w, g), m), top) in share.weights.iter_mut().zip(share.gradient).zip(first).zip(largest) {
                *m = b1 * *m + c1 * common.gradient(*g, *w);
                *w = *w * common.keep - rate * *m / (top.sqrt() * root_correction + epsilon);
            }
        } else {
            for (((w, g), m), v) in share.weights.iter_mut().zip(share.gradient).zip(first).zip(second) {
                let g = common.gradient(*g, *w);
                *m = b1 * *m + c1 * g;
                *v = b2 * *v + c2 * g * g;
                *w = *w * common.keep - rate * *m / (v.sqrt() * root_correction + epsilon);
            }
        }
    }
}
