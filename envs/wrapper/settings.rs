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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrapper::traces::{Players, copies_of};
    use crate::{Bound, Space};

    const ALL: &str = "sticky_actions = 0.25\nclip_actions = true\nrescale_actions = true\nstack_frames = 2\n\
        normalize_observations = true\nscale_rewards = 0.5\nnormalize_rewards = true\nclip_rewards = [-1.0, 1.0]\n";

    #[test]
    fn settings_are_written_as_they_are_read() {
        let all: Wrappers = toml::from_str(ALL).unwrap();
        assert_eq!(toml::to_string(&all).unwrap(), ALL);
        assert_eq!(toml::to_string(&Wrappers::default()).unwrap(), "");
        let error = toml::from_str::<Wrappers>("stack_frame = 2").unwrap_err().to_string();
        assert!(error.contains("unknown field `stack_frame`") && error.contains("`stack_frames`"), "{error}");
    }

    /// What is trained on is what the functions give in the documented order.
    #[test]
    fn wrappers_are_applied_in_the_order_of_the_fields() {
        let wrappers: Wrappers = toml::from_str(ALL).unwrap();
        let statistics = WrapperStatistics::default();
        let env = copies_of("Pendulum-v1", 2);
        let applied = wrappers.apply(env, Purpose::Training { discount: 0.9 }, &statistics).unwrap();
        let by_hand = WrapperStatistics::default();
        let env = clip_actions(sticky_actions(copies_of("Pendulum-v1", 2), 0.25).unwrap()).unwrap();
        let env = stack_frames(rescale_actions(env).unwrap(), 2).unwrap();
        let env = normalize_observations(env, Normalization::updating(&by_hand.observations)).unwrap();
        let env = scale_rewards(env, 0.5).unwrap();
        let env = normalize_rewards(env, Normalization::updating(&by_hand.returns), 0.9).unwrap();
        let env = clip_rewards(env, -1.0, 1.0).unwrap();
        let (mut a, mut b) = (Players::new(applied, true), Players::new(env, true));
        for _ in 0..300 {
            let (a, b) = (a.step(), b.step());
            assert_eq!((&a.observations, &a.rewards, &a.ends), (&b.observations, &b.rewards, &b.ends));
        }
        assert_eq!(statistics.observations.moments(), by_hand.observations.moments());
        assert_eq!(statistics.returns.moments(), by_hand.returns.moments());
    }

    #[test]
    fn an_evaluation_pays_the_rewards_as_they_are_and_moves_nothing() {
        let wrappers: Wrappers = toml::from_str(ALL).unwrap();
        let wrappers = Wrappers { sticky_actions: None, rescale_actions: None, ..wrappers };
        let statistics = WrapperStatistics::default();
        let env = wrappers.apply(copies_of("Pendulum-v1", 2), Purpose::Evaluation, &statistics).unwrap();
        let Space::Box { shape, low, high } = env.observations() else { panic!("it is a box") };
        assert_eq!((shape.as_slice(), low, high), (&[6][..], Bound::All(-10.0), Bound::All(10.0)));
        let before = statistics.observations.moments();
        let (mut evaluation, mut plain) = (Players::new(env, false), Players::new(copies_of("Pendulum-v1", 2), false));
        for _ in 0..300 {
            assert_eq!(evaluation.step().rewards, plain.step().rewards);
        }
        assert_eq!((statistics.observations.moments(), statistics.returns.moments()), (before, None));
    }
}
