//! Losses of yes-or-no targets.

use super::{Domain, Line, Loss, Part, REAL_TARGETS, REAL_VALUES, Slice, real};
use crate::Result;
use crate::kernel::{Over, Pointwise, Real};
use crate::loss::inputs::{Inputs, PerExample};
use crate::options::{Interval, OptionKind, OptionRow, Options};
use candle_core::Tensor;
use num_traits::Float;

const PROBABILITIES: Part = Part { domain: Domain::Unit, ..REAL_TARGETS };
const SIGNS: Part = Part { domain: Domain::Sign, ..REAL_TARGETS };
const GAMMA: OptionRow = OptionRow {
    name: "gamma",
    meaning: "γ, how fast easy examples fade",
    kind: OptionKind::Number { default: 2.0, range: Interval::NOT_NEGATIVE },
};

const LOGIT: Slice =
    Slice { x: "logit x", range: (-6.0, 6.0), lines: &[Line::of("t = 0", 0.0), Line::of("t = 1", 1.0)] };
const SCORE: Slice =
    Slice { x: "score s", range: (-3.0, 3.0), lines: &[Line::of("y = −1", -1.0), Line::of("y = 1", 1.0)] };

pub(super) const ROWS: &[Loss] = &[
    Loss {
        name: "bce_with_logits",
        formula: "w [(1 − t) softplus(x) + ρ t softplus(−x)]; mean over outputs",
        gradient: "w [(1 − t) σ(x) − ρ t σ(−x)] / outputs; for plain targets (σ(x) − t) / outputs",
        summary: "independent yes-or-no outputs from logits; targets may be probabilities",
        source: "as torch.nn.functional.binary_cross_entropy_with_logits",
        targets: &[
            PROBABILITIES,
            Part { name: "weights", domain: Domain::NotNegative, optional: true, ..REAL_TARGETS },
        ],
        options: &[OptionRow {
            name: "pos_weight",
            meaning: "ρ of every output: what a positive counts",
            kind: OptionKind::PerClass,
        }],
        slice: LOGIT,
        per_example: bce_with_logits,
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "bce",
        formula: "−t max(ln p, −100) − (1 − t) max(ln(1 − p), −100); mean over outputs",
        gradient: "(p − t) / max(p (1 − p), 10⁻¹²) / outputs",
        summary: "binary cross-entropy of probabilities; from logits `bce_with_logits` keeps more digits",
        source: "as torch.nn.functional.binary_cross_entropy",
        predictions: &[Part { domain: Domain::Unit, ..REAL_VALUES }],
        targets: &[PROBABILITIES],
        slice: Slice { x: "probability p", range: (0.01, 0.99), ..LOGIT },
        per_example: |inputs, _| inputs.compare(OfProbability, Over::Mean),
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "hinge",
        formula: "max(0, 1 − y s), y = ±1; mean over outputs",
        gradient: "−y where y s < 1, else 0; / outputs",
        summary: "support vector machines: right by a margin of 1 costs nothing",
        source: "Cortes and Vapnik 1995; as optax.losses.hinge_loss",
        targets: &[SIGNS],
        slice: SCORE,
        per_example: |inputs, _| inputs.compare(Hinge, Over::Mean),
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "soft_margin",
        formula: "ln(1 + e^(−y s)), y = ±1; mean over outputs",
        gradient: "−y σ(−y s) / outputs",
        summary: "logistic loss in terms of signs",
        source: "as torch.nn.functional.soft_margin_loss",
        targets: &[SIGNS],
        slice: SCORE,
        per_example: |inputs, _| inputs.compare(SoftMargin, Over::Mean),
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "hinge_embedding",
        formula: "d where y = 1, max(0, m − d) where y = −1; mean over outputs",
        gradient: "1 where y = 1, −1 where y = −1 and d < m, else 0; / outputs",
        summary: "distances of pairs: small for like ones, beyond a margin for unlike ones",
        source: "as torch.nn.functional.hinge_embedding_loss",
        targets: &[SIGNS],
        options: &[OptionRow {
            name: "margin",
            meaning: "m, the distance at which unlike pairs are far enough apart",
            kind: OptionKind::Number { default: 1.0, range: Interval::ANY },
        }],
        range: Interval::ANY,
        slice: Slice { x: "distance d", range: (0.0, 2.0), ..SCORE },
        per_example: |inputs, options| inputs.compare(HingeEmbedding { margin: options.number("margin") }, Over::Mean),
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "focal",
        formula: "α_t (1 − p_t)^γ BCE(x, t), p = σ(x), p_t = p t + (1 − p)(1 − t), α_t = α t + (1 − α)(1 − t); mean over outputs",
        gradient: "α_t (1 − p_t)^γ [σ(x) − t − γ (2t − 1) p (1 − p) BCE / (1 − p_t)] / outputs",
        summary: "binary cross-entropy that turns away from outputs that are right already: for rare positives",
        source: "Lin et al. 2017, arXiv 1708.02002; as torchvision.ops.sigmoid_focal_loss",
        targets: &[PROBABILITIES],
        options: &[
            OptionRow {
                name: "alpha",
                meaning: "α, the weight of positives; below 0 nothing is weighted",
                kind: OptionKind::Number {
                    default: 0.25,
                    range: Interval { low: -1.0, high: 1.0, closed: (true, true) },
                },
            },
            GAMMA,
        ],
        slice: Slice {
            lines: &[
                Line::with("γ = 0", "gamma", 0.0).at(1.0),
                Line::with("γ = 1", "gamma", 1.0).at(1.0),
                Line::with("γ = 2", "gamma", 2.0).at(1.0),
            ],
            x: "logit x of a positive",
            ..LOGIT
        },
        per_example: |inputs, options| {
            let [alpha, gamma] = ["alpha", "gamma"].map(|name| options.number(name));
            inputs.compare(Focal { alpha, gamma }, Over::Mean)
        },
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "varifocal",
        formula: "[α p^γ (1 − l) + q l] BCE(x, q), p = σ(x), l = 1 where the class is there; mean over classes",
        gradient: "{α γ p^γ (1 − p)(1 − l) BCE + [α p^γ (1 − l) + q l] (p − q)} / classes",
        summary: "detection: scores learn the overlap q of their box; negatives fade as in the focal loss",
        source: "Zhang et al. 2020, arXiv 2008.13367; the weight is differentiated, too",
        targets: &[PROBABILITIES, Part { name: "label", domain: Domain::Unit, optional: true, ..REAL_TARGETS }],
        options: &[
            OptionRow {
                name: "alpha",
                meaning: "α, the weight of negatives",
                kind: OptionKind::Number { default: 0.75, range: Interval::NOT_NEGATIVE },
            },
            GAMMA,
        ],
        slice: Slice { lines: &[Line::of("q = 0", 0.0), Line::of("q = 0.3", 0.3), Line::of("q = 0.8", 0.8)], ..LOGIT },
        per_example: varifocal,
        ..Loss::ELEMENTWISE
    },
];

/// What the logistic function gives at a logit, without overflow or lost digits.
#[derive(Clone, Copy)]
pub(super) struct Logistic<R> {
    /// `σ(x)`
    pub p: R,
    /// `σ(−x)`
    pub rest: R,
    /// `softplus(x) = ln(1 + e^x)`, the loss of a negative
    pub of_negative: R,
    /// `softplus(−x)`, the loss of a positive
    pub of_positive: R,
}

impl<R: Real> Logistic<R> {
    #[inline(always)]
    pub fn at(x: R) -> Self {
        let (zero, one) = (R::zero(), R::one());
        let power = (-x.abs()).fast_exp();
        let sum = one + power;
        let (large, small) = (one / sum, power / sum);
        let log = power.fast_ln_1p();
        let positive = x >= zero;
        Logistic {
            p: if positive { large } else { small },
            rest: if positive { small } else { large },
            of_negative: log + if positive { x } else { zero },
            of_positive: log + if positive { zero } else { -x },
        }
    }

    /// The binary cross-entropy and its derivative `p − t`, with `positive` times the loss of a positive.
    #[inline(always)]
    pub fn cross_entropy(self, target: R, positive: R) -> (R, R) {
        let (no, yes) = (R::one() - target, positive * target);
        (no * self.of_negative + yes * self.of_positive, no * self.p - yes * self.rest)
    }
}

fn bce_with_logits(inputs: &Inputs, options: &Options) -> Result<PerExample> {
    let positive = options.per_class("pos_weight");
    if positive.is_none() && inputs.targets.len() == 1 {
        return inputs.compare::<1, 1>(OfLogit, Over::Mean);
    }
    let logits = &inputs.predictions[0];
    let ones = || logits.ones_like();
    let positive = match positive {
        Some(weights) => Tensor::new(weights, logits.device())?.broadcast_as(logits.shape())?,
        None => ones()?,
    };
    let weights = inputs.targets.get(1).map_or_else(ones, |weights| Ok(weights.clone()))?;
    let targets = vec![inputs.targets[0].clone(), positive, weights];
    Inputs { predictions: inputs.predictions.clone(), targets }.compare::<1, 3>(OfLogit, Over::Mean)
}

fn varifocal(inputs: &Inputs, options: &Options) -> Result<PerExample> {
    let [alpha, gamma] = ["alpha", "gamma"].map(|name| options.number(name));
    let scores = &inputs.targets[0];
    let label = inputs.targets.get(1).map_or_else(|| scores.gt(0.0), |label| Ok(label.clone()))?;
    let targets = vec![scores.clone(), label];
    Inputs { predictions: inputs.predictions.clone(), targets }.compare(Varifocal { alpha, gamma }, Over::Mean)
}

#[derive(Clone, Copy)]
pub(super) struct OfLogit;

impl Pointwise<1, 1> for OfLogit {
    #[inline(always)]
    fn at<R: Real>(self, [logit]: [R; 1], [target]: [R; 1]) -> (R, [R; 1]) {
        let (value, slope) = Logistic::at(logit).cross_entropy(target, R::one());
        (value, [slope])
    }
}

impl Pointwise<1, 3> for OfLogit {
    #[inline(always)]
    fn at<R: Real>(self, [logit]: [R; 1], [target, positive, weight]: [R; 3]) -> (R, [R; 1]) {
        let (value, slope) = Logistic::at(logit).cross_entropy(target, positive);
        (weight * value, [weight * slope])
    }
}

#[derive(Clone, Copy)]
struct OfProbability;

impl Pointwise<1, 1> for OfProbability {
    #[inline(always)]
    fn at<R: Real>(self, [p]: [R; 1], [target]: [R; 1]) -> (R, [R; 1]) {
        let (one, least) = (R::one(), real::<R>(-100.0));
        let (yes, no) = (Float::max(p.ln(), least), Float::max((-p).ln_1p(), least));
        let variance = Float::max(p * (one - p), real(1e-12));
        (-(target * yes + (one - target) * no), [(p - target) / variance])
    }
}

#[derive(Clone, Copy)]
struct Hinge;

impl Pointwise<1, 1> for Hinge {
    #[inline(always)]
    fn at<R: Real>(self, [score]: [R; 1], [sign]: [R; 1]) -> (R, [R; 1]) {
        let missing = R::one() - sign * score;
        if missing > R::zero() { (missing, [-sign]) } else { (R::zero(), [R::zero()]) }
    }
}

#[derive(Clone, Copy)]
struct SoftMargin;

impl Pointwise<1, 1> for SoftMargin {
    #[inline(always)]
    fn at<R: Real>(self, [score]: [R; 1], [sign]: [R; 1]) -> (R, [R; 1]) {
        let logistic = Logistic::at(sign * score);
        (logistic.of_positive, [-sign * logistic.rest])
    }
}

#[derive(Clone, Copy)]
struct HingeEmbedding {
    margin: f64,
}

impl Pointwise<1, 1> for HingeEmbedding {
    #[inline(always)]
    fn at<R: Real>(self, [distance]: [R; 1], [sign]: [R; 1]) -> (R, [R; 1]) {
        let missing = real::<R>(self.margin) - distance;
        if sign > R::zero() {
            (distance, [R::one()])
        } else if missing > R::zero() {
            (missing, [-R::one()])
        } else {
            (R::zero(), [R::zero()])
        }
    }
}

#[derive(Clone, Copy)]
struct Focal {
    alpha: f64,
    gamma: f64,
}

impl Pointwise<1, 1> for Focal {
    #[inline(always)]
    fn at<R: Real>(self, [logit]: [R; 1], [target]: [R; 1]) -> (R, [R; 1]) {
        let (zero, one) = (R::zero(), R::one());
        let logistic = Logistic::at(logit);
        let (value, slope) = logistic.cross_entropy(target, one);
        let wrong = (one - target) * logistic.p + target * logistic.rest;
        let fade = wrong.powf(real(self.gamma));
        // Bounded: where `wrong` vanishes, one factor of the product above it does, too.
        let share = if wrong > zero { logistic.p * logistic.rest / wrong } else { zero };
        let turn = real::<R>(self.gamma) * (target + target - one) * share * value;
        let alpha = real::<R>(self.alpha);
        let weight = if self.alpha < 0.0 { one } else { alpha * target + (one - alpha) * (one - target) };
        (weight * fade * value, [weight * fade * (slope - turn)])
    }
}

#[derive(Clone, Copy)]
struct Varifocal {
    alpha: f64,
    gamma: f64,
}

impl Pointwise<1, 2> for Varifocal {
    #[inline(always)]
    fn at<R: Real>(self, [logit]: [R; 1], [score, label]: [R; 2]) -> (R, [R; 1]) {
        let logistic = Logistic::at(logit);
        let (value, slope) = logistic.cross_entropy(score, R::one());
        let gamma = real::<R>(self.gamma);
        let negative = real::<R>(self.alpha) * logistic.p.powf(gamma) * (R::one() - label);
        let weight = negative + score * label;
        (weight * value, [gamma * negative * logistic.rest * value + weight * slope])
    }
}
