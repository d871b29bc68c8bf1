#![allow(clippy::unwrap_used)]

use super::*;
use crate::network::NetworkSettings;
use crate::optimizer::OptimizerSettings;
use crate::task::Task;
use crate::task::TaskSettings;

const NETWORK: &str = "hidden = [16]\nactivation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 1.0";

struct Made {
    objective: PolicyGradient,
    network: Network,
    rng: Rng,
}

/// An objective of a preset with these settings over it, in a task.
fn made(task: &str, preset: &str, over: &str, gain: f64) -> Made {
    let defaults: toml::Table = toml::from_str(include_str!("../../experiment/defaults.toml")).unwrap();
    let mut table = defaults["preset"][preset].as_table().unwrap().clone();
    table.insert("preset".into(), preset.into());
    table.extend(toml::from_str::<toml::Table>(over).unwrap());
    let settings: PolicyGradientSettings = table.try_into().unwrap();
    let network: NetworkSettings = toml::from_str(&NETWORK.replace("gain = 1.0", &format!("gain = {gain:?}"))).unwrap();
    let optimizer: OptimizerSettings = toml::from_str("rule = \"adam\"\nlearning_rate = 0.01").unwrap();
    let task = Task::load(&toml::from_str::<TaskSettings>(task).unwrap(), 0).unwrap();
    let (optimizer, budget, seed) = (&optimizer, 1_000_000, 0);
    let parts = Parts {
        task: &task,
        network: &network,
        optimizer,
        budget,
        seed,
        expert: &|_| unreachable!("no expert is asked for"),
    };
    let objective = PolicyGradient::new(&settings, &parts).unwrap();
    let policy = task.policy(None).unwrap();
    let sizes = (&task.input_shape()[..], policy);
    let network = Network::of_policy(&network, sizes, &mut stream(0, "init", 0)).unwrap();
    Made { objective, network, rng: stream(0, "batches", 0) }
}

const DIGITS: &str = "dataset = \"digits\"";
const CART_POLE: &str = "env = \"CartPole-v1\"";

#[test]
fn a_group_faces_one_context_and_the_next_rollout_another() {
    let Made { mut objective, network, .. } = made(DIGITS, "rloo", "environments = 12\ngroup_size = 4", 1.0);
    let mut seen: Vec<Vec<f32>> = Vec::new();
    for _ in 0..3 {
        objective.gather(&network).unwrap();
        let features = objective.env.steps().features;
        for group in objective.rollout.observations.chunks_exact(4 * features) {
            assert!(group.chunks_exact(features).all(|other| other == &group[..features]));
            assert!(!seen.contains(&group[..features].to_vec()), "a context came twice");
            seen.push(group[..features].to_vec());
        }
    }
    assert_eq!((seen.len(), objective.examples), (9, 36));
}

/// A policy that always does the same is its own greedy policy.
#[test]
fn the_greedy_baseline_of_a_certain_policy_leaves_nothing() {
    let over = "baseline = \"greedy\"\nenvironments = 6";
    let Made { mut objective, network, .. } = made(CART_POLE, "reinforce", over, 1e6);
    objective.gather(&network).unwrap();
    assert!(objective.estimates.advantages.iter().all(|advantage| advantage.abs() < 1e-4));
    assert_eq!(objective.examples, 2 * objective.rollout.transitions() as u64, "greedy steps are steps");
    let Made { mut objective, network, .. } = made(CART_POLE, "reinforce", over, 0.01);
    objective.gather(&network).unwrap();
    assert!(objective.estimates.advantages.iter().any(|advantage| advantage.abs() > 1.0));
}

#[test]
fn a_moving_average_knows_the_past_alone() {
    let over = "baseline = \"moving_average\"\ndecay = 0.5\nenvironments = 4";
    let Made { mut objective, network, .. } = made(CART_POLE, "reinforce", over, 0.01);
    let mean = |objective: &PolicyGradient, of: &[f32]| {
        objective.order.iter().map(|&i| f64::from(of[i])).sum::<f64>() / objective.order.len() as f64
    };
    let mut past: Vec<f64> = Vec::new();
    for _ in 0..4 {
        objective.gather(&network).unwrap();
        let now = mean(&objective, &objective.estimates.returns);
        let left = mean(&objective, &objective.estimates.advantages);
        // Weights 1/2, 1/4, … of the past, the latest first, made to sum to 1.
        let weights = past.iter().rev().enumerate().map(|(age, value)| (0.5f64.powi(age as i32 + 1), *value));
        let (sum, weight) = weights.fold((0.0, 0.0), |(s, w), (weight, value)| (s + weight * value, w + weight));
        let expected = if past.is_empty() { 0.0 } else { sum / weight };
        assert!((now - left - expected).abs() < 1e-4 * (1.0 + expected), "{} {expected}", now - left);
        past.push(now);
    }
}

#[test]
fn epochs_end_where_the_policy_has_moved_too_far() {
    let over = "environments = 4\nrollout = { steps = 64 }\nbatch_size = 64\nepochs = 10";
    let updates = |extra: &str| {
        let Made { mut objective, network, mut rng } = made(CART_POLE, "ppo", &format!("{over}\n{extra}"), 0.01);
        let optimizer: OptimizerSettings = toml::from_str("rule = \"adam\"\nlearning_rate = 0.01").unwrap();
        let mut optimizer = crate::optimizer::Optimizer::new(&optimizer, stream(0, "gradient noise", 0)).unwrap();
        let mut updates = 0;
        while updates == 0 || objective.counters().batch_is_left {
            objective.next(&network, &mut rng, 0.0).unwrap();
            let value = objective.value(&network).unwrap();
            objective.note(&value.terms);
            optimizer.descend(network.parameters(), &value.scalar.neg().unwrap(), 0.0).unwrap();
            updates += 1;
        }
        assert_eq!(objective.examples, 256);
        updates
    };
    assert_eq!((updates(""), updates("target_kl = 1e3"), updates("target_kl = 1e-9")), (40, 40, 4));
    let few = updates("target_kl = 0.02");
    assert!(few % 4 == 0 && (4..40).contains(&few), "{few}");
}

/// Steps so many that no return bootstraps earlier are all rewards; and traces of a policy that has not moved are those of λ.
#[test]
fn returns_of_one_kind_are_special_cases_of_another() {
    let estimates = |over: &str| {
        let over = format!("environments = 4\nrollout = {{ steps = 64 }}\n{over}");
        let Made { mut objective, network, .. } = made(CART_POLE, "a2c", &over, 0.01);
        objective.gather(&network).unwrap();
        (objective.estimates.advantages, objective.estimates.returns)
    };
    let assert_close = |(a, b): (Vec<f32>, Vec<f32>), (c, d): (Vec<f32>, Vec<f32>)| {
        let pairs = a.iter().zip(&c).chain(b.iter().zip(&d));
        pairs.for_each(|(x, y)| assert!((x - y).abs() < 1e-3 * (1.0 + y.abs()), "{x} {y}"));
    };
    let plain = estimates("gae_lambda = 1.0");
    assert_close(estimates("n_step = 64"), plain.clone());
    assert_ne!(estimates("n_step = 2").0, plain.0);
    let (advantages, targets) = estimates("v_trace = {}\ngae_lambda = 1.0");
    assert_close((advantages, targets), plain);
}

/// What is drawn in one context for the same label is rewarded as it is.
#[test]
fn draws_for_one_label_share_a_context_and_are_not_compared() {
    for (gain, certain) in [(0.01, false), (1e6, true)] {
        let Made { mut objective, network, .. } = made(DIGITS, "otr", "environments = 16", gain);
        objective.gather(&network).unwrap();
        let features = objective.env.steps().features;
        for group in objective.rollout.observations.chunks_exact(8 * features) {
            assert!(group.chunks_exact(features).all(|other| other == &group[..features]));
        }
        assert_eq!(objective.estimates.advantages, objective.rollout.rewards);
        let differ = objective.rollout.log_probs.iter().any(|log_prob| *log_prob < -0.1);
        assert_eq!(differ, !certain);
        assert!(objective.warnings().is_empty());
        assert!(!objective.settings.terms().contains(&"zero_spread"));
    }
}

#[test]
fn groups_that_all_agree_are_warned_about() {
    let Made { mut objective, network, .. } = made(DIGITS, "grpo", "environments = 16", 1e6);
    objective.gather(&network).unwrap();
    let warnings = objective.warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("in 100 % of the groups"), "{warnings:?}");
    let Made { mut objective, network, .. } = made(DIGITS, "grpo", "environments = 640", 0.01);
    objective.gather(&network).unwrap();
    assert!(objective.warnings().is_empty());
}
