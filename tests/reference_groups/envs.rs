use super::{Case, number, numbers, toy_text};
use lossward_envs::classic_control::cart_pole::{self, CartPole};
use lossward_envs::{Action, Actions, Bound, Cause, Copies, Env, Space, Vectorized, find, stream};
use serde_json::Value;

/// Steps once from every recorded state, and through the whole episode for the time limit.
pub fn cart_pole(case: &Case) {
    let spec = find(case.text("env_id")).unwrap();
    let states = case.expected("states").as_array().unwrap();
    let actions = case.indices("actions");
    let observations = case.expected("observations");
    let one_step = number(case.expected("state_atol_one_step"));
    let mut env = CartPole::default();
    let mut observation = [0.0; 4];
    let set = |env: &mut CartPole, state: &Value| env.state = numbers(state).try_into().unwrap();
    set(&mut env, case.input("initial_state"));
    env.observe(&mut observation);
    case.check("initial_observation", &observation.map(f64::from));
    let mut rewards = Vec::new();
    for (t, &action) in actions.iter().enumerate() {
        set(&mut env, &states[t]);
        let outcome = env.step(Action::Index(action), &mut stream(0, "env", 0));
        rewards.push(outcome.reward);
        case.compare_within(&format!("state {}", t + 1), &env.state, &states[t + 1], (0.0, one_step));
        env.observe(&mut observation);
        case.compare(&format!("observation {t}"), &observation.map(f64::from), &observations[t]);
        assert_eq!(Value::from(outcome.terminated), case.expected("terminated")[t], "terminated at {t}");
    }
    case.check("rewards", &rewards);
    case.check("return", &[rewards.iter().sum()]);
    case.check("num_steps", &[actions.len() as f64]);
    check_truncation(case, &actions, spec.max_steps);
    case.expected("open_loop_safe_steps");
}

/// The ends of the vectorized environment, whose state is put back on the recorded track before every step.
fn check_truncation(case: &Case, actions: &[u32], max_steps: Option<u32>) {
    let states = case.expected("states").as_array().unwrap();
    let spaces = (cart_pole::SPEC.observations, cart_pole::SPEC.actions);
    let mut copies =
        Copies::new("CartPole-v1", spaces, max_steps, vec![CartPole::default()], vec![stream(0, "env", 0)]);
    for (t, &action) in actions.iter().enumerate() {
        copies.env_mut(0).state = numbers(&states[t]).try_into().unwrap();
        copies.step(Actions::Indices(&[action]), &[]).unwrap();
        let cause = copies.steps().ends.first().map(|end| end.cause);
        let (terminated, truncated) = (&case.expected("terminated")[t], &case.expected("truncated")[t]);
        assert_eq!(cause == Some(Cause::Terminated), terminated.as_bool().unwrap(), "terminated at {t}");
        assert_eq!(cause == Some(Cause::Truncated), truncated.as_bool().unwrap(), "truncated at {t}");
    }
}

/// Registry facts, and 2000 resets whose statistics are compared loosely.
pub fn specs(case: &Case) {
    let spec = find(case.text("env_id")).unwrap();
    if case.expects("observation_space") {
        return toy_text::spec(case, spec);
    }
    case.check("max_episode_steps", &[f64::from(spec.max_steps.unwrap())]);
    case.check("reward_threshold", &[spec.reward_threshold.unwrap()]);
    assert_eq!(case.expected("action_space"), &Value::from(spec.actions.to_string()));
    assert!(case.expected("reset_distribution").is_string());
    let Space::Box { low, high, .. } = spec.observations else { panic!("a box is expected") };
    let double = |bound: Bound| (0..spec.observations.size()).map(|i| f64::from(bound.of(i))).collect::<Vec<f64>>();
    case.check("observation_low", &double(low));
    case.check("observation_high", &double(high));
    let env = spec.make_default((0..2000).map(|i| stream(0, "env", i)).collect());
    let features = env.steps().features;
    let column = |i: usize| env.steps().observations.iter().skip(i).step_by(features).map(|v| f64::from(*v));
    let statistic = |f: fn(Vec<f64>) -> f64| (0..features).map(|i| f(column(i).collect())).collect::<Vec<f64>>();
    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }
    case.check("reset_sample_mean_2000", &statistic(|values| mean(&values)));
    case.check("reset_sample_min_2000", &statistic(|values| values.into_iter().fold(f64::INFINITY, f64::min)));
    case.check("reset_sample_max_2000", &statistic(|values| values.into_iter().fold(f64::NEG_INFINITY, f64::max)));
    let deviation = |values: Vec<f64>| {
        let center = mean(&values);
        values.iter().map(|v| (v - center).powi(2)).sum::<f64>().sqrt() / (values.len() as f64).sqrt()
    };
    case.check("reset_sample_std_2000", &statistic(deviation));
}
