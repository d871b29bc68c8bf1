use super::{Case, flat};
use candle_core::{Device, Tensor, Var};
use lossward::network::{Parameters, Role};
use lossward::regularizer::Regularizer;

/// Reduces per-example losses and compares value and gradient.
fn check_reduced(case: &Case, predictions: &Var, per_example: &Tensor) {
    let value = match case.text("reduction") {
        "mean" => per_example.mean_all(),
        "sum" => per_example.sum_all(),
        "none" => Ok(per_example.clone()),
        other => panic!("unknown reduction {other}"),
    };
    let value = value.unwrap();
    case.check("value", &flat(&value));
    let gradients = value.sum_all().unwrap().backward().unwrap();
    case.check("grad", &flat(gradients.get(predictions).unwrap()));
}

pub fn cross_entropy(case: &Case) {
    assert_eq!(case.number("label_smoothing"), 0.0, "label smoothing is not supported");
    let logits = Var::from_tensor(&case.tensor("logits")).unwrap();
    let targets = case.indices("target");
    let ignored = case.number("ignore_index");
    assert!(targets.iter().all(|target| f64::from(*target) != ignored), "ignored targets are not supported");
    let targets = Tensor::new(targets, &Device::Cpu).unwrap();
    let loss = lossward::loss::find("cross_entropy").unwrap();
    check_reduced(case, &logits, &(loss.per_example)(&logits, &targets).unwrap());
}

/// Elementwise in PyTorch: every number is an example of its own here.
pub fn regression(case: &Case) {
    let predictions = Var::from_tensor(&case.tensor("pred")).unwrap();
    let column = |tensor: &Tensor| tensor.reshape(((), 1)).unwrap();
    let targets = case.tensor("target");
    let loss = lossward::loss::find(&case.group).unwrap();
    let per_example = (loss.per_example)(&column(&predictions), &column(&targets)).unwrap();
    check_reduced(case, &predictions, &per_example);
}

pub fn penalty(case: &Case) {
    let lambda = case.number("lambda");
    case.input("l1_ratio");
    let regularizer = match case.text("kind") {
        "l1" => Regularizer { l1: lambda, l2: 0.0 },
        "l2" => Regularizer { l1: 0.0, l2: lambda },
        other => panic!("unknown penalty {other}"),
    };
    let weights = case.input("weights").as_array().unwrap().iter();
    let weights = weights.map(|w| (String::new(), Role::Weight, super::tensor(w))).collect();
    let parameters = Parameters::new(weights).unwrap();
    let penalty = regularizer.penalty(&parameters).unwrap().unwrap();
    case.check("value", &[penalty.terms[0].1]);
    case.check("value", &flat(&penalty.total));
    let gradients = penalty.total.backward().unwrap();
    case.check("grad", &flat(gradients.get(parameters.values()).unwrap()));
}
