//! How often numbers occur, or many names: filled for the first part, an outline for the second.

use super::panel::{Panel, TEXT, horizontal, ticks};
use crate::Result;
use crate::data::description::{Bins, Distribution};
use crate::report::figure::COLORS;
use crate::report::figure::axis::Axis;
use crate::report::figure::canvas::{self, Anchor, Canvas, Ink};

const MOST_BINS: usize = 36;

/// Twice the cube root of the rows (Rice's rule) of the largest part, so that few rows don't look like a comb.
fn bin_count(parts: &[Distribution]) -> usize {
    let rows = parts.iter().map(Distribution::rows).max().unwrap_or(0);
    ((2.0 * (rows as f64).cbrt()).ceil() as usize).clamp(8, MOST_BINS)
}

/// The distributions of all parts over the same bins.
pub fn draw(canvas: &mut dyn Canvas, panel: &Panel, parts: &[Distribution]) -> Result<()> {
    let bins = Bins::of(parts, bin_count(parts));
    let [across, _] = panel.inside();
    if parts.iter().all(|part| part.rows() == 0) {
        return canvas.text((across.0, panel.inside()[1].0), "nothing in it", TEXT, Ink::Soft, Anchor::Start);
    }
    let whole = parts.iter().all(Distribution::is_whole);
    let axis = horizontal([bins.low, bins.edge(bins.count)], across, if whole { 1.0 } else { 0.0 });
    let edges: Vec<f64> = (0..=bins.count).map(|bin| axis.at(bins.edge(bin))).collect();
    let counts: Vec<Vec<usize>> = parts.iter().map(|part| bins.counts(part)).collect();
    draw_steps(canvas, panel, &edges, &counts)?;
    panel.draw_base(canvas, &ticks(&axis))
}

/// Rows of each name, side by side; not every name is written where there is no room.
pub fn draw_names(canvas: &mut dyn Canvas, panel: &Panel, names: &[(String, Vec<usize>)]) -> Result<()> {
    let [(left, right), _] = panel.inside();
    let width = (right - left) / names.len() as f64;
    let edges: Vec<f64> = (0..=names.len()).map(|i| left + i as f64 * width).collect();
    let parts = names.first().map_or(0, |(_, rows)| rows.len());
    let counts: Vec<Vec<usize>> = (0..parts).map(|part| names.iter().map(|(_, rows)| rows[part]).collect()).collect();
    draw_steps(canvas, panel, &edges, &counts)?;
    let longest = names.iter().map(|(name, _)| canvas::text_width(name, TEXT)).fold(0.0, f64::max);
    let every = ((longest + 5.0) / width).ceil().max(1.0) as usize;
    let named = names.iter().enumerate().step_by(every);
    let ticks: Vec<(f64, String)> = named.map(|(i, (name, _))| (edges[i] + width / 2.0, name.clone())).collect();
    panel.draw_base(canvas, &ticks)
}

/// Shares of the rows of each part, in percent, `counts` being `[parts][bins]`.
fn draw_steps(canvas: &mut dyn Canvas, panel: &Panel, edges: &[f64], counts: &[Vec<usize>]) -> Result<()> {
    let [_, up] = panel.inside();
    let shares: Vec<Vec<f64>> = counts.iter().map(|counts| percent(counts)).collect();
    let highest = shares.iter().flatten().copied().fold(0.0, f64::max);
    let axis = Axis::new([0.0, highest].into_iter(), up, 0.0).spaced(0.0, |_| 26.0);
    panel.draw_shares(canvas, &axis)?;
    for (part, shares) in shares.iter().enumerate() {
        let steps: Vec<(f64, f64)> = steps(edges, shares).into_iter().map(|(x, share)| (x, axis.at(share))).collect();
        if part == 0 {
            canvas.area(&steps, COLORS[part])?;
        }
        canvas.line(&steps, COLORS[part], 1.5, false)?;
    }
    Ok(())
}

fn percent(counts: &[usize]) -> Vec<f64> {
    let all = counts.iter().sum::<usize>().max(1) as f64;
    counts.iter().map(|count| 100.0 * *count as f64 / all).collect()
}

/// The outline over all bins, from the ground to the ground; bins of one height are one step.
fn steps(edges: &[f64], heights: &[f64]) -> Vec<(f64, f64)> {
    let mut outline = vec![(edges[0], 0.0)];
    for (bin, height) in heights.iter().enumerate() {
        if outline.last().is_some_and(|(_, before)| before != height) {
            outline.push((edges[bin], outline.last().map_or(0.0, |(_, before)| *before)));
            outline.push((edges[bin], *height));
        }
    }
    let end = edges[heights.len()];
    outline.push((end, heights.last().copied().unwrap_or(0.0)));
    outline.push((end, 0.0));
    outline
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_goes_up_and_down_at_the_edges() {
        let outline = steps(&[0.0, 1.0, 2.0, 3.0], &[5.0, 5.0, 2.0]);
        let expected = [(0.0, 0.0), (0.0, 0.0), (0.0, 5.0), (2.0, 5.0), (2.0, 2.0), (3.0, 2.0), (3.0, 0.0)];
        assert_eq!(outline, expected);
        assert_eq!(percent(&[1, 3]), [25.0, 75.0]);
        let rows = |rows: usize| Distribution::of_counts([(1.0, rows)]);
        assert_eq!(
            [bin_count(&[rows(120), rows(30)]), bin_count(&[rows(1_000)]), bin_count(&[rows(50_000)])],
            [10, 20, 36]
        );
    }
}
