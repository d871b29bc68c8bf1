//! The loss against what people judge by: does the one track the other?

use super::chart::{Chart, Line};
use super::data::Curves;
use super::parts::{all, key, scrolling};
use super::text::{minus, sizes};
use crate::report::statistics::{Estimate, spearman};
use crate::report::{ArmRecords, Report, estimate, label, path};
use maud::{Markup, html};

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
}

/// A panel per arm and a table of rank correlations; nothing without a pair.
pub(super) fn section(report: &Report, curves: &Curves, pairs: &[Pair], metrics: &[String]) -> Markup {
    let metric = pairs.first().map(|pair| label(&curves.charts[pair.metric].column));
    html! {
        @if let Some(metric) = metric {
            section id="tracking" {
                h2 { "Does the loss track what people judge by?" }
                p {
                    "The training loss of an arm (for a reward: its negative surrogate) against " (metric) " at the same rows. A loss that \
                     tracks a metric has a rank correlation near −1 where higher is better, near +1 where lower is better; one near 0 says \
                     nothing about it."
                }
                div.panels.small {
                    (all(pairs.iter().enumerate().filter_map(|pair| panel(report, curves, pair, &metric))))
                }
                (table(report, metrics))
            }
        }
    }
}

fn panel(report: &Report, curves: &Curves, (i, pair): (usize, &Pair), metric: &str) -> Option<Markup> {
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
        found: ("pair", i),
        lines: vec![Line { arm: pair.arm, name: &arm.name, x: &x, y: y.collect() }],
        marks: &[],
        turns: &[],
        logarithmic: [logarithmic, false],
        from_zero: false,
        dots: true,
        named: false,
        y_range: None,
    };
    Some(html! {
        figure.panel data-of=(pair.arm) {
            figcaption { b { (key(pair.arm)) (arm.name) } }
            (chart.html())
            p.axis { "training loss" @if logarithmic { ", log scale" } }
            p.note { (sizes([loss.n.min(judged.n)].into_iter())) ", interquartile means; dot: the end" }
        }
    })
}

fn table(report: &Report, metrics: &[String]) -> Markup {
    let arms: Vec<(usize, &ArmRecords)> = report.arms.iter().enumerate().collect();
    let rows = crate::parallel::map(&arms, |(i, arm)| row(*i, arm, metrics));
    let table = html! {
        table {
            caption {
                span {
                    "Spearman’s rank correlation of the training loss with each metric over the rows of a trial: interquartile mean over \
                     seeds [" (report.interval()) "]; n = seeds in which both vary."
                }
            }
            thead {
                tr {
                    th scope="col" { "arm" }
                    @for metric in metrics { th scope="col" { (label(metric)) } }
                }
            }
            tbody { (all(rows.into_iter().flatten())) }
        }
    };
    scrolling("rank correlations", &table)
}

/// Nothing of an arm without a finished trial.
fn row(i: usize, arm: &ArmRecords, metrics: &[String]) -> Option<Markup> {
    let correlations = |metric: &String| {
        let of_trials = arm.trials.iter().filter_map(|trial| {
            let (loss, judged) = path(&trial.rows, "loss", metric)?;
            Some(spearman(&loss, &judged)).filter(|value| value.is_finite())
        });
        of_trials.collect::<Vec<f64>>()
    };
    let cell = |correlations: Vec<f64>| {
        let estimate =
            estimate(&correlations).map(|of| [of.point, of.low, of.high].map(|value| minus(&format!("{value:.2}"))));
        html! {
            @match estimate {
                None => { td { "–" } },
                Some([point, low, high]) => {
                    td { (point) " " small { "[" (low) ", " (high) "] n = " (correlations.len()) } }
                },
            }
        }
    };
    (!arm.trials.is_empty()).then(|| {
        html! {
            tr {
                th scope="row" { (key(i)) (arm.name) }
                @for metric in metrics { (cell(correlations(metric))) }
            }
        }
    })
}
