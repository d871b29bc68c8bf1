//! The arithmetic of the update rules: one pass over each tensor.

use super::rule::{Kind, Rule};
use crate::kernel::{Real, Simd, WithSimd};

/// What is the same for every tensor of one update.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub learning_rate: f64,
    /// The gradient is multiplied by this first, …
    pub scale: f64,
    /// … and each of its entries then moved into `[−limit, limit]`.
    pub limit: f64,
    /// Counted from 1.
    pub update: u64,
}

/// One tensor's share of an update: moves `weights` by their `gradient`.
pub(super) struct Pass<'a, T> {
    pub rule: &'a Rule,
    pub step: Step,
    /// Whether weight decay, coupled or not, applies to this tensor.
    pub decays: bool,
    pub weights: &'a mut [T],
    pub gradient: &'a [T],
    /// Those of [`Rule::buffers`]; the others are empty.
    pub buffers: [&'a mut [T]; 3],
}

/// Every number of a [`Step`] and a [`Rule`] that an entry needs, whatever the rule.
#[derive(Clone, Copy)]
struct Common<T> {
    scale: T,
    limit: T,
    l2: T,
    /// `1 − ηλ`
    keep: T,
    rate: T,
}

impl<T: Real> Common<T> {
    /// The entry of the gradient, clipped, plus that of the penalty on `w`.
    #[inline(always)]
    fn gradient(self, g: T, w: T) -> T {
        clipped(g, self.scale, self.limit) + self.l2 * w
    }
}

/// `scale · g`, moved into `[−limit, limit]`.
#[inline(always)]
pub(super) fn clipped<T: Real>(g: T, scale: T, limit: T) -> T {
    let g = g * scale;
    let g = if g > limit { limit } else { g };
    if g < -limit { -limit } else { g }
}

#[inline(always)]
pub(super) fn real<T: Real>(value: f64) -> T {
    <T as candle_core::WithDType>::from_f64(value)
}

impl<T: Real> WithSimd for Pass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Step { learning_rate, scale, limit, .. } = self.step;
        let Rule { l2, weight_decay, kind } = *self.rule;
        let (l2, weight_decay) = if self.decays { (l2, weight_decay) } else { (0.0, 0.0) };
        let common = Common {
            scale: real(scale),
            limit: real(limit),
            l2: real(l2),
            keep: real(1.0 - learning_rate * weight_decay),
            rate: real(learning_rate),
        };
        match kind {
            Kind::Sgd { momentum: 0.0, .. } => self.plain(common),
            Kind::Sgd { momentum, dampening, nesterov } => self.with_momentum(common, momentum, dampening, nesterov),
            Kind::Adam { beta1, beta2, epsilon, amsgrad } => self.adam(common, [beta1, beta2], epsilon, amsgrad),
            Kind::RmsProp { alpha, epsilon, centered, momentum } => {
                self.root_mean_square(common, [alpha, epsilon], centered, momentum)
            }
            Kind::Adagrad { learning_rate_decay, epsilon, .. } => self.adagrad(common, learning_rate_decay, epsilon),
            Kind::Lion { beta1, beta2 } => self.lion(common, [beta1, beta2]),
        }
    }
}

impl<T: Real> Pass<'_, T> {
    #[inline(always)]
    fn plain(self, common: Common<T>) {
        for (w, g) in self.weights.iter_mut().zip(self.gradient) {
            *w = *w * common.keep - common.rate * common.gradient(*g, *w);
        }
    }

    #[inline(always)]
    fn with_momentum(self, common: Common<T>, momentum: f64, dampening: f64, nesterov: bool) {
        let take: T = if self.step.update == 1 { T::one() } else { real(1.0 - dampening) };
        let momentum: T = real(momentum);
        let [velocity, ..] = self.buffers;
        for ((w, g), v) in self.weights.iter_mut().zip(self.gradient).zip(velocity) {
            let g = common.gradient(*g, *w);
            *v = momentum * *v + take * g;
            *w = *w * common.keep - common.rate * if nesterov { g + momentum * *v } else { *v };
        }
    }

    #[inline(always)]
    fn adam(self, common: Common<T>, betas: [f64; 2], epsilon: f64, amsgrad: bool) {
        let correction = betas.map(|beta| 1.0 - beta.powi(self.step.update.min(i32::MAX as u64) as i32));
        let rate: T = real(self.step.learning_rate / correction[0]);
        let root_correction: T = real(1.0 / correction[1].sqrt());
        let ([b1, b2], [c1, c2]): ([T; 2], [T; 2]) = (betas.map(real), betas.map(|beta| real(1.0 - beta)));
        let epsilon: T = real(epsilon);
        let [first, second, largest] = self.buffers;
        if amsgrad {
            // In one loop with the rest there would be more slices than the compiler proves to be apart, and no vectors.
            for (((w, g), v), top) in self.weights.iter().zip(self.gradient).zip(&mut *second).zip(&mut *largest) {
                let g = common.gradient(*g, *w);
                *v = b2 * *v + c2 * g * g;
                *top = if *v > *top { *v } else { *top };
            }
            for (((w, g), m), top) in self.weights.iter_mut().zip(self.gradient).zip(first).zip(largest) {
                *m = b1 * *m + c1 * common.gradient(*g, *w);
                *w = *w * common.keep - rate * *m / (top.sqrt() * root_correction + epsilon);
            }
        } else {
            for (((w, g), m), v) in self.weights.iter_mut().zip(self.gradient).zip(first).zip(second) {
                let g = common.gradient(*g, *w);
                *m = b1 * *m + c1 * g;
                *v = b2 * *v + c2 * g * g;
                *w = *w * common.keep - rate * *m / (v.sqrt() * root_correction + epsilon);
            }
        }
    }

    /// Buffers that the rule does not need are empty, so each pair of options walks over its own.
    #[inline(always)]
    fn root_mean_square(self, common: Common<T>, [alpha, epsilon]: [f64; 2], centered: bool, momentum: f64) {
        let (a, c, epsilon): (T, T, T) = (real(alpha), real(1.0 - alpha), real(epsilon));
        let (has_momentum, momentum): (bool, T) = (momentum > 0.0, real(momentum));
        let [squares, means, velocity] = self.buffers;
        // Below 0 the variance is a rounding error.
        let root = |variance: T| if variance > T::zero() { variance.sqrt() } else { T::zero() };
        let Pass { weights, gradient, .. } = self;
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

    #[inline(always)]
    fn adagrad(self, common: Common<T>, learning_rate_decay: f64, epsilon: f64) {
        let past_updates = (self.step.update - 1) as f64;
        let rate: T = real(self.step.learning_rate / (1.0 + past_updates * learning_rate_decay));
        let epsilon: T = real(epsilon);
        let [squares, ..] = self.buffers;
        for ((w, g), s) in self.weights.iter_mut().zip(self.gradient).zip(squares) {
            let g = common.gradient(*g, *w);
            *s += g * g;
            *w -= rate * g / (s.sqrt() + epsilon);
        }
    }

    #[inline(always)]
    fn lion(self, common: Common<T>, betas: [f64; 2]) {
        let ([b1, b2], [c1, c2]): ([T; 2], [T; 2]) = (betas.map(real), betas.map(|beta| real(1.0 - beta)));
        let (zero, rate) = (T::zero(), common.rate);
        let [first, ..] = self.buffers;
        for ((w, g), m) in self.weights.iter_mut().zip(self.gradient).zip(first) {
            let g = common.gradient(*g, *w);
            let direction = b1 * *m + c1 * g;
            let up = if direction > zero { rate } else { zero };
            let step = if direction < zero { -rate } else { up };
            *w = *w * common.keep - step;
            *m = b2 * *m + c2 * g;
        }
    }
}
