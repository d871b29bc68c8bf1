//! A metric that is drawn: a confusion matrix, curves over thresholds, or a reliability diagram.

use super::canvas::{self, Anchor, Canvas, Ink};
use super::{HEAD, MARGIN, confusion, reliability, threshold_curves};
use crate::Result;
use crate::metric::{DrawnAs, Metric, Value};

/// The side of the square that a panel draws in.
pub(super) const SIDE: f64 = 340.0;
/// Right of the square.
const RIGHT: f64 = 26.0;
/// Left of it, at least and at most.
const LEFT: [f64; 2] = [64.0, 150.0];
const TOP: f64 = 44.0;

/// One picture, with a panel per network that was judged.
pub struct Drawing {
    title: String,
    subtitle: String,
    kind: DrawnAs,
    panels: Vec<DrawnPanel>,
}

/// A value with what it is called.
pub struct DrawnPanel {
    pub title: String,
    pub value: Value,
    /// What the classes are called; by their numbers, where there is none.
    pub classes: Vec<String>,
}

fn name(kind: DrawnAs) -> &'static str {
    match kind {
        DrawnAs::ConfusionMatrix => "Confusion matrix",
        DrawnAs::RocCurve => "ROC curve",
        DrawnAs::PrecisionRecallCurve => "Precision and recall",
        DrawnAs::Reliability => "Reliability",
    }
}

fn subtitle(kind: DrawnAs) -> &'static str {
    match kind {
        DrawnAs::ConfusionMatrix => "how many examples (of masks: pixels); shade: share of the true class",
        DrawnAs::RocCurve => "each class against the rest; dashed: chance",
        DrawnAs::PrecisionRecallCurve => {
            "each class against the rest; level line: chance, the share of the class, where there is one"
        }
        DrawnAs::Reliability => "accuracy per bin of confidence, squares at the bin's mean confidence",
    }
}

/// What becomes of several seeds in one panel.
fn seeds(kind: DrawnAs) -> &'static str {
    match kind {
        DrawnAs::ConfusionMatrix | DrawnAs::Reliability => "; n seeds added up",
        DrawnAs::RocCurve | DrawnAs::PrecisionRecallCurve => "; a line for each of n seeds",
    }
}

fn height(kind: DrawnAs) -> f64 {
    let below = if kind == DrawnAs::Reliability { reliability::COUNTS } else { 0.0 };
    TOP + SIDE + below + 56.0
}

impl Drawing {
    /// One value; nothing if the metric is not drawn.
    pub fn of(metric: &Metric, value: &Value) -> Option<Drawing> {
        Drawing::of_panels(
            metric,
            None,
            vec![DrawnPanel { title: String::new(), value: value.clone(), classes: Vec::new() }],
        )
    }

    /// A panel for each of several; nothing if the metric is not drawn. `title` says of what.
    pub fn of_panels(metric: &Metric, title: Option<&str>, panels: Vec<DrawnPanel>) -> Option<Drawing> {
        let kind = metric.drawn?;
        let (title, seeds) = match title {
            Some(title) => (format!("{title}: {}", name(kind).to_lowercase().replace("roc", "ROC")), seeds(kind)),
            None => (name(kind).into(), ""),
        };
        Some(Drawing { title, subtitle: format!("{}{seeds}", subtitle(kind)), kind, panels })
    }

    pub fn svg(&self) -> Result<Vec<u8>> {
        canvas::svg(self.size(), |canvas| self.draw(canvas))
    }

    pub fn png(&self) -> Result<Vec<u8>> {
        canvas::png(self.size(), |canvas| self.draw(canvas))
    }

    /// What it is, and how it is to be read.
    pub fn heading(&self) -> (&'static str, &str) {
        (name(self.kind), &self.subtitle)
    }

    /// `(title, SVG)` of each panel by itself, without the heading.
    pub fn panels(&self) -> Result<Vec<(&str, Vec<u8>)>> {
        let (left, size) = (self.left(), (self.panel_width(), height(self.kind)));
        let svg = |panel| canvas::svg(size, |canvas| self.draw_panel(canvas, panel, (left, TOP)));
        self.panels.iter().map(|panel| Ok((panel.title.as_str(), svg(panel)?))).collect()
    }

    /// Left of a square, where names of classes may stand.
    fn left(&self) -> f64 {
        let names =
            self.panels.iter().flat_map(|panel| &panel.classes).filter(|_| self.kind == DrawnAs::ConfusionMatrix);
        let longest = names.map(|name| canvas::text_width(name, confusion::NAME)).fold(0.0, f64::max);
        (longest + 14.0).clamp(LEFT[0], LEFT[1])
    }

    fn panel_width(&self) -> f64 {
        self.left() + SIDE + RIGHT
    }

    fn columns(&self) -> usize {
        if self.panels.len() <= 4 { self.panels.len().clamp(1, 2) } else { 3 }
    }

    fn size(&self) -> (f64, f64) {
        let rows = self.panels.len().div_ceil(self.columns()).max(1) as f64;
        let width = (2.0 * MARGIN + self.columns() as f64 * self.panel_width()).max(
            2.0 * MARGIN + 16.0 + canvas::text_width(&self.subtitle, 12.0).max(canvas::text_width(&self.title, 19.0)),
        );
        (width, HEAD + rows * height(self.kind) + MARGIN)
    }

    fn draw(&self, canvas: &mut dyn Canvas) -> Result<()> {
        canvas.text((MARGIN + 8.0, 30.0), &self.title, 19.0, Ink::Strong, Anchor::Start)?;
        canvas.text((MARGIN + 8.0, 51.0), &self.subtitle, 12.0, Ink::Soft, Anchor::Start)?;
        for (i, panel) in self.panels.iter().enumerate() {
            let (column, row) = (i % self.columns(), i / self.columns());
            let left = MARGIN + column as f64 * self.panel_width() + self.left();
            let top = HEAD + row as f64 * height(self.kind) + TOP;
            self.draw_panel(canvas, panel, (left, top))?;
        }
        Ok(())
    }

    fn draw_panel(&self, canvas: &mut dyn Canvas, panel: &DrawnPanel, corner: (f64, f64)) -> Result<()> {
        let summary = match (&panel.value, self.kind) {
            (Value::Counts(counts), _) => confusion::draw(canvas, corner, counts, &panel.classes)?,
            (Value::Bins(bins), _) => reliability::draw(canvas, corner, bins)?,
            (Value::Curves(curves), DrawnAs::RocCurve) => {
                threshold_curves::draw_roc(canvas, corner, (curves, &panel.classes))?
            }
            (Value::Curves(curves), _) => {
                threshold_curves::draw_precision_recall(canvas, corner, (curves, &panel.classes))?
            }
            (Value::Number(_) | Value::PerClass(_), _) => String::new(),
        };
        let (left, top) = corner;
        if panel.title.is_empty() {
            return canvas.text((left, top - 25.0), &summary, 14.0, Ink::Strong, Anchor::Start);
        }
        canvas.text((left, top - 25.0), &panel.title, 14.0, Ink::Strong, Anchor::Start)?;
        canvas.text((left + SIDE, top - 9.0), &summary, 11.5, Ink::Normal, Anchor::End)
    }
}

/// A square from 0 to 1 both ways: grid lines, ticks and the names of the axes.
pub(super) fn unit_square(canvas: &mut dyn Canvas, (left, top): (f64, f64), [x, y]: [&str; 2]) -> Result<()> {
    let bottom = top + SIDE;
    for tick in 0..=5 {
        let share = f64::from(tick) / 5.0;
        let (across, up) = (left + share * SIDE, bottom - share * SIDE);
        let text = if tick == 0 { "0".to_string() } else { format!("{share:.1}") };
        canvas.line(&[(left, up), (left + SIDE, up)], (230, 230, 230), 1.0, false)?;
        canvas.text((left - 7.0, up + 4.0), &text, 11.5, Ink::Normal, Anchor::End)?;
        canvas.line(&[(across, bottom), (across, bottom + 4.0)], (120, 120, 120), 1.0, false)?;
        canvas.text((across, bottom + 18.0), &text, 11.5, Ink::Normal, Anchor::Middle)?;
    }
    canvas.line(&[(left, bottom), (left + SIDE, bottom)], (120, 120, 120), 1.0, false)?;
    canvas.text((left, top - 9.0), y, 11.5, Ink::Soft, Anchor::Start)?;
    canvas.text((left + SIDE / 2.0, bottom + 36.0), x, 11.5, Ink::Soft, Anchor::Middle)
}
