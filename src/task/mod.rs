//! What is learned: a data set or an environment, with its evaluation, and the two adaptors that close the square between
//! labels and rewards.

mod evaluation;
mod labels_as_rewards;
mod rewards_as_labels;

pub use evaluation::Evaluation;
pub use rewards_as_labels::Expert;

use crate::data::{self, DataSet, Examples};
use crate::{Error, Result, Rng, stream};
use labels_as_rewards::LabelsAsRewards;
use lossward_envs::{Bound, Copies, Dims, Space, Spec, Vectorized};
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
    Environment(&'static Spec),
}

impl Task {
    /// Loads the task for one trial; `seed` permutes the labels of the control.
    pub fn load(settings: &TaskSettings, seed: u64) -> Result<Task> {
        let source = match (&settings.dataset, &settings.env) {
            (Some(name), None) => {
                let mut data = (data::find(name)?.load)()?;
                if settings.control == Some(Control::PermutedLabels) {
                    data.train.labels.shuffle(&mut stream(seed, "control", 0));
                }
                Source::DataSet(Arc::new(data))
            }
            (None, Some(id)) => Source::Environment(find_environment(id)?),
            _ => return Err(Error::Argument("a task has one of `dataset` and `env`, not both and not neither".into())),
        };
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
            Source::Environment(spec) => spec.observations.shape(),
        }
    }

    /// What is chosen from: classes or actions.
    pub fn actions(&self) -> Space {
        match &self.source {
            Source::DataSet(data) => Space::Discrete(data.classes as u32),
            Source::Environment(spec) => spec.actions,
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
            (Source::Environment(spec), Some(expert)) => expert.demonstrate(spec, self.classes()?),
            (Source::DataSet(_), Some(_)) => Err(Error::Argument("a data set has labels; it needs no `expert`".into())),
            (Source::Environment(_), None) => {
                Err(Error::Argument("an environment has no labels; name an `expert` that gives them".into()))
            }
        }
    }

    /// Copies to act in, one per stream. A data set becomes a one-step environment ("labels as rewards") whose reward is
    /// the metric named `reward`.
    pub fn environments(&self, reward: Option<&str>, rngs: Vec<Rng>) -> Result<Box<dyn Vectorized>> {
        match (&self.source, reward) {
            (Source::Environment(spec), None) => Ok(spec.make_default(rngs)),
            (Source::Environment(spec), Some(_)) => {
                Err(Error::Argument(format!("{} has rewards of its own; `reward` is for data sets", spec.id)))
            }
            (Source::DataSet(data), _) => {
                let score = reward_score(reward.unwrap_or("accuracy"))?;
                let envs = vec![LabelsAsRewards::new(data.clone(), score); rngs.len()];
                let observations =
                    Space::Box { shape: Dims::of(&data.shape), low: Bound::All(f32::MIN), high: Bound::All(f32::MAX) };
                let spaces = (observations, Space::Discrete(data.classes as u32));
                Ok(Box::new(Copies::new("labels as rewards", spaces, None, envs, rngs)))
            }
        }
    }
}

/// The built-in environment `id`, or an error with the nearest one.
pub fn find_environment(id: &str) -> Result<&'static Spec> {
    lossward_envs::find(id).ok_or_else(|| {
        let known: Vec<&str> = lossward_envs::all().map(|spec| spec.id).collect();
        Error::Argument(crate::error::unknown("environment", id, &known))
    })
}

/// The metric `name` as the reward of a chosen class.
pub fn reward_score(name: &str) -> Result<fn(u32, u32) -> f64> {
    crate::metric::find(name)?.reward.ok_or_else(|| {
        let fitting: Vec<&str> =
            crate::metric::ALL.iter().filter(|metric| metric.reward.is_some()).map(|metric| metric.name).collect();
        Error::Argument(format!(
            "`{name}` judges many decisions at once and can't reward a single class; use {}",
            fitting.join(", ")
        ))
    })
}
