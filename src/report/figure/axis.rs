//! Ranges, ticks and tick labels.

/// A map from values to pixels, linear or logarithmic, with round ticks.
pub(in crate::report) struct Axis {
    /// Logarithms to the base of 10, where the axis is logarithmic.
    low: f64,
    high: f64,
    pixels: (f64, f64),
    step: f64,
    logarithmic: bool,
    /// Of ticks at equal distances on a logarithmic axis that is too narrow for others.
    fine: Option<f64>,
}

/// Ticks that an axis needs to be read.
const FEWEST: usize = 2;

/// A logarithmic axis of fewer powers of ten than this has ticks between them.
const NARROW: f64 = 2.0;

impl Axis {
    /// The range of the finite values, widened by `padding` of itself at both ends; 0 to 1 over nothing.
    pub fn new(values: impl Iterator<Item = f64>, pixels: (f64, f64), padding: f64) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = match high - low {
            width if width > 0.0 => (low - padding * width, high + padding * width),
            // Nothing varies: half as much again at both ends.
            _ if low.is_finite() && low != 0.0 => (low - 0.5 * low.abs(), high + 0.5 * high.abs()),
            _ if low.is_finite() => (-0.5, 0.5),
            _ => (0.0, 1.0),
        };
        Axis { low, high, pixels, step: round_step((high - low) / 6.0), logarithmic: false, fine: None }
    }

    /// The same of logarithms; what is not positive lies on the lower end.
    pub fn logarithmic(values: impl Iterator<Item = f64>, pixels: (f64, f64), padding: f64) -> Self {
        let linear = Axis::new(values.filter(|value| *value > 0.0).map(f64::log10), pixels, padding);
        let axis = Axis { step: linear.step.max(1.0).round(), logarithmic: true, ..linear };
        if axis.ticks().len() >= FEWEST {
            return axis;
        }
        let width = 10f64.powf(axis.high) - 10f64.powf(axis.low);
        let steps = [4.0, 8.0, 16.0].map(|parts| round_step(width / parts));
        let fine = |step: &f64| Axis { fine: Some(*step), ..axis }.ticks().len() >= FEWEST;
        Axis { fine: steps.iter().copied().find(fine).or(Some(steps[2])), ..axis }
    }

    /// With steps of at least `step`, and so far from one another that each tick has the pixels that its text needs.
    pub fn spaced(mut self, step: f64, needed: impl Fn(&str) -> f64) -> Self {
        self.step = self.step.max(step);
        let length = (self.pixels.1 - self.pixels.0).abs();
        loop {
            let apart = self.step / (self.high - self.low) * length;
            let ticks = self.ticks();
            let widest = ticks.iter().map(|tick| needed(&self.text(*tick))).fold(0.0, f64::max);
            if apart >= widest || ticks.len() <= 1 {
                return self;
            }
            self.step = round_step(self.step * 1.5);
        }
    }

    /// Where it begins and ends.
    pub fn pixels(&self) -> (f64, f64) {
        self.pixels
    }

    pub fn at(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let share = (value.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    pub fn ticks(&self) -> Vec<f64> {
        if let Some(step) = self.fine {
            let (low, high) = (10f64.powf(self.low), 10f64.powf(self.high));
            let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
            return (first..=last).map(|i| i as f64 * step).collect();
        }
        if self.logarithmic && self.high - self.low < NARROW {
            return self.narrow_ticks();
        }
        // A tick belongs to the range also when rounding has put it a hair outside.
        let hair = self.step * 1e-9;
        let first = ((self.low - hair) / self.step).ceil() as i64;
        let last = ((self.high + hair) / self.step).floor() as i64;
        let ticks = (first..=last).map(|i| i as f64 * self.step);
        if self.logarithmic { ticks.map(|exponent| 10f64.powf(exponent)).collect() } else { ticks.collect() }
    }

    /// 1, 2 and 5 times powers of ten, where powers alone would be too few.
    fn narrow_ticks(&self) -> Vec<f64> {
        let hair = 1e-9;
        let powers = (self.low.floor() as i32)..=(self.high.ceil() as i32);
        let ticks = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power)));
        ticks.filter(|tick| (self.low - hair..=self.high + hair).contains(&tick.log10())).collect()
    }

    /// `0.25`, `300`, `50k`, `1.5M`, `2e−5`.
    pub fn text(&self, tick: f64) -> String {
        if self.logarithmic {
            let finest = self.fine.unwrap_or(tick);
            if !(1e-7..1e7).contains(&tick) {
                let digits = (tick.log10().floor() - finest.log10().floor()).max(0.0) as usize;
                return format!("{tick:.digits$e}").replace('-', "−");
            }
            let decimals = (-(finest.log10() + 1e-9).floor()).clamp(0.0, 12.0) as usize;
            return format!("{tick:.decimals$}");
        }
        let largest = self.low.abs().max(self.high.abs());
        if !(1e-3..1e10).contains(&largest) && tick != 0.0 {
            let digits = (tick.abs().log10().floor() - self.step.log10().floor()).max(0.0) as usize;
            return format!("{tick:.digits$e}").replace('-', "−");
        }
        let (unit, suffix) = match tick.abs() {
            _ if largest < 2e4 => (1.0, ""),
            size if size >= 1e6 * (1.0 - 1e-9) => (1e6, "M"),
            _ => (1e3, "k"),
        };
        let decimals = (-(self.step / unit).log10().floor()).clamp(0.0, 8.0) as usize;
        let number = format!("{:.decimals$}", tick / unit);
        // 1M rather than 1.0M.
        let number = if suffix.is_empty() || decimals == 0 {
            &number
        } else {
            number.trim_end_matches('0').trim_end_matches('.')
        };
        if tick == 0.0 { "0".into() } else { format!("{}{suffix}", number.replace('-', "−")) }
    }
}

/// The next of 1, 2, 5 times a power of ten.
fn round_step(at_least: f64) -> f64 {
    let power = 10f64.powf(at_least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= at_least * 0.999)
        .unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::new([0.0, 100_000.0].into_iter(), (0.0, 1.0), 0.0);
        assert_eq!(axis.ticks(), [0.0, 20_000.0, 40_000.0, 60_000.0, 80_000.0, 100_000.0]);
        assert_eq!(axis.text(20_000.0), "20k");
        let axis = Axis::new([-0.31, 0.32].into_iter(), (0.0, 1.0), 0.0);
        assert_eq!(axis.ticks().iter().map(|t| axis.text(*t)).collect::<Vec<_>>(), ["−0.2", "0", "0.2"]);
        let axis = Axis::new([-2e-5, 1.1e-4].into_iter(), (0.0, 1.0), 0.0);
        assert_eq!(axis.ticks().iter().map(|t| axis.text(*t)).collect::<Vec<_>>(), ["0", "5e−5", "1.0e−4"]);
        assert_eq!(Axis::new([3.0].into_iter(), (0.0, 1.0), 0.0).at(3.0), 0.5);
        let axis = || Axis::new([1900.0, 2010.0].into_iter(), (0.0, 100.0), 0.0);
        assert_eq!(axis().ticks().len(), 6);
        assert_eq!(axis().spaced(0.0, |_| 40.0).ticks(), [1900.0, 1950.0, 2000.0]);
        assert_eq!(axis().spaced(30.0, |_| 0.0).ticks(), [1920.0, 1950.0, 1980.0, 2010.0]);
        let axis = Axis::logarithmic([0.0, 0.001, 0.5, 1.0].into_iter(), (0.0, 3.0), 0.0);
        assert_eq!(axis.ticks().iter().map(|t| axis.text(*t)).collect::<Vec<_>>(), ["0.001", "0.01", "0.1", "1"]);
        let narrow = Axis::logarithmic([0.03, 0.6].into_iter(), (0.0, 1.0), 0.0);
        assert_eq!(narrow.ticks().iter().map(|t| narrow.text(*t)).collect::<Vec<_>>(), ["0.05", "0.1", "0.2", "0.5"]);
        assert!((axis.at(0.01) - 1.0).abs() < 1e-12 && axis.at(0.0) == 0.0);
    }

    #[test]
    fn thousands_become_millions() {
        let axis = Axis::new([0.0, 1_000_000.0].into_iter(), (0.0, 1.0), 0.0);
        let texts: Vec<String> = axis.ticks().iter().map(|tick| axis.text(*tick)).collect();
        assert_eq!(texts, ["0", "200k", "400k", "600k", "800k", "1M"]);
        let axis = Axis::new([0.0, 3e6].into_iter(), (0.0, 1.0), 0.0);
        let texts: Vec<String> = axis.ticks().iter().map(|tick| axis.text(*tick)).collect();
        assert_eq!(texts, ["0", "500k", "1M", "1.5M", "2M", "2.5M", "3M"]);
    }

    /// Ranges of many decades, of parts of one, of a single value, and of nothing that is positive.
    #[test]
    fn a_logarithmic_axis_can_be_read_on_any_range() {
        let mut ranges = vec![
            vec![-1.0, 0.0],
            vec![1.05, 1.05],
            vec![0.3333, 0.34],
            vec![3.1, 3.9],
            vec![1e-12, 1e9],
            vec![999.0, 1001.0],
            vec![2.0, 2.0000001],
        ];
        ranges.extend((-20..20).map(|i| vec![1.7f64.powi(i), 1.7f64.powi(i) * (1.0 + 0.1 * f64::from(i + 21))]));
        for range in ranges {
            let axis = Axis::logarithmic(range.iter().copied(), (0.0, 100.0), 0.04);
            let ticks = axis.ticks();
            let mut texts: Vec<String> = ticks.iter().map(|tick| axis.text(*tick)).collect();
            assert!(ticks.len() >= 2 && ticks.len() < 20, "{range:?}: {texts:?}");
            assert!(ticks.iter().all(|tick| (0.0..=100.0).contains(&axis.at(*tick))));
            texts.dedup();
            assert_eq!(texts.len(), ticks.len(), "{range:?}: {texts:?}");
        }
    }
}
