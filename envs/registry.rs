//! Tables that a crate of one's own adds rows to.

use crate::names::unknown;
use std::sync::OnceLock;

/// A row that can be named.
pub trait TableRow: 'static {
    /// What it is called in messages: `environment`.
    const WHAT: &'static str;

    fn name(&self) -> &'static str;
}

/// Built-in rows, list by list, and behind them those of another crate.
pub struct Registry<T: TableRow> {
    built_in: &'static [&'static [T]],
    added: OnceLock<&'static [T]>,
}

impl<T: TableRow> Registry<T> {
    pub const fn new(built_in: &'static [&'static [T]]) -> Self {
        Registry { built_in, added: OnceLock::new() }
    }

    /// Every row.
    pub fn all(&self) -> impl Iterator<Item = &'static T> + Clone + use<T> {
        self.built_in.iter().copied().flatten().chain(self.added.get().copied().unwrap_or_default())
    }

    /// The row of this name.
    ///
    /// # Errors
    /// When there is none; the message has the nearest name.
    pub fn find(&self, name: &str) -> Result<&'static T, String> {
        let known = || self.all().map(TableRow::name).collect::<Vec<_>>();
        self.all().find(|row| row.name() == name).ok_or_else(|| unknown(T::WHAT, name, &known()))
    }

    /// Adds rows to those that there are, once and before anything else is done.
    ///
    /// # Errors
    /// When a name is empty or taken, or it is not the first call.
    pub fn add(&self, rows: &'static [T]) -> Result<(), String> {
        let what = T::WHAT;
        for (i, name) in rows.iter().map(TableRow::name).enumerate() {
            if name.trim().is_empty() {
                return Err(format!("a {what} has no name"));
            }
            if self.find(name).is_ok() || rows[..i].iter().any(|other| other.name() == name) {
                return Err(format!("the name `{name}` of a {what} is taken"));
            }
        }
        self.added.set(rows).map_err(|_| format!("a {what} can be added once only, with all others"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Word(&'static str);

    impl TableRow for Word {
        const WHAT: &'static str = "word";

        fn name(&self) -> &'static str {
            self.0
        }
    }

    #[test]
    fn rows_join_those_that_there_are_once_and_under_names_of_their_own() {
        static TABLE: Registry<Word> = Registry::new(&[&[Word("one")], &[Word("two")]]);
        assert_eq!(TABLE.add(&[Word("two")]), Err("the name `two` of a word is taken".into()));
        assert_eq!(TABLE.add(&[Word("six"), Word("six")]), Err("the name `six` of a word is taken".into()));
        assert_eq!(TABLE.add(&[Word(" ")]), Err("a word has no name".into()));
        assert_eq!(TABLE.add(&[Word("three")]), Ok(()));
        assert!(TABLE.add(&[Word("four")]).unwrap_err().contains("once only"));
        assert_eq!(TABLE.all().map(|word| word.0).collect::<Vec<_>>(), ["one", "two", "three"]);
        assert!(TABLE.find("thre").err().unwrap().contains("did you mean `three`"));
    }
}
