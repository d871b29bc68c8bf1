//! ROC and precision-recall curves: one color per class, one line per curve.

use super::canvas::{self, Anchor, Canvas, Ink};
use super::drawing::{SIDE, unit_square};
use super::{COLORS, dashed};
use crate::Result;
use crate::metric::Curve;

const CHANCE: (u8, u8, u8) = (150, 150, 150);
/// More classes than this are drawn alike, without a legend.
const NAMED: usize = 12;

/// Draws into the square at `corner` and returns what it says in a few words.
pub(super) fn draw_roc(
    canvas: &mut dyn Canvas,
    corner: (f64, f64),
    (curves, names): (&[Curve], &[String]),
) -> Result<String> {
    let (left, bottom) = (corner.0, corner.1 + SIDE);
    unit_square(canvas, corner, ["false positive rate", "true positive rate"])?;
    canvas.line(&[(left, bottom), (left + SIDE, corner.1)], CHANCE, 1.2, true)?;
    draw_lines(canvas, corner, curves, |curve| curve.points.iter().map(|point| (point.x, point.y)).collect())?;
    // Below the diagonal there is room.
    let width = legend_width(curves, names);
    draw_legend(canvas, (left + SIDE - width - 12.0, bottom), curves, names)?;
    Ok(summary(curves, "area"))
}

/// As [`draw_roc`]. The steps enclose the average precision.
pub(super) fn draw_precision_recall(
    canvas: &mut dyn Canvas,
    corner: (f64, f64),
    (curves, names): (&[Curve], &[String]),
) -> Result<String> {
    let (left, bottom) = (corner.0, corner.1 + SIDE);
    unit_square(canvas, corner, ["recall", "precision"])?;
    let prevalence = mean(curves.iter().map(|curve| curve.prevalence));
    // By chance no box is found.
    if prevalence > 0.0 {
        let chance = bottom - prevalence * SIDE;
        canvas.line(&[(left, chance), (left + SIDE, chance)], CHANCE, 1.2, true)?;
    }
    draw_lines(canvas, corner, curves, steps)?;
    draw_legend(canvas, (left + 14.0, bottom), curves, names)?;
    Ok(summary(curves, "average precision"))
}

/// From the highest threshold: each precision holds for the recall that it adds; one that adds none has no width.
fn steps(curve: &Curve) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    let mut recall = 0.0;
    for point in curve.points.iter().rev().filter(|point| point.threshold.is_finite()) {
        if point.x == recall {
            continue;
        }
        steps.extend([(recall, point.y), (point.x, point.y)]);
        recall = point.x;
    }
    steps
}

fn draw_lines(
    canvas: &mut dyn Canvas,
    (left, top): (f64, f64),
    curves: &[Curve],
    points: impl Fn(&Curve) -> Vec<(f64, f64)>,
) -> Result<()> {
    let classes = classes(curves);
    let width = if curves.len() > classes.len() || classes.len() > NAMED { 1.0 } else { 2.0 };
    for curve in curves.iter().filter(|curve| !curve.area.is_nan()) {
        let at = |(x, y): (f64, f64)| (left + x * SIDE, top + SIDE - y * SIDE);
        let line: Vec<_> = points(curve).into_iter().map(at).collect();
        let (color, is_dashed) = style(&classes, curve.class);
        canvas.line(&line, color, width, is_dashed)?;
    }
    Ok(())
}

fn style(classes: &[i64], class: i64) -> ((u8, u8, u8), bool) {
    match classes.iter().position(|other| *other == class) {
        Some(i) if classes.len() <= NAMED => (COLORS[i % COLORS.len()], dashed(i)),
        _ => (COLORS[0], false),
    }
}

fn classes(curves: &[Curve]) -> Vec<i64> {
    let mut classes: Vec<i64> = curves.iter().map(|curve| curve.class).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// `lesion: 0.912`
fn entry(class: i64, curves: &[Curve], names: &[String]) -> String {
    let area = mean(curves.iter().filter(|curve| curve.class == class).map(|curve| curve.area));
    let name = usize::try_from(class).ok().and_then(|class| names.get(class));
    let name = name.map_or(class.to_string(), |name| canvas::shortened(name, NAME, SIDE / 3.0));
    format!("{name}: {}", shown(area))
}

/// The size of the letters of a legend.
const NAME: f64 = 11.5;

fn legend_width(curves: &[Curve], names: &[String]) -> f64 {
    let widths = classes(curves).into_iter().map(|class| canvas::text_width(&entry(class, curves, names), NAME));
    30.0 + widths.fold(46.0, f64::max)
}

/// Classes with their areas, upwards from the bottom.
fn draw_legend(canvas: &mut dyn Canvas, (left, bottom): (f64, f64), curves: &[Curve], names: &[String]) -> Result<()> {
    let classes = classes(curves);
    if classes.len() < 2 || classes.len() > NAMED {
        return Ok(());
    }
    let height = classes.len() as f64 * 15.0 + 4.0;
    canvas.block(
        [(left - 4.0, bottom - 8.0 - height), (left + legend_width(curves, names), bottom - 6.0)],
        (255, 255, 255),
    )?;
    for (line, class) in classes.iter().enumerate() {
        let y = bottom - 12.0 - (classes.len() - 1 - line) as f64 * 15.0;
        let (color, is_dashed) = style(&classes, *class);
        canvas.line(&[(left, y - 4.0), (left + 18.0, y - 4.0)], color, 2.5, is_dashed)?;
        canvas.text((left + 24.0, y), &entry(*class, curves, names), NAME, Ink::Normal, Anchor::Start)?;
    }
    Ok(())
}

fn summary(curves: &[Curve], of: &str) -> String {
    let all = shown(mean(curves.iter().map(|curve| curve.area)));
    let mean = if curves.len() > 1 { "mean " } else { "" };
    format!("{mean}{of} {all}")
}

fn shown(area: f64) -> String {
    if area.is_nan() { "undefined".into() } else { format!("{area:.3}") }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    sum / n
}
