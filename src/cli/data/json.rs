//! The description for programs.

use super::subject::Subject;
use crate::data::description::{Bins, ColumnDescription, Content, Distribution};
use serde_json::{Map, Value, json};

const BINS: usize = 20;

/// `{"name": …, "summary": …, "rows": {…}, "target": …, "columns": […]}` with everything that the text says.
pub fn of(subject: &Subject) -> Value {
    let description = &subject.description;
    let parts: Vec<&str> = description.parts.iter().map(|(name, _)| name.as_str()).collect();
    let mut object = Map::new();
    object.insert("name".into(), json!(subject.name));
    object.insert("summary".into(), json!(subject.summary));
    for (name, text) in subject.facts.iter().filter(|(name, _)| *name != "option") {
        object.insert(key(name), json!(text));
    }
    let options: Vec<&String> =
        subject.facts.iter().filter(|(name, _)| *name == "option").map(|(_, text)| text).collect();
    if !options.is_empty() {
        object.insert("options".into(), json!(options));
    }
    object.insert("rows".into(), description.parts.iter().map(|(name, rows)| (key(name), json!(rows))).collect());
    if let Some(target) = &description.target {
        object.insert("target".into(), of_column(target, &parts));
    }
    object.insert("columns".into(), description.columns.iter().map(|column| of_column(column, &parts)).collect());
    object.insert("notes".into(), json!(subject.notes));
    Value::Object(object)
}

/// `held_out` of `held out`.
fn key(name: &str) -> String {
    name.replace(' ', "_")
}

fn of_column(column: &ColumnDescription, parts: &[&str]) -> Value {
    let mut object = json!({ "name": column.name, "missing": column.missing, "distinct": column.distinct() });
    match &column.content {
        Content::Numbers(numbers) => {
            let bins = Bins::of(numbers, BINS);
            object["kind"] = json!("numbers");
            object["bin_edges"] = (0..=bins.count).map(|bin| json!(bins.edge(bin))).collect();
            object["parts"] =
                parts.iter().zip(numbers).map(|(part, numbers)| (key(part), of_numbers(numbers, bins))).collect();
        }
        Content::Categories(names) => {
            let category = |(name, rows): &(String, Vec<usize>)| {
                let rows: Map<String, Value> =
                    parts.iter().zip(rows).map(|(part, rows)| (key(part), json!(rows))).collect();
                json!({ "name": name, column.counted: rows })
            };
            object["kind"] = json!("categories");
            object["categories"] = names.iter().map(category).collect();
        }
    }
    object
}

fn of_numbers(numbers: &Distribution, bins: Bins) -> Value {
    let Some((least, largest)) = numbers.range() else { return json!({ "rows": 0 }) };
    let quantile = |percent: u32| (format!("{percent}%"), json!(numbers.quantile(f64::from(percent) / 100.0)));
    let quantiles: Map<String, Value> = [5, 25, 50, 75, 95].map(quantile).into_iter().collect();
    json!({
        "rows": numbers.rows(), "least": least, "mean": numbers.mean(), "deviation": numbers.deviation(),
        "largest": largest, "quantiles": quantiles, "bins": bins.counts(numbers),
    })
}
