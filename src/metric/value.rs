//! What a metric answers with. A number that is not defined is NaN.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Number(#[serde(with = "number")] f64),
    /// `(class, value)`
    PerClass(Vec<ClassValue>),
    /// `[true class][predicted class]`
    Counts(Vec<Vec<u64>>),
    Curves(Vec<Curve>),
    Bins(Vec<Bin>),
}

/// Values that are drawn, by the labels of their metrics: matrices, curves and bins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drawn {
    /// What the classes are called; nothing where nobody says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    #[serde(flatten)]
    pub values: BTreeMap<String, Value>,
}

/// The value of one class, or of one category of objects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassValue {
    pub class: i64,
    #[serde(with = "number")]
    pub value: f64,
}

/// A curve of one class against the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    pub class: i64,
    pub points: Vec<Point>,
    /// The area under the receiver operating characteristic, or the average precision.
    #[serde(with = "number")]
    pub area: f64,
    /// The share of examples that are of the class.
    pub prevalence: f64,
}

/// What comes of calling positive every example whose score is `threshold` or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// False positive rate, or recall.
    #[serde(with = "number")]
    pub x: f64,
    /// True positive rate, or precision.
    #[serde(with = "number")]
    pub y: f64,
    /// Infinite where nothing is called positive.
    #[serde(with = "number")]
    pub threshold: f64,
}

/// The examples whose confidence lies in `[low, high)`; the last bin holds 1 too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub low: f64,
    pub high: f64,
    pub count: u64,
    /// Sums over the examples of the bin, so that bins of several runs can be added.
    pub confidence_sum: f64,
    pub correct: u64,
}

impl Bin {
    /// The mean confidence; NaN in an empty bin.
    pub fn confidence(&self) -> f64 {
        self.confidence_sum / self.count as f64
    }

    /// The share that was right; NaN in an empty bin.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.count as f64
    }
}

impl Value {
    pub(super) fn per_class(values: Vec<f64>) -> Value {
        let of = |(class, value)| ClassValue { class: class as i64, value };
        Value::PerClass(values.into_iter().enumerate().map(of).collect())
    }

    /// For drawing: of every curve only the corners, a thousandth apart, to six decimals. So a value stays small on disk.
    pub fn thinned(mut self) -> Value {
        if let Value::Curves(curves) = &mut self {
            curves.iter_mut().for_each(|curve| curve.points = thinned(&curve.points));
        }
        self
    }

    /// Every number that the metric's range speaks of.
    pub fn numbers(&self) -> Vec<f64> {
        match self {
            Value::Number(number) => vec![*number],
            Value::PerClass(list) => list.iter().map(|of| of.value).collect(),
            Value::Counts(rows) => rows.iter().flatten().map(|count| *count as f64).collect(),
            Value::Curves(curves) => curves.iter().flat_map(|c| &c.points).flat_map(|p| [p.x, p.y]).collect(),
            Value::Bins(bins) => bins.iter().flat_map(|bin| [bin.confidence(), bin.accuracy()]).collect(),
        }
    }
}

fn thinned(points: &[Point]) -> Vec<Point> {
    let rounded = |value: f64| (value * 1e6).round() / 1e6;
    let mut kept: Vec<Point> = Vec::new();
    for (i, &Point { x, y, threshold }) in points.iter().enumerate() {
        let straight = i > 0
            && points.get(i + 1).is_some_and(|next| {
                let before = &points[i - 1];
                (before.x == x && x == next.x) || (before.y == y && y == next.y)
            });
        let near = kept.last().is_some_and(|before| (x - before.x).abs().max((y - before.y).abs()) < 1e-3);
        if !(straight || near && i + 1 < points.len()) {
            kept.push(Point { x: rounded(x), y: rounded(y), threshold: rounded(threshold) });
        }
    }
    kept
}

/// Numbers in JSON, which has no infinities and no NaN: these become `"inf"`, `"-inf"` and `"undefined"`.
pub mod number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    /// As a JSON value.
    pub fn json(number: f64) -> serde_json::Value {
        match number {
            number if number.is_nan() => "undefined".into(),
            f64::INFINITY => "inf".into(),
            f64::NEG_INFINITY => "-inf".into(),
            number => number.into(),
        }
    }

    pub fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serde::Serialize::serialize(&json(*number), serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(number),
            Written::Text(text) if text == "undefined" => Ok(f64::NAN),
            Written::Text(text) => text.parse().map_err(|_| D::Error::custom(format!("`{text}` is not a number"))),
        }
    }
}
