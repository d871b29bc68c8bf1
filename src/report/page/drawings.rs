//! Metrics that are drawn: confusion matrices, curves over thresholds, reliability, an arm each.

use super::html::escape;
use crate::report::Report;
use crate::report::figure::Drawing;
use crate::{Error, Result};

/// The letters of all drawings of a page together, at most; what is beyond stays in its own file.
const LETTERS: usize = 1_200_000;

/// Nothing where no metric is drawn.
pub(super) fn section(report: &Report) -> Result<String> {
    let mut figures = String::new();
    for (file, drawing) in report.drawings() {
        let figure = figure(&drawing)?;
        if figures.len() + figure.len() <= LETTERS {
            figures += &figure;
        } else {
            let (title, subtitle) = drawing.heading();
            figures += &format!(
                "<h3>{title}</h3><p>{subtitle}: in <a href=\"{file}.svg\">{file}.svg</a>, too large for this page.</p>\n"
            );
        }
    }
    if figures.is_empty() {
        return Ok(figures);
    }
    Ok(format!(
        "<section id=\"drawn\"><h2>Right and wrong, in detail</h2><p>Of the final weights.</p>{figures}</section>\n"
    ))
}

fn figure(drawing: &Drawing) -> Result<String> {
    let (title, subtitle) = drawing.heading();
    let mut panels = String::new();
    for (name, svg) in drawing.panels()? {
        let svg = String::from_utf8(svg).map_err(|error| Error::Drawing(error.to_string()))?;
        panels += &format!(
            "<div class=\"paper\" role=\"img\" aria-label=\"{}\">{}</div>\n",
            escape(&format!("{title}: {name}")),
            svg.trim()
        );
    }
    Ok(format!(
        "<figure><h3>{title}</h3><div class=\"panels\">{panels}</div><figcaption class=\"note\">{}</figcaption></figure>\n",
        escape(subtitle)
    ))
}
