//! The `objective` table of an arm: what its kind or its preset leaves to be filled in, also in the parts of those that are made of others.

use super::arms::PRESETS;
use super::merge::merge;
use super::reading::read_with;
use super::source::{FileText, table};
use crate::Result;
use crate::objective::{KINDS, MixedSettings, MixtureSettings, ObjectiveSettings, PhaseSettings, PhasesSettings};
use crate::optimizer::Schedule;
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The kinds that are made of others, and the keys of their lists.
const LISTS: &[(&str, &str)] = &[("mixture", "parts"), ("phases", "phases")];

/// What a part of a mixture says beside its objective.
#[derive(Deserialize)]
struct OfPart {
    name: Option<String>,
    weight: Schedule,
}

/// What a phase says beside its objective.
#[derive(Deserialize)]
struct OfPhase {
    share: f64,
    learning_rate: Option<Schedule>,
    #[serde(default)]
    reset_optimizer: bool,
}

/// An objective with everything that it leaves out.
pub(super) fn complete<'i>(
    source: &FileText,
    defaults: &DeTable<'i>,
    mut own: DeTable<'i>,
    span: Range<usize>,
) -> Result<DeTable<'i>> {
    let kind = kind(source, &own, &span)?;
    let Some((_, list)) = LISTS.iter().find(|(composite, _)| *composite == kind) else {
        let mut objective = base_objective(source, defaults, &own, (&kind, span))?;
        merge(&mut objective, &own);
        // The kind's default number of episodes is no expert.
        if !own.contains_key("expert") {
            objective.remove("expert");
        }
        return Ok(objective);
    };
    if let Some(DeValue::Array(parts)) = own.get_mut(*list).map(Spanned::get_mut) {
        for part in parts.iter_mut() {
            let span = part.span();
            if let DeValue::Table(table) = part.get_mut() {
                *table = complete(source, defaults, std::mem::take(table), span)?;
            }
        }
    }
    Ok(own)
}

/// The kind that an objective names.
fn kind(source: &FileText, own: &DeTable, span: &Range<usize>) -> Result<String> {
    named(source, own, span, ("kind", "kind of objective"), KINDS.iter().map(|(name, _)| *name).collect())
}

fn named(
    source: &FileText,
    own: &DeTable,
    span: &Range<usize>,
    (key, what): (&str, &str),
    known: Vec<&str>,
) -> Result<String> {
    match own.get(key) {
        None => {
            Err(source.error(Some(span.clone()), format!("`objective` needs a `{key}`; known: {}", known.join(", "))))
        }
        Some(value) => match value.get_ref().as_str() {
            Some(name) if known.contains(&name) => Ok(name.to_string()),
            Some(name) => Err(source.error(Some(value.span()), crate::error::unknown(what, name, &known))),
            None => Err(source.error(Some(value.span()), format!("`{key}` must be a string"))),
        },
    }
}

/// What lies under an objective that stands alone: its kind's defaults or its preset.
fn base_objective<'i>(
    source: &FileText,
    defaults: &DeTable<'i>,
    own: &DeTable<'i>,
    (kind, span): (&str, Range<usize>),
) -> Result<DeTable<'i>> {
    let under = if kind == "policy_gradient" {
        let presets = PRESETS.iter().map(|(name, _)| *name).collect();
        let preset = named(source, own, &span, ("preset", "preset"), presets)?;
        table(defaults, "preset").and_then(|presets| table(presets, &preset))
    } else {
        table(defaults, "kind").and_then(|kinds| table(kinds, kind))
    };
    Ok(under.cloned().unwrap_or_default())
}

/// The settings of a table that [`complete`] has filled.
pub(super) fn read_objective<'i>(
    source: &FileText,
    mut objective: DeTable<'i>,
    span: Range<usize>,
) -> Result<ObjectiveSettings> {
    let kind = kind(source, &objective, &span)?;
    objective.remove("kind");
    match kind.as_str() {
        "mixture" => {
            let parts = read_list(source, objective, span, "parts", &["name", "weight"], |head: OfPart, objective| {
                MixedSettings { name: head.name, weight: head.weight, objective }
            })?;
            Ok(ObjectiveSettings::Mixture(Box::new(MixtureSettings { parts })))
        }
        "phases" => {
            let own = &["share", "learning_rate", "reset_optimizer"];
            let phases = read_list(source, objective, span, "phases", own, |head: OfPhase, objective| PhaseSettings {
                share: head.share,
                learning_rate: head.learning_rate,
                reset_optimizer: head.reset_optimizer,
                objective,
            })?;
            Ok(ObjectiveSettings::Phases(Box::new(PhasesSettings { phases })))
        }
        _ => read_with(source, objective, span, |table| ObjectiveSettings::read(&kind, table)),
    }
}

/// The entries of the only key of an objective that is made of others; `own` are the keys of an entry that are not its objective's.
fn read_list<'i, H: Deserialize<'i>, T>(
    source: &FileText,
    mut objective: DeTable<'i>,
    span: Range<usize>,
    key: &str,
    own: &[&str],
    made: impl Fn(H, ObjectiveSettings) -> T,
) -> Result<Vec<T>> {
    let example = format!("`objective` needs `{key}`, a list of tables with a `kind` each");
    let list = objective.remove(key).ok_or_else(|| source.error(Some(span), example))?;
    if let Some((other, _)) = objective.iter().next() {
        let known = crate::error::unknown("key", other.get_ref(), &["kind", key]);
        return Err(source.error(Some(other.span()), known));
    }
    let span = list.span();
    let DeValue::Array(entries) = list.into_inner() else {
        return Err(source.error(Some(span), format!("`{key}` must be a list of tables")));
    };
    let entry = |entry: Spanned<DeValue<'i>>| {
        let span = entry.span();
        let DeValue::Table(mut table) = entry.into_inner() else {
            return Err(source.error(Some(span), format!("an entry of `{key}` must be a table with a `kind`")));
        };
        let head: DeTable = own.iter().filter_map(|key| table.remove_entry(*key)).collect();
        let head = read_with(source, head, span.clone(), H::deserialize)?;
        Ok(made(head, read_objective(source, table, span)?))
    };
    entries.into_iter().map(entry).collect()
}
