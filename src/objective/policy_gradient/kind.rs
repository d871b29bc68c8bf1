//! What the house asks of the settings of a policy gradient.

use super::{Baseline, PolicyGradient, PolicyGradientSettings, SurrogateKind, credits};
use crate::checks::{Check, fail, most, require, within};
use crate::objective::{Checked, Objective, ObjectiveKind, Parts, Probe};
use crate::optimizer::Schedule;
use crate::rollout::Length;
use crate::task::{Credit, Task, TaskSource};
use crate::{Error, Result};
use lossward_envs::Space;

impl ObjectiveKind for PolicyGradientSettings {
    fn rounds(&self) -> &'static str {
        Self::ROUNDS
    }

    fn terms(&self) -> Result<Vec<String>> {
        Ok(PolicyGradientSettings::terms(self).into_iter().map(String::from).collect())
    }

    fn examples(&self, of_environment: bool) -> &'static str {
        if of_environment { "environment steps" } else { "rewarded rows" }
    }

    fn acts(&self) -> bool {
        true
    }

    fn lags(&self, of_data_set: bool) -> bool {
        !self.learns_as_it_acts(of_data_set)
    }

    fn check(&self, of: &Checked) -> Check {
        check_sizes(self)?;
        check_rollout(self, of.budget)?;
        check_returns(self)?;
        check_groups(self, of.task)?;
        check_surrogate(self, of.task)?;
        check_critic(self)?;
        check_bonus(self)?;
        let reward = of.task.reward(self.reward.as_ref(), self.together).map_err(|error| match error {
            Error::Setting { .. } => error.under("objective"),
            error => error.under("objective.reward"),
        })?;
        credits::check(self, of.task, reward.as_ref())?;
        let made = of.task.environments(&self.payment(reward), self.discount, Vec::new());
        made.map(drop).map_err(|error| error.under("objective.reward"))
    }

    fn build(&self, parts: Parts) -> Result<Box<dyn Objective>> {
        Ok(Box::new(PolicyGradient::new(self, &parts)?))
    }

    fn probe(&self, parts: &Parts) -> Result<Probe> {
        self.probed(parts)
    }
}

/// At the key of the objective.
fn at(key: &str) -> String {
    format!("objective.{key}")
}

fn check_sizes(settings: &PolicyGradientSettings) -> Check {
    let (copies, steps) = (settings.environments as u64, settings.rollout.steps() as u64);
    within(&[
        ("objective.environments", copies, most::COPIES),
        ("objective.epochs", settings.epochs as u64, most::EPOCHS),
        ("objective.batch_size", settings.batch_size.unwrap_or(0) as u64, most::BATCH),
        ("objective.n_step", settings.n_step.unwrap_or(0) as u64, most::STEPS),
        ("objective.rollout.steps", steps, most::STEPS),
    ])?;
    let (transitions, most) = (copies * steps, most::TRANSITIONS);
    let message = format!("`rollout` has {transitions} transitions, steps times environments; the most is {most}");
    require(transitions <= most, &at("rollout"), &message)
}

fn check_rollout(settings: &PolicyGradientSettings, budget: u64) -> Check {
    let positive =
        |value: usize, table: &str, key: &str| require(value >= 1, &at(table), &format!("`{key}` must be at least 1"));
    positive(settings.environments, "environments", "environments")?;
    positive(settings.epochs, "epochs", "epochs")?;
    positive(settings.batch_size.unwrap_or(1), "batch_size", "batch_size")?;
    positive(settings.n_step.unwrap_or(1), "n_step", "n_step")?;
    let steps = settings.rollout.steps();
    positive(steps, "rollout", "steps")?;
    let rollout = settings.environments.saturating_mul(steps) as u64;
    let message = format!("one rollout takes {rollout} steps or more, beyond the budget of {budget} examples");
    require(rollout <= budget, &at("environments"), &message)
}

fn check_returns(settings: &PolicyGradientSettings) -> Check {
    let share = |value: f64, key: &str| {
        require((0.0..=1.0).contains(&value), &at(key), &format!("`{key}` must lie in [0, 1], not {value}"))
    };
    share(settings.discount, "discount")?;
    share(settings.gae_lambda, "gae_lambda")?;
    let has_critic = settings.baseline == Baseline::Value;
    let needs_critic = |given: bool, key: &str, what: &str| {
        require(!given || has_critic, &at(key), &format!("{what} needs `baseline = \"value\"`"))
    };
    needs_critic(settings.gae_lambda < 1.0, "gae_lambda", "a `gae_lambda` below 1")?;
    needs_critic(settings.n_step.is_some(), "n_step", "`n_step`")?;
    needs_critic(settings.v_trace.is_some(), "v_trace", "`v_trace`")?;
    if let Some(clips) = settings.v_trace {
        let all = [clips.error_clip, clips.trace_clip, clips.advantage_clip];
        require(all.iter().all(|clip| *clip > 0.0), &at("v_trace"), "the clips of `v_trace` must be positive")?;
        require(settings.n_step.is_none(), &at("n_step"), "`v_trace` has returns of its own; leave `n_step` out")?;
        let message = "`v_trace` weighs its advantages by the ratio itself: it needs `surrogate = \"log_prob\"`";
        require(settings.surrogate == SurrogateKind::LogProb, &at("v_trace"), message)?;
    }
    require(
        settings.n_step.is_none() || settings.gae_lambda == 1.0,
        &at("n_step"),
        "`n_step` takes the place of `gae_lambda`: set that to 1",
    )?;
    match (settings.baseline, settings.decay) {
        (Baseline::MovingAverage, Some(decay)) => {
            require((0.0..1.0).contains(&decay), &at("decay"), &format!("`decay` must lie in [0, 1), not {decay}"))
        }
        (_, Some(_)) => fail(&at("decay"), "`decay` belongs to `baseline = \"moving_average\"`"),
        (_, None) => Ok(()),
    }
}

fn check_groups(settings: &PolicyGradientSettings, task: &Task) -> Check {
    let PolicyGradientSettings { group_size, environments, baseline, .. } = settings;
    require(
        *baseline != Baseline::Greedy || task.statistics().is_none(),
        &at("baseline"),
        "greedy episodes would be counted in the running statistics: `baseline = \"greedy\"` goes without normalization",
    )?;
    if let Some(size) = group_size {
        require(*size >= 2, &at("group_size"), &format!("a group has at least 2 members, not {size}"))?;
        let message = format!("{environments} environments are not whole groups of {size}");
        require(environments % size == 0, &at("group_size"), &message)?;
        let message = "groups are compared by `baseline = \"leave_one_out\"` or `\"group\"`, or by `surrogate = \"target\"`; with `baseline = \"none\"` \
                       their members only share a context";
        let used = settings.compares_groups() || settings.credit == Credit::Counterfactual;
        require(used || *baseline == Baseline::None, &at("group_size"), message)?;
        let message =
            "groups compare the returns of whole episodes, without a critic: `baseline = \"value\"` has no use";
        require(*baseline != Baseline::Value, &at("baseline"), message)?;
    }
    let needs = matches!(baseline, Baseline::LeaveOneOut | Baseline::Group);
    require(!needs || group_size.is_some(), &at("baseline"), "this baseline needs a `group_size`, such as 8")?;
    require(
        settings.group_deviation.is_none() || *baseline == Baseline::Group,
        &at("group_deviation"),
        "`group_deviation` belongs to `baseline = \"group\"`",
    )?;
    let whole = group_size.is_some() || baseline.compares_episodes();
    require(
        !whole || settings.rollout == Length::Episodes,
        &at("rollout"),
        "whole episodes are compared: `rollout` must be \"episodes\"",
    )
}

fn check_surrogate(settings: &PolicyGradientSettings, task: &Task) -> Check {
    let kind = settings.surrogate;
    match (kind, &settings.clip) {
        (SurrogateKind::Clipped, None) => {
            return fail(&at("surrogate"), "the clipped surrogate needs a `clip`, such as 0.2");
        }
        (SurrogateKind::Clipped, Some(clip)) => {
            let range = clip.bounds().iter().all(|bound| (0.0..1.0).contains(bound));
            require(range, &at("clip"), "`clip` must lie in [0, 1)")?;
        }
        (_, Some(_)) => return fail(&at("clip"), "`clip` belongs to `surrogate = \"clipped\"`; this arm has another"),
        (_, None) => {}
    }
    let tempered = matches!(kind, SurrogateKind::Delightful | SurrogateKind::Target);
    require(
        tempered || settings.temperature.is_none(),
        &at("temperature"),
        "`temperature` belongs to `surrogate = \"delightful\"` and `\"target\"`",
    )?;
    let positive = settings.temperature() > 0.0 && settings.temperature().is_finite();
    require(positive, &at("temperature"), "`temperature` must be positive and finite")?;
    let discrete = matches!(task.actions(), Space::Discrete(_));
    require(
        settings.baseline != Baseline::Confidence || discrete,
        &at("baseline"),
        &format!("`baseline = \"confidence\"` is for Discrete(n) actions; here they are {}", task.actions()),
    )?;
    let one_step = matches!(task.source, TaskSource::DataSet(..));
    require(
        settings.baseline != Baseline::Confidence || one_step || settings.rollout == Length::Episodes,
        &at("baseline"),
        "`baseline = \"confidence\"` has no critic to bootstrap from: `rollout` must be \"episodes\"",
    )?;
    if kind != SurrogateKind::Target {
        return Ok(());
    }
    let message = "a target is fitted by the whole rollout at once: leave `batch_size` out";
    require(settings.batch_size.is_none(), &at("batch_size"), message)?;
    if settings.group_size.is_none() {
        require(discrete, &at("surrogate"), "without a `group_size` the target is over the actions of Discrete(n)")?;
        require(settings.epochs == 1, &at("epochs"), "without a `group_size` the target is fitted in one epoch")?;
    }
    Ok(())
}

fn check_critic(settings: &PolicyGradientSettings) -> Check {
    if let Some(clip) = &settings.value_clip {
        require(settings.baseline == Baseline::Value, &at("value_clip"), "`value_clip` needs `baseline = \"value\"`")?;
        let [smallest, largest] = clip.bounds();
        let positive = clip.at(0.0) > 0.0 && smallest >= 0.0 && largest.is_finite();
        require(positive, &at("value_clip"), "`value_clip` must be positive and finite")?;
    }
    require(
        settings.clipped_value_loss.is_none() || settings.value_clip.is_some(),
        &at("clipped_value_loss"),
        "`clipped_value_loss` needs a `value_clip`, such as 0.2",
    )
}

fn check_bonus(settings: &PolicyGradientSettings) -> Check {
    let bonus = settings.entropy_coefficient.bounds();
    let fits = bonus.iter().all(|bound| bound.is_finite() && *bound >= 0.0);
    require(fits, &at("entropy_coefficient"), "`entropy_coefficient` must be finite and not negative")?;
    if let Some(target) = settings.target_kl {
        require(target > 0.0 && target.is_finite(), &at("target_kl"), "`target_kl` must be positive and finite")?;
    }
    let schedules = [
        ("clip", settings.clip.as_ref()),
        ("value_clip", settings.value_clip.as_ref()),
        ("entropy_coefficient", Some(&settings.entropy_coefficient)),
    ];
    for (key, schedule) in schedules {
        let message = format!("`{key}` can't follow the evaluation: the schedule plateau is for learning rates");
        require(!matches!(schedule, Some(Schedule::Plateau { .. })), &at(key), &message)?;
    }
    Ok(())
}
