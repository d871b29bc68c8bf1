//! Update rules: a file each, with the name, the options, the state and the step; and what they share.

mod adagrad;
mod adam;
mod lion;
mod rmsprop;
mod sgd;

use super::OptimizerSettings;
use super::noise::USUAL_DECAY;
use super::pass::{AnyRule, Rule};
use crate::options::{Given, Interval, OptionKind, OptionRow, Options};
use crate::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Every rule. Defaults are PyTorch's, where it has the rule.
pub const RULES: &[RuleRow] = &[sgd::SGD, adam::ADAM, adam::ADAMW, rmsprop::RMSPROP, adagrad::ADAGRAD, lion::LION];

/// One row of `lossward list optimizers`.
pub struct RuleRow {
    pub name: &'static str,
    /// In the symbols of [`RULE_SYMBOLS`].
    pub formula: &'static str,
    pub summary: &'static str,
    /// What it has beside `learning_rate` and [`COMMON_OPTIONS`].
    pub options: &'static [OptionRow],
    /// The rule with these options, which are in their ranges.
    make: fn(&Options) -> Result<Made>,
}

/// A rule that is ready to step.
pub(super) struct Made {
    /// What each of its three buffers, as long as the parameters, starts with; nothing for those that it does not need.
    pub buffers: [Option<f64>; 3],
    pub rule: Box<dyn AnyRule>,
    /// Coupled: added to the gradient.
    pub l2: f64,
    /// Decoupled: taken from the weights.
    pub weight_decay: f64,
}

impl Made {
    fn new(buffers: [Option<f64>; 3], rule: impl Rule) -> Made {
        Made { buffers, rule: Box::new(rule), l2: 0.0, weight_decay: 0.0 }
    }

    /// # Errors
    /// When an option is out of range or not one of the rule's; the message begins with its key in backticks.
    pub fn of(settings: &OptimizerSettings) -> Result<Made> {
        let row = settings.rule.row();
        let options = options(settings, row)?;
        let if_any = |name: &str| if options.values().contains_key(name) { options.number(name) } else { 0.0 };
        Ok(Made { l2: if_any("l2"), weight_decay: if_any("weight_decay"), ..(row.make)(&options)? })
    }
}

/// The name of a rule in an experiment file, which is one of [`RULES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleName(&'static str);

/// In the order of [`RULES`].
const NAMES: &[&str] = &{
    let mut names = [""; RULES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = RULES[i].name;
        i += 1;
    }
    names
};

impl RuleName {
    fn row(self) -> &'static RuleRow {
        RULES.iter().find(|row| row.name == self.0).expect("a name is taken from RULES")
    }
}

impl Serialize for RuleName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for RuleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = String::deserialize(deserializer)?;
        let known = NAMES.iter().find(|name| **name == given);
        known.map(|name| RuleName(name)).ok_or_else(|| de::Error::unknown_variant(&given, NAMES))
    }
}

const MOMENTUM: OptionRow = OptionRow::number("momentum", 0.0, Interval::BELOW_ONE, "μ");
const AMSGRAD: OptionRow = OptionRow {
    name: "amsgrad",
    meaning: "v̂ from the largest v so far (Reddi et al. 2018, arXiv 1904.09237)",
    kind: OptionKind::Flag { default: false },
};
const BETA1: OptionRow = OptionRow::number("beta1", 0.9, Interval::BELOW_ONE, "β₁");
const BETA2: OptionRow = beta2(0.999);
const EPSILON: OptionRow = epsilon(1e-8);
const L2: OptionRow = OptionRow::number(
    "l2",
    0.0,
    Interval::NOT_NEGATIVE,
    "coupled weight decay: l2 · w is added to the clipped gradient of weights, never of biases",
);

const fn beta2(default: f64) -> OptionRow {
    OptionRow::number("beta2", default, Interval::BELOW_ONE, "β₂")
}

const fn epsilon(default: f64) -> OptionRow {
    OptionRow::number("epsilon", default, Interval::NOT_NEGATIVE, "ε")
}

const fn weight_decay(default: f64) -> OptionRow {
    let meaning = "λ, decoupled weight decay: w ← w − ηλw for weights, never for biases, before the step";
    OptionRow::number("weight_decay", default, Interval::NOT_NEGATIVE, meaning)
}

/// What the letters of the formulas mean that no option stands for.
pub const RULE_SYMBOLS: &str = "w are the weights, g is their gradient (clipped, with noise and l2), η the learning rate; \
    t counts the updates from 1; everything else starts at 0, and is taken entry by entry";

/// What every rule has, in the order in which it acts on the gradient.
pub const COMMON_OPTIONS: &[OptionRow] = &[
    OptionRow {
        name: "clip_norm",
        meaning: "c: the gradient of all parameters together is scaled by min(1, c/(‖g‖ + 1e-6))",
        kind: OptionKind::OptionalNumber(Interval::POSITIVE),
    },
    OptionRow {
        name: "clip_norm_type",
        meaning: "‖g‖ is √Σg² or the largest |g|",
        kind: OptionKind::Choice(&["l2", "max"]),
    },
    OptionRow {
        name: "clip_value",
        meaning: "c: then every entry is moved into [−c, c]",
        kind: OptionKind::OptionalNumber(Interval::POSITIVE),
    },
    OptionRow {
        name: "gradient_noise.scale",
        meaning: "η: then noise of variance η/tᵞ is added to every entry (Neelakantan et al. 2015, arXiv 1511.06807)",
        kind: OptionKind::OptionalNumber(Interval::POSITIVE),
    },
    OptionRow::number("gradient_noise.decay", USUAL_DECAY, Interval::NOT_NEGATIVE, "γ"),
];

/// The options of the row, after a check of all that are set.
fn options(settings: &OptimizerSettings, row: &RuleRow) -> Result<Options> {
    let is_common = |name: &str| COMMON_OPTIONS.iter().any(|option| option.name == name);
    let (common, own) = given(settings)?.into_iter().partition(|(name, _)| is_common(name));
    let checked =
        |rows, given| Options::new(row.name, rows, given).map_err(|error| Error::setting(&error.option.clone(), error));
    checked(COMMON_OPTIONS, &common)?;
    checked(row.options, &own)
}

/// Every option that is set, under the name of its row.
fn given(settings: &OptimizerSettings) -> Result<Given> {
    fn as_error(error: impl ToString) -> Error {
        Error::Argument(error.to_string())
    }
    let mut given = Given::new();
    for (key, value) in toml::Table::try_from(settings).map_err(as_error)? {
        match value {
            _ if key == "rule" || key == "learning_rate" => {}
            toml::Value::Table(inner) => {
                for (name, value) in inner {
                    given.insert(format!("{key}.{name}"), value.try_into().map_err(as_error)?);
                }
            }
            value => _ = given.insert(key, value.try_into().map_err(as_error)?),
        }
    }
    Ok(given)
}
