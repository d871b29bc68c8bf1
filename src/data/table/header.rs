//! The head of a table, and what is wrong with its lines.

use super::{Format, SEPARATORS};

/// What the csv crate could not read, in our words.
pub(super) struct Misread {
    pub place: String,
    pub error: csv::Error,
}

impl std::fmt::Display for Misread {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Misread { place, error } = self;
        match error.kind() {
            csv::ErrorKind::UnequalLengths { len, expected_len, .. } => {
                write!(f, "{place} has {len} fields where the header has {expected_len}")?;
                let one_more = *len == expected_len + 1;
                f.write_str(if one_more { "; does it end with a comma that should not be there?" } else { "" })
            }
            csv::ErrorKind::Utf8 { .. } => {
                let verb = if place.starts_with("row") { "holds" } else { "has" };
                write!(f, "{place} {verb} text that is not UTF-8; save the table as UTF-8")
            }
            _ => write!(f, "{place}: {error}"),
        }
    }
}

/// The text behind a first line `sep=,`, with which spreadsheets say what separates columns.
pub(super) fn without_separator_line<'t>(text: &'t [u8], format: &Format) -> Result<&'t [u8], String> {
    let Some(rest) = text.strip_prefix(b"sep=") else { return Ok(text) };
    let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
    let said = String::from_utf8_lossy(&rest[..end]);
    match said.trim_end_matches(['\r', '\n']) {
        said if said.chars().eq([format.separator]) => Ok(&rest[end..]),
        said => Err(other_separator(said.chars().next().unwrap_or(';'), "are separated")),
    }
}

fn other_separator(other: char, verb: &str) -> String {
    format!(
        "its columns {verb} by {other:?}; it must be commas, or say `separator = {:?}` in `dataset`",
        other.to_string()
    )
}

/// Names that can't be told apart or are not there.
pub(super) fn check_names(names: &[&str], format: &Format) -> Result<(), String> {
    if names.iter().all(|name| name.is_empty()) {
        return Err("it is empty; it must begin with a line of column names".into());
    }
    let other = SEPARATORS.into_iter().find(|other| *other != format.separator && names[0].contains(*other));
    if let (1, Some(other)) = (names.len(), other) {
        return Err(other_separator(other, "seem to be separated"));
    }
    match names.iter().position(|name| name.is_empty()) {
        Some(last) if last + 1 == names.len() => {
            return Err("its header ends with a comma, so that the last column has no name; take it away from the end of every line".into());
        }
        Some(column) => {
            return Err(format!(
                "column {} of its header has no name; give it one, or leave the column out (pandas writes its index so, unless index=False)",
                column + 1
            ));
        }
        None => {}
    }
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("two columns are called `{}`", pair[0])),
        None => Ok(()),
    }
}
