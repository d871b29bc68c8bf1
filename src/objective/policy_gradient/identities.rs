//! Where the reward is 1 for one action and 0 for the others, every method here moves the logits by `β(p) (e_y − π)`, with
//! `p = π(y)`: docs/policy_gradients.md derives the factors, and these tests read them off the code that trains.

#![allow(clippy::unwrap_used)]

use super::advantages::Estimates;
use super::*;
use crate::distribution::Policy;
use crate::loss::{Criterion, Inputs, LossSettings};
use crate::rollout::{Deviation, GroupScale, group_advantages};
use crate::surrogate::Surrogate;
use candle_core::Var;

/// Counts of each action in a group that is drawn in exact proportion to the policy.
const COUNTS: [u32; 4] = [3, 8, 5, 4];
const SIZE: usize = 20;

fn policy() -> [f64; 4] {
    COUNTS.map(|count| f64::from(count) / SIZE as f64)
}

/// The factor of each rewarded action: `(∇J)_y / (1 − p)`, after a look at whether the other logits move as they should.
fn factor(y: usize, gradient: &[f64]) -> f64 {
    let factor = gradient[y] / (1.0 - policy()[y]);
    for (action, (slope, p)) in gradient.iter().zip(policy()).enumerate() {
        let direction = f64::from(u8::from(action == y)) - p;
        assert!((slope - factor * direction).abs() < 1e-12, "{y}: {gradient:?} is not along e_y − π");
    }
    factor
}

fn logits(rows: usize) -> Var {
    let logits = policy().map(f64::ln).repeat(rows);
    Var::from_tensor(&Tensor::from_vec(logits, (rows, 4), &Device::Cpu).unwrap()).unwrap()
}

/// The gradient of a scalar of rows of logits, summed over rows.
fn gradient(rows: usize, scalar: impl Fn(&Tensor) -> Tensor) -> Vec<f64> {
    let logits = logits(rows);
    let gradients = scalar(&logits).backward().unwrap();
    gradients.get(&logits).unwrap().sum(0).unwrap().to_vec1().unwrap()
}

/// The update that the whole group makes, with these advantages.
fn update(surrogate: Surrogate, advantages: &[f64]) -> Vec<f64> {
    let actions: Vec<u32> = (0u32..4).flat_map(|action| vec![action; COUNTS[action as usize] as usize]).collect();
    let old: Vec<f64> = actions.iter().map(|action| policy()[*action as usize].ln()).collect();
    let column = |values: &[f64]| Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap();
    let (advantages, old_log_probs) = (&column(advantages), &column(&old));
    let (policy, actions) = (&Policy::Categorical { actions: 4 }, &Tensor::new(actions, &Device::Cpu).unwrap());
    let taken = Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient: 0.0 };
    gradient(SIZE, |logits| surrogate_objective(logits, &taken).unwrap().scalar)
}

/// 1 for every draw of `y`.
fn rewards(y: usize) -> Vec<f64> {
    (0..4).flat_map(|action| vec![f64::from(u8::from(action == y)); COUNTS[action] as usize]).collect()
}

fn assert_factors(method: &str, of: impl Fn(usize) -> Vec<f64>, beta: impl Fn(f64) -> f64) {
    for y in 0..4 {
        let (got, want) = (factor(y, &of(y)), beta(policy()[y]));
        assert!((got - want).abs() < 1e-6 * want.abs(), "{method}: β({}) is {got}, not {want}", policy()[y]);
    }
}

fn supervised(loss: &str, y: usize) -> Vec<f64> {
    let table: std::collections::BTreeMap<String, LossSettings> = toml::from_str(loss).unwrap();
    let criterion = Criterion::new(&table["loss"]).unwrap();
    let label = Tensor::new(&[y as u32], &Device::Cpu).unwrap();
    gradient(1, |logits| {
        criterion
            .value(|loss, options| loss.of_classifier(&Inputs::pair(logits, &label), options))
            .unwrap()
            .0
            .neg()
            .unwrap()
    })
}

#[test]
fn supervised_losses_have_their_factors() {
    assert_factors("cross-entropy", |y| supervised("loss = \"cross_entropy\"", y), |_| 1.0);
    let generalized = |y| supervised("loss = { generalized_cross_entropy = { q = 0.7 } }", y);
    assert_factors("generalized cross-entropy", generalized, |p| p.powf(0.7));
    let one = |y| supervised("loss = { generalized_cross_entropy = { q = 1.0 } }", y);
    assert_factors("the expected reward, from the label", one, |p| p);
}

#[test]
fn policy_gradients_have_their_factors() {
    assert_factors("policy gradient", |y| update(Surrogate::LogProb, &rewards(y)), |p| p);
    // A baseline that does not depend on the action changes nothing in expectation.
    let with_baseline = |y| update(Surrogate::LogProb, &rewards(y).iter().map(|r| r - 0.37).collect::<Vec<f64>>());
    assert_factors("policy gradient with a baseline", with_baseline, |p| p);
    // In the first update of a rollout the ratio is 1, and nothing is clipped.
    assert_factors("ppo, first update", |y| update(Surrogate::Clipped { clip: 0.2 }, &rewards(y)), |p| p);
    let grpo = |y| {
        let advantages = group_advantages(&rewards(y), SIZE, GroupScale::Group(Deviation::Population));
        update(Surrogate::Clipped { clip: 0.2 }, &advantages)
    };
    assert_factors("grpo", grpo, |p| (p / (1.0 - p)).sqrt());
    let dg = |y| update(Surrogate::Delightful { temperature: 1.0 }, &rewards(y));
    assert_factors("dg without a baseline", dg, |p| p / (1.0 + p));
}

/// Whatever the advantages: where the ratio is 1, the slope of the clipped surrogate is that of the log-probability.
#[test]
fn the_first_update_of_ppo_is_the_policy_gradient() {
    use rand::Rng as _;
    let mut rng = stream(0, "test", 0);
    for _ in 0..20 {
        let advantages: Vec<f64> = (0..SIZE).map(|_| rng.random_range(-3.0..3.0)).collect();
        let [clipped, plain] =
            [Surrogate::Clipped { clip: 0.2 }, Surrogate::LogProb].map(|surrogate| update(surrogate, &advantages));
        for (a, b) in clipped.iter().zip(&plain) {
            assert!((a - b).abs() < 1e-12, "{clipped:?} {plain:?}");
        }
    }
}

/// `L` of four actions.
fn odds() -> f64 {
    (4.0 / 3f64.sqrt()).exp()
}

/// Every action once as a candidate: the policy over the candidates is the policy itself.
#[test]
fn a_target_over_all_actions_has_its_factor() {
    let text = include_str!("../../experiment/defaults.toml");
    let defaults: toml::Table = toml::from_str(text).unwrap();
    let mut preset = defaults["preset"]["tpo"].as_table().unwrap().clone();
    preset.extend(toml::toml! { preset = "tpo" group_size = 4 environments = 4 });
    let settings: PolicyGradientSettings = preset.try_into().unwrap();
    let of = |y: usize| {
        let returns: [f32; 4] = std::array::from_fn(|action| f32::from(u8::from(action == y)));
        let target = Estimates::of_episodes(&returns, &policy().map(f64::ln)).target(&settings, &[0, 1, 2, 3]).unwrap();
        let rows = Var::from_tensor(&logits(1).broadcast_as((4, 4)).unwrap().contiguous().unwrap()).unwrap();
        let zeros = &Tensor::zeros(4, candle_core::DType::F64, &Device::Cpu).unwrap();
        let taken = Taken {
            policy: &Policy::Categorical { actions: 4 },
            actions: &Tensor::new(&[0u32, 1, 2, 3], &Device::Cpu).unwrap(),
            advantages: zeros,
            old_log_probs: zeros,
            surrogate: Surrogate::GroupTarget(&target),
            entropy_coefficient: 0.0,
        };
        let gradients = surrogate_objective(&rows, &taken).unwrap().scalar.backward().unwrap();
        gradients.get(&rows).unwrap().sum(0).unwrap().to_vec1().unwrap()
    };
    assert_factors("tpo", of, |p| p * (odds() - 1.0) / (1.0 - p + odds() * p));
}

/// One draw moves the logits along `e_a − π`, up for an advantage above 0 and down below.
#[test]
fn a_single_sample_has_the_target_of_its_sign() {
    let one = |action: u32, advantage: f64| {
        let column = |value: f64| Tensor::new(&[value], &Device::Cpu).unwrap();
        let (advantages, old_log_probs) = (&column(advantage), &column(0.0));
        let (policy, actions) = (&Policy::Categorical { actions: 4 }, &Tensor::new(&[action], &Device::Cpu).unwrap());
        let surrogate = Surrogate::Target { temperature: 1.0 };
        let taken = Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient: 0.0 };
        gradient(1, |logits| surrogate_objective(logits, &taken).unwrap().scalar)
    };
    assert_factors("a success", |y| one(y as u32, 0.3), |p| p * (odds() - 1.0) / (1.0 - p + odds() * p));
    assert_factors("a failure", |y| one(y as u32, -2.0), |p| p * (1.0 / odds() - 1.0) / (1.0 - p + p / odds()));
    assert!(one(2, 0.0).iter().all(|slope| *slope == 0.0));
}
