use super::*;
use crate::Rng;
use crate::distribution::{PolicySettings, Squash};
use crate::kernel::Grid;
use crate::kernel::testing::{assert_equal_with_gradients, random_var};
use candle_core::{Device, Var};
use lossward_envs::{Bound, Dims, Space};
use rand::Rng as _;

/// A policy of each kind in turn.
fn random_policy(kind: usize, rng: &mut Rng) -> Policy {
    let shape = Dims::of(&[rng.random_range(1..6)]);
    let (low, high) = (Bound::All(-0.5), Bound::All(2.0));
    let squashed = PolicySettings { squash: Squash::Tanh, ..PolicySettings::default() };
    match kind % 5 {
        4 => {
            let choices = [&[1][..], &[3], &[1, 4, 2]][rng.random_range(0..3usize)].to_vec();
            let size = [rng.random_range(1..3), rng.random_range(1..4)];
            return Policy::Grid(Grid { choices, size, biases: Vec::new() });
        }
        0 => Policy::new(Space::Discrete(rng.random_range(1..20)), None),
        1 => Policy::new(Space::MultiDiscrete([&[2, 5, 1][..], &[3], &[4, 2]][rng.random_range(0..3usize)]), None),
        2 => Policy::new(Space::Box { shape, low, high }, None),
        _ => Policy::new(Space::Box { shape, low, high }, Some(&squashed)),
    }
    .unwrap()
}

fn random_actions(policy: &Policy, batch: usize, dtype: DType, rng: &mut Rng) -> Tensor {
    if let Policy::Gaussian(_) = policy {
        let values = random_var(&[batch, policy.width()], dtype, rng).as_detached_tensor();
        return (values * 2.0).unwrap();
    }
    let sizes: Vec<u32> = match policy {
        Policy::Grid(grid) => grid.choices.iter().flat_map(|size| vec![(*size).max(2); grid.places()]).collect(),
        _ => policy.choices().to_vec(),
    };
    let actions: Vec<u32> = (0..batch).flat_map(|_| &sizes).map(|size| rng.random_range(0..*size)).collect();
    Tensor::from_vec(actions, (batch, policy.width()), &Device::Cpu).unwrap()
}

/// Two groups of three candidates with random rows, and random targets.
fn random_target(batch: usize, rng: &mut Rng) -> GroupTarget {
    let targets: Vec<f64> = (0..6).map(|_| rng.random_range(0.0..1.0)).collect();
    let sums = [targets[..3].iter().sum::<f64>(), targets[3..].iter().sum()];
    let targets = targets.iter().enumerate().map(|(i, target)| target / sums[i / 3]).collect();
    GroupTarget { targets, size: 3, candidates: (0..batch).map(|_| rng.random_range(0..6)).collect() }
}

/// Calls `check` with random batches of every policy: with every surrogate, with and without an entropy bonus.
fn for_random_batches(dtype: DType, mut check: impl FnMut(&Var, &Taken)) {
    let mut rng = lossward_envs::stream(0, "test", 0);
    for kind in 0..200 {
        let (policy, batch) = (random_policy(kind, &mut rng), rng.random_range(1..40));
        let outputs = random_var(&[batch, policy.outputs()], dtype, &mut rng);
        let actions = random_actions(&policy, batch, dtype, &mut rng);
        let advantages = random_var(&[batch], dtype, &mut rng).as_detached_tensor();
        let old_log_probs = (policy.log_prob(&outputs, &actions).unwrap().detach()
            + (random_var(&[batch], dtype, &mut rng).as_detached_tensor() * 0.5).unwrap())
        .unwrap();
        let target = random_target(batch, &mut rng);
        let options: usize = policy.options().iter().sum();
        let gains = random_var(&[batch, options.max(1)], dtype, &mut rng).as_detached_tensor();
        let parts = random_var(&[batch, policy.width()], dtype, &mut rng).as_detached_tensor();
        let surrogate = match rng.random_range(0..7) {
            4 if options > 0 => Surrogate::Gains(&gains),
            5 if options > 0 => Surrogate::Parts(&parts),
            0 => Surrogate::Clipped { clip: 0.2 },
            1 => Surrogate::Delightful { temperature: 0.8 },
            2 if policy.width() == 1 && policy.outputs() > 1 && matches!(policy, Policy::Categorical { .. }) => {
                Surrogate::Target { temperature: 1.3 }
            }
            3 => Surrogate::GroupTarget(&target),
            _ => Surrogate::LogProb,
        };
        let entropy_coefficient = if rng.random() { 0.7 } else { 0.0 };
        let (policy, actions, advantages, old_log_probs) = (&policy, &actions, &advantages, &old_log_probs);
        check(&outputs, &Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient });
    }
}

#[test]
fn the_fused_objective_equals_its_plain_twin() {
    for dtype in [DType::F64, DType::F32] {
        for_random_batches(dtype, |outputs, taken| {
            assert_equal_with_gradients(
                |[outputs]| Ok(surrogate_objective(outputs, taken)?.scalar),
                |[outputs]| Ok(plain::surrogate_objective(outputs, taken)?.scalar),
                std::array::from_ref(outputs),
                &format!("{:?} {:?} {dtype:?}", taken.policy, outputs.dims()),
            );
            let [fused, plain] = [surrogate_objective, plain::surrogate_objective].map(|f| f(outputs, taken).unwrap());
            let pairs = [
                (fused.surrogate, plain.surrogate),
                (fused.entropy, plain.entropy),
                (fused.kl_k1, plain.kl_k1),
                (fused.kl_k3, plain.kl_k3),
                (fused.clip_fraction, plain.clip_fraction),
            ];
            for (fused, plain) in pairs {
                assert!((fused - plain).abs() < 1e-5 * (1.0 + plain.abs()), "{fused} {plain}");
            }
        });
    }
}

/// Central differences by every output. An entropy that is estimated from fixed actions changes otherwise: its gradient holds
/// the noise fixed instead, so the bonus is left out there.
#[test]
fn gradients_equal_finite_differences() {
    for_random_batches(DType::F64, |outputs, taken| {
        // Their weights are held, so their own differences say nothing; see the identities of the objective.
        if matches!(taken.surrogate, Surrogate::Delightful { .. } | Surrogate::Target { .. }) {
            return;
        }
        let entropy_coefficient = if taken.policy.has_entropy() { taken.entropy_coefficient } else { 0.0 };
        let taken = Taken { entropy_coefficient, ..*taken };
        let value = |outputs: &Tensor| surrogate_objective(outputs, &taken).unwrap().scalar;
        let gradients = value(outputs).backward().unwrap();
        let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let (at, gradient) = (flat(outputs), flat(gradients.get(outputs).unwrap()));
        for i in (0..at.len()).step_by(7) {
            let shifted = |by: f64| {
                let mut moved = at.clone();
                moved[i] += by;
                let moved = Tensor::from_vec(moved, outputs.dims(), &Device::Cpu).unwrap();
                value(&moved).to_scalar::<f64>().unwrap()
            };
            let difference = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
            assert!((difference - gradient[i]).abs() < 1e-7, "{:?} [{i}]: {difference} {}", taken.policy, gradient[i]);
        }
    });
}

/// What can't be chosen has no gradient and no part in the entropy: the batch is that of the smaller policy.
#[test]
fn masked_actions_count_for_nothing() {
    let mut rng = lossward_envs::stream(0, "test", 0);
    let (all, few) = (Policy::Categorical { actions: 5 }, Policy::Categorical { actions: 3 });
    let allowed: Vec<bool> = [true, false, true, true, false].repeat(4);
    let (logits, advantages) = (random_var(&[4, 5], DType::F64, &mut rng), random_var(&[4], DType::F64, &mut rng));
    let kept = Tensor::new(&[0u32, 2, 3], &Device::Cpu).unwrap();
    let objective = |policy, outputs: &Tensor, actions: &[u32; 4]| {
        let actions = &Tensor::new(actions, &Device::Cpu).unwrap();
        let (surrogate, entropy_coefficient) = (Surrogate::LogProb, 0.3);
        let (advantages, old_log_probs) = (&advantages, &advantages);
        let taken = Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient };
        [surrogate_objective, plain::surrogate_objective].map(|f| f(outputs, &taken).unwrap().scalar)
    };
    let masked = objective(&all, &all.masked(&logits, &allowed).unwrap(), &[0, 2, 3, 2]);
    let smaller = objective(&few, &logits.index_select(&kept, 1).unwrap(), &[0, 1, 2, 1]);
    let value_and_gradient = |scalar: &Tensor| {
        let gradients = scalar.backward().unwrap();
        (scalar.to_scalar::<f64>().unwrap(), gradients.get(&logits).unwrap().to_vec2::<f64>().unwrap())
    };
    let (value, gradient) = value_and_gradient(&smaller[0]);
    for scalar in masked {
        let (got, by_logits) = value_and_gradient(&scalar);
        assert!((got - value).abs() < 1e-12);
        for (got, want) in by_logits.iter().flatten().zip(gradient.iter().flatten()) {
            assert!((got - want).abs() < 1e-12, "{by_logits:?} {gradient:?}");
        }
        assert!(by_logits.iter().all(|row| row[1] == 0.0 && row[4] == 0.0));
    }
}

#[test]
fn sizes_that_do_not_fit_are_told() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let message = |policy: &Policy, outputs: &[usize], actions: &Tensor, advantages: usize| {
        let (advantages, old_log_probs) = (&zeros(&[advantages]), &zeros(&[outputs[0]]));
        let (surrogate, entropy_coefficient) = (Surrogate::LogProb, 0.0);
        let taken = Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient };
        surrogate_objective(&zeros(outputs), &taken).err().unwrap().to_string()
    };
    let classes = |classes: &[u32]| Tensor::new(classes, &Device::Cpu).unwrap();
    let (three, pair) = (Policy::Categorical { actions: 3 }, Policy::MultiCategorical { sizes: &[2, 3] });
    assert!(message(&three, &[2, 3], &classes(&[0, 1]), 3).contains("3 advantages"));
    assert!(message(&three, &[2, 4], &classes(&[0, 1]), 2).contains("4 outputs for a policy that reads 3"));
    assert!(message(&pair, &[2, 5], &classes(&[0, 1]), 2).contains("for 2 rows of 2"));
    assert!(message(&pair, &[1, 5], &classes(&[2, 0]), 1).contains("class 2 of 2"));
}
