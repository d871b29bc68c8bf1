//! For the terminal.

use super::Summary;
use crate::aligned::{self, Side};
use crate::numbers::grouped;
use crate::report::comparison::TESTS_WITHOUT_ADJUSTMENT;
use crate::report::statistics::Estimate;
use crate::report::{Comparison, ComparisonRow, PairedDifference, interval, short_label};

impl Summary {
    fn threshold_name(&self) -> Option<String> {
        self.threshold
            .as_ref()
            .map(|threshold| format!("examples to {} {}", short_label(&threshold.metric), threshold.value))
    }

    /// For the terminal: `0.962 [0.955, 0.968]`, aligned; in several tables where one would be wider than so many characters.
    pub fn text(&self, width: Option<usize>) -> String {
        let head = ["arm".to_string(), "n".into()]
            .into_iter()
            .chain(self.metrics[..self.plotted].iter().map(|metric| short_label(metric)));
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
        let tables = by_columns(&table).into_iter().flat_map(|table| fitting(table, width.unwrap_or(usize::MAX)));
        let tables = tables.map(|table| ruled(&table)).collect::<Vec<_>>().join("\n");
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

/// The table as several that are not wider than this, as far as that is possible: each begins with the arms.
fn fitting(table: Vec<Vec<String>>, width: usize) -> Vec<Vec<Vec<String>>> {
    let wide = aligned::widths(&table);
    let mut groups: Vec<Vec<usize>> = vec![vec![]];
    let mut taken = wide[0];
    for (column, wide) in wide.iter().enumerate().skip(1) {
        if taken + 2 + wide > width && groups.last().is_some_and(|group| !group.is_empty()) {
            groups.push(vec![]);
            taken = aligned::widths(&table)[0];
        }
        taken += 2 + wide;
        groups.last_mut().into_iter().for_each(|group| group.push(column));
    }
    let of = |group: &Vec<usize>| {
        let cells = |row: &Vec<String>| std::iter::once(&0).chain(group).map(|column| row[*column].clone()).collect();
        table.iter().map(cells).collect()
    };
    groups.iter().map(of).collect()
}

/// Below the comparisons.
const COMPARISON_LEGEND: &str = "\
difference: mean of arm minus reference over n common seeds [95 % Student's interval]; p: paired t test, two-sided;
effect size: mean difference over its standard deviation; P(better): chance that a run of the arm is better than one
of the reference [95 % bootstrap interval from 5 seeds on]
";

/// With a rule below the head.
fn ruled(table: &[Vec<String>]) -> String {
    let mut lines = aligned::lines(table, |_| Side::Left);
    let rule = aligned::widths(table).iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  ");
    lines.insert(1, rule);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A table at the end of training and one of the area under the curve.
fn compared(comparison: &Comparison) -> String {
    let (metric, reference) = (short_label(&comparison.metric), &comparison.reference);
    let better = if comparison.higher_is_better { "higher" } else { "lower" };
    let table = |of: fn(&ComparisonRow) -> Option<PairedDifference>| {
        let p = if comparison.adjusted_for().is_some() { "p, adjusted" } else { "p" };
        let head = ["arm", "n", "difference", p, "effect size", "P(better)"].map(String::from).to_vec();
        let rows = comparison.rows.iter().map(|row| difference_cells(&row.arm, of(row)));
        ruled(&[head].into_iter().chain(rows).collect::<Vec<_>>())
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
    grouped(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_table_becomes_several_that_fit() {
        let table: Vec<Vec<String>> =
            [["arm", "n", "accuracy", "cross-entropy"], ["label", "10", "0.9 [0.8, 1.0]", "0.3 [0.2, 0.4]"]]
                .map(|row| row.map(String::from).to_vec())
                .to_vec();
        assert_eq!(fitting(table.clone(), 80), vec![table.clone()]);
        let narrow = fitting(table.clone(), 30);
        assert_eq!(narrow.len(), 2);
        assert_eq!(narrow[1], [["arm", "cross-entropy"], ["label", "0.3 [0.2, 0.4]"]]);
        assert!(
            narrow
                .iter()
                .flat_map(|table| ruled(table).lines().map(|line| line.chars().count()).collect::<Vec<_>>())
                .all(|n| n <= 30)
        );
        assert_eq!(fitting(table, 1).len(), 3, "a column each");
    }
}
