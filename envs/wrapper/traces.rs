//! What all wrappers are tested with, and what they all promise.

use super::*;
use crate::{Action, Copies, Env, EpisodeEnd, Outcome, RandomActions, find, stream};
use rand::Rng as _;

pub fn streams(name: &str, copies: usize) -> Vec<Rng> {
    (0..copies as u64).map(|i| stream(0, name, i)).collect()
}

/// Copies of a built-in environment, or of [`Echo`] with two actions at once.
pub fn copies_of(id: &str, copies: usize) -> Box<dyn Vectorized> {
    if id == "Echo" {
        return Echo::copies(Space::MultiDiscrete(&[2, 3]), copies);
    }
    find(id).unwrap().make_default(streams("env", copies))
}

/// Pays the action: `Σ 10^i a_i`; shows a draw; ends by chance after 10 steps on average.
pub struct Echo {
    shown: f32,
}

impl Echo {
    pub fn copies(actions: Space, copies: usize) -> Box<dyn Vectorized> {
        let envs = (0..copies).map(|_| Echo { shown: 0.0 }).collect();
        Box::new(Copies::new("Echo", (Space::binary(&[1]), actions), None, envs, streams("env", copies)))
    }
}

impl Env for Echo {
    fn reset(&mut self, rng: &mut Rng) {
        self.shown = rng.random();
    }
    fn step(&mut self, action: Action<'_>, rng: &mut Rng) -> Outcome {
        self.shown = rng.random();
        let digits: Vec<f64> = match action {
            Action::Index(index) => vec![f64::from(index)],
            Action::Indices(indices) => indices.iter().map(|&index| f64::from(index)).collect(),
            Action::Values(values) => values.iter().map(|&value| f64::from(value)).collect(),
        };
        let reward = digits.iter().rev().fold(0.0, |sum, digit| 10.0 * sum + digit);
        Outcome { reward, terminated: rng.random_bool(0.1) }
    }
    fn observe(&self, out: &mut [f32]) {
        out[0] = self.shown;
    }
}

/// Copies that are given random actions, each from a stream of its own that is drawn from when it is not paused.
pub struct Players {
    pub env: Box<dyn Vectorized>,
    actions: Vec<RandomActions>,
    /// Decides on the pauses, if there are any.
    pauses: Option<Rng>,
    pub paused: Vec<bool>,
}

impl Players {
    pub fn new(env: Box<dyn Vectorized>, pauses: bool) -> Self {
        let copies = env.steps().copies;
        let actions = streams("actions", copies).into_iter().map(|rng| RandomActions::new(env.actions(), vec![rng]));
        let actions = actions.collect();
        Players { env, actions, pauses: pauses.then(|| stream(0, "pauses", 0)), paused: vec![false; copies] }
    }

    pub fn step(&mut self) -> &Steps {
        if let Some(rng) = &mut self.pauses {
            self.paused.iter_mut().for_each(|paused| *paused = rng.random_bool(0.3));
        }
        let width = self.env.actions().width();
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        for (actions, paused) in self.actions.iter_mut().zip(&self.paused) {
            match (paused, self.env.actions()) {
                (true, Space::Box { .. }) => values.extend(vec![f32::NAN; width]),
                (true, _) => indices.extend(vec![u32::MAX; width]),
                (false, _) => match actions.draw() {
                    Actions::Indices(drawn) => indices.extend_from_slice(drawn),
                    Actions::Values(drawn) => values.extend_from_slice(drawn),
                },
            }
        }
        let actions = if indices.is_empty() { Actions::Values(&values) } else { Actions::Indices(&indices) };
        self.env.step(actions, &self.paused).unwrap();
        self.env.steps()
    }
}

/// What one copy saw and was paid in a step, and how the episode ended if it did.
type Seen = (Vec<f32>, f32, Option<(EpisodeEnd, Vec<f32>)>);

/// The first steps of the first copy: whatever it was before, whoever else is there, with or without pauses.
fn trace(players: &mut Players, length: usize) -> Vec<Seen> {
    let mut trace = vec![(players.env.steps().observation(0).to_vec(), 0.0, None)];
    while trace.len() <= length {
        let space = players.env.observations();
        let before = trace.last().unwrap().0.clone();
        players.step();
        let steps = players.env.steps();
        assert_eq!(space.first_outside(steps.observation(0)), None);
        if players.paused[0] {
            assert_eq!((steps.observation(0), steps.rewards[0]), (&before[..], 0.0), "a paused copy stands still");
            continue;
        }
        let end = steps.ends.first().filter(|end| end.copy == 0);
        let end = end.map(|end| (*end, steps.last_observation(0).to_vec()));
        trace.push((steps.observation(0).to_vec(), steps.rewards[0], end));
    }
    trace
}

type Wrapper = fn(Box<dyn Vectorized>) -> Wrap;

/// Frozen statistics that move and stretch every feature.
fn frozen(features: usize) -> Normalization {
    let statistics = Statistics::default();
    let numbers = |first: f64| (0..features).map(|i| first + 0.1 * i as f64).collect();
    statistics.set(Moments { mean: numbers(-0.2), variance: numbers(0.3), count: 9.0 }).unwrap();
    Normalization { clip: 3.0, ..Normalization::frozen(&statistics) }
}

fn normalized(env: Box<dyn Vectorized>) -> Wrap {
    let normalization = frozen(env.steps().features);
    normalize_observations(env, normalization)
}

const WRAPPERS: &[(&str, Wrapper)] = &[
    ("limit_time", |env| limit_time(env, 7)),
    ("sticky_actions", |env| sticky_actions(env, 0.4)),
    ("clip_actions", clip_actions),
    ("rescale_actions", rescale_actions),
    ("stack_frames", |env| stack_frames(env, 3)),
    ("stack_frames twice", |env| stack_frames(stack_frames(env, 2)?, 3)),
    ("normalize_observations", normalized),
    ("normalize_observations twice", |env| normalized(normalized(env)?)),
    ("normalize_observations and stack_frames", |env| stack_frames(normalized(env)?, 2)),
    ("stack_frames and normalize_observations", |env| normalized(stack_frames(env, 2)?)),
    ("normalize_rewards", |env| normalize_rewards(env, frozen(1), 0.9)),
    ("scale_rewards", |env| scale_rewards(env, 3.0)),
    ("clip_rewards", |env| clip_rewards(env, 0.25, 0.5)),
];

/// Environments of every kind of action and observation.
const ENVIRONMENTS: &[&str] =
    &["CartPole-v1", "Pendulum-v1", "MinAtar/Breakout-v1", "FrozenLake-v1", "Blackjack-v1", "Echo"];

#[test]
fn a_copy_does_the_same_alone_among_others_with_pauses_and_after_a_restart() {
    let mut ran = 0;
    for (name, wrapper) in WRAPPERS {
        for id in ENVIRONMENTS {
            let players = |copies, pauses| Ok(Players::new(wrapper(copies_of(id, copies))?, pauses));
            let alone = match players(1, false) {
                Ok(mut players) => trace(&mut players, 150),
                Err(error @ WrapError::Space { .. }) => {
                    assert!(error.to_string().contains(id), "{error}");
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            ran += 1;
            assert!(trace(&mut players(1, false).unwrap(), 150) == alone, "{name} of {id}: again");
            assert!(trace(&mut players(4, false).unwrap(), 150) == alone, "{name} of {id}: among others");
            let mut used = players(4, true).unwrap();
            assert!(trace(&mut used, 150) == alone, "{name} of {id}: with pauses");
            let mut used = used.env;
            used.restart(streams("env", 4));
            assert!(trace(&mut Players::new(used, true), 150) == alone, "{name} of {id}: after a restart");
        }
    }
    // Two wrappers need actions in a box, which one environment has, and three need observations in one, which four have.
    assert_eq!(ran, WRAPPERS.len() * ENVIRONMENTS.len() - 2 * 5 - 3 * 2);
}

#[test]
fn the_total_reward_is_what_the_environment_paid() {
    let wrap = |env| {
        let env = clip_rewards(scale_rewards(env, 0.5)?, -0.1, 0.2)?;
        normalize_rewards(env, Normalization::updating(&Statistics::default()), 0.99)
    };
    let mut players = Players::new(wrap(copies_of("CartPole-v1", 3)).unwrap(), true);
    let mut episodes = 0;
    for _ in 0..200 {
        for end in players.step().ends.iter() {
            // One per step.
            assert_eq!(end.total_reward, f64::from(end.length));
            episodes += 1;
        }
    }
    assert!(episodes > 10);
}

#[test]
fn wrong_actions_are_refused_by_the_outermost_wrapper() {
    for (_, wrapper) in WRAPPERS {
        let Ok(mut env) = wrapper(copies_of("Pendulum-v1", 2)) else { panic!("it has boxes only") };
        let error = env.step(Actions::Indices(&[0, 0]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "Pendulum-v1: 2 indices for 2 copies of the action space Box(1)");
        let error = env.step(Actions::Values(&[0.0]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "Pendulum-v1: 1 values for 2 copies of the action space Box(1)");
        let error = env.step(Actions::Values(&[0.0, f32::INFINITY]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "Pendulum-v1, copy 1, step 1: element 0 of the action is inf, not finite");
    }
}

#[test]
fn wrong_parameters_are_named() {
    let env = || copies_of("CartPole-v1", 1);
    let statistics = || Normalization::updating(&Statistics::default());
    for (wrapped, message) in [
        (limit_time(env(), 0), "limit_time of CartPole-v1: `max_steps` is 0; it must be at least 1"),
        (sticky_actions(env(), f64::NAN), "sticky_actions of CartPole-v1: `probability` is NaN; it must be in [0, 1]"),
        (sticky_actions(env(), -0.5), "sticky_actions of CartPole-v1: `probability` is -0.5; it must be in [0, 1]"),
        (clip_actions(env()), "clip_actions of CartPole-v1: the space of its actions is Discrete(2); it must be a box"),
        (rescale_actions(env()), "is Discrete(2); it must be a box with finite bounds"),
        (
            rescale_actions(copies_of("Lossward/Lqr-v0", 1)),
            "rescale_actions of Lossward/Lqr-v0: the space of its actions is Box(1); it must be a box with finite bounds",
        ),
        (stack_frames(env(), 0), "stack_frames of CartPole-v1: `count` is 0; it must be in [1, 1000]"),
        (
            normalize_observations(copies_of("FrozenLake-v1", 1), statistics()),
            "normalize_observations of FrozenLake-v1: the space of its observations is Discrete(16); it must be a box",
        ),
        (
            normalize_observations(env(), Normalization { clip: 0.0, ..statistics() }),
            "normalize_observations of CartPole-v1: `clip` is 0; it must be in (0, ∞)",
        ),
        (
            normalize_observations(env(), Normalization { epsilon: f64::NAN, ..statistics() }),
            "`epsilon` is NaN; it must be in (0, ∞)",
        ),
        (
            normalize_observations(env(), frozen(3)),
            "normalize_observations of CartPole-v1: the statistics are of 3 features; they must be of 4",
        ),
        (normalize_rewards(env(), statistics(), 1.5), "`discount` is 1.5; it must be in [0, 1]"),
        (normalize_rewards(env(), frozen(4), 0.9), "the statistics are of 4 features; they must be of 1"),
        (scale_rewards(env(), 0.0), "scale_rewards of CartPole-v1: `factor` is 0; it must be in (0, ∞)"),
        (scale_rewards(env(), f64::INFINITY), "`factor` is inf; it must be in (0, ∞)"),
        (clip_rewards(env(), 1.0, 1.0), "clip_rewards of CartPole-v1: `low` is 1; it must be below `high`, which is 1"),
        (clip_rewards(env(), f64::NAN, 1.0), "`low` is NaN"),
        (clip_rewards(env(), 1e300, f64::INFINITY), "`low` is 1e300"),
    ] {
        let error = wrapped.err().unwrap_or_else(|| panic!("no error; expected: {message}"));
        let text = error.to_string();
        assert!(text.contains(message) || text.contains(&message.replace("1e300", &1e300.to_string())), "{text}");
    }
}
