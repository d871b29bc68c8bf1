use super::{Case, flat, number};
use candle_core::Tensor;
use lossward::kernel::{self, Activation, Dense, Layer};
use lossward::network::{Parameters, Role};
use lossward::optimizer::{Optimizer, OptimizerSettings, RuleName, Schedule};
use serde_json::Value;

/// Steps of a trace; torch's schedulers count them from 0.
const STEPS: usize = 50;

fn settings(case: &Case) -> OptimizerSettings {
    let mut settings = OptimizerSettings {
        rule: RuleName::Sgd,
        learning_rate: Schedule::Constant(f64::NAN),
        clip_norm: None,
        momentum: None,
        nesterov: None,
        beta1: None,
        beta2: None,
        epsilon: None,
        weight_decay: None,
    };
    settings.rule = match case.text("optimizer") {
        "SGD" => RuleName::Sgd,
        "Adam" => RuleName::Adam,
        "AdamW" => RuleName::AdamW,
        other => panic!("unknown optimizer {other}"),
    };
    let mut rate = f64::NAN;
    for (key, value) in case.input("options").as_object().unwrap() {
        match key.as_str() {
            "lr" => rate = number(value),
            "momentum" => settings.momentum = Some(number(value)),
            "nesterov" => settings.nesterov = value.as_bool(),
            "betas" => (settings.beta1, settings.beta2) = (Some(number(&value[0])), Some(number(&value[1]))),
            "eps" => settings.epsilon = Some(number(value)),
            "weight_decay" => settings.weight_decay = Some(number(value)),
            other => panic!("unknown option {other}"),
        }
    }
    settings.learning_rate = Schedule::Constant(rate);
    if case.has("clip") {
        let clip = case.input("clip");
        assert_eq!(clip["kind"], "norm", "unknown clipping");
        settings.clip_norm = Some(number(&clip["max"]));
    }
    if case.has("schedule") {
        let schedule = case.input("schedule");
        assert_eq!((&schedule["kind"], number(&schedule["T_max"])), (&Value::from("cosine"), STEPS as f64));
        settings.learning_rate = Schedule::Cosine { from: rate, to: number(&schedule["eta_min"]) };
    }
    settings
}

/// Torch decays biases too, so every parameter counts as a weight.
fn parameters(case: &Case, names: &[(&str, &str)]) -> Parameters {
    let of = |(name, input): &(&str, &str)| (name.to_string(), Role::Weight, case.tensor(input));
    Parameters::new(names.iter().map(of).collect()).unwrap()
}

/// Runs the trace: `loss` of the parameters, and `after` every step (counted from 1).
fn run(case: &Case, parameters: &Parameters, loss: impl Fn() -> Tensor, mut after: impl FnMut(usize)) {
    let mut optimizer = Optimizer::new(&settings(case)).unwrap();
    let mut losses = vec![loss().to_scalar::<f64>().unwrap()];
    let (mut norms, mut rates) = (Vec::new(), Vec::new());
    for step in 1..=STEPS {
        let descent = optimizer.descend(parameters, &loss(), (step - 1) as f64 / STEPS as f64).unwrap();
        losses.push(loss().to_scalar::<f64>().unwrap());
        norms.push(descent.gradient_norm);
        rates.push(descent.learning_rate);
        after(step);
    }
    case.check("losses", &losses);
    if case.expects("grad_norm_before_clip") {
        case.check("grad_norm_before_clip", &norms);
    }
    if case.expects("lrs") {
        case.check("lrs", &rates);
    }
}

pub fn quadratic(case: &Case) {
    let (a, b) = (case.tensor("A"), case.tensor("b"));
    let parameters = parameters(case, &[("w", "w0")]);
    let w = parameters.values();
    let loss = || {
        let column = w.unsqueeze(1).unwrap();
        let quadratic = column.t().unwrap().matmul(&a.matmul(&column).unwrap()).unwrap().sum_all().unwrap();
        ((quadratic * 0.5).unwrap() - (w.as_tensor() * &b).unwrap().sum_all().unwrap()).unwrap()
    };
    let mut trace = Vec::new();
    run(case, &parameters, loss, |_| trace.extend(flat(w)));
    case.check("params", &trace);
}

pub fn mlp(case: &Case) {
    let (x, y) = (case.tensor("X"), case.tensor("Y"));
    let parameters = parameters(case, &["w1", "b1", "w2", "b2"].map(|name| (name, name)));
    let shapes: Vec<&[usize]> = parameters.iter().map(|p| &p.shape[..]).collect();
    let dense = |shape: &[usize], activation| Layer::Dense(Dense { inputs: shape[1], outputs: shape[0], activation });
    let layers = [dense(shapes[0], Activation::Tanh), dense(shapes[2], Activation::Identity)].into();
    let loss = || {
        let out = kernel::chain(&x, parameters.values(), &layers, Some(parameters.collector())).unwrap();
        (out - &y).unwrap().sqr().unwrap().mean_all().unwrap()
    };
    let expected = case.expected("params_after_step");
    run(case, &parameters, loss, |step| {
        if let Some(expected) = expected.get(step.to_string()) {
            for parameter in parameters.iter() {
                let what = format!("{} after step {step}", parameter.name);
                case.compare(&what, &flat(&parameters.tensor(parameter).unwrap()), &expected[&parameter.name]);
            }
        }
    });
}
