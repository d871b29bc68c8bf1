//! Update rules and their options.

use super::OptimizerSettings;
use super::noise::USUAL_DECAY;
use super::option::{DefaultValue, OptionRow, Range, complete, names, number};
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

const MOMENTUM: OptionRow = OptionRow::new("momentum", DefaultValue::Number(0.0), Range::BelowOne, "μ");
const AMSGRAD: OptionRow = OptionRow::new(
    "amsgrad",
    DefaultValue::Flag(false),
    Range::Flag,
    "v̂ from the largest v so far (Reddi et al. 2018, arXiv 1904.09237)",
);
const BETA1: OptionRow = OptionRow::new("beta1", DefaultValue::Number(0.9), Range::BelowOne, "β₁");
const BETA2: OptionRow = OptionRow::new("beta2", DefaultValue::Number(0.999), Range::BelowOne, "β₂");
const EPSILON: OptionRow = OptionRow::new("epsilon", DefaultValue::Number(1e-8), Range::NotNegative, "ε");
const L2: OptionRow = OptionRow::new(
    "l2",
    DefaultValue::Number(0.0),
    Range::NotNegative,
    "coupled weight decay: l2 · w is added to the clipped gradient of weights, never of biases",
);

const fn weight_decay(default: f64) -> OptionRow {
    let meaning = "λ, decoupled weight decay: w ← w − ηλw for weights, never for biases, before the step";
    OptionRow::new("weight_decay", DefaultValue::Number(default), Range::NotNegative, meaning)
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
            OptionRow::new(
                "dampening",
                DefaultValue::Number(0.0),
                Range::Fraction,
                "τ; acts only with momentum, from the second update on",
            ),
            OptionRow::new("nesterov", DefaultValue::Flag(false), Range::Flag, "needs momentum, and no dampening"),
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
            OptionRow::new("alpha", DefaultValue::Number(0.99), Range::BelowOne, "α"),
            EPSILON,
            OptionRow::new(
                "centered",
                DefaultValue::Flag(false),
                Range::Flag,
                "√(v − m²) for √v, m ← αm + (1−α)g (Graves 2013, arXiv 1308.0850)",
            ),
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
            OptionRow::new("learning_rate_decay", DefaultValue::Number(0.0), Range::NotNegative, "δ"),
            OptionRow::new("initial_accumulator", DefaultValue::Number(0.0), Range::NotNegative, "a"),
            OptionRow::new("epsilon", DefaultValue::Number(1e-10), Range::NotNegative, "ε"),
            L2,
        ],
    },
    RuleRow {
        rule: RuleName::Lion,
        name: "lion",
        formula: "w ← w − η(sign(β₁m + (1−β₁)g) + λw);  m ← β₂m + (1−β₂)g",
        summary: "steps of one size by the sign of the momentum (Chen et al. 2023, arXiv 2302.06675)",
        options: &[
            BETA1,
            OptionRow::new("beta2", DefaultValue::Number(0.99), Range::BelowOne, "β₂"),
            weight_decay(0.0),
        ],
    },
];

/// What every rule has, in the order in which it acts on the gradient.
pub const COMMON_OPTIONS: &[OptionRow] = &[
    OptionRow::new(
        "clip_norm",
        DefaultValue::Off,
        Range::Positive,
        "c: the gradient of all parameters together is scaled by min(1, c/(‖g‖ + 1e-6))",
    ),
    OptionRow::new(
        "clip_norm_type",
        DefaultValue::Word("l2"),
        Range::OneOf(&["l2", "max"]),
        "‖g‖ is √Σg² or the largest |g|",
    ),
    OptionRow::new("clip_value", DefaultValue::Off, Range::Positive, "c: then every entry is moved into [−c, c]"),
    OptionRow::new(
        "gradient_noise.scale",
        DefaultValue::Off,
        Range::Positive,
        "η: then noise of variance η/tᵞ is added to every entry (Neelakantan et al. 2015, arXiv 1511.06807)",
    ),
    OptionRow::new("gradient_noise.decay", DefaultValue::Number(USUAL_DECAY), Range::NotNegative, "γ"),
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
    /// Checks the options; the message is the error's, and begins with the key that it is about.
    pub fn new(settings: &OptimizerSettings) -> Result<Rule, String> {
        let row = RULES.iter().find(|row| row.rule == settings.rule).ok_or("a rule without a row in RULES")?;
        let options = options(settings, row)?;
        let real = |name: &str| options.get(name).and_then(number).unwrap_or(0.0);
        let flag = |name: &str| options.get(name).and_then(|value| value.as_bool()).unwrap_or(false);
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
        Ok(Rule { kind, l2: real("l2"), weight_decay: real("weight_decay") })
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

fn sgd(momentum: f64, dampening: f64, nesterov: bool) -> Result<Kind, String> {
    if nesterov && (momentum == 0.0 || dampening != 0.0) {
        return Err("`nesterov` needs a positive `momentum` and no `dampening`".into());
    }
    Ok(Kind::Sgd { momentum, dampening, nesterov })
}

/// Every option under the name of its row, with defaults where nothing is set.
fn options(settings: &OptimizerSettings, row: &RuleRow) -> Result<toml::Table, String> {
    let mut options = toml::Table::new();
    for (key, value) in toml::Table::try_from(settings).map_err(|error| error.to_string())? {
        match value {
            _ if key == "rule" || key == "learning_rate" => {}
            toml::Value::Table(inner) => {
                options.extend(inner.into_iter().map(|(name, v)| (format!("{key}.{name}"), v)))
            }
            value => _ = options.insert(key, value),
        }
    }
    let known = names(row.options);
    let common = names(COMMON_OPTIONS);
    if let Some(name) = options.keys().find(|name| !known.contains(&name.as_str()) && !common.contains(&name.as_str()))
    {
        return Err(format!("`{name}` is not an option of {}; it has {}", row.name, known.join(", ")));
    }
    complete(&mut options, row.options, row.name)?;
    complete(&mut options, COMMON_OPTIONS, row.name)?;
    Ok(options)
}
