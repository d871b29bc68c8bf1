//! Probabilities sum to 1, draws follow them, and squashing keeps to the bounds.

use super::*;
use crate::Rng;
use candle_core::{DType, Device, Tensor};
use lossward_envs::{Actions, Bound, Dims, Space, stream};

/// Bounds of a box of two numbers.
const LOW: [f32; 2] = [-0.5, 1.0];
const HIGH: [f32; 2] = [2.0, 1.5];

fn policy(squash: Squash) -> Policy {
    let space = Space::Box { shape: Dims::of(&[2]), low: Bound::Each(&LOW), high: Bound::Each(&HIGH) };
    let settings = PolicySettings { squash, ..PolicySettings::default() };
    Policy::new(space, Some(&settings)).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// `π` of every raw action in the list, one after another, for the same outputs.
fn densities(policy: &Policy, outputs: &[f64], actions: &Tensor) -> Vec<f64> {
    let rows = actions.dim(0).unwrap();
    let outputs = Tensor::new(outputs, &Device::Cpu).unwrap().broadcast_left(rows).unwrap().contiguous().unwrap();
    flat(&policy.log_prob(&outputs, actions).unwrap()).into_iter().map(f64::exp).collect()
}

/// Every combination of choices.
fn combinations(sizes: &[u32]) -> Tensor {
    let count = sizes.iter().product::<u32>();
    let digits = (0..count).flat_map(|i| {
        sizes.iter().scan(i, |rest, size| {
            let digit = *rest % size;
            *rest /= size;
            Some(digit)
        })
    });
    Tensor::from_iter(digits, &Device::Cpu).unwrap().reshape((count as usize, sizes.len())).unwrap()
}

#[test]
fn probabilities_of_choices_sum_to_one() {
    let logits = [0.3, -2.0, 1.7, 0.0, 4.0, -1.0, 0.5, 2.5];
    let allowed = [true, false, true, true, false, true, true, false];
    let (one, several) = (Policy::Categorical { actions: 8 }, Policy::MultiCategorical { sizes: &[3, 1, 4] });
    for (policy, sizes) in [(one, &[8][..]), (several, &[3, 1, 4])] {
        let actions = combinations(sizes);
        assert!((densities(&policy, &logits, &actions).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let masked = Tensor::new(&logits, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let masked = flat(&policy.masked(&masked, &allowed).unwrap());
        let densities = densities(&policy, &masked, &actions);
        assert!((densities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (p, action) in densities.iter().zip(actions.to_vec2::<u32>().unwrap()) {
            let mut start = 0;
            let is_allowed = action.iter().zip(sizes).all(|(action, size)| {
                start += size;
                allowed[(start - size + action) as usize]
            });
            assert_eq!(*p > 0.0, is_allowed, "{sizes:?} {action:?}");
        }
    }
}

/// The trapezoidal rule, over actions in their own units.
#[test]
fn densities_of_real_actions_integrate_to_one() {
    let outputs = [0.4, -0.3, -0.7, 0.2];
    for squash in [Squash::Clip, Squash::Tanh] {
        let policy = policy(squash);
        let n = 800;
        // Raw values along each axis, and the width of the actions that each stands for.
        let axes: Vec<Vec<(f64, f64)>> = (0..2)
            .map(|axis| {
                let at = |i: f64| outputs[axis] + f64::exp(outputs[2 + axis]) * (i / f64::from(n) * 18.0 - 9.0);
                let half = f64::from(HIGH[axis] - LOW[axis]) / 2.0;
                let slope = |u: f64| if squash == Squash::Tanh { half / u.cosh().powi(2) } else { 1.0 };
                (0..=n).map(|i| (at(f64::from(i)), (at(1.0) - at(0.0)) * slope(at(f64::from(i))))).collect()
            })
            .collect();
        let grid = axes[0].iter().flat_map(|x| axes[1].iter().map(move |y| (x, y)));
        let points: Vec<f64> = grid.clone().flat_map(|(x, y)| [x.0, y.0]).collect();
        let actions = Tensor::from_vec(points, ((n as usize + 1).pow(2), 2), &Device::Cpu).unwrap();
        let densities = densities(&policy, &outputs, &actions);
        let integral: f64 = densities.iter().zip(grid).map(|(p, (x, y))| p * x.1 * y.1).sum();
        assert!((integral - 1.0).abs() < 1e-6, "{squash:?}: {integral}");
    }
}

/// Many draws of one row.
fn draws(policy: &Policy, outputs: &[f32], rows: usize, rng: &mut Rng) -> (RawActions, Vec<f32>) {
    let (mut actions, mut log_probs) = (RawActions::default(), Vec::new());
    policy.at(&outputs.repeat(rows)).sample(&vec![false; rows], rng, &mut actions, &mut log_probs);
    (actions, log_probs)
}

#[test]
fn draws_come_with_the_log_probabilities_that_training_differentiates() {
    let mut rng = stream(0, "policy", 0);
    let outputs = [0.4f32, -0.3, -0.7, 0.2, 1.5];
    for policy in [
        policy(Squash::Clip),
        policy(Squash::Tanh),
        Policy::MultiCategorical { sizes: &[3, 2] },
        Policy::Categorical { actions: 5 },
    ] {
        let outputs = &outputs[..policy.outputs()];
        let (actions, log_probs) = draws(&policy, outputs, 50, &mut rng);
        let all: Vec<usize> = (0..50).collect();
        let actions = actions.tensor(&all, policy.width()).unwrap();
        let outputs = Tensor::new(outputs, &Device::Cpu).unwrap().broadcast_left(50).unwrap().contiguous().unwrap();
        for (drawn, trained) in log_probs.iter().zip(flat(&policy.log_prob(&outputs, &actions).unwrap())) {
            assert!(
                (f64::from(*drawn) - trained).abs() < 1e-5 * (1.0 + trained.abs()),
                "{policy:?}: {drawn} {trained}"
            );
        }
    }
}

/// Within five standard errors of the mean and of the variance; and a row that is skipped draws nothing.
#[test]
fn gaussian_draws_have_their_mean_and_standard_deviation() {
    let (policy, outputs, n) = (policy(Squash::Clip), [0.4f32, -0.3, -0.7, 0.2], 40_000);
    let (RawActions::Values(values), _) = draws(&policy, &outputs, n, &mut stream(0, "policy", 0)) else {
        panic!("values in a box")
    };
    for axis in 0..2 {
        let of_axis: Vec<f64> = values.iter().skip(axis).step_by(2).map(|value| f64::from(*value)).collect();
        let (mean, deviation) = (f64::from(outputs[axis]), f64::from(outputs[2 + axis]).exp());
        let got = of_axis.iter().sum::<f64>() / n as f64;
        let variance = of_axis.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n as f64;
        assert!((got - mean).abs() < 5.0 * deviation / (n as f64).sqrt(), "{got} {mean}");
        assert!((variance / deviation.powi(2) - 1.0).abs() < 5.0 * (2.0 / n as f64).sqrt(), "{variance}");
    }
    let (mut actions, mut log_probs) = (RawActions::default(), vec![7.0]);
    policy.at(&outputs.repeat(2)).sample(&[true, false], &mut stream(0, "policy", 0), &mut actions, &mut log_probs);
    assert_eq!(actions, RawActions::Values([&[0.0, 0.0], &values[..2]].concat()));
    assert_eq!(log_probs[..2], [7.0, 0.0]);
}

#[test]
fn an_environment_gets_actions_within_its_bounds() {
    let raw = RawActions::Values(vec![-9.0, 9.0, 0.0, 1.2, 40.0, -40.0]);
    let applied = |squash| {
        let mut buffer = Vec::new();
        match policy(squash).applied(&raw, &mut buffer) {
            Actions::Values(values) => values.to_vec(),
            Actions::Indices(_) => panic!("indices in a box"),
        }
    };
    assert_eq!(applied(Squash::Clip), [-0.5, 1.5, 0.0, 1.2, 2.0, 1.0]);
    let squashed = applied(Squash::Tanh);
    assert_eq!([squashed[2], squashed[4], squashed[5]], [0.75, 2.0, 1.0]);
    assert!((f64::from(squashed[3]) - (1.25 + 0.25 * f64::tanh(1.2f32.into()))).abs() < 1e-6);
    assert!(squashed.chunks(2).all(|a| (LOW[0]..=HIGH[0]).contains(&a[0]) && (LOW[1]..=HIGH[1]).contains(&a[1])));
}

/// The mean of the estimate is the entropy, and the mean of its gradient is the entropy's: here by numerical integration.
#[test]
fn the_estimate_of_a_squashed_entropy_is_right_on_average() {
    let entropy = |mean: f64, log_std: f64| {
        let n = 20_000;
        let terms = (0..n).map(|i| {
            let (z, width) = (f64::from(i) / f64::from(n) * 18.0 - 9.0, 18.0 / f64::from(n));
            let p = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
            p * width * (1.0 / (mean + log_std.exp() * z).cosh().powi(2)).ln()
        });
        log_std + 0.5 * (1.0 + (2.0 * std::f64::consts::PI).ln()) + terms.sum::<f64>()
    };
    let (mean, log_std, n) = (0.4, -0.3, 40_000);
    let var = |value: f64| candle_core::Var::from_tensor(&Tensor::full(value, (n, 1), &Device::Cpu).unwrap()).unwrap();
    let (means, log_stds) = (var(mean), var(log_std));
    // The quantiles of the noise stand for many draws.
    let noise = (0..n).map(|i| {
        let p = (i as f64 + 0.5) / n as f64;
        let (mut low, mut high) = (-9.0, 9.0);
        for _ in 0..60 {
            let middle: f64 = (low + high) / 2.0;
            let below = 0.5 * (1.0 + candle_core::cpu::erf::erf_f64(middle * std::f64::consts::FRAC_1_SQRT_2));
            *(if below < p { &mut low } else { &mut high }) = middle;
        }
        low
    });
    let raw: Vec<f64> = noise.map(|z| mean + f64::exp(log_std) * z).collect();
    let raw = Tensor::from_vec(raw, (n, 1), &Device::Cpu).unwrap();
    let gaussian = Gaussian::new(&means, &log_stds).unwrap();
    let estimate = TanhGaussian::new(gaussian, 0.0).entropy_estimate(&raw).unwrap().mean_all().unwrap();
    assert!((estimate.to_scalar::<f64>().unwrap() - entropy(mean, log_std)).abs() < 1e-3);
    let gradients = estimate.backward().unwrap();
    let by = |var: &candle_core::Var| flat(gradients.get(var).unwrap()).iter().sum::<f64>();
    let slope = |f: &dyn Fn(f64) -> f64| (f(1e-4) - f(-1e-4)) / 2e-4;
    assert!((by(&means) - slope(&|h| entropy(mean + h, log_std))).abs() < 1e-3);
    assert!((by(&log_stds) - slope(&|h| entropy(mean, log_std + h))).abs() < 1e-3);
}

#[test]
fn settings_that_do_not_fit_are_told() {
    let message = |space, settings: &str| {
        let settings: PolicySettings = toml::from_str(settings).unwrap();
        Policy::new(space, Some(&settings)).unwrap_err().to_string()
    };
    let unbounded =
        Space::Box { shape: Dims::of(&[2]), low: Bound::All(f32::NEG_INFINITY), high: Bound::All(f32::INFINITY) };
    assert!(message(unbounded, "squash = \"tanh\"").contains("finite bounds, which Box(2) has not"));
    assert!(message(unbounded, "initial_log_std = nan").contains("must be finite"));
    assert!(message(Space::Discrete(2), "").contains("here they are Discrete(2)"));
    let (policy, mut logits) = (Policy::MultiCategorical { sizes: &[2, 2] }, [0.0f32; 8]);
    let error = policy.mask(&mut logits, &[true, true, true, true, true, true, false, false]).unwrap_err();
    assert!(error.to_string().contains("row 1 allows no action"), "{error}");
    assert!(policy.mask(&mut logits, &[true]).unwrap_err().to_string().contains("1 entries for 8 logits"));
}
