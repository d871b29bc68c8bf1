//! What holds for every loss, tested over the table: a new row is tested at once.

use super::*;
use crate::options::{Given, OptionKind, OptionValue};
use crate::{Rng, stream};
use candle_core::{DType, Device, Tensor, Var};
use rand::Rng as _;

const BATCH: usize = 3;

/// Inputs of this loss: real numbers of about this size.
fn sample(loss: &Loss, size: f64, rng: &mut Rng) -> Inputs {
    let (predicted, compared): (&[usize], &[usize]) = match loss.layout {
        Layout::Same => (&[BATCH, 4], &[BATCH, 4]),
        Layout::Classes => (&[BATCH, 4], &[BATCH]),
        Layout::Masks => (&[BATCH, 2, 2, 3], &[BATCH, 2, 3]),
        Layout::Boxes => (&[BATCH, 4], &[BATCH, 4]),
        Layout::Bins => (&[BATCH, 4, 5], &[BATCH, 4]),
        Layout::Vectors => (&[BATCH, 4], &[BATCH]),
    };
    let mut draw = |part: &Part, shape: &[usize]| {
        let mut number = || match part.domain {
            Domain::Real => rng.random_range(-size..size),
            Domain::NotNegative => rng.random_range(0.5..4.0),
            Domain::Unit => rng.random_range(0.05..0.95),
            Domain::LogProbability => -rng.random_range(0.1..3.0),
            Domain::Sign => [-1.0, 1.0][rng.random_range(0..2)],
            Domain::Label { .. } => f64::from(rng.random_range(0..2)),
            Domain::Box => rng.random_range(0.0..size),
        };
        let mut numbers: Vec<f64> = (0..shape.iter().product()).map(|_| number()).collect();
        if part.domain == Domain::Box {
            for corners in numbers.chunks_exact_mut(4) {
                (0..2).for_each(|i| corners[i + 2] += corners[i]);
            }
        }
        let tensor = Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap();
        if matches!(part.domain, Domain::Label { .. }) { tensor.to_dtype(DType::I64).unwrap() } else { tensor }
    };
    Inputs {
        predictions: loss.predictions.iter().map(|part| draw(part, predicted)).collect(),
        targets: loss.targets.iter().map(|part| draw(part, compared)).collect(),
    }
}

/// The defaults, and every option by itself away from its default.
pub(super) fn all_options(loss: &Loss) -> Vec<Options> {
    let other = |row: &OptionRow| match &row.kind {
        OptionKind::Number { default, range } => {
            let near = [default + 0.4, default - 0.4, default / 2.0].into_iter().find(|x| range.contains(*x));
            OptionValue::Number(near.unwrap())
        }
        OptionKind::Whole { default: Some(default), .. } => OptionValue::Whole(default + 1),
        OptionKind::Whole { .. } => OptionValue::Whole(1),
        OptionKind::Flag { default } => OptionValue::Flag(!default),
        OptionKind::Choice(choices) => OptionValue::Text(choices.last().unwrap().to_string()),
        OptionKind::PerClass => OptionValue::Numbers(vec![0.5, 2.0, 1.5, 0.2]),
        OptionKind::SquareMatrix(_) => {
            OptionValue::Rows((0..4).map(|y| (0..4).map(|a| f64::from(a * y % 3) - 0.3).collect()).collect())
        }
        kind => panic!("no loss has {kind}"),
    };
    let alone = |row: &OptionRow| Given::from([(row.name.to_string(), other(row))]);
    let given = std::iter::once(Given::new()).chain(loss.options.iter().map(alone));
    given.map(|given| Options::new(loss.name, loss.options, &given).unwrap()).collect()
}

#[test]
fn losses_lie_in_their_range() {
    let mut rng = stream(6, "test", 0);
    for loss in all() {
        let options = Options::defaults(loss.options);
        for _ in 0..50 {
            let values = (loss.per_example)(&sample(loss, 3.0, &mut rng), &options).unwrap().values;
            let values: Vec<f64> = values.to_vec1().unwrap();
            assert!(values.iter().all(|value| loss.range.contains(*value)), "{}: {values:?}", loss.name);
        }
    }
}

/// The sum of the losses, and its gradient in every prediction.
pub(super) fn compute(loss: &Loss, inputs: &Inputs, options: &Options) -> (f64, Vec<Vec<f64>>) {
    let variables: Vec<Var> = inputs.predictions.iter().map(|p| Var::from_tensor(p).unwrap()).collect();
    let predictions = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let inputs = Inputs { predictions, targets: inputs.targets.clone() };
    let sum = (loss.per_example)(&inputs, options).unwrap().values.sum_all().unwrap();
    let gradients = sum.backward().unwrap();
    let flat = |v: &Var| -> Vec<f64> {
        gradients.get(v).unwrap().to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    };
    (crate::scalar(&sum).unwrap(), variables.iter().map(flat).collect())
}

pub(super) fn to(inputs: &Inputs, dtype: DType) -> Inputs {
    let convert = |tensor: &Tensor| match tensor.dtype() {
        DType::I64 => tensor.clone(),
        _ => tensor.to_dtype(dtype).unwrap(),
    };
    Inputs {
        predictions: inputs.predictions.iter().map(convert).collect(),
        targets: inputs.targets.iter().map(convert).collect(),
    }
}

#[test]
fn gradients_equal_finite_differences() {
    let mut rng = stream(0, "test", 0);
    for loss in all() {
        for options in all_options(loss) {
            for _ in 0..5 {
                let inputs = sample(loss, 2.0, &mut rng);
                check(loss, &inputs, &options).unwrap();
                let (_, gradients) = compute(loss, &inputs, &options);
                for (part, gradient) in gradients.iter().enumerate() {
                    let at: Vec<f64> = inputs.predictions[part].flatten_all().unwrap().to_vec1().unwrap();
                    for (i, slope) in gradient.iter().enumerate() {
                        let shifted = |by: f64| {
                            let mut moved = at.clone();
                            moved[i] += by;
                            let mut predictions = inputs.predictions.clone();
                            let shape = predictions[part].shape().clone();
                            predictions[part] = Tensor::from_vec(moved, shape, &Device::Cpu).unwrap();
                            compute(loss, &Inputs { predictions, targets: inputs.targets.clone() }, &options).0
                        };
                        // α of CIoU and the weight of DFT are held, so that their differences are not those of their gradients.
                        if ["ciou", "dft"].contains(&loss.name) {
                            continue;
                        }
                        let difference = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
                        let same = (difference - slope).abs() < 1e-7 * (1.0 + slope.abs());
                        assert!(same, "{} by {part}[{i}]: {difference}, {slope}; {options:?}", loss.name);
                    }
                }
            }
        }
    }
}

/// `dD + α dv` with α of the point itself: what is differentiated when α is held.
#[test]
fn the_complete_overlap_differs_from_the_distance_overlap_by_its_aspect_term() {
    let mut rng = stream(1, "test", 0);
    let [ciou, diou] = ["ciou", "diou"].map(|name| find(name).unwrap());
    let options = Options::defaults(ciou.options);
    for _ in 0..20 {
        let inputs = sample(ciou, 2.0, &mut rng);
        let boxes = |tensor: &Tensor| tensor.to_vec2::<f64>().unwrap();
        let targets = boxes(&inputs.targets[0]);
        let aspect = |p: &[f64], t: &[f64]| {
            let angle = |b: &[f64]| ((b[2] - b[0]) / (b[3] - b[1])).atan();
            4.0 / std::f64::consts::PI.powi(2) * (angle(t) - angle(p)).powi(2)
        };
        let iou = boxes::pairwise;
        let (_, complete) = compute(ciou, &inputs, &options);
        let (_, distance) = compute(diou, &inputs, &options);
        for (row, prediction) in boxes(&inputs.predictions[0]).iter().enumerate() {
            let corners = |b: &[f64]| -> [f64; 4] { std::array::from_fn(|i| b[i]) };
            let overlap = iou(boxes::Overlap::Iou, &[corners(prediction)], &[corners(&targets[row])])[0][0];
            let v = aspect(prediction, &targets[row]);
            let alpha = v / (1.0 - overlap + v);
            for i in 0..4 {
                let shifted = |by: f64| {
                    let mut moved = prediction.clone();
                    moved[i] += by;
                    aspect(&moved, &targets[row])
                };
                let slope = alpha * (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
                let difference = complete[0][row * 4 + i] - distance[0][row * 4 + i];
                assert!((difference - slope).abs() < 1e-5, "{difference}, {slope}");
            }
        }
    }
}

#[test]
fn both_precisions_agree() {
    let mut rng = stream(2, "test", 0);
    for loss in all() {
        for options in all_options(loss) {
            let single = to(&sample(loss, 3.0, &mut rng), DType::F32);
            let (a, b) = (compute(loss, &single, &options), compute(loss, &to(&single, DType::F64), &options));
            assert!((a.0 - b.0).abs() <= 1e-5 * b.0.abs().max(1.0), "{}: {} and {}; {options:?}", loss.name, a.0, b.0);
            for (single, double) in a.1.concat().iter().zip(b.1.concat()) {
                assert!((single - double).abs() < 1e-5 * double.abs().max(1.0), "{}: {single}, {double}", loss.name);
            }
        }
    }
}

/// Logits of ±10⁴ in all combinations that a few draws make, in both precisions.
#[test]
fn extreme_predictions_give_finite_losses_and_gradients() {
    let mut rng = stream(3, "test", 0);
    for loss in all() {
        for options in all_options(loss) {
            for draw in 0..20 {
                let mut inputs = sample(loss, 1.0, &mut rng);
                for (part, prediction) in loss.predictions.iter().zip(&mut inputs.predictions) {
                    *prediction = match part.domain {
                        Domain::Real => {
                            ((prediction.sign().unwrap() * 1e4).unwrap() + if draw == 0 { 2e4 } else { 0.0 }).unwrap()
                        }
                        Domain::LogProbability => (&*prediction * 1e4).unwrap(),
                        Domain::Unit => prediction.round().unwrap(),
                        Domain::NotNegative => (&*prediction * if draw % 2 == 0 { 0.0 } else { 1e4 }).unwrap(),
                        Domain::Box => (&*prediction * 1e4).unwrap(),
                        Domain::Sign | Domain::Label { .. } => continue,
                    };
                }
                for dtype in [DType::F64, DType::F32] {
                    let (value, gradients) = compute(loss, &to(&inputs, dtype), &options);
                    let finite = value.is_finite() && gradients.concat().iter().all(|g| g.is_finite());
                    assert!(finite, "{} in {dtype:?}: {value}, {gradients:?}; {options:?}", loss.name);
                }
            }
        }
    }
}

#[test]
fn boxes_without_area_give_finite_losses_and_gradients() {
    let points = [[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 2.0, 2.0f64]];
    for loss in all().filter(|loss| loss.layout == Layout::Boxes) {
        for dtype in [DType::F64, DType::F32] {
            for (prediction, target) in points.iter().flat_map(|a| points.iter().map(move |b| (*a, *b))) {
                let tensor = |corners: [f64; 4]| Tensor::new(&[corners], &Device::Cpu).unwrap();
                for options in all_options(loss) {
                    let inputs = to(&Inputs::pair(&tensor(prediction), &tensor(target)), dtype);
                    let (value, gradients) = compute(loss, &inputs, &options);
                    let finite = value.is_finite() && gradients.concat().iter().all(|g| g.is_finite());
                    assert!(finite, "{} of {prediction:?} to {target:?}: {value}, {gradients:?}", loss.name);
                }
            }
        }
    }
}

/// Identities between losses, on random inputs.
#[test]
fn losses_that_are_special_cases_of_others_equal_them() {
    let mut rng = stream(4, "test", 0);
    let number = |name: &str, value: f64| Given::from([(name.to_string(), OptionValue::Number(value))]);
    let mut compare = |one: (&str, Given), other: (&str, Given), factor: f64| {
        let [a, b] = [one.0, other.0].map(|name| find(name).unwrap());
        let mut inputs = sample(a, 2.0, &mut rng);
        inputs.targets.truncate(b.targets.len());
        let of = |loss: &Loss, given: &Given| {
            let options = Options::new(loss.name, loss.options, given).unwrap();
            let (value, gradients) = compute(loss, &inputs, &options);
            std::iter::once(value).chain(gradients.concat()).collect::<Vec<f64>>()
        };
        for (x, y) in of(a, &one.1).iter().zip(of(b, &other.1)) {
            assert!((x - factor * y).abs() < 1e-10, "{} {:?}: {x}, {y}", one.0, one.1);
        }
    };
    compare(("generalized_cross_entropy", number("q", 0.0)), ("cross_entropy", Given::new()), 1.0);
    compare(("generalized_cross_entropy", number("q", 1e-12)), ("cross_entropy", Given::new()), 1.0);
    compare(("categorical_focal", number("gamma", 0.0)), ("cross_entropy", Given::new()), 1.0);
    compare(("smooth_l1", number("beta", 0.0)), ("mae", Given::new()), 1.0);
    compare(("pinball", number("quantile", 0.5)), ("mae", Given::new()), 0.5);
    compare(("huber", number("delta", 100.0)), ("mse", Given::new()), 0.5);
    compare(("focal_tversky", number("gamma", 1.0)), ("tversky", Given::new()), 1.0);
    let half = Given::from(["alpha", "beta"].map(|name| (name.to_string(), OptionValue::Number(0.5))));
    let mut doubled = number("smooth", 1.0);
    doubled.extend(half);
    compare(("tversky", doubled), ("dice", number("smooth", 2.0)), 1.0);
}

/// Where softmax(z)_y is the expected 0/1 reward, q = 1 is what policy gradient maximizes.
#[test]
fn generalized_cross_entropy_at_one_is_one_minus_the_expected_reward() {
    let logits = Tensor::new(&[[0.0f64, 3f64.ln()]], &Device::Cpu).unwrap();
    let loss = find("generalized_cross_entropy").unwrap();
    let given = Given::from([("q".to_string(), OptionValue::Whole(1))]);
    let options = Options::new(loss.name, loss.options, &given).unwrap();
    let targets = Tensor::new(&[1u32], &Device::Cpu).unwrap();
    let (value, gradients) = compute(loss, &Inputs::pair(&logits, &targets), &options);
    assert!((value - 0.25).abs() < 1e-12);
    // p_y (p − e_y) with p = (1/4, 3/4)
    assert!((gradients[0][0] - 0.1875).abs() < 1e-12 && (gradients[0][1] + 0.1875).abs() < 1e-12);
}

/// DESIGN: an empty mask that is predicted empty costs nothing.
#[test]
fn empty_masks_cost_nothing() {
    let scores = Tensor::new(&[[[-1e4f64, -1e4]]], &Device::Cpu).unwrap();
    let masks = Tensor::zeros((1, 1, 2), DType::F64, &Device::Cpu).unwrap();
    for name in ["dice", "jaccard", "tversky", "focal_tversky"] {
        for smooth in [0.0, 1.0] {
            let loss = find(name).unwrap();
            let given = Given::from([("smooth".to_string(), OptionValue::Number(smooth))]);
            let options = Options::new(loss.name, loss.options, &given).unwrap();
            assert_eq!(compute(loss, &Inputs::pair(&scores, &masks), &options), (0.0, vec![vec![0.0; 2]]), "{name}");
        }
    }
}

#[test]
fn labels_and_their_masks_cost_the_same() {
    let mut rng = stream(5, "test", 0);
    for loss in all().filter(|loss| loss.layout == Layout::Masks) {
        for channels in [1, 2] {
            let scores = Tensor::from_vec(
                (0..12 * channels).map(|_| rng.random_range(-2.0..2.0)).collect::<Vec<f64>>(),
                (2, channels, 6),
                &Device::Cpu,
            )
            .unwrap();
            let labels: Vec<i64> = (0..12).map(|_| rng.random_range(0..2)).collect();
            let labels = Tensor::from_vec(labels, (2, 6), &Device::Cpu).unwrap();
            let foreground = labels.to_dtype(DType::F64).unwrap().unsqueeze(1).unwrap();
            let masks = match channels {
                1 => foreground,
                _ => Tensor::cat(&[(1.0 - &foreground).unwrap(), foreground], 1).unwrap(),
            };
            let options = Options::defaults(loss.options);
            let [by_label, by_mask] = [labels, masks].map(|t| compute(loss, &Inputs::pair(&scores, &t), &options));
            assert_eq!(by_label, by_mask, "{}", loss.name);
        }
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let f = |shape: &[usize], values: &[f64]| Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
    let i = |values: &[i64]| Tensor::new(values, &Device::Cpu).unwrap();
    let logits = f(&[2, 3], &[0.0; 6]);
    let cases = [
        ("cross_entropy", vec![logits.clone()], vec![i(&[0, 3])], "`targets`[1] is 3; it must be a class from 0 to 2"),
        ("cross_entropy", vec![logits.clone()], vec![i(&[0])], "`targets` has shape [1]"),
        (
            "cross_entropy",
            vec![logits.clone()],
            vec![f(&[2, 3], &[0.5, 0.5, 0.0, 0.5, 0.6, 0.0])],
            "example 1 of `targets`",
        ),
        ("nll", vec![f(&[1, 1], &[0.0])], vec![i(&[1])], "`targets`[0] is 1; it must be a class from 0 to 0"),
        ("nll", vec![f(&[1, 2], &[-1.0, 0.5])], vec![i(&[0])], "`predictions`[0][1] is 0.5"),
        ("mse", vec![f(&[0], &[])], vec![f(&[0], &[])], "at least one example"),
        (
            "mse",
            vec![f(&[2], &[1.0, f64::NAN])],
            vec![f(&[2], &[0.0; 2])],
            "`predictions`[1] is NaN; it must be finite",
        ),
        (
            "mse",
            vec![f(&[2], &[1.0, 2.0])],
            vec![f(&[3], &[0.0; 3])],
            "with `predictions` of shape [2] it should be [2]",
        ),
        ("hinge", vec![f(&[1], &[1.0])], vec![f(&[1], &[0.0])], "−1 or 1"),
        ("bce", vec![f(&[1], &[1.5])], vec![f(&[1], &[0.0])], "in [0, 1]"),
        ("kl_div", vec![f(&[1], &[-1.0])], vec![f(&[1], &[-0.5])], "at least 0"),
        (
            "iou",
            vec![f(&[1, 4], &[0.0, 0.0, -1.0, 1.0])],
            vec![f(&[1, 4], &[0.0; 4])],
            "`predictions`[0][2] is -1; it must be at least 0",
        ),
        ("iou", vec![f(&[1, 3], &[0.0; 3])], vec![f(&[1, 3], &[0.0; 3])], "[batch, 4]"),
        ("dice", vec![f(&[1, 1, 2], &[0.0; 2])], vec![i(&[0])], "`targets` has shape [1]"),
        ("gaussian_nll", vec![f(&[1], &[0.0])], vec![f(&[1], &[0.0])], "another number of predictions"),
    ];
    for (name, predictions, targets, message) in cases {
        let loss = find(name).unwrap();
        let error = check(loss, &Inputs { predictions, targets }, &Options::defaults(loss.options)).unwrap_err();
        assert!(error.to_string().contains(message), "{name}: {error}");
    }
    let loss = find("cross_entropy").unwrap();
    let given = Given::from([("weights".to_string(), OptionValue::Numbers(vec![1.0, 2.0]))]);
    let options = Options::new(loss.name, loss.options, &given).unwrap();
    let error = check(loss, &Inputs::pair(&logits, &i(&[0, 1])), &options).unwrap_err().to_string();
    assert!(error.contains("`weights` has 2 numbers for 3 classes"), "{error}");
}

#[test]
fn every_row_says_what_it_is() {
    let mut names = std::collections::BTreeSet::new();
    for loss in all() {
        assert!(names.insert(loss.name), "{} twice", loss.name);
        for text in [loss.formula, loss.gradient, loss.summary, loss.source] {
            assert!(!text.is_empty(), "{}", loss.name);
        }
        for (line, points) in loss.curves().unwrap() {
            assert!(
                points.iter().all(|(_, value, slope)| value.is_finite() && slope.is_finite()),
                "{} {line}",
                loss.name
            );
        }
    }
}
