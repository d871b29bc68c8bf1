//! The text behind an experiment: where each key came from, and tables laid over one another without forgetting it.

use crate::Error;
use std::ops::Range;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Texts laid end to end: positions of all of them live in one space, so that a merged table still knows its origins.
pub(super) struct FileText {
    parts: Vec<Part>,
}

struct Part {
    /// `experiments/digits.toml`, or `override`.
    label: String,
    is_file: bool,
    /// The text after as many spaces as there are bytes in the parts before it.
    padded: String,
    start: usize,
}

impl FileText {
    /// The built-in defaults, the file, then one part per `key=value` of the command line.
    pub fn new(path: &Path, text: &str, overrides: &[String]) -> Self {
        let mut source = FileText { parts: Vec::new() };
        source.push(
            "the built-in defaults".into(),
            true,
            concat!(include_str!("defaults.toml"), include_str!("tuned.toml")),
        );
        source.push(path.display().to_string(), true, text);
        for given in overrides {
            source.push(format!("override `{given}`"), false, &as_toml(given));
        }
        source
    }

    fn push(&mut self, label: String, is_file: bool, text: &str) {
        let start = self.parts.last().map_or(0, |part| part.padded.len());
        let padded = " ".repeat(start) + text + "\n";
        self.parts.push(Part { label, is_file, padded, start });
    }

    pub fn parse_defaults(&self) -> Result<DeTable<'_>, Error> {
        self.parse(0)
    }

    pub fn parse_file(&self) -> Result<DeTable<'_>, Error> {
        self.parse(1)
    }

    pub fn parse_overrides(&self) -> Result<Vec<DeTable<'_>>, Error> {
        (2..self.parts.len()).map(|part| self.parse(part)).collect()
    }

    fn parse(&self, part: usize) -> Result<DeTable<'_>, Error> {
        match DeTable::parse(&self.parts[part].padded) {
            Ok(table) => Ok(table.into_inner()),
            Err(error) => {
                let quoting = match self.parts[part].is_file {
                    true => "this is not TOML: ",
                    false => "this is not key=value (quote a name with spaces: arm.\"NAME\".key=value): ",
                };
                Err(self.error(error.span(), format!("{quoting}{}", error.message().replace('\n', "; "))))
            }
        }
    }

    /// Whether this is the place of a built-in default, where no user can mend anything.
    pub fn is_default(&self, span: &Range<usize>) -> bool {
        span.start < self.parts[1].start
    }

    /// Whether this is the place of an override from the command line.
    pub fn is_override(&self, span: &Range<usize>) -> bool {
        self.parts.get(2).is_some_and(|first| span.start >= first.start)
    }

    /// An error at a position; without one, of the file as a whole.
    pub fn error(&self, span: Option<Range<usize>>, message: String) -> Error {
        Error::Experiment { place: self.place(span), message }
    }

    fn place(&self, span: Option<Range<usize>>) -> String {
        let at = span.map_or(self.parts[1].start, |span| span.start);
        let inside = |part: &&Part| part.start <= at && at < part.padded.len().max(part.start + 1);
        let Some(part) = self.parts.iter().find(inside).or(self.parts.last()) else { return String::new() };
        if !part.is_file {
            return part.label.clone();
        }
        let before = &part.padded.as_bytes()[part.start..at.min(part.padded.len())];
        format!("{}:{}", part.label, 1 + before.iter().filter(|&&byte| byte == b'\n').count())
    }

    /// A deserialization error of this table with its place, its key, and the nearest valid name where a name was unknown.
    pub fn explain(&self, error: &toml::de::Error, table: &DeTable) -> Error {
        let message = error.message();
        let key = error.span().and_then(|span| key_at(table, &span));
        let mut quoted = message.split('`').skip(1).step_by(2);
        let explained = match (message.split_once(" `").map(|(start, _)| start), quoted.next()) {
            (Some("unknown field"), Some(name)) => crate::error::unknown("key", name, &quoted.collect::<Vec<_>>()),
            (Some("unknown variant"), Some(name)) => {
                let unknown = crate::error::unknown("name", name, &quoted.collect::<Vec<_>>());
                key.map_or(unknown.clone(), |key| format!("`{key}`: {unknown}"))
            }
            _ => {
                let said = in_words(message);
                match key {
                    Some(key) if !said.starts_with('`') => format!("`{key}` {}", after_key(&said)),
                    _ => said,
                }
            }
        };
        self.error(error.span(), explained)
    }
}

/// The last name of the key whose value stands at this place.
fn key_at(table: &DeTable, span: &Range<usize>) -> Option<String> {
    table.iter().find_map(|(name, value)| {
        if value.span() == *span || name.span() == *span {
            return Some(name.get_ref().to_string());
        }
        of_value(value.get_ref(), span).map(|inner| if inner.is_empty() { name.get_ref().to_string() } else { inner })
    })
}

/// The key inside a value; empty for an entry of a list, which has none of its own.
fn of_value(value: &DeValue, span: &Range<usize>) -> Option<String> {
    match value {
        DeValue::Table(inner) => key_at(inner, span),
        DeValue::Array(list) => list.iter().find_map(|entry| match entry.span() == *span {
            true => Some(String::new()),
            false => of_value(entry.get_ref(), span),
        }),
        _ => None,
    }
}

/// A message as the rest of a sentence that begins with a key.
fn after_key(message: &str) -> String {
    let is_predicate = ["must ", "needs ", "is "].iter().any(|start| message.starts_with(start));
    if is_predicate { message.into() } else { format!("can't be read: {message}") }
}

/// A type error of serde in the words of the file.
fn in_words(message: &str) -> String {
    let mut text = message.replace('\n', "; ");
    let words = [
        ("a sequence", "a list"),
        ("sequence", "a list"),
        ("expected u64", "expected a whole number, not negative"),
        ("expected usize", "expected a whole number, not negative"),
        ("expected u32", "expected a whole number, not negative"),
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected a string", "expected a text"),
        ("expected a boolean", "expected true or false"),
        ("expected path string", "expected a path"),
        ("expected a character", "expected a single character"),
        ("expected map", "expected a table"),
        ("expected a map", "expected a table"),
        ("an array of length 2", "a list of two"),
        ("floating point", "number"),
        ("integer", "number"),
        ("boolean", "flag"),
        ("string", "text"),
        (", expected map", ", expected a table"),
        ("unit variant, expected newtype variant", "name; `rollout` is \"episodes\" or { steps = 128 }"),
    ];
    for (jargon, word) in words {
        text = text.replace(jargon, word);
    }
    if let Some((before, _)) = text.split_once("expected struct") {
        text = format!("{before}expected a table, such as {{ key = value }}");
    }
    for start in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some((got, wanted)) = text.strip_prefix(start).and_then(|rest| rest.split_once(", expected ")) {
            let got = if got == "map" { "a table".to_string() } else { got.to_string() };
            return format!("must be {wanted}, not {got}");
        }
    }
    text.replace("missing field", "the key is missing:")
}

/// The text of an experiment file, without a byte-order mark.
///
/// # Errors
/// When it can't be read, is a folder, too large, or no UTF-8; the message says what was meant where that can be told.
pub(super) fn text_of(path: &Path) -> Result<String, Error> {
    /// No experiment has more bytes.
    const MOST: u64 = 16 << 20;
    let metadata = std::fs::metadata(path).map_err(Error::file("read the experiment", path))?;
    if metadata.len() > MOST {
        return Err(Error::content(path, format!("{} bytes are no experiment; the most is {MOST}", metadata.len())));
    }
    let bytes = std::fs::read(path).map_err(Error::file("read the experiment", path))?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Error::content(path, "it is UTF-16; save the experiment as UTF-8"));
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => {
            Err(Error::content(path, "it holds zero bytes and is no text; an experiment is a TOML file"))
        }
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text)),
        Err(error) => {
            let line =
                1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            Err(Error::content(
                path,
                format!("line {line} holds text that is not UTF-8; an experiment is a TOML file, saved as UTF-8"),
            ))
        }
    }
}

/// `key=value` as TOML; a value that is not TOML is taken as a string, so that `optimizer.rule=sgd` needs no quotes.
fn as_toml(given: &str) -> String {
    let Some((key, value)) = given.split_once('=') else { return given.to_string() };
    let assignment = format!("{key} = {value}");
    if DeTable::parse(&assignment).is_ok() { assignment } else { format!("{key} = {value:?}") }
}

/// The table under `key`, if it is one.
pub(super) fn table<'t, 'i>(of: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
    of.get(key).and_then(|value| value.get_ref().as_table())
}

/// The position of the value at a dotted path (an entry of a list by its index), or of the nearest table around it.
pub(super) fn locate(mut table: &DeTable, path: &str) -> Option<Range<usize>> {
    let mut found = None;
    let mut keys = path.split('.');
    while let Some(key) = keys.next() {
        let Some(value) = table.get(key) else { break };
        found = Some(value.span());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            DeValue::Array(list) => match keys.next().and_then(|index| list.get(index.parse::<usize>().ok()?)) {
                Some(entry) => {
                    found = Some(entry.span());
                    let Some(inner) = entry.get_ref().as_table() else { break };
                    table = inner;
                }
                None => break,
            },
            _ => break,
        }
    }
    found
}
