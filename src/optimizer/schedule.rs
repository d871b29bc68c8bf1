//! Values that change with the progress of a trial.

use crate::options::{Given, Interval, OptionKind, OptionRow, OptionValue, Options};
use crate::{Error, Result};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

/// A number, or a curve over the progress `t` in `[0, 1]`, the share of the budget that is used up: `1e-3` or
/// `{ schedule = "linear", from = 1e-3, to = 0.0 }`. Lengths are shares of the budget; [`SCHEDULES`] has the formulas.
// `remote` leaves the two traits to be written below: a constant is a bare number.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(remote = "Self", tag = "schedule", rename_all = "snake_case")]
pub enum Schedule {
    #[serde(skip)]
    Constant(f64),
    Linear {
        from: f64,
        to: f64,
        #[serde(skip_serializing_if = "is_all")]
        until: f64,
    },
    Cosine {
        from: f64,
        to: f64,
        #[serde(skip_serializing_if = "is_all")]
        until: f64,
    },
    Polynomial {
        from: f64,
        to: f64,
        power: f64,
        #[serde(skip_serializing_if = "is_all")]
        until: f64,
    },
    Exponential {
        from: f64,
        to: f64,
        #[serde(skip_serializing_if = "is_all")]
        until: f64,
    },
    Step {
        from: f64,
        factor: f64,
        every: f64,
    },
    Multistep {
        from: f64,
        factor: f64,
        at: Vec<f64>,
    },
    CosineRestarts {
        from: f64,
        to: f64,
        period: f64,
        growth: f64,
    },
    WarmupCosine {
        from: f64,
        peak: f64,
        to: f64,
        warmup: f64,
        #[serde(skip_serializing_if = "is_all")]
        until: f64,
    },
    OneCycle {
        from: f64,
        peak: f64,
        to: f64,
        warmup: f64,
        shape: Easing,
        three_phase: bool,
        #[serde(skip_serializing_if = "is_all")]
        until: f64,
    },
    Plateau {
        from: f64,
        factor: f64,
        patience: u64,
        threshold: f64,
        to: f64,
    },
}

/// How a value goes from one end to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Easing {
    Linear,
    Cosine,
}

/// One row of `lossward list schedules`.
pub struct ScheduleRow {
    pub name: &'static str,
    /// In the symbols of [`SCHEDULE_SYMBOLS`].
    pub formula: &'static str,
    pub summary: &'static str,
    pub options: &'static [OptionRow],
}

const fn required(name: &'static str, range: Interval, meaning: &'static str) -> OptionRow {
    OptionRow { name, meaning, kind: OptionKind::RequiredNumber(range) }
}

const FROM: OptionRow = required("from", Interval::NOT_NEGATIVE, "the value at the beginning");
const TO: OptionRow = required("to", Interval::NOT_NEGATIVE, "the value at the end");
const PEAK: OptionRow = required("peak", Interval::NOT_NEGATIVE, "the value after the warm-up");
const UNTIL: OptionRow =
    OptionRow::number("until", 1.0, Interval::SHARE, "where `to` is reached; it stays from there on");
const FACTOR: OptionRow = required("factor", Interval::POSITIVE, "what the value is multiplied by");

/// What the letters of the formulas mean that no option stands for.
pub const SCHEDULE_SYMBOLS: &str = "t is the share of the budget that is used up, s = min(1, t/until), \
    and ⟨a, b, s⟩ = b + (a − b)(1 + cos πs)/2 is half a cosine from a to b";

/// Every curve. An experiment file is checked against this table, which also has the defaults.
pub const SCHEDULES: &[ScheduleRow] = &[
    ScheduleRow {
        name: "linear",
        formula: "from + (to − from) s",
        summary: "a straight line, down or (a warm-up) up",
        options: &[FROM, TO, UNTIL],
    },
    ScheduleRow {
        name: "cosine",
        formula: "⟨from, to, s⟩",
        summary: "cosine annealing without restarts (Loshchilov and Hutter 2016, arXiv 1608.03983)",
        options: &[FROM, TO, UNTIL],
    },
    ScheduleRow {
        name: "polynomial",
        formula: "to + (from − to)(1 − s)^power",
        summary: "a polynomial that flattens towards its end",
        options: &[FROM, TO, OptionRow::number("power", 1.0, Interval::POSITIVE, "1 is a straight line"), UNTIL],
    },
    ScheduleRow {
        name: "exponential",
        formula: "from (to/from)^s",
        summary: "the same factor for every share of the budget",
        options: &[
            required("from", Interval::POSITIVE, "the value at the beginning"),
            required("to", Interval::POSITIVE, "the value at the end"),
            UNTIL,
        ],
    },
    ScheduleRow {
        name: "step",
        formula: "from · factor^⌊t/every⌋",
        summary: "one factor after every share",
        options: &[FROM, FACTOR, required("every", Interval::SHARE, "the share between two steps")],
    },
    ScheduleRow {
        name: "multistep",
        formula: "from · factor^#{a ∈ at: a ≤ t}",
        summary: "one factor at each of the given shares",
        options: &[FROM, FACTOR, OptionRow { name: "at", meaning: "where the steps are", kind: OptionKind::Shares }],
    },
    ScheduleRow {
        name: "cosine_restarts",
        formula: "⟨from, to, u⟩, u the share of the current period",
        summary: "SGDR: cosine annealing that starts again (Loshchilov and Hutter 2016, arXiv 1608.03983)",
        options: &[
            FROM,
            required("to", Interval::NOT_NEGATIVE, "the value at the end of each period"),
            required("period", Interval::SHARE, "the length of the first period"),
            OptionRow::number(
                "growth",
                1.0,
                Interval::AT_LEAST_ONE,
                "every period is so many times as long as the one before",
            ),
        ],
    },
    ScheduleRow {
        name: "warmup_cosine",
        formula: "from + (peak − from) t/warmup until warmup, then ⟨peak, to, (t − warmup)/(until − warmup)⟩",
        summary: "linear warm-up, then cosine annealing (Goyal et al. 2017, arXiv 1706.02677)",
        options: &[
            OptionRow::number("from", 0.0, Interval::NOT_NEGATIVE, "the value at the beginning"),
            PEAK,
            OptionRow::number("to", 0.0, Interval::NOT_NEGATIVE, "the value at the end"),
            required("warmup", Interval::BELOW_ONE, "where the peak is reached; below `until`"),
            UNTIL,
        ],
    },
    ScheduleRow {
        name: "one_cycle",
        formula: "from, peak at warmup, to at until; with three phases from, peak at warmup, from at 2 warmup, to at until",
        summary: "up and further down (Smith and Topin 2017, arXiv 1708.07120)",
        options: &[
            FROM,
            PEAK,
            TO,
            OptionRow::number("warmup", 0.3, Interval::BELOW_ONE, "where the peak is reached"),
            OptionRow {
                name: "shape",
                meaning: "of the way between two of these points",
                kind: OptionKind::Choice(&["cosine", "linear"]),
            },
            OptionRow {
                name: "three_phase",
                meaning: "as far down as up, then to the end",
                kind: OptionKind::Flag { default: false },
            },
            UNTIL,
        ],
    },
    ScheduleRow {
        name: "plateau",
        formula: "rate ← max(to, factor · rate) after more than `patience` evaluations without improvement",
        summary: "follows the column that decides the best weights, not the progress; for learning rates only",
        options: &[
            FROM,
            OptionRow::number("factor", 0.1, Interval::INSIDE_UNIT, "what the rate is multiplied by"),
            OptionRow {
                name: "patience",
                meaning: "evaluations that are waited for",
                kind: OptionKind::Whole { default: Some(10), at_least: 0 },
            },
            OptionRow::number(
                "threshold",
                1e-4,
                Interval::NOT_NEGATIVE,
                "an improvement is larger than this share of the best value",
            ),
            OptionRow::number("to", 0.0, Interval::NOT_NEGATIVE, "the rate never falls below this"),
        ],
    },
];

/// Shares are rounded: a step at 3/60 must not come after update 3 of 60.
const HAIR: f64 = 1e-9;

impl Schedule {
    /// The value at `progress`; beyond the ends, the value at the end. [`Schedule::Plateau`], which is no function of the
    /// progress, is at its beginning.
    pub fn at(&self, progress: f64) -> f64 {
        let t = progress.clamp(0.0, 1.0);
        match *self {
            Schedule::Constant(value) | Schedule::Plateau { from: value, .. } => value,
            Schedule::Linear { from, to, until } => Easing::Linear.between(from, to, share(t, until)),
            Schedule::Cosine { from, to, until } => Easing::Cosine.between(from, to, share(t, until)),
            Schedule::Polynomial { from, to, power, until } => to + (from - to) * (1.0 - share(t, until)).powf(power),
            Schedule::Exponential { from, to, until } => from * (to / from).powf(share(t, until)),
            Schedule::Step { from, factor, every } => from * factor.powf(whole(t / every)),
            Schedule::Multistep { from, factor, ref at } => {
                from * factor.powf(at.iter().filter(|&&at| whole(t / at) >= 1.0).count() as f64)
            }
            Schedule::CosineRestarts { from, to, period, growth } => {
                Easing::Cosine.between(from, to, share_of_period(t / period, growth))
            }
            Schedule::WarmupCosine { from, peak, warmup, .. } if t < warmup => {
                Easing::Linear.between(from, peak, t / warmup)
            }
            Schedule::WarmupCosine { peak, to, warmup, until, .. } => {
                Easing::Cosine.between(peak, to, share(t - warmup, until - warmup))
            }
            Schedule::OneCycle { from, peak, to, warmup, shape, three_phase, until } => match three_phase {
                _ if t < warmup => shape.between(from, peak, t / warmup),
                true if t < 2.0 * warmup => shape.between(peak, from, t / warmup - 1.0),
                true => shape.between(from, to, share(t - 2.0 * warmup, until - 2.0 * warmup)),
                false => shape.between(peak, to, share(t - warmup, until - warmup)),
            },
        }
    }

    /// Bounds of its values, the smallest and the largest.
    pub fn bounds(&self) -> [f64; 2] {
        let values = match *self {
            Schedule::Constant(value) => [value; 3],
            Schedule::Linear { from, to, .. }
            | Schedule::Cosine { from, to, .. }
            | Schedule::Polynomial { from, to, .. }
            | Schedule::Exponential { from, to, .. }
            | Schedule::CosineRestarts { from, to, .. }
            | Schedule::Plateau { from, to, .. } => [from, from, to],
            Schedule::Step { from, .. } | Schedule::Multistep { from, .. } => [from, from, self.at(1.0)],
            Schedule::WarmupCosine { from, peak, to, .. } | Schedule::OneCycle { from, peak, to, .. } => {
                [from, peak, to]
            }
        };
        [values.into_iter().fold(f64::NAN, f64::min), values.into_iter().fold(f64::NAN, f64::max)]
    }

    /// What no single option can tell.
    fn check(&self) -> Result<()> {
        let holds = match *self {
            Schedule::WarmupCosine { warmup, until, .. } => (warmup < until, "`warmup` must end before `until`"),
            Schedule::OneCycle { warmup, three_phase: true, until, .. } => {
                (2.0 * warmup < until, "two times `warmup`, for three phases, must end before `until`")
            }
            Schedule::OneCycle { warmup, until, .. } => (warmup < until, "`warmup` must end before `until`"),
            Schedule::Plateau { from, to, .. } => (to <= from, "`to` of a plateau must not be above `from`"),
            _ => return Ok(()),
        };
        if holds.0 { Ok(()) } else { Err(Error::Argument(holds.1.into())) }
    }
}

impl Easing {
    /// From `a` at share 0 to `b` at share 1.
    fn between(self, a: f64, b: f64, share: f64) -> f64 {
        match self {
            Easing::Linear => a + (b - a) * share,
            Easing::Cosine => b + (a - b) * (1.0 + (std::f64::consts::PI * share).cos()) / 2.0,
        }
    }
}

/// `min(1, t/until)`
fn share(t: f64, until: f64) -> f64 {
    let share = t / until;
    if whole(share) >= 1.0 { 1.0 } else { share }
}

/// `⌊x⌋`, of a hair more than `x`.
fn whole(x: f64) -> f64 {
    (x * (1.0 + HAIR)).floor()
}

/// The share of the period around `x`, in lengths of the first period; each is `growth` times as long as the one before.
fn share_of_period(x: f64, growth: f64) -> f64 {
    if growth == 1.0 {
        return (x - whole(x)).max(0.0);
    }
    // The first n periods take (growthⁿ − 1)/(growth − 1).
    let length = growth.powf(whole((1.0 + x * (growth - 1.0)).ln() / growth.ln()));
    ((x - (length - 1.0) / (growth - 1.0)) / length).max(0.0)
}

/// A curve over the whole budget is written without its `until`.
fn is_all(until: &f64) -> bool {
    *until == 1.0
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Schedule::Constant(value) => serializer.serialize_f64(*value),
            curve => Schedule::serialize(curve, serializer),
        }
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
        write!(f, "a number or a schedule such as {{ schedule = \"linear\", from = 1e-3, to = 0.0 }}")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Schedule, E> {
        Ok(Schedule::Constant(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Schedule, E> {
        Ok(Schedule::Constant(value as f64))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Schedule, A::Error> {
        let given = Given::deserialize(de::value::MapAccessDeserializer::new(map))?;
        from_table(given).map_err(de::Error::custom)
    }
}

/// Checks a table against its row, and fills in what it leaves out.
fn from_table(mut given: Given) -> Result<Schedule> {
    let all: Vec<&str> = SCHEDULES.iter().map(|row| row.name).collect();
    let named = given.remove("schedule").map(|named| named.to_string());
    let named = named.ok_or_else(|| Error::Argument(format!("a table here needs `schedule`: {}", all.join(", "))))?;
    let row = SCHEDULES.iter().find(|row| row.name == named);
    let row = row.ok_or_else(|| Error::Argument(crate::error::unknown("schedule", &named, &all)))?;
    let options = Options::new(&format!("the schedule {}", row.name), row.options, &given)?;
    let mut values = options.values().clone();
    values.insert("schedule".into(), OptionValue::Text(named));
    let table = toml::Table::try_from(values).map_err(|error| Error::Argument(error.to_string()))?;
    let schedule = Schedule::deserialize(table).map_err(|error| Error::Argument(error.to_string()))?;
    schedule.check()?;
    Ok(schedule)
}
