//! Options: what a row of a table (a loss, a metric, an update rule, a schedule) may be told, and what it was told.

mod interval;
mod kind;
mod named;
mod value;

pub use interval::Interval;
pub use kind::OptionKind;
pub use named::Named;
pub use value::OptionValue;

use std::collections::BTreeMap;

/// An option that is unknown, of another type or out of range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct OptionError {
    pub option: String,
    /// Begins with the option in backticks.
    pub message: String,
}

impl OptionError {
    /// Of this option; the message begins with it in backticks.
    pub fn new(option: &str, message: String) -> OptionError {
        OptionError { option: option.into(), message }
    }
}

/// An option that a row of a table has.
#[derive(Debug, PartialEq)]
pub struct OptionRow {
    pub name: &'static str,
    pub meaning: &'static str,
    pub kind: OptionKind,
}

/// Options as given, by name.
pub type Given = BTreeMap<String, OptionValue>;

/// The options of one row, checked, with defaults for what was not given.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    rows: &'static [OptionRow],
    values: Given,
}

impl Options {
    /// Checks `given` against the rows of the table entry `owner`.
    ///
    /// # Errors
    /// When an option is unknown, has another type, is out of range or is missing; the message begins with the option in
    /// backticks.
    pub fn new(owner: &str, rows: &'static [OptionRow], given: &Given) -> Result<Options, OptionError> {
        let mut values = Given::new();
        for (name, value) in given {
            let row = rows.iter().find(|row| row.name == name).ok_or_else(|| not_an_option(name, owner, rows))?;
            let value = row.kind.understood(value);
            row.kind.check(&value).map_err(|expected| {
                OptionError::new(name, format!("`{name}` of {owner} must be {expected}, not {}", value.quoted()))
            })?;
            values.insert(name.clone(), value);
        }
        if let Some(row) = rows.iter().find(|row| row.kind.is_required() && !given.contains_key(row.name)) {
            let message = format!("`{}` of {owner} must be given: {}", row.name, row.kind);
            return Err(OptionError::new(row.name, message));
        }
        let mut options = Options::defaults(rows);
        options.values.extend(values);
        Ok(options)
    }

    /// All defaults.
    pub fn defaults(rows: &'static [OptionRow]) -> Options {
        let default = |row: &OptionRow| row.kind.default_value().map(|value| (row.name.to_string(), value));
        Options { rows, values: rows.iter().filter_map(default).collect() }
    }

    /// Every value, given or default; nothing for options that are off.
    pub fn values(&self) -> &Given {
        &self.values
    }

    fn value(&self, name: &str) -> Option<&OptionValue> {
        assert!(self.rows.iter().any(|row| row.name == name), "no row has the option `{name}`");
        self.values.get(name)
    }

    /// # Panics
    /// As all of these: when the row has no such option, which is a bug of the function that asks.
    pub fn number(&self, name: &str) -> f64 {
        let number = self.value(name).and_then(OptionValue::as_number);
        number.unwrap_or_else(|| panic!("`{name}` is not a number"))
    }

    /// Nothing where it is off, or where the word stands instead.
    pub fn whole(&self, name: &str) -> Option<i64> {
        let or_word = |row: &OptionRow| row.name == name && matches!(row.kind, OptionKind::WholeOr { .. });
        match self.value(name) {
            Some(OptionValue::Whole(x)) => Some(*x),
            None => None,
            Some(OptionValue::Text(_)) if self.rows.iter().any(or_word) => None,
            Some(_) => panic!("`{name}` is not a whole number"),
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.value(name) {
            Some(OptionValue::Flag(flag)) => *flag,
            _ => panic!("`{name}` is not a flag"),
        }
    }

    pub fn choice(&self, name: &str) -> &str {
        match self.value(name) {
            Some(OptionValue::Text(text)) => text,
            _ => panic!("`{name}` is not a choice"),
        }
    }

    pub fn text(&self, name: &str) -> &str {
        match self.value(name) {
            Some(OptionValue::Text(text)) => text,
            _ => panic!("`{name}` is not a text"),
        }
    }

    /// The numbers of a per-class option, if it was given.
    pub fn per_class(&self, name: &str) -> Option<&[f64]> {
        match self.value(name) {
            Some(OptionValue::Numbers(numbers)) => Some(numbers),
            None => None,
            Some(_) => panic!("`{name}` is not a list of numbers"),
        }
    }

    /// The numbers of a list, if it was given.
    pub fn numbers(&self, name: &str) -> Option<&[f64]> {
        self.per_class(name)
    }

    /// The rows of a matrix, if it was given.
    pub fn rows(&self, name: &str) -> Option<&[Vec<f64>]> {
        match self.value(name) {
            Some(OptionValue::Rows(rows)) => Some(rows),
            None => None,
            Some(_) => panic!("`{name}` is not a matrix"),
        }
    }

    /// A whole number with a default.
    ///
    /// # Errors
    /// When it is larger than `most`.
    pub fn whole_up_to(&self, name: &str, most: i64) -> Result<usize, OptionError> {
        match self.whole(name) {
            Some(x) if x <= most => Ok(x as usize),
            Some(x) => Err(OptionError::new(name, format!("`{name}` must be at most {most}, not {x}"))),
            None => panic!("`{name}` has no default"),
        }
    }

    /// # Errors
    /// When a per-class option or a matrix was given for another number of classes.
    pub fn check_classes(&self, classes: usize) -> Result<(), OptionError> {
        let is_matrix = |row: &&OptionRow| matches!(row.kind, OptionKind::SquareMatrix(_));
        for row in self.rows.iter().filter(is_matrix) {
            if let Some(rows) = self.rows(row.name).filter(|rows| rows.len() != classes) {
                let (name, len) = (row.name, rows.len());
                return Err(OptionError::new(name, format!("`{name}` has {len} rows for {classes} classes")));
            }
        }
        for row in self.rows.iter().filter(|row| row.kind == OptionKind::PerClass) {
            if let Some(numbers) = self.per_class(row.name).filter(|numbers| numbers.len() != classes) {
                let (name, len) = (row.name, numbers.len());
                return Err(OptionError::new(name, format!("`{name}` has {len} numbers for {classes} classes")));
            }
        }
        Ok(())
    }
}

fn not_an_option(name: &str, owner: &str, rows: &[OptionRow]) -> OptionError {
    let known: Vec<&str> = rows.iter().map(|row| row.name).collect();
    let message = match known.is_empty() {
        true => format!("`{name}` is not an option of {owner}, which has none"),
        false => format!("`{name}` is not an option of {owner}: {}", crate::names::unknown("option", name, &known)),
    };
    OptionError::new(name, message)
}

impl OptionRow {
    pub const fn number(name: &'static str, default: f64, range: Interval, meaning: &'static str) -> OptionRow {
        OptionRow { name, meaning, kind: OptionKind::Number { default, range } }
    }

    /// All but the name: `a number in (0, ∞), default 1; where the square ends`.
    pub fn description(&self) -> String {
        format!("{}, {}; {}", self.kind, self.kind.default_text(), self.meaning)
    }
}

/// The options of a row, one line each: `delta: a number in (0, ∞), default 1; where the square ends`.
pub fn describe(rows: &[OptionRow]) -> Vec<String> {
    rows.iter().map(|row| format!("{}: {}", row.name, row.description())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &[OptionRow] = &[
        OptionRow { name: "delta", meaning: "", kind: OptionKind::Number { default: 1.0, range: Interval::POSITIVE } },
        OptionRow { name: "k", meaning: "", kind: OptionKind::Whole { default: Some(5), at_least: 1 } },
        OptionRow { name: "average", meaning: "", kind: OptionKind::Choice(&["macro", "micro"]) },
        OptionRow { name: "weights", meaning: "", kind: OptionKind::PerClass },
        OptionRow { name: "means", meaning: "", kind: OptionKind::Numbers(Interval::UNIT) },
        OptionRow { name: "costs", meaning: "", kind: OptionKind::SquareMatrix(Interval::NOT_NEGATIVE) },
    ];
    const CURVE: &[OptionRow] = &[
        OptionRow { name: "at", meaning: "where", kind: OptionKind::Shares },
        OptionRow { name: "limit", meaning: "how far", kind: OptionKind::OptionalNumber(Interval::POSITIVE) },
        OptionRow::number("small", 1e-8, Interval::ANY, "ε"),
    ];

    fn given(toml: &str) -> Result<Options, OptionError> {
        Options::new("huber", ROWS, &toml::from_str(toml).unwrap())
    }

    #[test]
    fn options_have_defaults_and_take_what_fits() {
        let options = given("delta = 2\naverage = \"micro\"\nweights = [1.0, 0.5]").unwrap();
        assert_eq!((options.number("delta"), options.whole("k"), options.choice("average")), (2.0, Some(5), "micro"));
        assert_eq!(options.per_class("weights"), Some(&[1.0, 0.5][..]));
        assert!(options.check_classes(3).unwrap_err().to_string().contains("`weights` has 2 numbers for 3 classes"));
        assert_eq!(Options::defaults(ROWS).number("delta"), 1.0);
        assert_eq!(
            (options.numbers("means"), given("means = [0, 1]").unwrap().numbers("means")),
            (None, Some(&[0.0, 1.0][..]))
        );
        let matrix = given("costs = [[0, 1.5], [2, 0]]").unwrap();
        assert_eq!(matrix.rows("costs"), Some(&[vec![0.0, 1.5], vec![2.0, 0.0]][..]));
        assert!(matrix.check_classes(3).unwrap_err().to_string().contains("`costs` has 2 rows for 3 classes"));
        assert_eq!(options.whole_up_to("k", 5), Ok(5));
        assert_eq!(options.whole_up_to("k", 4).unwrap_err().to_string(), "`k` must be at most 4, not 5");
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        for (toml, message) in [
            ("delta = 0.0", "`delta` of huber must be a number in (0, ∞), not 0"),
            ("delta = \"x\"", "`delta` of huber must be a number in (0, ∞), not \"x\""),
            ("delta = nan", "not NaN"),
            ("dleta = 1.0", "did you mean `delta`?"),
            ("k = 0", "a whole number, at least 1, not 0"),
            ("k = 2.5", "not 2.5"),
            ("k = 2_000_000_000", "at least 1, at most 1000000000, not 2000000000"),
            ("k = 1e300", "at most 1000000000, not 1e300"),
            ("average = \"all\"", "one of macro, micro, not \"all\""),
            ("weights = [1.0, -1.0]", "one number per class"),
            ("weights = [1e308, 1e308]", "not all 0, none above 1e30, not"),
            ("means = []", "`means` of huber must be a list of numbers in [0, 1], one or more, not []"),
            ("means = [0.5, 1.5]", "not [0.5, 1.5]"),
            ("costs = [[0, 1]]", "as many as each has numbers, not [[0, 1]]"),
            ("costs = [[0, -1], [1, 0]]", "numbers in [0, ∞)"),
        ] {
            let error = given(toml).unwrap_err().to_string();
            assert!(error.contains(message), "{toml}: {error}");
        }
        let error = toml::from_str::<Given>("delta = { a = 1 }").unwrap_err().to_string();
        assert!(error.contains("an option is a number, a text, true or false, a list of numbers"), "{error}");
    }

    #[test]
    fn what_is_required_must_be_given_and_what_is_off_stays_off() {
        let given = |toml: &str| Options::new("step", CURVE, &toml::from_str(toml).unwrap());
        let options = given("at = [0.5, 1]").unwrap();
        assert_eq!(options.values(), &toml::from_str("at = [0.5, 1.0]\nsmall = 1e-8").unwrap());
        for (toml, message) in [
            ("", "`at` of step must be given: a list of increasing numbers in (0, 1]"),
            ("at = []", "`at` of step must be a list of increasing numbers in (0, 1], not []"),
            ("at = [0.5, 0.5]", "not [0.5, 0.5]"),
            ("at = [0.0]", "not [0]"),
            ("at = [0.5, nan]", "not [0.5, NaN]"),
            ("at = [1.0]\nlimit = 0", "`limit` of step must be a number in (0, ∞), not 0"),
        ] {
            let error = given(toml).unwrap_err().to_string();
            assert!(error.contains(message), "{toml}: {error}");
        }
        assert_eq!(
            describe(CURVE),
            [
                "at: a list of increasing numbers in (0, 1], required; where",
                "limit: a number in (0, ∞), off unless given; how far",
                "small: a finite number, default 1e-8; ε",
            ]
        );
    }
}
