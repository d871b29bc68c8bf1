//! The value of a metric, for people and for programs.

use crate::aligned::{self, Side};
use crate::metric::{Bin, Curve, DrawnAs, Metric, Value, number};
use serde_json::json;

/// For people: a line, or a table.
pub fn of(metric: &Metric, value: &Value) -> String {
    match value {
        Value::Number(value) => format!("{}  {}\n", metric.name, shown(*value)),
        Value::PerClass(list) => {
            let rows: Vec<_> = list.iter().map(|of| (format!("class {}", of.class), shown(of.value))).collect();
            crate::cli::two_columns(&rows)
        }
        Value::Counts(rows) => matrix(rows),
        Value::Curves(curves) => {
            let [x, y, area] = match metric.drawn {
                Some(DrawnAs::RocCurve) => ["false positive rate", "true positive rate", "area"],
                _ => ["recall", "precision", "average precision"],
            };
            curves.iter().map(|curve| points(curve, [x, y, area])).collect::<Vec<_>>().join("\n")
        }
        Value::Bins(list) => {
            let head = ["confidence from", "to", "examples", "mean confidence", "accuracy"].map(String::from).to_vec();
            let row = |bin: &Bin| {
                let shown = [bin.low, bin.high, bin.count as f64, bin.confidence(), bin.accuracy()].map(rounded);
                shown.to_vec()
            };
            flush_right(&std::iter::once(head).chain(list.iter().map(row)).collect::<Vec<_>>())
        }
    }
}

/// The shortest text that reads back as the same number.
fn shown(value: f64) -> String {
    if value.is_nan() { "undefined".into() } else { value.to_string() }
}

/// To four decimals, for tables.
fn rounded(value: f64) -> String {
    match value {
        value if value.is_nan() => "–".into(),
        value if value.fract() == 0.0 || value.is_infinite() => value.to_string(),
        value => format!("{value:.4}"),
    }
}

fn matrix(counts: &[Vec<u64>]) -> String {
    let head = std::iter::once("true \\ chosen".to_string()).chain((0..counts.len()).map(|class| class.to_string()));
    let row = |(class, row): (usize, &Vec<u64>)| {
        std::iter::once(class.to_string()).chain(row.iter().map(u64::to_string)).collect::<Vec<_>>()
    };
    flush_right(&std::iter::once(head.collect()).chain(counts.iter().enumerate().map(row)).collect::<Vec<_>>())
}

fn points(curve: &Curve, [x, y, area]: [&str; 3]) -> String {
    let head = vec!["threshold".to_string(), x.into(), y.into()];
    let rows = curve.points.iter().map(|point| [point.threshold, point.x, point.y].map(rounded).to_vec());
    let table = flush_right(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
    format!("class {}, {area} {}\n{table}", curve.class, shown(curve.area))
}

fn flush_right(table: &[Vec<String>]) -> String {
    aligned::lines(table, |_| Side::Right).iter().map(|line| format!("{line}\n")).collect()
}

/// For programs. What is not defined is the string `undefined`, infinity is `inf`.
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(value) => number::json(*value),
        Value::PerClass(list) => {
            list.iter().map(|of| json!({ "class": of.class, "value": number::json(of.value) })).collect()
        }
        Value::Counts(rows) => json!(rows),
        Value::Curves(curves) => json!(curves),
        Value::Bins(bins) => {
            let bin = |bin: &Bin| {
                json!({
                    "low": bin.low, "high": bin.high, "count": bin.count,
                    "confidence": number::json(bin.confidence()), "accuracy": number::json(bin.accuracy()),
                })
            };
            bins.iter().map(bin).collect()
        }
    }
}
