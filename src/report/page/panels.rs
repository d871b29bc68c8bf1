//! Learning curves: which columns are shown where, and a panel for each.

use super::chart::{Chart, Line};
use super::data::{AXES, ColumnCurves, Curves};
use super::legend;
use super::mark::said;
use super::parts::all;
use super::text::sizes;
use crate::regularizer::PENALTIES;
use crate::report::turns::turns;
use crate::report::{Report, axis_label, is_counter, label};
use maud::{Markup, html};

/// The columns of an experiment's records, by what they are for.
pub(super) struct Columns {
    /// What is asked: the columns of the plots, the loss, the penalties, the reward and the evaluation.
    pub asked: Vec<String>,
    /// How the training went: the gradient's norm first.
    pub diagnostic: Vec<String>,
    /// Of the evaluation: what people judge by.
    pub judged: Vec<String>,
}

impl Columns {
    pub fn of(report: &Report) -> Columns {
        let mut columns = Columns { asked: Vec::new(), diagnostic: Vec::new(), judged: Vec::new() };
        let plotted = report.experiment.plots.iter().flat_map(|plot| &plot.y);
        columns.asked.extend(plotted.filter(|column| !report.is_constant(column)).cloned());
        let records = report.arms.iter().filter_map(|arm| arm.trials.first());
        let mut recorded: Vec<&String> = Vec::new();
        for trial in records {
            let names = &trial.rows.columns;
            columns.judged.extend(trial.rows.evaluated().iter().filter(|name| is_judged(name)).cloned());
            recorded.extend(names.iter().filter(|name| !is_counter(name)));
        }
        let is_asked = |name: &&&String| name.as_str() == "loss" || PENALTIES.contains(&name.as_str());
        columns.asked.extend(recorded.iter().filter(is_asked).map(|name| (*name).clone()));
        columns.asked.extend(columns.judged.iter().cloned());
        columns.diagnostic.push("gradient_norm".into());
        columns.diagnostic.extend(recorded.into_iter().cloned());
        [&mut columns.asked, &mut columns.diagnostic, &mut columns.judged].into_iter().for_each(without_repetition);
        columns.diagnostic.retain(|name| !columns.asked.contains(name));
        columns
    }

    pub fn all(&self) -> Vec<String> {
        self.asked.iter().chain(&self.diagnostic).cloned().collect()
    }
}

/// Of the columns of an evaluation, the length of episodes and the entropy say how, not how well.
fn is_judged(column: &str) -> bool {
    !matches!(column, "length" | "entropy")
}

fn without_repetition(names: &mut Vec<String>) {
    let mut seen: Vec<String> = Vec::new();
    names.retain(|name| {
        let new = !seen.contains(name);
        seen.extend(new.then(|| name.clone()));
        new
    });
}

/// What was asked; nothing where nothing has curves.
pub(super) fn learning(report: &Report, curves: &Curves, columns: &Columns) -> Markup {
    let panels = panels(report, curves, &columns.asked);
    html! {
        @if !panels.is_empty() {
            section id="curves" {
                h2 { "Learning curves" }
                p { "Lines: interquartile mean over n seeds; bands: " (report.interval()) "." }
                (legend::toolbar(report))
                div.panels { (all(panels)) }
            }
        }
    }
}

/// How the training went; nothing where nothing has curves.
pub(super) fn diagnostics(report: &Report, curves: &Curves, columns: &Columns) -> Markup {
    let (gradient, others) = columns.diagnostic.split_at(columns.diagnostic.len().min(1));
    let [gradient, others] = [gradient, others].map(|columns| panels(report, curves, columns));
    html! {
        @if !gradient.is_empty() || !others.is_empty() {
            section id="diagnostics" {
                h2 { "How training went" }
                p { "Gradients are measured before clipping; lines and bands as above." }
                div.panels { (all(gradient)) }
                @if !others.is_empty() {
                    details {
                        summary { "Every other column of the record" }
                        div.panels { (all(others)) }
                    }
                }
            }
        }
    }
}

/// A panel per column, of those that have curves.
fn panels(report: &Report, curves: &Curves, columns: &[String]) -> Vec<Markup> {
    columns.iter().filter_map(|column| Some(panel(report, curves, curves.chart(column)?))).collect()
}

fn panel(report: &Report, curves: &Curves, (index, chart): (usize, &ColumnCurves)) -> Markup {
    let (name, axis) = (label(&chart.column), axis_label(AXES[0], report.experiment.arms.iter()));
    let lines = chart.series.iter().filter_map(|series| {
        let x = &curves.x[series.arm].as_ref()?[0];
        let x = &x[series.first..series.first + series.y.len()];
        Some(Line { arm: series.arm, name: &report.arms[series.arm].name, x, y: series.y.clone() })
    });
    let turns = turns(report, report.arms.iter().map(|arm| &arm.name[..]));
    let drawn = Chart {
        says: &format!("{name} against {axis}"),
        found: ("chart", index),
        lines: lines.collect(),
        marks: &chart.marks,
        turns: &turns,
        logarithmic: [false, chart.logarithmic],
        from_zero: true,
        dots: false,
        named: true,
        y_range: chart.range,
    };
    let n = || chart.series.iter().map(|series| series.n);
    html! {
        figure.panel {
            figcaption {
                b { (name) }
                button type="button" class="log scripted" aria-pressed=(chart.logarithmic) title="logarithmic axis" { "log" }
            }
            (drawn.html())
            p.axis { (axis) }
            p.note { (sizes(n())) ", band: " (crate::report::interval::in_words(n())) (said(&chart.marks)) @if !turns.is_empty() { "; vertical: where a phase begins" } }
        }
    }
}
