//! Functions of a vectorized environment that change what its copies see, are paid or do: each takes an environment and
//! gives one back, and they can be applied on top of each other. An environment is wrapped before its first step.
//!
//! | Function | What it changes |
//! |---|---|
//! | [`limit_time`] | the steps after which an episode is truncated |
//! | [`sticky_actions`] | the action, which is sometimes the previous one again |
//! | [`clip_actions`], [`rescale_actions`] | the values of an action in a box |
//! | [`stack_frames`] | the observation: the last ones of the episode, one after the other |
//! | [`normalize_observations`], [`normalize_rewards`] | by running [`Statistics`], which an evaluation reads frozen |
//! | [`scale_rewards`], [`clip_rewards`] | the reward |
//!
//! [`Wrappers`] are settings that apply them in a fixed order. Whatever becomes of the rewards,
//! [`EpisodeEnd::total_reward`](crate::EpisodeEnd) is the sum of those that the environment paid.

mod actions;
mod frame_stack;
mod normalization;
mod rewards;
mod settings;
mod statistics;
mod sticky_actions;
mod time_limit;
#[cfg(test)]
mod traces;

pub use actions::{clip_actions, rescale_actions};
pub use frame_stack::stack_frames;
pub use normalization::{Normalization, normalize_observations, normalize_rewards};
pub use rewards::{clip_rewards, scale_rewards};
pub use settings::{Purpose, WrapperStatistics, Wrappers};
pub use statistics::{Moments, Statistics};
pub use sticky_actions::sticky_actions;
pub use time_limit::limit_time;

use crate::options::Interval;
use crate::vectorized::check_actions;
use crate::{Actions, Rng, Scene, Space, StepError, Steps, Vectorized};
use std::num::NonZeroU32;

/// A wrapper that cannot be put around an environment, or statistics that cannot be set.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WrapError {
    #[error("{wrapper} of {env}: `{name}` is {value}; it must be {right}")]
    Parameter { env: &'static str, wrapper: &'static str, name: &'static str, value: f64, right: String },
    #[error("{wrapper} of {env}: the space of its {part} is {space}; it must be {right}")]
    Space { env: &'static str, wrapper: &'static str, part: &'static str, space: Box<Space>, right: &'static str },
    #[error("{wrapper} of {env}: the statistics are of {given} features; they must be of {features}")]
    Features { env: &'static str, wrapper: &'static str, given: usize, features: usize },
    #[error("running statistics: {0}")]
    Moments(String),
}

/// Wrapped, or why not.
pub type Wrap = Result<Box<dyn Vectorized>, WrapError>;

/// Refuses a parameter that is not in the range.
fn check_parameter(
    env: &dyn Vectorized,
    wrapper: &'static str,
    (name, value): (&'static str, f64),
    range: Interval,
) -> Result<(), WrapError> {
    if range.contains(value) {
        return Ok(());
    }
    Err(WrapError::Parameter { env: env.id(), wrapper, name, value, right: range.to_string() })
}

/// What one wrapper does to the batches that pass through it.
trait Layer: Send {
    /// The space of its actions, given that of the environment below.
    fn action_space(&self, below: Space) -> Space {
        below
    }
    /// The space of its observations, given that of the environment below.
    fn observation_space(&self, below: Space) -> Space {
        below
    }
    /// The actions for the environment below.
    fn actions<'a>(&'a mut self, actions: Actions<'a>, _paused: &[bool]) -> Actions<'a> {
        actions
    }
    /// Changes what a reset has left.
    fn after_reset(&mut self, _steps: &mut Steps) {}
    /// Changes what a step has left.
    fn after_step(&mut self, _steps: &mut Steps, _paused: &[bool]) -> Result<(), StepError> {
        Ok(())
    }
    /// The streams of the environment below are new.
    fn restart(&mut self, _rngs: &[Rng]) {}
    /// What is shown instead of the steps of the environment below.
    fn steps<'a>(&'a self, below: &'a Steps) -> &'a Steps {
        below
    }
    fn steps_mut<'a>(&'a mut self, below: &'a mut Steps) -> &'a mut Steps {
        below
    }
}

/// An environment and one layer around it.
struct Wrapped<L> {
    env: Box<dyn Vectorized>,
    layer: L,
    id: &'static str,
    copies: usize,
    observations: Space,
    actions: Space,
}

/// Puts the layer around the environment as it stands.
fn wrap<L: Layer + 'static>(mut env: Box<dyn Vectorized>, mut layer: L) -> Box<dyn Vectorized> {
    layer.restart(env.rngs());
    layer.after_reset(env.steps_mut());
    let (id, copies) = (env.id(), env.steps().copies);
    let observations = layer.observation_space(env.observations());
    let actions = layer.action_space(env.actions());
    Box::new(Wrapped { env, layer, id, copies, observations, actions })
}

impl<L: Layer> Vectorized for Wrapped<L> {
    fn reset(&mut self) {
        self.env.reset();
        self.layer.after_reset(self.env.steps_mut());
    }

    fn restart(&mut self, rngs: Vec<Rng>) {
        self.env.restart(rngs);
        self.layer.restart(self.env.rngs());
        self.layer.after_reset(self.env.steps_mut());
    }

    fn step(&mut self, actions: Actions<'_>, paused: &[bool]) -> Result<(), StepError> {
        check_actions(self.id, self.actions, self.copies, actions)?;
        self.env.step(self.layer.actions(actions, paused), paused)?;
        self.layer.after_step(self.env.steps_mut(), paused)
    }

    fn steps(&self) -> &Steps {
        self.layer.steps(self.env.steps())
    }

    fn steps_mut(&mut self) -> &mut Steps {
        self.layer.steps_mut(self.env.steps_mut())
    }

    fn limit_time(&mut self, max_steps: NonZeroU32) {
        self.env.limit_time(max_steps);
    }

    fn id(&self) -> &'static str {
        self.id
    }

    fn rngs(&self) -> &[Rng] {
        self.env.rngs()
    }

    fn observations(&self) -> Space {
        self.observations
    }

    fn actions(&self) -> Space {
        self.actions
    }

    fn scene(&self, copy: usize) -> Option<Scene> {
        self.env.scene(copy)
    }
}
