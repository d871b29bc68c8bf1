//! What holds for all panels: which arms are shown, against what, and what their colors are.

use super::data::axes_of;
use super::parts::key;
use crate::report::{Report, axis_label};
use maud::{Markup, html};

pub(super) fn toolbar(report: &Report) -> Markup {
    html! {
        div.toolbar {
            fieldset.axes.scripted {
                legend { "against" }
                @for (i, axis) in axes_of(report).into_iter().enumerate() {
                    label {
                        input type="radio" name="axis" value=(i) checked[i == 0];
                        span { (axis_label(axis, report.experiment.arms.iter())) }
                    }
                }
            }
            ul.legend aria-label="arms" {
                @for (i, arm) in report.arms.iter().enumerate() {
                    li {
                        button type="button" data-arm=(i) aria-pressed="true" {
                            (key(i)) (arm.name) " "
                            small {
                                "n = " (arm.trials.len())
                                @if !arm.failed.is_empty() { ", " (arm.failed.len()) " failed" }
                            }
                        }
                    }
                }
            }
            button type="button" id="all" class="scripted" hidden { "show all arms" }
        }
    }
}
