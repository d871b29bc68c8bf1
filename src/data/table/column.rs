//! One column: entries as they are written, numbers where all of them are some, and slips.

use crate::data::notation::Notation;
use crate::data::texts::Texts;

/// The entries of one column as they are written, `[rows]`; an entry may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub(super) texts: Texts,
    pub(super) notation: Notation,
}

/// What may be meant to stand for one, in lower case.
const PERHAPS_MISSING: [&str; 14] =
    ["n/a", "#n/a", "n.a.", "na", "nan", "none", "null", "nil", "-", "--", "---", ".", "..", "missing"];

/// An entry that is no number, in a column of numbers.
pub struct Slip<'a> {
    pub row: usize,
    pub text: &'a str,
    notation: Notation,
}

impl Slip<'_> {
    /// What it is instead, and what would be right.
    pub fn message(&self) -> String {
        let text = self.text;
        match self.notation.look(text) {
            Some(look) => format!("`{text}` {}", look.advice()),
            None if is_perhaps_missing(text) => {
                format!(
                    "`{text}` is not a number; if it says that the entry is missing: `missing_values = [{text:?}]` in `dataset`"
                )
            }
            None => format!("`{text}` is not a number"),
        }
    }
}

/// Whether a text may be meant to say that the entry is missing.
pub fn is_perhaps_missing(text: &str) -> bool {
    PERHAPS_MISSING.contains(&text.to_lowercase().as_str())
}

impl Column {
    /// What is written there.
    pub fn texts(&self) -> impl Iterator<Item = Option<&str>> + Clone {
        self.texts.iter()
    }

    /// What is written in one row.
    pub fn text(&self, row: usize) -> Option<&str> {
        self.texts.get(row)
    }

    /// The numbers where all that is not missing is one.
    pub fn numbers(&self) -> Option<Vec<Option<f64>>> {
        let number = |text: Option<&str>| match text {
            None => Some(None),
            Some(text) => self.notation.number(text).map(Some),
        };
        self.texts().map(number).collect()
    }

    pub fn holds_numbers(&self) -> bool {
        self.first_text().is_none()
    }

    /// The first entry that is no number.
    pub(super) fn first_text(&self) -> Option<Slip<'_>> {
        self.entry(|text| self.notation.number(text).is_none())
    }

    fn entry(&self, is_wanted: impl Fn(&str) -> bool) -> Option<Slip<'_>> {
        let entries = self.texts().enumerate().filter_map(|(row, text)| Some((row, text?)));
        let found = entries.into_iter().find(|(_, text)| is_wanted(text));
        found.map(|(row, text)| Slip { row, text, notation: self.notation })
    }

    /// An entry that is no number where more than half of the entries are numbers, or look like numbers written another way: a slip
    /// rather than a category. Preferably one that looks like a number.
    pub fn slip(&self) -> Option<Slip<'_>> {
        let first = self.first_text()?;
        let is_number = |text: &&str| self.notation.number(text).is_some() || self.notation.look(text).is_some();
        let (mut known, mut numbers) = (0, 0);
        self.texts().flatten().for_each(|text| {
            known += 1;
            numbers += usize::from(is_number(&text));
        });
        let written = || self.entry(|text| self.notation.number(text).is_none() && self.notation.look(text).is_some());
        (2 * numbers > known).then(|| written().unwrap_or(first))
    }

    /// Rows without an entry.
    pub fn missing(&self) -> usize {
        self.texts().filter(Option::is_none).count()
    }

    /// The first row without an entry.
    pub fn first_missing(&self) -> Option<usize> {
        self.texts().position(|text| text.is_none())
    }
}
