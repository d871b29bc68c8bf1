//! Actions that are repeated by chance.

use super::{Layer, Wrap, check_parameter, wrap};
use crate::options::Interval;
use crate::random::derived;
use crate::vectorized::is_paused;
use crate::{Actions, Rng, StepError, Steps, Vectorized};
use rand::Rng as _;

/// With this probability a copy executes the action that it executed last instead of the one it is given; the first action
/// of an episode is always executed. Machado et al. (2018, arXiv 1709.06009), section 5.2, with 0.25.
///
/// The draws of a copy are a stream of their own that belongs to the copy's, so that neither the number of copies nor the
/// dynamics move them.
///
/// # Errors
/// When the probability is not in [0, 1].
pub fn sticky_actions(env: Box<dyn Vectorized>, probability: f64) -> Wrap {
    check_parameter(&*env, "sticky_actions", ("probability", probability), Interval::UNIT)?;
    let (copies, width) = (env.steps().copies, env.actions().width());
    let size = copies * width;
    let (executed, rngs) = (Executed { indices: vec![0; size], values: vec![0.0; size] }, Vec::new());
    Ok(wrap(env, StickyActions { probability, width, rngs, first: vec![true; copies], executed }))
}

struct StickyActions {
    probability: f64,
    width: usize,
    rngs: Vec<Rng>,
    /// Whether a copy has not yet acted in its episode.
    first: Vec<bool>,
    executed: Executed,
}

/// The last actions, `[copies, width]`, in the kind of the action space.
struct Executed {
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl Layer for StickyActions {
    fn actions<'a>(&'a mut self, actions: Actions<'a>, paused: &[bool]) -> Actions<'a> {
        let StickyActions { probability, width, rngs, first, executed } = self;
        let chosen = |copy: usize| {
            !is_paused(paused, copy) && (std::mem::take(&mut first[copy]) || !rngs[copy].random_bool(*probability))
        };
        match actions {
            Actions::Indices(given) => Actions::Indices(replace(&mut executed.indices, given, *width, chosen)),
            Actions::Values(given) => Actions::Values(replace(&mut executed.values, given, *width, chosen)),
        }
    }

    fn after_reset(&mut self, _: &mut Steps) {
        self.first.fill(true);
    }

    fn after_step(&mut self, steps: &mut Steps, _: &[bool]) -> Result<(), StepError> {
        steps.ends.iter().for_each(|end| self.first[end.copy] = true);
        Ok(())
    }

    fn restart(&mut self, rngs: &[Rng]) {
        self.rngs.clear();
        self.rngs.extend(rngs.iter().map(|rng| derived(rng, "sticky actions")));
    }
}

/// Overwrites the actions of the copies for which `chosen` says so.
fn replace<'a, T: Copy>(
    executed: &'a mut [T],
    given: &[T],
    width: usize,
    mut chosen: impl FnMut(usize) -> bool,
) -> &'a [T] {
    for (copy, (executed, given)) in executed.chunks_exact_mut(width).zip(given.chunks_exact(width)).enumerate() {
        if chosen(copy) {
            executed.copy_from_slice(given);
        }
    }
    executed
}
