//! A row of a table with options, as a file writes it.

use super::{Given, OptionValue};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// `"huber"`, or with options `{ huber = { delta = 0.5 } }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub name: String,
    pub options: Given,
}

impl Named {
    /// Without options.
    pub fn plain(name: &str) -> Named {
        Named { name: name.into(), options: Given::new() }
    }

    /// What a column or a curve of it is called: `top_k(k=3)`; the name alone where no options are given.
    pub fn label(&self) -> String {
        if self.options.is_empty() {
            return self.name.clone();
        }
        let option = |(name, value): (&String, &OptionValue)| format!("{name}={value}").replace(", ", " ");
        format!("{}({})", self.name, self.options.iter().map(option).collect::<Vec<_>>().join(" "))
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.options.is_empty() {
            return serializer.serialize_str(&self.name);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.name, &self.options)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamedVisitor)
    }
}

/// Written out rather than derived: an untagged enum would forget where in the file an error is.
struct NamedVisitor;

impl<'de> Visitor<'de> for NamedVisitor {
    type Value = Named;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "a name, or {{ NAME = {{ option = value }} }}")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Named, E> {
        Ok(Named::plain(name))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named, A::Error> {
        let (name, options) = map
            .next_entry()?
            .ok_or_else(|| de::Error::custom("an empty table; write { NAME = { option = value } }"))?;
        match map.next_key::<String>()? {
            None => Ok(Named { name, options }),
            Some(second) => Err(de::Error::custom(format!(
                "one name only: {{ {name} = {{ option = value }} }}, without `{second}`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, Serialize)]
    struct File {
        loss: Named,
    }

    #[test]
    fn a_name_with_options_reads_back_as_it_was_written() {
        for (toml, label) in [
            ("loss = \"mse\"\n", "mse"),
            ("[loss.huber]\ndelta = 0.5\n", "huber(delta=0.5)"),
            ("[loss.cross_entropy]\nweights = [1.0, 2.0]\n", "cross_entropy(weights=[1 2])"),
        ] {
            let file: File = toml::from_str(toml).unwrap();
            assert_eq!((toml::to_string(&file).unwrap().as_str(), file.loss.label().as_str()), (toml, label));
        }
        let error = toml::from_str::<File>("loss = { mse = {}, mae = {} }").unwrap_err().to_string();
        assert!(error.contains("one name only"), "{error}");
    }
}
