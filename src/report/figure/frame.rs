//! What every panel with two axes has: a title, grid lines, ticks and the name of the horizontal axis.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Ink};
use crate::Result;

/// The pixels of both axes of a panel of this size at this corner, from low to high values.
pub(super) fn pixels((left, top): (f64, f64), (width, height): (f64, f64)) -> [(f64, f64); 2] {
    [(left + 58.0, left + width - 18.0), (top + height - 46.0, top + 30.0)]
}

/// Draws it for axes on the pixels of [`pixels`].
pub(super) fn draw(canvas: &mut dyn Canvas, [x, y]: [&Axis; 2], [title, x_label]: [&str; 2]) -> Result<()> {
    let ((x0, x1), (y0, y1)) = (x.pixels(), y.pixels());
    canvas.text((x0, y1 - 11.0), title, 14.0, Ink::Strong, Anchor::Start)?;
    for tick in y.ticks() {
        canvas.line(&[(x0, y.at(tick)), (x1, y.at(tick))], (230, 230, 230), 1.0, false)?;
        canvas.text((x0 - 7.0, y.at(tick) + 4.0), &y.text(tick), 11.5, Ink::Normal, Anchor::End)?;
    }
    for tick in x.ticks() {
        canvas.line(&[(x.at(tick), y0), (x.at(tick), y0 + 4.0)], (120, 120, 120), 1.0, false)?;
        canvas.text((x.at(tick), y0 + 18.0), &x.text(tick), 11.5, Ink::Normal, Anchor::Middle)?;
    }
    canvas.line(&[(x0, y0), (x1, y0)], (120, 120, 120), 1.0, false)?;
    canvas.text(((x0 + x1) / 2.0, y0 + 36.0), x_label, 11.5, Ink::Soft, Anchor::Middle)
}
