//! Moving parameters along a gradient: rules, schedules, clipping, noise, and one [`Optimizer::descend`].

mod noise;
mod pass;
mod plateau;
mod rule;
mod schedule;
mod turn;

pub use noise::GradientNoise;
pub use rule::{COMMON_OPTIONS, RULE_SYMBOLS, RULES, RuleName, RuleRow};
pub use schedule::{Easing, SCHEDULE_SYMBOLS, SCHEDULES, Schedule, ScheduleRow};
pub use turn::Turn;

use crate::kernel::{self, Real};
use crate::network::{Parameters, Role};
use crate::{Error, Result, Rng};
use candle_core::{DType, Tensor};
use noise::Noise;
use pass::{Common, Number, Share, Step, real};
use plateau::Plateau;
use rule::Made;
use serde::{Deserialize, Serialize};

/// The `[optimizer]` table of an experiment. Options left out take the rule's default; one that the rule does not have is
/// an error. [`RULES`] and [`COMMON_OPTIONS`] say what each means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerSettings {
    pub rule: RuleName,
    pub learning_rate: Schedule,
    /// Gradients are scaled down to this global norm; off when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm_type: Option<NormType>,
    /// Then every entry is moved into `[−clip_value, clip_value]`; off when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f64>,
    /// Then noise is added; off when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_noise: Option<GradientNoise>,
    /// Coupled weight decay, `l2 · w` added to the gradient; weights only, never biases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l2: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dampening: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nesterov: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amsgrad: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centered: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate_decay: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_accumulator: Option<f64>,
    /// Decoupled weight decay; weights only, never biases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
}

/// The norm of all gradients together that `clip_norm` bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NormType {
    /// `√Σg²`
    #[default]
    L2,
    /// `max |g|`
    Max,
}

/// A rule with its state for one list of parameters.
pub struct Optimizer {
    rule: Made,
    learning_rate: Schedule,
    plateau: Option<Plateau>,
    /// The last one taken.
    turn: Option<Turn>,
    clip_norm: Option<(f64, NormType)>,
    clip_value: Option<f64>,
    noise: Option<Noise>,
    updates: u64,
    /// Allocated at the first update.
    state: State,
}

enum State {
    F32(Buffers<f32>),
    F64(Buffers<f64>),
}

/// Numbers of an optimizer, each list as long as the parameters or empty.
#[derive(Default)]
struct Buffers<T> {
    /// Those of [`Made::buffers`].
    of_rule: [Vec<T>; 3],
    /// The gradient with noise.
    noisy: Vec<T>,
}

/// What one update did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    /// Global L2 norm of the gradient, before clipping.
    pub gradient_norm: f64,
    pub learning_rate: f64,
}

impl Optimizer {
    /// `noise` is the stream that gradient noise is drawn from, where the settings ask for it.
    ///
    /// # Errors
    /// When an option is out of range or not one of the rule's; at its key.
    pub fn new(settings: &OptimizerSettings, noise: Rng) -> Result<Self> {
        let rule = Made::of(settings)?;
        if settings.clip_norm_type.is_some() && settings.clip_norm.is_none() {
            return Err(Error::setting("clip_norm_type", "`clip_norm_type` needs a `clip_norm`"));
        }
        Ok(Optimizer {
            rule,
            learning_rate: settings.learning_rate.clone(),
            plateau: Plateau::of(&settings.learning_rate),
            turn: None,
            clip_norm: settings.clip_norm.map(|norm| (norm, settings.clip_norm_type.unwrap_or_default())),
            clip_value: settings.clip_value,
            noise: settings.gradient_noise.map(|settings| Noise { settings, rng: noise }),
            updates: 0,
            state: State::F32(Buffers::default()),
        })
    }

    /// Differentiates `loss` and moves every parameter against its gradient, in place.
    ///
    /// `progress` in `[0, 1]` is the share of the budget that was used up before; schedules are functions of it.
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
        let learning_rate = match (self.turn.as_ref().and_then(|turn| turn.rate(progress)), &self.plateau) {
            (Some(of_phase), _) => of_phase,
            (None, Some(plateau)) => plateau.rate,
            (None, None) => self.learning_rate.at(progress),
        };
        let scale = self.scale(gradient, gradient_norm)?;
        self.updates += 1;
        if self.updates == 1 {
            self.state = State::new(&self.rule, parameters);
        }
        let limit = self.clip_value.unwrap_or(f64::INFINITY);
        let step = Step { learning_rate, scale, limit, update: self.updates };
        let update = Update { rule: &self.rule, step, noise: self.noise.as_mut() };
        match &mut self.state {
            State::F32(buffers) => update.apply(parameters, gradient, buffers),
            State::F64(buffers) => update.apply(parameters, gradient, buffers),
        }?;
        Ok(Descent { gradient_norm, learning_rate })
    }

    /// What the gradient is multiplied by to bound its norm: `min(1, c/(‖g‖ + 1e-6))`.
    fn scale(&self, gradient: &Tensor, gradient_norm: f64) -> Result<f64> {
        let Some((largest, norm_type)) = self.clip_norm else { return Ok(1.0) };
        let norm = match norm_type {
            NormType::L2 => gradient_norm,
            NormType::Max => kernel::largest_magnitude(gradient)?,
        };
        Ok((largest / (norm + 1e-6)).min(1.0))
    }

    /// Tells the optimizer the value of the evaluation that the best weights are chosen by, for [`Schedule::Plateau`].
    pub fn judge(&mut self, value: f64, higher_is_better: bool) {
        if let Some(plateau) = &mut self.plateau {
            plateau.judge(value, higher_is_better);
        }
    }
}

impl State {
    fn new(rule: &Made, parameters: &Parameters) -> Self {
        let len = parameters.flat().elem_count();
        match parameters.flat().dtype() {
            DType::F64 => State::F64(Buffers::new(rule, len)),
            _ => State::F32(Buffers::new(rule, len)),
        }
    }
}

impl<T: Real> Buffers<T> {
    fn new(rule: &Made, len: usize) -> Self {
        let filled = |value: f64| vec![real(value); len];
        Buffers { of_rule: rule.buffers.map(|value| value.map(filled).unwrap_or_default()), noisy: Vec::new() }
    }
}

/// One update, whatever the dtype.
struct Update<'a> {
    rule: &'a Made,
    step: Step,
    noise: Option<&'a mut Noise>,
}

impl Update<'_> {
    fn apply<T: Number>(self, parameters: &Parameters, gradient: &Tensor, buffers: &mut Buffers<T>) -> Result<()> {
        let Update { rule, mut step, noise } = self;
        let Buffers { of_rule, noisy } = buffers;
        parameters.update::<T>(gradient, |weights, gradient| {
            let gradient = match noise {
                Some(noise) => {
                    noise.add(step, gradient, noisy);
                    // What is clipped is the gradient without the noise.
                    (step.scale, step.limit) = (1.0, f64::INFINITY);
                    noisy
                }
                None => gradient,
            };
            for parameter in parameters.iter().filter(|parameter| parameter.role != Role::Statistic) {
                let (range, decays) = (parameter.range.clone(), parameter.role == Role::Weight);
                let (weights, gradient) = (&mut weights[range.clone()], &gradient[range.clone()]);
                let buffers = of_rule.each_mut().map(|buffer| buffer.get_mut(range.clone()).unwrap_or_default());
                let common = match decays {
                    true => Common::new(step, rule.l2, rule.weight_decay),
                    false => Common::new(step, 0.0, 0.0),
                };
                T::step(rule.rule.as_ref(), Share { step, weights, gradient, buffers }, common);
            }
        })
    }
}

fn first_offender(parameters: &Parameters, gradient: &Tensor, norm: f64) -> Result<Error> {
    Ok(match parameters.first_not_finite(gradient)? {
        Some((parameter, value)) => Error::NotFinite { what: format!("the gradient of `{}`", parameter.name), value },
        None => Error::NotFinite { what: "the norm of the gradient".into(), value: norm },
    })
}
