//! One entry of `layers`.

use crate::kernel::{Activation, Arriving, LAYERS, LayerRow, Planned};
use lossward_envs::names::unknown;
use lossward_envs::options::{Given, OptionKind, OptionRow, OptionValue, Options};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

/// A layer by its name and its options, `{ conv = 16, kernel = 3 }`; [`LAYERS`] says which there are. It may have a `name`, by which a
/// later one reads it: `{ dense = 8, name = "fine" }`, and later `{ concat = "fine" }`; and an `activation` of its own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct LayerSettings(Given);

/// By which a layer is read.
const NAME: &str = "name";

/// After a layer that has one, in place of the network's.
const ACTIVATION: &str = "activation";

/// What every layer may have, beside its own options.
const OF_EVERY: [&str; 2] = [NAME, ACTIVATION];

impl LayerSettings {
    /// Of these options.
    pub(super) fn new(options: impl IntoIterator<Item = (&'static str, OptionValue)>) -> LayerSettings {
        LayerSettings(options.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
    }

    pub(super) fn set(&mut self, option: &str, value: OptionValue) {
        self.0.insert(option.into(), value);
    }

    /// Whether it is the layer of this name.
    pub fn is(&self, layer: &str) -> bool {
        self.0.contains_key(layer)
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key) {
            Some(OptionValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// By which it can be read.
    ///
    /// # Errors
    /// When it is no text, or "input".
    pub(super) fn name(&self) -> Result<Option<&str>, String> {
        match (self.0.get(NAME), self.text(NAME)) {
            (None, _) => Ok(None),
            (Some(_), Some("input")) => Err("`name = \"input\"` is what the network reads; take another".into()),
            (Some(_), Some(name)) if !name.is_empty() => Ok(Some(name)),
            (Some(other), _) => Err(format!("`name` must be a text, not {other}")),
        }
    }

    /// Its own activation, if it has one.
    ///
    /// # Errors
    /// When there is none of this name.
    pub(super) fn activation(&self) -> Result<Option<Activation>, String> {
        let Some(value) = self.0.get(ACTIVATION) else { return Ok(None) };
        let value = toml::Value::try_from(value).map_err(|error| error.to_string())?;
        value.try_into().map(Some).map_err(|error: toml::de::Error| format!("`{ACTIVATION}`: {}", error.message()))
    }

    /// Whether it normalizes what comes in.
    pub(super) fn normalizes(&self) -> bool {
        self.row().is_ok_and(|row| row.normalizes)
    }

    /// Whether the named layer comes first where two are joined.
    pub(super) fn reads_named_first(&self) -> bool {
        self.0.get("first") == Some(&OptionValue::Flag(true))
    }

    /// The layer that it reads beside the one before it.
    pub(super) fn second(&self) -> Option<&str> {
        self.row().ok().filter(|row| row.joins).and_then(|row| self.text(row.name()))
    }

    fn row(&self) -> Result<&'static LayerRow, String> {
        let mut found = LAYERS.iter().filter(|row| self.is(row.name()));
        match (found.next(), found.next()) {
            (Some(row), None) => Ok(row),
            (Some(one), Some(other)) => {
                Err(format!("`{}` and `{}` are two layers: give each an entry of its own", one.name(), other.name()))
            }
            _ => Err(format!("a layer is one of {}", names(LAYERS.iter().map(LayerRow::name)))),
        }
    }

    /// The layer of these sizes.
    ///
    /// # Errors
    /// When it is no layer or several, an option is not one of it, or it does not fit what comes in.
    pub(super) fn plan(&self, arriving: &Arriving) -> Result<Planned, String> {
        let row = self.row()?;
        let given = self.0.iter().filter(|(key, _)| !OF_EVERY.contains(&key.as_str()));
        for (key, _) in given.clone() {
            let has = |row: &&LayerRow| row.options.iter().any(|option| option.name == key);
            if has(&row) {
                continue;
            }
            return Err(match LAYERS.iter().find(has) {
                Some(other) => format!("`{key}` belongs to `{}`, not to `{}`", other.name(), row.name()),
                None => {
                    let known: Vec<&str> = row.options.iter().map(|option| option.name).chain(OF_EVERY).collect();
                    unknown("key", key, &known)
                }
            });
        }
        let given: Given = given.map(|(key, value)| (key.clone(), value.clone())).collect();
        let options = Options::new(row.name(), row.options, &given).map_err(|error| error.to_string())?;
        (row.plan)(&options, arriving)
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// In the order of the table and as numbers of its kinds, however a file has them: a trial is told by this text.
impl Serialize for LayerSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        let rows: &[OptionRow] = self.row().map_or(&[], |row| row.options);
        for option in rows {
            match (self.0.get(option.name), &option.kind) {
                (Some(OptionValue::Whole(x)), OptionKind::RequiredNumber(_) | OptionKind::Numbers(_)) => {
                    map.serialize_entry(option.name, &(*x as f64))?;
                }
                (Some(OptionValue::Number(x)), kind) if kind.is_whole() && x.fract() == 0.0 => {
                    map.serialize_entry(option.name, &(*x as i64))?;
                }
                (Some(value), _) => map.serialize_entry(option.name, value)?,
                (None, _) => {}
            }
        }
        for (key, value) in self.0.iter().filter(|(key, _)| rows.iter().all(|option| option.name != key.as_str())) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
