//! Trials that failed, that are missing, and that warn.

use super::html::{count, escape};
use crate::report::Report;

/// A line at the head of the page; nothing if all went well.
pub(super) fn notice(report: &Report) -> String {
    let of_all = |count: fn(&crate::report::ArmRecords) -> usize| report.arms.iter().map(count).sum::<usize>();
    let (failed, missing) = (of_all(|arm| arm.failed.len()), of_all(|arm| arm.missing.len()));
    let damaged = of_all(|arm| arm.damaged.len());
    let finished = of_all(|arm| arm.trials.len());
    let warned = report.arms.iter().flat_map(|arm| &arm.trials).filter(|trial| !trial.warnings.is_empty()).count();
    let parts = [
        (failed, "failed"),
        (missing, "did not run to the end"),
        (damaged, "have records that are not whole"),
        (warned, "ended with a warning"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if parts.is_empty() {
        return String::new();
    }
    let class = if failed + missing + damaged > 0 { "notice bad" } else { "notice" };
    let total = finished + failed + missing + damaged;
    format!(
        "<p class=\"{class}\">Of {}, {}. <a href=\"#trials\">Which, and why</a></p>\n",
        count(total, "trial"),
        parts.join(", ")
    )
}

/// Which, and why; nothing if all went well.
pub(super) fn section(report: &Report) -> String {
    let mut rows = Vec::new();
    for arm in &report.arms {
        let mut said: Vec<(&str, &str, Vec<u64>)> = Vec::new();
        // Numbers differ between the seeds; what is found stands before them.
        let finding = |text: &'_ str| text.split(": ").next().unwrap_or_default().to_string();
        let mut say =
            |kind, text, seed| match said.iter_mut().find(|(k, t, _)| (*k, finding(t)) == (kind, finding(text))) {
                Some((.., seeds)) => seeds.push(seed),
                None => said.push((kind, text, vec![seed])),
            };
        arm.failed.iter().for_each(|(seed, reason)| say("failed", reason.as_str(), *seed));
        arm.damaged.iter().for_each(|(seed, fault)| say("damaged", fault.as_str(), *seed));
        arm.missing.iter().for_each(|seed| say("missing", "no outcome of these settings is recorded", *seed));
        for trial in &arm.trials {
            trial.warnings.iter().for_each(|warning| say("warning", warning.as_str(), trial.seed));
        }
        rows.extend(said.into_iter().map(|(kind, text, seeds)| {
            let seeds = seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            format!(
                "<tr><th scope=\"row\">{}</th><td>{seeds}</td><td><span class=\"tag {kind}\">{kind}</span></td>\
                 <td class=\"text\">{}</td></tr>\n",
                escape(&arm.name),
                escape(text)
            )
        }));
    }
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"trials\"><h2>Trials that failed, are missing, damaged or warn</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"trials\"><table><caption><span>Failed, missing and damaged trials are in no figure and no other table; those that warn \
         are.</span></caption><thead><tr><th scope=\"col\">arm</th><th scope=\"col\">seeds</th><th scope=\"col\">what</th>\
         <th scope=\"col\">why</th></tr></thead><tbody>{}</tbody></table></div></section>\n",
        rows.concat()
    )
}
