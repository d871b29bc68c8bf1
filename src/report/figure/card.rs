//! The weight that objectives give the right class, against its probability: by formula as lines, as measured in dots.

use super::axis::Axis;
use super::canvas::{self, Anchor, Canvas, Ink};
use super::{COLORS, HEAD, LEGEND_LINE, MARGIN, PANEL, dashed, frame, legend};
use crate::card::{Card, Measured, PROBABILITIES};
use crate::{Error, Result};

/// More curves than this are drawn in two rows, those of labels above those of rewards.
const ONE_ROW: usize = 7;
/// Points of a curve.
const POINTS: usize = 400;
/// Of the logarithmic panel.
const SMALL: [f64; 2] = [1e-3, 10.0];
const LEAST_PROBABILITY: f64 = 1e-3;
const GRAY: (u8, u8, u8) = (150, 150, 150);

/// Cards in one figure.
pub struct CardFigure {
    classes: usize,
    rows: Vec<Vec<Curve>>,
}

/// Objectives of the same weight.
struct Curve {
    name: String,
    /// `(p, β)` by formula, at equal steps of p and of `ln p`.
    points: Vec<(f64, f64)>,
    measured: Vec<(f64, f64)>,
}

type Line = Vec<(f64, f64)>;

impl CardFigure {
    /// # Errors
    /// When there are more than can be told apart.
    pub fn new(cards: &[Card]) -> Result<CardFigure> {
        let classes = cards.first().map_or(0, |card| card.classes);
        let (of_labels, of_rewards) =
            cards.iter().partition::<Vec<&Card>, _>(|card| matches!(card.row.measured, Measured::Loss { .. }));
        let together = curves(&cards.iter().collect::<Vec<_>>())?;
        let rows = match together.len() <= ONE_ROW {
            true => vec![together],
            false => [curves(&of_labels)?, curves(&of_rewards)?].into_iter().filter(|row| !row.is_empty()).collect(),
        };
        let most = 2 * COLORS.len();
        if let Some(row) = rows.iter().find(|row| row.len() > most) {
            let message = format!("{} weights in one panel can't be told apart; draw at most {most}", row.len());
            return Err(Error::Argument(message));
        }
        Ok(CardFigure { classes, rows })
    }

    pub fn svg(&self) -> Result<Vec<u8>> {
        canvas::svg(self.size(), |canvas| self.draw(canvas))
    }

    pub fn png(&self) -> Result<Vec<u8>> {
        canvas::png(self.size(), |canvas| self.draw(canvas))
    }

    fn size(&self) -> (f64, f64) {
        let heights = self.rows.iter().map(|row| height(row));
        (2.0 * (MARGIN + PANEL.0), HEAD + heights.sum::<f64>() + MARGIN)
    }

    fn draw(&self, canvas: &mut dyn Canvas) -> Result<()> {
        let title = "How much an objective learns from an example";
        canvas.text((MARGIN + 8.0, 30.0), title, 19.0, Ink::Strong, Anchor::Start)?;
        let marked = self.rows.iter().flatten().any(|curve| curve.name.contains('*'));
        let mark = if marked { "; *: if all other classes are equally likely" } else { "" };
        let subtitle = format!(
            "β, where the update of the logits of {} classes is β (e − π), e the right class; lines: by formula, dots: measured{mark}",
            self.classes
        );
        canvas.text((MARGIN + 8.0, 51.0), &subtitle, 12.0, Ink::Soft, Anchor::Start)?;
        let mut top = HEAD;
        for row in &self.rows {
            draw_linear(canvas, (MARGIN, top), row)?;
            draw_logarithmic(canvas, (MARGIN + PANEL.0, top), row)?;
            legend::draw(canvas, &legend::lines(&entries(row), SIDES), top + PANEL.1)?;
            top += height(row);
        }
        Ok(())
    }
}

/// The left and the right end of a legend.
const SIDES: [f64; 2] = [MARGIN + 58.0, MARGIN + 2.0 * PANEL.0];

fn entries(row: &[Curve]) -> Vec<(String, usize)> {
    row.iter().enumerate().map(|(color, curve)| (curve.name.clone(), color)).collect()
}

fn height(row: &[Curve]) -> f64 {
    PANEL.1 + legend::lines(&entries(row), SIDES).len() as f64 * LEGEND_LINE + 10.0
}

/// A curve for each weight; objectives that share one share the curve.
fn curves(cards: &[&Card]) -> Result<Vec<Curve>> {
    let step = |i: usize| (i as f64 + 0.5) / POINTS as f64;
    let mut probabilities: Vec<f64> = (0..POINTS).map(step).collect();
    probabilities.extend((0..POINTS).map(|i| LEAST_PROBABILITY.powf(1.0 - step(i))));
    probabilities.push(LEAST_PROBABILITY);
    probabilities.sort_by(f64::total_cmp);
    let mut curves: Vec<Curve> = Vec::new();
    for card in cards {
        let points: Line = probabilities.iter().map(|p| (*p, card.beta(*p))).collect();
        let mark = if card.row.in_any_company { "" } else { " *" };
        let name = format!("{}{mark}", card.label());
        let same = |curve: &&mut Curve| {
            let mut pairs = curve.points.iter().zip(&points);
            pairs.all(|((_, a), (_, b))| (a - b).abs() <= 1e-9 * (1.0 + a.abs()))
        };
        if let Some(curve) = curves.iter_mut().find(same) {
            curve.name += &format!(" | {name}");
            continue;
        }
        let measured = PROBABILITIES.iter().map(|p| Ok((*p, card.measured(*p)?)));
        curves.push(Curve { name, points, measured: measured.collect::<Result<_>>()? });
    }
    Ok(curves)
}

/// Of the linear panel: what is far from 1 runs out of it.
fn levels(row: &[Curve]) -> [f64; 2] {
    let any = |is: fn(f64) -> bool| row.iter().flat_map(|curve| &curve.measured).any(|(_, beta)| is(*beta));
    let low = if any(|beta| beta < -0.01) { -1.0 } else { 0.0 };
    let high = if any(|beta| beta > 1.4) { 3.0 } else { 1.5 };
    [low, high]
}

fn draw_linear(canvas: &mut dyn Canvas, corner: (f64, f64), row: &[Curve]) -> Result<()> {
    let [x_pixels, y_pixels] = frame::pixels(corner, PANEL);
    let range = levels(row);
    let x = Axis::new([0.0, 1.0].into_iter(), x_pixels, 0.0);
    let y = Axis::new(range.into_iter(), y_pixels, 0.0);
    frame::draw(canvas, [&x, &y], ["β(p)", "p, the probability of the right class"])?;
    canvas.line(&[(x_pixels.0, y.at(0.0)), (x_pixels.1, y.at(0.0))], GRAY, 1.0, false)?;
    let surprisal: Line =
        row.first().map_or(Vec::new(), |curve| curve.points.iter().map(|(p, _)| (*p, -p.ln())).collect());
    for line in inside(&surprisal, range) {
        canvas.line(&line.iter().map(|(p, s)| (x.at(*p), y.at(*s))).collect::<Line>(), GRAY, 1.2, true)?;
    }
    let beside = 0.9 * range[1];
    let name_at = (x.at((-beside).exp()) + 14.0, y.at(beside) + 4.0);
    canvas.text(name_at, "surprisal −ln p", 11.5, Ink::Soft, Anchor::Start)?;
    draw_curves(canvas, [&x, &y], range, row)
}

fn draw_logarithmic(canvas: &mut dyn Canvas, corner: (f64, f64), row: &[Curve]) -> Result<()> {
    let [x_pixels, y_pixels] = frame::pixels(corner, PANEL);
    let x = Axis::logarithmic([LEAST_PROBABILITY, 1.0].into_iter(), x_pixels, 0.0);
    let y = Axis::logarithmic(SMALL.into_iter(), y_pixels, 0.0);
    frame::draw(canvas, [&x, &y], ["β(p), log scale", "p, log scale"])?;
    draw_curves(canvas, [&x, &y], SMALL, row)
}

fn draw_curves(canvas: &mut dyn Canvas, [x, y]: [&Axis; 2], range: [f64; 2], row: &[Curve]) -> Result<()> {
    let at = |(p, beta): &(f64, f64)| (x.at(*p), y.at(*beta));
    for (color, curve) in row.iter().enumerate() {
        for line in inside(&curve.points, range) {
            canvas.line(&line.iter().map(at).collect::<Line>(), COLORS[color % COLORS.len()], 2.0, dashed(color))?;
        }
    }
    for (color, curve) in row.iter().enumerate() {
        let shown = curve.measured.iter().filter(|(_, beta)| (range[0]..=range[1]).contains(beta));
        for point in shown {
            canvas.dot(at(point), 3.5, COLORS[color % COLORS.len()])?;
        }
    }
    Ok(())
}

/// The parts of a line that lie between two levels, cut where it crosses them.
fn inside(line: &[(f64, f64)], [low, high]: [f64; 2]) -> Vec<Line> {
    let is_inside = |(_, y): &(f64, f64)| (low..=high).contains(y);
    let crossing = |a: (f64, f64), b: (f64, f64)| {
        let level = if a.1.max(b.1) > high { high } else { low };
        (a.0 + (b.0 - a.0) * (level - a.1) / (b.1 - a.1), level)
    };
    let mut parts: Vec<Line> = vec![Vec::new()];
    for (i, point) in line.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| line[i]);
        match (before.as_ref().map(is_inside), is_inside(point)) {
            (Some(true), false) => {
                if let (Some(part), Some(before)) = (parts.last_mut(), before) {
                    part.push(crossing(before, *point));
                }
                parts.push(Vec::new());
            }
            (Some(false), true) => {
                if let (Some(part), Some(before)) = (parts.last_mut(), before) {
                    part.extend([crossing(before, *point), *point]);
                }
            }
            (_, true) => parts.last_mut().into_iter().for_each(|part| part.push(*point)),
            (_, false) => {}
        }
    }
    parts.retain(|part| part.len() > 1);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_the_levels() {
        let line = [(0.0, 5.0), (1.0, 1.0), (2.0, 0.0), (3.0, -2.0), (4.0, 2.0)];
        let parts = inside(&line, [-1.0, 3.0]);
        assert_eq!(parts, [vec![(0.5, 3.0), (1.0, 1.0), (2.0, 0.0), (2.5, -1.0)], vec![(3.25, -1.0), (4.0, 2.0)]]);
        assert_eq!(inside(&[(0.0, 5.0), (1.0, 4.0)], [-1.0, 3.0]), Vec::<Line>::new());
    }
}
