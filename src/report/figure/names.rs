//! Names of curves beside their right ends, where they fit.

use super::canvas;

/// A curve in pixels, from left to right.
pub(super) type Points = [(f64, f64)];

/// The size of the letters.
pub(super) const SIZE: f64 = 11.5;
/// From the baseline of a name to the line below or above it.
const ABOVE: f64 = 6.0;
const BELOW: f64 = 14.0;
/// Around a name nothing else may pass.
const CLEARANCE: f64 = 2.0;
/// Places across a name where lines are looked at.
const PROBES: usize = 12;

/// `[left, right] × [top, bottom]`
#[derive(Clone, Copy)]
struct Area {
    x: [f64; 2],
    y: [f64; 2],
}

impl Area {
    /// Of a name that ends at `right` on this baseline.
    fn of(name: &str, (right, baseline): (f64, f64)) -> Area {
        let width = canvas::text_width(name, SIZE);
        Area { x: [right - width, right], y: [baseline - SIZE + 1.5, baseline + 3.0] }
    }

    fn meets(&self, other: &Area) -> bool {
        let apart = |a: [f64; 2], b: [f64; 2]| a[1] + CLEARANCE < b[0] || b[1] + CLEARANCE < a[0];
        !apart(self.x, other.x) && !apart(self.y, other.y)
    }

    fn probes(&self) -> impl Iterator<Item = f64> + '_ {
        (0..=PROBES).map(|i| self.x[0] + (self.x[1] - self.x[0]) * i as f64 / PROBES as f64)
    }

    fn is_crossed_by(&self, line: &Points) -> bool {
        let inside = |y: f64| self.y[0] - CLEARANCE < y && y < self.y[1] + CLEARANCE;
        self.probes().any(|x| height(line, x).is_some_and(inside))
    }

    /// How far the line is from the middle of its height, on average.
    fn distance(&self, line: &Points) -> f64 {
        let middle = (self.y[0] + self.y[1]) / 2.0;
        let all: Vec<f64> = self.probes().filter_map(|x| Some((height(line, x)? - middle).abs())).collect();
        if all.is_empty() { f64::INFINITY } else { all.iter().sum::<f64>() / all.len() as f64 }
    }
}

/// Where a line is at `x`; nothing before or after it.
fn height(line: &Points, x: f64) -> Option<f64> {
    let after = line.iter().position(|(at, _)| *at >= x)?;
    let (to, high) = line[after];
    match after.checked_sub(1).map(|before| line[before]) {
        Some((from, low)) if to > from => Some(low + (high - low) * (x - from) / (to - from)),
        _ if to == x => Some(high),
        _ => None,
    }
}

/// For each curve the end of its name's baseline, inside of `[left, right] × [top, bottom]`; nothing where a name would touch a line or
/// another name, or lie nearer to another curve than to its own.
pub(super) fn places(curves: &[(&str, &Points)], x: [f64; 2], y: [f64; 2]) -> Vec<Option<(f64, f64)>> {
    let mut taken: Vec<Area> = Vec::new();
    let mut place = |i: usize| {
        let (name, line) = curves[i];
        let (end, level) = *line.last()?;
        [level - ABOVE, level + BELOW].into_iter().find_map(|baseline| {
            let area = Area::of(name, (end - 2.0, baseline));
            let inside = area.x[0] >= x[0] && area.x[1] <= x[1] && area.y[0] >= y[0] && area.y[1] <= y[1];
            let free =
                curves.iter().all(|(_, line)| !area.is_crossed_by(line)) && !taken.iter().any(|of| of.meets(&area));
            let own = area.distance(line);
            let nearest = curves.iter().enumerate().all(|(j, (_, line))| j == i || area.distance(line) > own + 4.0);
            (inside && free && nearest).then(|| {
                taken.push(area);
                (end - 2.0, baseline)
            })
        })
    };
    (0..curves.len()).map(&mut place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 2] = [0.0, 400.0];
    const Y: [f64; 2] = [0.0, 200.0];

    #[test]
    fn a_name_stands_by_its_own_curve_or_nowhere() {
        let flat = |level: f64| [(0.0, level), (400.0, level)];
        let (high, low) = (flat(50.0), flat(150.0));
        let found = places(&[("one", &high), ("two", &low)], X, Y);
        assert_eq!(found, [Some((398.0, 44.0)), Some((398.0, 144.0))]);
        let near = flat(56.0);
        let found = places(&[("one", &high), ("two", &near)], X, Y);
        assert_eq!(found, [Some((398.0, 44.0)), Some((398.0, 70.0))], "one above, the other below");
        let between = flat(53.0);
        let found = places(&[("one", &high), ("between", &between), ("two", &near)], X, Y);
        assert_eq!(found[1], None);
        let steep = [(0.0, 190.0), (330.0, 190.0), (400.0, 10.0)];
        assert_eq!(places(&[("a long name", &steep)], X, Y), [None]);
        assert_eq!(places(&[("at the top", &flat(3.0))], X, Y), [Some((398.0, 17.0))]);
        let wide = "a name that is far too long for the width of a panel such as this one, which has 400 pixels";
        assert_eq!(places(&[(wide, &high)], X, Y), [None]);
    }
}
