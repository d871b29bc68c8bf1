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

    /// It is 1 for one category of its column and 0 for the others.
    pub fn is_category(&self) -> bool {
        self.name != self.column
    }
}

/// `(x − mean) / deviation`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub mean: f64,
    pub deviation: f64,
}

impl Scale {
    /// Leaves numbers as they are.
    pub const ONE: Scale = Scale { mean: 0.0, deviation: 1.0 };

    /// A deviation of 0 counts as 1: where nothing varies.
    pub fn new(mean: f64, deviation: f64) -> Scale {
        Scale { mean, deviation: if deviation > 0.0 { deviation } else { 1.0 } }
    }

    /// The mean and the standard deviation over n of these; of nothing, [`Scale::ONE`].
    pub fn of(values: &[f64]) -> Scale {
        if values.is_empty() {
            return Scale::ONE;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        Scale::new(mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    pub fn standardized(&self, x: f64) -> f32 {
        ((x - self.mean) / self.deviation) as f32
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
        let (price, latitude, longitude) =
            (Scale::new(180_000.0, 79_000.0), Scale::new(38.6, 0.13), Scale::new(-121.3, 0.14));
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
}
