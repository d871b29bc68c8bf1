//! What an option was told.

use serde::{Deserialize, Serialize};

/// The value of an option, as given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "an option is a number, a text, true or false, a list of numbers, or a list of such lists"
)]
pub enum OptionValue {
    Flag(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    Numbers(Vec<f64>),
    Rows(Vec<Vec<f64>>),
}

impl OptionValue {
    /// For messages, in which `"1"` is another thing than 1.
    pub(super) fn quoted(&self) -> String {
        match self {
            OptionValue::Text(text) => format!("{text:?}"),
            OptionValue::Number(x) if x.abs() >= 1e16 => format!("{x:e}"),
            other => other.to_string(),
        }
    }

    /// A whole number is one too.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            OptionValue::Number(x) => Some(*x),
            OptionValue::Whole(x) => Some(*x as f64),
            _ => None,
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
            OptionValue::Numbers(numbers) => list(f, numbers),
            OptionValue::Rows(rows) => {
                write!(f, "[")?;
                for (i, row) in rows.iter().enumerate() {
                    write!(f, "{}", if i == 0 { "" } else { ", " })?;
                    list(f, row)?;
                }
                write!(f, "]")
            }
        }
    }
}

fn list(f: &mut std::fmt::Formatter, numbers: &[f64]) -> std::fmt::Result {
    write!(f, "[{}]", numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(", "))
}
