//! Arms against one another by their final scores: how often one beats the other, and the whole distribution.

use super::chart::{Chart, Line};
use super::data::{estimates, list, numbers};
use super::html::{escape, json_text, sizes};
use super::legend::key;
use crate::report::interval::ENOUGH;
use crate::report::statistics::{
    Bootstrap, Estimate, interquartile_mean, probability_of_improvement, run_score_profile,
};
use crate::report::summary::higher_is_better;
use crate::report::{CURVE_RESAMPLES, Report, label};
use crate::stream;
use std::fmt::Write;

/// Levels at which a profile is taken.
const LEVELS: usize = 101;

/// The final scores of the arms by one metric.
pub(super) struct Order<'a> {
    metric: &'a str,
    higher: bool,
    arms: Vec<Scores<'a>>,
}

struct Scores<'a> {
    arm: usize,
    name: &'a str,
    values: Vec<f64>,
    /// For comparisons with other arms; none where there are too few.
    resamples: Option<Bootstrap>,
}

/// The share of an arm's runs that are better than each level.
pub(super) struct Profiles {
    name: String,
    levels: Vec<f64>,
    of: Vec<(usize, Vec<Estimate>)>,
}

/// The column that these arms are judged by first, of all that judge.
pub(super) fn first_judged<'a>(report: &Report, group: &[usize], judged: &'a [String]) -> Option<&'a String> {
    let trial = group.iter().find_map(|&arm| report.arms[arm].trials.first())?;
    trial.rows.evaluated().iter().find_map(|own| judged.iter().find(|column| *column == own))
}

impl<'a> Order<'a> {
    /// Of these arms in the first of these metrics that they have; nothing with fewer than two arms to compare.
    pub fn of(report: &'a Report, group: &[usize], judged: &'a [String]) -> Option<Self> {
        let metric = first_judged(report, group, judged)?;
        let scores = |&arm: &usize| {
            let records = &report.arms[arm];
            let values = records.finals(metric);
            let resamples = (values.len() >= ENOUGH).then(|| bootstrap(values.len(), 3 + arm as u64));
            (!values.is_empty()).then_some(Scores { arm, name: &records.name, values, resamples })
        };
        let arms: Vec<Scores> = group.iter().filter_map(scores).collect();
        (arms.len() > 1).then(|| Order { metric, higher: higher_is_better(metric), arms })
    }

    pub fn profiles(&self) -> Profiles {
        let all = self.arms.iter().flat_map(|arm| arm.values.iter().copied()).filter(|value| value.is_finite());
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let margin = if high > low { 0.02 * (high - low) } else { 0.5 };
        let level = |i| low - margin + (high - low + 2.0 * margin) * i as f64 / (LEVELS - 1) as f64;
        let levels: Vec<f64> = (0..LEVELS).map(level).collect();
        // More is better from here on.
        let sign = if self.higher { 1.0 } else { -1.0 };
        let signed = |values: &[f64]| values.iter().map(|value| sign * value).collect::<Vec<f64>>();
        let thresholds = signed(&levels);
        let of = self.arms.iter().map(|arm| {
            let values = signed(&arm.values);
            let profile = |scores: &[f64]| run_score_profile(scores, &thresholds);
            let band = match values.len() < ENOUGH {
                true => profile(&values).into_iter().map(|point| Estimate { point, low: point, high: point }).collect(),
                false => bootstrap(values.len(), 2).band(&values, profile),
            };
            (arm.arm, band)
        });
        Profiles { name: label(self.metric), of: of.collect(), levels }
    }

    /// How the second best arm stands against the best, in a sentence; nothing where several are best.
    pub fn runner_up(&self) -> Option<String> {
        let sign = if self.higher { -1.0 } else { 1.0 };
        let point = |of: &Scores| sign * interquartile_mean(&of.values);
        let mut ranked: Vec<&Scores> = self.arms.iter().filter(|arm| !point(arm).is_nan()).collect();
        ranked.sort_by(|a, b| point(a).total_cmp(&point(b)));
        let (first, second) = (ranked.first()?, ranked.get(1)?);
        let Estimate { point: chance, low, high } = self.improvement(first, second);
        let enough = first.values.len().min(second.values.len()) >= ENOUGH;
        (point(first) != point(second) && enough).then(|| {
            format!(
                "{} is next; a run of {} is better than one of it with probability {chance:.2} [{low:.2}, {high:.2}].",
                second.name, first.name
            )
        })
    }

    /// The profile of this index, and each arm against each; `titled` says which arms these are.
    pub fn figures(&self, (index, profiles): (usize, &Profiles), titled: bool) -> String {
        let name = escape(&label(self.metric));
        let title = if titled { format!("<h3>The task of {}</h3>", escape(self.arms[0].name)) } else { String::new() };
        format!("{title}<div class=\"panels\">{}</div>{}", self.profile_panel((index, profiles)), self.matrix(&name))
    }

    fn profile_panel(&self, (index, profiles): (usize, &Profiles)) -> String {
        let line = |(of, (arm, y)): (&Scores<'a>, &(usize, Vec<Estimate>))| Line {
            arm: *arm,
            name: of.name,
            x: &profiles.levels,
            y: y.clone(),
        };
        let than = if self.higher { "more" } else { "less" };
        let chart = Chart {
            says: &format!("share of seeds with {than} than a final {}", profiles.name),
            attribute: format!("data-profile=\"{index}\""),
            lines: self.arms.iter().zip(&profiles.of).map(line).collect(),
            marks: &[],
            logarithmic: [false, false],
            from_zero: false,
            dots: false,
            // Profiles end where no seed is better: all in one place.
            named: false,
            y_range: Some([0.0, 1.0]),
        };
        format!(
            "<figure class=\"panel\"><figcaption><b>Performance profile: seeds with {than} than …</b></figcaption>{}\
             <p class=\"axis\">{}, final</p><p class=\"note\">share of seeds, {}, 95 % pointwise bootstrap band from 5 seeds on</p></figure>\n",
            chart.html(),
            escape(&profiles.name),
            sizes(self.arms.iter().map(|arm| arm.values.len())),
        )
    }

    fn matrix(&self, name: &str) -> String {
        let heads: String =
            self.arms.iter().map(|arm| format!("<th scope=\"col\">{}</th>", escape(arm.name))).collect();
        let mut rows = String::new();
        for (i, first) in self.arms.iter().enumerate() {
            write!(rows, "<tr><th scope=\"row\">{}{}</th>", key(first.arm), escape(first.name)).ok();
            for (j, second) in self.arms.iter().enumerate() {
                rows += &if i == j { "<td>–</td>".to_string() } else { cell(self.improvement(first, second)) };
            }
            rows += "</tr>\n";
        }
        format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"probability of improvement\"><table class=\"matrix\">\
             <caption><span>Probability of improvement: the chance that a run of the row’s arm is better than one of the column’s \
             arm by {name} at the end, ties counted half, over all pairs of runs [95 % percentile bootstrap interval, from 5 seeds on]; {}.</span></caption>\
             <thead><tr><th scope=\"col\">better than</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>\n",
            sizes(self.arms.iter().map(|arm| arm.values.len())),
        )
    }

    fn improvement(&self, first: &Scores, second: &Scores) -> Estimate {
        let (better, worse) = if self.higher { (first, second) } else { (second, first) };
        let (x, y) = (&better.values[..], &worse.values[..]);
        // Drawn in the order of the arms, so that the two sides of the diagonal add up to 1.
        let chance = |x: &[f64], y: &[f64]| probability_of_improvement(x, y, 1);
        match (&better.resamples, &worse.resamples) {
            (Some(of_x), Some(of_y)) => of_x.compare(of_y, (x, y), chance),
            _ => Estimate { point: chance(x, y), low: f64::NAN, high: f64::NAN },
        }
    }
}

fn bootstrap(n: usize, index: u64) -> Bootstrap {
    Bootstrap::new((1, n), CURVE_RESAMPLES, &mut stream(0, "bootstrap", index))
}

fn cell(estimate: Estimate) -> String {
    let Estimate { point, low, high } = estimate;
    let (class, share) = if point >= 0.5 { ("more", point - 0.5) } else { ("less", 0.5 - point) };
    let interval = if low.is_nan() { String::new() } else { format!(" <small>[{low:.2}, {high:.2}]</small>") };
    format!("<td class=\"{class}\" style=\"--share:{:.0}%\">{point:.2}{interval}</td>", share * 90.0)
}

impl Profiles {
    pub fn json(&self) -> String {
        let series = self.of.iter().map(|(arm, y)| format!("{{\"a\":{arm},{}}}", estimates(y, 3)));
        let levels = numbers(self.levels.iter().copied(), 5);
        format!("{{\"name\":{},\"x\":{levels},\"s\":{}}}", json_text(&self.name), list(series))
    }
}
