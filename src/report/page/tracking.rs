//! The loss against what people judge by: does the one track the other?

use super::chart::{Chart, Line};
use super::data::Curves;
use super::html::{escape, sizes};
use super::legend::key;
use crate::report::statistics::{Estimate, spearman};
use crate::report::{ArmRecords, Report, estimate, label, path};

/// An arm's two curves, by their indices in [`Curves::charts`].
pub(super) struct Pair {
    pub arm: usize,
    pub loss: usize,
    pub metric: usize,
}

impl Pair {
    /// One per arm that has both curves.
    pub fn all(curves: &Curves, metric: Option<&String>) -> Vec<Pair> {
        let found = metric.and_then(|metric| Some((curves.chart("loss")?, curves.chart(metric)?)));
        let Some(((loss, losses), (metric, metrics))) = found else { return Vec::new() };
        let arms = losses.series.iter().map(|series| series.arm);
        let arms = arms.filter(|arm| metrics.series.iter().any(|series| series.arm == *arm));
        arms.map(|arm| Pair { arm, loss, metric }).collect()
    }

    pub fn json(&self) -> String {
        format!("{{\"a\":{},\"x\":{},\"y\":{}}}", self.arm, self.loss, self.metric)
    }
}

/// A panel per arm and a table of rank correlations; nothing without a pair.
pub(super) fn section(report: &Report, curves: &Curves, pairs: &[Pair], metrics: &[String]) -> String {
    let Some(first) = pairs.first() else { return String::new() };
    let metric = label(&curves.charts[first.metric].column);
    let panels: String = pairs.iter().enumerate().filter_map(|pair| panel(report, curves, pair, &metric)).collect();
    format!(
        "<section id=\"tracking\"><h2>Does the loss track what people judge by?</h2>\
         <p>The training loss of an arm (for a reward: its negative surrogate) against {} at the same rows. A loss that tracks a \
         metric has a rank correlation near −1 where higher is better, near +1 where lower is better; one near 0 says nothing \
         about it.</p><div class=\"panels small\">{panels}</div>{}</section>\n",
        escape(&metric),
        table(report, metrics)
    )
}

fn panel(report: &Report, curves: &Curves, (i, pair): (usize, &Pair), metric: &str) -> Option<String> {
    let series = |chart: usize| curves.charts[chart].series.iter().find(|series| series.arm == pair.arm);
    let (loss, judged) = (series(pair.loss)?, series(pair.metric)?);
    let first = loss.first.max(judged.first);
    let x: Vec<f64> = loss.y[first - loss.first..].iter().map(|e| e.point).collect();
    let y = judged.y[first - judged.first..].iter().map(|e| Estimate { low: e.point, high: e.point, ..*e });
    let (least, most) = x.iter().fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(*v), h.max(*v)));
    // A loss that falls by orders of magnitude would lie on the axis.
    let logarithmic = least > 0.0 && most > 20.0 * least;
    let arm = &report.arms[pair.arm];
    let chart = Chart {
        says: &format!("{metric} against the training loss, {}", arm.name),
        attribute: format!("data-pair=\"{i}\""),
        lines: vec![Line { arm: pair.arm, name: &arm.name, x: &x, y: y.collect() }],
        marks: &[],
        logarithmic: [logarithmic, false],
        from_zero: false,
        dots: true,
        named: false,
        y_range: None,
    };
    Some(format!(
        "<figure class=\"panel\" data-of=\"{}\"><figcaption><b>{}{}</b></figcaption>{}\
         <p class=\"axis\">training loss{}</p><p class=\"note\">{}, interquartile means; dot: the end</p></figure>\n",
        pair.arm,
        key(pair.arm),
        escape(&arm.name),
        chart.html(),
        if logarithmic { ", log scale" } else { "" },
        sizes([loss.n.min(judged.n)].into_iter()),
    ))
}

fn table(report: &Report, metrics: &[String]) -> String {
    let heads: String =
        metrics.iter().map(|metric| format!("<th scope=\"col\">{}</th>", escape(&label(metric)))).collect();
    let arms: Vec<(usize, &ArmRecords)> = report.arms.iter().enumerate().collect();
    let rows: String = crate::parallel::map(&arms, |(i, arm)| row(*i, arm, metrics)).into_iter().flatten().collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"rank correlations\"><table><caption><span>Spearman’s rank \
         correlation of the training loss with each metric over the rows of a trial: interquartile mean over seeds [{}]; n = seeds in which both vary.</span></caption><thead><tr><th scope=\"col\">arm</th>{heads}</tr>\
         </thead><tbody>{rows}</tbody></table></div>\n",
        report.interval()
    )
}

fn row(i: usize, arm: &ArmRecords, metrics: &[String]) -> Option<String> {
    let cell = |metric: &String| {
        let correlations = arm.trials.iter().filter_map(|trial| {
            let (loss, judged) = path(&trial.rows, "loss", metric)?;
            Some(spearman(&loss, &judged)).filter(|value| value.is_finite())
        });
        let correlations: Vec<f64> = correlations.collect();
        match estimate(&correlations) {
            None => "<td>–</td>".to_string(),
            Some(estimate) => {
                let [point, low, high] =
                    [estimate.point, estimate.low, estimate.high].map(|value| format!("{value:.2}").replace('-', "−"));
                format!("<td>{point} <small>[{low}, {high}] n = {}</small></td>", correlations.len())
            }
        }
    };
    let cells: String = metrics.iter().map(cell).collect();
    (!arm.trials.is_empty())
        .then(|| format!("<tr><th scope=\"row\">{}{}</th>{cells}</tr>\n", key(i), escape(&arm.name)))
}
