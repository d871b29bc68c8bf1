//! Rewards, scaled and clipped.

use super::{Layer, Wrap, WrapError, check_parameter, wrap};
use crate::options::Interval;
use crate::vectorized::is_paused;
use crate::{StepError, Steps, Vectorized};

/// `r ← factor · r`.
///
/// # Errors
/// When the factor is not a positive number. A step fails with [`StepError::Scaled`] where the product is not finite.
pub fn scale_rewards(env: Box<dyn Vectorized>, factor: f64) -> Wrap {
    check_parameter(&*env, "scale_rewards", ("factor", factor), Interval::POSITIVE)?;
    let id = env.id();
    Ok(wrap(env, ScaledRewards { env: id, factor }))
}

struct ScaledRewards {
    env: &'static str,
    factor: f64,
}

impl Layer for ScaledRewards {
    fn after_step(&mut self, steps: &mut Steps, _: &[bool]) -> Result<(), StepError> {
        let &mut ScaledRewards { env, factor } = self;
        for copy in 0..steps.copies {
            let reward = steps.rewards[copy];
            let scaled = (f64::from(reward) * factor) as f32;
            if !scaled.is_finite() {
                let end = steps.ends.iter().find(|end| end.copy == copy);
                let step = end.map_or(steps.length(copy), |end| end.length);
                return Err(StepError::Scaled { env, copy, step, reward, factor });
            }
            steps.rewards[copy] = scaled;
        }
        Ok(())
    }
}

/// `r ← min(max(r, low), high)`. A bound may be infinite. Mnih et al. (2015), "Human-level control through deep reinforcement
/// learning", Nature 518, with −1 and 1.
///
/// # Errors
/// When the lower bound is not below the upper one.
pub fn clip_rewards(env: Box<dyn Vectorized>, low: f64, high: f64) -> Wrap {
    let layer = ClippedRewards { low: low as f32, high: high as f32 };
    if layer.low < layer.high {
        return Ok(wrap(env, layer));
    }
    let (env, right) = (env.id(), format!("below `high`, which is {high}"));
    Err(WrapError::Parameter { env, wrapper: "clip_rewards", name: "low", value: low, right })
}

struct ClippedRewards {
    low: f32,
    high: f32,
}

impl Layer for ClippedRewards {
    fn after_step(&mut self, steps: &mut Steps, paused: &[bool]) -> Result<(), StepError> {
        // The reward of a paused copy is 0, whatever the bounds.
        for (copy, reward) in steps.rewards.iter_mut().enumerate().filter(|(copy, _)| !is_paused(paused, *copy)) {
            *reward = reward.clamp(self.low, self.high);
        }
        Ok(())
    }
}
