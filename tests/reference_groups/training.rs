//! Traces of training: losses, penalties, norms, rates and parameters of twenty full-batch steps, in double precision to the tolerance of
//! the case, and the first step in single precision to 1e-4.

use super::networks::{self, Net, shape};
use super::optimizers::{cosine_or_constant, settings};
use super::{Case, flat, number, numbers};
use candle_core::{DType, Device, Tensor};
use lossward::kernel::{self, Power};
use lossward::loss::{self, Inputs};
use lossward::network::{Parameters, Role};
use lossward::optimizer::Optimizer;
use lossward::options::{Given, OptionValue, Options};
use lossward::stream;
use serde_json::{Value, json};
use std::sync::Arc;

fn tensor(value: &Value, shape: &[usize], dtype: DType) -> Tensor {
    Tensor::from_vec(numbers(value), shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

/// The mean over the batch of a loss of the table.
fn mean(name: &str, options: &[(&str, f64)], outputs: &Tensor, targets: &Tensor) -> Tensor {
    let row = loss::find(name).unwrap();
    let given: Given = options.iter().map(|(name, value)| (name.to_string(), OptionValue::Number(*value))).collect();
    let options = Options::new(name, row.options, &given).unwrap();
    (row.per_example)(&Inputs::pair(outputs, targets), &options).unwrap().mean().unwrap()
}

/// The loss of a case from its network's outputs.
fn data_loss(case: &Case, outputs: &Tensor) -> Tensor {
    let (of, data) = (case.input("loss"), case.input("data"));
    let like_outputs = |key: &str| tensor(&data[key], outputs.dims(), outputs.dtype());
    match of["kind"].as_str().unwrap() {
        "cross_entropy" => {
            let labels: Vec<u32> = numbers(&data["y"]).iter().map(|label| *label as u32).collect();
            mean("cross_entropy", &[], outputs, &Tensor::new(labels, &Device::Cpu).unwrap())
        }
        "mse" => mean("mse", &[], outputs, &like_outputs("y")),
        "huber" => mean("huber", &[("delta", number(&of["delta"]))], outputs, &like_outputs("y")),
        "dice_plus_bce" => {
            let images = shape(&data["target"]);
            let (outputs, targets) =
                (outputs.reshape(&images[..]).unwrap(), like_outputs("target").reshape(&images[..]).unwrap());
            let dice = mean("dice", &[("smooth", number(&of["smooth"]))], &outputs, &targets);
            (dice + mean("bce_with_logits", &[], &outputs, &targets)).unwrap()
        }
        other => panic!("no test knows the loss {other}"),
    }
}

fn network(case: &Case) -> (Net, Vec<usize>) {
    let (model, params) = (case.input("model"), case.input("params"));
    let x = shape(&case.input("data")["x"]);
    let net = match model["kind"].as_str().unwrap() {
        "mlp" => networks::mlp(model, params, x[1]),
        "conv_net" => networks::conv_net(params, &x[1..]),
        "unet" => networks::unet(model, params, &x[1..]),
        other => panic!("no test knows the model {other}"),
    };
    (net, x)
}

/// That what is decayed and penalized in the case is what we do so to.
fn assert_weights(case: &Case, net: &Net) {
    let ours: Vec<&String> =
        net.parts.iter().filter(|(_, role, _)| *role == Role::Weight).map(|part| &part.0).collect();
    for key in ["decay_params", "penalty_params"] {
        let Some(list) = case.input(key).as_array() else { continue };
        let mut theirs: Vec<&str> = list.iter().map(|name| name.as_str().unwrap()).collect();
        let mut ours: Vec<&str> = ours.iter().map(|name| name.as_str()).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, theirs, "{key}");
    }
}

#[derive(Default)]
struct Trace {
    losses: Vec<f64>,
    penalties: Vec<f64>,
    norms: Vec<f64>,
    rates: Vec<f64>,
    /// After every step.
    parameters: Vec<Vec<f64>>,
}

fn run(case: &Case, dtype: DType) -> (Trace, Net) {
    let (net, x) = network(case);
    assert_weights(case, &net);
    let part = |(name, role, values): &(String, Role, Vec<f64>)| {
        (name.clone(), *role, Tensor::new(&values[..], &Device::Cpu).unwrap().to_dtype(dtype).unwrap())
    };
    let parameters = Parameters::new(net.parts.iter().map(part).collect()).unwrap();
    let inputs = tensor(&case.input("data")["x"], &[x[0], x[1..].iter().product()], dtype);
    let (graph, steps) = (Arc::new(net.graph()), number(case.input("steps")) as usize);
    let (rate, budget) = cosine_or_constant(case, steps as f64);
    let clip = match case.input("clip_norm") {
        Value::Null => Value::Null,
        norm => json!({ "kind": "norm", "max": norm }),
    };
    let settings = settings(case.text("optimizer"), case.input("options"), &clip, rate);
    let mut optimizer = Optimizer::new(&settings, stream(0, "gradient noise", 0)).unwrap();
    let [l1, l2] = ["l1", "l2"].map(|key| case.number(key));
    let penalty = || {
        let weights = parameters.weights();
        let sum = |power| kernel::sum_of_powers(parameters.values(), &weights, power).unwrap();
        ((sum(Power::One) * l1).unwrap() + (sum(Power::Two) * l2).unwrap()).unwrap()
    };
    let value = || {
        let outputs =
            kernel::graph(&inputs, parameters.values(), &graph, Some(parameters.collector())).unwrap().remove(0);
        data_loss(case, &outputs)
    };
    let number_of = |t: &Tensor| flat(&t.to_dtype(DType::F64).unwrap())[0];
    let mut trace = Trace::default();
    for step in 0..=steps {
        let (loss, penalty) = (value(), penalty());
        trace.losses.push(number_of(&loss));
        trace.penalties.push(number_of(&penalty));
        if step == steps {
            break;
        }
        let total = if l1 == 0.0 && l2 == 0.0 { loss } else { (loss + penalty).unwrap() };
        let descent = optimizer.descend(&parameters, &total, step as f64 / budget).unwrap();
        trace.norms.push(descent.gradient_norm);
        trace.rates.push(descent.learning_rate);
        trace.parameters.push(flat(&parameters.values().to_dtype(DType::F64).unwrap()));
    }
    (trace, net)
}

pub fn trace(case: &Case) {
    let (trace, net) = run(case, DType::F64);
    case.check("losses", &trace.losses);
    case.check("penalties", &trace.penalties);
    case.check("grad_norms", &trace.norms);
    case.check("lrs", &trace.rates);
    let (single, _) = run(case, DType::F32);
    let near = (1e-4, 1e-5);
    let first = |key: &str, count: usize| Value::from(numbers(case.expected(key))[..count].to_vec());
    case.compare_within("first losses in single precision", &single.losses[..2], &first("losses", 2), near);
    case.compare_within("first norm in single precision", &single.norms[..1], &first("grad_norms", 1), near);
    for (step, expected) in case.expected("params").as_object().unwrap() {
        let step: usize = step.parse().unwrap();
        let mut start = 0;
        for (name, _, values) in &net.parts {
            let range = start..start + values.len();
            start = range.end;
            if name.is_empty() {
                continue;
            }
            let what = format!("{name} after {step} steps");
            case.compare(&what, &trace.parameters[step - 1][range.clone()], &expected[name]);
            if step == 1 {
                let got = &single.parameters[0][range];
                case.compare_within(&format!("{what}, in single precision"), got, &expected[name], near);
            }
        }
    }
}
