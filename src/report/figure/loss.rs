//! A loss and its slope along one line through its inputs, side by side.

use super::axis::Axis;
use super::canvas::{self, Anchor, Canvas, Ink};
use super::{COLORS, LEGEND_LINE, MARGIN, dashed, frame};
use crate::Result;
use crate::loss::{Loss, Points};

const PANEL: (f64, f64) = (380.0, 250.0);
const HEAD: f64 = 40.0;

/// The figure of one row of the table of losses.
pub struct LossFigure {
    loss: &'static Loss,
    curves: Vec<(&'static str, Points)>,
}

impl LossFigure {
    pub fn new(loss: &'static Loss) -> Result<LossFigure> {
        Ok(LossFigure { loss, curves: loss.curves()? })
    }

    pub fn svg(&self) -> Result<Vec<u8>> {
        canvas::svg(self.size(), |canvas| self.draw(canvas))
    }

    pub fn png(&self) -> Result<Vec<u8>> {
        canvas::png(self.size(), |canvas| self.draw(canvas))
    }

    fn has_legend(&self) -> bool {
        self.curves.iter().any(|(label, _)| !label.is_empty())
    }

    fn size(&self) -> (f64, f64) {
        let legend = if self.has_legend() { LEGEND_LINE } else { 0.0 };
        (2.0 * (MARGIN + PANEL.0), HEAD + PANEL.1 + legend + 8.0)
    }

    fn draw(&self, canvas: &mut dyn Canvas) -> Result<()> {
        canvas.text((MARGIN + 8.0, 28.0), self.loss.name, 17.0, Ink::Strong, Anchor::Start)?;
        self.draw_panel(canvas, MARGIN, "loss", |(_, value, _)| *value)?;
        self.draw_panel(canvas, MARGIN + PANEL.0, "slope", |(_, _, slope)| *slope)?;
        let (mut x, y) = (MARGIN + 58.0, HEAD + PANEL.1 + 0.5 * LEGEND_LINE);
        for (color, (label, _)) in self.curves.iter().enumerate().filter(|(_, (label, _))| !label.is_empty()) {
            canvas.line(&[(x, y), (x + 20.0, y)], COLORS[color], 3.0, dashed(color))?;
            canvas.text((x + 27.0, y + 4.5), label, 13.0, Ink::Normal, Anchor::Start)?;
            x += 52.0 + canvas::text_width(label, 13.0);
        }
        Ok(())
    }

    fn draw_panel(
        &self,
        canvas: &mut dyn Canvas,
        left: f64,
        title: &str,
        pick: fn(&(f64, f64, f64)) -> f64,
    ) -> Result<()> {
        let [x_pixels, y_pixels] = frame::pixels((left, HEAD), PANEL);
        let (low, high) = self.loss.slice.range;
        let x = Axis::new([low, high].into_iter(), x_pixels, 0.0);
        let values = self.curves.iter().flat_map(|(_, points)| points.iter().map(pick));
        let y = Axis::new(values.chain([0.0]), y_pixels, 0.04);
        frame::draw(canvas, [&x, &y], [title, self.loss.slice.x])?;
        canvas.line(&[(x_pixels.0, y.at(0.0)), (x_pixels.1, y.at(0.0))], (150, 150, 150), 1.0, false)?;
        for (color, (_, points)) in self.curves.iter().enumerate() {
            let line: Vec<(f64, f64)> = points.iter().map(|point| (x.at(point.0), y.at(pick(point)))).collect();
            canvas.line(&line, COLORS[color], 2.0, dashed(color))?;
        }
        Ok(())
    }
}
