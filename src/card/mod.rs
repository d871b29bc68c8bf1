//! How much each objective learns from a hard example: the weight `β(p)` in its update `β(p) (e_y − π)` of the logits, by a formula and as
//! measured from the code that trains. [`ROWS`] is the table behind `lossward card`.

mod factors;
mod rows;
#[cfg(test)]
mod tests;

pub use rows::{CardParameter, CardRow, Measured, ROWS};

use crate::loss::{Criterion, Inputs, LossSettings};
use crate::objective::{OneHotReward, expected_update};
use crate::options::{Named, OptionValue};
use crate::{Error, Result};
use candle_core::{Device, Tensor, Var};

/// The probabilities of the right class at which an objective is looked at.
pub const PROBABILITIES: [f64; 5] = [0.01, 0.1, 0.5, 0.9, 0.99];

/// What is drawn of all objectives where none is named.
pub const ALL: &[&str] = &[
    "cross_entropy",
    "label_smoothing",
    "raml",
    "categorical_focal",
    "generalized_cross_entropy",
    "mse",
    "mae",
    "dft",
    "expected_reward",
    "reinforce",
    "a2c",
    "ppo",
    "rloo",
    "otr",
    "grpo",
    "grpo=8",
    "dr_grpo",
    "dg",
    "dg_confidence",
    "tpo",
    "tpo_group",
    "tpo_confidence",
];

/// The policy of one example: the right class has the probability `p`, the others are equally likely.
#[derive(Clone, Copy, Debug)]
pub struct Company {
    pub p: f64,
    pub classes: usize,
}

impl Company {
    /// The probability of each of the other classes.
    pub fn other(self) -> f64 {
        (1.0 - self.p) / (self.classes - 1) as f64
    }
}

/// One objective among so many classes.
pub struct Card {
    pub row: &'static CardRow,
    /// As given, or the default; nothing for a row that has none, or for large groups.
    pub parameter: Option<f64>,
    pub classes: usize,
}

impl Card {
    /// Reads `grpo`, `grpo=8` or `gce=0.5`.
    ///
    /// # Errors
    /// When no objective has this name, or its parameter is none, no number, or out of range.
    pub fn read(text: &str, classes: usize) -> Result<Card> {
        let (name, given) = match text.split_once('=') {
            Some((name, given)) => (name.trim(), Some(given.trim())),
            None => (text.trim(), None),
        };
        let Some(row) = ROWS.iter().find(|row| row.name == name || row.short == Some(name)) else {
            let known: Vec<&str> = ROWS.iter().flat_map(|row| row.short.into_iter().chain([row.name])).collect();
            return Err(Error::Argument(crate::error::unknown("objective", name, &known)));
        };
        let wrong = |why: String| Error::Argument(format!("`{text}`: {why}"));
        let parameter = match (&row.parameter, given) {
            (None, Some(_)) => return Err(wrong(format!("{} has no parameter", row.name))),
            (None, None) => None,
            (Some(parameter), None) => parameter.default,
            (Some(parameter), Some(given)) => {
                let number = given.parse().ok().filter(|x| parameter.takes(*x));
                let wanted = || wrong(format!("{} of {} must be {}", parameter.symbol, row.name, parameter.range()));
                Some(number.ok_or_else(wanted)?)
            }
        };
        Ok(Card { row, parameter, classes })
    }

    /// `grpo, K = 8`
    pub fn label(&self) -> String {
        match (&self.row.parameter, self.parameter) {
            (Some(parameter), Some(value)) => format!("{}, {} = {value}", self.row.name, parameter.symbol),
            (Some(parameter), None) => format!("{}, {} → ∞", self.row.name, parameter.symbol),
            (None, _) => self.row.name.to_string(),
        }
    }

    /// `β(p)` by the formula of the row.
    pub fn beta(&self, p: f64) -> f64 {
        (self.row.beta)(Company { p, classes: self.classes }, self.parameter)
    }

    /// `β(p)` read off the update that the code makes: what the logit of the right class moves by, over `1 − p`.
    ///
    /// # Errors
    /// When `p` lies outside of (0, 1), or so large a group can't be drawn in proportion to it.
    pub fn measured(&self, p: f64) -> Result<f64> {
        Ok(self.update(p)?[0] / (1.0 - p))
    }

    /// How the logits of one example move on average, `[classes]`, the right class first.
    ///
    /// # Errors
    /// As [`Card::measured`].
    pub fn update(&self, p: f64) -> Result<Vec<f64>> {
        let company = Company { p, classes: self.classes };
        if !(0.0 < p && p < 1.0) {
            return Err(Error::Argument(format!("a card is for probabilities in (0, 1), not {p}")));
        }
        match self.row.measured {
            Measured::Loss { loss, option } => descent(&named(loss, option, self.parameter), company),
            Measured::Rewards { preset, change, draws } => {
                let mut settings = crate::experiment::preset(preset)?;
                change(&mut settings, self.parameter);
                expected_update(&settings, OneHotReward { p, actions: self.classes }, draws(self.parameter))
            }
        }
    }
}

fn named(loss: &str, option: Option<&str>, parameter: Option<f64>) -> Named {
    let given = option.zip(parameter).map(|(option, value)| (option.to_string(), OptionValue::Number(value)));
    Named { name: loss.into(), options: given.into_iter().collect() }
}

/// Minus the gradient of a loss by the logits of one example.
fn descent(loss: &Named, company: Company) -> Result<Vec<f64>> {
    let mut logits = vec![company.other().ln(); company.classes];
    logits[0] = company.p.ln();
    let logits = Var::from_tensor(&Tensor::from_vec(logits, (1, company.classes), &Device::Cpu)?)?;
    let inputs = Inputs::pair(&logits, &Tensor::new(&[0u32], &Device::Cpu)?);
    let criterion = Criterion::new(&LossSettings::One(loss.clone()))?;
    let (value, _) = criterion.value(|loss, options| loss.of_classifier(&inputs, options))?;
    let gradients = value.neg()?.backward()?;
    let of_logits = gradients.get(&logits).ok_or_else(|| Error::Argument("a loss without a gradient".into()))?;
    Ok(of_logits.flatten_all()?.to_vec1()?)
}
