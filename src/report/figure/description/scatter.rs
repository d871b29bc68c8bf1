//! Points in a plane, each group in its color.

use super::panel::{Panel, TEXT, horizontal, ticks};
use crate::Result;
use crate::data::description::Plane;
use crate::report::figure::COLORS;
use crate::report::figure::axis::Axis;
use crate::report::figure::canvas::{self, Anchor, Canvas, Ink};

/// Points of a group beyond these are not drawn.
const MOST_POINTS: usize = 1_000;

/// The first group has the color `first_color`.
pub fn draw(canvas: &mut dyn Canvas, panel: &Panel, plane: &Plane, first_color: usize) -> Result<()> {
    let points = || plane.groups.iter().flat_map(|(_, points)| points.iter().take(MOST_POINTS));
    let [across, up] = panel.inside();
    let range = |of: fn(&(f64, f64)) -> f64| {
        let (low, high) = points().map(of).fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        let margin = 0.03 * (high - low);
        [low - margin, high + margin]
    };
    let x = horizontal(range(|point| point.0), across, 0.0);
    let y = Axis::new(range(|point| point.1).into_iter(), up, 0.0).spaced(0.0, |_| 40.0);
    panel.draw_title(canvas, &format!("{} against {}", plane.axes[1], plane.axes[0]))?;
    panel.draw_numbers(canvas, &y)?;
    panel.draw_base(canvas, &ticks(&x))?;
    // One row of each group after the other, so that the last group does not cover the others.
    let longest = plane.groups.iter().map(|(_, points)| points.len()).max().unwrap_or(0);
    for row in 0..longest.min(MOST_POINTS) {
        for (group, (_, points)) in plane.groups.iter().enumerate() {
            if let Some(point) = points.get(row) {
                canvas.dot((x.at(point.0), y.at(point.1)), 2.5, color(first_color + group))?;
            }
        }
    }
    draw_groups(canvas, panel, plane, first_color)
}

fn color(group: usize) -> (u8, u8, u8) {
    COLORS[group % COLORS.len()]
}

/// The names of the groups, to the right of the title; too many are not named.
fn draw_groups(canvas: &mut dyn Canvas, panel: &Panel, plane: &Plane, first_color: usize) -> Result<()> {
    if plane.groups.len() > COLORS.len() {
        return Ok(());
    }
    let baseline = panel.corner.1 + 22.0;
    let width = |name: &str| canvas::text_width(name, TEXT) + 24.0;
    let mut left = panel.inside()[0].1 - plane.groups.iter().map(|(name, _)| width(name)).sum::<f64>();
    for (group, (name, _)) in plane.groups.iter().enumerate() {
        canvas.dot((left + 5.0, baseline - 4.0), 4.0, color(first_color + group))?;
        canvas.text((left + 14.0, baseline), name, TEXT, Ink::Normal, Anchor::Start)?;
        left += width(name);
    }
    Ok(())
}
