//! The arms of a file: shared tables below their own, presets below their objectives, overrides on top.

use super::merge::merge;
use super::objective::{complete, read_objective};
use super::reading::read;
use super::source::{FileText, locate, table};
use super::{Arm, Budget, StartSettings};
use crate::microscope::MicroscopeSettings;
use crate::network::NetworkSettings;
use crate::objective::PolicyGradientSettings;
use crate::optimizer::OptimizerSettings;
use crate::regularizer::RegularizerSettings;
use crate::task::{EvaluationSettings, TaskSettings};
use crate::{Error, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The presets of the policy gradient with a sentence each; their values stand in `defaults.toml`.
pub const PRESETS: &[(&str, &str)] = &[
    ("reinforce", "whole episodes, plain returns, one update each; with any baseline (Williams 1992)"),
    ("a2c", "short rollouts that bootstrap from a critic (Mnih et al. 2016)"),
    ("ppo", "several epochs of a clipped surrogate per rollout (Schulman et al. 2017)"),
    ("rloo", "groups of episodes in one context, each against the others (Ahmadian et al. 2024)"),
    ("grpo", "groups of episodes in one context, standardized, clipped (Shao et al. 2024)"),
    ("dg", "delightful: rare successes count in full, rare failures hardly (Osband 2026)"),
    ("tpo", "cross-entropy with a policy that is tilted to what paid off (Kaddour 2026)"),
    ("otr", "one-token rollout: several draws for every label, no baseline (Ming et al. 2025)"),
];

/// The settings of a preset where a file says nothing else.
///
/// # Errors
/// When there is no such preset.
pub fn preset(name: &str) -> Result<PolicyGradientSettings> {
    let unreadable = |error: toml::de::Error| Error::Argument(format!("the preset `{name}`: {error}"));
    let defaults: toml::Table = toml::from_str(include_str!("defaults.toml")).map_err(unreadable)?;
    let presets = defaults.get("preset").and_then(toml::Value::as_table);
    let Some(of_name) = presets.and_then(|presets| presets.get(name)?.as_table()) else {
        let known: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
        return Err(Error::Argument(crate::error::unknown("preset", name, &known)));
    };
    let mut table = of_name.clone();
    table.insert("preset".into(), name.into());
    table.try_into().map_err(unreadable)
}

/// Tables that arms share unless they override them.
const SHARED: &[&str] =
    &["task", "network", "optimizer", "regularizer", "budget", "evaluation", "start", "objective", "microscope"];

/// An arm's tables, all but the objective, whose fields depend on its kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArmTables {
    name: String,
    task: TaskSettings,
    network: NetworkSettings,
    optimizer: OptimizerSettings,
    regularizer: RegularizerSettings,
    budget: Budget,
    evaluation: EvaluationSettings,
    start: Option<StartSettings>,
    microscope: Option<MicroscopeSettings>,
    #[serde(rename = "objective")]
    _objective: IgnoredAny,
}

/// The tables of this one that arms share.
pub(super) fn only_shared<'i>(of: &DeTable<'i>) -> DeTable<'i> {
    let shared = of.iter().filter(|(name, _)| SHARED.contains(&name.get_ref().as_ref()));
    shared.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// An arm's tables over the defaults; in between, where its objective says `tuned = true`, what is known to work for its preset in
/// its environment.
pub(super) fn over_defaults<'i>(
    source: &FileText,
    defaults: &DeTable<'i>,
    mut arm: DeTable<'i>,
) -> Result<DeTable<'i>> {
    let mut under = only_shared(defaults);
    let tuned = match arm.get_mut("objective").map(Spanned::get_mut) {
        Some(DeValue::Table(objective)) => objective.remove("tuned"),
        _ => None,
    };
    if let Some(tuned) = tuned {
        match tuned.get_ref() {
            DeValue::Boolean(true) => merge(&mut under, tuned_table(source, defaults, &arm, tuned.span())?),
            DeValue::Boolean(false) => {}
            _ => return Err(source.error(Some(tuned.span()), "`tuned` must be true or false".into())),
        }
    }
    merge(&mut under, &arm);
    Ok(under)
}

/// What is tuned for the arm's preset in its environment.
fn tuned_table<'t, 'i>(
    source: &FileText,
    defaults: &'t DeTable<'i>,
    arm: &DeTable<'i>,
    span: std::ops::Range<usize>,
) -> Result<&'t DeTable<'i>> {
    let text =
        |of: &str, key: &str| table(arm, of).and_then(|table| table.get(key)?.get_ref().as_str().map(str::to_string));
    let (env, preset) = (text("task", "env").unwrap_or_default(), text("objective", "preset").unwrap_or_default());
    let of_env = table(defaults, "tuned").and_then(|tuned| table(tuned, &env));
    of_env.and_then(|of_env| table(of_env, &preset)).ok_or_else(|| {
        let all = table(defaults, "tuned").into_iter().flatten();
        let pairs = all.flat_map(|(env, presets)| {
            let presets = presets.get_ref().as_table().into_iter().flatten();
            presets.map(move |(preset, _)| format!("{} in {}", preset.get_ref(), env.get_ref()))
        });
        let known = pairs.collect::<Vec<_>>().join(", ");
        let place = if env.is_empty() { "this task".to_string() } else { format!("`{env}`") };
        source.error(Some(span), format!("nothing is tuned for `{preset}` in {place}; there is {known}"))
    })
}

/// The arms of the file over its shared tables, with the overrides on top.
pub(super) fn merged_arms<'i>(
    source: &FileText,
    top: &DeTable<'i>,
    shared_overrides: &DeTable<'i>,
    arm_overrides: &DeTable<'i>,
) -> Result<Vec<DeTable<'i>>> {
    let none =
        || source.error(None, "an experiment needs at least one [[arm]] with a `name` and an `objective`".into());
    let listed = top.get("arm").ok_or_else(none)?;
    let array = listed
        .get_ref()
        .as_array()
        .ok_or_else(|| source.error(Some(listed.span()), "`arm` must be a list of tables: write [[arm]]".into()))?;
    let (mut arms, mut names) = (Vec::new(), Vec::new());
    for arm in array.iter() {
        let Some(own) = arm.get_ref().as_table() else {
            return Err(source.error(Some(arm.span()), "an arm must be a table: write [[arm]]".into()));
        };
        let name = own.get("name").and_then(|name| name.get_ref().as_str()).unwrap_or_default().to_string();
        if name.is_empty() {
            return Err(source.error(Some(arm.span()), "an arm needs a `name`".into()));
        }
        let mut merged = only_shared(top);
        merge(&mut merged, own);
        merge(&mut merged, &only_shared(shared_overrides));
        if let Some(given) = arm_overrides.get(name.as_str()) {
            let overrides = given.get_ref().as_table().ok_or_else(|| {
                source.error(
                    Some(given.span()),
                    format!("say which key of the arm: arm.{name}.optimizer.learning_rate=…"),
                )
            })?;
            merge(&mut merged, overrides);
        }
        names.push(name);
        arms.push(merged);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (name, value) in arm_overrides {
        if !names.contains(&name.get_ref().as_ref()) {
            return Err(source.error(Some(value.span()), crate::error::unknown("arm", name.get_ref(), &names)));
        }
    }
    if arms.is_empty() { Err(none()) } else { Ok(arms) }
}

/// One arm, with the preset or the kind's defaults laid under its objective, and its merged table.
pub(super) fn read_arm<'i>(
    source: &FileText,
    defaults: &DeTable<'i>,
    mut merged: DeTable<'i>,
) -> Result<(Arm, DeTable<'i>)> {
    let name_span = || locate(&merged, "name");
    for required in ["task", "budget", "objective"] {
        if !merged.contains_key(required) {
            let example = match required {
                "task" => "task.dataset = \"digits\"",
                "budget" => "budget.examples = 100_000",
                _ => "objective = { kind = \"supervised\", loss = \"cross_entropy\" }",
            };
            let message =
                format!("the arm has no `{required}` table, and the experiment gives no common one; write {example}");
            return Err(source.error(name_span(), message));
        }
    }
    let (objective_key, objective) =
        merged.remove_entry("objective").ok_or_else(|| source.error(None, String::new()))?;
    let span = objective.span();
    let DeValue::Table(own) = objective.into_inner() else {
        return Err(source.error(Some(span), "`objective` must be a table".into()));
    };
    let objective = complete(source, defaults, own, span.clone())?;
    merged.insert(objective_key, Spanned::new(span.clone(), DeValue::Table(objective.clone())));
    let tables: ArmTables = read(source, merged.clone())?;
    let objective = read_objective(source, objective, span)?;
    let ArmTables { name, task, network, optimizer, regularizer, budget, evaluation, start, microscope, .. } = tables;
    let arm = Arm { name, task, network, optimizer, regularizer, budget, evaluation, start, objective, microscope };
    Ok((arm, merged))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_has_a_sentence_and_values() {
        let defaults: toml::Table = toml::from_str(include_str!("defaults.toml")).unwrap();
        let mut named: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
        let mut given: Vec<&str> = defaults["preset"].as_table().unwrap().keys().map(String::as_str).collect();
        named.sort_unstable();
        given.sort_unstable();
        assert_eq!(named, given);
        for (name, _) in PRESETS {
            assert_eq!(preset(name).unwrap().preset, *name);
        }
        assert!(preset("otrr").unwrap_err().to_string().contains("did you mean `otr`?"));
    }
}
