//! Losses of class labels.

use super::inputs::{Inputs, PerExample};
use super::{Domain, Layout, Line, Loss, Part, REAL_TARGETS, REAL_VALUES, Slice, real};
use crate::Result;
use crate::kernel::{self, Over, Pointwise, Real};
use crate::options::{Interval, OptionKind, OptionRow, Options};
use candle_core::{DType, Tensor};

const SCORE: Slice =
    Slice { x: "score of the label; the other two are 0", range: (-6.0, 6.0), lines: &[Line::of("", 0.0)] };

/// What rows of class labels have in common.
pub(super) const CLASSES: Loss = Loss {
    slice: SCORE,
    layout: Layout::Classes,
    targets: &[Part { domain: Domain::Label { soft: false }, ..REAL_TARGETS }],
    ..Loss::ELEMENTWISE
};

const LABEL_SMOOTHING: OptionRow = OptionRow {
    name: "label_smoothing",
    meaning: "ε: the label's distribution is mixed with ε parts of the uniform one",
    kind: OptionKind::Number { default: 0.0, range: Interval::UNIT },
};

const WEIGHTS: OptionRow = OptionRow {
    name: "weights",
    meaning: "w: what an example of each class counts; with class labels, cross_entropy and nll take the mean over weights",
    kind: OptionKind::PerClass,
};

const IGNORE_INDEX: OptionRow = OptionRow {
    name: "ignore_index",
    meaning: "a label that counts as none",
    kind: OptionKind::Whole { default: None, at_least: i64::MIN },
};

pub(super) const ROWS: &[Loss] = &[
    Loss {
        name: "cross_entropy",
        formula: "−Σ_c q_c log softmax(z)_c; q_c = w_c ((1 − ε) t_c + ε / classes), t = e_y or a soft label; w = 1 and ε = 0 unless given",
        gradient: "(Σ_c q_c) softmax(z) − q; for a plain label softmax(z) − e_y",
        summary: "classification from logits; the softmax is part of the loss",
        source: "label smoothing: Szegedy et al. 2015, arXiv 1512.00567; as torch.nn.functional.cross_entropy",
        targets: &[Part { domain: Domain::Label { soft: true }, ..REAL_TARGETS }],
        options: &[LABEL_SMOOTHING, WEIGHTS, IGNORE_INDEX],
        slice: Slice {
            lines: &[
                Line::with("ε = 0", "label_smoothing", 0.0),
                Line::with("ε = 0.1", "label_smoothing", 0.1),
                Line::with("ε = 0.3", "label_smoothing", 0.3),
            ],
            ..SCORE
        },
        per_example: cross_entropy,
        ..CLASSES
    },
    Loss {
        name: "nll",
        formula: "−w_y log p_y from log-probabilities",
        gradient: "−w_y e_y",
        summary: "cross-entropy for a network that ends in a log-softmax",
        source: "as torch.nn.functional.nll_loss",
        predictions: &[Part { domain: Domain::LogProbability, ..REAL_VALUES }],
        options: &[WEIGHTS, IGNORE_INDEX],
        slice: Slice { x: "log-probability of the label", range: (-4.0, 0.0), ..SCORE },
        per_example: nll,
        ..CLASSES
    },
    Loss {
        name: "generalized_cross_entropy",
        formula: "(1 − p_y^q) / q, p = softmax(z); −log p_y at q = 0",
        gradient: "p_y^q (p − e_y)",
        summary: "from cross-entropy (q = 0) to 1 − p_y, the expected 0/1 reward (q = 1): robust to wrong labels",
        source: "Zhang and Sabuncu 2018, arXiv 1805.07836",
        options: &[OptionRow {
            name: "q",
            meaning: "0 is cross-entropy, 1 expected reward",
            kind: OptionKind::Number { default: 0.7, range: Interval::UNIT },
        }],
        slice: Slice {
            lines: &[Line::with("q = 0", "q", 0.0), Line::with("q = 0.5", "q", 0.5), Line::with("q = 1", "q", 1.0)],
            ..SCORE
        },
        per_example: |inputs, options| of_log_prob(inputs, Generalized { q: options.number("q") }),
        ..CLASSES
    },
    Loss {
        name: "categorical_focal",
        formula: "−(1 − p_y)^γ log p_y, p = softmax(z)",
        gradient: "(1 − p_y)^γ (1 − γ p_y log p_y / (1 − p_y)) (p − e_y)",
        summary: "cross-entropy that turns away from examples that are right already; γ = 0 is cross-entropy",
        source: "Lin et al. 2017, arXiv 1708.02002, with a softmax in place of the sigmoid",
        options: &[OptionRow {
            name: "gamma",
            meaning: "γ, how fast easy examples fade",
            kind: OptionKind::Number { default: 2.0, range: Interval::NOT_NEGATIVE },
        }],
        slice: Slice {
            lines: &[
                Line::with("γ = 0", "gamma", 0.0),
                Line::with("γ = 1", "gamma", 1.0),
                Line::with("γ = 2", "gamma", 2.0),
            ],
            ..SCORE
        },
        per_example: |inputs, options| of_log_prob(inputs, Focal { gamma: options.number("gamma") }),
        ..CLASSES
    },
    Loss {
        name: "multi_margin",
        formula: "w_y/classes · Σ_{j≠y} max(0, m − z_y + z_j)^p",
        gradient: "p w_y/classes · max(0, m − z_y + z_j)^(p−1) by z_j, 0 where m − z_y + z_j ≤ 0; minus their sum by z_y",
        summary: "multi-class hinge loss: every other class must stay a margin below",
        source: "Weston and Watkins 1999; as torch.nn.functional.multi_margin_loss",
        options: &[
            OptionRow { name: "margin", meaning: "m", kind: OptionKind::Number { default: 1.0, range: Interval::ANY } },
            OptionRow {
                name: "p",
                meaning: "the power, 1 or 2 as a rule",
                kind: OptionKind::Whole { default: Some(1), at_least: 1 },
            },
            WEIGHTS,
        ],
        slice: Slice {
            x: "score of class 0; the other two are 0",
            lines: &[Line::of("label 0", 0.0), Line::of("label 1", 1.0)],
            ..SCORE
        },
        per_example: multi_margin,
        ..CLASSES
    },
    Loss {
        name: "kl_div",
        formula: "Σ_c t_c (log t_c − ℓ_c) from log-probabilities ℓ, 0 log 0 = 0",
        gradient: "−t; with `log_target` −e^t",
        summary: "how far the predicted distribution is from the target distribution, in nats",
        source: "Kullback and Leibler 1951; as torch.nn.functional.kl_div, summed over classes",
        layout: Layout::Same,
        predictions: &[Part { domain: Domain::LogProbability, ..REAL_VALUES }],
        targets: &[Part { domain: Domain::NotNegative, unless: Some("log_target"), ..REAL_TARGETS }],
        options: &[OptionRow {
            name: "log_target",
            meaning: "the targets are logarithms of probabilities",
            kind: OptionKind::Flag { default: false },
        }],
        range: Interval::ANY,
        slice: Slice {
            x: "log-probability ℓ of one class",
            range: (-4.0, 0.0),
            lines: &[Line::of("t = 0.2", 0.2), Line::of("t = 0.8", 0.8)],
        },
        per_example: |inputs, options| inputs.compare(Divergence { log_target: options.flag("log_target") }, Over::Sum),
        of_labels: None,
    },
];

/// `[batch, classes, …]` as `[examples, classes]`.
pub(super) fn as_examples(scores: &Tensor) -> Result<Tensor> {
    let (classes, rank) = (scores.dim(1)?, scores.rank());
    let order: Vec<usize> = std::iter::once(0).chain(2..rank).chain([1]).collect();
    Ok(scores.permute(order)?.contiguous()?.reshape(((), classes))?)
}

/// The labels of all examples.
pub(super) fn labels(targets: &Tensor) -> Result<Vec<i64>> {
    Ok(targets.flatten_all()?.to_dtype(DType::I64)?.to_vec1()?)
}

/// What each example counts: the weight of its class, or 0 where its label is to be ignored.
fn weights(labels: &[i64], options: &Options) -> Vec<f64> {
    let (ignored, per_class) = (options.whole("ignore_index"), options.per_class("weights"));
    let weight = |label: &i64| match per_class {
        _ if Some(*label) == ignored => 0.0,
        None => 1.0,
        Some(weights) => weights[*label as usize],
    };
    labels.iter().map(weight).collect()
}

fn cross_entropy(inputs: &Inputs, options: &Options) -> Result<PerExample> {
    let [scores, targets] = [&inputs.predictions[0], &inputs.targets[0]];
    let smoothing = options.number("label_smoothing");
    let per_class = options.per_class("weights");
    if scores.dims() == targets.dims() {
        let soft: Vec<f64> = as_examples(targets)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
        let classes = scores.dim(1)?;
        let weight = |i: usize| per_class.map_or(1.0, |weights| weights[i % classes]);
        let mixed = |(i, q): (usize, &f64)| weight(i) * ((1.0 - smoothing) * q + smoothing / classes as f64);
        return weighted(scores, soft.iter().enumerate().map(mixed).collect(), None);
    }
    if smoothing == 0.0 && per_class.is_none() && options.whole("ignore_index").is_none() {
        return Ok(of_labels(kernel::negative_log_prob, scores, targets)?.into());
    }
    let (labels, classes) = (labels(targets)?, scores.dim(1)?);
    let weights = weights(&labels, options);
    let mut mixed = vec![0.0; labels.len() * classes];
    for ((row, label), weight) in mixed.chunks_exact_mut(classes).zip(&labels).zip(&weights) {
        if Some(*label) == options.whole("ignore_index") {
            continue;
        }
        let of_class = |c: usize| smoothing / classes as f64 * per_class.map_or(1.0, |weights| weights[c]);
        row.iter_mut().enumerate().for_each(|(c, q)| *q = of_class(c));
        row[*label as usize] += (1.0 - smoothing) * weight;
    }
    weighted(scores, mixed, Some(weights.iter().sum()))
}

/// The cross-entropy to weights over the classes of every example.
pub(super) fn weighted(scores: &Tensor, weights: Vec<f64>, total_weight: Option<f64>) -> Result<PerExample> {
    let scores = as_examples(scores)?;
    let weights = Tensor::from_vec(weights, scores.shape(), scores.device())?;
    Ok(PerExample { values: kernel::cross_entropy(&scores, &weights)?, total_weight })
}

/// `log softmax(z)_y` of every example.
fn log_prob(scores: &Tensor, targets: &Tensor) -> Result<Tensor> {
    of_labels(kernel::log_prob, scores, targets)
}

/// What this makes of the scores of every example and of its class.
fn of_labels(
    of: fn(&Tensor, &Tensor) -> candle_core::Result<Tensor>,
    scores: &Tensor,
    targets: &Tensor,
) -> Result<Tensor> {
    let scores = if scores.rank() == 2 { scores.clone() } else { as_examples(scores)? };
    Ok(of(&scores, &targets.flatten_all()?.to_dtype(DType::U32)?)?)
}

/// A function of the label's log-probability.
pub(super) fn of_log_prob(inputs: &Inputs, loss: impl Pointwise<1, 0>) -> Result<PerExample> {
    let log_prob = log_prob(&inputs.predictions[0], &inputs.targets[0])?;
    Ok(kernel::pointwise(loss, [&log_prob.unsqueeze(1)?], [], Over::Mean)?.into())
}

fn nll(inputs: &Inputs, options: &Options) -> Result<PerExample> {
    let labels = labels(&inputs.targets[0])?;
    let weights = weights(&labels, options);
    let ignored = options.whole("ignore_index");
    let values = kernel::rowwise([&as_examples(&inputs.predictions[0])?], |row, [log_probs], [gradient]| {
        if Some(labels[row]) == ignored {
            return 0.0;
        }
        let label = labels[row] as usize;
        gradient[label] = -weights[row];
        -weights[row] * log_probs[label]
    })?;
    Ok(PerExample { values, total_weight: Some(weights.iter().sum()) })
}

fn multi_margin(inputs: &Inputs, options: &Options) -> Result<PerExample> {
    let labels = labels(&inputs.targets[0])?;
    let margin = options.number("margin");
    let power = options.whole("p").unwrap_or(1).min(i64::from(i32::MAX)) as i32;
    let per_class = options.per_class("weights");
    let values = kernel::rowwise([&as_examples(&inputs.predictions[0])?], |row, [scores], [gradient]| {
        let label = labels[row] as usize;
        let scale = per_class.map_or(1.0, |weights| weights[label]) / scores.len() as f64;
        let mut sum = 0.0;
        for (class, score) in scores.iter().enumerate().filter(|(class, _)| *class != label) {
            let excess = (margin - scores[label] + score).max(0.0);
            if excess > 0.0 {
                let slope = scale * f64::from(power) * excess.powi(power - 1);
                sum += scale * excess.powi(power);
                gradient[class] = slope;
                gradient[label] -= slope;
            }
        }
        sum
    })?;
    Ok(values.into())
}

#[derive(Clone, Copy)]
struct Generalized {
    q: f64,
}

impl Pointwise<1, 0> for Generalized {
    #[inline(always)]
    fn at<R: Real>(self, [log_prob]: [R; 1], _: [R; 0]) -> (R, [R; 1]) {
        if self.q == 0.0 {
            return (-log_prob, [-R::one()]);
        }
        let power = real::<R>(self.q) * log_prob;
        (-power.exp_m1() / real(self.q), [-power.exp()])
    }
}

#[derive(Clone, Copy)]
struct Focal {
    gamma: f64,
}

impl Pointwise<1, 0> for Focal {
    #[inline(always)]
    fn at<R: Real>(self, [log_prob]: [R; 1], _: [R; 0]) -> (R, [R; 1]) {
        let (gamma, one) = (real::<R>(self.gamma), R::one());
        let rest = -log_prob.exp_m1();
        let fade = rest.powf(gamma);
        // p log p / (1 − p) goes to −1 where the label is certain.
        let ratio = if rest > R::zero() { log_prob.exp() * log_prob / rest } else { -one };
        (-fade * log_prob, [-fade * (one - gamma * ratio)])
    }
}

#[derive(Clone, Copy)]
struct Divergence {
    log_target: bool,
}

impl Pointwise<1, 1> for Divergence {
    #[inline(always)]
    fn at<R: Real>(self, [log_prob]: [R; 1], [target]: [R; 1]) -> (R, [R; 1]) {
        let (p, log_p) = if self.log_target { (target.exp(), target) } else { (target, target.ln()) };
        let value = if p > R::zero() { p * (log_p - log_prob) } else { R::zero() };
        (value, [-p])
    }
}
