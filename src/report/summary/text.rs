//! For the terminal.

use super::Summary;
use crate::report::comparison::TESTS_WITHOUT_ADJUSTMENT;
use crate::report::statistics::Estimate;
use crate::report::{Comparison, ComparisonRow, PairedDifference, interval};

impl Summary {
    fn threshold_name(&self) -> Option<String> {
        self.threshold.as_ref().map(|threshold| format!("examples to {} {}", threshold.metric, threshold.value))
    }

    /// For the terminal: `0.962 [0.955, 0.968]`, aligned.
    pub fn text(&self) -> String {
        let head = ["arm".to_string(), "n".into()].into_iter().chain(self.metrics[..self.plotted].iter().cloned());
        let mut table = vec![head.chain(self.threshold_name()).chain(["seconds".into()]).collect::<Vec<String>>()];
        for row in &self.rows {
            let n = if row.failed == 0 { row.n.to_string() } else { format!("{} ({} failed)", row.n, row.failed) };
            let mut cells = vec![row.arm.clone(), n];
            cells.extend(
                row.finals[..self.plotted]
                    .iter()
                    .map(|estimate| estimate.map_or("–".into(), |estimate| significant(estimate, row.n))),
            );
            if self.threshold.is_some() {
                cells.push(row.to_threshold.map_or("–".into(), |to| {
                    let whole = [to.examples.point, to.examples.low, to.examples.high].map(whole);
                    let share = if to.reached < row.n { format!(", {}/{}", to.reached, row.n) } else { String::new() };
                    format!("{} [{}, {}]{share}", whole[0], whole[1], whole[2])
                }));
            }
            cells.push(row.seconds.map_or("–".into(), |estimate| format!("{:.2}", estimate.point)));
            table.push(cells);
        }
        let spread = interval::in_words(self.rows.iter().map(|row| row.n));
        let note = format!("interquartile mean [{spread}] over n seeds; at the end of training");
        let best = self.best_returns.iter().map(|best| format!("{best}\n")).collect::<String>();
        let compared: String =
            self.comparisons.iter().map(|comparison| format!("\n{}", compared(comparison))).collect();
        let alone = match &self.alone[..] {
            [] => String::new(),
            alone => format!("\nnot compared, because no other arm learns the same: {}\n", alone.join("; ")),
        };
        let legend = if compared.is_empty() { "" } else { COMPARISON_LEGEND };
        let tables = by_columns(&table).iter().map(|table| aligned(table)).collect::<Vec<_>>().join("\n");
        format!("{}\n\n{tables}\n{note}\n{best}{compared}{legend}{alone}", self.title)
    }
}

/// The table as several where arms have different columns: rows together that have something in the same ones, without the empty
/// ones.
fn by_columns(table: &[Vec<String>]) -> Vec<Vec<Vec<String>>> {
    let filled = |row: &[String]| (0..row.len()).filter(|column| row[*column] != "–").collect::<Vec<usize>>();
    let head = &table[0];
    let mut groups: Vec<(Vec<usize>, Vec<Vec<String>>)> = Vec::new();
    for row in &table[1..] {
        // An arm without any finished trial belongs to the arms before it.
        let columns = if row[2..].iter().all(|cell| cell == "–") { None } else { Some(filled(row)) };
        match groups.iter_mut().find(|(of, _)| columns.as_ref().is_none_or(|columns| of == columns)) {
            Some((_, rows)) => rows.push(row.clone()),
            None => groups.push((columns.unwrap_or_else(|| (0..head.len()).collect()), vec![row.clone()])),
        }
    }
    let of_group = |(columns, rows): &(Vec<usize>, Vec<Vec<String>>)| {
        let cells = |row: &Vec<String>| columns.iter().map(|column| row[*column].clone()).collect::<Vec<String>>();
        std::iter::once(head).chain(rows).map(cells).collect()
    };
    groups.iter().map(of_group).collect()
}

/// Below the comparisons.
const COMPARISON_LEGEND: &str = "\
difference: mean of arm minus reference over n common seeds [95 % Student's interval]; p: paired t test, two-sided;
effect size: mean difference over its standard deviation; P(better): chance that a run of the arm is better than one
of the reference [95 % bootstrap interval from 5 seeds on]
";

/// Columns as wide as their widest cell, with a rule below the head.
fn aligned(table: &[Vec<String>]) -> String {
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string() + "\n"
    };
    let rule = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  ");
    format!("{}{rule}\n{}", line(&table[0]), table[1..].iter().map(line).collect::<String>())
}

/// A table at the end of training and one of the area under the curve.
fn compared(comparison: &Comparison) -> String {
    let Comparison { metric, reference, .. } = comparison;
    let better = if comparison.higher_is_better { "higher" } else { "lower" };
    let table = |of: fn(&ComparisonRow) -> Option<PairedDifference>| {
        let p = if comparison.adjusted_for().is_some() { "p, adjusted" } else { "p" };
        let head = ["arm", "n", "difference", p, "effect size", "P(better)"].map(String::from).to_vec();
        let rows = comparison.rows.iter().map(|row| difference_cells(&row.arm, of(row)));
        aligned(&[head].into_iter().chain(rows).collect::<Vec<_>>())
    };
    let adjusted = comparison.adjusted_for().map_or(String::new(), |tests| {
        format!(
            "p values are adjusted for all {tests} tests of this report by Holm's method, as for any more than \
             {TESTS_WITHOUT_ADJUSTMENT}; intervals are not\n"
        )
    });
    let (from, to) = comparison.examples;
    format!(
        "Against {reference}, seed by seed: {metric} at the end ({better} is better)\n\n{}\n\
         The same, on average over examples {} to {} (area under the curve)\n\n{}\n{adjusted}",
        table(|row| row.last),
        whole(from),
        whole(to),
        table(|row| row.area),
    )
}

/// Arm, n, difference, p, effect size and the chance to be better.
pub(in crate::report) fn difference_cells(arm: &str, difference: Option<PairedDifference>) -> Vec<String> {
    let Some(difference) = difference else {
        return [arm, "–", "–", "–", "–", "–"].map(String::from).to_vec();
    };
    let p = match difference.adjusted_p.unwrap_or(difference.p) {
        p if p.is_nan() => "–".into(),
        p if p < 1e-4 => "< 0.0001".into(),
        p => format!("{p:.4}"),
    };
    let size = match difference.effect_size {
        size if size.is_nan() => "–".into(),
        size if size.is_infinite() => if size > 0.0 { "∞" } else { "-∞" }.into(),
        size => format!("{size:.2}"),
    };
    let Estimate { point, low, high } = difference.improvement;
    let better = if low.is_nan() { format!("{point:.2}") } else { format!("{point:.2} [{low:.2}, {high:.2}]") };
    let n = difference.n;
    vec![arm.into(), n.to_string(), significant(difference.difference, n), p, size, better]
}

/// From here on numbers are written with a power of ten.
const HUGE: f64 = 1e9;

/// Three numbers with as many decimals as the width of the interval deserves; one trial has no interval.
pub(in crate::report) fn significant(estimate: Estimate, n: usize) -> String {
    let width = estimate.high - estimate.low;
    let decimals = if width > 0.0 { (2.0 - width.log10().floor()).clamp(0.0, 6.0) } else { 3.0 } as usize;
    let decimals = decimals.min(if estimate.point.abs() >= 10.0 { 1 } else { 4 });
    // Rounding must not leave the sign of a zero behind.
    let text = |value: f64| {
        if value.abs() >= HUGE {
            return format!("{value:.2e}");
        }
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
