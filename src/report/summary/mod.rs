//! The answer as a table: for the terminal, as CSV and as JSON.

use super::statistics::Estimate;
use super::{ArmRecords, Report, estimate};
use crate::experiment::{Arm, Threshold};
use crate::metric;
use crate::task::{BestReturn, Environment};
use crate::{Error, Result};
use serde_json::{Map, Value, json};

/// One row per arm, the same columns in each.
pub struct Summary {
    pub title: String,
    /// Final values: columns of the record, in the order of the plots.
    pub metrics: Vec<String>,
    pub threshold: Option<Threshold>,
    pub rows: Vec<SummaryRow>,
    /// Of the environments in which arms are evaluated, each once, where it is known.
    pub best_returns: Vec<BestReturn>,
}

pub struct SummaryRow {
    pub arm: String,
    pub n: usize,
    pub failed: usize,
    /// Per metric; nothing where the arm has no such column.
    pub finals: Vec<Option<Estimate>>,
    /// Examples to the threshold, and how many trials got there.
    pub to_threshold: Option<(Estimate, usize)>,
    pub seconds: Option<Estimate>,
}

impl Summary {
    /// # Errors
    /// When there is no environment like that of an arm.
    pub fn of(report: &Report) -> Result<Summary> {
        let mut metrics: Vec<String> = Vec::new();
        for column in report.experiment.plots.iter().flat_map(|plot| &plot.y) {
            if !metrics.contains(column) {
                metrics.push(column.clone());
            }
        }
        let threshold = report.experiment.threshold.clone();
        let row = |arm: &ArmRecords| SummaryRow {
            arm: arm.name.clone(),
            n: arm.trials.len(),
            failed: arm.failed.len(),
            finals: metrics.iter().map(|metric| arm.last(metric)).collect(),
            to_threshold: threshold.as_ref().and_then(|threshold| to_threshold(arm, threshold)),
            seconds: arm.seconds(),
        };
        let rows = report.arms.iter().map(row).collect();
        let best_returns = best_returns(&report.experiment.arms)?;
        Ok(Summary { title: report.experiment.title.clone(), metrics, threshold, rows, best_returns })
    }

    fn threshold_name(&self) -> Option<String> {
        self.threshold.as_ref().map(|threshold| format!("examples to {} {}", threshold.metric, threshold.value))
    }

    /// For the terminal: `0.962 [0.955, 0.968]`, aligned.
    pub fn text(&self) -> String {
        let head = ["arm".to_string(), "n".into()].into_iter().chain(self.metrics.iter().cloned());
        let mut table = vec![head.chain(self.threshold_name()).chain(["seconds".into()]).collect::<Vec<String>>()];
        for row in &self.rows {
            let n = if row.failed == 0 { row.n.to_string() } else { format!("{} ({} failed)", row.n, row.failed) };
            let mut cells = vec![row.arm.clone(), n];
            cells.extend(
                row.finals
                    .iter()
                    .map(|estimate| estimate.map_or("–".into(), |estimate| significant(estimate, row.n))),
            );
            if self.threshold.is_some() {
                cells.push(row.to_threshold.map_or("–".into(), |(estimate, reached)| {
                    let whole = [estimate.point, estimate.low, estimate.high].map(whole);
                    let share = if reached < row.n { format!(", {reached}/{}", row.n) } else { String::new() };
                    format!("{} [{}, {}]{share}", whole[0], whole[1], whole[2])
                }));
            }
            cells.push(row.seconds.map_or("–".into(), |estimate| format!("{:.2}", estimate.point)));
            table.push(cells);
        }
        let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..table[0].len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
        };
        let rule = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  ");
        let body = table[1..].iter().map(line).collect::<Vec<_>>().join("\n");
        let note = "interquartile mean [95 % bootstrap interval] over n seeds; at the end of training";
        let best = self.best_returns.iter().map(|best| format!("{best}\n")).collect::<String>();
        format!("{}\n\n{}\n{rule}\n{body}\n\n{note}\n{best}", self.title, line(&table[0]))
    }

    pub fn csv(&self) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let triple = |name: &str| ["", "_low", "_high"].map(|end| format!("{name}{end}"));
        let mut head = vec!["arm".to_string(), "n".into(), "failed".into()];
        head.extend(self.metrics.iter().flat_map(|metric| triple(metric)));
        if self.threshold.is_some() {
            head.extend(triple("examples_to_threshold"));
            head.push("reached_threshold".into());
        }
        head.extend(triple("seconds"));
        let csv_error = |error: csv::Error| Error::Argument(format!("the summary: {error}"));
        writer.write_record(&head).map_err(csv_error)?;
        let cells = |estimate: Option<Estimate>| match estimate {
            Some(Estimate { point, low, high }) => [point, low, high].map(|value| value.to_string()),
            None => [const { String::new() }; 3],
        };
        for row in &self.rows {
            let mut record = vec![row.arm.clone(), row.n.to_string(), row.failed.to_string()];
            record.extend(row.finals.iter().flat_map(|estimate| cells(*estimate)));
            if self.threshold.is_some() {
                record.extend(cells(row.to_threshold.map(|(estimate, _)| estimate)));
                record.push(row.to_threshold.map_or(String::new(), |(_, reached)| reached.to_string()));
            }
            record.extend(cells(row.seconds));
            writer.write_record(&record).map_err(csv_error)?;
        }
        writer.into_inner().map_err(|error| Error::Argument(format!("the summary: {error}")))
    }

    pub fn json(&self) -> Result<Vec<u8>> {
        // JSON has no infinity; a threshold that was not reached is null.
        let of = |estimate: Option<Estimate>| match estimate {
            Some(Estimate { point, low, high }) => json!({ "point": point, "low": low, "high": high }),
            None => Value::Null,
        };
        let arm = |row: &SummaryRow| {
            let finals = self.metrics.iter().zip(&row.finals).map(|(metric, estimate)| (metric.clone(), of(*estimate)));
            let mut entry = json!({
                "arm": row.arm,
                "n": row.n,
                "failed": row.failed,
                "final": Value::Object(finals.collect::<Map<String, Value>>()),
                "seconds": of(row.seconds),
            });
            if let Some((estimate, reached)) = row.to_threshold {
                entry["examples_to_threshold"] = of(Some(estimate));
                entry["reached_threshold"] = json!(reached);
            }
            entry
        };
        let mut whole = json!({
            "title": self.title,
            "statistic": "interquartile mean over seeds; low and high are the ends of a 95 % percentile bootstrap interval",
        });
        if let Some(threshold) = &self.threshold {
            whole["threshold"] = json!({ "metric": threshold.metric, "value": threshold.value });
        }
        if !self.best_returns.is_empty() {
            let best = |best: &BestReturn| {
                json!({
                    "environment": best.environment,
                    "max_steps": best.max_steps,
                    "expected": best.expected,
                    "found": best.found,
                })
            };
            whole["best_returns"] = self.best_returns.iter().map(best).collect();
        }
        whole["arms"] = self.rows.iter().map(arm).collect();
        let text =
            serde_json::to_string_pretty(&whole).map_err(|error| Error::Argument(format!("the summary: {error}")))?;
        Ok((text + "\n").into_bytes())
    }
}

/// Under the options and the time limit of each arm's evaluation.
fn best_returns(arms: &[Arm]) -> Result<Vec<BestReturn>> {
    let mut known: Vec<BestReturn> = Vec::new();
    for arm in arms {
        let Some(id) = &arm.task.env else { continue };
        let judged = Environment::new(id, &arm.task)?.with_options(arm.evaluation.options.as_ref())?;
        let label = judged.label();
        if known.iter().all(|best| best.environment != label) {
            known.extend(judged.best_return());
        }
    }
    Ok(known)
}

/// Whether more of a column is better; returns and rewards are.
pub(super) fn higher_is_better(column: &str) -> bool {
    metric::of_column(column).and_then(|metric| metric.higher_is_better).unwrap_or(true)
}

fn to_threshold(arm: &ArmRecords, threshold: &Threshold) -> Option<(Estimate, usize)> {
    let higher = higher_is_better(&threshold.metric);
    let reached = |value: f64| if higher { value >= threshold.value } else { value <= threshold.value };
    let examples = arm.examples_to(&threshold.metric, reached);
    let count = examples.iter().filter(|examples| examples.is_finite()).count();
    Some((estimate(&examples)?, count))
}

/// Three numbers with as many decimals as the width of the interval deserves; one trial has no interval.
pub(super) fn significant(estimate: Estimate, n: usize) -> String {
    let width = estimate.high - estimate.low;
    let decimals = if width > 0.0 { (2.0 - width.log10().floor()).clamp(0.0, 6.0) } else { 3.0 } as usize;
    let decimals = decimals.min(if estimate.point.abs() >= 10.0 { 1 } else { 4 });
    // Rounding must not leave the sign of a zero behind.
    let text = |value: f64| {
        let text = format!("{value:.decimals$}");
        if text.trim_matches(['-', '0', '.']).is_empty() { text.trim_start_matches('-').to_string() } else { text }
    };
    match n {
        1 => text(estimate.point),
        _ => format!("{} [{}, {}]", text(estimate.point), text(estimate.low), text(estimate.high)),
    }
}

/// `12,345`; `never` for infinity.
fn whole(value: f64) -> String {
    if !value.is_finite() {
        return "never".into();
    }
    let digits = format!("{value:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}
