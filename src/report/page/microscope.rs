//! What microscopes read of the gradients.

use super::parts::all;
use crate::report::Report;
use crate::{Error, Result};
use maud::{Markup, PreEscaped, html};

/// Nothing where there were none.
pub(super) fn section(report: &Report) -> Result<Markup> {
    let mut figures = Vec::new();
    for (_, figure) in report.microscope_figures() {
        let svg = String::from_utf8(figure.svg()?).map_err(|error| Error::Drawing(error.to_string()))?;
        figures.push(html! {
            figure.sheet {
                div.scroll tabindex="0" role="region" aria-label=(figure.in_words()) {
                    div.paper role="img" aria-label=(figure.in_words()) { (PreEscaped(svg.trim())) }
                }
            }
        });
    }
    Ok(html! {
        @if !figures.is_empty() {
            section id="microscope" {
                h2 { "Gradients under the microscope" }
                p {
                    "At the same weights and examples, with respect to all parameters. The expected gradient is the mean over all actions, or over \
                     rollouts; an estimate is made of so many sampled ones. " code { "microscope.csv" } " of each trial has it by layer."
                }
                (all(figures))
            }
        }
    })
}
