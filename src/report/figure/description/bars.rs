//! A few names with their shares of the rows: a bar for each part.

use super::panel::{Panel, TEXT, shortened};
use crate::Result;
use crate::data::description::by_frequency;
use crate::report::figure::COLORS;
use crate::report::figure::canvas::{Anchor, Canvas, Ink};

/// More names than these are put together.
pub const MOST: usize = 6;
/// Room for the names.
const NAMES: f64 = 104.0;
/// Room for `100.0 %` to the right of the longest bar.
const SHARES: f64 = 46.0;

/// In the given order where `ordered`, otherwise the most frequent first.
pub fn draw(canvas: &mut dyn Canvas, panel: &Panel, names: &[(String, Vec<usize>)], ordered: bool) -> Result<()> {
    let parts = names.first().map_or(1, |(_, rows)| rows.len());
    let totals: Vec<f64> =
        (0..parts).map(|part| names.iter().map(|(_, rows)| rows[part]).sum::<usize>().max(1) as f64).collect();
    let shares =
        |rows: &[usize]| rows.iter().zip(&totals).map(|(rows, total)| *rows as f64 / total).collect::<Vec<_>>();
    let lines: Vec<(String, Vec<f64>)> =
        together(names, ordered).iter().map(|(name, rows)| (name.clone(), shares(rows))).collect();
    let largest = lines.iter().flat_map(|(_, shares)| shares).copied().fold(f64::MIN_POSITIVE, f64::max);
    let (left, top) = (panel.corner.0 + 8.0 + NAMES, panel.corner.1 + 34.0);
    let length = panel.size.0 - NAMES - SHARES - 24.0;
    // Few lines are no thicker than those of three.
    let height = (panel.size.1 - 50.0) / (lines.len() as f64).max(3.0);
    let thickness = (0.62 * height).min(20.0) / parts as f64;
    for (i, (name, shares)) in lines.iter().enumerate() {
        let middle = top + (i as f64 + 0.5) * height;
        let name = shortened(name, NAMES - 10.0, TEXT);
        canvas.text((left - 8.0, middle + 4.0), &name, TEXT, Ink::Normal, Anchor::End)?;
        for (part, share) in shares.iter().enumerate() {
            let above = middle + (part as f64 - parts as f64 / 2.0) * thickness;
            let end = left + share / largest * length;
            canvas.block([(left, above), (end.max(left + 1.0), above + thickness)], COLORS[part])?;
        }
        let end = left + shares.iter().copied().fold(0.0, f64::max) / largest * length;
        let text = format!("{:.1} %", 100.0 * shares[0]);
        canvas.text((end + 6.0, middle + 4.0), &text, TEXT, Ink::Soft, Anchor::Start)?;
    }
    Ok(())
}

/// Those that are drawn; beyond the most, the others are one line.
fn together(names: &[(String, Vec<usize>)], ordered: bool) -> Vec<(String, Vec<usize>)> {
    let sorted = if ordered { names.iter().collect() } else { by_frequency(names) };
    if sorted.len() <= MOST {
        return sorted.into_iter().cloned().collect();
    }
    let (kept, others) = sorted.split_at(MOST - 1);
    let parts = others[0].1.len();
    let sums = (0..parts).map(|part| others.iter().map(|(_, rows)| rows[part]).sum()).collect();
    let rest = (format!("{} others", others.len()), sums);
    kept.iter().copied().cloned().chain([rest]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rare_ones_are_put_together() {
        let names: Vec<(String, Vec<usize>)> = (0..9).map(|i| (i.to_string(), vec![i, 1])).collect();
        let drawn = together(&names, false);
        assert_eq!(drawn.len(), MOST);
        assert_eq!((drawn[0].clone(), drawn[5].clone()), (("8".into(), vec![8, 1]), ("4 others".into(), vec![6, 4])));
        assert_eq!(together(&names[..3], true)[0].0, "0");
    }
}
