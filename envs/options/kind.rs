//! What an option takes.

use super::{Interval, OptionValue};

/// What values an option takes, and its default.
#[derive(Debug, PartialEq)]
pub enum OptionKind {
    Number {
        default: f64,
        range: Interval,
    },
    /// A number that is off unless given.
    OptionalNumber(Interval),
    /// A number that must be given.
    RequiredNumber(Interval),
    /// A whole number; off when it has no default and is not given.
    Whole {
        default: Option<i64>,
        at_least: i64,
    },
    /// A whole number that must be given.
    RequiredWhole {
        at_least: i64,
    },
    /// A whole number, or a word instead.
    WholeOr {
        default: i64,
        at_least: i64,
        word: &'static str,
    },
    Flag {
        default: bool,
    },
    /// One of some names; the first is the default.
    Choice(&'static [&'static str]),
    /// Any text; the row that has it says which ones it understands.
    Text {
        default: &'static str,
    },
    /// One number per class, not negative, not all 0 and at most 10³⁰; all 1 unless given.
    PerClass,
    /// Increasing numbers in `(0, 1]`, one or more; must be given.
    Shares,
    /// Numbers of a range, one or more; off unless given.
    Numbers(Interval),
    /// As many lists of numbers of a range as each has numbers; off unless given.
    SquareMatrix(Interval),
}

/// Whole numbers beyond this are taken for typing errors.
const LARGEST_WHOLE: i64 = 1_000_000_000;

/// Sums of larger weights could be infinite in single precision.
const LARGEST_WEIGHT: f64 = 1e30;

impl OptionKind {
    /// The value as this kind has it: `1e3` is a whole number where one is wanted, and 0.5 a list where one is.
    pub(super) fn understood(&self, value: &OptionValue) -> OptionValue {
        match (self, value) {
            (kind, OptionValue::Number(x))
                if kind.is_whole() && x.fract() == 0.0 && x.abs() <= LARGEST_WHOLE as f64 =>
            {
                OptionValue::Whole(*x as i64)
            }
            (OptionKind::Shares | OptionKind::Numbers(_), one) => {
                one.as_number().map_or(one.clone(), |x| OptionValue::Numbers(vec![x]))
            }
            (_, value) => value.clone(),
        }
    }

    /// Whether a value fits; if not, what would.
    pub(super) fn check(&self, value: &OptionValue) -> Result<(), String> {
        let fits = match (self, value) {
            (
                OptionKind::Number { range, .. }
                | OptionKind::OptionalNumber(range)
                | OptionKind::RequiredNumber(range),
                value,
            ) => value.as_number().is_some_and(|x| x.is_finite() && range.contains(x)),
            (
                OptionKind::Whole { at_least, .. }
                | OptionKind::RequiredWhole { at_least }
                | OptionKind::WholeOr { at_least, .. },
                OptionValue::Whole(x),
            ) => (*at_least..=LARGEST_WHOLE).contains(x),
            (OptionKind::WholeOr { word, .. }, OptionValue::Text(text)) => text == word,
            (OptionKind::Flag { .. }, OptionValue::Flag(_)) => true,
            (OptionKind::Choice(choices), OptionValue::Text(text)) => choices.contains(&text.as_str()),
            (OptionKind::Text { .. }, OptionValue::Text(_)) => true,
            (OptionKind::PerClass, OptionValue::Numbers(numbers)) => {
                numbers.iter().all(|x| (0.0..=LARGEST_WEIGHT).contains(x)) && numbers.iter().any(|x| *x > 0.0)
            }
            (OptionKind::Shares, OptionValue::Numbers(shares)) => {
                !shares.is_empty()
                    && shares.is_sorted_by(|a, b| a < b)
                    && shares.iter().all(|share| Interval::SHARE.contains(*share))
            }
            (OptionKind::Numbers(range), OptionValue::Numbers(numbers)) => {
                !numbers.is_empty() && numbers.iter().all(|x| x.is_finite() && range.contains(*x))
            }
            (OptionKind::SquareMatrix(range), OptionValue::Rows(rows)) => {
                let fits = |x: &f64| x.is_finite() && range.contains(*x);
                rows.iter().all(|row| row.len() == rows.len() && row.iter().all(fits))
            }
            _ => false,
        };
        let is_large = value.as_number().is_some_and(|x| x > LARGEST_WHOLE as f64);
        match self {
            _ if fits => Ok(()),
            kind if kind.is_whole() && is_large => Err(format!("{self}, at most {LARGEST_WHOLE}")),
            OptionKind::PerClass => Err(format!("{self}, none above {LARGEST_WEIGHT:e}")),
            _ => Err(self.to_string()),
        }
    }

    /// The default; nothing for an option that is off unless given, or that must be given.
    pub fn default_value(&self) -> Option<OptionValue> {
        match self {
            OptionKind::Number { default, .. } => Some(OptionValue::Number(*default)),
            OptionKind::Whole { default, .. } => default.map(OptionValue::Whole),
            OptionKind::WholeOr { default, .. } => Some(OptionValue::Whole(*default)),
            OptionKind::Flag { default } => Some(OptionValue::Flag(*default)),
            OptionKind::Choice(choices) => Some(OptionValue::Text(choices[0].to_string())),
            OptionKind::Text { default } => Some(OptionValue::Text(default.to_string())),
            OptionKind::OptionalNumber(_)
            | OptionKind::RequiredNumber(_)
            | OptionKind::RequiredWhole { .. }
            | OptionKind::PerClass
            | OptionKind::Shares
            | OptionKind::Numbers(_)
            | OptionKind::SquareMatrix(_) => None,
        }
    }

    /// Whether its numbers are whole.
    pub fn is_whole(&self) -> bool {
        matches!(self, OptionKind::Whole { .. } | OptionKind::RequiredWhole { .. } | OptionKind::WholeOr { .. })
    }

    pub fn is_required(&self) -> bool {
        matches!(self, OptionKind::RequiredNumber(_) | OptionKind::RequiredWhole { .. } | OptionKind::Shares)
    }

    /// What holds where nothing is given: `default 1`.
    pub(super) fn default_text(&self) -> String {
        match self.default_value() {
            Some(OptionValue::Number(small)) if 0.0 < small && small < 1e-3 => format!("default {small:e}"),
            Some(default) => format!("default {default}"),
            None if self.is_required() => "required".into(),
            None => "off unless given".into(),
        }
    }
}

/// What values fit: `a number in [0, 1]`.
impl std::fmt::Display for OptionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            OptionKind::Number { range, .. }
            | OptionKind::OptionalNumber(range)
            | OptionKind::RequiredNumber(range) => match *range {
                Interval::ANY => write!(f, "a finite number"),
                range => write!(f, "a number {range}"),
            },
            OptionKind::Whole { at_least: i64::MIN, .. } => write!(f, "a whole number"),
            OptionKind::Whole { at_least, .. } | OptionKind::RequiredWhole { at_least } => {
                write!(f, "a whole number, at least {at_least}")
            }
            OptionKind::WholeOr { at_least, word, .. } => {
                write!(f, "a whole number, at least {at_least}, or \"{word}\"")
            }
            OptionKind::Flag { .. } => write!(f, "true or false"),
            OptionKind::Choice(choices) => write!(f, "one of {}", choices.join(", ")),
            OptionKind::Text { .. } => write!(f, "a text"),
            OptionKind::PerClass => write!(f, "a list with one number per class, none negative and not all 0"),
            OptionKind::Shares => write!(f, "a list of increasing numbers {}", Interval::SHARE),
            OptionKind::Numbers(Interval::ANY) => write!(f, "a list of finite numbers, one or more"),
            OptionKind::Numbers(range) => write!(f, "a list of numbers {range}, one or more"),
            OptionKind::SquareMatrix(range) => {
                write!(f, "a list of lists of numbers {range}, as many as each has numbers")
            }
        }
    }
}
