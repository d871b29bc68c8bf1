//! Which seeds an experiment has.

use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};
use std::ops::Range;

/// `10`, the seeds from 0 to 9, or `{ from = 10, count = 10 }`, those from 10 to 19.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    pub from: u64,
    pub count: u64,
}

impl Seeds {
    pub fn range(self) -> Range<u64> {
        self.from..self.from.saturating_add(self.count)
    }

    /// Whether all of these are among them.
    pub fn hold(self, others: Seeds) -> bool {
        self.from <= others.from && others.range().end <= self.range().end
    }
}

/// `10 seeds`, `the seeds 10 to 19`
impl std::fmt::Display for Seeds {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.from {
            0 => write!(f, "{} seeds", self.count),
            from => write!(f, "the seeds {from} to {}", self.range().end.saturating_sub(1)),
        }
    }
}

impl Serialize for Seeds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.from == 0 {
            return serializer.serialize_u64(self.count);
        }
        let mut table = serializer.serialize_struct("Seeds", 2)?;
        table.serialize_field("from", &self.from)?;
        table.serialize_field("count", &self.count)?;
        table.end()
    }
}

impl<'de> Deserialize<'de> for Seeds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(SeedsVisitor)
    }
}

struct SeedsVisitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    from: u64,
    count: u64,
}

impl<'de> Visitor<'de> for SeedsVisitor {
    type Value = Seeds;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "a whole number of seeds, such as 10, or {{ from = 10, count = 10 }}")
    }

    fn visit_u64<E: de::Error>(self, count: u64) -> Result<Seeds, E> {
        Ok(Seeds { from: 0, count })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Seeds, A::Error> {
        let Table { from, count } = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Seeds { from, count })
    }
}
