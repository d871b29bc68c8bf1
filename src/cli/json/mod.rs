//! JSON given on the command line: as it is, in a file, or on standard input; lists of numbers in it are packed.

mod array;
#[cfg(test)]
pub(super) mod tests;

pub use array::Array;

use anyhow::Context;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use std::cell::Cell;
use std::io::Read;

/// How options that take JSON may be given, for their help.
pub const FORMS: &str = "JSON, @FILE, or - for standard input";

/// More text than this is refused: an endless stream would fill the memory.
const MOST_BYTES: u64 = 64 << 20;

/// Entries of objects and of lists that are not packed; each takes up to 250 bytes. Packed numbers take up to 12 times their text.
const MOST_ENTRIES: usize = 4_000_000;

/// JSON, each key of an object there once.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Flag(bool),
    Number(Number),
    Text(Box<str>),
    /// A list of numbers, of equally long lists of them, and so on; also a list of nothing.
    Array(Box<Array>),
    /// Every other list.
    List(Vec<Json>),
    Object(JsonObject),
}

/// Entries by name, in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonObject(Vec<(String, Json)>);

impl JsonObject {
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    pub fn get(&self, key: &str) -> Option<&Json> {
        self.0.iter().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    pub fn remove(&mut self, key: &str) -> Option<Json> {
        let i = self.0.iter().position(|(other, _)| other == key)?;
        Some(self.0.remove(i).1)
    }

    fn repeated(&self) -> Option<&str> {
        let mut keys: Vec<&str> = self.keys().collect();
        keys.sort_unstable();
        keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }
}

impl FromIterator<(String, Json)> for JsonObject {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(entries: I) -> JsonObject {
        JsonObject(entries.into_iter().collect())
    }
}

/// Reads `[1, 2]` itself, `@FILE` from that file, and `-` from standard input.
///
/// # Errors
/// When there is nothing to read, more than 64 MiB of it, or it is not JSON; the message says where it stood and what is wrong at which
/// column.
pub fn read(given: &str) -> anyhow::Result<Json> {
    if given == "-" {
        let text = text_of(std::io::stdin()).context("standard input")?;
        anyhow::ensure!(!text.trim().is_empty(), "standard input is empty (it can be read once only)");
        return parse(&text).context("standard input");
    }
    match given.strip_prefix('@') {
        Some("") => anyhow::bail!("@ stands before a file's name, such as @data.json"),
        Some(path) => {
            let file = std::fs::File::open(path).with_context(|| format!("cannot read {path}"))?;
            let text = text_of(file).with_context(|| path.to_string())?;
            parse(&text).with_context(|| path.to_string())
        }
        None => parse(given).with_context(|| format!("`{}`", shortened(given))),
    }
}

fn text_of(source: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    source.take(MOST_BYTES + 1).read_to_string(&mut text).context("cannot be read")?;
    anyhow::ensure!(text.len() as u64 <= MOST_BYTES, "there are more than {} MiB", MOST_BYTES >> 20);
    Ok(text)
}

fn parse(text: &str) -> anyhow::Result<Json> {
    // Windows' editors begin a file so.
    let text = text.trim_start_matches('\u{feff}').trim();
    anyhow::ensure!(!text.is_empty(), "there is nothing in it");
    let mut reader = serde_json::Deserializer::from_str(text);
    let left = Cell::new(MOST_ENTRIES);
    let parsed = GradientReading { left: &left }.deserialize(&mut reader).and_then(|json| reader.end().map(|()| json));
    parsed.map_err(|error| match error.is_data() {
        true => anyhow::anyhow!("{error}"),
        false => anyhow::anyhow!("this is not JSON: {error}"),
    })
}

/// The beginning of a text, short enough for a message.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

impl Json {
    /// As serde knows it; numbers of packed lists that are whole are whole again.
    pub fn into_value(self) -> Value {
        match self {
            Json::Null => Value::Null,
            Json::Flag(flag) => Value::Bool(flag),
            Json::Number(number) => Value::Number(number),
            Json::Text(text) => Value::String(text.into()),
            Json::Array(array) => array.rows().into_iter().map(Json::into_value).collect(),
            Json::List(list) => list.into_iter().map(Json::into_value).collect(),
            Json::Object(object) => {
                Value::Object(object.0.into_iter().map(|(key, value)| (key, value.into_value())).collect())
            }
        }
    }
}

/// As JSON, and no more than the beginning of it.
impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&match self {
            Json::Array(_) | Json::List(_) => "a list".to_string(),
            Json::Object(_) => "an object".to_string(),
            scalar => shortened(&scalar.clone().into_value().to_string()),
        })
    }
}

/// Reads one value and what is in it.
#[derive(Clone, Copy)]
struct GradientReading<'a> {
    left: &'a Cell<usize>,
}

impl GradientReading<'_> {
    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| E::custom(format!("there are more than {MOST_ENTRIES} entries")))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for GradientReading<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for GradientReading<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
        Number::from_f64(number).map(Json::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut packed = Some(Array { shape: vec![0], values: Vec::new() });
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element_seed(self)? {
            let entry = match &mut packed {
                Some(array) => match array.push(entry) {
                    Ok(()) => continue,
                    Err(entry) => entry,
                },
                None => entry,
            };
            for row in packed.take().map(Array::rows).unwrap_or_default() {
                self.count()?;
                list.push(row);
            }
            self.count()?;
            list.push(entry);
        }
        Ok(packed.map_or(Json::List(list), |array| Json::Array(Box::new(array))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = JsonObject::default();
        while let Some(key) = entries.next_key::<String>()? {
            self.count()?;
            object.0.push((key, entries.next_value_seed(self)?));
        }
        match object.repeated() {
            Some(key) => Err(A::Error::custom(format!("`{}` is there twice", shortened(key)))),
            None => Ok(Json::Object(object)),
        }
    }
}
