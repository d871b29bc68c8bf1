//! The `[microscope]` table.

use crate::objective::ComparedBaseline;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// When gradients are looked at, and which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MicroscopeSettings {
    /// Examples between two looks; a tenth of the budget when absent. It looks before the first update and after the last one, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// Other arms, whose objectives are asked for their gradients at the same weights and examples.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<String>,
    /// Sampled actions of each example behind one estimate: a series of estimates for each of them.
    pub samples: Vec<u64>,
    /// Independent estimates that a variance is taken over.
    pub repeats: u64,
    /// Training examples of one look, the same for all objectives.
    pub contexts: u64,
    /// Whose noise is compared at the same samples; `true` is all of them.
    #[serde(deserialize_with = "baselines", skip_serializing_if = "Vec::is_empty")]
    pub baselines: Vec<ComparedBaseline>,
}

/// So few that a look at a network of digits costs little beside 10,000 examples of its training.
impl Default for MicroscopeSettings {
    fn default() -> Self {
        MicroscopeSettings {
            every: None,
            against: Vec::new(),
            samples: vec![1, 8, 64],
            repeats: 4,
            contexts: 32,
            baselines: Vec::new(),
        }
    }
}

impl MicroscopeSettings {
    /// Examples between two looks, with a budget of so many.
    pub fn every(&self, budget: u64) -> u64 {
        self.every.unwrap_or((budget / 10).max(1))
    }
}

fn baselines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ComparedBaseline>, D::Error> {
    struct Baselines;

    impl<'de> Visitor<'de> for Baselines {
        type Value = Vec<ComparedBaseline>;

        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            write!(f, "true, false or a list of {}", ComparedBaseline::ALL.map(ComparedBaseline::name).join(", "))
        }

        fn visit_bool<E: Error>(self, all: bool) -> Result<Self::Value, E> {
            Ok(if all { ComparedBaseline::ALL.to_vec() } else { Vec::new() })
        }

        fn visit_str<E: Error>(self, one: &str) -> Result<Self::Value, E> {
            ComparedBaseline::deserialize(one.into_deserializer()).map(|one| vec![one])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(SeqAccessDeserializer::new(list))
        }
    }

    deserializer.deserialize_any(Baselines)
}
