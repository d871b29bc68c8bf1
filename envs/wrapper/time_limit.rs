//! A time limit of one's own.

use super::{Wrap, WrapError};
use crate::Vectorized;
use std::num::NonZeroU32;

/// Truncates episodes after `max_steps` steps, whether the environment's own limit is smaller or larger. A step that also
/// reaches a terminal state terminates. The limit is no part of the observation; Pardo et al. (2018, arXiv 1712.00378)
/// discuss what that means for values.
///
/// # Errors
/// When the limit is 0.
pub fn limit_time(mut env: Box<dyn Vectorized>, max_steps: u32) -> Wrap {
    let Some(limit) = NonZeroU32::new(max_steps) else {
        let (env, right) = (env.id(), "at least 1".into());
        return Err(WrapError::Parameter { env, wrapper: "limit_time", name: "max_steps", value: 0.0, right });
    };
    env.limit_time(limit);
    Ok(env)
}

#[cfg(test)]
mod tests {
    use crate::wrapper::traces::{Players, copies_of};
    use crate::wrapper::{limit_time, stack_frames};
    use crate::{Cause, EpisodeEnd};

    fn ends(id: &str, max_steps: u32, steps: usize) -> Vec<EpisodeEnd> {
        // Through another wrapper too.
        let env = stack_frames(copies_of(id, 2), 2).unwrap();
        let mut players = Players::new(limit_time(env, max_steps).unwrap(), false);
        (0..steps).flat_map(|_| players.step().ends.clone()).collect()
    }

    #[test]
    fn the_limit_may_be_shorter_or_longer_than_that_of_the_environment() {
        let end = |copy, length| EpisodeEnd { copy, cause: Cause::Truncated, total_reward: f64::from(length), length };
        // A pole does not fall in 5 steps.
        assert_eq!(ends("CartPole-v1", 5, 10), [end(0, 5), end(1, 5), end(0, 5), end(1, 5)]);
        // Random actions don't climb the mountain, whose own limit is 200 steps of reward −1.
        let end = |copy| EpisodeEnd { total_reward: -301.0, ..end(copy, 301) };
        assert_eq!(ends("MountainCar-v0", 301, 301), [end(0), end(1)]);
    }

    #[test]
    fn a_terminal_state_in_the_last_step_terminates() {
        let one = ends("Lossward/BernoulliBandit-v0", 1, 3);
        assert!(one.len() == 6 && one.iter().all(|end| end.cause == Cause::Terminated), "{one:?}");
    }
}
