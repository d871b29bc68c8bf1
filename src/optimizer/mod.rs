//! Moving parameters along a gradient: rules, schedules, clipping, and one [`Optimizer::descend`].

mod rule;
mod schedule;

pub use rule::{RULES, RuleName};
pub use schedule::Schedule;

use crate::kernel::{self, Real};
use crate::network::{Parameters, Role};
use crate::{Error, Result};
use candle_core::{DType, Tensor};
use rule::Rule;
use serde::{Deserialize, Serialize};

/// The `[optimizer]` table of an experiment. Options left out take the rule's default; one that the rule does not have is
/// an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerSettings {
    pub rule: RuleName,
    pub learning_rate: Schedule,
    /// Gradients are scaled down to this global L2 norm; off when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nesterov: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// Decoupled weight decay; weights only, never biases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
}

/// A rule with its state for one list of parameters.
pub struct Optimizer {
    rule: Rule,
    learning_rate: Schedule,
    clip_norm: Option<f64>,
    updates: u64,
    /// Allocated at the first update.
    state: State,
}

/// Two buffers as long as the parameters: momentum, or the first and second moment.
enum State {
    F32([Vec<f32>; 2]),
    F64([Vec<f64>; 2]),
}

/// What one update did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    /// Global L2 norm of the gradient, before clipping.
    pub gradient_norm: f64,
    pub learning_rate: f64,
}

impl Optimizer {
    /// # Errors
    /// When an option is out of range or not one of the rule's.
    pub fn new(settings: &OptimizerSettings) -> Result<Self> {
        let rule = Rule::new(settings).map_err(Error::Argument)?;
        let clip_norm = settings.clip_norm;
        if clip_norm.is_some_and(|norm| norm.is_nan() || norm <= 0.0) {
            return Err(Error::Argument(format!(
                "`clip_norm` must be positive, not {}",
                clip_norm.unwrap_or(f64::NAN)
            )));
        }
        let learning_rate = settings.learning_rate;
        Ok(Optimizer { rule, learning_rate, clip_norm, updates: 0, state: State::F32(Default::default()) })
    }

    /// Differentiates `loss` and moves every parameter against its gradient, in place.
    ///
    /// `progress` in `[0, 1]` is the share of the budget that is used up; schedules are functions of it.
    ///
    /// # Errors
    /// When a parameter has no gradient (an operation on the way does not support it) or one that is not finite; no
    /// parameter has moved then.
    pub fn descend(&mut self, parameters: &Parameters, loss: &Tensor, progress: f64) -> Result<Descent> {
        let gradient = parameters.gradient(loss)?;
        let gradient = gradient.ok_or_else(|| Error::Argument("the parameters got no gradient".into()))?;
        self.step(parameters, &gradient, progress)
    }

    /// [`Self::descend`] with the gradient in hand: a flat tensor like [`Parameters::values`].
    pub fn step(&mut self, parameters: &Parameters, gradient: &Tensor, progress: f64) -> Result<Descent> {
        let gradient_norm = kernel::sum_of_squares(gradient)?.sqrt();
        if !gradient_norm.is_finite() {
            return Err(first_offender(parameters, gradient, gradient_norm)?);
        }
        let scale = self.clip_norm.map_or(1.0, |largest| (largest / (gradient_norm + 1e-6)).min(1.0));
        let learning_rate = self.learning_rate.at(progress);
        self.updates += 1;
        let step = rule::Step { learning_rate, scale, update: self.updates };
        if self.updates == 1 {
            self.state = State::new(parameters);
        }
        match &mut self.state {
            State::F32(state) => move_all(&self.rule, step, parameters, gradient, state),
            State::F64(state) => move_all(&self.rule, step, parameters, gradient, state),
        }?;
        Ok(Descent { gradient_norm, learning_rate })
    }
}

impl State {
    fn new(parameters: &Parameters) -> Self {
        let len = parameters.values().elem_count();
        match parameters.values().dtype() {
            DType::F64 => State::F64([0; 2].map(|_| vec![0.0; len])),
            _ => State::F32([0; 2].map(|_| vec![0.0; len])),
        }
    }
}

fn move_all<T: Real>(
    rule: &Rule,
    step: rule::Step,
    parameters: &Parameters,
    gradient: &Tensor,
    [first, second]: &mut [Vec<T>; 2],
) -> Result<()> {
    Ok(kernel::update::<T>(parameters.values(), gradient, |weights, gradient| {
        for parameter in parameters.iter() {
            let (range, decays) = (parameter.range.clone(), parameter.role == Role::Weight);
            let (weights, gradient) = (&mut weights[range.clone()], &gradient[range.clone()]);
            let state = [&mut first[range.clone()], &mut second[range]];
            kernel::vectorized(rule::Pass { rule, step, decays, weights, gradient, state });
        }
    })?)
}

fn first_offender(parameters: &Parameters, gradient: &Tensor, norm: f64) -> Result<Error> {
    Ok(match parameters.first_not_finite(gradient)? {
        Some((parameter, value)) => Error::NotFinite { what: format!("the gradient of `{}`", parameter.name), value },
        None => Error::NotFinite { what: "the norm of the gradient".into(), value: norm },
    })
}
