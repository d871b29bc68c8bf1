//! Many copies of an environment, stepped together.

use crate::{Actions, Rng, Scene, Space, StepError, Steps};
use std::num::NonZeroU32;

/// Copies behind one dynamic call per batch of steps.
pub trait Vectorized: Send {
    /// Starts a new episode in every copy. An observation that is wrong from the start is an error of the next step.
    fn reset(&mut self);
    /// [`Self::reset`] with new random streams, one per copy: what follows is what new copies of these streams do.
    ///
    /// # Panics
    /// When there is not one stream per copy.
    fn restart(&mut self, rngs: Vec<Rng>);
    /// Steps every copy whose entry in `paused` is not true (an empty slice pauses none), and starts a new episode where
    /// one ended. `actions` is `[copies, width]`, in the kind of the action space. Values of a box may lie outside of its
    /// bounds: what then happens is the environment's rule. A paused copy keeps its observation, gets reward 0 and ignores its action.
    fn step(&mut self, actions: Actions<'_>, paused: &[bool]) -> Result<(), StepError>;
    /// What the last step (or reset) left.
    fn steps(&self) -> &Steps;
    /// [`Self::steps`], whose observations and rewards a wrapper may change in place: nothing that follows depends on
    /// them, and a step writes those of a copy anew, but for the observation of a paused one.
    fn steps_mut(&mut self) -> &mut Steps;
    /// From now on, episodes are truncated after this many steps, whatever the [`Spec`] says.
    fn limit_time(&mut self, max_steps: NonZeroU32);
    /// The name that errors give.
    fn id(&self) -> &'static str;
    /// The random streams of the copies, as far as they have been used.
    fn rngs(&self) -> &[Rng];
    fn observations(&self) -> Space;
    fn actions(&self) -> Space;
    /// What the state of a copy looks like.
    fn scene(&self, copy: usize) -> Option<Scene>;
}

/// Whether there is one action of the right kind per copy.
pub(crate) fn check_actions(
    env: &'static str,
    space: Space,
    copies: usize,
    actions: Actions<'_>,
) -> Result<(), StepError> {
    let (kind, count, fits) = match actions {
        Actions::Indices(indices) => ("indices", indices.len(), !matches!(space, Space::Box { .. })),
        Actions::Values(values) => ("values", values.len(), matches!(space, Space::Box { .. })),
    };
    if fits && count == copies * space.width() {
        return Ok(());
    }
    Err(StepError::Actions { env, what: format!("{count} {kind} for {copies} copies of the action space {space}") })
}

/// Whether this copy is paused; an empty slice pauses none.
pub(crate) fn is_paused(paused: &[bool], copy: usize) -> bool {
    paused.get(copy) == Some(&true)
}

/// The copies that are not paused.
pub(crate) fn playing(copies: usize, paused: &[bool]) -> impl Iterator<Item = usize> + Clone {
    (0..copies).filter(|&copy| !is_paused(paused, copy))
}
