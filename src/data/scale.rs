//! Standardization, fitted on training rows alone.

/// A number of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// `size`, or `color = red` of a category.
    pub name: String,
    /// Where it comes from: `size`, or `color`, which has a feature for every category.
    pub column: String,
    pub scale: Scale,
    /// Entries of the column, in both parts, that were missing and have been filled.
    pub missing: usize,
}

impl Feature {
    /// A number that stands for itself.
    pub fn number(name: impl Into<String>, scale: Scale) -> Feature {
        let name = name.into();
        Feature { column: name.clone(), name, scale, missing: 0 }
    }

    /// The category of its column for which it is 1, with 0 for the others.
    pub fn category(&self) -> Option<&str> {
        self.name.strip_prefix(&self.column)?.strip_prefix(" = ")
    }
}

/// `(x − mean) / deviation`; of numbers that do not vary, which have a deviation of 0, it is 0 for every x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub mean: f64,
    pub deviation: f64,
}

impl Scale {
    /// Leaves numbers as they are.
    pub const ONE: Scale = Scale { mean: 0.0, deviation: 1.0 };

    /// The mean and the standard deviation over n of these finite numbers, each with how often it occurs; of nothing, [`Scale::ONE`].
    /// They do not vary if the least is the largest, not if a rounded deviation is 0.
    pub fn of_counts(counts: impl Iterator<Item = (f64, u64)> + Clone) -> Scale {
        let (mut least, mut largest, mut n) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        for (x, count) in counts.clone().filter(|(_, count)| *count > 0) {
            (least, largest, n) = (least.min(x), largest.max(x), n + count as f64);
        }
        if n == 0.0 {
            return Scale::ONE;
        }
        if least == largest {
            return Scale { mean: least, deviation: 0.0 };
        }
        let mean_of = |of: &dyn Fn(f64) -> f64| counts.clone().map(|(x, count)| of(x) * count as f64).sum::<f64>() / n;
        let mean = mean_of(&|x| x);
        let deviation = mean_of(&|x| (x - mean).powi(2)).sqrt();
        if deviation > 0.0 && deviation.is_finite() {
            return Scale { mean, deviation };
        }
        // Their squares are too small or too large to be added up, those of shares of the range are not.
        let range = largest - least;
        Scale { mean, deviation: range * mean_of(&|x| ((x - mean) / range).powi(2)).sqrt() }
    }

    /// The same of numbers one by one.
    pub fn of(values: impl IntoIterator<Item = f64, IntoIter: Clone>) -> Scale {
        Scale::of_counts(values.into_iter().map(|x| (x, 1)))
    }

    pub fn varies(&self) -> bool {
        self.deviation > 0.0
    }

    pub fn standardized(&self, x: f64) -> f32 {
        if self.varies() { ((x - self.mean) / self.deviation) as f32 } else { 0.0 }
    }

    /// The number that was standardized.
    pub fn restored(&self, z: f32) -> f64 {
        self.mean + self.deviation * f64::from(z)
    }

    /// The roundest number that standardizes to `z`: what the source said, unless it said more digits than single precision keeps.
    pub fn original(&self, z: f32) -> f64 {
        let restored = self.restored(z);
        let rounded = (0..=9).map(|decimals| {
            let unit = 10f64.powi(decimals);
            (restored * unit).round() / unit
        });
        // Adding 0 makes a negative zero positive.
        rounded.into_iter().find(|x| self.standardized(*x) == z).unwrap_or(restored) + 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_standardized_comes_back_to_the_digit() {
        let scale = |mean, deviation| Scale { mean, deviation };
        let (price, latitude, longitude) = (scale(180_000.0, 79_000.0), scale(38.6, 0.13), scale(-121.3, 0.14));
        for (scale, x) in [
            (price, 755_000.0),
            (price, 12_789.0),
            (price, 0.0),
            (latitude, 38.631_913),
            (longitude, -121.434_879),
            (Scale::ONE, 1e-4),
            (Scale::ONE, 3.25),
        ] {
            assert_eq!(scale.original(scale.standardized(x)), x, "{scale:?}");
        }
        let third = Scale::ONE.standardized(1.0 / 3.0);
        assert_eq!(Scale::ONE.original(third), 0.333_333_34, "as many digits as tell it apart");
    }

    /// Ten times 0.1 have a mean of 0.09999999999999999 and a deviation of 1e-17 by rounding (scikit-learn's issue 17794).
    #[test]
    fn what_is_the_same_everywhere_is_0_everywhere() {
        let constant = Scale::of([0.1; 10]);
        assert_eq!((constant.mean, constant.deviation), (0.1, 0.0));
        assert_eq!((constant.standardized(0.2), constant.restored(0.0)), (0.0, 0.1));
        let tiny = Scale::of([1e-200, 3e-200]);
        assert!((tiny.deviation / 1e-200 - 1.0).abs() < 1e-12 && (tiny.standardized(3e-200) - 1.0).abs() < 1e-6);
        let huge = Scale::of([-1e200, 1e200]);
        assert!((huge.deviation / 1e200 - 1.0).abs() < 1e-12, "{huge:?}");
    }
}
