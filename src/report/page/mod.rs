//! `report.html`: the whole answer on one page that needs nothing else, neither a network nor a script. The script adds what
//! paper can't: other axes, arms that come and go, and the numbers behind a point.

mod answer;
mod chart;
mod data;
mod drawings;
mod json;
mod legend;
mod making;
mod mark;
mod microscope;
mod order;
mod paired;
mod panels;
mod parts;
mod predictions;
mod strips;
mod text;
mod tracking;
mod trials;

use super::{Report, Summary, comparison};
use crate::Result;
use crate::visible::visible;
use data::Curves;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use order::{Order, Profiles};
use panels::Columns;
use text::{count, first_upper, grouped};
use tracking::Pair;

/// The page; the same records give the same bytes.
pub(super) fn html(report: &Report, summary: &Summary) -> Result<Vec<u8>> {
    let columns = Columns::of(report);
    let curves = Curves::of(report, summary, &columns.all());
    let pairs = Pair::all(&curves, columns.judged.first());
    let groups = comparison::groups(&report.experiment.arms);
    let orders: Vec<Order> = groups.iter().filter_map(|group| Order::of(report, group)).collect();
    let profiles: Vec<Profiles> = orders.iter().map(Order::profiles).collect();
    let json = json::of(report, &curves, &pairs, &profiles)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (report.experiment.title) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                (header(report))
                main {
                    (answer::section(report, summary, &columns, &groups))
                    (panels::learning(report, &curves, &columns))
                    (order::section(&orders, &profiles, summary))
                    (tracking::section(report, &curves, &pairs, &columns.judged))
                    (drawings::section(report)?)
                    (microscope::section(report)?)
                    (predictions::section(report)?)
                    (panels::diagnostics(report, &curves, &columns))
                    (trials::section(report))
                    (making::section(report)?)
                }
                footer { p { "Written by Lossward from the records of this folder." } }
                script type="application/json" id="data" { (PreEscaped(json)) }
                script { (PreEscaped(include_str!("page.js"))) }
            }
        }
    };
    Ok(visible(&page.into_string()).into_owned().into_bytes())
}

fn header(report: &Report) -> Markup {
    let experiment = &report.experiment;
    html! {
        header {
            button type="button" id="theme" class="scripted" { "dark" }
            h1 { (experiment.title) }
            @if let Some(question) = &experiment.question {
                p.question { (first_upper(question)) }
            }
            p.facts { (facts(report)) }
            (trials::notice(report))
        }
    }
}

/// `5 arms × 10 seeds on digits, 100,000 examples each`
fn facts(report: &Report) -> String {
    let mut tasks: Vec<String> = Vec::new();
    let mut budgets: Vec<u64> = Vec::new();
    for arm in &report.experiment.arms {
        let dataset = arm.task.dataset.as_ref().map(|dataset| dataset.to_string());
        let task = dataset.or_else(|| arm.task.env.clone()).unwrap_or_default();
        if !tasks.contains(&task) {
            tasks.push(task);
        }
        if !budgets.contains(&arm.budget.examples) {
            budgets.push(arm.budget.examples);
        }
    }
    let budgets: Vec<String> = budgets.iter().map(|budget| grouped(*budget as f64)).collect();
    let (arms, seeds) = (report.arms.len(), report.experiment.seeds.count as usize);
    let each = if arms * seeds > 1 { " each" } else { "" };
    let (arms, seeds, tasks, budgets) =
        (count(arms, "arm"), count(seeds, "seed"), tasks.join(", "), budgets.join(" or "));
    format!("{arms} × {seeds} on {tasks}; {budgets} examples{each}")
}
