//! What single choices of the actions of a rollout are credited with.

use super::{Baseline, PolicyGradientSettings};
use crate::checks::{Check, require};
use crate::metric::Reward;
use crate::rollout::{self, Rollout};
use crate::task::{Credit, Task};

/// Per transition, gaps included: the gains of all options, or an advantage for each choice; empty where whole actions are credited.
pub(super) fn of_rollout(settings: &PolicyGradientSettings, rollout: &Rollout) -> Vec<f32> {
    match (settings.credit, settings.baseline, settings.group_size) {
        (Credit::Decision, Baseline::LeaveOneOut, Some(size)) if !rollout.credits.is_empty() => {
            compared(&rollout.credits, rollout.credits.len() / rollout.rewards.len(), size)
        }
        _ => rollout.credits.clone(),
    }
}

/// Each number less the mean of those at its place in the others of the group; `parts` is `[groups, size, width]`.
fn compared(parts: &[f32], width: usize, size: usize) -> Vec<f32> {
    let mut advantages = vec![0.0; parts.len()];
    let groups = advantages.chunks_exact_mut(size * width).zip(parts.chunks_exact(size * width));
    for (advantages, parts) in groups {
        for choice in 0..width {
            let of_group: Vec<f32> = parts.iter().skip(choice).step_by(width).copied().collect();
            let compared = rollout::leave_one_out_advantages(&of_group, size);
            advantages.iter_mut().skip(choice).step_by(width).zip(compared).for_each(|(to, from)| *to = from);
        }
    }
    advantages
}

/// Contexts whose decisions are rewarded together.
pub(super) fn contexts(settings: &PolicyGradientSettings, reward: Option<&Reward>) -> usize {
    match reward.is_some_and(Reward::is_of_batches) {
        true => settings.environments / settings.group_size.unwrap_or(1),
        false => 1,
    }
}

/// Whether a reward can be credited as the settings say.
pub(super) fn check(settings: &PolicyGradientSettings, task: &Task, reward: Option<&Reward>) -> Check {
    task.check_credit(reward, settings.credit).map_err(|error| error.under("objective"))?;
    check_choices(settings, task)?;
    match reward.filter(|reward| reward.is_of_batches()) {
        Some(reward) => check_batches(settings, task, reward),
        None => Ok(()),
    }
}

fn check_choices(settings: &PolicyGradientSettings, task: &Task) -> Check {
    let word = match settings.credit {
        Credit::Counterfactual => "counterfactual",
        Credit::Decision if task.actions().width() > 1 => "decision",
        _ => return Ok(()),
    };
    let (fits, instead) = match settings.credit {
        Credit::Counterfactual => (
            settings.baseline == Baseline::None,
            "compares each option with the others of its choice and has no use for a baseline: set `baseline = \"none\"`",
        ),
        _ => (
            matches!(settings.baseline, Baseline::None | Baseline::LeaveOneOut),
            "has the baselines \"none\" and \"leave_one_out\"",
        ),
    };
    require(fits, "objective.baseline", &format!("`credit = \"{word}\"` {instead}"))?;
    let message = format!("`credit = \"{word}\"` weighs choices one by one: it needs `surrogate = \"log_prob\"`");
    require(settings.surrogate == super::SurrogateKind::LogProb, "objective.surrogate", &message)?;
    let message = format!("`credit = \"{word}\"` has no advantages of whole actions to normalize: set it to false");
    require(!settings.normalize_advantages, "objective.normalize_advantages", &message)
}

/// Of a reward of many decisions together.
fn check_batches(settings: &PolicyGradientSettings, task: &Task, reward: &Reward) -> Check {
    let (name, contexts) = (reward.name(), contexts(settings, Some(reward)));
    if contexts < 2 {
        let alone = task.kind()?.reward(settings.reward.as_ref()).err();
        let alone = alone.map_or_else(|| format!("`{name}` is to reward a batch together"), |error| error.to_string());
        let message =
            format!("{alone}; let more contexts be judged together than `environments / group_size` = {contexts}");
        return require(false, "objective.environments", &message);
    }
    let message = format!(
        "`{name}` is one reward for all decisions of a batch: their mean is no baseline, and neither is a confidence in one; use \"none\", or \"leave_one_out\" with a `group_size`"
    );
    let fits = !matches!(settings.baseline, Baseline::Mean | Baseline::Confidence);
    require(fits, "objective.baseline", &message)?;
    let message = format!("`surrogate = \"target\"` compares actions, and `{name}` rewards those of a batch together");
    require(settings.surrogate != super::SurrogateKind::Target, "objective.surrogate", &message)
}

#[cfg(test)]
mod tests;
