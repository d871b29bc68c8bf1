//! Options of a loss or a metric: what a row of their tables may be told, and what it was told.

mod named;

pub use named::Named;

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An option that a row of a table has.
#[derive(Debug, PartialEq)]
pub struct OptionRow {
    pub name: &'static str,
    pub meaning: &'static str,
    pub kind: OptionKind,
}

/// What values an option takes, and its default.
#[derive(Debug, PartialEq)]
pub enum OptionKind {
    Number {
        default: f64,
        range: Interval,
    },
    /// A whole number; off when it has no default and is not given.
    Whole {
        default: Option<i64>,
        at_least: i64,
    },
    Flag {
        default: bool,
    },
    /// One of some names; the first is the default.
    Choice(&'static [&'static str]),
    /// One number per class, not negative and not all 0; all 1 unless given.
    PerClass,
}

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

/// The value of an option, as given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OptionValue {
    Flag(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    Numbers(Vec<f64>),
}

/// Options as given, by name.
pub type Given = BTreeMap<String, OptionValue>;

/// The options of one row, checked, with defaults for what was not given.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    rows: &'static [OptionRow],
    given: Given,
}

impl Options {
    /// Checks `given` against the rows of the table entry `owner`.
    ///
    /// # Errors
    /// When an option is unknown, has another type or is out of range; the message begins with the option in backticks.
    pub fn new(owner: &str, rows: &'static [OptionRow], given: &Given) -> Result<Options> {
        for (name, value) in given {
            let Some(row) = rows.iter().find(|row| row.name == name) else {
                let known: Vec<&str> = rows.iter().map(|row| row.name).collect();
                return Err(Error::Argument(match known.is_empty() {
                    true => format!("`{name}` is not an option of {owner}, which has none"),
                    false => format!(
                        "`{name}` is not an option of {owner}: {}",
                        crate::error::unknown("option", name, &known)
                    ),
                }));
            };
            row.kind
                .check(value)
                .map_err(|expected| Error::Argument(format!("`{name}` of {owner} must be {expected}, not {value}")))?;
        }
        Ok(Options { rows, given: given.clone() })
    }

    /// All defaults.
    pub fn defaults(rows: &'static [OptionRow]) -> Options {
        Options { rows, given: Given::new() }
    }

    fn row(&self, name: &str) -> &'static OptionRow {
        self.rows.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no row has the option `{name}`"))
    }

    /// # Panics
    /// As all of these: when the row has no such option, which is a bug of the function that asks.
    pub fn number(&self, name: &str) -> f64 {
        match (self.given.get(name), &self.row(name).kind) {
            (Some(OptionValue::Number(x)), _) => *x,
            (Some(OptionValue::Whole(x)), _) => *x as f64,
            (_, OptionKind::Number { default, .. }) => *default,
            _ => panic!("`{name}` is not a number"),
        }
    }

    pub fn whole(&self, name: &str) -> Option<i64> {
        match (self.given.get(name), &self.row(name).kind) {
            (Some(OptionValue::Whole(x)), _) => Some(*x),
            (_, OptionKind::Whole { default, .. }) => *default,
            _ => panic!("`{name}` is not a whole number"),
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        match (self.given.get(name), &self.row(name).kind) {
            (Some(OptionValue::Flag(flag)), _) => *flag,
            (_, OptionKind::Flag { default }) => *default,
            _ => panic!("`{name}` is not a flag"),
        }
    }

    pub fn choice(&self, name: &str) -> &str {
        match (self.given.get(name), &self.row(name).kind) {
            (Some(OptionValue::Text(text)), _) => text,
            (_, OptionKind::Choice(choices)) => choices[0],
            _ => panic!("`{name}` is not a choice"),
        }
    }

    /// The numbers of a per-class option, if it was given.
    pub fn per_class(&self, name: &str) -> Option<&[f64]> {
        match (self.given.get(name), &self.row(name).kind) {
            (Some(OptionValue::Numbers(numbers)), _) => Some(numbers),
            (_, OptionKind::PerClass) => None,
            _ => panic!("`{name}` is not a list of numbers"),
        }
    }

    /// # Errors
    /// When a per-class option was given for another number of classes.
    pub fn check_classes(&self, classes: usize) -> Result<()> {
        for row in self.rows.iter().filter(|row| row.kind == OptionKind::PerClass) {
            if let Some(numbers) = self.per_class(row.name).filter(|numbers| numbers.len() != classes) {
                let (name, len) = (row.name, numbers.len());
                return Err(Error::Argument(format!("`{name}` has {len} numbers for {classes} classes")));
            }
        }
        Ok(())
    }
}

impl OptionKind {
    /// Whether a value fits; if not, what would.
    fn check(&self, value: &OptionValue) -> Result<(), String> {
        let fits = match (self, value) {
            (OptionKind::Number { range, .. }, OptionValue::Number(x)) => x.is_finite() && range.contains(*x),
            (OptionKind::Number { range, .. }, OptionValue::Whole(x)) => range.contains(*x as f64),
            (OptionKind::Whole { at_least, .. }, OptionValue::Whole(x)) => x >= at_least,
            (OptionKind::Flag { .. }, OptionValue::Flag(_)) => true,
            (OptionKind::Choice(choices), OptionValue::Text(text)) => choices.contains(&text.as_str()),
            (OptionKind::PerClass, OptionValue::Numbers(numbers)) => {
                numbers.iter().all(|x| *x >= 0.0 && x.is_finite()) && numbers.iter().any(|x| *x > 0.0)
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.to_string()) }
    }

    /// The default in words; nothing for an option that is off unless given.
    pub fn default_text(&self) -> Option<String> {
        match self {
            OptionKind::Number { default, .. } => Some(default.to_string()),
            OptionKind::Whole { default, .. } => default.map(|default| default.to_string()),
            OptionKind::Flag { default } => Some(default.to_string()),
            OptionKind::Choice(choices) => Some(choices[0].to_string()),
            OptionKind::PerClass => None,
        }
    }
}

/// What values fit: `a number in [0, 1]`.
impl std::fmt::Display for OptionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            OptionKind::Number { range, .. } if *range == Interval::ANY => write!(f, "a finite number"),
            OptionKind::Number { range, .. } => write!(f, "a number {range}"),
            OptionKind::Whole { at_least: i64::MIN, .. } => write!(f, "a whole number"),
            OptionKind::Whole { at_least, .. } => write!(f, "a whole number, at least {at_least}"),
            OptionKind::Flag { .. } => write!(f, "true or false"),
            OptionKind::Choice(choices) => write!(f, "one of {}", choices.join(", ")),
            OptionKind::PerClass => write!(f, "a list with one number per class, none negative and not all 0"),
        }
    }
}

impl std::fmt::Display for OptionValue {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            OptionValue::Flag(flag) => write!(f, "{flag}"),
            OptionValue::Whole(x) => write!(f, "{x}"),
            OptionValue::Number(x) => write!(f, "{x}"),
            OptionValue::Text(text) => write!(f, "{text}"),
            OptionValue::Numbers(numbers) => {
                write!(f, "[{}]", numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// The options of a row, one line each: `delta: a number in (0, ∞), default 1; where the square ends`.
pub fn describe(rows: &[OptionRow]) -> Vec<String> {
    let line = |row: &OptionRow| {
        let default = row.kind.default_text().map_or("off unless given".into(), |text| format!("default {text}"));
        format!("{}: {}, {default}; {}", row.name, row.kind, row.meaning)
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &[OptionRow] = &[
        OptionRow { name: "delta", meaning: "", kind: OptionKind::Number { default: 1.0, range: Interval::POSITIVE } },
        OptionRow { name: "k", meaning: "", kind: OptionKind::Whole { default: Some(5), at_least: 1 } },
        OptionRow { name: "average", meaning: "", kind: OptionKind::Choice(&["macro", "micro"]) },
        OptionRow { name: "weights", meaning: "", kind: OptionKind::PerClass },
    ];

    fn given(toml: &str) -> Result<Options> {
        Options::new("huber", ROWS, &toml::from_str(toml).unwrap())
    }

    #[test]
    fn options_have_defaults_and_take_what_fits() {
        let options = given("delta = 2\naverage = \"micro\"\nweights = [1.0, 0.5]").unwrap();
        assert_eq!((options.number("delta"), options.whole("k"), options.choice("average")), (2.0, Some(5), "micro"));
        assert_eq!(options.per_class("weights"), Some(&[1.0, 0.5][..]));
        assert!(options.check_classes(3).unwrap_err().to_string().contains("`weights` has 2 numbers for 3 classes"));
        assert_eq!(Options::defaults(ROWS).number("delta"), 1.0);
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        for (toml, message) in [
            ("delta = 0.0", "`delta` of huber must be a number in (0, ∞), not 0"),
            ("delta = \"x\"", "`delta` of huber must be a number in (0, ∞), not x"),
            ("delta = nan", "not NaN"),
            ("dleta = 1.0", "did you mean `delta`?"),
            ("k = 0", "a whole number, at least 1, not 0"),
            ("k = 2.5", "not 2.5"),
            ("average = \"all\"", "one of macro, micro, not all"),
            ("weights = [1.0, -1.0]", "one number per class"),
        ] {
            let error = given(toml).unwrap_err().to_string();
            assert!(error.contains(message), "{toml}: {error}");
        }
    }
}
