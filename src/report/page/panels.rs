//! Learning curves: which columns are shown where, and a panel for each.

use super::chart::{Chart, Line};
use super::data::{AXES, ColumnCurves, Curves};
use super::html::{escape, sizes};
use super::mark::said;
use crate::report::{Report, axis_label, label};

/// Penalties, as the record calls them.
const PENALTIES: [&str; 5] = ["l1", "l2", "elastic_net", "entropy_bonus", "kl_penalty"];

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
            recorded.extend(names.iter().skip(4));
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

/// A panel per column, of those that have curves.
pub(super) fn panels(report: &Report, curves: &Curves, columns: &[String]) -> String {
    let of = |column: &String| {
        let (index, chart) = curves.chart(column)?;
        Some(panel(report, curves, (index, chart)))
    };
    columns.iter().filter_map(of).collect()
}

fn panel(report: &Report, curves: &Curves, (index, chart): (usize, &ColumnCurves)) -> String {
    let name = label(&chart.column);
    let lines = chart.series.iter().filter_map(|series| {
        let x = &curves.x[series.arm].as_ref()?[0];
        let x = &x[series.first..series.first + series.y.len()];
        Some(Line { arm: series.arm, name: &report.arms[series.arm].name, x, y: series.y.clone() })
    });
    let drawn = Chart {
        says: &format!("{name} against {}", axis_label(AXES[0], report.experiment.arms.iter())),
        attribute: format!("data-chart=\"{index}\""),
        lines: lines.collect(),
        marks: &chart.marks,
        logarithmic: [false, chart.logarithmic],
        from_zero: true,
        dots: false,
        named: true,
        y_range: chart.range,
    };
    let n = sizes(chart.series.iter().map(|series| series.n));
    format!(
        "<figure class=\"panel\"><figcaption><b>{}</b><button type=\"button\" class=\"log scripted\" \
         aria-pressed=\"{}\" title=\"logarithmic axis\">log</button></figcaption>{}\
         <p class=\"axis\">{}</p><p class=\"note\">{n}, band: {}{}</p></figure>\n",
        escape(&name),
        chart.logarithmic,
        drawn.html(),
        axis_label(AXES[0], report.experiment.arms.iter()),
        crate::report::interval::in_words(chart.series.iter().map(|series| series.n)),
        escape(&said(&chart.marks)),
    )
}
