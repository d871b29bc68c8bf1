//! The place of a small panel, with what all of them have: a title, ticks and grid lines.

use crate::Result;
use crate::report::figure::axis::Axis;
use crate::report::figure::canvas::{self, Anchor, Canvas, Ink};

/// The usual size.
pub const PANEL: (f64, f64) = (300.0, 196.0);
/// Of ticks.
pub const TEXT: f64 = 11.0;
const TITLE: f64 = 13.0;
const GRID: (u8, u8, u8) = (232, 232, 232);
const LINE: (u8, u8, u8) = (120, 120, 120);

pub struct Panel {
    pub corner: (f64, f64),
    pub size: (f64, f64),
}

impl Panel {
    /// The pixels between the axes, from left to right and from bottom to top.
    pub fn inside(&self) -> [(f64, f64); 2] {
        let ((left, top), (width, height)) = (self.corner, self.size);
        [(left + 46.0, left + width - 16.0), (top + height - 34.0, top + 34.0)]
    }

    pub fn draw_title(&self, canvas: &mut dyn Canvas, title: &str) -> Result<()> {
        let room = self.size.0 - 24.0;
        let title = shortened(title, room, TITLE);
        canvas.text((self.corner.0 + 8.0, self.corner.1 + 22.0), &title, TITLE, Ink::Strong, Anchor::Start)
    }

    /// Grid lines with their shares in percent.
    pub fn draw_shares(&self, canvas: &mut dyn Canvas, axis: &Axis) -> Result<()> {
        let [(left, right), _] = self.inside();
        for tick in axis.ticks() {
            canvas.line(&[(left, axis.at(tick)), (right, axis.at(tick))], GRID, 1.0, false)?;
            let text = format!("{} %", axis.text(tick));
            canvas.text((left - 6.0, axis.at(tick) + 4.0), &text, TEXT, Ink::Soft, Anchor::End)?;
        }
        Ok(())
    }

    /// Grid lines with their numbers.
    pub fn draw_numbers(&self, canvas: &mut dyn Canvas, axis: &Axis) -> Result<()> {
        let [(left, right), _] = self.inside();
        for tick in axis.ticks() {
            canvas.line(&[(left, axis.at(tick)), (right, axis.at(tick))], GRID, 1.0, false)?;
            canvas.text((left - 6.0, axis.at(tick) + 4.0), &axis.text(tick), TEXT, Ink::Normal, Anchor::End)?;
        }
        Ok(())
    }

    /// The line below, with ticks and their texts.
    pub fn draw_base(&self, canvas: &mut dyn Canvas, ticks: &[(f64, String)]) -> Result<()> {
        let [(left, right), (bottom, _)] = self.inside();
        canvas.line(&[(left, bottom), (right, bottom)], LINE, 1.0, false)?;
        for (x, text) in ticks {
            canvas.line(&[(*x, bottom), (*x, bottom + 4.0)], LINE, 1.0, false)?;
            canvas.text((*x, bottom + 17.0), text, TEXT, Ink::Normal, Anchor::Middle)?;
        }
        Ok(())
    }
}

/// A horizontal axis whose texts keep clear of one another, with steps of at least `step`.
pub fn horizontal(values: [f64; 2], pixels: (f64, f64), step: f64) -> Axis {
    Axis::new(values.into_iter(), pixels, 0.0).spaced(step, |text| canvas::text_width(text, TEXT) + 12.0)
}

/// Its ticks with their texts.
pub fn ticks(axis: &Axis) -> Vec<(f64, String)> {
    axis.ticks().into_iter().map(|tick| (axis.at(tick), axis.text(tick))).collect()
}

/// The beginning of a text that fits into so many pixels.
pub fn shortened(text: &str, room: f64, size: f64) -> String {
    if canvas::text_width(text, size) <= room {
        return text.to_string();
    }
    let fits = |length: &usize| canvas::text_width(&"n".repeat(length + 1), size) <= room;
    let length = (1..text.chars().count()).take_while(fits).last().unwrap_or(1);
    format!("{}…", text.chars().take(length).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_ends_in_dots() {
        assert_eq!(shortened("short", 100.0, 10.0), "short");
        let long = shortened("Residential_Low_Density", 60.0, 10.0);
        assert!(long.ends_with('…') && canvas::text_width(&long, 10.0) <= 60.0, "{long}");
    }
}
