//! What data holds: a panel for each column, and one for all of it where two numbers are all there is.

mod bars;
mod histogram;
mod panel;
mod scatter;

use super::canvas::{self, Anchor, Canvas, Ink};
use super::{COLORS, HEAD, LEGEND_LINE, MARGIN};
use crate::Result;
use crate::data::description::{ColumnDescription, Content, Description};
use panel::{PANEL, Panel};

/// More panels than these are not drawn.
const MOST_PANELS: usize = 24;
/// The width of the panel of a plane; it is as high as all others together.
const PLANE_WIDTH: f64 = 560.0;

/// A description with what it is of.
pub struct DescriptionFigure<'a> {
    pub title: String,
    pub subtitle: String,
    pub description: &'a Description,
}

impl DescriptionFigure<'_> {
    pub fn svg(&self) -> Result<Vec<u8>> {
        canvas::svg(self.size(), |canvas| self.draw(canvas))
    }

    pub fn png(&self) -> Result<Vec<u8>> {
        canvas::png(self.size(), |canvas| self.draw(canvas))
    }

    fn panels(&self) -> Vec<&ColumnDescription> {
        self.description.all_columns().take(MOST_PANELS).collect()
    }

    /// Of the small panels.
    fn columns(&self) -> usize {
        match self.panels().len() {
            _ if self.description.plane.is_some() => 1,
            panels @ 0..=2 => panels.max(1),
            3 | 5 | 6 | 9 => 3,
            4 => 2,
            _ => 4,
        }
    }

    fn rows(&self) -> usize {
        self.panels().len().div_ceil(self.columns())
    }

    fn plane_width(&self) -> f64 {
        if self.description.plane.is_some() { PLANE_WIDTH } else { 0.0 }
    }

    /// What the figure says below its title.
    fn subtitle(&self) -> String {
        let all = self.description.all_columns().count();
        let left_out = match all > MOST_PANELS {
            true => format!("; the first {MOST_PANELS} of {all} columns"),
            false => String::new(),
        };
        format!("{}{left_out}", self.subtitle)
    }

    /// Parts with their colors, if there are several.
    fn legend(&self) -> Vec<String> {
        let parts = &self.description.parts;
        let named = parts.iter().map(|(name, rows)| format!("{name} ({rows} rows)"));
        if parts.len() > 1 { named.collect() } else { Vec::new() }
    }

    fn size(&self) -> (f64, f64) {
        let text = canvas::text_width(&self.subtitle(), 12.0).max(canvas::text_width(&self.title, 19.0));
        let panels = self.plane_width() + self.columns() as f64 * PANEL.0;
        let legend = if self.legend().is_empty() { 0.0 } else { LEGEND_LINE };
        (panels.max(text + 8.0) + 2.0 * MARGIN, HEAD + legend + self.rows() as f64 * PANEL.1 + MARGIN)
    }

    fn draw(&self, canvas: &mut dyn Canvas) -> Result<()> {
        canvas.text((MARGIN + 8.0, 30.0), &self.title, 19.0, Ink::Strong, Anchor::Start)?;
        canvas.text((MARGIN + 8.0, 51.0), &self.subtitle(), 12.0, Ink::Soft, Anchor::Start)?;
        let legend = self.legend();
        let mut x = MARGIN + 8.0;
        for (part, name) in legend.iter().enumerate() {
            canvas.block([(x, HEAD + 1.0), (x + 18.0, HEAD + 9.0)], COLORS[part])?;
            canvas.text((x + 25.0, HEAD + 9.5), name, 12.0, Ink::Normal, Anchor::Start)?;
            x += 36.0 + canvas::text_width(name, 12.0);
        }
        let top = HEAD + if legend.is_empty() { 0.0 } else { LEGEND_LINE };
        if let Some(plane) = &self.description.plane {
            let size = (PLANE_WIDTH, self.rows() as f64 * PANEL.1);
            let are_classes =
                matches!(&self.description.target, Some(ColumnDescription { content: Content::Categories(_), .. }));
            // Classes don't look like parts.
            let first_color = if are_classes { self.description.parts.len() } else { 0 };
            scatter::draw(canvas, &Panel { corner: (MARGIN, top), size }, plane, first_color)?;
        }
        for (i, column) in self.panels().into_iter().enumerate() {
            let (across, down) = ((i % self.columns()) as f64, (i / self.columns()) as f64);
            let corner = (MARGIN + self.plane_width() + across * PANEL.0, top + down * PANEL.1);
            self.draw_column(canvas, &Panel { corner, size: PANEL }, column)?;
        }
        Ok(())
    }

    fn draw_column(&self, canvas: &mut dyn Canvas, panel: &Panel, column: &ColumnDescription) -> Result<()> {
        let is_target = self.description.target.as_ref() == Some(column);
        let title = if is_target && self.description.parts.len() > 1 { "predicted: " } else { "" };
        panel.draw_title(canvas, &format!("{title}{}", column.name))?;
        match &column.content {
            Content::Numbers(parts) => histogram::draw(canvas, panel, parts),
            Content::Categories(names) if is_target && names.len() > bars::MOST => {
                histogram::draw_names(canvas, panel, names)
            }
            Content::Categories(names) => bars::draw(canvas, panel, names, is_target),
        }
    }
}
