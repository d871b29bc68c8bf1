use super::{Case, classic_control, toy_text};
use lossward_envs::{Bound, Space, find};
use serde_json::Value;

/// Registry facts.
pub fn specs(case: &Case) {
    let spec = find(case.text("env_id")).unwrap();
    if case.expects("observation_space") {
        return toy_text::spec(case, spec);
    }
    let number_or_null = |number: Option<f64>| number.map_or(Value::Null, Value::from);
    let agrees = |key: &str, got: Option<f64>| match case.expected(key) {
        Value::Null => assert_eq!(number_or_null(got), Value::Null, "{key}"),
        _ => case.check(key, &[got.unwrap_or_else(|| panic!("no {key}"))]),
    };
    agrees("max_episode_steps", spec.max_steps.map(f64::from));
    agrees("reward_threshold", spec.reward_threshold);
    assert_eq!(case.expected("action_space"), &Value::from(gymnasium_text(&spec.actions)));
    let Space::Box { low, high, .. } = spec.observations else { panic!("a box is expected") };
    let double = |bound: Bound| (0..spec.observations.size()).map(|i| f64::from(bound.of(i))).collect::<Vec<f64>>();
    case.check("observation_low", &double(low));
    case.check("observation_high", &double(high));
    check_resets(case);
}

/// `Discrete(2)`, `Box(-1.0, 1.0, (1,), float32)`
fn gymnasium_text(space: &Space) -> String {
    let Space::Box { shape, low: Bound::All(low), high: Bound::All(high) } = space else { return space.to_string() };
    let lengths: Vec<String> = shape.as_slice().iter().map(usize::to_string).collect();
    let comma = if lengths.len() == 1 { "," } else { "" };
    format!("Box({low:?}, {high:?}, ({}{comma}), float32)", lengths.join(", "))
}

/// The statistics of 2000 initial states, which are compared loosely.
fn check_resets(case: &Case) {
    assert!(case.expected("reset_distribution").is_string());
    let states = classic_control::reset_states(case.text("env_id"), 2000);
    let columns: Vec<Vec<f64>> = (0..states[0].len()).map(|i| states.iter().map(|state| state[i]).collect()).collect();
    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }
    fn deviation(values: &[f64]) -> f64 {
        let center = mean(values);
        mean(&values.iter().map(|value| (value - center).powi(2)).collect::<Vec<f64>>()).sqrt()
    }
    fn least(values: &[f64]) -> f64 {
        values.iter().copied().fold(f64::INFINITY, f64::min)
    }
    fn largest(values: &[f64]) -> f64 {
        values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
    let of_all = |statistic: fn(&[f64]) -> f64| columns.iter().map(|column| statistic(column)).collect::<Vec<f64>>();
    case.check("reset_sample_mean_2000", &of_all(mean));
    case.check("reset_sample_std_2000", &of_all(deviation));
    case.check("reset_sample_min_2000", &of_all(least));
    case.check("reset_sample_max_2000", &of_all(largest));
}
