//! Losses of boxes, and of the distributions that boxes are predicted by.

use super::dual::{Dual, Number};
use super::inputs::{Inputs, PerExample, as_rows};
use super::{Domain, Layout, Line, Loss, Part, REAL_TARGETS, REAL_VALUES, Slice};
use crate::kernel;
use crate::options::{Interval, OptionKind, OptionRow, Options};
use crate::{Error, Result};
use candle_core::{DType, Tensor};

const BOX: Slice = Slice {
    x: "moved aside by this many widths",
    range: (-2.5, 2.5),
    lines: &[Line::of("same shape", 1.0), Line::of("twice as wide", 2.0)],
};

const BOXES: Loss = Loss {
    range: up_to(2.0),
    slice: BOX,
    layout: Layout::Boxes,
    predictions: &[Part { domain: Domain::Box, ..REAL_VALUES }],
    targets: &[Part { domain: Domain::Box, ..REAL_TARGETS }],
    options: &[EPSILON, HEIGHT_EPSILON],
    ..Loss::ELEMENTWISE
};

const fn epsilon(name: &'static str, meaning: &'static str, default: f64) -> OptionRow {
    OptionRow { name, meaning, kind: OptionKind::Number { default, range: Interval::NOT_NEGATIVE } }
}
const fn up_to(high: f64) -> Interval {
    Interval { low: 0.0, high, closed: (true, true) }
}

const EPSILON: OptionRow = epsilon("epsilon", "ε, added to every denominator", 1e-7);
const HEIGHT_EPSILON: OptionRow =
    epsilon("height_epsilon", "added to the heights of both boxes (some packages do, with ε)", 0.0);

pub(super) const ROWS: &[Loss] = &[
    Loss {
        name: "iou",
        formula: "1 − I / (U + ε), I the intersection's area and U the union's; 1 where it is 0/0",
        gradient: "−(I′ (U + ε) − I U′) / (U + ε)², I′ and U′ by the edges; 0 for boxes apart",
        summary: "how much two boxes overlap, whatever their size; no gradient for boxes that don't touch",
        source: "Yu et al. 2016, UnitBox, arXiv 1608.01471, without the logarithm; as 1 − torchvision.ops.box_iou",
        options: &[epsilon("epsilon", "ε, added to the union", 0.0), HEIGHT_EPSILON],
        range: Interval::UNIT,
        per_example: |inputs, options| of_boxes(inputs, options, Overlap::Iou),
        ..BOXES
    },
    Loss {
        name: "giou",
        formula: "1 − IoU + (C − U) / (C + ε), C the area of the smallest box around both",
        gradient: "that of IoU + [C′ (U + ε) − U′ (C + ε)] / (C + ε)²",
        summary: "also pulls boxes together that don't touch, by the empty area between them",
        source: "Rezatofighi et al. 2019, arXiv 1902.09630; as torchvision.ops.generalized_box_iou_loss",
        per_example: |inputs, options| of_boxes(inputs, options, Overlap::Giou),
        ..BOXES
    },
    Loss {
        name: "diou",
        formula: "1 − IoU + ρ² / (c² + ε), ρ the distance of the centers, c the diagonal of the smallest box around both",
        gradient: "that of IoU, and the quotient rule on ρ² and c² by the edges",
        summary: "moves centers together directly: converges faster than GIoU",
        source: "Zheng et al. 2019, arXiv 1911.08287; as torchvision.ops.distance_box_iou_loss",
        per_example: |inputs, options| of_boxes(inputs, options, Overlap::Diou),
        ..BOXES
    },
    Loss {
        name: "ciou",
        formula: "DIoU + α v, v = (4/π²) (atan w/h − atan ŵ/ĥ)², α = v / (1 − IoU + v + ε)",
        gradient: "that of DIoU + α ∂v; α counts as a constant",
        summary: "also matches the aspect ratio: the usual box loss of detectors",
        source: "Zheng et al. 2019, arXiv 1911.08287; as torchvision.ops.complete_box_iou_loss",
        range: up_to(3.0),
        per_example: |inputs, options| of_boxes(inputs, options, Overlap::Ciou),
        ..BOXES
    },
    Loss {
        name: "distribution_focal",
        formula: "−(l + 1 − t) log p_l − (t − l) log p_(l+1), p = softmax over bins, l = ⌊t⌋; mean over sides",
        gradient: "(p − the two weights) / sides",
        summary: "an edge's distance as a distribution over bins: mass goes to the two bins beside the target",
        source: "Li et al. 2020, arXiv 2006.04388; targets are held between 0 and 0.01 below the last bin",
        layout: Layout::Bins,
        options: &[],
        slice: Slice {
            x: "bin of the peak",
            range: (0.0, 7.0),
            lines: &[Line::of("t = 2", 2.0), Line::of("t = 4.5", 4.5)],
        },
        per_example: |inputs, _| distribution_focal(inputs),
        ..Loss::ELEMENTWISE
    },
];

/// Which measure of overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    Iou,
    Giou,
    Diou,
    Ciou,
}

/// The overlap of every box of one list, `[n, 4]`, with every box of another, `[m, 4]`: `n` rows of `m` numbers. Boxes are
/// x1, y1, x2, y2; 0/0 counts as 0.
pub fn pairwise(kind: Overlap, boxes: &[[f64; 4]], others: &[[f64; 4]]) -> Vec<Vec<f64>> {
    boxes.iter().map(|a| others.iter().map(|b| between(kind, a, b, 0.0)).collect()).collect()
}

/// The overlap of two boxes, with ε added to every denominator; 0/0 counts as 0.
pub(crate) fn between(kind: Overlap, a: &[f64; 4], b: &[f64; 4], epsilon: f64) -> f64 {
    overlap(kind, (*a, b), [epsilon, 0.0])
}

fn of_boxes(inputs: &Inputs, options: &Options, kind: Overlap) -> Result<PerExample> {
    let epsilons = ["epsilon", "height_epsilon"].map(|name| options.number(name));
    let targets: Vec<Vec<f64>> = inputs.targets[0].to_dtype(DType::F64)?.to_vec2()?;
    let values = kernel::rowwise([&inputs.predictions[0]], |row, [prediction], [gradient]| {
        let prediction = std::array::from_fn(|i| Dual::variable(prediction[i], i));
        let overlap = overlap(kind, (prediction, &std::array::from_fn(|i| targets[row][i])), epsilons);
        gradient.iter_mut().zip(overlap.by).for_each(|(gradient, by)| *gradient = -by);
        1.0 - overlap.value
    })?;
    Ok(values.into())
}

/// The measure; of dual numbers with its derivatives by the corners of the first box.
fn overlap<N: Number>(
    kind: Overlap,
    (prediction, target): ([N; 4], &[f64; 4]),
    [epsilon, height_epsilon]: [f64; 2],
) -> N {
    let [x1, y1, x2, y2] = prediction;
    let [u1, v1, u2, v2] = target.map(N::constant);
    let (width, height) = (x2 - x1, y2 - y1 + height_epsilon);
    let (target_width, target_height) = (u2 - u1, v2 - v1 + height_epsilon);
    let intersection = (x2.smaller(u2) - x1.larger(u1)).positive() * (y2.smaller(v2) - y1.larger(v1)).positive();
    let union = width * height + target_width * target_height - intersection;
    let iou = intersection.over(union, epsilon);
    let (hull_width, hull_height) = (x2.larger(u2) - x1.smaller(u1), y2.larger(v2) - y1.smaller(v1));
    match kind {
        Overlap::Iou => iou,
        Overlap::Giou => {
            let hull = hull_width * hull_height;
            iou - (hull - union).over(hull, epsilon)
        }
        Overlap::Diou | Overlap::Ciou => {
            let diagonal = hull_width.square() + hull_height.square();
            let distance = ((x1 + x2 - u1 - u2).square() + (y1 + y2 - v1 - v2).square()) * 0.25;
            let diou = iou - distance.over(diagonal, epsilon);
            if kind == Overlap::Diou {
                return diou;
            }
            let turn = target_width.angle(target_height) - width.angle(height);
            let aspect = turn.square() * (4.0 / std::f64::consts::PI.powi(2));
            let below = 1.0 - iou.value() + aspect.value() + epsilon;
            let alpha = if below == 0.0 { 0.0 } else { aspect.value() / below };
            diou - aspect * alpha
        }
    }
}

/// Targets are held this far below the last bin, so that there is a bin on either side.
pub(crate) const BELOW_LAST_BIN: f64 = 0.01;

fn distribution_focal(inputs: &Inputs) -> Result<PerExample> {
    let scores = &inputs.predictions[0];
    let bins = scores.dim(2)?;
    if bins < 2 {
        return Err(Error::Argument("a distribution needs at least 2 bins".into()));
    }
    let targets: Vec<f64> = inputs.targets[0].to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
    let mut weights = vec![0.0; targets.len() * bins];
    for (row, target) in weights.chunks_exact_mut(bins).zip(&targets) {
        let target = target.clamp(0.0, (bins - 1) as f64 - BELOW_LAST_BIN);
        let left = target.floor();
        row[left as usize] = left + 1.0 - target;
        row[left as usize + 1] = target - left;
    }
    let flat = scores.reshape((targets.len(), bins))?;
    let weights = Tensor::from_vec(weights, flat.shape(), flat.device())?;
    let per_side = kernel::cross_entropy(&flat, &weights)?.reshape((scores.dim(0)?, ()))?;
    Ok(as_rows(&per_side)?.mean(1)?.into())
}
