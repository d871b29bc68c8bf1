//! The `objective` table of an arm: one of several kinds, each in files of its own.

use super::{ExpertSettings, Objective, PolicyGradientSettings, Probe, SupervisedSettings};
use crate::checks::Check;
use crate::network::NetworkSettings;
use crate::optimizer::OptimizerSettings;
use crate::task::{Expert, Task};
use crate::{Error, Result};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error as _};

macro_rules! kinds {
    ($($kind:ident($settings:ty) = $name:literal, $sentence:literal;)*) => {
        /// The settings of one kind.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "kind")]
        pub enum ObjectiveSettings {
            $(#[serde(rename = $name)] $kind(Box<$settings>)),*
        }

        /// The kinds of [`ObjectiveSettings`] with a sentence each, for `lossward list objectives`.
        pub const KINDS: &[(&str, &str)] = &[$(($name, $sentence)),*];

        /// What third counters of records count, in the order of the kinds.
        pub const ROUNDS: &[&str] = &[$(<$settings>::ROUNDS),*];

        impl ObjectiveSettings {
            pub fn kind(&self) -> &dyn ObjectiveKind {
                match self { $(ObjectiveSettings::$kind(settings) => settings.as_ref()),* }
            }

            /// Those of the kind of this name, from a table without its `kind`.
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
    Supervised(SupervisedSettings) = "supervised", "minimize a loss of labelled examples";
    PolicyGradient(PolicyGradientSettings) = "policy_gradient", "maximize the reward of sampled actions";
}

impl ObjectiveSettings {
    /// Whose policy it learns from, if it does.
    pub fn expert(&self) -> Option<&ExpertSettings> {
        match self {
            ObjectiveSettings::Supervised(settings) => settings.expert.as_ref(),
            _ => None,
        }
    }

    pub fn expert_mut(&mut self) -> Option<&mut ExpertSettings> {
        match self {
            ObjectiveSettings::Supervised(settings) => settings.expert.as_mut(),
            _ => None,
        }
    }
}

/// What is asked of the settings of every kind.
pub trait ObjectiveKind {
    /// What the third counter of its records counts: `epochs`.
    fn rounds(&self) -> &'static str;

    /// Columns of the terms of every [`ObjectiveValue`](super::ObjectiveValue), in order.
    fn terms(&self) -> Result<Vec<String>>;

    /// What its examples are, on a data set or in an environment: `labelled rows`.
    fn examples(&self, of_environment: bool) -> &'static str;

    /// Whether it learns from what its network does, rather than from labels.
    fn acts(&self) -> bool;

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

/// What an objective is built from, beside its own settings.
pub struct Parts<'a> {
    pub task: &'a Task,
    pub network: &'a NetworkSettings,
    pub optimizer: &'a OptimizerSettings,
    pub budget: u64,
    pub seed: u64,
    /// Of [`ObjectiveSettings::expert`].
    pub expert: Option<Expert>,
}
