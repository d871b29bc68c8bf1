//! A reliability diagram: accuracy against confidence, and how many examples each bin has.

use super::COLORS;
use super::canvas::{Anchor, Canvas, Ink};
use super::drawing::{SIDE, unit_square};
use crate::Result;
use crate::metric::{Bin, Norm, calibration_error};

/// Room for the counts below the square.
pub(super) const COUNTS: f64 = 96.0;
const COUNT_HEIGHT: f64 = 44.0;
const PALE: (u8, u8, u8) = (186, 214, 234);
const GRAY: (u8, u8, u8) = (150, 150, 150);

/// Draws into the square at `corner` and the room below it, and returns what it says in a few words.
pub(super) fn draw(canvas: &mut dyn Canvas, (left, top): (f64, f64), bins: &[Bin]) -> Result<String> {
    let bottom = top + SIDE;
    unit_square(canvas, (left, top), ["confidence", "accuracy"])?;
    for bin in bins.iter().filter(|bin| bin.count > 0) {
        let (x0, x1, y) = (left + bin.low * SIDE, left + bin.high * SIDE, bottom - bin.accuracy() * SIDE);
        canvas.block([(x0 + 1.0, y), (x1 - 1.0, bottom)], PALE)?;
        canvas.line(&[(x0 + 1.0, y), (x1 - 1.0, y)], COLORS[0], 2.0, false)?;
    }
    canvas.line(&[(left, bottom), (left + SIDE, top)], GRAY, 1.5, true)?;
    for bin in bins.iter().filter(|bin| bin.count > 0) {
        let (x, y) = (left + bin.confidence() * SIDE, bottom - bin.accuracy() * SIDE);
        canvas.block([(x - 3.0, y - 3.0), (x + 3.0, y + 3.0)], COLORS[1])?;
    }
    draw_counts(canvas, (left, bottom + COUNTS), bins)?;
    Ok(format!("expected calibration error {:.3}", calibration_error(bins, Norm::L1)))
}

fn draw_counts(canvas: &mut dyn Canvas, (left, floor): (f64, f64), bins: &[Bin]) -> Result<()> {
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(0);
    for bin in bins.iter().filter(|bin| bin.count > 0) {
        // A single example is seen beside thousands.
        let height = (bin.count as f64 / most as f64 * COUNT_HEIGHT).max(1.0);
        let (x0, x1) = (left + bin.low * SIDE, left + bin.high * SIDE);
        canvas.block([(x0 + 1.0, floor - height), (x1 - 1.0, floor)], GRAY)?;
    }
    canvas.line(&[(left, floor), (left + SIDE, floor)], (120, 120, 120), 1.0, false)?;
    canvas.text((left - 7.0, floor - COUNT_HEIGHT + 8.0), &most.to_string(), 11.5, Ink::Normal, Anchor::End)?;
    canvas.text((left - 7.0, floor + 4.0), "0", 11.5, Ink::Normal, Anchor::End)?;
    canvas.text((left + SIDE / 2.0, floor + 18.0), "examples per bin", 11.5, Ink::Soft, Anchor::Middle)
}
