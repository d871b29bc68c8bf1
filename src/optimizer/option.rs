//! Rows of options: what an experiment file may set for a rule or a schedule, the value when it does not, and the range.

use std::fmt::{self, Display, Formatter};

/// One option of a rule or a schedule.
pub struct OptionRow {
    /// The key in an experiment file; inside a table of its own after that table's key and a dot.
    pub name: &'static str,
    pub default: DefaultValue,
    pub range: Range,
    /// Its symbol in the formula, or what it does.
    pub meaning: &'static str,
}

/// What holds where a file says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// Nothing: it must be given.
    Required,
    Off,
    Number(f64),
    Whole(i64),
    Flag(bool),
    Word(&'static str),
}

/// What an option may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    NotNegative,
    Positive,
    AtLeastOne,
    /// `[0, 1]`
    Fraction,
    /// `[0, 1)`
    BelowOne,
    /// `(0, 1)`
    Between,
    /// `(0, 1]`
    Share,
    /// Increasing numbers in `(0, 1]`, one or more.
    Shares,
    Whole,
    Flag,
    OneOf(&'static [&'static str]),
}

impl OptionRow {
    pub(super) const fn new(
        name: &'static str,
        default: DefaultValue,
        range: Range,
        meaning: &'static str,
    ) -> OptionRow {
        OptionRow { name, default, range, meaning }
    }

    /// A sentence that begins with the name when the value is out of range.
    fn check(&self, value: &toml::Value) -> Result<(), String> {
        match self.range.contains(value) {
            true => Ok(()),
            false => Err(format!("`{}` must be {}, not {value}", self.name, self.range)),
        }
    }
}

/// Checks what a table gives, and fills in the defaults of what it leaves out. `owner` has the options: `sgd`.
pub(super) fn complete(table: &mut toml::Table, options: &[OptionRow], owner: &str) -> Result<(), String> {
    for option in options {
        match (table.get(option.name), option.default.value()) {
            (Some(value), _) => option.check(value)?,
            (None, Some(default)) => _ = table.insert(option.name.into(), default),
            (None, None) if option.default == DefaultValue::Off => {}
            (None, None) => {
                return Err(format!("{owner} needs `{}`; it has {}", option.name, names(options).join(", ")));
            }
        }
    }
    Ok(())
}

pub(super) fn names(options: &[OptionRow]) -> Vec<&'static str> {
    options.iter().map(|option| option.name).collect()
}

impl DefaultValue {
    /// As it would stand in a file; nothing where nothing holds.
    fn value(self) -> Option<toml::Value> {
        match self {
            DefaultValue::Required | DefaultValue::Off => None,
            DefaultValue::Number(number) => Some(number.into()),
            DefaultValue::Whole(number) => Some(number.into()),
            DefaultValue::Flag(flag) => Some(flag.into()),
            DefaultValue::Word(word) => Some(word.into()),
        }
    }
}

impl Display for DefaultValue {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            DefaultValue::Required => write!(f, "required"),
            DefaultValue::Off => write!(f, "default off"),
            DefaultValue::Number(small) if 0.0 < *small && *small < 1e-3 => write!(f, "default {small:e}"),
            DefaultValue::Number(number) => write!(f, "default {number}"),
            DefaultValue::Whole(number) => write!(f, "default {number}"),
            DefaultValue::Flag(flag) => write!(f, "default {flag}"),
            DefaultValue::Word(word) => write!(f, "default {word:?}"),
        }
    }
}

impl Range {
    fn contains(self, value: &toml::Value) -> bool {
        let within = |holds: fn(f64) -> bool| number(value).is_some_and(|x| x.is_finite() && holds(x));
        match self {
            Range::NotNegative => within(|x| x >= 0.0),
            Range::Positive => within(|x| x > 0.0),
            Range::AtLeastOne => within(|x| x >= 1.0),
            Range::Fraction => within(|x| (0.0..=1.0).contains(&x)),
            Range::BelowOne => within(|x| (0.0..1.0).contains(&x)),
            Range::Between => within(|x| 0.0 < x && x < 1.0),
            Range::Share => within(|x| 0.0 < x && x <= 1.0),
            Range::Shares => value.as_array().is_some_and(|list| {
                let increasing = list.windows(2).all(|pair| number(&pair[0]) < number(&pair[1]));
                !list.is_empty() && increasing && list.iter().all(|share| Range::Share.contains(share))
            }),
            Range::Whole => value.as_integer().is_some_and(|x| x >= 0),
            Range::Flag => value.is_bool(),
            Range::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        }
    }
}

/// A whole number counts as a real one.
pub(super) fn number(value: &toml::Value) -> Option<f64> {
    value.as_float().or(value.as_integer().map(|integer| integer as f64))
}

impl Display for Range {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(match self {
            Range::NotNegative => "finite and not negative",
            Range::Positive => "positive and finite",
            Range::AtLeastOne => "finite and at least 1",
            Range::Fraction => "at least 0 and at most 1",
            Range::BelowOne => "at least 0 and below 1",
            Range::Between => "above 0 and below 1",
            Range::Share => "above 0 and at most 1",
            Range::Shares => "a list of increasing numbers above 0 and at most 1",
            Range::Whole => "a whole number, not negative",
            Range::Flag => "true or false",
            Range::OneOf(words) => return write!(f, "one of {}", words.join(", ")),
        })
    }
}
