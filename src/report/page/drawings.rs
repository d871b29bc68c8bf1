//! Metrics that are drawn: confusion matrices, curves over thresholds, reliability, an arm each.

use super::parts::all;
use crate::report::Report;
use crate::report::figure::Drawing;
use crate::{Error, Result};
use maud::{Markup, PreEscaped, html};

/// The letters of all drawings of a page together, at most; what is beyond stays in its own file.
const LETTERS: usize = 1_200_000;

/// Nothing where no metric is drawn.
pub(super) fn section(report: &Report) -> Result<Markup> {
    let (mut figures, mut letters) = (Vec::new(), 0);
    for (file, drawing) in report.drawings() {
        let figure = figure(&drawing)?;
        let fits = letters + figure.0.len() <= LETTERS;
        let figure = if fits { figure } else { beside(&drawing, &file) };
        letters += figure.0.len();
        figures.push(figure);
    }
    Ok(html! {
        @if !figures.is_empty() {
            section id="drawn" {
                h2 { "Right and wrong, in detail" }
                p { "Of the final weights." }
                (all(figures))
            }
        }
    })
}

/// Where a figure is that is not on the page.
fn beside(drawing: &Drawing, file: &str) -> Markup {
    let (title, subtitle) = drawing.heading();
    let file = format!("{file}.svg");
    html! {
        h3 { (title) }
        p { (subtitle) ": in " a href=(file) { (file) } ", too large for this page." }
    }
}

fn figure(drawing: &Drawing) -> Result<Markup> {
    let (title, subtitle) = drawing.heading();
    let mut panels = Vec::new();
    for (name, svg) in drawing.panels()? {
        let svg = String::from_utf8(svg).map_err(|error| Error::Drawing(error.to_string()))?;
        let says = format!("{title}: {name}");
        panels.push(html! { div.paper role="img" aria-label=(says) { (PreEscaped(svg.trim())) } });
    }
    Ok(html! {
        figure {
            h3 { (title) }
            div.panels { (all(panels)) }
            figcaption.note { (subtitle) }
        }
    })
}
