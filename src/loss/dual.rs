//! Dual numbers: values that carry their exact derivatives by four variables along.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Sub};

/// A value and its derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dual {
    pub value: f64,
    pub by: [f64; 4],
}

impl Dual {
    pub fn constant(value: f64) -> Dual {
        Dual { value, by: [0.0; 4] }
    }

    /// The variable of this index.
    pub fn variable(value: f64, index: usize) -> Dual {
        let mut by = [0.0; 4];
        by[index] = 1.0;
        Dual { value, by }
    }

    /// A function of this number with this value and this derivative.
    fn through(self, value: f64, slope: f64) -> Dual {
        Dual { value, by: self.by.map(|by| slope * by) }
    }

    pub fn square(self) -> Dual {
        self.through(self.value * self.value, 2.0 * self.value)
    }

    /// Where both are equal, each counts half, as in PyTorch.
    pub fn max(self, other: Dual) -> Dual {
        match self.value.partial_cmp(&other.value) {
            Some(Ordering::Equal) => (self + other) * 0.5,
            Some(Ordering::Less) => other,
            _ => self,
        }
    }

    /// Where both are equal, each counts half, as in PyTorch.
    pub fn min(self, other: Dual) -> Dual {
        match self.value.partial_cmp(&other.value) {
            Some(Ordering::Equal) => (self + other) * 0.5,
            Some(Ordering::Greater) => other,
            _ => self,
        }
    }

    /// This number, or 0 without a slope where it is not positive.
    pub fn positive(self) -> Dual {
        if self.value > 0.0 { self } else { Dual::constant(0.0) }
    }

    /// `atan(this / other)`: a right angle where the other is 0, and 0 without a slope where both are.
    pub fn angle(self, other: Dual) -> Dual {
        let (y, x) = (self.value, other.value);
        let square = x * x + y * y;
        let scale = if square > 0.0 { 1.0 / square } else { 0.0 };
        let by = std::array::from_fn(|i| (x * self.by[i] - y * other.by[i]) * scale);
        let value = if x == 0.0 { y.atan2(0.0) } else { (y / x).atan() };
        Dual { value, by }
    }

    /// This number over another and a little more; 0 without a slope where the other is 0, however little is added.
    pub fn over(self, other: Dual, epsilon: f64) -> Dual {
        if other.value == 0.0 { Dual::constant(0.0) } else { self / (other + epsilon) }
    }
}

impl Add for Dual {
    type Output = Dual;

    fn add(self, other: Dual) -> Dual {
        Dual { value: self.value + other.value, by: std::array::from_fn(|i| self.by[i] + other.by[i]) }
    }
}

impl Sub for Dual {
    type Output = Dual;

    fn sub(self, other: Dual) -> Dual {
        Dual { value: self.value - other.value, by: std::array::from_fn(|i| self.by[i] - other.by[i]) }
    }
}

#[allow(clippy::suspicious_arithmetic_impl)] // the product rule
impl Mul for Dual {
    type Output = Dual;

    fn mul(self, other: Dual) -> Dual {
        let by = std::array::from_fn(|i| self.by[i] * other.value + self.value * other.by[i]);
        Dual { value: self.value * other.value, by }
    }
}

#[allow(clippy::suspicious_arithmetic_impl)] // the quotient rule
impl Div for Dual {
    type Output = Dual;

    fn div(self, other: Dual) -> Dual {
        let value = self.value / other.value;
        Dual { value, by: std::array::from_fn(|i| (self.by[i] - value * other.by[i]) / other.value) }
    }
}

impl Add<f64> for Dual {
    type Output = Dual;

    fn add(self, other: f64) -> Dual {
        Dual { value: self.value + other, ..self }
    }
}

impl Mul<f64> for Dual {
    type Output = Dual;

    fn mul(self, other: f64) -> Dual {
        self.through(self.value * other, other)
    }
}
