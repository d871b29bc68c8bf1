//! Numbers that a formula runs on: floats, and dual numbers, which carry their exact derivatives by four variables along.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Sub};

/// What a formula is made of.
pub(super) trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Mul<f64, Output = Self>
{
    fn constant(value: f64) -> Self;

    fn value(self) -> f64;

    /// `atan(this / other)`: a right angle where the other is 0, and 0 without a slope where both are.
    fn angle(self, other: Self) -> Self;

    fn square(self) -> Self {
        self * self
    }

    /// Where both are equal, each counts half, as in PyTorch.
    fn larger(self, other: Self) -> Self {
        match self.value().partial_cmp(&other.value()) {
            Some(Ordering::Equal) => (self + other) * 0.5,
            Some(Ordering::Less) => other,
            _ => self,
        }
    }

    /// Where both are equal, each counts half, as in PyTorch.
    fn smaller(self, other: Self) -> Self {
        match self.value().partial_cmp(&other.value()) {
            Some(Ordering::Equal) => (self + other) * 0.5,
            Some(Ordering::Greater) => other,
            _ => self,
        }
    }

    /// This number, or 0 without a slope where it is not positive.
    fn positive(self) -> Self {
        if self.value() > 0.0 { self } else { Self::constant(0.0) }
    }

    /// This number over another and a little more; 0 without a slope where the other is 0, however little is added.
    fn over(self, other: Self, epsilon: f64) -> Self {
        if other.value() == 0.0 { Self::constant(0.0) } else { self / (other + epsilon) }
    }
}

impl Number for f64 {
    fn constant(value: f64) -> f64 {
        value
    }

    fn value(self) -> f64 {
        self
    }

    fn angle(self, other: f64) -> f64 {
        if other == 0.0 { self.atan2(0.0) } else { (self / other).atan() }
    }
}

/// A value and its derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dual {
    pub value: f64,
    pub by: [f64; 4],
}

impl Number for Dual {
    fn constant(value: f64) -> Dual {
        Dual { value, by: [0.0; 4] }
    }

    fn value(self) -> f64 {
        self.value
    }

    fn angle(self, other: Dual) -> Dual {
        let (y, x) = (self.value, other.value);
        let square = x * x + y * y;
        let scale = if square > 0.0 { 1.0 / square } else { 0.0 };
        let by = std::array::from_fn(|i| (x * self.by[i] - y * other.by[i]) * scale);
        Dual { value: y.angle(x), by }
    }
}

impl Dual {
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
