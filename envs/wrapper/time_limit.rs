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
