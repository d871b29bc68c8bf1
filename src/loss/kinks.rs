//! Where losses are not smooth or have nothing to hold on to, tested over the table: the side that is taken at a kink, and
//! that no gradient bursts.

use super::tests::{all_options, compute, to};
use super::*;
use crate::options::Given;
use candle_core::{DType, Device, Tensor};
use serde_json::json;

fn tensor(rows: &serde_json::Value) -> Tensor {
    let rows: Vec<Vec<f64>> = serde_json::from_value(rows.clone()).unwrap();
    let columns = rows[0].len();
    Tensor::from_vec(rows.concat(), (rows.len(), columns), &Device::Cpu).unwrap()
}

/// Value and gradient as PyTorch 2.15 computes them, in double precision: `hinge` and `pinball` as `clamp(min=0)` and a choice
/// of ours, `iou` through `clamp(min=0)` as torchvision's `box_iou` does.
#[test]
fn kinks_take_the_side_that_pytorch_takes() {
    let unlike = || vec![Tensor::new(&[-1.0f64], &Device::Cpu).unwrap()];
    let rows = |rows: serde_json::Value| vec![tensor(&rows)];
    let label = || vec![Tensor::new(&[0i64], &Device::Cpu).unwrap()];
    let boxes = json!([[1.0, 0.0, 2.0, 1.0]]);
    let turned = json!([[[1.0, 0.0]], [[0.0, 1.0]]]);
    let line = json!([[[0.0, 0.0]], [[1.0, 0.0]], [[2.0, 0.0]]]);
    let point = json!([[[1.0, 1.0]], [[1.0, 1.0]], [[1.0, 1.0]]]);
    let (none, half) = ([0.0; 4], 0.5f64.sqrt());
    type Kink<'a> = (&'a str, serde_json::Value, serde_json::Value, Vec<Tensor>, f64, &'a [f64]);
    let kinks: &[Kink] = &[
        ("mae", json!({}), json!([[[1.0]]]), rows(json!([[1.0]])), 0.0, &[0.0]),
        ("smooth_l1", json!({"beta": 0}), json!([[[1.0]]]), rows(json!([[1.0]])), 0.0, &[0.0]),
        ("smooth_l1", json!({}), json!([[[1.0]]]), rows(json!([[0.0]])), 0.5, &[1.0]),
        ("huber", json!({}), json!([[[1.0]]]), rows(json!([[0.0]])), 0.5, &[1.0]),
        ("pinball", json!({"quantile": 0.3}), json!([[[1.0]]]), rows(json!([[1.0]])), 0.0, &[0.0]),
        ("hinge", json!({}), json!([[[1.0]]]), rows(json!([[1.0]])), 0.0, &[0.0]),
        ("hinge_embedding", json!({}), json!([[[1.0]]]), rows(json!([[-1.0]])), 0.0, &[0.0]),
        ("multi_margin", json!({}), json!([[[1.0, 0.0, -3.0]]]), label(), 0.0, &none[..3]),
        ("cosine_embedding", json!({}), turned, unlike(), 0.0, &none),
        ("triplet_margin", json!({"epsilon": 0}), line, vec![], 0.0, &[0.0; 6]),
        ("triplet_margin", json!({}), point.clone(), vec![], 1.0, &[0.0, 0.0, -half, -half, half, half]),
        ("triplet_margin", json!({"epsilon": 0}), point, vec![], 1.0, &[0.0; 6]),
        ("iou", json!({}), json!([[[0.0, 0.0, 1.0, 1.0]]]), rows(boxes.clone()), 1.0, &none),
        ("iou", json!({}), json!([boxes]), rows(boxes.clone()), 0.0, &none),
        ("giou", json!({}), json!([[[0.0, 0.0, 1.0, 1.0]]]), rows(boxes), 1.0, &[0.0, 0.0, -0.499999975, 0.0]),
        ("bce", json!({}), json!([[[0.0]]]), rows(json!([[0.0]])), 0.0, &[0.0]),
    ];
    for (name, options, predictions, targets, value, gradient) in kinks {
        let loss = find(name).unwrap();
        let given: Given = serde_json::from_value(options.clone()).unwrap();
        let options = Options::new(name, loss.options, &given).unwrap();
        let predictions = predictions.as_array().unwrap().iter().map(tensor).collect();
        let inputs = Inputs { predictions, targets: targets.clone() };
        check(loss, &inputs, &options).unwrap();
        let (got, slopes) = compute(loss, &inputs, &options);
        assert!((got - value).abs() < 2e-7, "{name}: {got}, not {value}");
        for (slope, expected) in slopes.concat().iter().zip(*gradient) {
            assert!((slope - expected).abs() < 1e-9, "{name} {given:?}: {slopes:?}, not {gradient:?}");
        }
    }
}

/// PyTorch's slope is a million here, and 10⁷ at a hull of no area.
#[test]
fn what_has_no_direction_or_no_area_is_not_pulled() {
    for sign in [1.0, -1.0] {
        for (one, other) in [([0.0, 0.0], [3.0, 4.0]), ([3.0, 4.0], [0.0, 0.0]), ([0.0; 2], [0.0; 2])] {
            let predictions = [one, other].map(|v| Tensor::new(&[v], &Device::Cpu).unwrap()).to_vec();
            let inputs = Inputs { predictions, targets: vec![Tensor::new(&[sign], &Device::Cpu).unwrap()] };
            let loss = find("cosine_embedding").unwrap();
            let (value, slopes) = compute(loss, &inputs, &Options::defaults(loss.options));
            // The cosine counts as 0.
            assert_eq!((value, slopes.concat()), (if sign > 0.0 { 1.0 } else { 0.0 }, vec![0.0; 4]));
        }
    }
    let line = Tensor::new(&[[0.0, 0.0, 2.0, 0.0f64]], &Device::Cpu).unwrap();
    let loss = find("giou").unwrap();
    let of_line = compute(loss, &Inputs::pair(&line, &line), &Options::defaults(loss.options));
    assert_eq!(of_line, (1.0, vec![vec![0.0; 4]]));
}

/// The cosine does not depend on lengths, however large: the slope is `−(x₂ − k x₁) / ‖x₁‖` of unit vectors.
#[test]
fn long_vectors_have_the_cosine_of_short_ones() {
    let loss = find("cosine_embedding").unwrap();
    for size in [1.0, 1e30, 1e100, 1e200] {
        let predictions = [[3.0 * size, 4.0 * size], [size, 0.0]].map(|v| Tensor::new(&[v], &Device::Cpu).unwrap());
        let targets = vec![Tensor::new(&[1.0f64], &Device::Cpu).unwrap()];
        let inputs = Inputs { predictions: predictions.to_vec(), targets };
        let (value, slopes) = compute(loss, &inputs, &Options::defaults(loss.options));
        assert!((value - 0.4).abs() < 1e-11, "{size}: {value}");
        // cos = 0.6; (1, 0) − 0.6 (0.6, 0.8) = (0.64, −0.48), over the length 5.
        let expected = [-0.64 / 5.0, 0.48 / 5.0];
        for (slope, expected) in slopes[0].iter().zip(expected) {
            assert!((slope * size - expected).abs() < 1e-11, "{size}: {slopes:?}");
        }
    }
}

/// Every combination of these lists, row by row.
fn combinations(of: &[Vec<f64>]) -> Vec<Vec<f64>> {
    of.iter().fold(vec![vec![]], |rows, list| {
        rows.iter().flat_map(|row| list.iter().map(|x| [&row[..], &[*x]].concat())).collect()
    })
}

/// Tensors of one example per row, each given as a function of the row.
fn batch<R>(rows: &[R], shape: &[usize], of: impl Fn(&R) -> Vec<f64>) -> Tensor {
    let shape: Vec<usize> = std::iter::once(rows.len()).chain(shape.iter().copied()).collect();
    Tensor::from_vec(rows.iter().flat_map(of).collect::<Vec<f64>>(), shape, &Device::Cpu).unwrap()
}

/// Everything that a loss of this layout may meet at the ends of what it takes, `large` being a large score.
fn extremes(loss: &Loss, large: f64) -> Inputs {
    let scores = || [0.0, large, -large, 720.0, -720.0];
    let four = |row: &[f64]| [row, &[0.0, 0.0]].concat();
    match loss.layout {
        Layout::Same => {
            let predicted = |part: &Part| match part.domain {
                Domain::Unit => vec![0.0, 1.0],
                Domain::NotNegative => vec![0.0, 1.0, large],
                Domain::LogProbability => vec![0.0, -720.0, -large],
                _ => vec![0.0, 1.0, -1.0, large, -large, 720.0, -720.0],
            };
            let compared = |part: &Part| match part.domain {
                Domain::Sign => vec![-1.0, 1.0],
                _ => vec![0.0, 1.0],
            };
            let parts = loss.predictions.iter().map(predicted).chain(loss.targets.iter().map(compared));
            let rows = combinations(&parts.collect::<Vec<_>>());
            let column = |i: usize| batch(&rows, &[4], |row| vec![row[i]; 4]);
            let split = loss.predictions.len();
            Inputs {
                predictions: (0..split).map(column).collect(),
                targets: (split..split + loss.targets.len()).map(column).collect(),
            }
        }
        Layout::Classes => {
            let rows = combinations(&[scores().to_vec(), scores().to_vec(), vec![0.0, 1.0, 3.0]]);
            let capped = |z: f64| if loss.predictions[0].domain == Domain::LogProbability { -z.abs() } else { z };
            let predictions = batch(&rows, &[4], |row| four(&row[..2]).into_iter().map(capped).collect());
            Inputs::pair(&predictions, &batch(&rows, &[], |row| vec![row[2]]).to_dtype(DType::I64).unwrap())
        }
        Layout::Masks => {
            let rows = combinations(&[scores().to_vec(), scores().to_vec(), vec![0.0, 1.0], vec![0.0, 1.0]]);
            let predictions = batch(&rows, &[2, 2], |row| vec![row[0], row[1], row[0], -row[1]]);
            let labels = batch(&rows, &[2], |row| row[2..].to_vec());
            Inputs::pair(&predictions, &labels.to_dtype(DType::I64).unwrap())
        }
        Layout::Boxes => {
            let edges = vec![0.0, 1.0, 2.0];
            let boxes = combinations(&vec![edges; 4]);
            let boxes: Vec<_> = boxes.into_iter().filter(|b| b[0] <= b[2] && b[1] <= b[3]).collect();
            let pairs: Vec<_> = boxes.iter().flat_map(|a| boxes.iter().map(move |b| (a, b))).collect();
            Inputs::pair(&batch(&pairs, &[4], |pair| pair.0.clone()), &batch(&pairs, &[4], |pair| pair.1.clone()))
        }
        Layout::Bins => {
            let rows = combinations(&[scores().to_vec(), scores().to_vec(), vec![-5.0, 0.0, 1.5, 3.0, large]]);
            let predictions = batch(&rows, &[1, 4], |row| four(&row[..2]));
            Inputs::pair(&predictions, &batch(&rows, &[1], |row| vec![row[2]]))
        }
        Layout::Vectors => {
            let entries = || vec![0.0, 1.0, -1.0, large, 1e-30];
            let parts = vec![entries(); loss.predictions.len() * 2 - 1];
            let rows = combinations(&[parts, vec![vec![-1.0, 1.0]]].concat());
            // The last vector has one entry that is free, and one that is 0.
            let vector = |i: usize| batch(&rows, &[2], |row| vec![row[2 * i], *row.get(2 * i + 1).unwrap_or(&0.0)]);
            let signs = batch(&rows, &[], |row| row[row.len() - 1..].to_vec());
            let targets = if loss.targets.is_empty() { vec![] } else { vec![signs] };
            Inputs { predictions: (0..loss.predictions.len()).map(vector).collect(), targets }
        }
    }
}

/// What docs/objectives.md says of slopes: bounded by this at every extreme, or growing with the prediction.
fn largest_slope(loss: &Loss) -> Option<f64> {
    match loss.name {
        "mse" | "gaussian_nll" | "multi_margin" => None,
        // ln p is cut at p (1 − p) = 10⁻¹², a rate's logarithm at 10⁻⁸, a log-rate at 50, a vector's length at 10⁻⁶.
        "bce" => Some(1e12),
        "poisson_nll" => Some(50f64.exp()),
        "cosine_embedding" => Some(1e6),
        _ => Some(5.0),
    }
}

#[test]
fn nothing_bursts_at_the_ends_of_what_a_loss_takes() {
    for loss in all() {
        // What grows so fast is at 10³⁰ beyond single precision.
        let large = if largest_slope(loss).is_some_and(|slope| slope < 1e15) { 1e30 } else { 1e10 };
        let inputs = extremes(loss, large);
        for (i, options) in all_options(loss).into_iter().enumerate() {
            check(loss, &inputs, &options).unwrap();
            for dtype in [DType::F64, DType::F32] {
                let inputs = to(&inputs, dtype);
                let values = (loss.per_example)(&inputs, &options).unwrap().values.to_dtype(DType::F64).unwrap();
                let values: Vec<f64> = values.to_vec1().unwrap();
                assert!(values.iter().all(|value| value.is_finite()), "{} in {dtype:?}: {values:?}", loss.name);
                let slopes = compute(loss, &inputs, &options).1.concat();
                let largest = slopes.iter().fold(0.0, |largest: f64, slope| largest.max(slope.abs()));
                let bound = largest_slope(loss).filter(|_| i == 0).unwrap_or(f64::MAX);
                let fits = slopes.iter().all(|slope| slope.is_finite()) && largest <= bound * (1.0 + 1e-6);
                assert!(fits, "{} in {dtype:?}: a slope of {largest}; {options:?}", loss.name);
            }
        }
    }
}
