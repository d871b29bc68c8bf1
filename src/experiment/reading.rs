//! From a table to a type, with errors in the words of the file.

use super::lenient::Lenient;
use super::source::FileText;
use crate::Result;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The first key with a date in it, and where that stands.
fn dated(table: &DeTable) -> Option<(String, std::ops::Range<usize>)> {
    fn inside(value: &Spanned<DeValue>) -> Option<std::ops::Range<usize>> {
        match value.get_ref() {
            DeValue::Datetime(_) => Some(value.span()),
            DeValue::Array(list) => list.iter().find_map(inside),
            DeValue::Table(table) => dated(table).map(|(_, span)| span),
            _ => None,
        }
    }
    table.iter().find_map(|(name, value)| Some((name.get_ref().to_string(), inside(value)?)))
}

pub(super) fn read<'i, T: Deserialize<'i>>(source: &FileText, table: DeTable<'i>) -> Result<T> {
    read_with(source, table, 0..0, T::deserialize)
}

/// What `of` makes of a table that stands at this place.
pub(super) fn read_with<'i, T>(
    source: &FileText,
    table: DeTable<'i>,
    span: std::ops::Range<usize>,
    of: impl FnOnce(Lenient<toml::de::Deserializer<'i>>) -> std::result::Result<T, toml::de::Error>,
) -> Result<T> {
    if let Some((key, span)) = dated(&table) {
        return Err(
            source.error(Some(span), format!("`{key}` is a date, and nothing here takes one; a text stands in quotes"))
        );
    }
    let deserializer = toml::de::Deserializer::from(Spanned::new(span, table.clone()));
    of(Lenient(deserializer)).map_err(|error| source.explain(&error, &table))
}
