//! Several objectives at once: a weighted sum of what each reads off a batch of its own.

mod kind;
#[cfg(test)]
mod tests;

use super::kind::ObjectiveSettings;
use super::{ColumnName, Counters, Mean, Objective, ObjectiveValue, Sense};
use crate::network::Network;
use crate::optimizer::Schedule;
use crate::{Error, Result, Rng, scalar};
use candle_core::Tensor;
use serde::Serialize;

/// The `objective` table of an arm with `kind = "mixture"`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MixtureSettings {
    pub parts: Vec<MixedSettings>,
}

/// One of its parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MixedSettings {
    /// Begins the names of its columns; its kind, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// λ
    pub weight: Schedule,
    #[serde(flatten)]
    pub objective: ObjectiveSettings,
}

/// `Σ_i λ_i L_i`, where `L_i` is the loss of a part on its own batch, or its negative reward. Every part has the streams that it would have alone,
/// and takes no batch where its weight is 0: the mixture of one part is that part.
pub struct Mixture {
    parts: Vec<Part>,
}

struct Part {
    name: String,
    weight: Schedule,
    objective: Box<dyn Objective>,
    /// Of minibatches.
    rng: Rng,
    /// λ of the update in hand; 0 where it takes no part in it.
    now: f64,
}

impl Part {
    fn column(&self, term: &str) -> String {
        format!("{}.{term}", self.name)
    }
}

/// Of the columns of a part, beside its own terms.
const LOSS: &str = "loss";

/// The same, where the weight is a schedule.
const WEIGHT: &str = "weight";

impl Objective for Mixture {
    fn sense(&self) -> Sense {
        Sense::Minimize
    }

    fn next(&mut self, network: &Network, _: &mut Rng, progress: f64) -> Result<()> {
        for part in &mut self.parts {
            // Beyond the budget, what is in hand is used up and nothing is gathered.
            let wanted = progress < 1.0 || part.objective.counters().batch_is_left;
            part.now = if wanted { part.weight.at(progress) } else { 0.0 };
            if part.now > 0.0 {
                part.objective.next(network, &mut part.rng, progress)?;
            }
        }
        let any = self.parts.iter().any(|part| part.now > 0.0);
        let all_zero = || format!("all weights of the mixture are 0 after {:.1} % of the budget", 100.0 * progress);
        if any { Ok(()) } else { Err(Error::Argument(all_zero())) }
    }

    /// Its inputs and outputs are those of all parts, one after the other.
    fn value(&self, network: &Network) -> Result<ObjectiveValue> {
        let (mut total, mut terms): (Option<Tensor>, _) = (None, Vec::new());
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for part in self.parts.iter().filter(|part| part.now > 0.0) {
            let value = part.objective.value(network)?;
            let loss = part.objective.sense().as_loss(&value.scalar)?;
            let mut note = |term: &str, mean| terms.push((ColumnName::Owned(part.column(term)), mean));
            note(LOSS, Mean::of_one(scalar(&loss)?));
            if !matches!(part.weight, Schedule::Constant(_)) {
                note(WEIGHT, Mean::of_one(part.now));
            }
            value.terms.iter().for_each(|(term, mean)| note(term, *mean));
            let weighted = (loss * part.now)?;
            total = Some(match total {
                None => weighted,
                Some(sum) => (sum + weighted)?,
            });
            inputs.push(value.inputs);
            outputs.push(value.outputs);
        }
        let scalar = total.ok_or_else(super::no_batch)?;
        Ok(ObjectiveValue { scalar, inputs: joined(inputs)?, outputs: joined(outputs)?, terms })
    }

    fn note(&mut self, terms: &[(ColumnName, Mean)]) {
        for part in self.parts.iter_mut().filter(|part| part.now > 0.0) {
            let begins = part.column("");
            let own = terms.iter().filter_map(|(column, mean)| Some((column.strip_prefix(&begins)?, *mean)));
            let own: Vec<(ColumnName, Mean)> = own.map(|(term, mean)| (term.to_string().into(), mean)).collect();
            part.objective.note(&own);
        }
    }

    fn counters(&self) -> Counters {
        let parts: Vec<(&Part, Counters)> = self.parts.iter().map(|part| (part, part.objective.counters())).collect();
        Counters {
            examples: parts.iter().map(|(_, counters)| counters.examples).sum(),
            labels: parts.iter().map(|(_, counters)| counters.labels).sum(),
            operations: parts.iter().map(|(_, counters)| counters.operations).sum(),
            before: parts.iter().map(|(part, c)| if part.now > 0.0 { c.before } else { c.examples }).sum(),
            rounds: parts[0].1.rounds,
            batch_is_left: parts.iter().any(|(part, counters)| part.now > 0.0 && counters.batch_is_left),
        }
    }

    fn warnings(&self) -> Vec<String> {
        let of_part = |part: &Part| {
            let named = part.objective.warnings().into_iter().map(|text| format!("{}: {text}", part.name));
            named.collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(of_part).collect()
    }

    fn judge(&mut self, value: f64, higher_is_better: bool) {
        self.parts.iter_mut().for_each(|part| part.objective.judge(value, higher_is_better));
    }
}

/// Batches one after the other.
fn joined(mut batches: Vec<Tensor>) -> Result<Tensor> {
    match batches.len() {
        1 => Ok(batches.swap_remove(0)),
        _ => Ok(Tensor::cat(&batches, 0)?),
    }
}
