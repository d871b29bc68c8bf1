//! Update rules and their options.

use super::OptimizerSettings;
use super::noise::USUAL_DECAY;
use crate::options::{Given, Interval, OptionKind, OptionRow, Options};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The name of a rule in an experiment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleName {
    Sgd,
    Adam,
    AdamW,
    RmsProp,
    Adagrad,
    Lion,
}

/// One row of `lossward list optimizers`.
pub struct RuleRow {
    pub rule: RuleName,
    pub name: &'static str,
    /// In the symbols of [`RULE_SYMBOLS`].
    pub formula: &'static str,
    pub summary: &'static str,
    /// What it has beside `learning_rate` and [`COMMON_OPTIONS`].
    pub options: &'static [OptionRow],
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

/// Every rule. Defaults are PyTorch's, where it has the rule.
pub const RULES: &[RuleRow] = &[
    RuleRow {
        rule: RuleName::Sgd,
        name: "sgd",
        formula: "v ← μv + (1−τ)g, v₁ = g;  w ← w − ηv  (Nesterov: w ← w − η(g + μv))",
        summary: "stochastic gradient descent, with momentum (Sutskever et al. 2013)",
        options: &[
            MOMENTUM,
            OptionRow::number(
                "dampening",
                0.0,
                Interval::UNIT,
                "τ, acts only with momentum, from the second update on",
            ),
            OptionRow {
                name: "nesterov",
                meaning: "needs momentum, and no dampening",
                kind: OptionKind::Flag { default: false },
            },
            L2,
            weight_decay(0.0),
        ],
    },
    RuleRow {
        rule: RuleName::Adam,
        name: "adam",
        formula: "m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  w ← w − η m̂/(√v̂ + ε),  m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ)",
        summary: "adaptive moments (Kingma and Ba 2014, arXiv 1412.6980)",
        options: &[BETA1, BETA2, EPSILON, AMSGRAD, L2],
    },
    RuleRow {
        rule: RuleName::AdamW,
        name: "adamw",
        formula: "w ← w − ηλw, then Adam",
        summary: "Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv 1711.05101)",
        options: &[BETA1, BETA2, EPSILON, AMSGRAD, weight_decay(0.01)],
    },
    RuleRow {
        rule: RuleName::RmsProp,
        name: "rmsprop",
        formula: "v ← αv + (1−α)g²;  b ← μb + g/(√v + ε);  w ← w − ηb",
        summary: "a running root mean square (Hinton 2012, lecture 6e)",
        options: &[
            OptionRow::number("alpha", 0.99, Interval::BELOW_ONE, "α"),
            EPSILON,
            OptionRow {
                name: "centered",
                meaning: "√(v − m²) for √v, m ← αm + (1−α)g (Graves 2013, arXiv 1308.0850)",
                kind: OptionKind::Flag { default: false },
            },
            MOMENTUM,
            L2,
        ],
    },
    RuleRow {
        rule: RuleName::Adagrad,
        name: "adagrad",
        formula: "s ← s + g², s₀ = a;  w ← w − η/(1 + (t−1)δ) · g/(√s + ε)",
        summary: "rates that shrink with the sum of squares (Duchi et al. 2011)",
        options: &[
            OptionRow::number("learning_rate_decay", 0.0, Interval::NOT_NEGATIVE, "δ"),
            OptionRow::number("initial_accumulator", 0.0, Interval::NOT_NEGATIVE, "a"),
            epsilon(1e-10),
            L2,
        ],
    },
    RuleRow {
        rule: RuleName::Lion,
        name: "lion",
        formula: "w ← w − η(sign(β₁m + (1−β₁)g) + λw);  m ← β₂m + (1−β₂)g",
        summary: "steps of one size by the sign of the momentum (Chen et al. 2023, arXiv 2302.06675)",
        options: &[BETA1, beta2(0.99), weight_decay(0.0)],
    },
];

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

/// A rule with its options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rule {
    pub kind: Kind,
    /// Coupled: added to the gradient.
    pub l2: f64,
    /// Decoupled: taken from the weights.
    pub weight_decay: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Sgd { momentum: f64, dampening: f64, nesterov: bool },
    Adam { beta1: f64, beta2: f64, epsilon: f64, amsgrad: bool },
    RmsProp { alpha: f64, epsilon: f64, centered: bool, momentum: f64 },
    Adagrad { learning_rate_decay: f64, initial_accumulator: f64, epsilon: f64 },
    Lion { beta1: f64, beta2: f64 },
}

impl Rule {
    /// # Errors
    /// When an option is out of range or not one of the rule's; the message begins with its key in backticks.
    pub fn new(settings: &OptimizerSettings) -> Result<Rule> {
        let row = RULES.iter().find(|row| row.rule == settings.rule).expect("every rule has a row in RULES");
        let options = options(settings, row)?;
        let real = |name: &str| options.number(name);
        let real_if_any = |name: &str| if options.values().contains_key(name) { real(name) } else { 0.0 };
        let flag = |name: &str| options.flag(name);
        let kind = match settings.rule {
            RuleName::Sgd => sgd(real("momentum"), real("dampening"), flag("nesterov"))?,
            RuleName::Adam | RuleName::AdamW => Kind::Adam {
                beta1: real("beta1"),
                beta2: real("beta2"),
                epsilon: real("epsilon"),
                amsgrad: flag("amsgrad"),
            },
            RuleName::RmsProp => Kind::RmsProp {
                alpha: real("alpha"),
                epsilon: real("epsilon"),
                centered: flag("centered"),
                momentum: real("momentum"),
            },
            RuleName::Adagrad => Kind::Adagrad {
                learning_rate_decay: real("learning_rate_decay"),
                initial_accumulator: real("initial_accumulator"),
                epsilon: real("epsilon"),
            },
            RuleName::Lion => Kind::Lion { beta1: real("beta1"), beta2: real("beta2") },
        };
        Ok(Rule { kind, l2: real_if_any("l2"), weight_decay: real_if_any("weight_decay") })
    }

    /// What each of its three buffers, as long as the parameters, starts with; nothing for those that it does not need.
    pub fn buffers(&self) -> [Option<f64>; 3] {
        let zero_if = |needed: bool| needed.then_some(0.0);
        match self.kind {
            Kind::Sgd { momentum, .. } => [zero_if(momentum > 0.0), None, None],
            Kind::Adam { amsgrad, .. } => [Some(0.0), Some(0.0), zero_if(amsgrad)],
            Kind::RmsProp { centered, momentum, .. } => [Some(0.0), zero_if(centered), zero_if(momentum > 0.0)],
            Kind::Adagrad { initial_accumulator, .. } => [Some(initial_accumulator), None, None],
            Kind::Lion { .. } => [Some(0.0), None, None],
        }
    }
}

fn sgd(momentum: f64, dampening: f64, nesterov: bool) -> Result<Kind> {
    if nesterov && (momentum == 0.0 || dampening != 0.0) {
        return Err(Error::Argument("`nesterov` needs a positive `momentum` and no `dampening`".into()));
    }
    Ok(Kind::Sgd { momentum, dampening, nesterov })
}

/// The options of the row, after a check of all that are set.
fn options(settings: &OptimizerSettings, row: &RuleRow) -> Result<Options> {
    let is_common = |name: &str| COMMON_OPTIONS.iter().any(|option| option.name == name);
    let (common, own) = given(settings)?.into_iter().partition(|(name, _)| is_common(name));
    let options = Options::new(row.name, row.options, &own)?;
    Options::new(row.name, COMMON_OPTIONS, &common)?;
    Ok(options)
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
