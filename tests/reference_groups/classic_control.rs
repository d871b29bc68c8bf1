//! Episodes of classic control, from recorded states.

use super::{Case, number, numbers};
use lossward_envs::classic_control::acrobot::Acrobot;
use lossward_envs::classic_control::cart_pole::CartPole;
use lossward_envs::classic_control::mountain_car::MountainCar;
use lossward_envs::classic_control::mountain_car_continuous::MountainCarContinuous;
use lossward_envs::classic_control::pendulum::Pendulum;
use lossward_envs::{Action, Actions, Cause, Copies, Env, Space, Spec, Vectorized, find, stream};
use serde_json::Value;

/// An environment whose state is a list of numbers.
pub trait State: Env + Default + 'static {
    fn state(&mut self) -> &mut [f64];

    fn set(&mut self, state: &Value) {
        self.state().copy_from_slice(&numbers(state));
    }
}

macro_rules! states {
    ($($env:ty),*) => { $(impl State for $env {
        fn state(&mut self) -> &mut [f64] {
            &mut self.state
        }
    })* };
}
states!(Acrobot, CartPole, MountainCar, MountainCarContinuous, Pendulum);

/// Steps once from every recorded state, through the whole episode for its end, and freely as long as rounding allows.
pub fn episode<E: State>(case: &Case) {
    let spec = find(case.text("env_id")).unwrap();
    let actions = RecordedActions::of(case, spec);
    check_steps::<E>(case, spec, &actions);
    let all = number(case.expected("num_steps")) as usize;
    assert_eq!(all, actions.steps());
    check_copies::<E>(case, spec, &actions, Play { steps: all, put_back: true });
    let safe = number(case.expected("open_loop_safe_steps")) as usize;
    check_copies::<E>(case, spec, &actions, Play { steps: safe, put_back: false });
}

/// One action of one number per step.
enum RecordedActions {
    Indices(Vec<u32>),
    Values(Vec<f32>),
}

impl RecordedActions {
    fn of(case: &Case, spec: &Spec) -> RecordedActions {
        assert_eq!(spec.actions.width(), 1);
        match spec.actions {
            Space::Box { .. } => {
                RecordedActions::Values(case.numbers("actions").into_iter().map(|value| value as f32).collect())
            }
            _ => RecordedActions::Indices(case.indices("actions")),
        }
    }

    fn steps(&self) -> usize {
        match self {
            RecordedActions::Indices(indices) => indices.len(),
            RecordedActions::Values(values) => values.len(),
        }
    }

    fn of_one(&self, t: usize) -> Action<'_> {
        match self {
            RecordedActions::Indices(indices) => Action::Index(indices[t]),
            RecordedActions::Values(values) => Action::Values(&values[t..t + 1]),
        }
    }

    fn of_copies(&self, t: usize) -> Actions<'_> {
        match self {
            RecordedActions::Indices(indices) => Actions::Indices(&indices[t..t + 1]),
            RecordedActions::Values(values) => Actions::Values(&values[t..t + 1]),
        }
    }
}

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// The dynamics alone, from each recorded state.
fn check_steps<E: State>(case: &Case, spec: &Spec, actions: &RecordedActions) {
    let states = case.expected("states").as_array().unwrap();
    let one_step = number(case.expected("state_atol_one_step"));
    let mut env = E::default();
    let mut observation = vec![f32::NAN; spec.observations.size()];
    env.set(case.input("initial_state"));
    env.observe(&mut observation);
    case.check("initial_observation", &double(&observation));
    let mut rewards = Vec::new();
    for t in 0..actions.steps() {
        env.set(&states[t]);
        let outcome = env.step(actions.of_one(t), &mut stream(0, "env", 0));
        rewards.push(outcome.reward);
        case.compare_within(&format!("state {}", t + 1), env.state(), &states[t + 1], (0.0, one_step));
        env.observe(&mut observation);
        case.compare(&format!("observation {t}"), &double(&observation), &case.expected("observations")[t]);
        assert_eq!(Value::from(outcome.terminated), case.expected("terminated")[t], "terminated at {t}");
    }
    case.check("rewards", &rewards);
    case.check("return", &[rewards.iter().sum()]);
}

struct Play {
    steps: usize,
    /// On the recorded track, before every step.
    put_back: bool,
}

/// The vectorized environment, which knows the time limit and starts anew at an end.
fn check_copies<E: State>(case: &Case, spec: &Spec, actions: &RecordedActions, play: Play) {
    let states = case.expected("states").as_array().unwrap();
    let spaces = (spec.observations, spec.actions);
    let mut copies = Copies::new(spec.id, spaces, spec.max_steps, vec![E::default()], vec![stream(0, "env", 0)]);
    copies.env_mut(0).set(case.input("initial_state"));
    for (t, state) in states.iter().enumerate().take(play.steps) {
        if play.put_back {
            copies.env_mut(0).set(state);
        }
        copies.step(actions.of_copies(t), &[]).unwrap();
        let steps = copies.steps();
        let cause = steps.ends.first().map(|end| end.cause);
        let observation = if cause.is_some() { steps.last_observation(0) } else { &steps.observations };
        let what = |name: &str| format!("{name} {t}, put back: {}", play.put_back);
        case.compare(&what("observation"), &double(observation), &case.expected("observations")[t]);
        case.compare(&what("reward"), &double(&steps.rewards), &case.expected("rewards")[t]);
        for (key, end) in [("terminated", Cause::Terminated), ("truncated", Cause::Truncated)] {
            assert_eq!(Value::from(cause == Some(end)), case.expected(key)[t], "{}", what(key));
        }
        assert!(cause.is_none() || t + 1 == actions.steps(), "{}", what("end"));
    }
}

/// The states after this many resets, `[resets][state]`.
pub fn reset_states(env_id: &str, resets: u64) -> Vec<Vec<f64>> {
    fn draw<E: State>(resets: u64) -> Vec<Vec<f64>> {
        let mut env = E::default();
        let mut state_after = |i| {
            env.reset(&mut stream(0, "env", i));
            env.state().to_vec()
        };
        (0..resets).map(&mut state_after).collect()
    }
    match env_id {
        "Acrobot-v1" => draw::<Acrobot>(resets),
        "CartPole-v1" => draw::<CartPole>(resets),
        "MountainCar-v0" => draw::<MountainCar>(resets),
        "MountainCarContinuous-v0" => draw::<MountainCarContinuous>(resets),
        "Pendulum-v1" => draw::<Pendulum>(resets),
        other => panic!("{other} is not classic control"),
    }
}
