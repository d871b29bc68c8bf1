//! The values of actions in a box.

use super::{Layer, Wrap, WrapError, wrap};
use crate::{Actions, Bound, Space, Vectorized};

/// Clips every element into the bounds, `min(max(a, low), high)`, for an environment whose own rule for values outside is
/// another one. What is not finite stays as it is, for the environment to refuse.
///
/// # Errors
/// When the action space is not a box.
pub fn clip_actions(env: Box<dyn Vectorized>) -> Wrap {
    let right = "a box with every lower bound at most the upper one";
    let (low, high) = bounds(&*env, "clip_actions", right, |low, high| low <= high)?;
    let space = env.actions();
    Ok(mapped(env, space, move |i, value| value.clamp(low.of(i), high.of(i))))
}

/// Takes actions in [−1, 1] and maps them linearly onto the bounds, element by element, after clipping them:
///
/// ```text
/// a ← clip(a, −1, 1);   low · (1 − t) + high · t   with t = (a + 1) / 2
/// ```
///
/// As Gymnasium's `RescaleAction`; −1, 0 and 1 give exactly the lower bound, the middle and the upper bound. What is not
/// finite stays as it is, for the environment to refuse.
///
/// # Errors
/// When the action space is not a box with finite bounds.
pub fn rescale_actions(env: Box<dyn Vectorized>) -> Wrap {
    let right = "a box with finite bounds";
    let fits = |low: f32, high: f32| low.is_finite() && high.is_finite() && low <= high;
    let (low, high) = bounds(&*env, "rescale_actions", right, fits)?;
    let space = match env.actions() {
        Space::Box { shape, .. } => Space::Box { shape, low: Bound::All(-1.0), high: Bound::All(1.0) },
        other => other,
    };
    Ok(mapped(env, space, move |i, value| {
        let share = (f64::from(value.clamp(-1.0, 1.0)) + 1.0) / 2.0;
        (f64::from(low.of(i)) * (1.0 - share) + f64::from(high.of(i)) * share) as f32
    }))
}

/// The bounds of the action space, if it is a box and each pair of them fits.
fn bounds(
    env: &dyn Vectorized,
    wrapper: &'static str,
    right: &'static str,
    fits: impl Fn(f32, f32) -> bool,
) -> Result<(Bound, Bound), WrapError> {
    let space = env.actions();
    match space {
        Space::Box { shape, low, high } if (0..shape.size()).all(|i| fits(low.of(i), high.of(i))) => Ok((low, high)),
        _ => Err(WrapError::Space { env: env.id(), wrapper, part: "actions", space: Box::new(space), right }),
    }
}

/// An environment with this action space, whose finite values are mapped one by one: `map(element, value)`.
fn mapped(
    env: Box<dyn Vectorized>,
    space: Space,
    map: impl Fn(usize, f32) -> f32 + Send + 'static,
) -> Box<dyn Vectorized> {
    let values = vec![0.0; env.steps().copies * space.width()];
    wrap(env, MappedActions { space, map, values })
}

struct MappedActions<F> {
    space: Space,
    map: F,
    /// `[copies, width]`
    values: Vec<f32>,
}

impl<F: Fn(usize, f32) -> f32 + Send> Layer for MappedActions<F> {
    fn action_space(&self, _: Space) -> Space {
        self.space
    }

    fn actions<'a>(&'a mut self, actions: Actions<'a>, _: &[bool]) -> Actions<'a> {
        let Actions::Values(given) = actions else { return actions };
        let width = self.space.width();
        for (mapped, given) in self.values.chunks_exact_mut(width).zip(given.chunks_exact(width)) {
            for (i, (mapped, &value)) in mapped.iter_mut().zip(given).enumerate() {
                *mapped = if value.is_finite() { (self.map)(i, value) } else { value };
            }
        }
        Actions::Values(&self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dims;
    use crate::wrapper::traces::Echo;

    const BOX: Space =
        Space::Box { shape: Dims::of(&[2]), low: Bound::Each(&[-1.0, -4.0]), high: Bound::Each(&[1.0, 0.5]) };

    /// What one step of two copies pays: the first element and ten times the second.
    fn paid(wrapper: fn(Box<dyn Vectorized>) -> Wrap, actions: &[f32; 4]) -> (Space, Vec<f32>) {
        let mut env = wrapper(Echo::copies(BOX, 2)).unwrap();
        env.step(Actions::Values(actions), &[]).unwrap();
        (env.actions(), env.steps().rewards.clone())
    }

    #[test]
    fn clipped_actions_lie_in_the_bounds() {
        assert_eq!(paid(clip_actions, &[0.5, -3.0, 7.0, 7.0]), (BOX, vec![0.5 - 30.0, 1.0 + 5.0]));
        assert_eq!(paid(clip_actions, &[-7.0, -7.0, 0.0, 0.0]), (BOX, vec![-1.0 - 40.0, 0.0]));
    }

    #[test]
    fn rescaled_actions_meet_the_bounds_and_the_middle() {
        let space = Space::Box { shape: Dims::of(&[2]), low: Bound::All(-1.0), high: Bound::All(1.0) };
        assert_eq!(paid(rescale_actions, &[-1.0, -1.0, 1.0, 1.0]), (space, vec![-1.0 - 40.0, 1.0 + 5.0]));
        // −4 + 4.5 · (a + 1) / 2 for the second element, by hand.
        assert_eq!(paid(rescale_actions, &[0.0, 0.0, -0.5, 0.5]), (space, vec![-17.5, -0.5 - 6.25]));
        assert_eq!(paid(rescale_actions, &[-9.0, 9.0, 0.25, 9.0]), (space, vec![-1.0 + 5.0, 0.25 + 5.0]));
    }
}
