//! Penalties on the weights, added to the loss after the sign of the objective is settled.

use crate::Result;
use crate::kernel::plain;
use crate::network::{Network, Role};
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

/// What is summed over the weights.
type Element = fn(&Tensor) -> candle_core::Result<Tensor>;

impl Regularizer {
    /// The penalty of the network's weights, or nothing where both coefficients are 0.
    pub fn penalty(&self, network: &Network) -> Result<Option<Penalty>> {
        let weights = network.parameters().iter().filter(|p| p.role == Role::Weight).map(|p| p.var.as_tensor());
        self.of_weights(weights.collect())
    }

    /// The same of any tensors.
    pub fn of_weights(&self, weights: Vec<&Tensor>) -> Result<Option<Penalty>> {
        let mut penalty: Option<Penalty> = None;
        for (name, coefficient, element) in [("l1", self.l1, plain::abs as Element), ("l2", self.l2, Tensor::sqr)] {
            if coefficient == 0.0 {
                continue;
            }
            let mut sums = weights.iter().map(|w| element(w)?.sum_all());
            let Some(first) = sums.next() else { continue };
            let sum = sums.try_fold(first?, |total, sum| total + sum?)?;
            let term = (sum * coefficient)?;
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
