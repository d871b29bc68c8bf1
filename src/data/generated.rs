//! Data sets that are drawn: as many rows as wanted, with a truth that is known. A draw is a function of the options alone, so that
//! every trial and every arm meets the same rows.

use super::{DataSet, DataSetRow};
use crate::options::{Interval, OptionKind, OptionRow, Options};
use crate::{Error, Result, Rng, stream};
use rand::Rng as _;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use std::f64::consts::{PI, TAU};

/// Where drawn sets are from.
const HERE: &str = "drawn by this program";

const TRAIN: OptionRow = OptionRow {
    name: "train",
    meaning: "rows to train on",
    kind: OptionKind::Whole { default: Some(1_000), at_least: 10 },
};
const TEST: OptionRow = OptionRow {
    name: "test",
    meaning: "rows held out",
    kind: OptionKind::Whole { default: Some(1_000), at_least: 10 },
};
const INSTANCE: OptionRow = OptionRow {
    name: "instance",
    meaning: "number of the draw",
    kind: OptionKind::Whole { default: Some(0), at_least: 0 },
};

pub(super) const MOONS: DataSetRow = DataSetRow {
    name: "moons",
    summary: "drawn: two half circles that reach into one another, 2 features",
    source: HERE,
    licence: "generated",
    options: &[
        TRAIN,
        TEST,
        INSTANCE,
        OptionRow::number("noise", 0.2, Interval::NOT_NEGATIVE, "standard deviation of the features"),
    ],
    load: |options| {
        let noise = options.number("noise");
        drawn(options, "moons", 2, &[0.5; 2], |class, rng| {
            let angle = rng.random_range(0.0..PI);
            let (x, y) = (angle.cos(), angle.sin());
            let (x, y) = if class == 0 { (x, y) } else { (1.0 - x, 0.5 - y) };
            vec![x + noise * normal(rng), y + noise * normal(rng)]
        })
    },
};

pub(super) const SPIRALS: DataSetRow = DataSetRow {
    name: "spirals",
    summary: "drawn: spiral arms around one center, a class each, 2 features",
    source: HERE,
    licence: "generated",
    options: &[
        TRAIN,
        TEST,
        INSTANCE,
        OptionRow {
            name: "classes",
            meaning: "spiral arms",
            kind: OptionKind::Whole { default: Some(3), at_least: 2 },
        },
        OptionRow::number("turns", 1.0, Interval::POSITIVE, "turns of an arm"),
        OptionRow::number(
            "noise",
            0.05,
            Interval::NOT_NEGATIVE,
            "standard deviation of the features; an arm is 1 long",
        ),
    ],
    load: |options| {
        let (noise, turns) = (options.number("noise"), options.number("turns"));
        let classes = options.whole_up_to("classes", 100)?;
        drawn(options, "spirals", 2, &vec![1.0 / classes as f64; classes], |class, rng| {
            let radius: f64 = rng.random_range(0.05..1.0);
            let angle = TAU * (turns * radius + class as f64 / classes as f64);
            vec![radius * angle.cos() + noise * normal(rng), radius * angle.sin() + noise * normal(rng)]
        })
    },
};

pub(super) const BLOBS: DataSetRow = DataSetRow {
    name: "blobs",
    summary: "drawn: a round cloud per class, the last one as rare as wanted",
    source: HERE,
    licence: "generated",
    options: &[
        TRAIN,
        TEST,
        INSTANCE,
        OptionRow { name: "classes", meaning: "clouds", kind: OptionKind::Whole { default: Some(2), at_least: 2 } },
        OptionRow {
            name: "features",
            meaning: "dimensions of a cloud",
            kind: OptionKind::Whole { default: Some(10), at_least: 1 },
        },
        OptionRow::number("imbalance", 1.0, Interval::AT_LEAST_ONE, "rows of each other class to one of the last"),
        OptionRow::number(
            "distance",
            2.0,
            Interval::NOT_NEGATIVE,
            "of a cloud's center from the origin; its standard deviation is 1",
        ),
    ],
    load: |options| {
        let (classes, features) = (options.whole_up_to("classes", 1_000)?, options.whole_up_to("features", 10_000)?);
        let rows = options.whole(TRAIN.name).max(options.whole(TEST.name)).unwrap_or(0);
        if rows.saturating_mul(features as i64) > MOST_NUMBERS {
            return Err(Error::Argument(format!(
                "{rows} rows of {features} `features` are more than {MOST_NUMBERS} numbers"
            )));
        }
        let rare = 1.0 / options.number("imbalance");
        let sum = classes as f64 - 1.0 + rare;
        let shares: Vec<f64> = (0..classes).map(|class| if class + 1 == classes { rare } else { 1.0 } / sum).collect();
        let mut rng = stream(instance(options), "blobs: centers", 0);
        let centers: Vec<Vec<f64>> =
            (0..classes).map(|_| on_sphere(features, options.number("distance"), &mut rng)).collect();
        drawn(options, "blobs", features, &shares, |class, rng| {
            centers[class].iter().map(|center| center + normal(rng)).collect()
        })
    },
};

pub(super) const CURVE: DataSetRow = DataSetRow {
    name: "curve",
    summary: "drawn: y = sin(π cycles x) and noise, x uniform in [−1, 1]; the best R² is 1 − noise²/(noise² + Var sin)",
    source: HERE,
    licence: "generated",
    options: &[
        TRAIN,
        TEST,
        INSTANCE,
        OptionRow::number("cycles", 2.0, Interval::POSITIVE, "of the sine between −1 and 1"),
        OptionRow::number("noise", 0.2, Interval::NOT_NEGATIVE, "standard deviation of y around the curve"),
    ],
    load: |options| {
        let (cycles, noise) = (options.number("cycles"), options.number("noise"));
        let [train, test] = both(options, "curve", |rows, rng| {
            let x: Vec<f64> = (0..rows).map(|_| rng.random_range(-1.0..1.0)).collect();
            let y = x.iter().map(|x| (PI * cycles * x).sin() + noise * normal(rng)).collect::<Vec<f64>>();
            (x, y)
        })?;
        DataSet::of_values(vec!["x".into()], "y".into(), [train, test])
    },
};

fn instance(options: &Options) -> u64 {
    options.whole(INSTANCE.name).unwrap_or(0) as u64
}

fn normal(rng: &mut Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn on_sphere(features: usize, radius: f64, rng: &mut Rng) -> Vec<f64> {
    let direction: Vec<f64> = (0..features).map(|_| normal(rng)).collect();
    let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
    direction.iter().map(|x| radius * x / length).collect()
}

/// Both parts, each from a stream of its own, by their numbers of rows.
fn both<T>(options: &Options, name: &str, mut part: impl FnMut(usize, &mut Rng) -> T) -> Result<[T; 2]> {
    let sizes = [options.whole_up_to(TRAIN.name, MOST_ROWS)?, options.whole_up_to(TEST.name, MOST_ROWS)?];
    let mut part = |index: usize| part(sizes[index], &mut stream(instance(options), name, index as u64));
    Ok([part(0), part(1)])
}

/// Numbers of either part.
const MOST_NUMBERS: i64 = 100_000_000;

/// Rows of either part.
const MOST_ROWS: i64 = 1_000_000;

/// Rows of classes: each class has its share of either part, rounded, and at least one row.
fn drawn(
    options: &Options,
    name: &str,
    features: usize,
    shares: &[f64],
    mut row: impl FnMut(usize, &mut Rng) -> Vec<f64>,
) -> Result<DataSet> {
    let parts = both(options, name, |rows, rng| {
        let mut labels: Vec<u32> = Vec::new();
        for (class, share) in shares.iter().enumerate().rev() {
            let left = rows.saturating_sub(labels.len());
            let wanted = if class == 0 { left } else { ((rows as f64 * share).round() as usize).clamp(1, left.max(1)) };
            labels.extend(std::iter::repeat_n(class as u32, wanted));
        }
        labels.shuffle(rng);
        let inputs: Vec<f64> = labels.iter().flat_map(|label| row(*label as usize, rng)).collect();
        (inputs, labels)
    })?;
    let names = (0..shares.len()).map(|class| class.to_string()).collect();
    DataSet::of_classes((1..=features).map(|i| format!("x{i}")).collect(), names, parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Examples, Scale, Target};

    fn load(row: &DataSetRow, toml: &str) -> DataSet {
        let options = Options::new(row.name, row.options, &toml::from_str(toml).unwrap()).unwrap();
        (row.load)(&options).unwrap()
    }

    fn counts(examples: &Examples, classes: usize) -> Vec<usize> {
        let rows = |class: usize| (0..examples.len()).filter(move |row| examples.targets.number(*row) == class as f64);
        (0..classes).map(|class| rows(class).count()).collect()
    }

    #[test]
    fn rows_and_classes_are_as_asked_for() {
        for row in [&MOONS, &SPIRALS, &BLOBS] {
            let data = load(row, "train = 300\ntest = 90");
            assert_eq!((data.train.len(), data.test.len()), (300, 90), "{}", row.name);
            let classes = data.target.classes().unwrap();
            let each = counts(&data.train, classes);
            assert!(each.iter().all(|count| *count == 300 / classes), "{}: {each:?}", row.name);
            assert_eq!(load(row, "").train, load(row, "").train, "one draw");
            assert_ne!(load(row, "").train, load(row, "instance = 1").train, "another one");
        }
        let rare = load(&BLOBS, "imbalance = 99\ntrain = 1000\nclasses = 2");
        assert_eq!((counts(&rare.train, 2), counts(&rare.test, 2)), (vec![990, 10], vec![990, 10]));
        let rarest = load(&BLOBS, "imbalance = 10000\ntrain = 100\nclasses = 3");
        assert_eq!(counts(&rarest.train, 3)[2], 1, "at least one row of each class");
        assert_eq!(load(&SPIRALS, "classes = 5").target.classes(), Some(5));
    }

    /// Without noise the moons are half circles of radius 1 around (0, 0) and (1, 1/2); standardizing only scales and shifts them, so
    /// that no row of one is nearer to the other's rows than their known distance apart allows.
    #[test]
    fn moons_without_noise_are_told_apart_by_their_neighbors() {
        let data = load(&MOONS, "noise = 0.0\ntrain = 400\ntest = 100");
        let inputs = |examples: &Examples| examples.inputs_of(0..examples.len());
        let (train, test) = (inputs(&data.train), inputs(&data.test));
        for (i, row) in test.chunks_exact(2).enumerate() {
            let distance = |other: &[f32]| (row[0] - other[0]).powi(2) + (row[1] - other[1]).powi(2);
            let nearest = train.chunks_exact(2).enumerate().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
            assert_eq!(data.train.targets.number(nearest.unwrap().0), data.test.targets.number(i));
        }
    }

    /// The residual around the curve has the noise's deviation, in both parts.
    #[test]
    fn a_curve_is_a_sine_with_noise() {
        let data = load(&CURVE, "train = 4000\nnoise = 0.3\ncycles = 1.5");
        let Target::Value { scale, .. } = data.target else { panic!() };
        for part in [&data.train, &data.test] {
            let x = part.inputs_of(0..part.len());
            let residual = |row: usize| {
                let y = scale.restored(part.targets.number(row) as f32);
                y - (1.5 * PI * data.features[0].scale.restored(x[row])).sin()
            };
            let residuals = Scale::of((0..part.len()).map(residual).collect::<Vec<f64>>());
            assert!(residuals.mean.abs() < 0.03 && (residuals.deviation - 0.3).abs() < 0.03, "{residuals:?}");
        }
    }
}
