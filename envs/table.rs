//! Tables that a crate of one's own adds rows to.

use std::sync::OnceLock;

/// A row that can be named.
pub trait TableRow: 'static {
    /// What it is called in messages: `environment`.
    const WHAT: &'static str;

    fn name(&self) -> &'static str;
}

/// The rows of another crate, behind those of a table.
pub struct Added<T: TableRow>(OnceLock<&'static [T]>);

impl<T: TableRow> Added<T> {
    #[allow(clippy::new_without_default, reason = "a table is a static")]
    pub const fn new() -> Self {
        Added(OnceLock::new())
    }

    /// Adds rows to those that there are, once and before anything else is done.
    ///
    /// # Errors
    /// When a name is empty or taken, or it is not the first call.
    pub fn add(&self, built_in: impl Iterator<Item = &'static T>, rows: &'static [T]) -> Result<(), String> {
        let what = T::WHAT;
        let taken: Vec<&str> = built_in.map(TableRow::name).collect();
        for (i, row) in rows.iter().enumerate() {
            let name = row.name();
            if name.trim().is_empty() {
                return Err(format!("a {what} has no name"));
            }
            if taken.contains(&name) || rows[..i].iter().any(|other| other.name() == name) {
                return Err(format!("the name `{name}` of a {what} is taken"));
            }
        }
        self.0.set(rows).map_err(|_| format!("{what}s can be registered once only"))
    }

    pub fn rows(&self) -> impl Iterator<Item = &'static T> + Clone + use<T> {
        self.0.get().copied().unwrap_or_default().iter()
    }
}
