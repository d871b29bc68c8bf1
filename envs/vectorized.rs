//! Many copies of an environment, stepped together.

use crate::{Action, Actions, Env, Rng, Scene, Space, Spec};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why an episode ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The state is terminal; what follows is worth nothing.
    Terminated,
    /// The time limit cut the episode; what follows is worth the value of the last observation (Pardo et al. 2018,
    /// arXiv 1712.00378).
    Truncated,
}

/// The end of one copy's episode. Its last observation is [`Steps::last_observation`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpisodeEnd {
    pub copy: usize,
    pub cause: Cause,
    /// Undiscounted sum of the rewards that the environment paid.
    pub total_reward: f64,
    /// Steps since reset.
    pub length: u32,
}

/// What a batch of steps left behind. The buffers are allocated once and overwritten by every step.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    pub copies: usize,
    pub features: usize,
    /// `[copies, features]`: what each copy shows now; after an end, the first observation of the next episode.
    pub observations: Vec<f32>,
    /// `[copies, actions]`: which actions are allowed now; empty where the environment has no action mask.
    pub action_masks: Vec<bool>,
    /// `[copies]`
    pub rewards: Vec<f32>,
    /// The episodes that ended in this step, by rising copy.
    pub ends: Vec<EpisodeEnd>,
    last_observations: Vec<f32>,
    lengths: Vec<u32>,
}

impl Steps {
    pub(crate) fn new(copies: usize, features: usize) -> Self {
        Steps {
            copies,
            features,
            observations: vec![0.0; copies * features],
            action_masks: Vec::new(),
            rewards: vec![0.0; copies],
            ends: Vec::with_capacity(copies),
            last_observations: vec![0.0; copies * features],
            lengths: vec![0; copies],
        }
    }

    /// What a copy shows now, `[features]`.
    pub fn observation(&self, copy: usize) -> &[f32] {
        &self.observations[self.range(copy)]
    }

    /// The observation in which the copy's most recent episode ended, before the automatic reset.
    pub fn last_observation(&self, copy: usize) -> &[f32] {
        &self.last_observations[self.range(copy)]
    }

    /// Steps of a copy since its episode began: 0 where its last step ended one.
    pub fn length(&self, copy: usize) -> u32 {
        self.lengths[copy]
    }

    pub(crate) fn observation_mut(&mut self, copy: usize) -> &mut [f32] {
        let range = self.range(copy);
        &mut self.observations[range]
    }

    pub(crate) fn last_observation_mut(&mut self, copy: usize) -> &mut [f32] {
        let range = self.range(copy);
        &mut self.last_observations[range]
    }

    /// Takes over all but the observations, without allocating.
    pub(crate) fn copy_all_but_observations(&mut self, other: &Steps) {
        self.action_masks.clone_from(&other.action_masks);
        self.rewards.clone_from(&other.rewards);
        self.ends.clone_from(&other.ends);
        self.lengths.clone_from(&other.lengths);
    }

    fn range(&self, copy: usize) -> std::ops::Range<usize> {
        copy * self.features..(copy + 1) * self.features
    }
}

/// A step that broke the environment's contract.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StepError {
    #[error("{env}, copy {copy}, step {step}: action {action} is outside Discrete({actions}); the largest is {}", actions - 1)]
    Action { env: &'static str, copy: usize, step: u32, action: u32, actions: u32 },
    #[error("{env}, copy {copy}, step {step}: element {index} of the action is {value}, not finite")]
    Value { env: &'static str, copy: usize, step: u32, index: usize, value: f32 },
    #[error("{env}: {what}")]
    Actions { env: &'static str, what: String },
    #[error("{env}, copy {copy}, step {step}: the environment returned a reward of {reward}")]
    Reward { env: &'static str, copy: usize, step: u32, reward: f64 },
    #[error("{env}, copy {copy}, step {step}: element {index} of the observation is {value}")]
    Observation { env: &'static str, copy: usize, step: u32, index: usize, value: f32 },
    #[error(
        "{env}, copy {copy}, step {step}: the observation was not written whole: element {index} of {features} is missing"
    )]
    Unwritten { env: &'static str, copy: usize, step: u32, index: usize, features: usize },
    /// Also where more is written than the observation has room for.
    #[error("{env}, copy {copy}, step {step}: the environment panicked: {what}")]
    Panic { env: &'static str, copy: usize, step: u32, what: String },
    #[error("{env}, copy {copy}, step {step}: the reward {reward} times {factor} is too large for 32 bits")]
    Scaled { env: &'static str, copy: usize, step: u32, reward: f32, factor: f64 },
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
