//! The answer as a table that can be sorted.

use super::html::{escape, number};
use super::legend::key;
use crate::report::statistics::Estimate;
use crate::report::summary::{higher_is_better, significant};
use crate::report::{Report, Summary, SummaryRow, label};

pub(super) fn table(report: &Report, summary: &Summary) -> String {
    let mut heads = vec!["arm".to_string(), "n".into()];
    heads.extend(summary.metrics[..summary.plotted].iter().map(|metric| label(metric)));
    heads.extend(summary.threshold.as_ref().map(|of| format!("examples to {} {}", label(&of.metric), of.value)));
    heads.push("seconds of training".into());
    let head: String = heads
        .iter()
        .map(|head| format!("<th scope=\"col\"><button type=\"button\">{}</button></th>", escape(head)))
        .collect();
    let rows: String = summary.rows.iter().enumerate().map(|(i, row)| table_row(summary, i, row)).collect();
    let best: String = summary.best_returns.iter().map(|best| format!(" {}.", escape(&best.to_string()))).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"the answer\"><table class=\"answer\">\
         <caption><span>Each entry: interquartile mean over n seeds at the end of training [{}].{best}</span></caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>\n",
        report.interval()
    )
}

fn table_row(summary: &Summary, arm: usize, row: &SummaryRow) -> String {
    let failed = if row.failed == 0 { String::new() } else { format!(" <small>{} failed</small>", row.failed) };
    let mut cells = format!(
        "<th scope=\"row\" data-value=\"{arm}\">{}{}</th><td data-value=\"{}\">{}{failed}</td>",
        key(arm),
        escape(&row.arm),
        row.n,
        row.n,
    );
    for estimate in &row.finals[..summary.plotted] {
        cells += &cell(*estimate, |estimate| significant(estimate, row.n));
    }
    if summary.threshold.is_some() {
        let reached = row.to_threshold.map_or(0, |to| to.reached);
        cells += &cell(row.to_threshold.map(|to| to.examples), |estimate| {
            let [point, low, high] = [estimate.point, estimate.low, estimate.high].map(number);
            let some = if reached < row.n { format!(" {reached} of {} got there", row.n) } else { String::new() };
            if row.n > 1 { format!("{point} [{low}, {high}]{some}") } else { format!("{point}{some}") }
        });
    }
    cells += &cell(row.seconds, |estimate| significant(estimate, row.n));
    format!("<tr>{cells}</tr>\n")
}

fn cell(estimate: Option<Estimate>, text: impl Fn(Estimate) -> String) -> String {
    match estimate {
        None => "<td>–</td>".into(),
        Some(estimate) => {
            let text = text(estimate).replace('-', "−");
            let (point, interval) = text.split_once(' ').unwrap_or((&text, ""));
            format!("<td data-value=\"{}\">{point} <small>{interval}</small></td>", estimate.point)
        }
    }
}

/// Which of these arms is first by what decides, in a sentence; nothing without a finished trial.
pub(super) fn sentence(report: &Report, group: &[usize], metric: &str) -> Option<String> {
    let finals = group.iter().map(|&arm| &report.arms[arm]).filter_map(|arm| Some((arm, arm.last(metric)?)));
    let finals: Vec<_> = finals.filter(|(_, estimate)| !estimate.point.is_nan()).collect();
    let sign = if higher_is_better(metric) { 1.0 } else { -1.0 };
    let best = finals.iter().max_by(|a, b| (sign * a.1.point).total_cmp(&(sign * b.1.point)))?;
    let equal: Vec<&str> =
        finals.iter().filter(|(_, e)| e.point == best.1.point).map(|(arm, _)| arm.name.as_str()).collect();
    let n = best.0.trials.len();
    let (name, value) = (label(metric), significant(best.1, n).replace('-', "−"));
    let each = if equal.len() > 1 { "each " } else { "" };
    let of = match finals.len() {
        1 => format!("{name} at the end of training"),
        _ => format!("Best by {name}, at the end of training"),
    };
    Some(format!("{of}: {}, {each}{value} (n\u{a0}=\u{a0}{n}).", equal.join(" and ")))
}
