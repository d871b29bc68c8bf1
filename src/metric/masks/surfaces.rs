//! How far the surfaces of predicted and true foregrounds lie from each other.

use super::{FOREGROUND, PredictedMasks, Region, Regions, THRESHOLD, mean_of_defined, of_foregrounds};
use crate::Result;
use crate::metric::{Judge, Metric, Value};
use crate::options::{Interval, OptionError, OptionKind, OptionRow, Options};

/// How the two directions, from prediction to truth and back, become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directions {
    /// One list of the distances of both.
    Pooled,
    /// Each by itself, then the larger number.
    Maximum,
    /// Each by itself, then the mean.
    Mean,
}

/// How far each pixel of a surface is from the nearest one of the other, sorted.
#[derive(Clone, Debug, PartialEq)]
pub struct SurfaceDistances {
    pub to_truth: Vec<f64>,
    pub to_prediction: Vec<f64>,
}

impl SurfaceDistances {
    /// Between two regions of an image with this distance between rows and between columns; nothing where one is empty.
    pub fn between(regions: &Regions, spacing: [f64; 2]) -> Option<SurfaceDistances> {
        let (predicted, truth) = (regions.predicted.surface(), regions.truth.surface());
        if predicted.is_empty() || truth.is_empty() {
            return None;
        }
        let directed = |from: &Region, to: &Region| {
            let distances = to.distances(spacing).into_iter().zip(from.inside());
            sorted(distances.filter(|(_, inside)| **inside).map(|(distance, _)| distance).collect())
        };
        Some(SurfaceDistances { to_truth: directed(&predicted, &truth), to_prediction: directed(&truth, &predicted) })
    }

    /// What `of` says of sorted distances.
    fn combined(&self, directions: Directions, of: impl Fn(&[f64]) -> f64) -> f64 {
        match directions {
            Directions::Pooled => of(&sorted([&self.to_truth[..], &self.to_prediction].concat())),
            Directions::Maximum => of(&self.to_truth).max(of(&self.to_prediction)),
            Directions::Mean => (of(&self.to_truth) + of(&self.to_prediction)) / 2.0,
        }
    }

    /// The distance that so many of a hundred are not beyond, linear between two of them; of 100 the Hausdorff distance.
    pub fn percentile(&self, percent: f64, directions: Directions) -> f64 {
        self.combined(directions, |distances| {
            let at = percent / 100.0 * (distances.len() - 1) as f64;
            let (below, above) = (distances[at.floor() as usize], distances[at.ceil() as usize]);
            below + (above - below) * at.fract()
        })
    }

    pub fn mean(&self, directions: Directions) -> f64 {
        self.combined(directions, |distances| distances.iter().sum::<f64>() / distances.len() as f64)
    }
}

fn sorted(mut distances: Vec<f64>) -> Vec<f64> {
    distances.sort_unstable_by(f64::total_cmp);
    distances
}

/// The mean over the images of which neither mask is empty.
fn mean_over_images(masks: &PredictedMasks, options: &Options, of: impl Fn(&SurfaceDistances) -> f64) -> Result<Value> {
    let spacing = spacing(options)?;
    let of_image =
        |regions: &Regions| SurfaceDistances::between(regions, spacing).map_or(f64::NAN, |between| of(&between));
    Ok(Value::Number(mean_of_defined(of_foregrounds(masks, options, of_image)?.into_iter())))
}

fn spacing(options: &Options) -> Result<[f64; 2]> {
    match options.numbers("spacing") {
        None => Ok([1.0; 2]),
        Some([both]) => Ok([*both; 2]),
        Some([rows, columns]) => Ok([*rows, *columns]),
        Some(more) => {
            let message =
                format!("`spacing` is that between rows and that between columns; there are {} numbers", more.len());
            Err(OptionError::new("spacing", message).into())
        }
    }
}

fn directions(options: &Options) -> Directions {
    match options.choice("directions") {
        "pooled" => Directions::Pooled,
        "maximum" => Directions::Maximum,
        _ => Directions::Mean,
    }
}

const SPACING: OptionRow = OptionRow {
    name: "spacing",
    meaning: "the distance between rows and that between columns, or one number for both; unless given, a pixel is the unit",
    // Squares of others could be infinite, or 0.
    kind: OptionKind::Numbers(Interval { low: 1e-6, high: 1e6, closed: (true, true) }),
};

pub(in crate::metric) const HAUSDORFF: Metric = Metric {
    name: "hausdorff",
    formula: "mean over images of max(max_a min_b |a − b|, max_b min_a |a − b|), a and b on the surfaces; images with an empty mask are left out",
    summary: "how far the worst pixel of either surface is from the other surface; undefined where every image has an empty mask",
    source: "Huttenlocher et al. 1993, Comparing images using the Hausdorff distance",
    range: (0.0, f64::INFINITY),
    higher_is_better: Some(false),
    drawn: None,
    options: &[SPACING, FOREGROUND, THRESHOLD],
    judge: Judge::Masks(|masks, options| {
        mean_over_images(masks, options, |between| between.percentile(100.0, Directions::Maximum))
    }),
    reward: None,
};

pub(in crate::metric) const HAUSDORFF_95: Metric = Metric {
    name: "hausdorff_95",
    formula: "mean over images of max(P95_a min_b |a − b|, P95_b min_a |a − b|), a and b on the surfaces; images with an empty mask are left out",
    summary: "Hausdorff distance without the worst twentieth of each surface; undefined where every image has an empty mask",
    source: "Huttenlocher et al. 1993; maximum as MONAI compute_hausdorff_distance, pooled as medpy hd95",
    options: &[
        OptionRow {
            name: "directions",
            meaning: "the larger percentile of the two directions, or the percentile of both in one list",
            kind: OptionKind::Choice(&["maximum", "pooled"]),
        },
        SPACING,
        FOREGROUND,
        THRESHOLD,
    ],
    judge: Judge::Masks(|masks, options| {
        mean_over_images(masks, options, |between| between.percentile(95.0, directions(options)))
    }),
    ..HAUSDORFF
};

pub(in crate::metric) const SURFACE_DISTANCE: Metric = Metric {
    name: "surface_distance",
    formula: "mean over images of (Σ_a min_b |a − b| + Σ_b min_a |a − b|) / (|A| + |B|), A and B the surfaces; images with an empty mask are left out",
    summary: "average symmetric surface distance; undefined where every image has an empty mask",
    source: "Heimann et al. 2009, Comparison and evaluation of methods for liver segmentation; MONAI compute_average_surface_distance",
    options: &[
        OptionRow {
            name: "directions",
            meaning: "the mean of both directions in one list, or the mean of the means of the two",
            kind: OptionKind::Choice(&["pooled", "mean"]),
        },
        SPACING,
        FOREGROUND,
        THRESHOLD,
    ],
    judge: Judge::Masks(|masks, options| mean_over_images(masks, options, |between| between.mean(directions(options)))),
    ..HAUSDORFF
};

#[cfg(test)]
mod tests {
    use super::super::{ClassMaps, MaskPrediction, MaskShape};
    use super::*;
    use crate::metric::find;
    use rand::Rng as _;

    /// By all pairs of pixels of two surfaces, themselves by looking at every neighbor.
    #[test]
    fn the_hausdorff_distance_is_that_of_all_pairs() {
        let mut rng = crate::stream(0, "surfaces", 0);
        for _ in 0..200 {
            let (height, width) = (rng.random_range(2..9usize), rng.random_range(2..9usize));
            let mut region = || {
                let mut inside: Vec<bool> = (0..height * width).map(|_| rng.random_bool(0.6)).collect();
                inside[0] = true;
                Region::new(inside, width).unwrap()
            };
            let regions = Regions { predicted: region(), truth: region() };
            let surface = |region: &Region| {
                let there =
                    |row: usize, column: usize| row < height && column < width && region.inside()[row * width + column];
                let pixels = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
                let open = |(r, c): &(usize, usize)| {
                    let around = [(r.wrapping_sub(1), *c), (r + 1, *c), (*r, c.wrapping_sub(1)), (*r, c + 1)];
                    there(*r, *c) && around.into_iter().any(|(r, c)| !there(r, c))
                };
                pixels.filter(open).collect::<Vec<_>>()
            };
            let [a, b] = [&regions.predicted, &regions.truth].map(surface);
            let directed = |from: &[(usize, usize)], to: &[(usize, usize)]| {
                let nearest = |p: &(usize, usize)| {
                    let far = to.iter().map(|q| (p.0.abs_diff(q.0) as f64).hypot(p.1.abs_diff(q.1) as f64));
                    far.fold(f64::INFINITY, f64::min)
                };
                from.iter().map(nearest).collect::<Vec<f64>>()
            };
            let (there, back) = (directed(&a, &b), directed(&b, &a));
            let between = SurfaceDistances::between(&regions, [1.0; 2]).unwrap();
            let largest = there.iter().chain(&back).copied().fold(0.0, f64::max);
            assert!((between.percentile(100.0, Directions::Maximum) - largest).abs() < 1e-12);
            assert_eq!(between.percentile(100.0, Directions::Pooled), between.percentile(100.0, Directions::Maximum));
            let mean = there.iter().chain(&back).sum::<f64>() / (a.len() + b.len()) as f64;
            assert!((between.mean(Directions::Pooled) - mean).abs() < 1e-12);
        }
    }

    /// Two images of a row of five pixels: one 2 apart, one without a prediction.
    #[test]
    fn an_image_with_an_empty_mask_is_left_out() {
        let (chosen, labels) = ([1u8, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0u8, 0, 1, 0, 0, 0, 1, 1, 0, 0]);
        let of = |images: std::ops::Range<usize>, name: &str, options: &str| {
            let pixels = images.start * 5..images.end * 5;
            let prediction = MaskPrediction::Classes(ClassMaps::from(&chosen[pixels.clone()]));
            let masks = PredictedMasks::new(MaskShape::new(1, 5, 2), prediction, &labels[pixels]).unwrap();
            let metric = find(name).unwrap();
            let options = Options::new(name, metric.options, &toml::from_str(options).unwrap()).unwrap();
            let Judge::Masks(value) = metric.judge else { panic!("{name}") };
            value(&masks, &options).map(|value| value.numbers()[0])
        };
        for name in ["hausdorff", "hausdorff_95", "surface_distance"] {
            assert_eq!(of(0..2, name, "").unwrap(), 2.0);
            assert_eq!(of(0..2, name, "spacing = [7, 0.5]").unwrap(), 1.0);
            assert_eq!(of(0..2, name, "spacing = 3").unwrap(), 6.0);
            assert!(of(1..2, name, "").unwrap().is_nan());
            assert!(of(0..1, name, "spacing = [1, 2, 3]").unwrap_err().to_string().contains("there are 3 numbers"));
        }
    }
}
