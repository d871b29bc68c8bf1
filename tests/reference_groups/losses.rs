//! Every loss against recorded values and gradients, in double precision; and its single-precision path against the double one.

use super::{Case, flat, numbers};
use candle_core::{DType, Tensor, Var};
use lossward::loss::{self, Inputs, Layout, PerExample};
use lossward::options::{Given, OptionValue, Options};
use serde_json::Value;

/// A loss with options, and how the case's fields become its inputs.
struct Trial<'a> {
    case: &'a Case,
    loss: &'static str,
    options: Given,
    /// Names of inputs that are differentiated, as in `grad`.
    predictions: &'a [&'a str],
    targets: &'a [&'a str],
}

impl<'a> Trial<'a> {
    fn new(case: &'a Case, loss: &'static str, predictions: &'a [&'a str], targets: &'a [&'a str]) -> Self {
        Trial { case, loss, options: Given::new(), predictions, targets }
    }

    fn number(mut self, option: &str, value: f64) -> Self {
        self.options.insert(option.into(), OptionValue::Number(value));
        self
    }

    fn flag(mut self, option: &str, field: &str) -> Self {
        self.options.insert(option.into(), OptionValue::Flag(self.case.flag(field)));
        self
    }

    fn text(mut self, option: &str, value: &str) -> Self {
        self.options.insert(option.into(), OptionValue::Text(value.into()));
        self
    }

    /// Class weights and the ignored label, where the case has them.
    fn classes(mut self) -> Self {
        if self.case.has("weight") {
            self.options.insert("weights".into(), OptionValue::Numbers(self.case.numbers("weight")));
        }
        if self.case.has("ignore_index") {
            let ignored = self.case.number("ignore_index") as i64;
            self.options.insert("ignore_index".into(), OptionValue::Whole(ignored));
        }
        self
    }

    fn inputs(&self, shape: impl Fn(&str, Tensor) -> Tensor) -> Inputs {
        let of = |names: &[&str]| {
            let present = names.iter().filter(|name| self.case.has(name));
            present.map(|name| shape(name, self.case.tensor(name))).collect()
        };
        Inputs { predictions: of(self.predictions), targets: of(self.targets) }
    }

    /// Compares value and gradient as recorded, with inputs of these shapes.
    fn run(&self, shape: impl Fn(&str, Tensor) -> Tensor) {
        let inputs = self.inputs(shape);
        let reduction = self.case.text("reduction").to_string();
        self.check(&inputs, |losses| match &reduction[..] {
            "mean" | "batchmean" => losses.mean().unwrap(),
            "sum" | "mean over classes, sum over rows" => losses.values.sum_all().unwrap(),
            "none" => losses.values.clone(),
            other => panic!("unknown reduction {other}"),
        });
    }

    fn check(&self, inputs: &Inputs, reduce: impl Fn(&PerExample) -> Tensor) {
        let row = loss::find(self.loss).unwrap();
        let options = Options::new(row.name, row.options, &self.options).unwrap();
        // Recorded boxes are random corners, some of them the wrong way round.
        if row.layout != Layout::Boxes {
            loss::check(row, inputs, &options).unwrap();
        }
        let compute = |inputs: &Inputs, reduce: &dyn Fn(&PerExample) -> Tensor| {
            let variables: Vec<Var> = inputs.predictions.iter().map(|p| Var::from_tensor(p).unwrap()).collect();
            let predictions = variables.iter().map(|v| v.as_tensor().clone()).collect();
            let value =
                reduce(&(row.per_example)(&Inputs { predictions, targets: inputs.targets.clone() }, &options).unwrap());
            let gradients = value.sum_all().unwrap().backward().unwrap();
            let gradients = variables.iter().map(|v| flat(&in_double(gradients.get(v).unwrap()))).collect::<Vec<_>>();
            (flat(&in_double(&value)), gradients)
        };
        let (value, gradients) = compute(inputs, &reduce);
        self.case.check("value", &value);
        if value.iter().all(|value| !value.is_nan()) && self.case.expects("grad") {
            match self.case.expected("grad") {
                Value::Object(parts) => {
                    assert_eq!(parts.len(), gradients.len());
                    for (name, gradient) in self.predictions.iter().zip(&gradients) {
                        self.case.compare(&format!("grad of {name}"), gradient, &parts[*name]);
                    }
                }
                list => self.case.compare("grad", &gradients[0], list),
            }
        } else if self.case.expects("grad") {
            // The mean over nothing: the notes say not to compare its gradient.
            self.case.expected("grad");
        }
        let losses = |losses: &PerExample| losses.values.clone();
        self.check_single_precision(inputs, &|inputs| compute(inputs, &losses));
    }

    /// On numbers that single precision can hold, both paths agree on the losses of the examples and on the gradient of their sum to 1e-5 of the largest entry.
    fn check_single_precision(&self, inputs: &Inputs, compute: &impl Fn(&Inputs) -> (Vec<f64>, Vec<Vec<f64>>)) {
        let to = |tensors: &[Tensor], dtype: DType| -> Vec<Tensor> {
            let convert = |tensor: &Tensor| match tensor.dtype() {
                DType::F64 | DType::F32 => tensor.to_dtype(DType::F32).unwrap().to_dtype(dtype).unwrap(),
                _ => tensor.clone(),
            };
            tensors.iter().map(convert).collect()
        };
        let [single, double] = [DType::F32, DType::F64].map(|dtype| {
            compute(&Inputs { predictions: to(&inputs.predictions, dtype), targets: to(&inputs.targets, dtype) })
        });
        let parts = std::iter::once((&single.0, &double.0)).chain(single.1.iter().zip(&double.1));
        for (single, double) in parts {
            let largest = double.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
            for (single, double) in single.iter().zip(double) {
                let same = (single - double).abs() <= 1e-5 * largest || (single.is_nan() && double.is_nan());
                assert!(same, "in single precision {single}, in double {double}");
            }
        }
    }
}

fn in_double(tensor: &Tensor) -> Tensor {
    tensor.to_dtype(DType::F64).unwrap()
}

/// Elementwise in PyTorch: every number is an example of its own.
fn column(_: &str, tensor: Tensor) -> Tensor {
    tensor.reshape(((), 1)).unwrap()
}

fn as_it_is(_: &str, tensor: Tensor) -> Tensor {
    tensor
}

/// Targets become labels.
fn labels(name: &str, tensor: Tensor) -> Tensor {
    if name == "target" { tensor.to_dtype(DType::I64).unwrap() } else { tensor }
}

pub fn cross_entropy(case: &Case) {
    let trial = Trial::new(case, "cross_entropy", &["logits"], &["target"]);
    let soft = case.tensor("logits").dims() == case.tensor("target").dims();
    let smoothing = case.number("label_smoothing");
    trial.classes().number("label_smoothing", smoothing).run(if soft { as_it_is } else { labels });
}

pub fn nll(case: &Case) {
    Trial::new(case, "nll", &["log_probs"], &["target"]).classes().run(labels);
}

pub fn regression(case: &Case) {
    let trial = |name| Trial::new(case, name, &["pred"], &["target"]);
    let trial = match &case.group[..] {
        "mse" => trial("mse"),
        "mae" => trial("mae"),
        "huber" => trial("huber").number("delta", case.number("delta")),
        "smooth_l1" => trial("smooth_l1").number("beta", case.number("beta")),
        "log_cosh" => trial("log_cosh"),
        "pinball" => trial("pinball").number("quantile", case.number("alpha")),
        other => panic!("unknown loss {other}"),
    };
    trial.run(column);
}

pub fn gaussian_nll(case: &Case) {
    let trial = Trial::new(case, "gaussian_nll", &["mean", "var"], &["target"]).flag("full", "full");
    trial.number("epsilon", case.number("eps")).run(column);
}

pub fn poisson_nll(case: &Case) {
    let trial = Trial::new(case, "poisson_nll", &["pred"], &["target"]).flag("full", "full");
    trial.flag("log_input", "log_input").number("epsilon", case.number("eps")).run(column);
}

pub fn bce_with_logits(case: &Case) {
    let mut trial = Trial::new(case, "bce_with_logits", &["logits"], &["target", "weight"]);
    if !case.has("pos_weight") {
        return trial.run(column);
    }
    // Weights belong to columns, so that rows stay together; all numbers are reduced alike.
    let weights = case.numbers("pos_weight");
    let outputs = weights.len() as f64;
    trial.options.insert("pos_weight".into(), OptionValue::Numbers(weights));
    let inputs = trial.inputs(as_it_is);
    match case.text("reduction") {
        "mean" => trial.check(&inputs, |losses| losses.mean().unwrap()),
        "sum" => trial.check(&inputs, |losses| (losses.values.sum_all().unwrap() * outputs).unwrap()),
        // One number per example with a list of one weight: output by output.
        "none" => bce_by_output(case),
        other => panic!("unknown reduction {other}"),
    }
}

fn bce_by_output(case: &Case) {
    let (value, gradient) = (numbers(case.expected("value")), numbers(case.expected("grad")));
    let (logits, targets, weights) = (case.tensor("logits"), case.tensor("target"), case.numbers("pos_weight"));
    let row = loss::find("bce_with_logits").unwrap();
    for (output, weight) in weights.iter().enumerate() {
        let given = Given::from([("pos_weight".to_string(), OptionValue::Numbers(vec![*weight]))]);
        let options = Options::new(row.name, row.options, &given).unwrap();
        let of = |tensor: &Tensor| tensor.narrow(1, output, 1).unwrap().contiguous().unwrap();
        let variable = Var::from_tensor(&of(&logits)).unwrap();
        let losses = (row.per_example)(&Inputs::pair(&variable, &of(&targets)), &options).unwrap().values;
        let gradients = losses.sum_all().unwrap().backward().unwrap();
        let every =
            |all: &[f64]| Value::from(all.iter().skip(output).step_by(weights.len()).copied().collect::<Vec<_>>());
        case.compare("value", &flat(&losses), &every(&value));
        case.compare("grad", &flat(gradients.get(&variable).unwrap()), &every(&gradient));
    }
}

pub fn bce(case: &Case) {
    Trial::new(case, "bce", &["probs"], &["target"]).run(column);
}

pub fn kl_div(case: &Case) {
    let trial = Trial::new(case, "kl_div", &["log_probs"], &["target"]).flag("log_target", "log_target");
    trial.run(if case.text("reduction") == "batchmean" { as_it_is } else { column });
}

pub fn hinge(case: &Case) {
    let trial = Trial::new(case, "hinge", &["scores"], &["target"]);
    trial.run(column);
    let row = loss::find("hinge").unwrap();
    let losses = (row.per_example)(&trial.inputs(column), &Options::defaults(row.options)).unwrap();
    case.check("mean", &flat(&losses.mean().unwrap()));
}

pub fn multi_margin(case: &Case) {
    let trial = Trial::new(case, "multi_margin", &["scores"], &["target"]).classes();
    let mut trial = trial.number("margin", case.number("margin"));
    trial.options.insert("p".into(), OptionValue::Whole(case.number("p") as i64));
    trial.run(labels);
}

pub fn focal(case: &Case) {
    let trial = Trial::new(case, "focal", &["logits"], &["target"]);
    trial.number("alpha", case.number("alpha")).number("gamma", case.number("gamma")).run(column);
}

pub fn varifocal(case: &Case) {
    let trial = Trial::new(case, "varifocal", &["logits"], &["target_score", "label"]);
    trial.number("alpha", case.number("alpha")).number("gamma", case.number("gamma")).run(as_it_is);
}

pub fn distribution_focal(case: &Case) {
    let (bins, sides) = (case.number("reg_max") as usize, case.tensor("target").dims()[1]);
    let by_box = |name: &str, tensor: Tensor| match name {
        "pred_dist" => tensor.reshape(((), sides, bins)).unwrap(),
        _ => tensor,
    };
    let trial = Trial::new(case, "distribution_focal", &["pred_dist"], &["target"]);
    trial.check(&trial.inputs(by_box), |losses| losses.values.clone());
}

pub fn boxes(case: &Case) {
    let torchvision = case.group == "iou_family";
    let kind = match case.text("kind") {
        "iou" => "iou",
        "giou" => "giou",
        "diou" => "diou",
        "ciou" => "ciou",
        "box_iou_matrix" => return pairwise(case, loss::boxes::Overlap::Iou),
        "generalized_box_iou_matrix" => return pairwise(case, loss::boxes::Overlap::Giou),
        other => panic!("unknown kind {other}"),
    };
    let epsilon = case.number("eps");
    let trial = Trial::new(case, kind, &["pred"], &["target"]).number("epsilon", epsilon);
    if torchvision {
        assert_eq!(case.text("reduction"), "none");
        return trial.check(&trial.inputs(as_it_is), |losses| losses.values.clone());
    }
    assert_eq!(case.text("format"), "xyxy");
    let trial = trial.number("height_epsilon", epsilon);
    // The overlap itself, not the loss.
    trial.check(&trial.inputs(as_it_is), |losses| (1.0 - &losses.values).unwrap());
}

fn pairwise(case: &Case, kind: loss::boxes::Overlap) {
    let boxes = |key: &str| -> Vec<[f64; 4]> {
        case.numbers(key).chunks_exact(4).map(|corners| std::array::from_fn(|i| corners[i])).collect()
    };
    case.check("value", &loss::boxes::pairwise(kind, &boxes("pred"), &boxes("target")).concat());
}

pub fn dice(case: &Case) {
    let over = match case.text("sum_over") {
        "batch and pixels" => "batch",
        "pixels, then mean over samples" | "pixels, then mean over samples and classes" => "example",
        other => panic!("unknown sum {other}"),
    };
    let trial = Trial::new(case, "dice", &["logits"], &["target"]).text("over", over);
    let trial = trial.number("smooth", case.number("smooth"));
    trial.check(&trial.inputs(as_it_is), |losses| losses.mean().unwrap());
}

pub fn tversky(case: &Case) {
    let over = if case.name.ends_with("per_sample") { "example" } else { "batch" };
    let trial = Trial::new(case, "tversky", &["logits"], &["target"]).text("over", over);
    let trial = trial.number("alpha", case.number("alpha_fp")).number("beta", case.number("beta_fn"));
    let trial = trial.number("smooth", case.number("smooth"));
    trial.check(&trial.inputs(as_it_is), |losses| losses.mean().unwrap());
}

pub fn generalized_dice(case: &Case) {
    let over = if case.name.ends_with("per_sample") { "example" } else { "batch" };
    let trial = Trial::new(case, "generalized_dice", &["logits"], &["target"]).text("over", over);
    let trial = trial.text("activation", case.text("activation")).number("smooth", case.number("smooth"));
    trial.check(&trial.inputs(as_it_is), |losses| losses.mean().unwrap());
}

pub fn embedding(case: &Case) {
    match ["anchor", "x1", "margin"].map(|field| case.has(field)) {
        [false, false, true] => {
            let trial = Trial::new(case, "hinge_embedding", &["x"], &["target"]);
            trial.number("margin", case.number("margin")).run(column);
        }
        [false, false, false] => Trial::new(case, "soft_margin", &["x"], &["target"]).run(column),
        [true, ..] => {
            let trial = Trial::new(case, "triplet_margin", &["anchor", "positive", "negative"], &[]);
            let trial = trial.number("margin", case.number("margin")).number("p", case.number("p"));
            trial.number("epsilon", case.number("eps")).run(as_it_is);
        }
        [_, true, _] => {
            let trial = Trial::new(case, "cosine_embedding", &["x1", "x2"], &["target"]);
            trial.number("margin", case.number("margin")).run(as_it_is);
        }
    }
}
