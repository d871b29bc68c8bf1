use super::sha256::sha256;
use super::{Case, number, numbers};
use lossward_envs::options::{Given, OptionValue, Options};
use lossward_envs::toy_text::blackjack::{self, ExactGame, Position, Rules};
use lossward_envs::toy_text::dynamic_programming::{
    action_value, mean_over_starts, optimal_values, optimal_values_within, policy_values,
};
use lossward_envs::toy_text::table::{TabularEnv, Transition, TransitionTable, World};
use lossward_envs::toy_text::taxi::Ride;
use lossward_envs::toy_text::{cliff_walking, frozen_lake, taxi};
use lossward_envs::{Actions, Cause, Copies, Space, Spec, Vectorized, find, stream};
use serde_json::Value;
use std::fmt::Write;
use std::sync::Arc;

fn options(spec: &Spec, given: impl IntoIterator<Item = (&'static str, OptionValue)>) -> Options {
    let given: Given = given.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    Options::new(spec.id, spec.options, &given).unwrap()
}

/// Registry facts: an environment with a discrete observation space.
pub fn spec(case: &Case, spec: &'static Spec) {
    let or_null = |number: Option<f64>| number.map_or(Value::Null, Value::from);
    let number_or_null = |value: &Value| if value.is_null() { Value::Null } else { Value::from(number(value)) };
    assert_eq!(or_null(spec.max_steps.map(f64::from)), number_or_null(case.expected("max_episode_steps")));
    assert_eq!(or_null(spec.reward_threshold), number_or_null(case.expected("reward_threshold")));
    assert_eq!(case.expected("action_space"), &Value::from(gymnasium_name(spec.actions)));
    assert_eq!(case.expected("observation_space"), &Value::from(gymnasium_name(spec.observations)));
    let env = spec.make_default(vec![stream(0, "env", 0)]);
    assert_eq!((env.observations(), env.actions()), (spec.observations, spec.actions));
    let defaults = Options::defaults(spec.options);
    for (name, value) in case.expected("kwargs").as_object().unwrap() {
        let name = if name == "map_name" { "map" } else { name };
        assert_eq!(defaults.values()[name].to_string(), value.as_str().unwrap().to_lowercase(), "{name}");
    }
}

fn gymnasium_name(space: Space) -> String {
    match space {
        Space::MultiDiscrete(sizes) => {
            format!("Tuple({})", sizes.iter().map(|n| format!("Discrete({n})")).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// The listed transitions, and all of them by their hash.
fn check_table(case: &Case, table: &TransitionTable) {
    let list = |s: usize, a: usize| table.transitions(s, a).to_vec();
    let pairs = || (0..table.states()).flat_map(|s| (0..table.actions()).map(move |a| (s, a)));
    let mut text = String::new();
    for (s, a) in pairs() {
        for Transition { probability, next_state, reward, terminated } in list(s, a) {
            writeln!(text, "{s},{a},{probability:.6},{next_state},{reward},{}", u8::from(terminated)).unwrap();
        }
    }
    assert_eq!(case.expected("p_sha256"), &Value::from(sha256(&text)));
    let listed = case.expected("transitions").as_array().unwrap();
    for entry in listed {
        let [s, a] = [0, 1].map(|i| number(&entry[i]) as usize);
        let row = |t: Transition| [t.probability, t.next_state.into(), t.reward, u8::from(t.terminated).into()];
        let got: Vec<f64> = list(s, a).into_iter().flat_map(row).collect();
        case.compare(&format!("transitions of {s}, {a}"), &got, &entry[2]);
    }
    assert_eq!(case.expected("transitions_complete"), &Value::from(listed.len() == pairs().count()));
}

pub fn frozen_lake_table(case: &Case) {
    let rows: Vec<&str> = case.input("desc").as_array().unwrap().iter().map(|row| row.as_str().unwrap()).collect();
    let success_rate = case.number("success_rate");
    let given = [
        ("map", OptionValue::Text(rows.join("/"))),
        ("is_slippery", OptionValue::Flag(case.flag("is_slippery"))),
        ("success_rate", OptionValue::Number(success_rate)),
    ];
    let options = options(&frozen_lake::SPEC, given);
    let World { table, .. } = frozen_lake::world(&options).unwrap();
    check_table(case, &table);
    case.check("optimal_value_gamma0.99", &optimal_values(&table, 0.99).unwrap());
    let at_start = |values: Vec<f64>| [mean_over_starts(&table, &values)];
    case.check("max_success_probability_unlimited", &at_start(optimal_values(&table, 1.0).unwrap()));
    let best = |limit| [frozen_lake::SPEC.best_expected_return(&options, limit).unwrap()];
    case.check("max_success_probability_unlimited", &best(None));
    let limits = [frozen_lake::SPEC, frozen_lake::SPEC_8X8].map(|spec| spec.max_steps.unwrap());
    let keys = limits.map(|steps| (steps, format!("max_success_probability_{steps}_steps")));
    let known: Vec<_> = keys.iter().filter(|(_, key)| case.expects(key)).collect();
    assert!(!known.is_empty(), "no success within a time limit");
    for (steps, key) in known {
        case.check(key, &at_start(optimal_values_within(&table, *steps)));
        case.check(key, &best(Some(*steps)));
    }
}

pub fn frozen_lake_rollout(case: &Case) {
    let spec = match case.text("map") {
        "4x4" => frozen_lake::SPEC,
        "8x8" => frozen_lake::SPEC_8X8,
        other => panic!("no environment has the map {other}"),
    };
    let given = [("is_slippery", OptionValue::Flag(case.flag("is_slippery")))];
    let world = frozen_lake::world(&options(&spec, given)).unwrap();
    check_rollout(case, &spec, world);
}

/// Actions in order, from a given state.
fn check_rollout(case: &Case, spec: &Spec, world: World) {
    let mut copies = Copies::new(
        spec.id,
        (spec.observations, spec.actions),
        spec.max_steps,
        vec![TabularEnv::new(Arc::new(world))],
        vec![stream(0, "env", 0)],
    );
    copies.env_mut(0).state = case.number("initial_state") as u32;
    let mut rewards = Vec::new();
    for (t, action) in case.indices("actions").into_iter().enumerate() {
        copies.step(Actions::Indices(&[action]), &[]).unwrap();
        let steps = copies.steps();
        let cause = steps.ends.first().map(|end| end.cause);
        let observation = if cause.is_some() { steps.last_observation(0) } else { &steps.observations };
        let state = observation.iter().position(|value| *value == 1.0).unwrap();
        assert_eq!(observation.iter().sum::<f32>(), 1.0, "an observation that is not one-hot");
        case.compare(&format!("observation {t}"), &[state as f64], &case.expected("observations")[t]);
        for (key, ended) in [("terminated", Cause::Terminated), ("truncated", Cause::Truncated)] {
            assert_eq!(case.expected(key)[t], Value::from(cause == Some(ended)), "{key} at {t}");
        }
        rewards.push(f64::from(steps.rewards[0]));
    }
    case.check("rewards", &rewards);
    if case.expects("return") {
        case.check("return", &[rewards.iter().sum()]);
    }
}

pub fn cliff_walking(case: &Case) {
    let spec = cliff_walking::SPEC;
    let flag = |name| case.has(name).then(|| (name, OptionValue::Flag(case.flag(name))));
    let options = options(&spec, flag("is_slippery"));
    let world = cliff_walking::world(&options);
    if case.has("actions") {
        return check_rollout(case, &spec, world);
    }
    assert_eq!(find(case.text("env")).unwrap().id, spec.id);
    check_table(case, &world.table);
    assert_eq!(world.table.starts(), [(number(case.expected("start_state")) as u32, 1.0)]);
    let values = optimal_values(&world.table, 1.0).unwrap();
    case.check("optimal_return_undiscounted", &[mean_over_starts(&world.table, &values)]);
    for limit in [None, Some(10_000)] {
        case.check("optimal_return_undiscounted", &[spec.best_expected_return(&options, limit).unwrap()]);
    }
}

pub fn taxi(case: &Case) {
    let options = options(&taxi::SPEC, []);
    let world = taxi::world(&options);
    if case.has("actions") {
        return check_rollout(case, &taxi::SPEC, world);
    }
    assert_eq!(find(case.text("env")).unwrap().id, taxi::SPEC.id);
    let table = world.table;
    check_table(case, &table);
    check_rides(case, &table);
    let starts = table.starts();
    case.check("num_initial_states", &[starts.len() as f64]);
    let each = case.expected("initial_probability");
    starts.iter().for_each(|(state, p)| case.compare(&format!("probability of {state}"), &[*p], each));
    let states: Vec<String> = starts.iter().map(|(state, _)| state.to_string()).collect();
    assert_eq!(case.expected("initial_states_sha256"), &Value::from(sha256(&states.join(","))));
    let values = optimal_values(&table, 1.0).unwrap();
    case.check("optimal_mean_return_undiscounted", &[mean_over_starts(&table, &values)]);
    for limit in [None, taxi::SPEC.max_steps] {
        let best = taxi::SPEC.best_expected_return(&options, limit).unwrap();
        case.check("optimal_mean_return_undiscounted", &[best]);
    }
    let of_starts = || starts.iter().map(|(state, _)| values[*state as usize]);
    case.check("optimal_min_return", &[of_starts().fold(f64::INFINITY, f64::min)]);
    case.check("optimal_max_return", &[of_starts().fold(f64::NEG_INFINITY, f64::max)]);
    let discounted = optimal_values(&table, 0.99).unwrap();
    case.check("optimal_mean_value_gamma0.99", &[mean_over_starts(&table, &discounted)]);
}

fn check_rides(case: &Case, table: &TransitionTable) {
    for sample in case.expected("decode_samples_[state,row,col,passenger,destination]").as_array().unwrap() {
        let state = number(&sample[0]) as u32;
        let ride = Ride::of(state);
        let decoded = [state, ride.taxi / 5, ride.taxi % 5, ride.passenger, ride.destination].map(f64::from);
        case.compare("decoded", &decoded, sample);
        assert_eq!(ride.state(), state);
    }
    for sample in case.expected("action_masks_[state,mask]").as_array().unwrap() {
        let state = number(&sample[0]) as usize;
        let mask: Vec<f64> = (0..6).map(|action| u8::from(table.moves(state, action)).into()).collect();
        case.compare(&format!("mask of {state}"), &mask, &sample[1]);
    }
}

pub fn blackjack(case: &Case) {
    let game = ExactGame::new(Rules { natural: case.flag("natural"), sab: case.flag("sab") });
    let table = &game.table;
    let expected_return = |values: &[f64]| mean_over_starts(table, values);
    let threshold = |sum: u8| {
        let hits = |state: usize| game.position(state).is_some_and(|position| position.player.sum < sum);
        expected_return(&policy_values(table, |state| usize::from(hits(state)), 1.0).unwrap())
    };
    let values = optimal_values(table, 1.0).unwrap();
    case.check("always_stick", &[threshold(0)]);
    case.check("hit_below_12_only", &[threshold(12)]);
    // `stick_on_20_or_more`, or any other sum.
    let sum_of = |policy: &str| policy.strip_prefix("stick_on_")?.strip_suffix("_or_more")?.parse().ok();
    let played = case.expected_with("simulated_gymnasium_");
    for policy in case.expected_with("").iter().filter(|policy| sum_of(policy).is_some()) {
        case.check(policy, &[threshold(sum_of(policy).unwrap())]);
    }
    case.check("optimal", &[expected_return(&values)]);
    let given = ["natural", "sab"].map(|name| (name, OptionValue::Flag(case.flag(name))));
    let options = options(&blackjack::SPEC, given);
    for limit in [None, Some(10_000)] {
        case.check("optimal", &[blackjack::SPEC.best_expected_return(&options, limit).unwrap()]);
    }
    let q = |sample: &Value| {
        let [sum, usable_ace, dealer] = [0, 1, 2].map(|i| number(&sample[i]) as u8);
        let is_it = |position: &Position| {
            let hand = position.player;
            (hand.sum, u8::from(hand.usable_ace), position.dealer) == (sum, usable_ace, dealer) && !hand.is_natural()
        };
        let state = (0..table.states()).find(|state| game.position(*state).as_ref().is_some_and(is_it)).unwrap();
        [0, 1].map(|action| action_value(table, &values, (state, action), 1.0))
    };
    for sample in case.expected("optimal_policy_[sum,usable_ace,dealer_card,hit]").as_array().unwrap() {
        let [stick, hit] = q(sample);
        assert_eq!(u8::from(hit > stick), number(&sample[3]) as u8, "{sample}");
    }
    for sample in case.expected("optimal_q_samples_[sum,usable_ace,dealer_card,q_stick,q_hit]").as_array().unwrap() {
        case.compare(&format!("values at {sample}"), &q(sample), &Value::from(numbers(sample)[3..].to_vec()));
    }
    for policy in played {
        let played = case.expected(&format!("simulated_gymnasium_{policy}"));
        let [mean, error] = ["mean", "standard_error"].map(|key| number(&played[key]));
        let exact = match policy.as_str() {
            "optimal" => expected_return(&values),
            policy => threshold(sum_of(policy).unwrap_or_else(|| panic!("the policy `{policy}` is not known"))),
        };
        assert!((mean - exact).abs() <= 4.5 * error, "{policy}: exactly {exact}, played {played}");
    }
}
