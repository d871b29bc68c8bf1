//! Final scores: the estimate with its interval, and a dot for each seed.

use super::chart::ink;
use super::mark::{marks, said};
use super::parts::{all, key};
use super::text::{minus, number, sizes};
use crate::report::figure::Axis;
use crate::report::statistics::Estimate;
use crate::report::summary::significant;
use crate::report::{ArmRecords, Report, Summary, label};
use maud::{Markup, html};

/// A figure per metric, of those that some arm has.
pub(super) fn strips(report: &Report, summary: &Summary, metrics: &[&String]) -> Markup {
    all(metrics.iter().filter_map(|metric| figure(report, summary, metric)))
}

struct Strip<'a> {
    arm: usize,
    name: &'a str,
    estimate: Estimate,
    /// `(seed, value)`
    seeds: Vec<(u64, f64)>,
}

fn figure(report: &Report, summary: &Summary, metric: &str) -> Option<Markup> {
    let strips: Vec<Strip> = report.arms.iter().enumerate().filter_map(|arm| strip(arm, metric)).collect();
    if strips.is_empty() {
        return None;
    }
    let marks = marks(report, summary, metric);
    let values = strips.iter().flat_map(|s| s.seeds.iter().map(|seed| seed.1).chain([s.estimate.low, s.estimate.high]));
    let axis = Axis::new(values.chain(marks.iter().map(|mark| mark.at)), (0.0, 100.0), 0.04);
    let ticks = axis.ticks();
    let grid = ticks.iter().map(|tick| vertical("grid", axis.at(*tick)));
    let lines = all(grid.chain(marks.iter().map(|mark| vertical(mark.class, axis.at(mark.at)))));
    let n = || strips.iter().map(|strip| strip.seeds.len());
    Some(html! {
        figure.strips {
            figcaption { b { (label(metric)) } }
            @for strip in &strips { (row(strip, &axis, &lines)) }
            div.strip.ticks aria-hidden="true" {
                div.x {
                    @for tick in &ticks {
                        span style={ "left:" (format!("{:.1}", axis.at(*tick))) "%" } { (axis.text(*tick)) }
                    }
                }
            }
            p.note { (sizes(n())) ", bar: " (crate::report::interval::in_words(n())) (said(&marks)) }
        }
    })
}

fn strip<'a>((arm, records): (usize, &'a ArmRecords), metric: &str) -> Option<Strip<'a>> {
    let seeds = records.trials.iter().filter_map(|trial| Some((trial.seed, trial.last(metric)?))).collect();
    Some(Strip { arm, name: &records.name, estimate: records.last(metric)?, seeds })
}

fn vertical(class: &str, at: f64) -> Markup {
    let at = format!("{at:.1}%");
    html! { line class=(class) x1=(at) x2=(at) y1="0" y2="100%" {} }
}

fn row(strip: &Strip, axis: &Axis, lines: &Markup) -> Markup {
    let Estimate { point, low, high } = strip.estimate;
    let at = |value: f64| format!("{:.2}%", axis.at(value));
    // Seeds of one value stand above one another.
    let height = |seed: u64| 14.0 + (seed * 7 % 5) as f64 * 2.0 - 4.0;
    html! {
        div.strip data-of=(strip.arm) {
            span.name title=(strip.name) { (key(strip.arm)) (strip.name) }
            svg class=(ink(strip.arm)) aria-hidden="true" {
                (lines)
                @for (seed, value) in &strip.seeds {
                    circle.seed cx=(at(*value)) cy=(height(*seed)) r="2.5" {
                        title { "seed " (seed) ": " (number(*value)) }
                    }
                }
                @if low < high {
                    line.interval x1=(at(low)) x2=(at(high)) y1="14" y2="14" {}
                }
                circle.point cx=(at(point)) cy="14" r="5" {}
            }
            span.value { (minus(&significant(strip.estimate, strip.seeds.len()))) }
        }
    }
}
