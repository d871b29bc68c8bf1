//! Levels to compare with: what counts as learned, and the best return that anyone can expect.

use super::text::minus;
use crate::report::{Report, Summary};
use crate::task::four_decimals;

/// A line across a figure.
#[derive(Clone)]
pub(super) struct Mark {
    pub at: f64,
    /// Its class, which gives it its dashes.
    pub class: &'static str,
    /// `dashed: the threshold 0.9`
    pub says: String,
}

/// Those that belong to a column.
pub(super) fn marks(report: &Report, summary: &Summary, column: &str) -> Vec<Mark> {
    let threshold = report.experiment.threshold.iter().filter(|threshold| threshold.metric == column);
    let threshold = threshold.map(|threshold| Mark {
        at: threshold.value,
        class: "threshold",
        says: minus(&format!("dashed: the threshold {}", threshold.value)),
    });
    let best = match (&summary.best_returns[..], column) {
        ([best], "return" | "deterministic_return") => Some(Mark {
            at: best.expected,
            class: "best",
            says: format!("dotted: the best expected return, {}", minus(&four_decimals(best.expected))),
        }),
        _ => None,
    };
    threshold.chain(best).collect()
}

/// What is said of them beneath a figure.
pub(super) fn said(marks: &[Mark]) -> String {
    marks.iter().map(|mark| format!("; {}", mark.says)).collect()
}
