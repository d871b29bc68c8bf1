//! The loss of an experiment: one row of the table with its options, or a weighted sum of several.

use super::{Loss, PerExample, find};
use crate::options::{Named, Options};
use crate::{Error, Result};
use candle_core::Tensor;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// `"huber"`, `{ huber = { delta = 0.5 } }` or `{ composite = [{ loss = "dice", weight = 0.5 }, …] }`.
#[derive(Clone, Debug, PartialEq)]
pub enum LossSettings {
    One(Named),
    Composite(Vec<WeightedLoss>),
}

/// A term of a composite.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightedLoss {
    pub loss: Named,
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}

/// A loss that is ready to be computed: the sum of its terms.
pub struct Criterion {
    terms: Vec<Term>,
    /// Names of the terms, where they are recorded apart.
    names: Vec<String>,
}

struct Term {
    loss: &'static Loss,
    options: Options,
    weight: f64,
}

impl Criterion {
    /// # Errors
    /// When a loss or an option is unknown or out of range.
    pub fn new(settings: &LossSettings) -> Result<Criterion> {
        let term = |named: &Named, weight: f64| {
            let loss = find(&named.name)?;
            if !(weight > 0.0 && weight.is_finite()) {
                return Err(Error::Argument(format!("`weight` of {} must be positive and finite", loss.name)));
            }
            Ok(Term { loss, options: Options::new(loss.name, loss.options, &named.options)?, weight })
        };
        match settings {
            LossSettings::One(named) => Ok(Criterion { terms: vec![term(named, 1.0)?], names: Vec::new() }),
            LossSettings::Composite(terms) => {
                let names: Vec<String> = terms.iter().map(|term| format!("{}_loss", term.loss.label())).collect();
                if let Some(i) = (0..names.len()).find(|i| names[..*i].contains(&names[*i])) {
                    return Err(Error::Argument(format!("`composite` has {} twice", terms[i].loss.label())));
                }
                if terms.is_empty() {
                    return Err(Error::Argument("`composite` needs at least one { loss = …, weight = … }".into()));
                }
                let terms = terms.iter().map(|given| term(&given.loss, given.weight));
                Ok(Criterion { terms: terms.collect::<Result<_>>()?, names })
            }
        }
    }

    /// The losses that it is made of.
    pub fn losses(&self) -> impl Iterator<Item = &'static Loss> {
        self.terms.iter().map(|term| term.loss)
    }

    /// The options of each of them.
    pub fn options(&self) -> impl Iterator<Item = &Options> {
        self.terms.iter().map(|term| &term.options)
    }

    /// Columns of the terms of a composite.
    pub fn columns(&self) -> &[String] {
        &self.names
    }

    /// The mean loss over a batch, and the weighted terms that it is the sum of, each with its column (none where there is one). `losses` computes
    /// one of them.
    pub fn value(&self, losses: impl Fn(&Loss, &Options) -> Result<PerExample>) -> Result<(Tensor, Vec<(&str, f64)>)> {
        let mut sum: Option<Tensor> = None;
        let mut terms = Vec::with_capacity(self.names.len());
        for (i, Term { loss, options, weight }) in self.terms.iter().enumerate() {
            let losses = losses(loss, options)?;
            // A batch in which no example counts moves nothing.
            let counts = losses.total_weight.is_none_or(|total| total > 0.0);
            let mut value = if counts { losses.mean()? } else { losses.values.sum_all()? };
            if let Some(name) = self.names.get(i) {
                value = (value * *weight)?;
                terms.push((name.as_str(), crate::scalar(&value)?));
            }
            sum = Some(match sum {
                None => value,
                Some(sum) => (sum + value)?,
            });
        }
        let sum = sum.ok_or_else(|| Error::Argument("a loss without terms".into()))?;
        Ok((sum, terms))
    }
}

impl Serialize for LossSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            LossSettings::One(named) => named.serialize(serializer),
            LossSettings::Composite(terms) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("composite", terms)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for LossSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LossVisitor)
    }
}

/// Written out rather than derived: an untagged enum would forget where in the file an error is.
struct LossVisitor;

impl<'de> Visitor<'de> for LossVisitor {
    type Value = LossSettings;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(
            f,
            "the name of a loss, {{ NAME = {{ option = value }} }} or {{ composite = [{{ loss = …, weight = … }}] }}"
        )
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<LossSettings, E> {
        Ok(LossSettings::One(Named::plain(name)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LossSettings, A::Error> {
        let name: String =
            map.next_key()?.ok_or_else(|| de::Error::custom("an empty table where a loss is expected"))?;
        let settings = match name.as_str() {
            "composite" => LossSettings::Composite(map.next_value()?),
            _ => LossSettings::One(Named { options: map.next_value()?, name: name.clone() }),
        };
        match map.next_key::<String>()? {
            None => Ok(settings),
            Some(second) => {
                Err(de::Error::custom(format!("one loss only: `{name}` or `{second}`; several are a composite")))
            }
        }
    }
}
