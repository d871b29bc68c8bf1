//! Losses of segmentation masks: how much two regions overlap.

use super::binary::{Logistic, OfLogit};
use super::classification::{as_examples, labels};
use super::inputs::{Inputs, PerExample, as_rows};
use super::{Domain, Layout, Line, Loss, Part, REAL_TARGETS, Slice};
use crate::kernel::{self, Over};
use crate::options::{Interval, OptionKind, OptionRow, Options};
use crate::{Error, Result};
use candle_core::{DType, Tensor};

const MASK: Slice =
    Slice { x: "score x on the object, −x elsewhere", range: (-5.0, 5.0), lines: &[Line::of("", 0.0)] };

const MASKS: Loss = Loss {
    range: Interval::UNIT,
    slice: MASK,
    layout: Layout::Masks,
    targets: &[Part { domain: Domain::Label { soft: true }, ..REAL_TARGETS }],
    ..Loss::ELEMENTWISE
};

const SMOOTH: OptionRow = OptionRow {
    name: "smooth",
    meaning: "s, added to numerator and denominator once",
    kind: OptionKind::Number { default: 1.0, range: Interval::NOT_NEGATIVE },
};
/// Beside weights of 1 / pixels², a smoothing of 1 would leave nothing of an overlap.
const SMOOTH_LITTLE: OptionRow =
    OptionRow { kind: OptionKind::Number { default: 1e-5, range: Interval::NOT_NEGATIVE }, ..SMOOTH };
const OVER: OptionRow = OptionRow {
    name: "over",
    meaning: "sums run over the pixels of an example, or over those of the whole batch, which gives a single loss",
    kind: OptionKind::Choice(&["example", "batch"]),
};
const ACTIVATION: OptionRow = OptionRow {
    name: "activation",
    meaning: "what makes probabilities of the scores; auto: sigmoid of one channel, softmax over several",
    kind: OptionKind::Choice(&["auto", "sigmoid", "softmax"]),
};
const fn weight(name: &'static str, meaning: &'static str, default: f64) -> OptionRow {
    OptionRow { name, meaning, kind: OptionKind::Number { default, range: Interval::NOT_NEGATIVE } }
}
const ALPHA: OptionRow = weight("alpha", "α, the weight of false positives", 0.3);
const BETA: OptionRow = weight("beta", "β, the weight of false negatives", 0.7);

/// Losses of an overlap with nothing to set but the smoothing.
const OVERLAP: Loss = Loss {
    options: &[SMOOTH, OVER, ACTIVATION],
    slice: Slice {
        lines: &[
            Line::with("s = 0", "smooth", 0.0),
            Line::with("s = 1", "smooth", 1.0),
            Line::with("s = 10", "smooth", 10.0),
        ],
        ..MASK
    },
    ..MASKS
};

pub(super) const ROWS: &[Loss] = &[
    Loss {
        name: "dice",
        formula: "1 − (2 Σ p t + s) / (Σ p + Σ t + s), sums over pixels; mean over channels; 0 where it is 0/0",
        gradient: "by p: (−2 t D + N) / D² with N the numerator and D the denominator; through σ or softmax to the scores",
        summary: "overlap of a region whatever its size: for small objects; from scores",
        source: "Sudre et al. 2017, arXiv 1707.03237 (sums, not squares); as monai.losses.DiceLoss",
        per_example: |inputs, options| {
            overlap(inputs, options, Overlap { hits: 2.0, false_positives: 1.0, false_negatives: 1.0 })
        },
        ..OVERLAP
    },
    Loss {
        name: "generalized_dice",
        formula: "1 − (2 Σ_c w_c Σ p t + s) / (Σ_c w_c (Σ p + Σ t) + s), w_c = 1 / (Σ t)², of a channel without objects the largest of the others; 0 where it is 0/0",
        gradient: "by p in channel c: w_c (−2 t D + N) / D² with N the numerator and D the denominator; through σ or softmax to the scores",
        summary: "Dice over all channels at once, where a small object counts as much as a large one",
        source: "Sudre et al. 2017, arXiv 1707.03237; as monai.losses.GeneralizedDiceLoss",
        options: &[SMOOTH_LITTLE, OVER, ACTIVATION],
        slice: Slice { lines: &[Line::with("s = 0", "smooth", 0.0), Line::with("s = 1", "smooth", 1.0)], ..MASK },
        per_example: |inputs, options| {
            let smooth = options.number("smooth");
            regions(inputs, options, |sums, slopes| generalized_dice(sums, slopes, smooth))
        },
        ..MASKS
    },
    Loss {
        name: "jaccard",
        formula: "1 − (Σ p t + s) / (Σ p + Σ t − Σ p t + s), sums over pixels; mean over channels; 0 where it is 0/0",
        gradient: "by p: (−t (D + N) + N) / D² with N the numerator and D the denominator; through σ or softmax to the scores",
        summary: "one minus the soft intersection over union",
        source: "Rahman and Wang 2016, Optimizing intersection-over-union",
        per_example: |inputs, options| {
            overlap(inputs, options, Overlap { hits: 1.0, false_positives: 1.0, false_negatives: 1.0 })
        },
        ..OVERLAP
    },
    Loss {
        name: "tversky",
        formula: "1 − (TP + s) / (TP + α FP + β FN + s), TP = Σ p t, FP = Σ p (1 − t), FN = Σ (1 − p) t; mean over channels; 0 where it is 0/0",
        gradient: "by p: [N (t + α (1 − t) − β t) − t D] / D² with N the numerator and D the denominator",
        summary: "Dice loss with a price of its own for misses and for false alarms; α = β = ½ is Dice with a smoothing of 2s",
        source: "Salehi et al. 2017, arXiv 1706.05721; as monai.losses.TverskyLoss",
        options: &[ALPHA, BETA, SMOOTH, OVER, ACTIVATION],
        slice: Slice {
            lines: &[
                Line::with("β = 0.3", "beta", 0.3),
                Line::with("β = 0.5", "beta", 0.5),
                Line::with("β = 0.7", "beta", 0.7),
            ],
            ..MASK
        },
        per_example: |inputs, options| overlap(inputs, options, tversky(options)),
        ..MASKS
    },
    Loss {
        name: "focal_tversky",
        formula: "(Tversky loss of a channel)^(1/γ); mean over channels",
        gradient: "1/γ · T^(1/γ − 1) times that of the Tversky loss T; 0 where T = 0",
        summary: "γ above 1 turns towards regions that are nearly right, below 1 towards hard ones",
        source: "Abraham and Khan 2018, arXiv 1810.07842",
        options: &[
            ALPHA,
            BETA,
            OptionRow {
                name: "gamma",
                meaning: "γ",
                kind: OptionKind::Number { default: 4.0 / 3.0, range: Interval::POSITIVE },
            },
            SMOOTH,
            OVER,
            ACTIVATION,
        ],
        slice: Slice {
            lines: &[
                Line::with("γ = 0.5", "gamma", 0.5),
                Line::with("γ = 1", "gamma", 1.0),
                Line::with("γ = 2", "gamma", 2.0),
            ],
            ..MASK
        },
        per_example: |inputs, options| {
            let power = 1.0 / options.number("gamma");
            channels(inputs, options, |sums| powered(tversky(options).loss(sums, options.number("smooth")), power))
        },
        ..MASKS
    },
    Loss {
        name: "dice_cross_entropy",
        formula: "w_d · dice + w_c · the mean over pixels of the cross-entropy (binary for sigmoid)",
        gradient: "w_d times that of dice + w_c (p − t) / pixels, with a sigmoid also / channels",
        summary: "overlap with the steady gradient of a loss per pixel: the usual start for segmentation",
        source: "Isensee et al. 2021, nnU-Net; as monai.losses.DiceCELoss",
        options: &[
            weight("dice_weight", "w_d", 1.0),
            weight("cross_entropy_weight", "w_c", 1.0),
            SMOOTH,
            OVER,
            ACTIVATION,
        ],
        range: Interval::NOT_NEGATIVE,
        per_example: dice_cross_entropy,
        ..MASKS
    },
];

/// `Σ p t`, `Σ p (1 − t)` and `Σ (1 − p) t` of one channel.
type Sums = [f64; 3];

/// `1 − (a TP + s) / (a TP + b FP + c FN + s)`
#[derive(Clone, Copy)]
struct Overlap {
    hits: f64,
    false_positives: f64,
    false_negatives: f64,
}

impl Overlap {
    /// The loss, and its derivative with respect to each sum.
    fn loss(self, [hits, false_positives, false_negatives]: Sums, smooth: f64) -> (f64, Sums) {
        let above = self.hits * hits + smooth;
        let missing = self.false_positives * false_positives + self.false_negatives * false_negatives;
        let below = above + missing;
        // A sum that is too small to be divided by is 0 but for rounding.
        if below < f64::MIN_POSITIVE {
            return (0.0, [0.0; 3]);
        }
        let (share, rest) = (above / below / below, missing / below / below);
        (missing / below, [-self.hits * rest, self.false_positives * share, self.false_negatives * share])
    }
}

fn tversky(options: &Options) -> Overlap {
    let [false_positives, false_negatives] = ["alpha", "beta"].map(|name| options.number(name));
    Overlap { hits: 1.0, false_positives, false_negatives }
}

fn powered((loss, slopes): (f64, Sums), power: f64) -> (f64, Sums) {
    if loss <= 0.0 {
        return (0.0, [0.0; 3]);
    }
    (loss.powf(power), slopes.map(|slope| power * loss.powf(power - 1.0) * slope))
}

fn overlap(inputs: &Inputs, options: &Options, overlap: Overlap) -> Result<PerExample> {
    let smooth = options.number("smooth");
    channels(inputs, options, |sums| overlap.loss(sums, smooth))
}

fn dice_cross_entropy(inputs: &Inputs, options: &Options) -> Result<PerExample> {
    let dice = overlap(inputs, options, Overlap { hits: 2.0, false_positives: 1.0, false_negatives: 1.0 })?;
    let scores = &inputs.predictions[0];
    let masks = masks(scores, &inputs.targets[0])?;
    let per_pixel = if is_sigmoid(scores, options) {
        Inputs::pair(scores, &masks).compare::<1, 1>(OfLogit, Over::Mean)?.values
    } else {
        let pixels = kernel::cross_entropy(&as_examples(scores)?, &as_examples(&masks)?)?;
        as_rows(&pixels.reshape((scores.dim(0)?, ()))?)?.mean(1)?
    };
    let per_pixel = if options.choice("over") == "batch" { per_pixel.mean(0)?.unsqueeze(0)? } else { per_pixel };
    let [dice_weight, pixel_weight] = ["dice_weight", "cross_entropy_weight"].map(|name| options.number(name));
    Ok(((dice.values * dice_weight)? + (per_pixel * pixel_weight)?)?.into())
}

fn is_sigmoid(scores: &Tensor, options: &Options) -> bool {
    match options.choice("activation") {
        "auto" => scores.dims()[1] == 1,
        activation => activation == "sigmoid",
    }
}

/// The targets as masks `[batch, channels, …]`: as they are, or one channel per label.
fn masks(scores: &Tensor, targets: &Tensor) -> Result<Tensor> {
    if targets.dims() == scores.dims() {
        return Ok(targets.to_dtype(scores.dtype())?);
    }
    let (batch, channels) = (scores.dim(0)?, scores.dim(1)?);
    let pixels = scores.elem_count() / (batch * channels).max(1);
    let labels = labels(targets)?;
    let mut masks = vec![0f32; scores.elem_count()];
    for (i, label) in labels.into_iter().enumerate() {
        let channel = usize::try_from(label).ok().filter(|channel| *channel < channels.max(2));
        let channel = channel.ok_or_else(|| Error::Argument(format!("label {label} for {channels} channels")))?;
        // A single channel is the foreground's: label 1.
        match (channels, channel) {
            (1, 0) => {}
            (1, _) => masks[i] = 1.0,
            _ => masks[(i / pixels * channels + channel) * pixels + i % pixels] = 1.0,
        }
    }
    Ok(Tensor::from_vec(masks, scores.shape(), scores.device())?.to_dtype(scores.dtype())?)
}

/// The loss of all channels' sums; sets its derivative with respect to each.
fn generalized_dice(sums: &[Sums], slopes: &mut [Sums], smooth: f64) -> f64 {
    let weight = |[hits, _, misses]: &Sums| ((hits + misses) * (hits + misses)).recip();
    let largest = sums.iter().map(weight).filter(|weight| weight.is_finite()).fold(0.0, f64::max);
    let weights = sums.iter().map(weight).map(|weight| if weight.is_finite() { weight } else { largest });
    let (mut above, mut below) = (smooth, smooth);
    for (weight, [hits, false_positives, misses]) in weights.clone().zip(sums) {
        above += 2.0 * weight * hits;
        below += weight * (2.0 * hits + false_positives + misses);
    }
    if below < f64::MIN_POSITIVE {
        slopes.fill([0.0; 3]);
        return 0.0;
    }
    let (share, rest) = (above / below / below, (below - above) / below / below);
    for (weight, slopes) in weights.zip(slopes) {
        *slopes = [-2.0 * weight * rest, weight * share, weight * share];
    }
    (below - above) / below
}

/// A loss of the sums of every channel, averaged over channels.
fn channels(inputs: &Inputs, options: &Options, loss: impl Fn(Sums) -> (f64, Sums)) -> Result<PerExample> {
    regions(inputs, options, |sums, slopes| {
        let share = 1.0 / sums.len() as f64;
        let of_channel = |(sums, slopes): (&Sums, &mut Sums)| {
            let (value, of_sums) = loss(*sums);
            *slopes = of_sums.map(|slope| slope * share);
            value * share
        };
        sums.iter().zip(slopes).map(of_channel).sum()
    })
}

/// A loss of the sums of all channels, which sets its derivative with respect to each.
fn regions(inputs: &Inputs, options: &Options, loss: impl Fn(&[Sums], &mut [Sums]) -> f64) -> Result<PerExample> {
    let scores = &inputs.predictions[0];
    let masks = masks(scores, &inputs.targets[0])?;
    let sigmoid = is_sigmoid(scores, options);
    let channels = scores.dim(1)?;
    // The whole batch is one example whose pixels are those of all images.
    let arranged = |tensor: &Tensor| -> Result<Tensor> {
        let flat = tensor.reshape((tensor.dim(0)?, channels, ()))?;
        Ok(match options.choice("over") {
            "batch" => flat.transpose(0, 1)?.contiguous()?.reshape((1, channels, ()))?,
            _ => flat,
        })
    };
    let masks = arranged(&masks)?;
    let width = masks.elem_count() / masks.dim(0)?.max(1);
    let masks: Vec<f64> = masks.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
    let values = kernel::rowwise([&arranged(scores)?], |row, [scores], [gradient]| {
        let masks = &masks[row * width..(row + 1) * width];
        let pixels = width / channels;
        let probabilities = if sigmoid { sigmoids(scores) } else { softmaxes(scores, channels) };
        let of_channels = probabilities.chunks_exact(pixels.max(1)).zip(masks.chunks_exact(pixels.max(1)));
        let sums: Vec<Sums> = of_channels.map(|(p, t)| sums(p, t)).collect();
        let mut slopes = vec![[0.0; 3]; channels];
        let value = loss(&sums, &mut slopes);
        let of_channels = gradient.chunks_exact_mut(pixels.max(1)).zip(masks.chunks_exact(pixels.max(1)));
        for ((gradient, masks), [by_hits, by_positives, by_misses]) in of_channels.zip(slopes) {
            for (gradient, t) in gradient.iter_mut().zip(masks) {
                *gradient = by_hits * t + by_positives * (1.0 - t) - by_misses * t;
            }
        }
        if sigmoid {
            through_sigmoid(gradient, &probabilities, scores);
        } else {
            through_softmax(gradient, &probabilities, channels);
        }
        value
    })?;
    Ok(values.into())
}

fn sums(probabilities: &[f64], masks: &[f64]) -> Sums {
    let mut sums = [0.0; 3];
    for (p, t) in probabilities.iter().zip(masks) {
        sums[0] += p * t;
        sums[1] += p * (1.0 - t);
        sums[2] += (1.0 - p) * t;
    }
    sums
}

fn sigmoids(scores: &[f64]) -> Vec<f64> {
    scores.iter().map(|score| Logistic::at(*score).p).collect()
}

/// Over the channels of each pixel; `scores` is `[channels, pixels]`.
pub(super) fn softmaxes(scores: &[f64], channels: usize) -> Vec<f64> {
    let pixels = scores.len() / channels;
    let mut probabilities = scores.to_vec();
    for pixel in 0..pixels {
        let of_pixel = || (0..channels).map(|channel| channel * pixels + pixel);
        let largest = of_pixel().map(|i| scores[i]).fold(f64::NEG_INFINITY, f64::max);
        of_pixel().for_each(|i| probabilities[i] = (scores[i] - largest).exp());
        let sum: f64 = of_pixel().map(|i| probabilities[i]).sum();
        of_pixel().for_each(|i| probabilities[i] /= sum);
    }
    probabilities
}

/// `dz = p (1 − p) dp`
fn through_sigmoid(gradient: &mut [f64], probabilities: &[f64], scores: &[f64]) {
    for ((gradient, p), score) in gradient.iter_mut().zip(probabilities).zip(scores) {
        *gradient *= p * Logistic::at(*score).rest;
    }
}

/// `dz_c = p_c (dp_c − Σ_k p_k dp_k)` at each pixel
pub(super) fn through_softmax(gradient: &mut [f64], probabilities: &[f64], channels: usize) {
    let pixels = gradient.len() / channels;
    for pixel in 0..pixels {
        let of_pixel = || (0..channels).map(|channel| channel * pixels + pixel);
        let mean: f64 = of_pixel().map(|i| probabilities[i] * gradient[i]).sum();
        of_pixel().for_each(|i| gradient[i] = probabilities[i] * (gradient[i] - mean));
    }
}
