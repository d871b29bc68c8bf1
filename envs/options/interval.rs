//! Ranges of numbers.

/// Numbers between two bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
    /// Whether the bounds themselves belong to it.
    pub closed: (bool, bool),
}

impl Interval {
    pub const ANY: Interval = Interval { low: f64::NEG_INFINITY, high: f64::INFINITY, closed: (false, false) };
    pub const NOT_NEGATIVE: Interval = Interval { low: 0.0, closed: (true, false), ..Interval::ANY };
    pub const POSITIVE: Interval = Interval { low: 0.0, ..Interval::ANY };
    pub const AT_LEAST_ONE: Interval = Interval { low: 1.0, closed: (true, false), ..Interval::ANY };
    /// `[0, 1]`
    pub const UNIT: Interval = Interval { low: 0.0, high: 1.0, closed: (true, true) };
    /// `[0, 1)`
    pub const BELOW_ONE: Interval = Interval { closed: (true, false), ..Interval::UNIT };
    /// `(0, 1)`
    pub const INSIDE_UNIT: Interval = Interval { closed: (false, false), ..Interval::UNIT };
    /// `(0, 1]`
    pub const SHARE: Interval = Interval { closed: (false, true), ..Interval::UNIT };

    pub fn contains(self, x: f64) -> bool {
        (x > self.low || (self.closed.0 && x == self.low)) && (x < self.high || (self.closed.1 && x == self.high))
    }
}

/// `[0, 1)`, `(0, ∞)`; any number is `finite`.
impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        if *self == Interval::ANY {
            return write!(f, "finite");
        }
        let bound = |x: f64| match x {
            f64::INFINITY => "∞".to_string(),
            f64::NEG_INFINITY => "−∞".to_string(),
            x => x.to_string(),
        };
        let (open, close) = (if self.closed.0 { '[' } else { '(' }, if self.closed.1 { ']' } else { ')' });
        write!(f, "in {open}{}, {}{close}", bound(self.low), bound(self.high))
    }
}
