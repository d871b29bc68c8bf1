//! The `objective` table of an arm: one of several kinds, each in files of its own.

use super::{
    ExpertSettings, MixtureSettings, Objective, PhasesSettings, PolicyGradientSettings, Probe, SupervisedSettings,
};
use crate::checks::Check;
use crate::network::NetworkSettings;
use crate::optimizer::OptimizerSettings;
use crate::task::{Expert, Task};
use crate::{Error, Result};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error as _};

/// Those that stand alone, whose settings are read from their table, and those made of others, whose parts are read one by one.
macro_rules! kinds {
    (alone { $($kind:ident($settings:ty) = $name:literal, $sentence:literal;)* }
     of_others { $($composite:ident($of_others:ty) = $called:literal, $meaning:literal;)* }) => {
        /// The settings of one kind.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "kind")]
        pub enum ObjectiveSettings {
            $(#[serde(rename = $name)] $kind(Box<$settings>),)*
            $(#[serde(rename = $called)] $composite(Box<$of_others>)),*
        }

        /// The kinds of [`ObjectiveSettings`] with a sentence each, for `lossward list objectives`.
        pub const KINDS: &[(&str, &str)] = &[$(($name, $sentence),)* $(($called, $meaning)),*];

        /// What third counters of records count, in the order of the kinds.
        pub const ROUNDS: &[&str] = &[$(<$settings>::ROUNDS,)* PhasesSettings::ROUNDS];

        impl ObjectiveSettings {
            pub fn kind(&self) -> &dyn ObjectiveKind {
                match self {
                    $(ObjectiveSettings::$kind(settings) => settings.as_ref(),)*
                    $(ObjectiveSettings::$composite(settings) => settings.as_ref()),*
                }
            }

            /// How the kind is called.
            pub fn kind_name(&self) -> &'static str {
                match self {
                    $(ObjectiveSettings::$kind(_) => $name,)*
                    $(ObjectiveSettings::$composite(_) => $called),*
                }
            }

            /// Those of the kind of this name that stands alone, from a table without its `kind`.
            ///
            /// # Errors
            /// When there is no such kind, or they are not its settings.
            pub fn read<'de, D: Deserializer<'de>>(kind: &str, table: D) -> std::result::Result<Self, D::Error> {
                match kind {
                    $($name => Deserialize::deserialize(table).map(ObjectiveSettings::$kind),)*
                    _ => Err(D::Error::unknown_variant(kind, &[$($name),*])),
                }
            }
        }
    };
}

kinds! {
    alone {
        Supervised(SupervisedSettings) = "supervised", "minimize a loss of labelled examples";
        PolicyGradient(PolicyGradientSettings) = "policy_gradient", "maximize the reward of sampled actions";
    }
    of_others {
        Mixture(MixtureSettings) = "mixture", "several of these at once, each with its weight";
        Phases(PhasesSettings) = "phases", "several of these one after the other, each for its share of the budget";
    }
}

impl ObjectiveSettings {
    /// The objectives that it is made of, and the key of their list.
    fn parts(&self) -> (&'static str, Vec<&ObjectiveSettings>) {
        match self {
            ObjectiveSettings::Mixture(mixture) => {
                ("parts", mixture.parts.iter().map(|part| &part.objective).collect())
            }
            ObjectiveSettings::Phases(phases) => {
                ("phases", phases.phases.iter().map(|phase| &phase.objective).collect())
            }
            _ => ("", Vec::new()),
        }
    }

    fn parts_mut(&mut self) -> (&'static str, Vec<&mut ObjectiveSettings>) {
        match self {
            ObjectiveSettings::Mixture(mixture) => {
                ("parts", mixture.parts.iter_mut().map(|part| &mut part.objective).collect())
            }
            ObjectiveSettings::Phases(phases) => {
                ("phases", phases.phases.iter_mut().map(|phase| &mut phase.objective).collect())
            }
            _ => ("", Vec::new()),
        }
    }

    /// Examples after which one of its phases follows another, with this budget.
    pub fn turns(&self, budget: u64) -> Vec<u64> {
        let ObjectiveSettings::Phases(phases) = self else { return Vec::new() };
        let mut ends = phases.ends(budget);
        ends.pop();
        ends.retain(|end| (1..budget).contains(end));
        ends.dedup();
        ends
    }

    /// The experts that it learns from, each with its place in the arm.
    pub fn experts(&self) -> Vec<(String, &ExpertSettings)> {
        let own = match self {
            ObjectiveSettings::Supervised(settings) => settings.expert.as_ref(),
            _ => None,
        };
        let (key, parts) = self.parts();
        let of_parts = parts.into_iter().enumerate().flat_map(|(i, part)| {
            part.experts().into_iter().map(move |(place, expert)| (placed(&place, key, i), expert))
        });
        own.map(|expert| (EXPERT.to_string(), expert)).into_iter().chain(of_parts).collect()
    }

    pub fn experts_mut(&mut self) -> Vec<(String, &mut ExpertSettings)> {
        if let ObjectiveSettings::Supervised(settings) = self {
            return settings.expert.iter_mut().map(|expert| (EXPERT.to_string(), expert)).collect();
        }
        let (key, parts) = self.parts_mut();
        let of_parts = parts.into_iter().enumerate().flat_map(|(i, part)| {
            part.experts_mut().into_iter().map(move |(place, expert)| (placed(&place, key, i), expert))
        });
        of_parts.collect()
    }
}

const EXPERT: &str = "objective.expert";

/// A place in an objective, as seen from the arm when that objective is one of a list.
pub(super) fn placed(place: &str, list: &str, i: usize) -> String {
    let inside = place.strip_prefix("objective").unwrap_or(place);
    format!("objective.{list}.{i}{inside}")
}

/// What is asked of the settings of every kind. Faults stand at their keys, as seen from an arm whose `objective` they are.
pub trait ObjectiveKind {
    /// What the third counter of its records counts: `epochs`.
    fn rounds(&self) -> &'static str;

    /// Columns of the terms of every [`ObjectiveValue`](super::ObjectiveValue), in order.
    fn terms(&self) -> Result<Vec<String>>;

    /// What its examples are, on a data set or in an environment: `labelled rows`.
    fn examples(&self, of_environment: bool) -> &'static str;

    /// Whether it learns from what its network does, rather than from labels.
    fn acts(&self) -> bool;

    /// Whether a policy acts or learns by the running statistics of its batch normalization, on a data set or in an environment.
    fn lags(&self, _of_data_set: bool) -> bool {
        false
    }

    /// Whether the settings make sense; a fault stands at its key, as seen from the arm.
    fn check(&self, of: &Checked) -> Check;

    fn build(&self, parts: Parts) -> Result<Box<dyn Objective>>;

    /// The same objective at examples, or in episodes, of whoever asks.
    ///
    /// # Errors
    /// When it can't be had so.
    fn probe(&self, _parts: &Parts) -> Result<Probe> {
        Err(Error::Argument("the gradients of this kind of objective can't be looked at".into()))
    }
}

/// What settings are checked with.
pub struct Checked<'a> {
    pub task: &'a Task,
    pub budget: u64,
    /// Whether the arm of this name, which stands at the path, can be learned from.
    pub teacher: &'a dyn Fn(&str, &str) -> Check,
}

impl Checked<'_> {
    /// Checks an objective that is one of a list, with its share of the budget.
    pub(super) fn part(&self, settings: &ObjectiveSettings, (list, i): (&str, usize), budget: u64) -> Check {
        settings.kind().check(&Checked { budget, ..*self }).map_err(|error| match error {
            Error::Setting { key, message } => Error::Setting { key: placed(&key, list, i), message },
            other => Error::setting(&placed("objective", list, i), other),
        })
    }
}

/// What an objective is built from, beside its own settings.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    pub task: &'a Task,
    pub network: &'a NetworkSettings,
    pub optimizer: &'a OptimizerSettings,
    pub budget: u64,
    pub seed: u64,
    /// Makes an expert of its settings.
    pub expert: &'a dyn Fn(&ExpertSettings) -> Result<Expert>,
}
