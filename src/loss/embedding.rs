//! Losses of vectors: what should be near, what apart.

use super::inputs::{Inputs, PerExample, as_rows};
use super::{Domain, Layout, Line, Loss, Part, REAL_TARGETS, REAL_VALUES, Slice};
use crate::Result;
use crate::kernel;
use crate::options::{Interval, OptionKind, OptionRow, Options};
use candle_core::DType;

pub(super) const ROWS: &[Loss] = &[
    Loss {
        name: "triplet_margin",
        formula: "max(0, m + d(a, p) − d(a, n)), d(x, y) = ‖x − y + ε‖_p",
        gradient: "with u(v) = sign(v) |v|^(p−1) / ‖v‖^(p−1): by a: u(a−p+ε) − u(a−n+ε), by p: −u(a−p+ε), by n: u(a−n+ε); 0 where it is not above 0",
        summary: "an anchor must be nearer to its like than to the other by a margin",
        source: "Schroff et al. 2015, FaceNet, arXiv 1503.03832; as torch.nn.functional.triplet_margin_loss",
        layout: Layout::Vectors,
        predictions: &[
            Part { name: "anchor", ..REAL_VALUES },
            Part { name: "positive", ..REAL_VALUES },
            Part { name: "negative", ..REAL_VALUES },
        ],
        targets: &[],
        options: &[
            MARGIN,
            OptionRow {
                name: "p",
                meaning: "the norm's degree",
                kind: OptionKind::Number { default: 2.0, range: Interval::AT_LEAST_ONE },
            },
            OptionRow {
                name: "epsilon",
                meaning: "ε, added to every difference so that no distance is 0",
                kind: OptionKind::Number { default: 1e-6, range: Interval::NOT_NEGATIVE },
            },
        ],
        slice: Slice {
            x: "distance of the negative",
            range: (0.02, 4.0),
            lines: &[Line::of("positive at 0.5", 0.5), Line::of("positive at 1", 1.0), Line::of("positive at 2", 2.0)],
        },
        per_example: triplet_margin,
        ..Loss::ELEMENTWISE
    },
    Loss {
        name: "cosine_embedding",
        formula: "1 − cos(x₁, x₂) where y = 1, max(0, cos(x₁, x₂) − m) where y = −1",
        gradient: "of cos by x₁: (x₂ − cos · x₁ ‖x₂‖/‖x₁‖) / (‖x₁‖ ‖x₂‖), and likewise by x₂; 0 at a vector of zeros, and where y = −1 and cos ≤ m",
        summary: "like pairs point the same way, unlike ones at least away by a margin; lengths don't matter",
        source: "as torch.nn.functional.cosine_embedding_loss, whose squared norms carry 10⁻¹²; a vector of zeros has cosine 0",
        layout: Layout::Vectors,
        predictions: &[Part { name: "x1", ..REAL_VALUES }, Part { name: "x2", ..REAL_VALUES }],
        targets: &[Part { domain: Domain::Sign, ..REAL_TARGETS }],
        options: &[OptionRow {
            name: "margin",
            meaning: "m, the cosine above which unlike pairs cost",
            kind: OptionKind::Number { default: 0.0, range: Interval { low: -1.0, high: 1.0, closed: (true, true) } },
        }],
        range: Interval { low: 0.0, high: 2.0, closed: (true, true) },
        slice: Slice {
            x: "angle (radians)",
            range: (0.0, std::f64::consts::PI),
            lines: &[Line::of("y = 1", 1.0), Line::of("y = −1", -1.0)],
        },
        per_example: cosine_embedding,
        of_labels: None,
    },
];

const MARGIN: OptionRow =
    OptionRow { name: "margin", meaning: "m", kind: OptionKind::Number { default: 1.0, range: Interval::ANY } };

fn triplet_margin(inputs: &Inputs, options: &Options) -> Result<PerExample> {
    let [margin, degree, epsilon] = ["margin", "p", "epsilon"].map(|name| options.number(name));
    let [anchor, positive, negative] = &inputs.predictions[..] else { return Err(super::check::wrong_count()) };
    let values = kernel::rowwise([anchor, positive, negative], |_, [a, p, n], [by_a, by_p, by_n]| {
        let difference = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x - y + epsilon).collect::<Vec<f64>>();
        let [(near, to_positive), (far, to_negative)] = [p, n].map(|other| norm(difference(a, other), degree));
        let value = margin + near - far;
        if value <= 0.0 {
            return 0.0;
        }
        for (i, (positive, negative)) in to_positive.into_iter().zip(to_negative).enumerate() {
            by_a[i] = positive - negative;
            by_p[i] = -positive;
            by_n[i] = negative;
        }
        value
    })?;
    Ok(values.into())
}

/// `‖v‖_p` and its gradient, which takes the place of `v`; 0 at 0.
fn norm(mut v: Vec<f64>, degree: f64) -> (f64, Vec<f64>) {
    // Scaled by the largest entry, so that no power overflows.
    let largest = v.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()));
    if largest == 0.0 {
        return (0.0, v);
    }
    let norm = largest * v.iter().map(|v| (v.abs() / largest).powf(degree)).sum::<f64>().powf(1.0 / degree);
    v.iter_mut().for_each(|v| *v = if *v == 0.0 { 0.0 } else { v.signum() * (v.abs() / norm).powf(degree - 1.0) });
    (norm, v)
}

/// Added to the squared norms.
const SQUARE_EPSILON: f64 = 1e-12;

fn cosine_embedding(inputs: &Inputs, options: &Options) -> Result<PerExample> {
    let margin = options.number("margin");
    let [one, other] = &inputs.predictions[..] else { return Err(super::check::wrong_count()) };
    let signs: Vec<f64> = inputs.targets[0].to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
    let (one, other) = (as_rows(one)?, as_rows(other)?);
    let values = kernel::rowwise([&one, &other], |row, [x, y], [by_x, by_y]| {
        let [(x, norm_x), (y, norm_y)] = [x, y].map(direction);
        let cosine = x.iter().zip(&y).map(|(x, y)| x * y).sum::<f64>();
        let (value, slope) = match (signs[row] > 0.0, cosine > margin) {
            (true, _) => (1.0 - cosine, -1.0),
            (false, true) => (cosine - margin, 1.0),
            (false, false) => (0.0, 0.0),
        };
        // A vector of zeros has no direction that could turn.
        if norm_x > 0.0 && norm_y > 0.0 {
            for i in 0..x.len() {
                by_x[i] = slope * (y[i] - cosine * x[i]) / norm_x;
                by_y[i] = slope * (x[i] - cosine * y[i]) / norm_y;
            }
        }
        value
    })?;
    Ok(values.into())
}

/// `v / √(‖v‖² + 10⁻¹²)` and that norm; of zeros, zeros and 0.
fn direction(v: &[f64]) -> (Vec<f64>, f64) {
    let largest = v.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()));
    if largest == 0.0 {
        return (v.to_vec(), 0.0);
    }
    // Large entries are scaled, so that no square overflows.
    let scale = largest.max(1.0);
    let square = v.iter().map(|v| (v / scale).powi(2)).sum::<f64>() + SQUARE_EPSILON / scale / scale;
    let norm = scale * square.sqrt();
    (v.iter().map(|v| v / norm).collect(), norm)
}
