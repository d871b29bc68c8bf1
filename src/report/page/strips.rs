//! Final scores: the estimate with its interval, and a dot for each seed.

use super::chart::ink;
use super::html::{escape, number, sizes};
use super::legend::key;
use super::mark::{marks, said};
use crate::report::figure::Axis;
use crate::report::statistics::Estimate;
use crate::report::summary::significant;
use crate::report::{ArmRecords, Report, Summary, label};

/// A figure per metric, of those that some arm has.
pub(super) fn strips(report: &Report, summary: &Summary, metrics: &[String]) -> String {
    metrics.iter().filter_map(|metric| figure(report, summary, metric)).collect()
}

struct Strip<'a> {
    arm: usize,
    name: &'a str,
    estimate: Estimate,
    /// `(seed, value)`
    seeds: Vec<(u64, f64)>,
}

fn figure(report: &Report, summary: &Summary, metric: &str) -> Option<String> {
    let strips: Vec<Strip> = report.arms.iter().enumerate().filter_map(|arm| strip(arm, metric)).collect();
    if strips.is_empty() {
        return None;
    }
    let marks = marks(report, summary, metric);
    let values = strips.iter().flat_map(|s| s.seeds.iter().map(|seed| seed.1).chain([s.estimate.low, s.estimate.high]));
    let axis = Axis::new(values.chain(marks.iter().map(|mark| mark.at)), (0.0, 100.0), 0.04);
    let lines: String = axis
        .ticks()
        .iter()
        .map(|tick| vertical("grid", axis.at(*tick)))
        .chain(marks.iter().map(|mark| vertical(mark.class, axis.at(mark.at))))
        .collect();
    let rows: String = strips.iter().map(|strip| row(strip, &axis, &lines)).collect();
    let ticks: String = axis
        .ticks()
        .iter()
        .map(|tick| format!("<span style=\"left:{:.1}%\">{}</span>", axis.at(*tick), axis.text(*tick)))
        .collect();
    Some(format!(
        "<figure class=\"strips\"><figcaption><b>{}</b></figcaption>{rows}\
         <div class=\"strip ticks\" aria-hidden=\"true\"><div class=\"x\">{ticks}</div></div>\
         <p class=\"note\">{}, bar: {}{}</p></figure>\n",
        escape(&label(metric)),
        sizes(strips.iter().map(|strip| strip.seeds.len())),
        crate::report::interval::in_words(strips.iter().map(|strip| strip.seeds.len())),
        escape(&said(&marks)),
    ))
}

fn strip<'a>((arm, records): (usize, &'a ArmRecords), metric: &str) -> Option<Strip<'a>> {
    let seeds = records.trials.iter().filter_map(|trial| Some((trial.seed, trial.last(metric)?))).collect();
    Some(Strip { arm, name: &records.name, estimate: records.last(metric)?, seeds })
}

fn vertical(class: &str, at: f64) -> String {
    format!("<line class=\"{class}\" x1=\"{at:.1}%\" x2=\"{at:.1}%\" y1=\"0\" y2=\"100%\"/>")
}

fn row(strip: &Strip, axis: &Axis, lines: &str) -> String {
    let Estimate { point, low, high } = strip.estimate;
    let at = |value: f64| format!("{:.2}%", axis.at(value));
    let seeds = strip.seeds.iter().map(|(seed, value)| {
        // Seeds of one value stand above one another.
        let y = 14.0 + (seed * 7 % 5) as f64 * 2.0 - 4.0;
        format!(
            "<circle class=\"seed\" cx=\"{}\" cy=\"{y}\" r=\"2.5\"><title>seed {seed}: {}</title></circle>",
            at(*value),
            number(*value)
        )
    });
    let interval = if low < high {
        format!("<line class=\"interval\" x1=\"{}\" x2=\"{}\" y1=\"14\" y2=\"14\"/>", at(low), at(high))
    } else {
        String::new()
    };
    let name = escape(strip.name);
    format!(
        "<div class=\"strip\" data-of=\"{}\"><span class=\"name\" title=\"{name}\">{}{name}</span><svg class=\"{}\" aria-hidden=\"true\">{lines}{}\
         {interval}<circle class=\"point\" cx=\"{}\" cy=\"14\" r=\"5\"/></svg><span class=\"value\">{}</span></div>\n",
        strip.arm,
        key(strip.arm),
        ink(strip.arm),
        seeds.collect::<String>(),
        at(point),
        significant(strip.estimate, strip.seeds.len()).replace('-', "−"),
    )
}
