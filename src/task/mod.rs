//! What is learned: a data set or an environment, with its evaluation, and the two adaptors that close the square between
//! labels and rewards.

mod credit;
mod credited;
mod environment;
mod evaluation;
mod judging;
pub mod kind;
mod labels_as_rewards;
mod predictions;
mod rewards_as_labels;
mod usage;

pub use credit::{Credit, Payment};
pub use environment::{BestExpectedReturn, DEFAULT_MAX_STEPS, Environment, find_environment, four_decimals};
pub use evaluation::{Count, Evaluation, EvaluationSettings};
pub use kind::{DetectorSettings, Kind};
pub use predictions::{OverlaidBox, Overlay, Predictions, Verdict};
pub use rewards_as_labels::Expert;

use crate::data::{Augmentation, DataSet, DataSetSettings, Examples, Imbalance, Interventions};
use crate::distribution::{Policy, PolicySettings};
use crate::metric::Reward;
use crate::options::{Given, Named};
use crate::{Error, Result, Rng};
use lossward_envs::wrapper::{Purpose, WrapperStatistics, Wrappers};
use lossward_envs::{Space, Vectorized};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The `[task]` table of an experiment: one of `dataset` and `env`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DataSetSettings>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// Of the environment or of the data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Given>,
    /// Rows of a data set to train on, drawn for every seed without replacement; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_rows: Option<usize>,
    /// A class of a data set that becomes rare among the training rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imbalance: Option<Imbalance>,
    /// Share of the training targets of a data set that become wrong: another class, each as likely, or the value of another row.
    /// Held-out targets stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_noise: Option<f64>,
    /// Whether rewards are paid by the targets as they were before `label_noise`, so that labels are wrong and rewards are not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clean_rewards: bool,
    /// Steps after which an episode is truncated, instead of the environment's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u32>,
    /// Of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrappers: Option<Wrappers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
    /// How training images of a data set are changed at random, with what is predicted of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<Augmentation>,
    /// How boxes of a data set are found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<DetectorSettings>,
}

impl TaskSettings {
    fn interventions(&self) -> Interventions {
        let permuted = self.control == Some(Control::PermutedLabels);
        let TaskSettings { train_rows, imbalance, label_noise, .. } = *self;
        Interventions { train_rows, imbalance, label_noise, permuted }
    }

    /// The data set with the same training rows and their own targets, where rewards are paid by those.
    fn without_noise(&self, seed: u64) -> Result<Option<DataSet>> {
        let Some(dataset) = self.dataset.as_ref().filter(|_| self.clean_rewards) else { return Ok(None) };
        if self.label_noise.is_none() {
            let message = "`clean_rewards` needs a `label_noise`, such as 0.2; without it labels and rewards agree";
            return Err(Error::setting("clean_rewards", message));
        }
        let clean = Interventions { label_noise: None, ..self.interventions() };
        dataset.load(self.options.as_ref(), &clean, seed).map(Some)
    }

    /// A key that belongs to the other kind of task, and which that is.
    fn stranger(&self) -> Option<(&'static str, &'static str)> {
        let of_environments = [("max_steps", self.max_steps.is_some()), ("wrappers", self.wrappers.is_some())];
        let of_data_sets = [
            ("train_rows", self.train_rows.is_some()),
            ("imbalance", self.imbalance.is_some()),
            ("label_noise", self.label_noise.is_some()),
            ("clean_rewards", self.clean_rewards),
            ("augmentation", self.augmentation.is_some()),
            ("detector", self.detector.is_some()),
        ];
        let (strangers, place): (&[_], _) = match self.env {
            None => (&of_environments, "environments"),
            Some(_) => (&of_data_sets, "data sets"),
        };
        strangers.iter().find(|(_, given)| *given).map(|(key, _)| (*key, place))
    }
}

/// A negative control: training gets a signal that carries no information, evaluation stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Training targets are permuted over the examples (data sets).
    PermutedLabels,
    /// Rewards are standard normal draws (environments).
    RandomReward,
}

/// A task, ready to train on.
#[derive(Clone)]
pub struct Task {
    pub source: TaskSource,
    pub control: Option<Control>,
    augmentation: Option<Augmentation>,
    /// What rewards are paid by, where that is not what labels are read from.
    rewarded: Option<Arc<DataSet>>,
}

const ONE_OF_TWO: &str = "a task has one of `dataset` and `env`, not both and not neither";

/// Where a task's batches come from.
#[derive(Clone)]
pub enum TaskSource {
    /// With the kind of its target.
    DataSet(Arc<DataSet>, Arc<dyn Kind>),
    Environment(Box<Environment>),
}

impl Task {
    /// Loads the task for one trial; `seed` draws what is done to the training part of a data set.
    ///
    /// # Errors
    /// When it can't be had like this; at the key that is to blame.
    pub fn load(settings: &TaskSettings, seed: u64) -> Result<Task> {
        let source = match (&settings.dataset, &settings.env) {
            (Some(dataset), None) => {
                let data = dataset.load(settings.options.as_ref(), &settings.interventions(), seed)?;
                if let Some(augmentation) = &settings.augmentation {
                    augmentation.check(&data.shape).map_err(|error| error.under("augmentation"))?;
                }
                let kind = kind::of(&data, settings.detector.as_ref())?;
                if let Some(augmentation) = &settings.augmentation {
                    kind.check_augmentation(augmentation, &data)?;
                }
                TaskSource::DataSet(Arc::new(data), kind)
            }
            (None, Some(id)) => TaskSource::Environment(Box::new(Environment::new(id, settings)?)),
            (Some(_), Some(_)) => return Err(Error::setting("env", ONE_OF_TWO)),
            (None, None) => return Err(Error::setting("dataset", ONE_OF_TWO)),
        };
        if let Some((key, place)) = settings.stranger() {
            let this = if settings.env.is_some() { "an environment" } else { "a data set" };
            return Err(Error::setting(key, format!("`{key}` is for {place}, and this task is {this}")));
        }
        match (settings.control, &source) {
            (Some(Control::PermutedLabels), TaskSource::Environment(_)) => {
                Err(Error::setting("control", "`control = \"permuted_labels\"` needs a data set"))
            }
            (Some(Control::RandomReward), TaskSource::DataSet(..)) => {
                Err(Error::setting("control", "`control = \"random_reward\"` needs an environment"))
            }
            (control, _) => {
                let rewarded = settings.without_noise(seed)?.map(Arc::new);
                Ok(Task { source, control, augmentation: settings.augmentation, rewarded })
            }
        }
    }

    /// The same task, whose wrappers go on from what they have learned so far by themselves: neither tells the other what it learns.
    ///
    /// # Errors
    /// When what they have learned is not finite.
    pub fn apart(&self) -> Result<Task> {
        match &self.source {
            TaskSource::DataSet(..) => Ok(self.clone()),
            TaskSource::Environment(environment) => {
                Ok(Task { source: TaskSource::Environment(Box::new(environment.apart()?)), ..self.clone() })
            }
        }
    }

    /// The task of other settings, in this one's environment where it is one: with what its wrappers have learned.
    ///
    /// # Errors
    /// As of [`Self::load`].
    pub fn beside(&self, settings: &TaskSettings, seed: u64) -> Result<Task> {
        match &self.source {
            TaskSource::DataSet(..) => Task::load(settings, seed),
            TaskSource::Environment(_) => Ok(Task { control: settings.control, ..self.clone() }),
        }
    }

    /// The data set that rewards are paid by, where labels are read from another.
    pub fn rewarded(&self) -> Option<&Arc<DataSet>> {
        self.rewarded.as_ref()
    }

    /// The shape of one input: `[features]` or `[channels, height, width]`.
    pub fn input_shape(&self) -> Vec<usize> {
        match &self.source {
            TaskSource::DataSet(data, _) => data.shape.clone(),
            TaskSource::Environment(environment) => environment.observations.shape(),
        }
    }

    /// What is chosen from: classes, real values or actions.
    pub fn actions(&self) -> Space {
        match &self.source {
            TaskSource::DataSet(_, kind) => kind.actions(),
            TaskSource::Environment(environment) => environment.actions,
        }
    }

    /// How the outputs of a network of these settings are read.
    ///
    /// # Errors
    /// When the settings don't fit what is chosen from.
    pub fn policy(&self, settings: Option<&PolicySettings>) -> Result<Policy> {
        match &self.source {
            TaskSource::DataSet(_, kind) => kind.policy(settings),
            TaskSource::Environment(environment) => Policy::new(environment.actions, settings),
        }
    }

    /// How training images are changed, if they are.
    pub fn augmentation(&self) -> Option<Augmentation> {
        self.augmentation
    }

    /// What the environment's wrappers learn, where a network's inputs or rewards depend on it.
    pub fn statistics(&self) -> Option<&WrapperStatistics> {
        match &self.source {
            TaskSource::DataSet(..) => None,
            TaskSource::Environment(environment) => environment.statistics(),
        }
    }

    /// What examples are labelled with. An environment's are labelled with its actions.
    ///
    /// # Errors
    /// When an action is no class.
    pub fn kind(&self) -> Result<Arc<dyn Kind>> {
        match &self.source {
            TaskSource::DataSet(_, kind) => Ok(kind.clone()),
            TaskSource::Environment(environment) => match environment.actions {
                Space::Discrete(n) => Ok(kind::of_classes((0..n).map(|action| action.to_string()).collect())),
                other => Err(Error::Argument(format!(
                    "a supervised arm needs class labels, which actions in {other} are not"
                ))),
            },
        }
    }

    /// Labelled examples to train on. An environment's come from an expert ("rewards as labels").
    pub fn examples(&self, expert: Option<&Expert>) -> Result<Arc<Examples>> {
        match (&self.source, expert) {
            (TaskSource::DataSet(data, _), None) => Ok(data.train.clone()),
            (TaskSource::Environment(environment), Some(expert)) => {
                let actions = self.kind()?.classes().unwrap_or_default();
                Ok(Arc::new(expert.demonstrate(environment, actions)?))
            }
            (TaskSource::DataSet(..), Some(_)) => {
                Err(Error::Argument("a data set has labels; it needs no `expert`".into()))
            }
            (TaskSource::Environment(_), None) => {
                Err(Error::Argument("an environment has no labels; name an `expert` that gives them".into()))
            }
        }
    }

    /// What chosen actions are paid on a data set: the metric that is named, accuracy or mse without one, of the answers to a batch `together` or where
    /// the metric asks for it; nothing in an environment, which pays itself.
    ///
    /// # Errors
    /// When an environment is to pay by a metric, or the metric can't reward what is chosen here.
    pub fn reward(&self, named: Option<&Named>, together: bool) -> Result<Option<Reward>> {
        match (&self.source, named) {
            (TaskSource::Environment(_), _) if together => {
                Err(Error::setting("together", "`together` is for rewards of a data set; an environment pays its own"))
            }
            (TaskSource::Environment(_), None) => Ok(None),
            (TaskSource::Environment(environment), Some(_)) => {
                let id = environment.spec.id;
                Err(Error::Argument(format!("{id} has rewards of its own; `reward` is for data sets")))
            }
            (TaskSource::DataSet(_, kind), _) => kind.training_reward(named, together).map(Some),
        }
    }

    /// Whether a reward of [`Self::reward`] can be credited so.
    ///
    /// # Errors
    /// When it can't; at `credit`.
    pub fn check_credit(&self, reward: Option<&Reward>, credit: Credit) -> Result<()> {
        match (&self.source, reward) {
            (TaskSource::DataSet(_, kind), Some(reward)) => credit.check(kind.as_ref(), reward),
            _ if credit.is_whole() => Ok(()),
            _ => Err(Error::setting("credit", "`credit` is for rewards of a data set; an environment pays its own")),
        }
    }

    /// Copies to learn in, one per stream. A data set becomes a one-step environment ("labels as rewards") that pays by
    /// [`Self::reward`]. Returns are normalized by this discount, where they are.
    pub fn environments(&self, payment: &Payment, discount: f64, rngs: Vec<Rng>) -> Result<Box<dyn Vectorized>> {
        match (&self.source, &payment.reward) {
            (TaskSource::Environment(environment), _) => environment.copies(rngs, Purpose::Training { discount }),
            (TaskSource::DataSet(data, kind), reward) => {
                let data = self.rewarded().unwrap_or(data);
                let reward = reward.clone().map_or_else(|| kind.training_reward(None, false), Ok)?;
                Ok(labels_as_rewards::copies((data, kind), (reward, payment), self.augmentation, rngs))
            }
        }
    }
}
