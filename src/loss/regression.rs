//! Losses of real values.

use super::probabilities::against_labels;
use super::{Layout, Line, Loss, Part, REAL_TARGETS, REAL_VALUES, Slice, real};
use crate::kernel::{Over, Pointwise, Real};
use crate::options::{Interval, OptionKind, OptionRow};
use num_traits::Float;

const PREDICTIONS: &[Part] = &[REAL_VALUES];
const TARGETS: &[Part] = &[REAL_TARGETS];

const ERROR: Slice = Slice { x: "error ŷ − y", range: (-4.0, 4.0), lines: &[Line::of("", 0.0)] };

pub(super) const ROWS: &[Loss] = &[
    Loss {
        name: "mse",
        formula: "mean over outputs of (ŷ − y)²; where a classifier is trained, ŷ = softmax(z) and y the one-hot label",
        gradient: "2 (ŷ − y) / outputs",
        summary: "squared error; the mean of y is its minimizer, so outliers weigh much",
        source: "Legendre 1805, Gauss 1809; as torch.nn.functional.mse_loss",
        per_example: |inputs, _| inputs.compare(Squared, Over::Mean),
        of_labels: Some(|inputs, _| against_labels(inputs, Squared)),
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "mae",
        formula: "mean over outputs of |ŷ − y|; where a classifier is trained, ŷ = softmax(z) and y the one-hot label",
        gradient: "sign(ŷ − y) / outputs, 0 at an error of 0",
        summary: "absolute error; the median of y is its minimizer, so outliers weigh little",
        source: "Laplace 1774; as torch.nn.functional.l1_loss",
        per_example: |inputs, _| inputs.compare(Absolute, Over::Mean),
        of_labels: Some(|inputs, _| against_labels(inputs, Absolute)),
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "huber",
        formula: "e = ŷ − y: e²/2 where |e| ≤ δ, else δ(|e| − δ/2); mean over outputs",
        gradient: "clip(e, −δ, δ) / outputs",
        summary: "squared error near 0, absolute error beyond δ",
        source: "Huber 1964, Robust estimation of a location parameter; as torch.nn.functional.huber_loss",
        options: &[OptionRow {
            name: "delta",
            meaning: "δ, the error where the square becomes a line",
            kind: OptionKind::Number { default: 1.0, range: Interval::POSITIVE },
        }],
        slice: Slice {
            lines: &[
                Line::with("δ = 0.5", "delta", 0.5),
                Line::with("δ = 1", "delta", 1.0),
                Line::with("δ = 2", "delta", 2.0),
            ],
            ..ERROR
        },
        per_example: |inputs, options| inputs.compare(Huber { delta: options.number("delta") }, Over::Mean),
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "smooth_l1",
        formula: "e = ŷ − y: e²/(2β) where |e| < β, else |e| − β/2; mean over outputs",
        gradient: "clip(e/β, −1, 1) / outputs",
        summary: "Huber's loss divided by its threshold: slope ±1 far away for every β; β = 0 is the absolute error",
        source: "Girshick 2015, Fast R-CNN, arXiv 1504.08083; as torch.nn.functional.smooth_l1_loss",
        options: &[OptionRow {
            name: "beta",
            meaning: "β, the error where the square becomes a line",
            kind: OptionKind::Number { default: 1.0, range: Interval::NOT_NEGATIVE },
        }],
        slice: Slice {
            lines: &[
                Line::with("β = 0.5", "beta", 0.5),
                Line::with("β = 1", "beta", 1.0),
                Line::with("β = 2", "beta", 2.0),
            ],
            ..ERROR
        },
        per_example: |inputs, options| match options.number("beta") {
            0.0 => inputs.compare(Absolute, Over::Mean),
            beta => inputs.compare(SmoothL1 { beta }, Over::Mean),
        },
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "log_cosh",
        formula: "mean over outputs of ln cosh(ŷ − y)",
        gradient: "tanh(ŷ − y) / outputs",
        summary: "like e²/2 near 0 and like |e| − ln 2 far away, and smooth everywhere",
        source: "as optax.losses.log_cosh",
        per_example: |inputs, _| inputs.compare(LogCosh, Over::Mean),
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "pinball",
        formula: "d = y − ŷ: τ d where d ≥ 0, else (τ − 1) d; mean over outputs",
        gradient: "−τ / outputs where ŷ < y, (1 − τ) / outputs where ŷ > y, 0 where they are equal",
        summary: "quantile loss: the τ-quantile of y is its minimizer; τ = 1/2 is half the absolute error",
        source: "Koenker and Bassett 1978, Regression quantiles; as sklearn.metrics.mean_pinball_loss",
        options: &[OptionRow {
            name: "quantile",
            meaning: "τ",
            kind: OptionKind::Number { default: 0.5, range: Interval::INSIDE_UNIT },
        }],
        slice: Slice {
            lines: &[
                Line::with("τ = 0.1", "quantile", 0.1),
                Line::with("τ = 0.5", "quantile", 0.5),
                Line::with("τ = 0.9", "quantile", 0.9),
            ],
            ..ERROR
        },
        per_example: |inputs, options| inputs.compare(Pinball { quantile: options.number("quantile") }, Over::Mean),
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "gaussian_nll",
        formula: "½ (ln v + (μ − y)² / v), v = max(σ², ε); + ½ ln 2π with `full`; mean over outputs",
        gradient: "by μ: (μ − y) / v; by σ²: ½ (1/v − (μ − y)²/v²), also where ε holds it; each / outputs",
        summary: "a mean and a variance for every output: the network says how sure it is",
        source: "Nix and Weigend 1994; as torch.nn.functional.gaussian_nll_loss",
        predictions: &[
            Part { name: "mean", ..REAL_VALUES },
            Part { name: "variance", domain: super::Domain::NotNegative, ..REAL_VALUES },
        ],
        options: &[
            OptionRow { name: "full", meaning: "adds ½ ln 2π", kind: OptionKind::Flag { default: false } },
            OptionRow {
                name: "epsilon",
                meaning: "ε, the least variance",
                kind: OptionKind::Number { default: 1e-6, range: Interval::POSITIVE },
            },
        ],
        range: Interval::ANY,
        slice: Slice {
            x: "mean − y",
            lines: &[Line::of("σ² = 0.25", 0.25), Line::of("σ² = 1", 1.0), Line::of("σ² = 4", 4.0)],
            ..ERROR
        },
        per_example: |inputs, options| {
            inputs.compare(GaussianNll { full: options.flag("full"), epsilon: options.number("epsilon") }, Over::Mean)
        },
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "poisson_nll",
        formula: "e^z − y z, or λ − y ln(λ + ε) without `log_input`; + Stirling's y ln y − y + ½ ln 2πy for y > 1 with `full`; mean over outputs",
        gradient: "e^z − y, or 1 − y / (λ + ε); each / outputs",
        summary: "counts; the prediction is the logarithm of the rate. Beyond z = 50 the exponential goes on as its tangent",
        source: "as torch.nn.functional.poisson_nll_loss",
        predictions: &[Part { domain: super::Domain::NotNegative, unless: Some("log_input"), ..REAL_VALUES }],
        targets: &[Part { domain: super::Domain::NotNegative, ..REAL_TARGETS }],
        options: &[
            OptionRow {
                name: "log_input",
                meaning: "the prediction is z = ln λ; otherwise the rate λ itself",
                kind: OptionKind::Flag { default: true },
            },
            OptionRow { name: "full", meaning: "adds Stirling's term", kind: OptionKind::Flag { default: false } },
            OptionRow {
                name: "epsilon",
                meaning: "ε, keeps the logarithm of a rate finite",
                kind: OptionKind::Number { default: 1e-8, range: Interval::POSITIVE },
            },
        ],
        range: Interval::ANY,
        slice: Slice { x: "log-rate z", range: (-2.0, 3.0), lines: &[Line::of("y = 1", 1.0), Line::of("y = 4", 4.0)] },
        per_example: |inputs, options| {
            let [log_input, full] = ["log_input", "full"].map(|name| options.flag(name));
            inputs.compare(PoissonNll { log_input, full, epsilon: options.number("epsilon") }, Over::Mean)
        },
        ..Loss::ELEMENTWISE
    },
];

impl Loss {
    /// What losses of real values against real values have in common, number by number: a row says what is different.
    pub const ELEMENTWISE: Loss = Loss {
        name: "",
        formula: "",
        gradient: "",
        summary: "",
        source: "",
        layout: Layout::Same,
        predictions: PREDICTIONS,
        targets: TARGETS,
        options: &[],
        range: Interval::NOT_NEGATIVE,
        slice: ERROR,
        per_example: |inputs, _| inputs.compare(Squared, Over::Mean),
        of_labels: None,
    };
}

/// −1, 0 or 1.
#[inline(always)]
fn sign<R: Real>(x: R) -> R {
    let negative = if x < R::zero() { R::one() } else { R::zero() };
    let positive = if x > R::zero() { R::one() } else { R::zero() };
    positive - negative
}

#[derive(Clone, Copy)]
struct Squared;

impl Pointwise<1, 1> for Squared {
    #[inline(always)]
    fn at<R: Real>(self, [prediction]: [R; 1], [target]: [R; 1]) -> (R, [R; 1]) {
        let error = prediction - target;
        (error * error, [error + error])
    }
}

#[derive(Clone, Copy)]
struct Absolute;

impl Pointwise<1, 1> for Absolute {
    #[inline(always)]
    fn at<R: Real>(self, [prediction]: [R; 1], [target]: [R; 1]) -> (R, [R; 1]) {
        let error = prediction - target;
        (error.abs(), [sign(error)])
    }
}

#[derive(Clone, Copy)]
struct Huber {
    delta: f64,
}

impl Pointwise<1, 1> for Huber {
    #[inline(always)]
    fn at<R: Real>(self, [prediction]: [R; 1], [target]: [R; 1]) -> (R, [R; 1]) {
        let (error, delta) = (prediction - target, real::<R>(self.delta));
        // With c the clipped error, c (e − c/2) is both branches at once.
        let above = if error > delta { delta } else { error };
        let clipped = if above < -delta { -delta } else { above };
        (clipped * (error - clipped * real(0.5)), [clipped])
    }
}

#[derive(Clone, Copy)]
struct SmoothL1 {
    beta: f64,
}

impl Pointwise<1, 1> for SmoothL1 {
    #[inline(always)]
    fn at<R: Real>(self, predictions: [R; 1], targets: [R; 1]) -> (R, [R; 1]) {
        let (value, [slope]) = Huber { delta: self.beta }.at(predictions, targets);
        let beta = real::<R>(self.beta);
        (value / beta, [slope / beta])
    }
}

#[derive(Clone, Copy)]
struct LogCosh;

impl Pointwise<1, 1> for LogCosh {
    #[inline(always)]
    fn at<R: Real>(self, [prediction]: [R; 1], [target]: [R; 1]) -> (R, [R; 1]) {
        let error = prediction - target;
        let size = error.abs();
        let value = if size < R::one() {
            // cosh e = 1 + 2 sinh²(e/2) keeps the digits of small errors.
            let half = (size * real(0.5)).sinh();
            (real::<R>(2.0) * half * half).ln_1p()
        } else {
            size + (real::<R>(-2.0) * size).exp().ln_1p() - real(std::f64::consts::LN_2)
        };
        (value, [error.tanh()])
    }
}

#[derive(Clone, Copy)]
struct Pinball {
    quantile: f64,
}

impl Pointwise<1, 1> for Pinball {
    #[inline(always)]
    fn at<R: Real>(self, [prediction]: [R; 1], [target]: [R; 1]) -> (R, [R; 1]) {
        let (missing, quantile) = (target - prediction, real::<R>(self.quantile));
        let slope = if missing >= R::zero() { quantile } else { quantile - R::one() };
        (slope * missing, [-slope * sign(missing).abs()])
    }
}

#[derive(Clone, Copy)]
struct GaussianNll {
    full: bool,
    epsilon: f64,
}

impl Pointwise<2, 1> for GaussianNll {
    #[inline(always)]
    fn at<R: Real>(self, [mean, variance]: [R; 2], [target]: [R; 1]) -> (R, [R; 2]) {
        let half = real::<R>(0.5);
        let variance = Float::max(variance, real(self.epsilon));
        let error = mean - target;
        let scaled = error / variance;
        let constant = if self.full { half * real((2.0 * std::f64::consts::PI).ln()) } else { R::zero() };
        let value = half * (variance.ln() + error * scaled) + constant;
        (value, [scaled, half * (R::one() / variance - scaled * scaled)])
    }
}

#[derive(Clone, Copy)]
struct PoissonNll {
    log_input: bool,
    full: bool,
    epsilon: f64,
}

/// The log-rate up to which the exponential is computed: far beyond any count, and finite in single precision.
const LARGEST_LOG_RATE: f64 = 50.0;

impl Pointwise<1, 1> for PoissonNll {
    #[inline(always)]
    fn at<R: Real>(self, [prediction]: [R; 1], [target]: [R; 1]) -> (R, [R; 1]) {
        let (value, slope) = if self.log_input {
            let bounded = Float::min(prediction, real(LARGEST_LOG_RATE));
            let rate = bounded.exp();
            (rate * (R::one() + (prediction - bounded)) - target * prediction, rate - target)
        } else {
            let shifted = prediction + real(self.epsilon);
            (prediction - target * shifted.ln(), R::one() - target / shifted)
        };
        let stirling = if self.full && target > R::one() {
            let circle = real::<R>(2.0 * std::f64::consts::PI) * target;
            target * target.ln() - target + real::<R>(0.5) * circle.ln()
        } else {
            R::zero()
        };
        (value + stirling, [slope])
    }
}
