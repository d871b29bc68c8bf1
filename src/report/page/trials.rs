//! Trials that failed, that are missing, and that warn.

use super::parts::{all, scrolling};
use super::text::count;
use crate::report::{ArmRecords, Report};
use maud::{Markup, html};

/// A line at the head of the page; nothing if all went well.
pub(super) fn notice(report: &Report) -> Markup {
    let of_all = |count: fn(&ArmRecords) -> usize| report.arms.iter().map(count).sum::<usize>();
    let (failed, missing) = (of_all(|arm| arm.failed.len()), of_all(|arm| arm.missing.len()));
    let damaged = of_all(|arm| arm.damaged.len());
    let total = of_all(|arm| arm.trials.len()) + failed + missing + damaged;
    let warned = report.arms.iter().flat_map(|arm| &arm.trials).filter(|trial| !trial.warnings.is_empty()).count();
    let parts = [
        (failed, "failed"),
        (missing, "did not run to the end"),
        (damaged, "have records that are not whole"),
        (warned, "ended with a warning"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    html! {
        @if !parts.is_empty() {
            p.notice.bad[failed + missing + damaged > 0] {
                "Of " (count(total, "trial")) ", " (parts.join(", ")) ". " a href="#trials" { "Which, and why" }
            }
        }
    }
}

/// Which, and why; nothing if all went well.
pub(super) fn section(report: &Report) -> Markup {
    let rows: Vec<Markup> = report.arms.iter().flat_map(of_arm).collect();
    let table = html! {
        table {
            caption {
                span { "Failed, missing and damaged trials are in no figure and no other table; those that warn are." }
            }
            thead {
                tr { @for head in ["arm", "seeds", "what", "why"] { th scope="col" { (head) } } }
            }
            tbody { (all(&rows)) }
        }
    };
    html! {
        @if !rows.is_empty() {
            section id="trials" {
                h2 { "Trials that failed, are missing, damaged or warn" }
                (scrolling("trials", &table))
            }
        }
    }
}

/// A row for all seeds of which the same is said.
fn of_arm(arm: &ArmRecords) -> Vec<Markup> {
    let mut said: Vec<(&str, &str, Vec<u64>)> = Vec::new();
    // Numbers differ between the seeds; what is found stands before them.
    let finding = |text: &'_ str| text.split(": ").next().unwrap_or_default().to_string();
    let mut say = |kind, text, seed| match said.iter_mut().find(|(k, t, _)| (*k, finding(t)) == (kind, finding(text))) {
        Some((.., seeds)) => seeds.push(seed),
        None => said.push((kind, text, vec![seed])),
    };
    arm.failed.iter().for_each(|(seed, reason)| say("failed", reason.as_str(), *seed));
    arm.damaged.iter().for_each(|(seed, fault)| say("damaged", fault.as_str(), *seed));
    arm.missing.iter().for_each(|seed| say("missing", "no outcome of these settings is recorded", *seed));
    for trial in &arm.trials {
        trial.warnings.iter().for_each(|warning| say("warning", warning.as_str(), trial.seed));
    }
    let row = |(kind, text, seeds): (&str, &str, Vec<u64>)| {
        let seeds = seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        html! {
            tr {
                th scope="row" { (arm.name) }
                td { (seeds) }
                td { span class={ "tag " (kind) } { (kind) } }
                td.text { (text) }
            }
        }
    };
    said.into_iter().map(row).collect()
}
