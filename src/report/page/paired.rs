//! Each arm against the first one, seed by seed.

use super::parts::{all, scrolling, with_interval};
use super::text::{grouped, minus};
use crate::report::summary::difference_cells;
use crate::report::{Comparison, ComparisonRow, PairedDifference, label};
use maud::{Markup, html};

/// At the end of training, and on average over it.
pub(super) fn table(comparison: &Comparison) -> Markup {
    let [from, to] = [comparison.examples.0, comparison.examples.1].map(grouped);
    let over = format!("on average over examples {from} to {to} (area under the curve)");
    let p = if comparison.adjusted_for().is_some() { "p, adjusted" } else { "p" };
    let table = html! {
        table {
            caption { span { (caption(comparison)) } }
            thead {
                tr {
                    @for head in ["arm", "n", "difference", p, "effect size", "P(better)"] { th scope="col" { (head) } }
                }
            }
            (body(comparison, "at the end of training", |row| row.last))
            (body(comparison, &over, |row| row.area))
        }
    };
    html! {
        h3 { "Against " (comparison.reference) ", seed by seed" }
        (scrolling("paired comparison", &table))
    }
}

fn caption(comparison: &Comparison) -> Markup {
    let better = if comparison.higher_is_better { "higher" } else { "lower" };
    html! {
        (label(&comparison.metric)) " (" (better) " is better). Difference: mean of the arm minus " (comparison.reference)
        ", over the n seeds that both finished [95 % Student’s interval]; p: paired t test, two-sided; effect size: mean difference over \
         its standard deviation; P(better): the chance that a run of the arm is better than one of " (comparison.reference)
        " [from 5 seeds on, 95 % percentile bootstrap interval]."
        @if let Some(tests) = comparison.adjusted_for() {
            " The p values are adjusted for " (tests) " tests by Holm’s method; intervals are not."
        }
    }
}

fn body(comparison: &Comparison, title: &str, of: fn(&ComparisonRow) -> Option<PairedDifference>) -> Markup {
    let row = |row: &ComparisonRow| {
        html! {
            tr {
                th scope="row" { (row.arm) }
                @for cell in &difference_cells(&row.arm, of(row))[1..] { td { (with_interval(&minus(cell))) } }
            }
        }
    };
    html! {
        tbody {
            tr { th scope="rowgroup" colspan="6" class="group" { (title) } }
            (all(comparison.rows.iter().map(row)))
        }
    }
}
