//! One arm.

use super::{Subject, microscope, regularizer, teacher};
use crate::checks::{Check, at_least_one, fail, not_negative, require};
use crate::experiment::{Arm, columns};
use crate::objective::Checked;
use crate::optimizer::{Optimizer, Schedule};
use crate::task::{Evaluation, Task};
use crate::{Result, stream};

/// Checks an arm by building what it consists of; the columns of its records.
pub(super) fn check(subject: Subject) -> Result<Vec<String>> {
    let Subject { arm, task, .. } = subject;
    check_numbers(arm)?;
    regularizer::check(subject)?;
    Optimizer::new(&arm.optimizer, stream(0, "gradient noise", 0)).map_err(|error| error.under("optimizer"))?;
    check_network(arm, task)?;
    let teacher = |path: &str, name: &str| teacher::check(path, name, subject);
    arm.objective.kind().check(&Checked { task, budget: arm.budget.examples, teacher: &teacher })?;
    arm.start.iter().try_for_each(|start| teacher::check_start(start, subject))?;
    teacher::check_order(subject)?;
    let evaluation = Evaluation::new(task, &arm.evaluation, 0).map_err(|error| error.under("evaluation"))?;
    check_deciding(arm, &evaluation)?;
    microscope::check(subject)?;
    columns(arm, &evaluation)
}

/// What an arm may do, and hardly should.
pub(super) fn note(arm: &Arm, task: &Task) -> Option<String> {
    let lags =
        arm.objective.kind().lags(arm.task.dataset.is_some()) && arm.network.keeps_statistics(&task.input_shape());
    lags.then(|| {
        format!(
            "arm \"{}\": a policy acts by the running statistics of its batch normalization, which follow its weights from behind, and can lose \
             what it learned as they catch up; `group_norm`, or a body with `normalization = \"group\"`, has none",
            arm.name
        )
    })
}

fn check_numbers(arm: &Arm) -> Check {
    at_least_one(arm.evaluation.every.unwrap_or(1), "evaluation.every")?;
    at_least_one(arm.evaluation.episodes as u64, "evaluation.episodes")?;
    require(arm.network.output_gain.is_finite(), "network.output_gain", "`output_gain` must be finite")?;
    let bias = arm.network.output_bias.unwrap_or(0.0);
    require(bias.is_finite(), "network.output_bias", "`output_bias` must be finite")?;
    let counted = &arm.evaluation.counted;
    let repeated = (1..counted.len()).any(|i| counted[..i].contains(&counted[i]));
    require(!repeated, "evaluation.counted", "`counted` names something twice")?;
    let threshold = arm.evaluation.early_stopping.map_or(0.0, |early| early.threshold);
    not_negative(threshold, "evaluation.early_stopping.threshold")?;
    arm.optimizer.learning_rate.bounds().iter().try_for_each(|rate| not_negative(*rate, "optimizer.learning_rate"))
}

fn check_network(arm: &Arm, task: &Task) -> Check {
    let policy = task.policy(arm.network.policy.as_ref());
    let policy = policy.map_err(|error| error.under("network.policy"))?;
    arm.network.check_policy(&task.input_shape(), &policy).map_err(|error| error.under("network"))?;
    let bonus = arm.regularizer.entropy.is_none() || policy.has_entropy();
    let message = "the entropy of actions that tanh squashes has no closed form; `entropy_coefficient` of the objective estimates it";
    require(bonus, "regularizer.entropy", message)?;
    if arm.objective.kind().acts() && arm.network.drops_units() {
        let key = if arm.network.dropout.is_some() { "network.dropout" } else { "network.layers" };
        let message =
            "a policy must act as it learns, so `dropout` is for supervised arms: give those a network of their own";
        return fail(key, message);
    }
    Ok(())
}

/// Where the first metric decides about the training, it is a single number.
fn check_deciding(arm: &Arm, evaluation: &Evaluation) -> Check {
    let follows = match (&arm.evaluation.early_stopping, &arm.optimizer.learning_rate) {
        (Some(_), _) => "evaluation.early_stopping",
        (None, Schedule::Plateau { .. }) => "optimizer.learning_rate",
        _ => return Ok(()),
    };
    let first = arm.evaluation.metrics.first().map(|metric| metric.label());
    let decides = arm.task.dataset.is_none() || first.is_some() && evaluation.columns().first() == first.as_ref();
    require(decides, follows, "the first of `metrics` decides, so it must be a single number, such as accuracy")
}
