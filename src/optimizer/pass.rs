//! What update rules are made of: one pass over each tensor.

use crate::kernel::{Real, Simd, WithSimd, vectorized};

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

/// One tensor's share of an update: `weights` are to be moved by their `gradient`.
pub(super) struct Share<'a, T> {
    pub step: Step,
    pub weights: &'a mut [T],
    pub gradient: &'a [T],
    /// Those that the rule needs; the others are empty.
    pub buffers: [&'a mut [T]; 3],
}

/// Every number that an entry needs, whatever the rule.
#[derive(Clone, Copy)]
pub(super) struct Common<T> {
    scale: T,
    limit: T,
    l2: T,
    /// `1 − ηλ`
    pub keep: T,
    pub rate: T,
}

impl<T: Real> Common<T> {
    /// Of weights to which these decays apply.
    pub fn new(Step { learning_rate, scale, limit, .. }: Step, l2: f64, weight_decay: f64) -> Self {
        Common {
            scale: real(scale),
            limit: real(limit),
            l2: real(l2),
            keep: real(1.0 - learning_rate * weight_decay),
            rate: real(learning_rate),
        }
    }

    /// The entry of the gradient, clipped, plus that of the penalty on `w`.
    #[inline(always)]
    pub fn gradient(self, g: T, w: T) -> T {
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

/// The step of an update rule, the same for every type of number.
pub(super) trait Rule: Send + 'static {
    fn step<T: Real>(&self, share: Share<T>, common: Common<T>);
}

/// A rule behind a pointer, on the widest vectors of the machine.
pub(super) trait AnyRule: Send {
    fn step_f32(&self, share: Share<f32>, common: Common<f32>);
    fn step_f64(&self, share: Share<f64>, common: Common<f64>);
}

struct Pass<'a, R, T> {
    rule: &'a R,
    share: Share<'a, T>,
    common: Common<T>,
}

impl<R: Rule, T: Real> WithSimd for Pass<'_, R, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.rule.step(self.share, self.common);
    }
}

impl<R: Rule> AnyRule for R {
    fn step_f32(&self, share: Share<f32>, common: Common<f32>) {
        vectorized(Pass { rule: self, share, common });
    }

    fn step_f64(&self, share: Share<f64>, common: Common<f64>) {
        vectorized(Pass { rule: self, share, common });
    }
}

/// A type of number that parameters may have.
pub(super) trait Number: Real {
    fn step(rule: &dyn AnyRule, share: Share<Self>, common: Common<Self>);
}

impl Number for f32 {
    fn step(rule: &dyn AnyRule, share: Share<f32>, common: Common<f32>) {
        rule.step_f32(share, common);
    }
}

impl Number for f64 {
    fn step(rule: &dyn AnyRule, share: Share<f64>, common: Common<f64>) {
        rule.step_f64(share, common);
    }
}
