//! Copies of one environment, stepped one after the other.

use crate::vectorized::{check_actions, is_paused};
use crate::{Action, Actions, Cause, Env, EpisodeEnd, Rng, Scene, Space, Spec, StepError, Steps, Vectorized};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Copies of `E`, each with its own random stream: what every [`crate::wrapper`] wraps in the end.
pub struct Copies<E> {
    id: &'static str,
    observations: Space,
    actions: Space,
    max_steps: u32,
    envs: Vec<E>,
    rngs: Vec<Rng>,
    totals: Vec<f64>,
    steps: Steps,
    /// Of a reset; told by the next step.
    broken: Option<StepError>,
    /// The copy and the step that the dynamics are in; 0 is the reset.
    at: (usize, u32),
}

/// What observations are filled with before the environment writes the first one of an episode: not a number, and of no bits
/// that arithmetic makes.
const UNWRITTEN: f32 = f32::from_bits(0x7fc0_a55a);

impl<E: Env + 'static> Copies<E> {
    /// Copies of a registered environment, one per stream.
    pub fn of(spec: &Spec, envs: Vec<E>, rngs: Vec<Rng>) -> Box<dyn Vectorized> {
        Box::new(Copies::new(spec.id, (spec.observations, spec.actions), spec.max_steps, envs, rngs))
    }

    /// Copies of an environment with these spaces of `(observations, actions)`.
    ///
    /// # Panics
    /// When there is not one stream per copy.
    pub fn new(
        id: &'static str,
        (observations, actions): (Space, Space),
        max_steps: Option<u32>,
        envs: Vec<E>,
        rngs: Vec<Rng>,
    ) -> Self {
        assert_eq!(envs.len(), rngs.len(), "every copy needs a random stream of its own");
        let steps = Steps::new(envs.len(), observations.size());
        let mut all = Copies {
            id,
            observations,
            actions,
            max_steps: max_steps.unwrap_or(u32::MAX),
            envs,
            rngs,
            totals: vec![0.0; steps.copies],
            steps,
            broken: None,
            at: (0, 0),
        };
        all.reset();
        let mut mask = vec![false; actions.size()];
        if all.envs.first().is_some_and(|env| env.action_mask(&mut mask)) {
            all.steps.action_masks = mask.repeat(all.envs.len());
            all.write_masks();
        }
        all
    }

    fn write_masks(&mut self) {
        if !self.steps.action_masks.is_empty() {
            for (env, mask) in self.envs.iter().zip(self.steps.action_masks.chunks_exact_mut(self.actions.size())) {
                env.action_mask(mask);
            }
        }
    }

    /// The dynamics of one copy.
    pub fn env(&self, copy: usize) -> &E {
        &self.envs[copy]
    }

    /// The dynamics of one copy, for tests that set a state.
    pub fn env_mut(&mut self, copy: usize) -> &mut E {
        &mut self.envs[copy]
    }

    fn start_episode(&mut self, copy: usize) {
        self.at = (copy, 0);
        self.envs[copy].reset(&mut self.rngs[copy]);
        self.steps.lengths[copy] = 0;
        self.totals[copy] = 0.0;
        let observation = self.steps.observation_mut(copy);
        observation.fill(UNWRITTEN);
        self.envs[copy].observe(observation);
        if let Err(error) = self.check_observation(copy, 0) {
            self.broken.get_or_insert(error);
        }
    }

    fn check_observation(&self, copy: usize, step: u32) -> Result<(), StepError> {
        let observation = self.steps.observation(copy);
        // Without an early end, many values are looked at at once.
        if observation.iter().fold(true, |finite, value| finite & value.is_finite()) {
            return Ok(());
        }
        let (env, features) = (self.id, self.steps.features);
        let index = observation.iter().position(|value| !value.is_finite()).unwrap_or(0);
        Err(match observation[index] {
            value if value.to_bits() == UNWRITTEN.to_bits() => {
                StepError::Unwritten { env, copy, step, index, features }
            }
            value => StepError::Observation { env, copy, step, index, value },
        })
    }

    /// The action of one copy, checked against the space.
    #[inline]
    fn action<'a>(&self, actions: Actions<'a>, copy: usize) -> Result<Action<'a>, StepError> {
        let (env, step, width) = (self.id, self.steps.lengths[copy] + 1, self.actions.width());
        let beyond = |action: u32, actions: u32| Err(StepError::Action { env, copy, step, action, actions });
        match (actions, self.actions) {
            (Actions::Indices(indices), Space::Discrete(n)) => match indices[copy] {
                index if index < n => Ok(Action::Index(index)),
                index => beyond(index, n),
            },
            (Actions::Indices(indices), Space::MultiDiscrete(sizes)) => {
                let indices = &indices[copy * width..(copy + 1) * width];
                match indices.iter().zip(sizes).find(|(index, n)| index >= n) {
                    Some((index, n)) => beyond(*index, *n),
                    None => Ok(Action::Indices(indices)),
                }
            }
            (Actions::Values(values), _) => {
                let values = &values[copy * width..(copy + 1) * width];
                match values.iter().position(|value| !value.is_finite()) {
                    Some(index) => Err(StepError::Value { env, copy, step, index, value: values[index] }),
                    None => Ok(Action::Values(values)),
                }
            }
            (Actions::Indices(_), Space::Box { .. }) => unreachable!("the kind of the actions is checked first"),
        }
    }

    fn step_copy(&mut self, copy: usize, actions: Actions<'_>) -> Result<(), StepError> {
        let action = self.action(actions, copy)?;
        let (env, step) = (self.id, self.steps.lengths[copy] + 1);
        self.at = (copy, step);
        let outcome = self.envs[copy].step(action, &mut self.rngs[copy]);
        if !(outcome.reward as f32).is_finite() {
            return Err(StepError::Reward { env, copy, step, reward: outcome.reward });
        }
        self.envs[copy].observe(self.steps.observation_mut(copy));
        self.check_observation(copy, step)?;
        self.steps.rewards[copy] = outcome.reward as f32;
        self.totals[copy] += outcome.reward;
        self.steps.lengths[copy] = step;
        let cause = match outcome.terminated {
            true => Cause::Terminated,
            false if step >= self.max_steps => Cause::Truncated,
            false => return Ok(()),
        };
        self.steps.ends.push(EpisodeEnd { copy, cause, total_reward: self.totals[copy], length: step });
        let range = self.steps.range(copy);
        self.steps.last_observations[range.clone()].copy_from_slice(&self.steps.observations[range]);
        self.start_episode(copy);
        Ok(())
    }

    fn step_all(&mut self, actions: Actions<'_>, paused: &[bool]) -> Result<(), StepError> {
        for copy in 0..self.envs.len() {
            if is_paused(paused, copy) {
                self.steps.rewards[copy] = 0.0;
            } else {
                self.step_copy(copy, actions)?;
            }
        }
        Ok(())
    }

    /// A panic of the dynamics as an error that says where it happened.
    fn guarded(&mut self, run: impl FnOnce(&mut Self) -> Result<(), StepError>) -> Result<(), StepError> {
        // The copies are of no use after a panic, and nobody is told otherwise.
        catch_unwind(AssertUnwindSafe(|| run(self))).unwrap_or_else(|panic| {
            let (env, (copy, step)) = (self.id, self.at);
            Err(StepError::Panic { env, copy, step, what: panic_message(panic.as_ref()) })
        })
    }
}

/// What a panic said.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default()
}

impl<E: Env + 'static> Vectorized for Copies<E> {
    fn reset(&mut self) {
        self.steps.ends.clear();
        self.steps.rewards.fill(0.0);
        self.broken = None;
        let started = self.guarded(|all| {
            (0..all.envs.len()).for_each(|copy| all.start_episode(copy));
            all.write_masks();
            Ok(())
        });
        self.broken = self.broken.take().or(started.err());
    }

    fn restart(&mut self, rngs: Vec<Rng>) {
        assert_eq!(self.envs.len(), rngs.len(), "every copy needs a random stream of its own");
        self.rngs = rngs;
        self.reset();
    }

    fn step(&mut self, actions: Actions<'_>, paused: &[bool]) -> Result<(), StepError> {
        check_actions(self.id, self.actions, self.envs.len(), actions)?;
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        self.steps.ends.clear();
        self.guarded(|all| {
            all.step_all(actions, paused)?;
            all.write_masks();
            Ok(())
        })
    }

    fn observations(&self) -> Space {
        self.observations
    }

    fn actions(&self) -> Space {
        self.actions
    }

    fn scene(&self, copy: usize) -> Option<Scene> {
        self.envs[copy].scene()
    }

    fn steps(&self) -> &Steps {
        &self.steps
    }

    fn steps_mut(&mut self) -> &mut Steps {
        &mut self.steps
    }

    fn limit_time(&mut self, max_steps: NonZeroU32) {
        self.max_steps = max_steps.get();
    }

    fn id(&self) -> &'static str {
        self.id
    }

    fn rngs(&self) -> &[Rng] {
        &self.rngs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bound, Dims, Outcome, stream};

    /// Counts its steps and terminates at a chosen count.
    struct Counter {
        count: u32,
        end: u32,
        reward: f64,
    }

    impl Env for Counter {
        fn reset(&mut self, _: &mut Rng) {
            self.count = 0;
        }
        fn step(&mut self, _: Action<'_>, _: &mut Rng) -> Outcome {
            self.count += 1;
            assert!(self.count < 99, "the counter is at its end");
            Outcome { reward: self.reward, terminated: self.count == self.end }
        }
        fn observe(&self, out: &mut [f32]) {
            out[0] = self.count as f32;
        }
    }

    fn counters(ends: &[u32], max_steps: u32) -> Copies<Counter> {
        let envs = ends.iter().map(|&end| Counter { count: 0, end, reward: 0.5 }).collect();
        let rngs = (0..ends.len() as u64).map(|i| stream(0, "env", i)).collect();
        let observations = Space::Box { shape: Dims::of(&[1]), low: Bound::All(0.0), high: Bound::All(99.0) };
        Copies::new("Counter", (observations, Space::Discrete(2)), Some(max_steps), envs, rngs)
    }

    #[test]
    fn a_terminal_state_at_the_time_limit_is_terminated_not_truncated() {
        let mut copies = counters(&[3, 9], 3);
        for _ in 0..3 {
            copies.step(Actions::Indices(&[0, 0]), &[]).unwrap();
        }
        let end = |copy, cause| EpisodeEnd { copy, cause, total_reward: 1.5, length: 3 };
        assert_eq!(copies.steps().ends, [end(0, Cause::Terminated), end(1, Cause::Truncated)]);
        assert_eq!(copies.steps().last_observation(1), [3.0]);
        assert_eq!(copies.steps().observations, [0.0, 0.0]);
    }

    #[test]
    fn a_paused_copy_stands_still() {
        let mut copies = counters(&[9, 9], 9);
        copies.step(Actions::Indices(&[0, 0]), &[true, false]).unwrap();
        assert_eq!(copies.steps().observations, [0.0, 1.0]);
        assert_eq!(copies.steps().rewards, [0.0, 0.5]);
    }

    #[test]
    fn broken_steps_are_named() {
        let mut copies = counters(&[9, 9], 9);
        let error = copies.step(Actions::Indices(&[0]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "Counter: 1 indices for 2 copies of the action space Discrete(2)");
        let error = copies.step(Actions::Values(&[0.0, 0.0]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "Counter: 2 values for 2 copies of the action space Discrete(2)");
        let error = copies.step(Actions::Indices(&[0, 2]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "Counter, copy 1, step 1: action 2 is outside Discrete(2); the largest is 1");
        copies.env_mut(1).count = 98;
        let error = copies.step(Actions::Indices(&[0, 0]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "Counter, copy 1, step 1: the environment panicked: the counter is at its end");
        copies.reset();
        copies.env_mut(0).reward = f64::NAN;
        let error = copies.step(Actions::Indices(&[0, 0]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "Counter, copy 0, step 1: the environment returned a reward of NaN");
    }
}
