//! Arms against one another by their final scores: how often one beats the other, and the whole distribution.

use super::chart::{Chart, Line};
use super::paired;
use super::parts::{all, key, scrolling};
use super::text::sizes;
use crate::report::interval::ENOUGH;
use crate::report::statistics::{
    Bootstrap, Estimate, interquartile_mean, probability_of_improvement, run_score_profile,
};
use crate::report::{CURVE_RESAMPLES, Report, Summary, label};
use crate::stream;
use maud::{Markup, html};

/// Levels at which a profile is taken.
const LEVELS: usize = 101;

/// The final scores of the arms by one metric.
pub(super) struct Order<'a> {
    metric: String,
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
    pub name: String,
    pub levels: Vec<f64>,
    pub of: Vec<(usize, Vec<Estimate>)>,
}

/// How sure the order of the arms is; nothing where no arms can be compared.
pub(super) fn section(orders: &[Order], profiles: &[Profiles], summary: &Summary) -> Markup {
    let figures = orders.iter().zip(profiles.iter().enumerate());
    html! {
        @if !orders.is_empty() {
            section id="order" {
                h2 { "How sure is the order?" }
                (all(figures.map(|(order, of)| order.figures(of, orders.len() > 1))))
                (all(summary.comparisons.iter().map(paired::table)))
                @if !summary.alone.is_empty() {
                    p.note { "Not compared, because no other arm learns the same: " (summary.alone.join("; ")) "." }
                }
            }
        }
    }
}

impl<'a> Order<'a> {
    /// Of these arms by what decides; nothing with fewer than two arms to compare.
    pub fn of(report: &'a Report, group: &[usize]) -> Option<Self> {
        let (metric, higher) = report.deciding(group)?;
        let scores = |&arm: &usize| {
            let records = &report.arms[arm];
            let values = records.finals(&metric);
            let resamples = (values.len() >= ENOUGH).then(|| bootstrap(values.len(), 3 + arm as u64));
            (!values.is_empty()).then_some(Scores { arm, name: &records.name, values, resamples })
        };
        let arms: Vec<Scores> = group.iter().filter_map(scores).collect();
        (arms.len() > 1).then_some(Order { metric, higher, arms })
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
        Profiles { name: label(&self.metric), of: of.collect(), levels }
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
    fn figures(&self, profiles: (usize, &Profiles), titled: bool) -> Markup {
        html! {
            @if titled { h3 { "The task of " (self.arms[0].name) } }
            div.panels { (self.profile_panel(profiles)) }
            (self.matrix())
        }
    }

    fn sizes(&self) -> String {
        sizes(self.arms.iter().map(|arm| arm.values.len()))
    }

    fn profile_panel(&self, (index, profiles): (usize, &Profiles)) -> Markup {
        let line = |(of, (arm, y)): (&Scores<'a>, &(usize, Vec<Estimate>))| Line {
            arm: *arm,
            name: of.name,
            x: &profiles.levels,
            y: y.clone(),
        };
        let than = if self.higher { "more" } else { "less" };
        let chart = Chart {
            says: &format!("share of seeds with {than} than a final {}", profiles.name),
            found: ("profile", index),
            lines: self.arms.iter().zip(&profiles.of).map(line).collect(),
            marks: &[],
            turns: &[],
            logarithmic: [false, false],
            from_zero: false,
            dots: false,
            // Profiles end where no seed is better: all in one place.
            named: false,
            y_range: Some([0.0, 1.0]),
        };
        html! {
            figure.panel {
                figcaption { b { "Performance profile: seeds with " (than) " than …" } }
                (chart.html())
                p.axis { (profiles.name) ", final" }
                p.note { "share of seeds, " (self.sizes()) ", 95 % pointwise bootstrap band from 5 seeds on" }
            }
        }
    }

    fn matrix(&self) -> Markup {
        let table = html! {
            table.matrix {
                caption {
                    span {
                        "Probability of improvement: the chance that a run of the row’s arm is better than one of the column’s arm by "
                        (label(&self.metric)) " at the end, ties counted half, over all pairs of runs [95 % percentile bootstrap interval, \
                         from 5 seeds on]; " (self.sizes()) "."
                    }
                }
                thead {
                    tr {
                        th scope="col" { "better than" }
                        @for arm in &self.arms { th scope="col" { (arm.name) } }
                    }
                }
                tbody {
                    @for (i, first) in self.arms.iter().enumerate() {
                        tr {
                            th scope="row" { (key(first.arm)) (first.name) }
                            @for (j, second) in self.arms.iter().enumerate() {
                                @if i == j { td { "–" } } @else { (cell(self.improvement(first, second))) }
                            }
                        }
                    }
                }
            }
        };
        scrolling("probability of improvement", &table)
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

fn cell(estimate: Estimate) -> Markup {
    let Estimate { point, low, high } = estimate;
    let (class, share) = if point >= 0.5 { ("more", point - 0.5) } else { ("less", 0.5 - point) };
    html! {
        td class=(class) style=(format!("--share:{:.0}%", share * 90.0)) {
            (format!("{point:.2}"))
            @if !low.is_nan() { " " small { (format!("[{low:.2}, {high:.2}]")) } }
        }
    }
}
