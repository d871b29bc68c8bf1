//! Each arm against the first one, seed by seed.

use super::html::{escape, grouped};
use crate::report::summary::difference_cells;
use crate::report::{Comparison, ComparisonRow, PairedDifference, label};

/// At the end of training, and on average over it.
pub(super) fn table(comparison: &Comparison) -> String {
    let p = if comparison.adjusted_for().is_some() { "p, adjusted" } else { "p" };
    let heads: String = ["arm", "n", "difference", p, "effect size", "P(better)"]
        .iter()
        .map(|head| format!("<th scope=\"col\">{head}</th>"))
        .collect();
    let name = escape(&label(&comparison.metric));
    let better = if comparison.higher_is_better { "higher" } else { "lower" };
    let [from, to] = [comparison.examples.0, comparison.examples.1].map(grouped);
    let adjusted = comparison.adjusted_for().map_or(String::new(), |tests| {
        format!(" The p values are adjusted for {tests} tests by Holm’s method; intervals are not.")
    });
    format!(
        "<h3>Against {}, seed by seed</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"paired comparison\">\
         <table><caption><span>{name} ({better} is better). Difference: mean of the arm minus {}, over the n seeds that both \
         finished [95 % Student’s interval]; p: paired t test, two-sided; effect size: mean difference over its standard \
         deviation; P(better): the chance that a run of the arm is better than one of {} [from 5 seeds on, 95 % percentile bootstrap \
         interval].{adjusted}</span></caption><thead><tr>{heads}</tr></thead>{}{}</table></div>\n",
        escape(&comparison.reference),
        escape(&comparison.reference),
        escape(&comparison.reference),
        body(comparison, "at the end of training", |row| row.last),
        body(comparison, &format!("on average over examples {from} to {to} (area under the curve)"), |row| row.area),
    )
}

fn body(comparison: &Comparison, title: &str, of: fn(&ComparisonRow) -> Option<PairedDifference>) -> String {
    let row = |row: &ComparisonRow| {
        let cells = difference_cells(&row.arm, of(row));
        let texts = cells[1..].iter().map(|cell| {
            let cell = escape(&cell.replace('-', "−"));
            match cell.split_once(" [") {
                Some((point, interval)) => format!("<td>{point} <small>[{interval}</small></td>"),
                None => format!("<td>{cell}</td>"),
            }
        });
        format!("<tr><th scope=\"row\">{}</th>{}</tr>\n", escape(&row.arm), texts.collect::<String>())
    };
    let rows: String = comparison.rows.iter().map(row).collect();
    format!("<tbody><tr><th scope=\"rowgroup\" colspan=\"6\" class=\"group\">{title}</th></tr>{rows}</tbody>")
}
