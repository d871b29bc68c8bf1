//! What is learned: a data set or an environment, with its evaluation, and the two adaptors that close the square between
//! labels and rewards.

mod environment;
mod evaluation;
mod labels_as_rewards;
mod rewards_as_labels;

pub use environment::{BestReturn, DEFAULT_MAX_STEPS, Environment, find_environment, four_decimals};
pub use evaluation::Evaluation;
pub use rewards_as_labels::Expert;

use crate::data::{self, DataSet, Examples};
use crate::metric::Reward;
use crate::options::{Given, Named, Options};
use crate::{Error, Result, Rng, stream};
use lossward_envs::wrapper::{Purpose, WrapperStatistics, Wrappers};
use lossward_envs::{Space, Vectorized};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The `[task]` table of an experiment: one of `dataset` and `env`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// Of the environment or of the data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Given>,
    /// Share of the training labels of a data set that become another class, each as likely; held-out labels stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_noise: Option<f64>,
    /// Steps after which an episode is truncated, instead of the environment's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u32>,
    /// Of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrappers: Option<Wrappers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
}

/// A negative control: training gets a signal that carries no information, evaluation stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Training labels are permuted over the examples (data sets).
    PermutedLabels,
    /// Rewards are standard normal draws (environments).
    RandomReward,
}

/// A task, ready to train on.
#[derive(Clone)]
pub struct Task {
    pub source: Source,
    pub control: Option<Control>,
}

/// Where a task's batches come from.
#[derive(Clone)]
pub enum Source {
    DataSet(Arc<DataSet>),
    Environment(Box<Environment>),
}

impl Task {
    /// Loads the task for one trial; `seed` permutes the labels of the control.
    pub fn load(settings: &TaskSettings, seed: u64) -> Result<Task> {
        let source = match (&settings.dataset, &settings.env) {
            (Some(name), None) => {
                let row = data::find(name)?;
                let options = Options::new(row.name, row.options, &settings.options.clone().unwrap_or_default())?;
                let mut data = (row.load)(&options)?;
                if let Some(share) = settings.label_noise {
                    data.spoil_labels(share, &mut stream(seed, "label noise", 0))?;
                }
                if settings.control == Some(Control::PermutedLabels) {
                    data.train.labels.shuffle(&mut stream(seed, "control", 0));
                }
                Source::DataSet(Arc::new(data))
            }
            (None, Some(id)) => Source::Environment(Box::new(Environment::new(id, settings)?)),
            _ => return Err(Error::Argument("a task has one of `dataset` and `env`, not both and not neither".into())),
        };
        let of_environments = [("max_steps", settings.max_steps.is_some()), ("wrappers", settings.wrappers.is_some())];
        if let (Source::DataSet(_), Some((key, _))) = (&source, of_environments.iter().find(|(_, given)| *given)) {
            return Err(Error::Argument(format!("`{key}` is for environments, and this task is a data set")));
        }
        if let (Source::Environment(_), Some(_)) = (&source, settings.label_noise) {
            return Err(Error::Argument("`label_noise` is for data sets, and this task is an environment".into()));
        }
        match (settings.control, &source) {
            (Some(Control::PermutedLabels), Source::Environment(_)) => {
                Err(Error::Argument("`control = \"permuted_labels\"` needs a data set".into()))
            }
            (Some(Control::RandomReward), Source::DataSet(_)) => {
                Err(Error::Argument("`control = \"random_reward\"` needs an environment".into()))
            }
            (control, _) => Ok(Task { source, control }),
        }
    }

    /// The shape of one input: `[features]` or `[channels, height, width]`.
    pub fn input_shape(&self) -> Vec<usize> {
        match &self.source {
            Source::DataSet(data) => data.shape.clone(),
            Source::Environment(environment) => environment.observations.shape(),
        }
    }

    /// What is chosen from: classes or actions.
    pub fn actions(&self) -> Space {
        match &self.source {
            Source::DataSet(data) => Space::Discrete(data.classes as u32),
            Source::Environment(environment) => environment.actions,
        }
    }

    /// What the environment's wrappers learn, where a network's inputs or rewards depend on it.
    pub fn statistics(&self) -> Option<&WrapperStatistics> {
        match &self.source {
            Source::DataSet(_) => None,
            Source::Environment(environment) => environment.statistics(),
        }
    }

    /// The number of classes that an example's label is one of.
    ///
    /// # Errors
    /// When an action is no class.
    pub fn classes(&self) -> Result<usize> {
        match self.actions() {
            Space::Discrete(n) => Ok(n as usize),
            other => {
                Err(Error::Argument(format!("a supervised arm needs class labels, which actions in {other} are not")))
            }
        }
    }

    /// Labelled examples to train on. An environment's come from an expert ("rewards as labels").
    pub fn examples(&self, expert: Option<&Expert>) -> Result<Examples> {
        match (&self.source, expert) {
            (Source::DataSet(data), None) => Ok(data.train.clone()),
            (Source::Environment(environment), Some(expert)) => expert.demonstrate(environment, self.classes()?),
            (Source::DataSet(_), Some(_)) => Err(Error::Argument("a data set has labels; it needs no `expert`".into())),
            (Source::Environment(_), None) => {
                Err(Error::Argument("an environment has no labels; name an `expert` that gives them".into()))
            }
        }
    }

    /// Copies to learn in, one per stream. A data set becomes a one-step environment ("labels as rewards") whose reward is
    /// the metric named `reward`, accuracy without one. Returns are normalized by this discount, where they are.
    pub fn environments(&self, reward: Option<&Named>, discount: f64, rngs: Vec<Rng>) -> Result<Box<dyn Vectorized>> {
        match (&self.source, reward) {
            (Source::Environment(environment), None) => environment.copies(rngs, Purpose::Training { discount }),
            (Source::Environment(environment), Some(_)) => {
                let id = environment.spec.id;
                Err(Error::Argument(format!("{id} has rewards of its own; `reward` is for data sets")))
            }
            (Source::DataSet(data), _) => {
                let accuracy = Named::plain("accuracy");
                let reward = Reward::new(reward.unwrap_or(&accuracy), data.classes)?;
                Ok(labels_as_rewards::copies(data, reward, rngs))
            }
        }
    }
}
