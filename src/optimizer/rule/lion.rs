//! Steps of one size, by the sign of the momentum.

use super::{BETA1, Made, RuleRow, beta2, weight_decay};
use crate::kernel::Real;
use crate::optimizer::pass::{Common, Rule, Share, real};

pub const LION: RuleRow = RuleRow {
    name: "lion",
    formula: "w ← w − η(sign(β₁m + (1−β₁)g) + λw);  m ← β₂m + (1−β₂)g",
    summary: "steps of one size by the sign of the momentum (Chen et al. 2023, arXiv 2302.06675)",
    options: &[BETA1, beta2(0.99), weight_decay(0.0)],
    make: |options| {
        let betas = [options.number("beta1"), options.number("beta2")];
        Ok(Made::new([Some(0.0), None, None], Lion { betas }))
    },
};

struct Lion {
    betas: [f64; 2],
}

impl Rule for Lion {
    #[inline(always)]
    fn step<T: Real>(&self, share: Share<T>, common: Common<T>) {
        let Lion { betas } = *self;
        let ([b1, b2], [c1, c2]): ([T; 2], [T; 2]) = (betas.map(real), betas.map(|beta| real(1.0 - beta)));
        let (zero, rate) = (T::zero(), common.rate);
        let [first, ..] = share.buffers;
        for ((w, g), m) in share.weights.iter_mut().zip(share.gradient).zip(first) {
            let g = common.gradient(*g, *w);
            let direction = b1 * *m + c1 * g;
            let up = if direction > zero { rate } else { zero };
            let step = if direction < zero { -rate } else { up };
            *w = *w * common.keep - step;
            *m = b2 * *m + c2 * g;
        }
    }
}
