//! Standardization, fitted on training rows alone.

/// A number of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// `size`, or `color = red` of a category.
    pub name: String,
    pub scale: Scale,
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
}
