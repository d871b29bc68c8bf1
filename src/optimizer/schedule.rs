//! Values that change with the progress of a trial.

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// A number, or a curve over the progress `t` in `[0, 1]`: `1e-3` or `{ schedule = "linear", from = 1e-3, to = 0.0 }`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    Constant(f64),
    /// `from + (to − from) t`
    Linear {
        from: f64,
        to: f64,
    },
    /// `to + (from − to)(1 + cos πt) / 2` (Loshchilov and Hutter 2016, arXiv 1608.03983, without restarts)
    Cosine {
        from: f64,
        to: f64,
    },
}

const NAMES: &[&str] = &["linear", "cosine"];

impl Schedule {
    /// The value at `progress`; beyond the ends, the value at the end.
    pub fn at(self, progress: f64) -> f64 {
        let t = progress.clamp(0.0, 1.0);
        match self {
            Schedule::Constant(value) => value,
            Schedule::Linear { from, to } => from + (to - from) * t,
            Schedule::Cosine { from, to } => to + (from - to) * (1.0 + (std::f64::consts::PI * t).cos()) / 2.0,
        }
    }

    /// Both ends of the curve.
    pub fn ends(self) -> [f64; 2] {
        match self {
            Schedule::Constant(value) => [value; 2],
            Schedule::Linear { from, to } | Schedule::Cosine { from, to } => [from, to],
        }
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, from, to) = match *self {
            Schedule::Constant(value) => return serializer.serialize_f64(value),
            Schedule::Linear { from, to } => ("linear", from, to),
            Schedule::Cosine { from, to } => ("cosine", from, to),
        };
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("schedule", name)?;
        map.serialize_entry("from", &from)?;
        map.serialize_entry("to", &to)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScheduleVisitor)
    }
}

/// Written out rather than derived: an untagged enum would forget where in the file an error is.
struct ScheduleVisitor;

impl<'de> Visitor<'de> for ScheduleVisitor {
    type Value = Schedule;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "a number or {{ schedule = \"linear\" | \"cosine\", from = …, to = … }}")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Schedule, E> {
        Ok(Schedule::Constant(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Schedule, E> {
        Ok(Schedule::Constant(value as f64))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Schedule, A::Error> {
        let (mut name, mut from, mut to) = (None::<String>, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "schedule" => name = Some(map.next_value()?),
                "from" => from = Some(map.next_value()?),
                "to" => to = Some(map.next_value()?),
                other => return Err(de::Error::unknown_field(other, &["schedule", "from", "to"])),
            }
        }
        let name = name.ok_or_else(|| de::Error::missing_field("schedule"))?;
        let from = from.ok_or_else(|| de::Error::missing_field("from"))?;
        let to = to.ok_or_else(|| de::Error::missing_field("to"))?;
        match name.as_str() {
            "linear" => Ok(Schedule::Linear { from, to }),
            "cosine" => Ok(Schedule::Cosine { from, to }),
            other => Err(de::Error::unknown_variant(other, NAMES)),
        }
    }
}
