//! How a file writes an activation: by its name, `"silu"`, or with a number of its own, `{ leaky_relu = 0.2 }`.

use super::{Activation, Slope};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// Each by its name; those that have a number with the usual one.
pub(super) const ROWS: [(&str, Activation); 10] = [
    ("identity", Activation::Identity),
    ("relu", Activation::Relu),
    ("leaky_relu", Activation::LeakyRelu(Slope(0.01))),
    ("elu", Activation::Elu(Slope(1.0))),
    ("tanh", Activation::Tanh),
    ("sigmoid", Activation::Sigmoid),
    ("softplus", Activation::Softplus),
    ("silu", Activation::Silu),
    ("gelu", Activation::Gelu),
    ("gelu_tanh", Activation::GeluTanh),
];

const NAMES: &[&str] = &{
    let mut names = [""; ROWS.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = ROWS[i].0;
        i += 1;
    }
    names
};

impl Activation {
    fn slope(self) -> Option<Slope> {
        match self {
            Activation::LeakyRelu(slope) | Activation::Elu(slope) => Some(slope),
            _ => None,
        }
    }

    /// The same with this number, if it has one.
    fn with_slope(self, slope: Slope) -> Option<Activation> {
        match self {
            Activation::LeakyRelu(_) => Some(Activation::LeakyRelu(slope)),
            Activation::Elu(_) => Some(Activation::Elu(slope)),
            _ => None,
        }
    }
}

impl Serialize for Activation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let same = |row: &&(&str, Activation)| std::mem::discriminant(&row.1) == std::mem::discriminant(self);
        let Some((name, usual)) = ROWS.iter().find(same) else {
            return Err(serde::ser::Error::custom(format!("{self:?} has no name")));
        };
        match self.slope() {
            Some(slope) if usual != self => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(name, &slope.get())?;
                map.end()
            }
            _ => serializer.serialize_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for Activation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ActivationVisitor)
    }
}

fn named<E: Error>(name: &str) -> Result<Activation, E> {
    let row = ROWS.iter().find(|row| row.0 == name);
    row.map(|row| row.1).ok_or_else(|| E::unknown_variant(name, NAMES))
}

/// Written out rather than derived: a derived enum takes a name or a number, not either.
struct ActivationVisitor;

impl<'de> Visitor<'de> for ActivationVisitor {
    type Value = Activation;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names = NAMES.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        write!(f, "one of {names}, or such as {{ leaky_relu = 0.2 }}")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Activation, E> {
        named(name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Activation, A::Error> {
        let Some((name, number)) = map.next_entry::<String, f64>()? else {
            return Err(A::Error::custom("must be a name, or such as { leaky_relu = 0.2 }"));
        };
        if let Some(second) = map.next_key::<String>()? {
            return Err(A::Error::custom(format!("must be one of `{name}` and `{second}`, not both")));
        }
        let usual = named::<A::Error>(&name)?;
        let Some(slope) = Slope::new(number) else {
            return Err(A::Error::custom(format!("must have a finite number for `{name}`, at least 0, not {number}")));
        };
        usual.with_slope(slope).ok_or_else(|| {
            A::Error::custom(format!("must be \"{name}\" alone: it has no number, as `leaky_relu` and `elu` do"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    struct File {
        activation: Activation,
    }

    #[test]
    fn an_activation_reads_back_as_it_was_written() {
        for (name, activation) in ROWS {
            let text = format!("activation = \"{name}\"\n");
            let file: File = toml::from_str(&text).unwrap();
            assert_eq!((file.activation, toml::to_string(&file).unwrap()), (activation, text));
        }
        let steep = File { activation: Activation::LeakyRelu(Slope(0.2)) };
        let text = toml::to_string(&steep).unwrap();
        assert_eq!(text, "[activation]\nleaky_relu = 0.2\n");
        assert_eq!(toml::from_str::<File>(&text).unwrap(), steep);
        let usual: File = toml::from_str("activation = { elu = 1 }").unwrap();
        assert_eq!(toml::to_string(&usual).unwrap(), "activation = \"elu\"\n");
        let json = serde_json::to_string(&steep).unwrap();
        assert_eq!(serde_json::from_str::<File>(&json).unwrap(), steep);
    }

    #[test]
    fn what_is_no_activation_is_told() {
        for (text, message) in [
            ("\"rellu\"", "unknown variant `rellu`, expected one of `identity`, `relu`"),
            ("3", "expected one of \"identity\", \"relu\""),
            ("{}", "must be a name, or such as { leaky_relu = 0.2 }"),
            ("{ relu = 1.0 }", "must be \"relu\" alone"),
            ("{ leaky_relu = -0.1 }", "at least 0, not -0.1"),
            ("{ elu = nan }", "not NaN"),
            ("{ elu = \"x\" }", "expected f64"),
            ("{ elu = 0.5, leaky_relu = 0.5 }", "`elu` and `leaky_relu`, not both"),
        ] {
            let error = toml::from_str::<File>(&format!("activation = {text}")).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
