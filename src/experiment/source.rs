//! The text behind an experiment: where each key came from, and tables laid over one another without forgetting it.

use crate::Error;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Texts laid end to end: positions of all of them live in one space, so that a merged table still knows its origins.
pub(super) struct Source {
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

impl Source {
    /// The built-in defaults, the file, then one part per `key=value` of the command line.
    pub fn new(path: &Path, text: &str, overrides: &[String]) -> Self {
        let mut source = Source { parts: Vec::new() };
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

    /// An error at a position; without one, of the file as a whole.
    /// Whether this is the place of a built-in default, where no user can mend anything.
    pub fn is_default(&self, span: &Range<usize>) -> bool {
        span.start < self.parts[1].start
    }

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

    /// A deserialization error with its place, and the nearest valid name where a name was unknown.
    pub fn explain(&self, error: &toml::de::Error) -> Error {
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        let explained = match (message.split_once(" `").map(|(start, _)| start), quoted.next()) {
            (Some("unknown field"), Some(name)) => crate::error::unknown("key", name, &quoted.collect::<Vec<_>>()),
            (Some("unknown variant"), Some(name)) => crate::error::unknown("name", name, &quoted.collect::<Vec<_>>()),
            _ => in_words(message),
        };
        self.error(error.span(), explained)
    }
}

/// A type error of serde in the words of the file.
fn in_words(message: &str) -> String {
    let mut text = message.replace('\n', "; ");
    let words = [
        ("expected a sequence", "expected a list"),
        ("expected u64", "expected a whole number, not negative"),
        ("expected usize", "expected a whole number, not negative"),
        ("expected f64", "expected a number"),
        ("unit variant, expected newtype variant", "name; `rollout` is \"episodes\" or { steps = 128 }"),
    ];
    for (jargon, word) in words {
        text = text.replace(jargon, word);
    }
    match text.split_once("expected struct") {
        Some((before, _)) => format!("{before}expected a table"),
        None => text,
    }
}

/// `key=value` as TOML; a value that is not TOML is taken as a string, so that `optimizer.rule=sgd` needs no quotes.
fn as_toml(given: &str) -> String {
    let Some((key, value)) = given.split_once('=') else { return given.to_string() };
    let assignment = format!("{key} = {value}");
    if DeTable::parse(&assignment).is_ok() { assignment } else { format!("{key} = {value:?}") }
}

/// Lays `over` on top of `under`: tables are merged key by key, everything else is replaced.
pub(super) fn merge<'i>(under: &mut DeTable<'i>, over: &DeTable<'i>) {
    for (key, value) in over {
        let merged = match (under.remove(key.get_ref().as_ref()), value.get_ref()) {
            (Some(below), DeValue::Table(above)) => match below.into_inner() {
                // A schedule and a data set are one value, not settings to be mixed with another's.
                DeValue::Table(mut below)
                    if key.get_ref() != "dataset"
                        && !above.contains_key("schedule")
                        && !below.contains_key("schedule") =>
                {
                    merge(&mut below, above);
                    Spanned::new(value.span(), DeValue::Table(below))
                }
                _ => value.clone(),
            },
            _ => value.clone(),
        };
        under.insert(key.clone(), merged);
    }
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
