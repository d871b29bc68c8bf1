//! `report.html`: the whole answer on one page that needs nothing else, neither a network nor a script. The script adds what
//! paper can't: other axes, arms that come and go, and the numbers behind a point.

mod answer;
mod chart;
mod data;
mod drawings;
mod html;
mod legend;
mod making;
mod mark;
mod order;
mod paired;
mod panels;
mod strips;
mod tracking;
mod trials;

use super::{Report, Summary, axis_label, comparison};
use crate::Result;
use data::Curves;
use html::{count, escape, grouped, json_text};
use order::{Order, Profiles};
use panels::Columns;
use tracking::Pair;

/// The page; the same records give the same bytes.
pub(super) fn html(report: &Report, summary: &Summary) -> Result<Vec<u8>> {
    let columns = Columns::of(report);
    let curves = Curves::of(report, summary, &columns.all());
    let pairs = Pair::all(&curves, columns.judged.first());
    let groups = comparison::groups(&report.experiment.arms);
    let orders: Vec<Order> = groups.iter().filter_map(|group| Order::of(report, group, &columns.judged)).collect();
    let profiles: Vec<Profiles> = orders.iter().map(Order::profiles).collect();
    let sections = [
        answer(report, summary, &columns, &groups),
        learning(report, &curves, &columns),
        order_section(&orders, &profiles, summary),
        tracking::section(report, &curves, &pairs, &columns.judged),
        drawings::section(report)?,
        diagnostics(report, &curves, &columns),
        trials::section(report),
        making::section(report)?,
    ];
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n{}<main>\n{}</main>\n\
         <footer><p>Written by Lossward from the records of this folder.</p></footer>\n\
         <script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{}</script>\n</body>\n</html>\n",
        escape(&report.experiment.title),
        include_str!("page.css"),
        header(report),
        sections.concat(),
        json(report, &curves, &pairs, &profiles),
        include_str!("page.js"),
    );
    Ok(page.into_bytes())
}

/// Nothing where no arms can be compared.
fn order_section(orders: &[Order], profiles: &[Profiles], summary: &Summary) -> String {
    if orders.is_empty() {
        return String::new();
    }
    let figures = orders.iter().zip(profiles.iter().enumerate()).map(|(order, of)| order.figures(of, orders.len() > 1));
    let paired = summary.comparisons.iter().map(paired::table);
    let alone = match &summary.alone[..] {
        [] => String::new(),
        alone => format!(
            "<p class=\"note\">Not compared, because no other arm learns the same: {}.</p>",
            escape(&alone.join("; "))
        ),
    };
    format!(
        "<section id=\"order\"><h2>How sure is the order?</h2>{}{}{alone}</section>\n",
        figures.collect::<String>(),
        paired.collect::<String>()
    )
}

fn json(report: &Report, curves: &Curves, pairs: &[Pair], profiles: &[Profiles]) -> String {
    let arms = data::list(report.arms.iter().map(|arm| json_text(&arm.name)));
    let name = |axis: &&str| json_text(&axis_label(axis, report.experiment.arms.iter()));
    let axes = data::list(data::AXES.iter().map(name));
    let pairs = data::list(pairs.iter().map(Pair::json));
    let profiles = data::list(profiles.iter().map(|profiles| profiles.json()));
    format!("{{\"arms\":{arms},\"axes\":{axes},\"pairs\":{pairs},\"profiles\":{profiles},{}}}", curves.json())
}

fn header(report: &Report) -> String {
    let experiment = &report.experiment;
    let question = experiment
        .question
        .as_ref()
        .map_or(String::new(), |question| format!("<p class=\"question\">{}</p>\n", escape(&first_upper(question))));
    format!(
        "<header><button type=\"button\" id=\"theme\" class=\"scripted\">dark</button>\n<h1>{}</h1>\n{question}\
         <p class=\"facts\">{}</p>\n{}</header>\n",
        escape(&experiment.title),
        escape(&facts(report)),
        trials::notice(report),
    )
}

fn first_upper(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or(String::new(), |first| first.to_uppercase().chain(rest).collect())
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
    format!(
        "{} × {} on {}; {} examples{each}",
        count(arms, "arm"),
        count(seeds, "seed"),
        tasks.join(", "),
        budgets.join(" or ")
    )
}

/// What was best, for each group of arms that learn the same.
fn answer(report: &Report, summary: &Summary, columns: &Columns, groups: &[Vec<usize>]) -> String {
    let of_group = |group: &Vec<usize>| {
        let metric = order::first_judged(report, group, &columns.judged)?;
        let best = answer::sentence(report, group, metric)?;
        let next = Order::of(report, group, &columns.judged).and_then(|order| order.runner_up());
        let next = next.map_or(String::new(), |next| format!(" {next}"));
        Some(escape(&first_upper(&format!("{best}{next}"))))
    };
    let sentences: Vec<String> = groups.iter().filter_map(of_group).collect();
    let lead = match &sentences[..] {
        [] => {
            return "<section id=\"answer\"><h2>Answer</h2><p>No trial has finished yet: there is nothing to compare.</p></section>\n"
                .to_string();
        }
        [only] => format!("<p class=\"lead\">{only}</p>"),
        several => several.iter().map(|sentence| format!("<p>{sentence}</p>")).collect(),
    };
    let mut metrics: Vec<String> = columns.judged.iter().take(1).cloned().collect();
    metrics.extend(
        summary.metrics[..summary.plotted].iter().filter(|metric| Some(*metric) != columns.judged.first()).cloned(),
    );
    format!(
        "<section id=\"answer\"><h2>Answer</h2>{lead}{}<h3>Final scores</h3><p class=\"note\">\
         Large dot and bar: interquartile mean over n seeds and its {}; small dots: the seeds.</p>\
         <div class=\"stack\">{}</div></section>\n",
        answer::table(report, summary),
        report.interval(),
        strips::strips(report, summary, &metrics),
    )
}

fn learning(report: &Report, curves: &Curves, columns: &Columns) -> String {
    let panels = panels::panels(report, curves, &columns.asked);
    if panels.is_empty() {
        return panels;
    }
    format!(
        "<section id=\"curves\"><h2>Learning curves</h2><p>Lines: interquartile mean over n seeds; bands: {}.</p>{}<div class=\"panels\">{panels}</div></section>\n",
        report.interval(),
        legend::toolbar(report)
    )
}

fn diagnostics(report: &Report, curves: &Curves, columns: &Columns) -> String {
    let (gradient, others) = columns.diagnostic.split_at(columns.diagnostic.len().min(1));
    let gradient = panels::panels(report, curves, gradient);
    let others = panels::panels(report, curves, others);
    if gradient.is_empty() && others.is_empty() {
        return String::new();
    }
    let more = if others.is_empty() {
        String::new()
    } else {
        format!(
            "<details><summary>Every other column of the record</summary><div class=\"panels\">{others}</div></details>"
        )
    };
    format!(
        "<section id=\"diagnostics\"><h2>How training went</h2><p>Gradients are measured before clipping; lines and bands as \
         above.</p><div class=\"panels\">{gradient}</div>{more}</section>\n"
    )
}
