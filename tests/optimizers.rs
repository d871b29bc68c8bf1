//! The table of rules, option by option; what the recorded traces don't reach.

#![allow(clippy::unwrap_used)]

use candle_core::{DType, Device, Tensor};
use lossward::network::{Parameters, Role};
use lossward::objective::Sense;
use lossward::optimizer::{COMMON_OPTIONS, Optimizer, OptimizerSettings, RULES};
use lossward::options::{Interval, OptionKind, OptionRow};
use lossward::{Result, stream};

const WEIGHTS: [f64; 5] = [0.7, -1.3, 0.2, 2.1, -0.4];

/// An optimizer from lines of an experiment file.
fn optimizer(lines: &[&str]) -> Result<Optimizer> {
    let text = lines.join("\n");
    let settings: OptimizerSettings = toml::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Optimizer::new(&settings, stream(0, "gradient noise", 0))
}

fn tensor(values: &[f64]) -> Tensor {
    Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap()
}

fn parameters(role: Role, dtype: DType) -> Parameters {
    Parameters::new(vec![("w".into(), role, tensor(&WEIGHTS).to_dtype(dtype).unwrap())]).unwrap()
}

fn weights(parameters: &Parameters) -> Vec<f64> {
    parameters.values().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// `½ Σ i (w_i − 1)²`, `i` from 1.
fn quadratic(parameters: &Parameters) -> Tensor {
    let w = parameters.values();
    let curvature = tensor(&[1.0, 2.0, 3.0, 4.0, 5.0]).to_dtype(w.dtype()).unwrap();
    (((w.as_tensor() - 1.0).unwrap().sqr().unwrap() * curvature).unwrap().sum_all().unwrap() * 0.5).unwrap()
}

/// The weights after so many updates on the quadratic.
fn after(updates: usize, lines: &[&str]) -> Vec<f64> {
    let parameters = parameters(Role::Weight, DType::F64);
    let mut optimizer = optimizer(lines).unwrap_or_else(|error| panic!("{lines:?}: {error}"));
    for update in 0..updates {
        optimizer.descend(&parameters, &quadratic(&parameters), update as f64 / updates as f64).unwrap();
    }
    weights(&parameters)
}

fn rule(name: &str) -> String {
    format!("rule = {name:?}\nlearning_rate = 0.05")
}

/// What an option can't be, or can't act, without.
fn needed(option: &OptionRow) -> &'static str {
    match option.name {
        "dampening" | "nesterov" => "momentum = 0.5",
        // Its squares fall soon enough for the largest one to matter.
        "amsgrad" => "beta2 = 0.5",
        "clip_norm_type" => "clip_norm = 0.5",
        "gradient_noise.decay" => "gradient_noise.scale = 10.0",
        _ => "",
    }
}

/// A value that fits and is not the default, and values that don't fit.
fn inside_and_outside(option: &OptionRow) -> (&'static str, &'static [&'static str]) {
    match option.kind {
        OptionKind::Number { range, .. } | OptionKind::OptionalNumber(range) => match range {
            Interval::NOT_NEGATIVE => ("0.3", &["-0.1", "nan", "inf"]),
            Interval::POSITIVE => ("0.3", &["0.0", "-0.1", "nan", "inf"]),
            Interval::UNIT => ("0.3", &["-0.1", "1.1", "nan"]),
            Interval::BELOW_ONE => ("0.3", &["-0.1", "1.0", "nan"]),
            other => panic!("no numbers {other}"),
        },
        OptionKind::Flag { .. } => ("true", &[]),
        OptionKind::Choice(_) => ("\"max\"", &[]),
        ref other => panic!("no example of {other}"),
    }
}

#[test]
fn every_rule_goes_downhill() {
    for row in RULES {
        for dtype in [DType::F64, DType::F32] {
            let parameters = parameters(Role::Weight, dtype);
            let mut optimizer = optimizer(&[&rule(row.name)]).unwrap();
            let value = || quadratic(&parameters).to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap();
            let before = value();
            for _ in 0..100 {
                optimizer.descend(&parameters, &quadratic(&parameters), 0.0).unwrap();
            }
            assert!(value() < 0.8 * before, "{} in {dtype:?}: {} after {before}", row.name, value());
        }
    }
}

#[test]
fn every_rule_takes_the_options_of_its_row_and_no_others() {
    let all = RULES.iter().flat_map(|row| row.options);
    for row in RULES {
        for option in all.clone() {
            let (inside, _) = inside_and_outside(option);
            let answer = optimizer(&[&rule(row.name), needed(option), &format!("{} = {inside}", option.name)]);
            let known = row.options.iter().any(|own| own.name == option.name);
            match answer {
                Ok(_) => assert!(known, "{} accepts {}", row.name, option.name),
                Err(error) => {
                    let message = error.to_string();
                    assert!(!known && message.contains(row.name), "{message}");
                    assert!(row.options.iter().all(|own| message.contains(own.name)), "{message}");
                }
            }
        }
    }
}

#[test]
fn options_outside_their_range_are_refused_by_name_and_defaults_change_nothing() {
    for row in RULES {
        for option in row.options.iter().chain(COMMON_OPTIONS) {
            let with = |value: &str| [rule(row.name), needed(option).into(), format!("{} = {value}", option.name)];
            let after = |lines: [String; 3]| after(60, &lines.each_ref().map(String::as_str));
            let (inside, outside) = inside_and_outside(option);
            for value in outside {
                let error = optimizer(&with(value).each_ref().map(String::as_str)).err();
                let message = error.unwrap_or_else(|| panic!("{} = {value} is accepted", option.name)).to_string();
                let expected = format!("`{}` of {} must be {}, not ", option.name, row.name, option.kind);
                assert!(message.starts_with(&expected), "{message}");
            }
            let plain = after([rule(row.name), needed(option).into(), String::new()]);
            assert_ne!(after(with(inside)), plain, "{} of {} does nothing", option.name, row.name);
            if let Some(default) = option.kind.default_value() {
                let default = toml::Value::try_from(default).unwrap();
                assert_eq!(after(with(&default.to_string())), plain, "{}", option.name);
            }
        }
    }
}

/// Algorithm 2 of arXiv 2302.06675, entry by entry, with the paper's β.
#[test]
fn lion_is_the_papers() {
    let (learning_rate, decay, beta1, beta2) = (0.02, 0.3, 0.9, 0.99);
    let parameters = parameters(Role::Weight, DType::F64);
    let mut optimizer = optimizer(&["rule = \"lion\"\nlearning_rate = 0.02\nweight_decay = 0.3"]).unwrap();
    let mut expected = WEIGHTS;
    let mut momentum = [0.0; 5];
    for update in 0..60_u32 {
        // One gradient that changes its sign, and one that is 0.
        let gradient: Vec<f64> = (0..5).map(|i| f64::from(i) * (f64::from(update * (i + 1)) * 0.2).cos()).collect();
        optimizer.step(&parameters, &tensor(&gradient), 0.0).unwrap();
        for (i, g) in gradient.iter().enumerate() {
            let interpolated = beta1 * momentum[i] + (1.0 - beta1) * g;
            let sign = if interpolated == 0.0 { 0.0 } else { interpolated.signum() };
            expected[i] -= learning_rate * (sign + decay * expected[i]);
            momentum[i] = beta2 * momentum[i] + (1.0 - beta2) * g;
        }
        for (got, expected) in weights(&parameters).iter().zip(expected) {
            assert!((got - expected).abs() < 1e-12, "{got}, expected {expected}, after {update}");
        }
    }
}

#[test]
fn maximizing_a_reward_is_minimizing_its_negative_bit_for_bit() {
    let clipping = "clip_norm = 1.5\nclip_value = 0.5\ngradient_noise = { scale = 0.01 }";
    for row in RULES {
        let decays = ["l2", "weight_decay"].map(|name| row.options.iter().any(|option| option.name == name));
        let l2 = if decays[0] { "l2 = 0.1" } else { "" };
        let weight_decay = if decays[1] { "weight_decay = 0.2" } else { "" };
        let lines = [&rule(row.name), clipping, l2, weight_decay];
        assert!(decays.contains(&true));
        for dtype in [DType::F32, DType::F64] {
            let trace = |loss: fn(&Parameters) -> Tensor| {
                let parameters = parameters(Role::Weight, dtype);
                let mut optimizer = optimizer(&lines).unwrap();
                let mut step = || {
                    optimizer.descend(&parameters, &loss(&parameters), 0.0).unwrap();
                    weights(&parameters)
                };
                (0..50).map(|_| step()).collect::<Vec<_>>()
            };
            let minimized = trace(|parameters| Sense::Minimize.as_loss(&quadratic(parameters)).unwrap());
            let maximized = trace(|parameters| {
                let reward = (quadratic(parameters) * -1.0).unwrap();
                Sense::Maximize.as_loss(&reward).unwrap()
            });
            assert_eq!(minimized, maximized, "{} in {dtype:?}", row.name);
        }
    }
}

#[test]
fn biases_never_decay() {
    let zero = tensor(&[0.0; 5]);
    for (lines, factor) in [
        ("rule = \"sgd\"\nlearning_rate = 0.1\nl2 = 0.5", 0.95),
        ("rule = \"sgd\"\nlearning_rate = 0.1\nweight_decay = 0.5", 0.95),
        ("rule = \"adamw\"\nlearning_rate = 0.1\nweight_decay = 0.5", 0.95),
        ("rule = \"lion\"\nlearning_rate = 0.1\nweight_decay = 0.5", 0.95),
    ] {
        for (role, factor) in [(Role::Weight, factor), (Role::Bias, 1.0)] {
            let parameters = parameters(role, DType::F64);
            optimizer(&[lines]).unwrap().step(&parameters, &zero, 0.0).unwrap();
            for (got, before) in weights(&parameters).iter().zip(WEIGHTS) {
                assert!((got - factor * before).abs() < 1e-15, "{role:?} {got} from {before}: {lines}");
            }
        }
    }
}

/// From the gradient (3, 4, 0, 0, 0) of norm 5: scaled by 2/5, cut at 1.5, and only then L2.
#[test]
fn the_norm_is_clipped_first_then_the_values_then_l2_is_added() {
    let parameters = parameters(Role::Weight, DType::F64);
    let lines = "rule = \"sgd\"\nlearning_rate = 1.0\nclip_norm = 2.0\nclip_value = 1.5\nl2 = 0.5";
    let descent = optimizer(&[lines]).unwrap().step(&parameters, &tensor(&[3.0, 4.0, 0.0, 0.0, 0.0]), 0.0).unwrap();
    assert_eq!(descent.gradient_norm, 5.0);
    let clipped = [3.0 * 2.0 / (5.0 + 1e-6), 1.5, 0.0, 0.0, 0.0];
    for ((got, before), clipped) in weights(&parameters).iter().zip(WEIGHTS).zip(clipped) {
        assert!((got - (before - clipped - 0.5 * before)).abs() < 1e-15);
    }
}

/// The gradients with noise of some updates: what SGD at rate 1 takes from the weights.
fn noisy_gradients(dtype: DType, index: u64, updates: usize) -> Vec<Vec<f64>> {
    let (count, gradient) = (20_000, 0.25);
    let zeros = Tensor::zeros(count, dtype, &Device::Cpu).unwrap();
    let parameters = Parameters::new(vec![("w".into(), Role::Bias, zeros)]).unwrap();
    let gradient = (Tensor::ones(count, dtype, &Device::Cpu).unwrap() * gradient).unwrap();
    let settings =
        "rule = \"sgd\"\nlearning_rate = 1.0\nclip_value = 0.125\ngradient_noise = { scale = 0.3, decay = 1.5 }";
    let mut optimizer = Optimizer::new(&toml::from_str(settings).unwrap(), stream(7, "gradient noise", index)).unwrap();
    let mut before = weights(&parameters);
    let mut step = || {
        optimizer.step(&parameters, &gradient, 0.0).unwrap();
        let after = weights(&parameters);
        let taken = before.iter().zip(&after).map(|(before, after)| before - after).collect();
        before = after;
        taken
    };
    (0..updates).map(|_| step()).collect()
}

#[test]
fn noise_has_the_variance_of_its_schedule_around_the_clipped_gradient() {
    for (update, taken) in noisy_gradients(DType::F64, 0, 4).iter().enumerate() {
        let n = taken.len() as f64;
        let mean = taken.iter().sum::<f64>() / n;
        let variance = taken.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let expected = 0.3 / (1.0 + update as f64).powf(1.5);
        // Five standard errors.
        assert!((mean - 0.125).abs() < 5.0 * (expected / n).sqrt(), "mean {mean} at update {update}");
        assert!((variance / expected - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{variance}, expected {expected}");
    }
}

#[test]
fn noise_is_its_streams() {
    let noise = |dtype, index| noisy_gradients(dtype, index, 2);
    assert_eq!(noise(DType::F64, 0), noise(DType::F64, 0));
    assert_ne!(noise(DType::F64, 0), noise(DType::F64, 1));
    let [double, single] = [DType::F64, DType::F32].map(|dtype| noise(dtype, 0).concat());
    assert!(double.iter().zip(&single).all(|(double, single)| (double - single).abs() < 1e-6));
}

/// The rates after each of these evaluations.
fn plateau_rates(options: &str, higher_is_better: bool, evaluations: &[f64]) -> Vec<f64> {
    let rate = format!("rule = \"sgd\"\nlearning_rate = {{ schedule = \"plateau\", from = 1.0, {options} }}");
    let mut optimizer = optimizer(&[&rate]).unwrap();
    let parameters = parameters(Role::Weight, DType::F64);
    let mut rate_after = |evaluation: &f64| {
        optimizer.judge(*evaluation, higher_is_better);
        optimizer.step(&parameters, &tensor(&[0.0; 5]), 0.5).unwrap().learning_rate
    };
    evaluations.iter().map(&mut rate_after).collect()
}

/// Worked by hand from the documentation of `torch.optim.lr_scheduler.ReduceLROnPlateau`.
#[test]
fn a_plateau_lowers_the_rate_after_its_patience() {
    let options = "factor = 0.5, patience = 2, threshold = 0.1, to = 0.2";
    let nan = f64::NAN;
    // The best ones are 1, 0.89 (below 0.9) and 0.8 (below 0.801); 0.81 is not.
    let losses = [1.0, 0.95, 0.89, 0.85, nan, 0.81, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8];
    let rates = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2];
    assert_eq!(plateau_rates(options, false, &losses), rates);
    // The best ones are 1, 1.2 (above 1.1) and 1.4 (above 1.32); 1.3 is not.
    let rewards = [1.0, 1.05, 1.2, 1.3, 1.3, 1.3, 1.4, 1.4, 1.4, 1.4];
    assert_eq!(plateau_rates(options, true, &rewards), [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25]);
}

#[test]
fn a_negative_return_is_no_improvement_on_itself() {
    let options = "factor = 0.5, patience = 0, threshold = 0.1";
    assert_eq!(plateau_rates(options, true, &[-200.0, -200.0, -190.0, -170.0]), [1.0, 0.5, 0.25, 0.25]);
}

/// A function of two weights, and a gradient of it.
type Valley = (&'static str, [f64; 2], fn([f64; 2]) -> [f64; 2]);

/// Both have their minimum at (1, 1).
const VALLEYS: [Valley; 2] = [
    // (x − 1)² + (y − 1)²
    ("parabola", [-1.0, 10.0], |[x, y]| [2.0 * (x - 1.0), 2.0 * (y - 1.0)]),
    // (1 − x)² + (y − x²)² (Rosenbrock 1960, as optax tests it, without the factor of 100)
    ("Rosenbrock", [0.0, 0.0], |[x, y]| [-2.0 * (1.0 - x) - 4.0 * x * (y - x * x), 2.0 * (y - x * x)]),
];

/// A learning rate at which each rule gets to the minimum; rates fall to 0, so that steps of one size come to rest.
fn rate_of(rule: &str) -> f64 {
    match rule {
        "adagrad" => 1.0,
        "sgd" => 0.05,
        _ => 0.03,
    }
}

/// As in optax's table of optimizers: every rule gets to the bottom, within 3e-2, in both types of numbers.
#[test]
fn every_rule_reaches_the_minimum_of_a_parabola_and_of_rosenbrocks_function() {
    const UPDATES: usize = 4_000;
    for row in RULES {
        for (valley, start, gradient) in VALLEYS {
            for dtype in [DType::F32, DType::F64] {
                let schedule =
                    format!("learning_rate = {{ schedule = \"linear\", from = {}, to = 0.0 }}", rate_of(row.name));
                let decay = if row.options.iter().any(|option| option.name == "weight_decay") {
                    "weight_decay = 0.0"
                } else {
                    ""
                };
                let mut optimizer = optimizer(&[&format!("rule = {:?}", row.name), &schedule, decay]).unwrap();
                let at =
                    Parameters::new(vec![("w".into(), Role::Weight, tensor(&start).to_dtype(dtype).unwrap())]).unwrap();
                for update in 0..UPDATES {
                    let w = weights(&at);
                    let slope = tensor(&gradient([w[0], w[1]])).to_dtype(dtype).unwrap();
                    optimizer.step(&at, &slope, update as f64 / UPDATES as f64).unwrap();
                }
                let w = weights(&at);
                let far = w.iter().map(|w| (w - 1.0).abs()).fold(0.0, f64::max);
                assert!(far < 3e-2, "{} on the {valley} in {dtype:?} ends at {w:?}", row.name);
            }
        }
    }
}
