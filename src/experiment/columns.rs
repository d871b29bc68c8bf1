//! Names of the columns of a record.

use super::Arm;
use crate::Result;
use crate::record::COUNTERS;
use crate::task::Evaluation;

/// Of this arm's records, in order:
///
/// - four counters: `updates`, `examples`, `epochs` or `episodes`, `seconds`, and those that are asked for;
/// - means over the updates since the last row: `loss` (what the optimizer minimized, without penalties; for a reward its
///   negative), the objective's terms, the penalties that are on (`l1`, `l2`, `elastic_net`, `entropy_bonus`, `kl_penalty`), `gradient_norm`
///   (before clipping); and the last `learning_rate`;
/// - the evaluation.
///
/// # Errors
/// When there is no such loss.
pub fn columns(arm: &Arm, evaluation: &Evaluation) -> Result<Vec<String>> {
    let objective = arm.objective.kind();
    let (rounds, terms) = (objective.rounds(), objective.terms()?);
    let [updates, examples, seconds] = COUNTERS;
    let counters = [updates, examples, rounds, seconds, "loss"];
    let penalties = arm.regularizer.columns();
    let counted = arm.evaluation.counted.iter().map(|count| count.column());
    let (loss, counters) = (counters[4], &counters[..4]);
    let columns = counters.iter().copied().chain(counted).chain([loss]).map(String::from).chain(terms);
    let columns = columns.chain(penalties.into_iter().chain(["gradient_norm", "learning_rate"]).map(String::from));
    Ok(columns.chain(evaluation.columns()).collect())
}
