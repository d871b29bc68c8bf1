//! Actions that are repeated by chance.

use super::{Layer, Wrap, check_parameter, wrap};
use crate::options::Interval;
use crate::random::derived;
use crate::vectorized::is_paused;
use crate::{Actions, Rng, StepError, Steps, Vectorized};
use rand::Rng as _;

/// With this probability a copy executes the action that it executed last instead of the one it is given; the first action
/// of an episode is always executed. Machado et al. (2018, arXiv 1709.06009), with 0.25.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrapper::traces::{Echo, streams};
    use crate::{Bound, Dims, Space};

    /// What was executed, as [`Echo`] pays it, and whether the episode ended, when copy `c` is given `action(c, step)`.
    fn executed(
        space: Space,
        probability: f64,
        copies: usize,
        steps: u32,
        batch: impl Fn(usize, u32) -> Vec<f32>,
    ) -> Vec<Vec<(f32, bool)>> {
        let mut env = sticky_actions(Echo::copies(space, copies), probability).unwrap();
        let mut all = vec![Vec::new(); copies];
        for step in 0..steps {
            let values: Vec<f32> = (0..copies).flat_map(|copy| batch(copy, step)).collect();
            let indices: Vec<u32> = values.iter().map(|&value| value as u32).collect();
            let boxed = matches!(space, Space::Box { .. });
            env.step(if boxed { Actions::Values(&values) } else { Actions::Indices(&indices) }, &[]).unwrap();
            for (copy, seen) in all.iter_mut().enumerate() {
                let ended = env.steps().ends.iter().any(|end| end.copy == copy);
                seen.push((env.steps().rewards[copy], ended));
            }
        }
        all
    }

    #[test]
    fn an_action_is_executed_or_the_last_executed_one_is_as_often_as_asked_for() {
        let box_space = Space::Box { shape: Dims::of(&[2]), low: Bound::All(0.0), high: Bound::All(9.0) };
        for (space, width) in [(Space::Discrete(10), 1), (Space::MultiDiscrete(&[10, 10]), 2), (box_space, 2)] {
            for probability in [0.0, 0.25, 1.0] {
                // Two actions in a row are never the same.
                let action = |copy: usize, step: u32| vec![((step as usize + copy) % 10) as f32; width];
                let all = executed(space, probability, 3, 2000, action);
                let (mut repeated, mut free) = (0.0, 0.0);
                for (copy, seen) in all.iter().enumerate() {
                    let mut last = None;
                    for (step, &(paid, ended)) in seen.iter().enumerate() {
                        let digit = action(copy, step as u32)[0];
                        let given = if width == 1 { digit } else { 11.0 * digit };
                        match last {
                            None => assert_eq!(paid, given, "the first action of an episode"),
                            // That what was executed last is given again tells nothing.
                            Some(last) if last == given => assert_eq!(paid, given),
                            Some(last) => {
                                assert!(paid == given || paid == last);
                                free += 1.0;
                                repeated += f64::from(u8::from(paid == last));
                            }
                        }
                        last = (!ended).then_some(paid);
                    }
                }
                // Five standard deviations of the frequency.
                let deviation = (probability * (1.0 - probability) / free).sqrt();
                let frequency = repeated / free;
                assert!((frequency - probability).abs() <= 5.0 * deviation, "{space}: {frequency} of {probability}");
            }
        }
    }

    #[test]
    fn copies_repeat_at_different_times() {
        let all = executed(Space::Discrete(10), 0.5, 2, 100, |_, step| vec![(step % 10) as f32]);
        let paid = |copy: usize| all[copy].iter().map(|(paid, _)| *paid).collect::<Vec<f32>>();
        assert_ne!(paid(0), paid(1));
    }

    #[test]
    fn the_dynamics_draw_what_they_draw_without() {
        let mut plain = Echo::copies(Space::Discrete(2), 2);
        let mut sticky = sticky_actions(Echo::copies(Space::Discrete(2), 2), 0.5).unwrap();
        for _ in 0..50 {
            plain.step(Actions::Indices(&[0, 1]), &[]).unwrap();
            sticky.step(Actions::Indices(&[0, 1]), &[]).unwrap();
            assert_eq!(plain.steps().observations, sticky.steps().observations);
        }
        sticky.restart(streams("other", 2));
        assert_ne!(plain.steps().observations, sticky.steps().observations);
    }
}
