//! Metrics that are drawn, of all arms beside one another.

use super::figure::{Drawing, DrawnPanel};
use super::{ArmRecords, Report};
use crate::metric::{self, Value};

impl Report {
    /// `(name of the files, drawing)` of every metric that some trial has drawn: a panel per arm, its seeds together.
    pub fn drawings(&self) -> Vec<(String, Drawing)> {
        let mut labels: Vec<&String> =
            self.arms.iter().flat_map(|arm| &arm.trials).flat_map(|trial| trial.drawn.values.keys()).collect();
        labels.sort();
        labels.dedup();
        let drawing = |label: &String| {
            let panels = self.arms.iter().filter_map(|arm| panel(arm, label)).collect();
            let drawing = Drawing::of_panels(metric::of_column(label)?, Some(&self.experiment.title), panels)?;
            Some((file_name(label), drawing))
        };
        labels.into_iter().filter_map(drawing).collect()
    }
}

fn panel(arm: &ArmRecords, label: &str) -> Option<DrawnPanel> {
    let of_seeds: Vec<&Value> = arm.trials.iter().filter_map(|trial| trial.drawn.values.get(label)).collect();
    let title = format!("{} (n = {})", arm.name, of_seeds.len());
    let classes = arm.trials.iter().map(|trial| &trial.drawn.classes).find(|classes| !classes.is_empty());
    Some(DrawnPanel { title, value: together(&of_seeds)?, classes: classes.cloned().unwrap_or_default() })
}

/// Counts and bins are added up; curves stay side by side.
fn together(values: &[&Value]) -> Option<Value> {
    let mut all: Value = (*values.first()?).clone();
    for value in &values[1..] {
        match (&mut all, value) {
            (Value::Counts(sum), Value::Counts(counts)) => {
                let cells = sum.iter_mut().flatten().zip(counts.iter().flatten());
                cells.for_each(|(sum, count)| *sum += count);
            }
            (Value::Bins(sum), Value::Bins(bins)) => sum.iter_mut().zip(bins).for_each(|(sum, bin)| {
                sum.count += bin.count;
                sum.correct += bin.correct;
                sum.confidence_sum += bin.confidence_sum;
            }),
            (Value::Curves(all), Value::Curves(curves)) => all.extend(curves.iter().cloned()),
            _ => return None,
        }
    }
    Some(all)
}

/// `reliability-bins-10` of `reliability(bins=10)`.
fn file_name(label: &str) -> String {
    let words = label.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
