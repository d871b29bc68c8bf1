//! Wrappers as settings.

use super::{
    Normalization, Statistics, Wrap, clip_actions, clip_rewards, normalize_observations, normalize_rewards,
    rescale_actions, scale_rewards, stack_frames, sticky_actions,
};
use crate::Vectorized;
use serde::{Deserialize, Serialize};

/// Which wrappers an environment gets, applied in the order of the fields: each is put around those above it. What is not
/// given, or false, is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrappers {
    /// The probability of [`sticky_actions`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky_actions: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_actions: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescale_actions: Option<bool>,
    /// The count of [`stack_frames`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_frames: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalize_observations: Option<bool>,
    /// The factor of [`scale_rewards`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_rewards: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalize_rewards: Option<bool>,
    /// The bounds of [`clip_rewards`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_rewards: Option<[f64; 2]>,
}

/// What the wrapped environment is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Purpose {
    /// All wrappers; the statistics are updated. The discount is that of [`normalize_rewards`].
    Training { discount: f64 },
    /// Rewards as they are; the statistics are frozen.
    Evaluation,
}

/// What the wrappers of one trial have learnt, shared by its environments.
#[derive(Clone, Debug, Default)]
pub struct WrapperStatistics {
    pub observations: Statistics,
    /// Of discounted returns, one feature.
    pub returns: Statistics,
}

impl Wrappers {
    /// Wraps the environment; its spaces may be others then.
    ///
    /// # Errors
    /// Of the first wrapper that does not fit.
    pub fn apply(&self, mut env: Box<dyn Vectorized>, purpose: Purpose, statistics: &WrapperStatistics) -> Wrap {
        let on = |flag: Option<bool>| flag == Some(true);
        if let Some(probability) = self.sticky_actions {
            env = sticky_actions(env, probability)?;
        }
        if on(self.clip_actions) {
            env = clip_actions(env)?;
        }
        if on(self.rescale_actions) {
            env = rescale_actions(env)?;
        }
        if let Some(count) = self.stack_frames {
            env = stack_frames(env, count)?;
        }
        if on(self.normalize_observations) {
            let normalization = match purpose {
                Purpose::Training { .. } => Normalization::updating(&statistics.observations),
                Purpose::Evaluation => Normalization::frozen(&statistics.observations),
            };
            env = normalize_observations(env, normalization)?;
        }
        let Purpose::Training { discount } = purpose else { return Ok(env) };
        if let Some(factor) = self.scale_rewards {
            env = scale_rewards(env, factor)?;
        }
        if on(self.normalize_rewards) {
            env = normalize_rewards(env, Normalization::updating(&statistics.returns), discount)?;
        }
        if let Some([low, high]) = self.clip_rewards {
            env = clip_rewards(env, low, high)?;
        }
        Ok(env)
    }
}
