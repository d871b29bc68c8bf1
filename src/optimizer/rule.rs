//! Update rules, one pass over each tensor.

use super::OptimizerSettings;
use crate::kernel::{Real, Simd, WithSimd};
use serde::{Deserialize, Serialize};

/// The name of a rule in an experiment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleName {
    Sgd,
    Adam,
    AdamW,
}

/// One row of `lossward list optimizers`.
pub struct RuleRow {
    pub rule: RuleName,
    pub name: &'static str,
    pub formula: &'static str,
    pub summary: &'static str,
    /// The options that it has beside `learning_rate` and `clip_norm`.
    pub options: &'static [&'static str],
}

pub const RULES: &[RuleRow] = &[
    RuleRow {
        rule: RuleName::Sgd,
        name: "sgd",
        formula: "v ← μv + g;  w ← w − ηv  (Nesterov: w ← w − η(g + μv))",
        summary: "stochastic gradient descent, with momentum (default 0)",
        options: &["momentum", "nesterov"],
    },
    RuleRow {
        rule: RuleName::Adam,
        name: "adam",
        formula: "m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  w ← w − η m̂/(√v̂ + ε)",
        summary: "adaptive moments (Kingma and Ba 2014, arXiv 1412.6980); β = 0.9, 0.999, ε = 1e-8",
        options: &["beta1", "beta2", "epsilon"],
    },
    RuleRow {
        rule: RuleName::AdamW,
        name: "adamw",
        formula: "w ← w − ηλw, then Adam",
        summary: "Adam with decoupled weight decay λ (Loshchilov and Hutter 2017, arXiv 1711.05101); default 0.01",
        options: &["beta1", "beta2", "epsilon", "weight_decay"],
    },
];

/// A rule with its options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    Sgd { momentum: f64, nesterov: bool },
    Adam { beta1: f64, beta2: f64, epsilon: f64, weight_decay: f64 },
}

/// What is the same for every tensor of one update.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub learning_rate: f64,
    /// The gradient is multiplied by this first.
    pub scale: f64,
    /// Counted from 1.
    pub update: u64,
}

impl Rule {
    /// Checks the options; the message is the error's.
    pub fn new(settings: &OptimizerSettings) -> Result<Rule, String> {
        let row = RULES.iter().find(|row| row.rule == settings.rule).ok_or("a rule without a row in RULES")?;
        let given = [
            ("momentum", settings.momentum),
            ("nesterov", settings.nesterov.map(f64::from)),
            ("beta1", settings.beta1),
            ("beta2", settings.beta2),
            ("epsilon", settings.epsilon),
            ("weight_decay", settings.weight_decay),
        ];
        for (name, value) in given {
            let Some(value) = value else { continue };
            if !row.options.contains(&name) {
                return Err(format!("`{name}` is not an option of {}; it has {}", row.name, row.options.join(", ")));
            }
            let below_one = matches!(name, "momentum" | "beta1" | "beta2");
            if !(value >= 0.0 && value.is_finite() && (!below_one || value < 1.0)) {
                let range = if below_one { "at least 0 and below 1" } else { "finite and not negative" };
                return Err(format!("`{name}` must be {range}, not {value}"));
            }
        }
        let or = |value: Option<f64>, default| value.unwrap_or(default);
        let adam = |decay| Rule::Adam {
            beta1: or(settings.beta1, 0.9),
            beta2: or(settings.beta2, 0.999),
            epsilon: or(settings.epsilon, 1e-8),
            weight_decay: or(settings.weight_decay, decay),
        };
        let momentum = or(settings.momentum, 0.0);
        match settings.rule {
            RuleName::Sgd if settings.nesterov == Some(true) && momentum == 0.0 => {
                Err("`nesterov` needs a positive `momentum`".into())
            }
            RuleName::Sgd => Ok(Rule::Sgd { momentum, nesterov: settings.nesterov.unwrap_or(false) }),
            RuleName::Adam => Ok(adam(0.0)),
            RuleName::AdamW => Ok(adam(0.01)),
        }
    }
}

/// One tensor's share of an update: moves `weights` by their `gradient`.
pub(super) struct Pass<'a, T> {
    pub rule: &'a Rule,
    pub step: Step,
    /// Whether weight decay applies to this tensor.
    pub decays: bool,
    pub weights: &'a mut [T],
    pub gradient: &'a [T],
    pub state: [&'a mut [T]; 2],
}

impl<T: Real> WithSimd for Pass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Pass { rule, step, decays, weights, gradient, state: [first, second] } = self;
        let real = <T as candle_core::WithDType>::from_f64;
        let (rate, scale) = (real(step.learning_rate), real(step.scale));
        match *rule {
            Rule::Sgd { momentum, nesterov } => {
                let momentum = real(momentum);
                for ((w, g), v) in weights.iter_mut().zip(gradient).zip(first) {
                    let g = *g * scale;
                    *v = momentum * *v + g;
                    *w -= rate * if nesterov { g + momentum * *v } else { *v };
                }
            }
            Rule::Adam { beta1, beta2, epsilon, weight_decay } => {
                let correction = |beta: f64| 1.0 - beta.powi(step.update.min(i32::MAX as u64) as i32);
                let rate_corrected = real(step.learning_rate / correction(beta1));
                let root_correction = real(1.0 / correction(beta2).sqrt());
                let (one, epsilon) = (T::one(), real(epsilon));
                let keep = if decays { one - rate * real(weight_decay) } else { one };
                let (b1, b2) = (real(beta1), real(beta2));
                let (c1, c2) = (real(1.0 - beta1), real(1.0 - beta2));
                for (((w, g), m), v) in weights.iter_mut().zip(gradient).zip(first).zip(second) {
                    let g = *g * scale;
                    *m = b1 * *m + c1 * g;
                    *v = b2 * *v + c2 * g * g;
                    *w = *w * keep - rate_corrected * *m / (v.sqrt() * root_correction + epsilon);
                }
            }
        }
    }
}
