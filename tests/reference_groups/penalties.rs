use super::{Case, flat, tensor};
use candle_core::{DType, Device, Tensor};
use lossward::loss::{self, Inputs};
use lossward::network::{Parameters, Role};
use lossward::options::Options;
use lossward::regularizer::{ElasticNet, RegularizerSettings};

pub fn penalty(case: &Case) {
    let lambda = case.number("lambda");
    let l1_ratio = case.number("l1_ratio");
    let regularizer = match case.text("kind") {
        "l1" => RegularizerSettings { l1: lambda, ..RegularizerSettings::default() },
        "l2" => RegularizerSettings { l2: lambda, ..RegularizerSettings::default() },
        "l2_half" => RegularizerSettings { l2: lambda / 2.0, ..RegularizerSettings::default() },
        "elastic_net" => RegularizerSettings {
            elastic_net: Some(ElasticNet { strength: lambda, l1_ratio }),
            ..RegularizerSettings::default()
        },
        other => panic!("unknown penalty {other}"),
    };
    let weights = case.input("weights").as_array().unwrap().iter();
    let weights: Vec<Tensor> = weights.map(tensor).collect();
    for (dtype, tolerance) in [(DType::F64, None), (DType::F32, Some((1e-5, 1e-6)))] {
        let named = weights.iter().map(|w| (String::new(), Role::Weight, w.to_dtype(dtype).unwrap())).collect();
        let parameters = Parameters::new(named).unwrap();
        let penalty = regularizer.of_weights(&parameters).unwrap().unwrap();
        let gradients = penalty.total.backward().unwrap();
        let in_double = |tensor: &Tensor| flat(&tensor.to_dtype(DType::F64).unwrap());
        let gradient = in_double(gradients.get(parameters.values()).unwrap());
        match tolerance {
            None => {
                case.check("value", &[penalty.terms[0].1]);
                case.check("value", &in_double(&penalty.total));
                case.check("grad", &gradient);
            }
            Some(tolerance) => {
                case.compare_within("value", &in_double(&penalty.total), case.expected("value"), tolerance);
                case.compare_within("grad", &gradient, case.expected("grad"), tolerance);
            }
        }
    }
}

/// The recorded optimum, reached from 0 by proximal gradient descent on our loss and penalties.
pub fn linear_model(case: &Case) {
    let (x, y) = (case.tensor("X"), case.tensor("y").reshape(((), 1)).unwrap());
    let (rows, features) = x.dims2().unwrap();
    let model = case.text("model");
    let alpha = if model == "logistic_l2" { 1.0 / case.number("C") } else { case.number("alpha") };
    if case.has("l1_ratio") {
        case.input("l1_ratio");
    }
    let off = RegularizerSettings::default;
    // Each objective over the mean loss: `shrink` is what the proximal step subtracts from every weight.
    let elastic = |l1_ratio: f64| {
        let smooth = ElasticNet { strength: 2.0 * alpha * (1.0 - l1_ratio), l1_ratio: 0.0 };
        ("mse", RegularizerSettings { elastic_net: Some(smooth), ..off() }, 2.0 * alpha * l1_ratio)
    };
    let (loss, smooth, shrink) = match model {
        "ols" => ("mse", off(), 0.0),
        "ridge" => ("mse", RegularizerSettings { l2: alpha / rows as f64, ..off() }, 0.0),
        "lasso" | "elastic_net" => elastic(case.number("l1_ratio")),
        "logistic_l2" => ("bce_with_logits", RegularizerSettings { l2: alpha / (2 * rows) as f64, ..off() }, 0.0),
        other => panic!("unknown model {other}"),
    };
    let zeros = |n| Tensor::zeros(n, DType::F64, &Device::Cpu).unwrap();
    let parts = vec![("w".into(), Role::Weight, zeros(features)), ("b".into(), Role::Bias, zeros(1))];
    let parameters = Parameters::new(parts).unwrap();
    let row = loss::find(loss).unwrap();
    // The curvature is at most 2 (‖X‖² / n + 1) and that of the penalty.
    let curvature =
        2.0 * (x.sqr().unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap() / rows as f64 + 1.0) + 2.0 * alpha;
    for _ in 0..20_000 {
        let values = parameters.values().as_tensor();
        let weights = values.narrow(0, 0, features).unwrap().reshape((features, 1)).unwrap();
        let predictions = x.matmul(&weights).unwrap().broadcast_add(&values.narrow(0, features, 1).unwrap()).unwrap();
        let inputs = Inputs::pair(&predictions, &y);
        let mut total = (row.per_example)(&inputs, &Options::defaults(row.options)).unwrap().mean().unwrap();
        if let Some(penalty) = smooth.of_weights(&parameters).unwrap() {
            total = (total + penalty.total).unwrap();
        }
        let gradient = flat(&parameters.gradient(&total).unwrap().unwrap());
        let mut moved = flat(values);
        moved.iter_mut().zip(&gradient).for_each(|(w, g)| *w -= g / curvature);
        for w in &mut moved[..features] {
            *w = w.signum() * (w.abs() - shrink / curvature).max(0.0);
        }
        let step = moved.iter().zip(flat(values)).fold(0.0, |largest: f64, (to, from)| largest.max((to - from).abs()));
        parameters.values().set(&Tensor::new(moved, &Device::Cpu).unwrap()).unwrap();
        if step < 1e-14 {
            break;
        }
    }
    let found = flat(parameters.values());
    case.check("coef", &found[..features]);
    case.check("intercept", &found[features..]);
}
