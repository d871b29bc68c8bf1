//! The table of objectives that move the logits along `e_y − π`.

use super::{Company, factors};
use crate::objective::{Baseline, Draws, PolicyGradientSettings};
use crate::options::Interval;

/// An objective of class labels, or of rewards of 1 for the right class and 0 for the others.
pub struct CardRow {
    /// As an experiment file calls it, or what differs from what a file calls so.
    pub name: &'static str,
    /// A shorter name for the command line.
    pub short: Option<&'static str>,
    pub parameter: Option<CardParameter>,
    /// `β` in terms of p, of the number of classes n and of the parameter.
    pub formula: &'static str,
    /// What it is a card of.
    pub meaning: &'static str,
    /// Whether the update lies along `e_y − π` whatever the other classes are; if not, where they are equally likely.
    pub in_any_company: bool,
    pub(super) beta: fn(Company, Option<f64>) -> f64,
    pub measured: Measured,
}

/// The number that a row may be told.
pub struct CardParameter {
    pub symbol: &'static str,
    /// Nothing where the row is a limit without it.
    pub default: Option<f64>,
    pub interval: Interval,
    pub whole: bool,
}

/// What the weight is read off.
pub enum Measured {
    /// The gradient of a loss, the parameter being this option.
    Loss { loss: &'static str, option: Option<&'static str> },
    /// The expected update of a preset of the policy gradient, changed so by the parameter.
    Rewards {
        preset: &'static str,
        change: fn(&mut PolicyGradientSettings, Option<f64>),
        draws: fn(Option<f64>) -> Draws,
    },
}

impl CardParameter {
    pub fn takes(&self, value: f64) -> bool {
        self.interval.contains(value) && (!self.whole || value.fract() == 0.0)
    }

    /// `a number in [0, 1]`
    pub fn range(&self) -> String {
        format!("a {}number {}", if self.whole { "whole " } else { "" }, self.interval)
    }
}

/// A group of so many draws is in proportion to every probability that a card shows.
const PROPORTIONAL: usize = 100;

const fn number(symbol: &'static str, default: f64, interval: Interval) -> Option<CardParameter> {
    Some(CardParameter { symbol, default: Some(default), interval, whole: false })
}

/// The size of a group.
const fn group(default: Option<f64>) -> Option<CardParameter> {
    let interval = Interval { low: 2.0, high: 256.0, closed: (true, true) };
    Some(CardParameter { symbol: "K", default, interval, whole: true })
}

const TEMPERATURE: Option<CardParameter> = number("η", 1.0, Interval::POSITIVE);

/// What rows of losses have in common.
const OF_LABELS: CardRow = CardRow {
    name: "",
    short: None,
    parameter: None,
    formula: "p",
    meaning: "",
    in_any_company: true,
    beta: |company, _| company.p,
    measured: Measured::Loss { loss: "cross_entropy", option: None },
};

const fn loss(loss: &'static str, option: &'static str) -> Measured {
    Measured::Loss { loss, option: Some(option) }
}

/// A preset as it is.
const fn preset(preset: &'static str) -> Measured {
    Measured::Rewards { preset, change: |_, _| (), draws: |_| Draws::Sampled }
}

/// What a parameter says, where it is there.
fn given(parameter: Option<f64>) -> f64 {
    parameter.unwrap_or(f64::NAN)
}

fn size(parameter: Option<f64>) -> Option<usize> {
    parameter.map(|size| size as usize)
}

/// Every objective that has a card.
pub const ROWS: &[CardRow] = &[
    CardRow {
        name: "cross_entropy",
        short: Some("ce"),
        formula: "1",
        meaning: "the loss of a label",
        beta: |_, _| 1.0,
        ..OF_LABELS
    },
    CardRow {
        name: "label_smoothing",
        short: Some("smoothing"),
        parameter: number("ε", 0.1, Interval::UNIT),
        formula: "(q − p)/(1 − p), q = 1 − ε + ε/n",
        meaning: "cross_entropy with `label_smoothing`",
        in_any_company: false,
        beta: |company, epsilon| {
            let rest = given(epsilon) * (1.0 - 1.0 / company.classes as f64);
            factors::soft_label(1.0 - rest, company)
        },
        measured: loss("cross_entropy", "label_smoothing"),
    },
    CardRow {
        name: "raml",
        parameter: number("τ", 0.2, Interval::POSITIVE),
        formula: "(q − p)/(1 − p), q = 1/(1 + (n − 1) e^(−1/τ))",
        meaning: "the loss of the exponentiated payoff",
        in_any_company: false,
        beta: |company, temperature| {
            let others = (company.classes - 1) as f64 * (-1.0 / given(temperature)).exp();
            factors::soft_label(1.0 / (1.0 + others), company)
        },
        measured: loss("raml", "temperature"),
        ..OF_LABELS
    },
    CardRow {
        name: "categorical_focal",
        short: Some("focal"),
        parameter: number("γ", 2.0, Interval::NOT_NEGATIVE),
        formula: "(1 − p)^γ (1 − γ p ln p/(1 − p))",
        meaning: "the loss that turns away from what is right already",
        beta: |company, gamma| factors::focal(given(gamma), company.p),
        measured: loss("categorical_focal", "gamma"),
        ..OF_LABELS
    },
    CardRow {
        name: "generalized_cross_entropy",
        short: Some("gce"),
        parameter: number("q", 0.7, Interval::UNIT),
        formula: "p^q",
        meaning: "the loss between a label (q = 0) and a reward (q = 1)",
        beta: |company, q| company.p.powf(given(q)),
        measured: loss("generalized_cross_entropy", "q"),
        ..OF_LABELS
    },
    CardRow {
        name: "mse",
        formula: "2 p (1 − p)/(n − 1)",
        meaning: "the squared error of probabilities",
        in_any_company: false,
        beta: |company, _| 2.0 * company.p * company.other(),
        measured: Measured::Loss { loss: "mse", option: None },
        ..OF_LABELS
    },
    CardRow {
        name: "mae",
        formula: "2 p/n",
        meaning: "the absolute error of probabilities",
        beta: |company, _| 2.0 * company.p / company.classes as f64,
        measured: Measured::Loss { loss: "mae", option: None },
        ..OF_LABELS
    },
    CardRow {
        name: "dft",
        meaning: "the loss of a label times its held probability",
        measured: Measured::Loss { loss: "dft", option: None },
        ..OF_LABELS
    },
    CardRow {
        name: "expected_reward",
        meaning: "the exact policy gradient",
        measured: Measured::Loss { loss: "expected_reward", option: None },
        ..OF_LABELS
    },
    CardRow {
        name: "reinforce",
        short: Some("pg"),
        meaning: "the preset; any baseline that no action changes",
        measured: preset("reinforce"),
        ..OF_LABELS
    },
    CardRow { name: "a2c", meaning: "the preset, where the critic is right", measured: preset("a2c"), ..OF_LABELS },
    CardRow {
        name: "ppo",
        meaning: "the preset's first update, before advantages are normalized",
        measured: preset("ppo"),
        ..OF_LABELS
    },
    CardRow {
        name: "rloo",
        parameter: group(Some(8.0)),
        meaning: "the preset, groups of K",
        measured: Measured::Rewards {
            preset: "rloo",
            change: |settings, parameter| settings.group_size = size(parameter),
            draws: |_| Draws::Sampled,
        },
        ..OF_LABELS
    },
    CardRow {
        name: "otr",
        parameter: group(Some(8.0)),
        meaning: "the preset, K draws for a label",
        measured: Measured::Rewards {
            preset: "otr",
            change: |settings, parameter| settings.group_size = size(parameter),
            draws: |_| Draws::Sampled,
        },
        ..OF_LABELS
    },
    CardRow {
        name: "grpo",
        parameter: group(None),
        formula: "√(p/(1 − p)); of K: E[√(m (K − m))]/(K (1 − p)), m binomial",
        meaning: "the preset's first update, large groups or groups of K",
        beta: |company, size| match size {
            Some(size) => factors::grpo_of_groups(size, company.p),
            None => (company.p / (1.0 - company.p)).sqrt(),
        },
        measured: Measured::Rewards {
            preset: "grpo",
            change: |settings, parameter| settings.group_size = size(parameter),
            draws: |parameter| parameter.map_or(Draws::Proportional(PROPORTIONAL), |_| Draws::Sampled),
        },
        ..OF_LABELS
    },
    CardRow {
        name: "dr_grpo",
        parameter: group(Some(8.0)),
        formula: "p (K − 1)/K",
        meaning: "grpo without `group_deviation`, groups of K",
        beta: |company, size| company.p * (1.0 - 1.0 / given(size)),
        measured: Measured::Rewards {
            preset: "grpo",
            change: |settings, parameter| (settings.group_size, settings.group_deviation) = (size(parameter), None),
            draws: |_| Draws::Sampled,
        },
        ..OF_LABELS
    },
    CardRow {
        name: "dg",
        parameter: TEMPERATURE,
        formula: "p/(1 + p^(1/η))",
        meaning: "the preset without its baseline",
        beta: |company, eta| company.p / (1.0 + company.p.powf(1.0 / given(eta))),
        measured: Measured::Rewards {
            preset: "dg",
            change: |settings, parameter| (settings.baseline, settings.temperature) = (Baseline::None, parameter),
            draws: |_| Draws::Sampled,
        },
        ..OF_LABELS
    },
    CardRow {
        name: "dg_confidence",
        parameter: TEMPERATURE,
        formula: "p (w_y − w_b), see docs/policy_gradients.md",
        meaning: "the preset dg",
        in_any_company: false,
        beta: |company, eta| factors::delightful_with_confidence(given(eta), company),
        measured: Measured::Rewards {
            preset: "dg",
            change: |settings, parameter| settings.temperature = parameter,
            draws: |_| Draws::Sampled,
        },
        ..OF_LABELS
    },
    CardRow {
        name: "tpo",
        parameter: TEMPERATURE,
        formula: "p (L − 1)/(1 − p + L p), L = e^(n/(η √(n − 1)))",
        meaning: "the target over all actions, each tried once",
        beta: |company, eta| factors::target_of_all(given(eta), company),
        measured: Measured::Rewards {
            preset: "tpo",
            change: |settings, parameter| (settings.baseline, settings.temperature) = (Baseline::None, parameter),
            draws: |_| Draws::Each,
        },
        ..OF_LABELS
    },
    CardRow {
        name: "tpo_group",
        parameter: group(Some(8.0)),
        formula: "E[Q − P]/(1 − p), see docs/policy_gradients.md",
        meaning: "the target over K drawn actions",
        in_any_company: false,
        beta: |company, size| factors::target_of_groups(given(size), company),
        measured: Measured::Rewards {
            preset: "tpo",
            change: |settings, parameter| (settings.baseline, settings.group_size) = (Baseline::None, size(parameter)),
            draws: |_| Draws::Sampled,
        },
        ..OF_LABELS
    },
    CardRow {
        name: "tpo_confidence",
        parameter: TEMPERATURE,
        formula: "p (w_y − w_b), see docs/policy_gradients.md",
        meaning: "the preset tpo: the target of one draw",
        in_any_company: false,
        beta: |company, eta| factors::target_of_one(given(eta), company),
        measured: Measured::Rewards {
            preset: "tpo",
            change: |settings, parameter| settings.temperature = parameter,
            draws: |_| Draws::Sampled,
        },
        ..OF_LABELS
    },
];
