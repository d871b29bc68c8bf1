//! The answer as a table: for the terminal, as CSV and as JSON.

mod csv;
mod json;
mod text;

pub(super) use text::{difference_cells, significant};

use super::comparison::groups;
use super::statistics::{CONFIDENCE, Estimate, Survival};
use super::{ArmRecords, Comparison, Report, estimate};
use crate::Result;
use crate::experiment::{Arm, Threshold};
use crate::metric;
use crate::task::{BestExpectedReturn, Environment};

/// One row per arm, the same columns in each.
pub struct Summary {
    pub title: String,
    /// Final values: columns of the record, in the order of the plots, and behind them the metrics that are asked for and not plotted, and the
    /// other columns of the evaluation.
    pub metrics: Vec<String>,
    /// How many of them are in the tables that people read: all but the last kind, and what never changes.
    pub plotted: usize,
    pub threshold: Option<Threshold>,
    pub rows: Vec<SummaryRow>,
    /// Each arm against the first one that learns the same.
    pub comparisons: Vec<Comparison>,
    /// Arms that no other one learns the same as.
    pub alone: Vec<String>,
    /// Of the environments in which arms are evaluated, each once, where it is known.
    pub best_returns: Vec<BestExpectedReturn>,
}

pub struct SummaryRow {
    pub arm: String,
    pub n: usize,
    pub failed: usize,
    /// Per metric; nothing where the arm has no such column.
    pub finals: Vec<Option<Estimate>>,
    pub to_threshold: Option<ToThreshold>,
    pub seconds: Option<Estimate>,
}

/// Examples to the threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToThreshold {
    /// The interquartile mean; a trial that never got there counts as infinite.
    pub examples: Estimate,
    /// The median of Kaplan and Meier: a trial that never got there waits for at least as long as it ran.
    pub median: Estimate,
    /// Trials that got there.
    pub reached: usize,
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
        let evaluated =
            || report.arms.iter().filter_map(|arm| arm.trials.first()).flat_map(|trial| trial.rows.evaluated());
        metrics.extend(evaluated().filter(|column| metric::of_column(column).is_some()).cloned());
        let mut seen: Vec<String> = Vec::new();
        metrics.retain(|metric| {
            let new = !seen.contains(metric);
            seen.push(metric.clone());
            new && !report.is_constant(metric)
        });
        let plotted = metrics.len();
        for column in evaluated() {
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
        let comparisons = Comparison::all(report);
        let groups = groups(&report.experiment.arms);
        let alone = groups.iter().filter(|group| group.len() == 1).map(|group| report.arms[group[0]].name.clone());
        let alone = if groups.len() > 1 { alone.collect() } else { Vec::new() };
        let title = report.experiment.title.clone();
        Ok(Summary { title, metrics, plotted, threshold, rows, comparisons, alone, best_returns })
    }
}

/// Under the options and the time limit of each arm's evaluation.
fn best_returns(arms: &[Arm]) -> Result<Vec<BestExpectedReturn>> {
    let mut known: Vec<BestExpectedReturn> = Vec::new();
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

fn to_threshold(arm: &ArmRecords, threshold: &Threshold) -> Option<ToThreshold> {
    let higher = higher_is_better(&threshold.metric);
    let reached = |value: f64| if higher { value >= threshold.value } else { value <= threshold.value };
    let waits = arm.waits(&threshold.metric, reached);
    let examples: Vec<f64> =
        waits.iter().map(|wait| if wait.reached { wait.examples } else { f64::INFINITY }).collect();
    Some(ToThreshold {
        examples: estimate(&examples)?,
        median: Survival::of(&waits).median(CONFIDENCE),
        reached: waits.iter().filter(|wait| wait.reached).count(),
    })
}
