//! Learning curves, one panel per column, and metrics that are drawn: the same drawing as SVG and as PNG.

mod axis;
mod canvas;
mod card;
mod confusion;
mod contact_sheet;
mod curves;
mod description;
mod drawing;
mod frame;
mod legend;
mod loss;
mod names;
mod reliability;
pub mod scene;
mod threshold_curves;

pub(super) use axis::Axis;
pub use card::CardFigure;
pub use contact_sheet::ContactSheet;
pub(super) use curves::Curves;
pub use description::DescriptionFigure;
pub use drawing::{Drawing, DrawnPanel};
pub use loss::LossFigure;

use super::turns::turns;
use super::{ArmCurve, ArmRecords, Report, axis_label, interval, is_counter, label};
use crate::Result;
use crate::experiment::Plot;
use canvas::{Anchor, Canvas, Ink};

/// Colors of the arms (Okabe and Ito 2008), told apart with any color vision; yellow is left out on white.
const COLORS: [(u8, u8, u8); 7] =
    [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233), (70, 70, 70)];

/// In pixels of the SVG; the PNG has twice as many.
const PANEL: (f64, f64) = (460.0, 300.0);
const MARGIN: f64 = 20.0;
const HEAD: f64 = 62.0;
const LEGEND_LINE: f64 = 22.0;

/// One `[[plot]]`, ready to draw.
pub struct Figure {
    title: String,
    subtitle: String,
    x_label: String,
    /// The names of the arms, by their colors.
    arms: Vec<String>,
    panels: Vec<Panel>,
    /// `name (n = 10)` of each arm that has a curve, with its color.
    legend: Vec<(String, usize)>,
}

struct Panel {
    title: String,
    curves: Vec<(usize, ArmCurve)>,
    /// A level that counts as learned.
    threshold: Option<f64>,
    /// Where arms turn from one phase to the next, by their colors.
    turns: Vec<(usize, f64)>,
    /// Whether its curves are paths, which can go back.
    of_paths: bool,
    logarithmic: bool,
    /// Of the horizontal axis, which begins at 0 otherwise.
    logarithmic_x: bool,
    /// Of the vertical axis, where it is not as wide as the curves.
    range: Option<[f64; 2]>,
}

impl Figure {
    pub fn new(report: &Report, plot: &Plot) -> Figure {
        let arms: Vec<&ArmRecords> = match &plot.arms {
            Some(names) => names.iter().filter_map(|name| report.arms.iter().find(|arm| arm.name == *name)).collect(),
            None => report.arms.iter().collect(),
        };
        let logarithmic = |column: &String| plot.log.as_ref().is_some_and(|log| log.contains(column));
        let panel = |column: &String| Panel {
            title: format!("{}{}", label(column), if logarithmic(column) { ", log scale" } else { "" }),
            logarithmic: logarithmic(column),
            logarithmic_x: false,
            range: plot.range.as_ref().and_then(|range| range.get(column)).copied(),
            curves: crate::parallel::map(&arms, |arm| arm.curve(&plot.x, column))
                .into_iter()
                .enumerate()
                .filter_map(|(color, curve)| Some((color, curve?)))
                .collect(),
            threshold: report.experiment.threshold.as_ref().filter(|t| t.metric == *column).map(|t| t.value),
            of_paths: !is_counter(&plot.x),
            turns: if plot.x == "examples" { turns(report, arms.iter().map(|arm| &arm.name[..])) } else { Vec::new() },
        };
        let shown = report.experiment.arms.iter().filter(|arm| arms.iter().any(|records| records.name == arm.name));
        let says_something = |column: &&String| plot.y.len() == 1 || !report.is_constant(column);
        let panels: Vec<Panel> = plot.y.iter().filter(says_something).map(panel).collect();
        let legend = arms.iter().enumerate().filter_map(|(color, arm)| {
            let n = panels
                .iter()
                .flat_map(|panel| &panel.curves)
                .filter(|(c, _)| *c == color)
                .map(|(_, curve)| curve.n)
                .max();
            // An arm of which nothing is left is named, so that nobody takes it for left out.
            let n = n.or((!arm.failed.is_empty()).then_some(0))?;
            let failed = if arm.failed.is_empty() { String::new() } else { format!(", {} failed", arm.failed.len()) };
            Some((format!("{} (n = {n}{failed})", arm.name), color))
        });
        Figure {
            title: report.experiment.title.clone(),
            subtitle: match is_counter(&plot.x) {
                true => format!(
                    "interquartile mean over n seeds; bands: {}",
                    interval::in_words(arms.iter().map(|arm| arm.trials.len()))
                ),
                false => {
                    "interquartile means over n seeds at the same examples, from the start of the training to its end"
                        .into()
                }
            },
            x_label: axis_label(&plot.x, shown),
            arms: arms.iter().map(|arm| arm.name.clone()).collect(),
            legend: legend.collect(),
            panels,
        }
    }

    pub fn svg(&self) -> Result<Vec<u8>> {
        canvas::svg(self.size(), |canvas| self.draw(canvas))
    }

    pub fn png(&self) -> Result<Vec<u8>> {
        canvas::png(self.size(), |canvas| self.draw(canvas))
    }

    /// What it shows, in a sentence.
    pub(super) fn in_words(&self) -> String {
        let panels: Vec<&str> = self.panels.iter().map(|panel| panel.title.as_str()).collect();
        format!("{}, against {}: {}", self.title, self.x_label, panels.join("; "))
    }

    fn columns(&self) -> usize {
        if self.panels.len() <= 4 { self.panels.len().min(2) } else { 3 }
    }

    fn width(&self) -> f64 {
        2.0 * MARGIN + self.columns() as f64 * PANEL.0
    }

    fn size(&self) -> (f64, f64) {
        let rows = self.panels.len().div_ceil(self.columns()) as f64;
        (self.width(), HEAD + rows * PANEL.1 + self.legend_lines().len() as f64 * LEGEND_LINE + MARGIN)
    }

    fn legend_lines(&self) -> Vec<Vec<(f64, &(String, usize))>> {
        legend::lines(&self.legend, [MARGIN + 8.0, self.width() - MARGIN])
    }

    fn draw(&self, canvas: &mut dyn Canvas) -> Result<()> {
        canvas.text((MARGIN + 8.0, 30.0), &self.title, 19.0, Ink::Strong, Anchor::Start)?;
        canvas.text((MARGIN + 8.0, 51.0), &self.subtitle, 12.0, Ink::Soft, Anchor::Start)?;
        let names: Vec<&str> = self.arms.iter().map(String::as_str).collect();
        for (i, panel) in self.panels.iter().enumerate() {
            let (column, row) = (i % self.columns(), i / self.columns());
            let corner = (MARGIN + column as f64 * PANEL.0, HEAD + row as f64 * PANEL.1);
            panel.draw(canvas, corner, (&self.x_label, &names))?;
        }
        let top = HEAD + self.panels.len().div_ceil(self.columns()) as f64 * PANEL.1;
        legend::draw(canvas, &self.legend_lines(), top)
    }
}

/// Colors repeat after the seventh arm; the second round is dashed.
fn dashed(color: usize) -> bool {
    color >= COLORS.len()
}

impl Panel {
    fn draw(&self, canvas: &mut dyn Canvas, (left, top): (f64, f64), (x_label, names): (&str, &[&str])) -> Result<()> {
        let x_values = self.curves.iter().flat_map(|(_, curve)| curve.x.iter().copied());
        let y_values = self.curves.iter().flat_map(|(_, curve)| curve.y.iter().flat_map(|e| [e.low, e.point, e.high]));
        let [(x0, x1), (y0, y1)] = frame::pixels((left, top), PANEL);
        // Counters begin at 0, also where the first row has nothing to report.
        let x = match self.logarithmic_x {
            true => Axis::logarithmic(x_values, (x0, x1), 0.0),
            false => Axis::new(x_values.chain([0.0]), (x0, x1), 0.0),
        };
        let new = |values: Vec<f64>, padding: f64| match self.logarithmic {
            true => Axis::logarithmic(values.into_iter(), (y0, y1), padding),
            false => Axis::new(values.into_iter(), (y0, y1), padding),
        };
        let y = match self.range {
            Some(range) => new(range.to_vec(), 0.0),
            None => new(y_values.chain(self.threshold).collect(), 0.04),
        };
        frame::draw(canvas, [&x, &y], [&self.title, x_label])?;
        if let Some(threshold) = self.threshold {
            canvas.line(&[(x0, y.at(threshold)), (x1, y.at(threshold))], (150, 150, 150), 1.2, true)?;
        }
        for (color, at) in self.turns.iter().filter(|(color, _)| self.curves.iter().any(|(shown, _)| shown == color)) {
            canvas.line(&[(x.at(*at), y0), (x.at(*at), y1)], COLORS[color % COLORS.len()], 1.0, true)?;
        }
        if self.curves.is_empty() {
            return canvas.text(
                ((x0 + x1) / 2.0, (y0 + y1) / 2.0),
                "no finished trial",
                13.0,
                Ink::Soft,
                Anchor::Middle,
            );
        }
        for (color, curve) in self.curves.iter().filter(|_| !self.of_paths) {
            let edge = |pick: fn(&super::Estimate) -> f64| {
                curve.x.iter().zip(&curve.y).map(|(at, estimate)| (x.at(*at), y.at(pick(estimate)))).collect::<Vec<_>>()
            };
            let band: Vec<_> = edge(|e| e.high).into_iter().chain(edge(|e| e.low).into_iter().rev()).collect();
            canvas.area(&band, COLORS[color % COLORS.len()])?;
        }
        let mut lines = Vec::new();
        for (color, curve) in &self.curves {
            let mut points: Vec<_> = curve.x.iter().zip(&curve.y).map(|(at, e)| (x.at(*at), y.at(e.point))).collect();
            if let [(at, level)] = points[..] {
                // A line needs two ends to be seen.
                points = vec![(at - 4.0, level), (at + 4.0, level)];
            }
            // Piece by piece, since a path's sharp turns would stick out as spikes.
            let piece = if self.of_paths { 2 } else { points.len() };
            for piece in points.windows(piece.min(points.len())) {
                canvas.line(piece, COLORS[color % COLORS.len()], 2.0, dashed(*color))?;
            }
            lines.push((names[*color], points));
        }
        if lines.len() < 2 {
            return Ok(());
        }
        let named: Vec<(&str, &names::Points)> = lines.iter().map(|(name, points)| (*name, &points[..])).collect();
        for ((color, _), place) in self.curves.iter().zip(names::places(&named, [x0, x1], [y1, y0])) {
            if let Some(at) = place {
                let ink = Ink::Shade(COLORS[color % COLORS.len()]);
                canvas.text(at, names[*color], names::SIZE, ink, Anchor::End)?;
            }
        }
        Ok(())
    }
}
