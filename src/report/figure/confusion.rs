//! A confusion matrix as a shaded grid: true classes down, chosen ones across.

use super::canvas::{self, Anchor, Canvas, Ink};
use super::drawing::SIDE;
use crate::Result;

/// Cells whose share of the true class is above this take light text.
const DARK: f64 = 0.55;
/// The size of the names of classes.
pub(super) const NAME: f64 = 11.5;
const FULL: (u8, u8, u8) = (0, 90, 145);

/// Draws into the square at `corner` and returns what it says in a few words.
pub(super) fn draw(
    canvas: &mut dyn Canvas,
    (left, top): (f64, f64),
    counts: &[Vec<u64>],
    classes: &[String],
) -> Result<String> {
    let cell = SIDE / counts.len() as f64;
    let largest = counts.iter().flatten().max().copied().unwrap_or(0);
    let text_size = (0.42 * cell).min(18.0).min(0.85 * cell / canvas::text_width(&largest.to_string(), 1.0));
    for (i, row) in counts.iter().enumerate() {
        let total: u64 = row.iter().sum();
        for (j, &count) in row.iter().enumerate() {
            let share = if total == 0 { 0.0 } else { count as f64 / total as f64 };
            let (x, y) = (left + j as f64 * cell, top + i as f64 * cell);
            canvas.block([(x, y), (x + cell, y + cell)], shade(share))?;
            // Below this size digits are specks; the shade still speaks.
            if text_size >= 6.0 && count > 0 {
                let ink = if share > DARK { Ink::Light } else { Ink::Normal };
                let at = (x + cell / 2.0, y + cell / 2.0 + 0.36 * text_size);
                canvas.text(at, &count.to_string(), text_size, ink, Anchor::Middle)?;
            }
        }
    }
    outline(canvas, (left, top))?;
    let name = |class: usize| classes.get(class).cloned().unwrap_or(class.to_string());
    let names: Vec<String> = (0..counts.len()).map(name).collect();
    label_classes(canvas, (left, top), &names, cell)?;
    let total: u64 = counts.iter().flatten().sum();
    let right: u64 = counts.iter().enumerate().map(|(i, row)| row[i]).sum();
    Ok(format!("accuracy {:.3}", right as f64 / total as f64))
}

fn outline(canvas: &mut dyn Canvas, (left, top): (f64, f64)) -> Result<()> {
    let (right, bottom) = (left + SIDE, top + SIDE);
    let around = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    canvas.line(&around, (120, 120, 120), 1.0, false)
}

fn label_classes(canvas: &mut dyn Canvas, (left, top): (f64, f64), names: &[String], cell: f64) -> Result<()> {
    let every = (15.0 / cell).ceil().max(1.0) as usize;
    for (class, name) in names.iter().enumerate().step_by(every) {
        let middle = (class as f64 + 0.5) * cell;
        canvas.text(
            (left - 7.0, top + middle + 4.0),
            &canvas::shortened(name, NAME, left - 12.0),
            NAME,
            Ink::Normal,
            Anchor::End,
        )?;
        let below = canvas::shortened(name, NAME, every as f64 * cell - 4.0);
        canvas.text((left + middle, top + SIDE + 17.0), &below, NAME, Ink::Normal, Anchor::Middle)?;
    }
    canvas.text((left, top - 9.0), "true class, downwards", 11.5, Ink::Soft, Anchor::Start)?;
    canvas.text((left + SIDE / 2.0, top + SIDE + 36.0), "chosen class", 11.5, Ink::Soft, Anchor::Middle)
}

/// White for nothing, the full color for all; what is there at all is seen.
fn shade(share: f64) -> (u8, u8, u8) {
    let strength = if share == 0.0 { 0.0 } else { 0.06 + 0.94 * share };
    let mix = |full: u8| (255.0 + strength * (f64::from(full) - 255.0)).round() as u8;
    (mix(FULL.0), mix(FULL.1), mix(FULL.2))
}
