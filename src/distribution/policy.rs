//! How a network's outputs are read as a distribution over actions.

use super::{Categorical, Gaussian, MultiCategorical, Places, RawActions, TanhGaussian};
use crate::kernel::{Grid, Real};
use crate::{Error, Result};
use candle_core::{Device, Tensor, bail};
use lossward_envs::{Actions, Space};
use serde::{Deserialize, Serialize};

/// The `policy` table of `[network]`: how a network acts in a box. What is left out is as in [`PolicySettings::default`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySettings {
    pub scale: DeviationSource,
    pub squash: Squash,
    /// Natural logarithm of the initial standard deviation, in the units of the action (clip) or of the argument of tanh.
    pub initial_log_std: f64,
}

/// State-independent, clipped, with a standard deviation of 1.
impl Default for PolicySettings {
    fn default() -> Self {
        PolicySettings { scale: DeviationSource::StateIndependent, squash: Squash::Clip, initial_log_std: 0.0 }
    }
}

/// Where the standard deviations of a Gaussian policy come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviationSource {
    /// Trained numbers that are the same in every state.
    StateIndependent,
    /// Outputs of the network beside the means.
    StateDependent,
}

/// What becomes of a Gaussian draw `u` on its way to the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Squash {
    /// `a = min(max(u, low), high)`. The policy's density is that of `u`: it knows nothing of the bounds.
    Clip,
    /// `a = low + (high − low)(tanh u + 1)/2`, for finite bounds; see [`TanhGaussian`].
    Tanh,
}

/// What a row of a network's outputs is.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// The logits of one action.
    Categorical { actions: u32 },
    /// The logits of several independent choices, one after another.
    MultiCategorical { sizes: &'static [u32] },
    /// The means of real numbers, and behind them the logarithms of their standard deviations.
    Gaussian(GaussianPolicy),
    /// The logits of independent choices at every place of a grid.
    Grid(Grid),
}

/// The Gaussian policy of a box.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianPolicy {
    /// `(low, high)` of each number.
    bounds: Vec<(f32, f32)>,
    settings: PolicySettings,
}

impl GaussianPolicy {
    /// Numbers of an action.
    pub fn size(&self) -> usize {
        self.bounds.len()
    }

    /// `Σ ln((high − low)/2)` where tanh squashes, nothing where it doesn't.
    pub fn log_scale(&self) -> Option<f64> {
        let halves = self.bounds.iter().map(|(low, high)| (f64::from(*high) - f64::from(*low)) / 2.0);
        (self.settings.squash == Squash::Tanh).then(|| halves.map(f64::ln).sum())
    }

    /// What becomes of `u`, the number of this index.
    fn squashed(&self, index: usize, u: f32) -> f32 {
        let (low, high) = self.bounds[index];
        let squashed = match self.settings.squash {
            Squash::Clip => u,
            Squash::Tanh => low + (high - low) * 0.5 * (u.fast_tanh() + 1.0),
        };
        squashed.clamp(low, high)
    }

    fn of(&self, outputs: &Tensor) -> candle_core::Result<Gaussian> {
        let size = self.size();
        Gaussian::new(&outputs.narrow(1, 0, size)?, &outputs.narrow(1, size, size)?)
    }
}

impl Policy {
    /// The policy that acts in this space.
    ///
    /// # Errors
    /// When there are settings for a space that is no box, or they don't fit its bounds.
    pub fn new(actions: Space, settings: Option<&PolicySettings>) -> Result<Policy> {
        match (actions, settings) {
            (Space::Box { low, high, .. }, settings) => {
                let settings = settings.copied().unwrap_or_default();
                let bounds: Vec<(f32, f32)> = (0..actions.size()).map(|i| (low.of(i), high.of(i))).collect();
                if settings.squash == Squash::Tanh && !bounds.iter().all(|(low, high)| (high - low).is_finite()) {
                    let message = format!("`squash = \"tanh\"` needs finite bounds, which {actions} has not");
                    return Err(Error::Argument(message));
                }
                if !settings.initial_log_std.is_finite() {
                    return Err(Error::Argument("`initial_log_std` must be finite".into()));
                }
                Ok(Policy::Gaussian(GaussianPolicy { bounds, settings }))
            }
            (_, Some(_)) => Err(Error::Argument(format!("`policy` is for actions in a box; here they are {actions}"))),
            (Space::Discrete(n), None) => Ok(Policy::Categorical { actions: n }),
            (Space::MultiDiscrete(sizes), None) => Ok(Policy::MultiCategorical { sizes }),
        }
    }

    /// What each choice is among, in the order of their logits; none in a box and on a grid.
    pub fn choices(&self) -> &[u32] {
        match self {
            Policy::Categorical { actions } => std::slice::from_ref(actions),
            Policy::MultiCategorical { sizes } => sizes,
            Policy::Gaussian(_) | Policy::Grid(_) => &[],
        }
    }

    /// How many options each number of an action is chosen from, one after another; none in a box.
    pub fn options(&self) -> Vec<usize> {
        match self {
            Policy::Grid(grid) => {
                let of_places = |size: &u32| std::iter::repeat_n((*size).max(2) as usize, grid.places());
                grid.choices.iter().flat_map(of_places).collect()
            }
            _ => self.choices().iter().map(|size| *size as usize).collect(),
        }
    }

    /// `log p` of every option of every choice, `[batch, Σ options]`, in the order of [`Self::options`].
    ///
    /// # Errors
    /// In a box, whose real numbers have no options.
    pub fn option_log_probs(&self, outputs: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Policy::Categorical { .. } => Categorical::new(outputs).log_probs(),
            Policy::MultiCategorical { sizes } => MultiCategorical::new(outputs, sizes)?.log_probs(),
            Policy::Gaussian(_) => bail!("real numbers are not chosen from options"),
            Policy::Grid(grid) => Places::new(outputs, grid)?.log_probs(),
        }
    }

    /// Floats of a row.
    pub fn outputs(&self) -> usize {
        match self {
            Policy::Gaussian(gaussian) => 2 * gaussian.size(),
            Policy::Grid(grid) => grid.outputs(),
            _ => self.choices().iter().sum::<u32>() as usize,
        }
    }

    /// How many of them, at the end of a row, are trained numbers that don't depend on the state.
    pub fn appended(&self) -> usize {
        match self {
            Policy::Gaussian(gaussian) if gaussian.settings.scale == DeviationSource::StateIndependent => {
                gaussian.size()
            }
            _ => 0,
        }
    }

    /// The initial biases of a row.
    pub fn biases(&self) -> Vec<f32> {
        let mut biases = vec![0.0; self.outputs()];
        if let Policy::Gaussian(gaussian) = self {
            biases[gaussian.size()..].fill(gaussian.settings.initial_log_std as f32);
        }
        biases
    }

    /// Numbers of one action.
    pub fn width(&self) -> usize {
        match self {
            Policy::Gaussian(gaussian) => gaussian.size(),
            Policy::Grid(grid) => grid.width(),
            _ => self.choices().len(),
        }
    }

    /// Whether the entropy has a closed form.
    pub fn has_entropy(&self) -> bool {
        !matches!(self, Policy::Gaussian(gaussian) if gaussian.settings.squash == Squash::Tanh)
    }

    /// `log π(a|s)` of each row, `[batch]`. `outputs` is `[batch, outputs]`; the actions are raw: `[batch]` or `[batch, width]` of u32, or
    /// in a box `[batch, width]` of floats.
    pub fn log_prob(&self, outputs: &Tensor, actions: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Policy::Categorical { .. } => Categorical::new(outputs).log_prob(&actions.flatten_all()?),
            Policy::MultiCategorical { sizes } => MultiCategorical::new(outputs, sizes)?.log_prob(actions),
            Policy::Gaussian(gaussian) => match gaussian.log_scale() {
                None => gaussian.of(outputs)?.log_prob(actions),
                Some(log_scale) => TanhGaussian::new(gaussian.of(outputs)?, log_scale).log_prob(actions),
            },
            Policy::Grid(grid) => Places::new(outputs, grid)?.log_prob(actions),
        }
    }

    /// The entropy of each row in nats, `[batch]`; squashed by tanh, [`TanhGaussian::entropy_estimate`] from these raw actions.
    ///
    /// # Errors
    /// When there are no actions and no closed form.
    pub fn entropy(&self, outputs: &Tensor, actions: Option<&Tensor>) -> candle_core::Result<Tensor> {
        match self {
            Policy::Categorical { .. } => Categorical::new(outputs).entropy(),
            Policy::MultiCategorical { sizes } => MultiCategorical::new(outputs, sizes)?.entropy(),
            Policy::Gaussian(gaussian) => match (gaussian.log_scale(), actions) {
                (None, _) => gaussian.of(outputs)?.entropy(),
                (Some(log_scale), Some(actions)) => {
                    TanhGaussian::new(gaussian.of(outputs)?, log_scale).entropy_estimate(actions)
                }
                (Some(_), None) => bail!("the entropy of a Gaussian that tanh squashes has no closed form"),
            },
            Policy::Grid(grid) => Places::new(outputs, grid)?.entropy(),
        }
    }

    /// `KL(π ‖ π')` of each row in nats, `[batch]`, from the outputs of both.
    pub fn kl_divergence(&self, outputs: &Tensor, others: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Policy::Categorical { .. } => Categorical::new(outputs).kl_divergence(&Categorical::new(others)),
            Policy::MultiCategorical { sizes } => {
                MultiCategorical::new(outputs, sizes)?.kl_divergence(&MultiCategorical::new(others, sizes)?)
            }
            Policy::Gaussian(gaussian) => gaussian.of(outputs)?.kl_divergence(&gaussian.of(others)?),
            Policy::Grid(grid) => Places::new(outputs, grid)?.kl_divergence(&Places::new(others, grid)?),
        }
    }

    /// The actions that an environment gets for raw ones, `[copies, width]`; `buffer` holds them where they differ.
    pub fn applied<'a>(&self, raw: &'a RawActions, buffer: &'a mut Vec<f32>) -> Actions<'a> {
        match (raw, self) {
            (RawActions::Values(values), Policy::Gaussian(gaussian)) => {
                buffer.clear();
                let size = gaussian.size();
                buffer.extend(values.iter().enumerate().map(|(i, u)| gaussian.squashed(i % size, *u)));
                Actions::Values(buffer)
            }
            (RawActions::Values(values), _) => Actions::Values(values),
            (RawActions::Indices(indices), _) => Actions::Indices(indices),
        }
    }
}

/// Action masks: which actions are allowed, `[rows, outputs]`.
impl Policy {
    /// Logits with −∞ where an action is not allowed: its probability is 0, it gets no gradient and has no part in the entropy.
    ///
    /// # Errors
    /// When a row allows none, or the policy has no logits.
    pub fn mask(&self, outputs: &mut [f32], allowed: &[bool]) -> Result<()> {
        self.check_mask(allowed, outputs.len())?;
        let forbidden = outputs.iter_mut().zip(allowed).filter(|(_, allowed)| !**allowed);
        forbidden.for_each(|(logit, _)| *logit = f32::NEG_INFINITY);
        Ok(())
    }

    /// [`Self::mask`] of a tensor, differentiable.
    pub fn masked(&self, outputs: &Tensor, allowed: &[bool]) -> Result<Tensor> {
        self.check_mask(allowed, outputs.elem_count())?;
        let allowed: Vec<u8> = allowed.iter().map(|allowed| u8::from(*allowed)).collect();
        let allowed = Tensor::from_vec(allowed, outputs.shape(), &Device::Cpu)?;
        let forbidden = Tensor::full(f32::NEG_INFINITY, outputs.shape(), &Device::Cpu)?.to_dtype(outputs.dtype())?;
        Ok(allowed.where_cond(outputs, &forbidden)?)
    }

    fn check_mask(&self, allowed: &[bool], outputs: usize) -> Result<()> {
        if let Policy::Gaussian(_) | Policy::Grid(_) = self {
            return Err(Error::Argument("an action mask of actions in a box or on a grid".into()));
        }
        if allowed.len() != outputs {
            return Err(Error::Argument(format!("an action mask of {} entries for {outputs} logits", allowed.len())));
        }
        for (row, mut allowed) in allowed.chunks_exact(self.outputs()).enumerate() {
            for size in self.choices() {
                let (choice, rest) = allowed.split_at(*size as usize);
                allowed = rest;
                if !choice.contains(&true) {
                    return Err(Error::Argument(format!("the action mask of row {row} allows no action")));
                }
            }
        }
        Ok(())
    }
}
