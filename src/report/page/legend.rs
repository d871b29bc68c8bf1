//! What holds for all panels: which arms are shown, against what, and what their colors are.

use super::chart::ink;
use super::data::AXES;
use super::html::escape;
use crate::report::{Report, axis_label};

pub(super) fn toolbar(report: &Report) -> String {
    let axes: String = AXES
        .iter()
        .enumerate()
        .map(|(i, axis)| {
            let axis = escape(&axis_label(axis, report.experiment.arms.iter()));
            let checked = if i == 0 { " checked" } else { "" };
            format!("<label><input type=\"radio\" name=\"axis\" value=\"{i}\"{checked}><span>{axis}</span></label>")
        })
        .collect();
    let arms = report.arms.iter().enumerate().map(|(i, arm)| {
        format!(
            "<li><button type=\"button\" data-arm=\"{i}\" aria-pressed=\"true\">{}{} <small>n = {}{}</small></button></li>",
            key(i),
            escape(&arm.name),
            arm.trials.len(),
            if arm.failed.is_empty() { String::new() } else { format!(", {} failed", arm.failed.len()) },
        )
    });
    format!(
        "<div class=\"toolbar\"><fieldset class=\"axes scripted\"><legend>against</legend>{axes}</fieldset>\
         <ul class=\"legend\" aria-label=\"arms\">{}</ul>\
         <button type=\"button\" id=\"all\" class=\"scripted\" hidden>show all arms</button></div>\n",
        arms.collect::<String>()
    )
}

/// A short stroke in an arm's color and dashes.
pub(super) fn key(arm: usize) -> String {
    format!("<svg class=\"key\" aria-hidden=\"true\"><path class=\"line {}\" d=\"M0 5h22\"/></svg>", ink(arm))
}
