//! Names of curves below the panels, with their lines, wrapped.

use super::canvas::{self, Anchor, Canvas, Ink};
use super::{COLORS, LEGEND_LINE, dashed};
use crate::Result;

/// The size of the letters.
const SIZE: f64 = 13.0;

/// Entries, each a name and the number of its color, with their left ends, in lines from `left` to `right`.
pub(super) fn lines(entries: &[(String, usize)], [left, right]: [f64; 2]) -> Vec<Vec<(f64, &(String, usize))>> {
    let mut lines = vec![Vec::new()];
    let mut x = left;
    for entry in entries {
        let width = 44.0 + canvas::text_width(&entry.0, SIZE);
        if x + width > right && lines.last().is_some_and(|line: &Vec<_>| !line.is_empty()) {
            lines.push(Vec::new());
            x = left;
        }
        if let Some(line) = lines.last_mut() {
            line.push((x, entry));
        }
        x += width;
    }
    lines
}

/// Draws them below `top`, each line [`LEGEND_LINE`] high.
pub(super) fn draw(canvas: &mut dyn Canvas, lines: &[Vec<(f64, &(String, usize))>], top: f64) -> Result<()> {
    for (line, entries) in lines.iter().enumerate() {
        let y = top + (line as f64 + 0.6) * LEGEND_LINE;
        for (x, (name, color)) in entries {
            canvas.line(&[(*x, y), (x + 20.0, y)], COLORS[color % COLORS.len()], 3.0, dashed(*color))?;
            canvas.text((x + 27.0, y + 4.5), name, SIZE, Ink::Normal, Anchor::Start)?;
        }
    }
    Ok(())
}
