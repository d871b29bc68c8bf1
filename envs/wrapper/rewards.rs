//! Rewards, scaled and clipped.

use super::{Layer, Wrap, WrapError, check_parameter, wrap};
use crate::options::Interval;
use crate::vectorized::playing;
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
        for copy in playing(steps.copies, paused) {
            steps.rewards[copy] = steps.rewards[copy].clamp(self.low, self.high);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrapper::limit_time;
    use crate::wrapper::traces::Echo;
    use crate::{Actions, Bound, Dims, Space};

    const BOX: Space =
        Space::Box { shape: Dims::of(&[1]), low: Bound::All(f32::NEG_INFINITY), high: Bound::All(f32::INFINITY) };

    /// The rewards of three copies, the last of which is paused.
    fn paid(wrapped: Wrap) -> Vec<f32> {
        let mut env = wrapped.unwrap();
        env.step(Actions::Values(&[2.0, -3.0, 5.0]), &[false, false, true]).unwrap();
        env.steps().rewards.clone()
    }

    #[test]
    fn rewards_are_scaled_and_clipped_but_those_of_paused_copies() {
        assert_eq!(paid(scale_rewards(Echo::copies(BOX, 3), 0.5)), [1.0, -1.5, 0.0]);
        assert_eq!(paid(clip_rewards(Echo::copies(BOX, 3), -1.0, 1.0)), [1.0, -1.0, 0.0]);
        assert_eq!(paid(clip_rewards(Echo::copies(BOX, 3), 0.5, f64::INFINITY)), [2.0, 0.5, 0.0]);
    }

    #[test]
    fn a_product_that_is_too_large_is_named() {
        // With and without the end of an episode in that step.
        for (limit, steps) in [(u32::MAX, 1), (3, 3)] {
            let env = limit_time(Echo::copies(BOX, 1), limit).unwrap();
            let mut env = scale_rewards(env, 1e10).unwrap();
            (1..steps).for_each(|_| env.step(Actions::Values(&[1.0]), &[]).unwrap());
            let error = env.step(Actions::Values(&[1e30]), &[]).unwrap_err();
            assert_eq!(error, StepError::Scaled { env: "Echo", copy: 0, step: steps, reward: 1e30, factor: 1e10 });
        }
    }
}
