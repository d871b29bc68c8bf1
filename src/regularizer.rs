//! Penalties on the weights, added to the loss after the sign of the objective is settled.

use crate::Result;
use crate::kernel::{self, Power};
use crate::network::Parameters;
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

/// The `[regularizer]` table of an experiment: `l1 · Σ|w| + l2 · Σw²` over the weights; biases are never penalized.
///
/// Decoupled weight decay is a setting of the optimizer, not of the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regularizer {
    pub l1: f64,
    pub l2: f64,
}

/// A penalty: the scalar to add, and what it is made of for the record.
pub struct Penalty {
    pub total: Tensor,
    pub terms: Vec<(&'static str, f64)>,
}

impl Regularizer {
    /// The penalty of the weights, or nothing where both coefficients are 0.
    pub fn penalty(&self, parameters: &Parameters) -> Result<Option<Penalty>> {
        let mut penalty: Option<Penalty> = None;
        for (name, coefficient, power) in [("l1", self.l1, Power::One), ("l2", self.l2, Power::Two)] {
            if coefficient == 0.0 {
                continue;
            }
            let term = (kernel::sum_of_powers(parameters.values(), &parameters.weights(), power)? * coefficient)?;
            let value = crate::scalar(&term)?;
            let (total, mut terms) = match penalty {
                None => (term, Vec::new()),
                Some(penalty) => ((penalty.total + term)?, penalty.terms),
            };
            terms.push((name, value));
            penalty = Some(Penalty { total, terms });
        }
        Ok(penalty)
    }
}
