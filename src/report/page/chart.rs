//! A chart as it stands in the page before any script runs: ticks and labels are text beside a drawing that stretches, so that
//! it fits every width without shrinking its letters. `page.js` draws the same.

use super::data::has_band;
use super::mark::Mark;
use super::parts::all;
use super::text::number;
use crate::report::figure::Axis;
use crate::report::statistics::Estimate;
use maud::{Markup, html};
use std::fmt::Write;

/// Of the drawing in pixels; `page.css` and `page.js` have the same number.
const HEIGHT: f64 = 230.0;
/// From one label at a line's end to the next, in pixels.
const LABEL: f64 = 15.0;
/// Beneath the narrowest chart.
const LETTERS: usize = 36;
/// Both sides of the drawing in its own units.
const SIDE: f64 = 1000.0;

/// Lines over one axis.
pub(super) struct Chart<'a> {
    /// For those who can't see it: what it shows. The ends of its lines are added.
    pub says: &'a str,
    /// Where the script finds the numbers: in `chart`, `pair` or `profile`, and at which place there.
    pub found: (&'static str, usize),
    pub lines: Vec<Line<'a>>,
    pub marks: &'a [Mark],
    /// Where arms turn from one phase to the next.
    pub turns: &'a [(usize, f64)],
    /// Of the axes x and y.
    pub logarithmic: [bool; 2],
    /// Counters begin at 0.
    pub from_zero: bool,
    /// Whether a dot marks where lines end, because that isn't at the right.
    pub dots: bool,
    /// Whether lines are named at their ends, where the names fit.
    pub named: bool,
    /// The range that is shown, if that is not all of the lines; what lies beyond lies on its end.
    pub y_range: Option<[f64; 2]>,
}

pub(super) struct Line<'a> {
    pub arm: usize,
    pub name: &'a str,
    pub x: &'a [f64],
    pub y: Vec<Estimate>,
}

/// The classes that give an arm its color and its dashes: seven colors, then the same with dashes.
pub(super) fn ink(arm: usize) -> String {
    format!("a{} d{}", arm % 7, arm / 7 % 4)
}

impl Chart<'_> {
    pub fn html(&self) -> Markup {
        let (x, y) = self.axes();
        let (mut grid, mut widest) = (String::new(), 1);
        for tick in y.ticks() {
            widest = widest.max(y.text(tick).chars().count());
            write!(grid, "M0 {:.0}h{SIDE}", y.at(tick)).ok();
        }
        let dots = if self.dots { &self.lines[..] } else { &[] };
        let ends = self.ends(&y);
        html! {
            div.chart.named[!ends.is_empty()] data-chart=[self.found("chart")] data-pair=[self.found("pair")]
                data-profile=[self.found("profile")] role="img" tabindex="0" aria-label=(self.spoken())
                style={ "--gutter:" (widest) "ch" } {
                div.y {
                    @for tick in y.ticks() { span style={ "top:" (share(y.at(tick))) "%" } { (y.text(tick)) } }
                }
                div.area {
                    svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true" {
                        path.grid d=(grid) {}
                        @for mark in self.marks {
                            path class=(mark.class) d={ "M0 " (format!("{:.0}", y.at(mark.at))) "h" (SIDE) } {}
                        }
                        @for (arm, at) in self.turns.iter().filter(|(arm, _)| self.lines.iter().any(|line| line.arm == *arm)) {
                            path class={ "turn " (ink(*arm)) } d={ "M" (format!("{:.0}", x.at(*at))) " 0v" (SIDE) } {}
                        }
                        (all(self.lines.iter().filter_map(|line| band(line, &x, &y))))
                        (all(self.lines.iter().map(|line| stroke(line, &x, &y))))
                        (all(dots.iter().filter_map(|line| dot(line, &x, &y))))
                    }
                    @if !ends.is_empty() {
                        div.ends aria-hidden="true" {
                            @for (top, line) in ends {
                                span class={ "a" (line.arm % 7) } style={ "top:" (format!("{top:.0}")) "px" } { (line.name) }
                            }
                        }
                    }
                }
                div.x {
                    @for tick in few(x.ticks(), |tick| x.text(tick)) {
                        span style={ "left:" (share(x.at(tick))) "%" } { (x.text(tick)) }
                    }
                }
            }
        }
    }

    /// Where the script finds the numbers, if it is there.
    fn found(&self, list: &str) -> Option<usize> {
        (self.found.0 == list).then_some(self.found.1)
    }

    fn axes(&self) -> (Axis, Axis) {
        let x_values = self.lines.iter().flat_map(|line| line.x.iter().copied());
        let y_values = self.lines.iter().flat_map(|line| &line.y).flat_map(|e| [e.low, e.point, e.high]);
        let y_values = y_values.chain(self.marks.iter().map(|mark| mark.at));
        let [new_x, new_y] =
            self.logarithmic.map(|logarithmic| if logarithmic { Axis::logarithmic } else { Axis::new });
        let x_values: Vec<f64> = x_values.chain(self.from_zero.then_some(0.0)).collect();
        let y_values: Vec<f64> = self.y_range.map_or_else(|| y_values.collect(), |range| range.to_vec());
        (new_x(x_values.into_iter(), (0.0, SIDE), 0.0), new_y(y_values.into_iter(), (SIDE, 0.0), 0.04))
    }

    /// The lines whose names stand at their ends, pushed apart; none if there are too many for the height, or only one.
    fn ends(&self, y: &Axis) -> Vec<(f64, &Line<'_>)> {
        let mut ends: Vec<(f64, &Line)> =
            self.lines.iter().filter_map(|line| Some((y.at(line.y.last()?.point) / SIDE * HEIGHT, line))).collect();
        if !self.named || ends.len() < 2 || ends.len() as f64 * LABEL > HEIGHT {
            return Vec::new();
        }
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = LABEL / 2.0;
        for end in &mut ends {
            end.0 = end.0.max(free);
            free = end.0 + LABEL;
        }
        let mut limit = HEIGHT - LABEL / 2.0;
        for end in ends.iter_mut().rev() {
            end.0 = end.0.min(limit);
            limit = end.0 - LABEL;
        }
        ends
    }

    fn spoken(&self) -> String {
        let end = |line: &Line| Some(format!("{} ends at {}", line.name, number(line.y.last()?.point)));
        let ends: Vec<String> = self.lines.iter().filter_map(end).collect();
        format!("{}: {}. Arrow keys read the points.", self.says, ends.join(", "))
    }
}

/// Ticks whose texts fit side by side: every second one where they are long.
fn few(ticks: Vec<f64>, text: impl Fn(f64) -> String) -> Vec<f64> {
    let letters: usize = ticks.iter().map(|tick| text(*tick).chars().count() + 1).sum();
    if letters > LETTERS { ticks.into_iter().step_by(2).collect() } else { ticks }
}

fn share(at: f64) -> String {
    let share = format!("{:.1}", at / SIDE * 100.0);
    share.trim_end_matches(".0").to_string()
}

fn band(line: &Line, x: &Axis, y: &Axis) -> Option<Markup> {
    if line.y.len() < 2 || !has_band(&line.y) {
        return None;
    }
    let edge = |pick: fn(&Estimate) -> f64| {
        line.x.iter().zip(&line.y).map(|(at, e)| (x.at(*at), y.at(pick(e)))).collect::<Vec<_>>()
    };
    let outline: Vec<_> = edge(|e| e.high).into_iter().chain(edge(|e| e.low).into_iter().rev()).collect();
    Some(html! { path class={ "band " (ink(line.arm)) } d={ (steps(&outline)) "z" } {} })
}

fn stroke(line: &Line, x: &Axis, y: &Axis) -> Markup {
    let points: Vec<_> = line.x.iter().zip(&line.y).map(|(at, e)| (x.at(*at), y.at(e.point))).collect();
    // A line needs two ends to be seen.
    let dot = if points.len() == 1 { "h0" } else { "" };
    html! { path class={ "line " (ink(line.arm)) } d={ (steps(&points)) (dot) } {} }
}

/// Where a line ends. A circle would be stretched with the drawing.
fn dot(line: &Line, x: &Axis, y: &Axis) -> Option<Markup> {
    let (at, last) = (x.at(*line.x.last()?), y.at(line.y.last()?.point));
    Some(html! { path class={ "line dot " (ink(line.arm)) } d=(format!("M{at:.0} {last:.0}h0")) {} })
}

/// A polygonal line through rounded points, as relative steps: about half the letters of absolute ones.
fn steps(points: &[(f64, f64)]) -> String {
    let mut out = String::new();
    let mut before: Option<(i64, i64)> = None;
    for point in points {
        let to = (point.0.round() as i64, point.1.round() as i64);
        match before {
            None => write!(out, "M{} {}", to.0, to.1).ok(),
            Some(from) if from == to => continue,
            Some(from) => {
                let (dx, dy) = (to.0 - from.0, to.1 - from.1);
                write!(out, "l{dx}{}{dy}", if dy < 0 { "" } else { " " }).ok()
            }
        };
        before = Some(to);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(names: [&'static str; 2], y: [f64; 2]) -> String {
        let of = |i: usize| Line {
            arm: i,
            name: names[i],
            x: &[0.0, 10.0],
            y: [0.5, y[i]].map(|point| Estimate { point, low: point - 0.1, high: point + 0.1 }).to_vec(),
        };
        let chart = Chart {
            says: "accuracy",
            found: ("chart", 0),
            lines: vec![of(0), of(1)],
            marks: &[],
            turns: &[],
            logarithmic: [false, false],
            from_zero: true,
            dots: false,
            named: true,
            y_range: None,
        };
        chart.html().into_string()
    }

    #[test]
    fn names_at_equal_ends_are_pushed_apart() {
        let html = chart(["a", "b"], [0.8, 0.8]);
        let tops: Vec<f64> = html.split("px\">").filter_map(|part| part.rsplit_once("top:")?.1.parse().ok()).collect();
        assert_eq!(tops.len(), 2);
        assert!((tops[1] - tops[0]).abs() >= LABEL - 1.0, "{tops:?}");
    }

    #[test]
    fn points_are_relative_steps_and_standing_still_is_left_out() {
        assert_eq!(steps(&[(0.0, 10.0), (5.0, 7.0), (5.2, 7.1), (9.0, 8.0)]), "M0 10l5-3l4 1");
    }

    #[test]
    fn names_are_escaped_and_ends_are_said() {
        let html = chart(["<b>&\"x", "b"], [0.8, 0.2]);
        assert!(!html.contains("<b>") && html.contains("&lt;b&gt;&amp;&quot;x ends at 0.8000"), "{html}");
    }
}
