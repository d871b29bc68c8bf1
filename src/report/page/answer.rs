//! What was best: in a sentence, as a table that can be sorted, and seed by seed.

use super::order::Order;
use super::panels::Columns;
use super::parts::{all, key, scrolling, with_interval};
use super::strips;
use super::text::{first_upper, minus, number};
use crate::report::statistics::Estimate;
use crate::report::summary::{higher_is_better, significant};
use crate::report::{Report, Summary, SummaryRow, label};
use maud::{Markup, html};

/// For each group of arms that learn the same.
pub(super) fn section(report: &Report, summary: &Summary, columns: &Columns, groups: &[Vec<usize>]) -> Markup {
    let sentences: Vec<String> = groups.iter().filter_map(|group| of_group(report, group)).collect();
    let first = columns.judged.first();
    let others = summary.metrics[..summary.plotted].iter().filter(|metric| Some(*metric) != first);
    let metrics: Vec<&String> = first.into_iter().chain(others).collect();
    html! {
        section id="answer" {
            h2 { "Answer" }
            @match &sentences[..] {
                [] => { p { "No trial has finished yet: there is nothing to compare." } },
                [lead, others @ ..] => {
                    @if others.is_empty() { p.lead { (lead) } } @else { p { (lead) } }
                    @for sentence in others { p { (sentence) } }
                    (table(report, summary))
                    h3 { "Final scores" }
                    p.note {
                        "Large dot and bar: interquartile mean over n seeds and its " (report.interval()) "; small dots: the seeds."
                    }
                    div.stack { (strips::strips(report, summary, &metrics)) }
                },
            }
        }
    }
}

fn of_group(report: &Report, group: &[usize]) -> Option<String> {
    let (metric, _) = report.deciding(group)?;
    let best = sentence(report, group, &metric)?;
    let next = Order::of(report, group).and_then(|order| order.runner_up());
    Some(first_upper(&[Some(best), next].into_iter().flatten().collect::<Vec<_>>().join(" ")))
}

fn table(report: &Report, summary: &Summary) -> Markup {
    let mut heads = vec!["arm".to_string(), "n".into()];
    heads.extend(summary.metrics[..summary.plotted].iter().map(|metric| label(metric)));
    heads.extend(summary.threshold.as_ref().map(|of| format!("examples to {} {}", label(&of.metric), of.value)));
    heads.push("seconds of training".into());
    let table = html! {
        table.answer {
            caption {
                span {
                    "Each entry: interquartile mean over n seeds at the end of training [" (report.interval()) "]."
                    @for best in &summary.best_returns { " " (best) "." }
                }
            }
            thead {
                tr {
                    @for head in heads { th scope="col" { button type="button" { (head) } } }
                }
            }
            tbody { (all(summary.rows.iter().enumerate().map(|(i, row)| table_row(summary, i, row)))) }
        }
    };
    scrolling("the answer", &table)
}

fn table_row(summary: &Summary, arm: usize, row: &SummaryRow) -> Markup {
    let to_threshold = |estimate: Estimate| {
        let reached = row.to_threshold.map_or(0, |to| to.reached);
        let [point, low, high] = [estimate.point, estimate.low, estimate.high].map(number);
        let some = if reached < row.n { format!(" {reached} of {} got there", row.n) } else { String::new() };
        if row.n > 1 { format!("{point} [{low}, {high}]{some}") } else { format!("{point}{some}") }
    };
    html! {
        tr {
            th scope="row" data-value=(arm) { (key(arm)) (row.arm) }
            td data-value=(row.n) {
                (row.n)
                @if row.failed > 0 { " " small { (row.failed) " failed" } }
            }
            @for estimate in &row.finals[..summary.plotted] {
                (cell(*estimate, |estimate| significant(estimate, row.n)))
            }
            @if summary.threshold.is_some() {
                (cell(row.to_threshold.map(|to| to.examples), to_threshold))
            }
            (cell(row.seconds, |estimate| significant(estimate, row.n)))
        }
    }
}

fn cell(estimate: Option<Estimate>, text: impl Fn(Estimate) -> String) -> Markup {
    html! {
        @match estimate {
            None => { td { "–" } },
            Some(estimate) => { td data-value=(estimate.point) { (with_interval(&minus(&text(estimate)))) } },
        }
    }
}

/// Which of these arms is first by what decides, in a sentence; nothing without a finished trial.
fn sentence(report: &Report, group: &[usize], metric: &str) -> Option<String> {
    let finals = group.iter().map(|&arm| &report.arms[arm]).filter_map(|arm| Some((arm, arm.last(metric)?)));
    let finals: Vec<_> = finals.filter(|(_, estimate)| !estimate.point.is_nan()).collect();
    let sign = if higher_is_better(metric) { 1.0 } else { -1.0 };
    let best = finals.iter().max_by(|a, b| (sign * a.1.point).total_cmp(&(sign * b.1.point)))?;
    let equal: Vec<&str> =
        finals.iter().filter(|(_, e)| e.point == best.1.point).map(|(arm, _)| arm.name.as_str()).collect();
    let n = best.0.trials.len();
    let (name, value) = (label(metric), minus(&significant(best.1, n)));
    let each = if equal.len() > 1 { "each " } else { "" };
    let of = match finals.len() {
        1 => format!("{name} at the end of training"),
        _ => format!("Best by {name}, at the end of training"),
    };
    Some(format!("{of}: {}, {each}{value} (n\u{a0}=\u{a0}{n}).", equal.join(" and ")))
}
