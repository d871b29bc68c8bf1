//! Held-out images with what is predicted of them.

use super::parts::all;
use crate::report::Report;
use crate::report::figure::ContactSheet;
use crate::{Error, Result};
use maud::{Markup, PreEscaped, html};

/// The letters of all sheets together, at most; what is beyond stays in its own file.
const LETTERS: usize = 900_000;

/// Nothing where none are kept.
pub(super) fn section(report: &Report) -> Result<Markup> {
    let (mut figures, mut letters) = (Vec::new(), 0);
    for (file, sheet) in report.prediction_sheets() {
        let svg = String::from_utf8(sheet.svg()?).map_err(|error| Error::Drawing(error.to_string()))?;
        let fits = letters + svg.len() <= LETTERS;
        letters += if fits { svg.len() } else { 0 };
        figures.push(figure(&sheet, fits.then_some(svg), &file));
    }
    Ok(html! {
        @if !figures.is_empty() {
            section id="predictions" {
                h2 { "Seen on held-out images" }
                (all(figures))
            }
        }
    })
}

fn figure(sheet: &ContactSheet, svg: Option<String>, file: &str) -> Markup {
    let says = format!("{}. {}", sheet.title, sheet.in_words());
    let tells = |word: &str| sheet.legend.iter().any(|(name, _)| name.ends_with(word));
    html! {
        figure.sheet {
            @if let Some(svg) = svg {
                div.scroll tabindex="0" role="region" aria-label=(sheet.title) {
                    div.paper role="img" aria-label=(says) { (PreEscaped(svg.trim())) }
                }
            } @else {
                p { a href={ (file) ".png" } { (file) ".png" } " has it; it is too large for this page." }
            }
            figcaption.note {
                (sheet.title) ": " (sheet.in_words()) " "
                @if tells("missed") { "Sky blue is missed, orange-red" } @else { "Orange-red" } " is wrong, "
                @if tells("another class") { "yellow is one class for another, " } "gray is right."
            }
        }
    }
}
