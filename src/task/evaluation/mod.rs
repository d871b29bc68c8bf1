//! How well a network does, the same for every arm of an experiment.

mod drift;
mod settings;

pub use settings::{Count, EvaluationSettings};

use super::judging::{Judging, infer_all, mean_entropy, numbers};
use super::predictions::{Predictions, rows_to_show};
use super::{Kind, Task, TaskSource};
use crate::data::{DataSet, Examples};
use crate::distribution::RawActions;
use crate::metric::{Drawn, Reward, TRAIN};
use crate::network::Network;
use crate::options::Named;
use crate::rollout::Once;
use crate::{Error, Result, Rng, stream};
use drift::Drift;
use lossward_envs::Vectorized;
use lossward_envs::wrapper::Purpose;
use std::sync::Arc;

/// Held-out rows that a head must have read nothing but zeros of before it counts as dead.
const ROWS_OF_ZEROS: usize = 16;

/// The evaluation of one trial. Its streams are its own, so that evaluating more often never moves the training.
pub struct Evaluation {
    of: Judgement,
    outputs: Vec<f32>,
}

enum Judgement {
    /// Held-out examples: the metrics, the expected reward (of real values: the reward of the prediction), and the policy's entropy.
    /// Other examples, too: those to train on as far as metrics ask for them, and further parts that are held out.
    Held {
        data: Arc<DataSet>,
        kind: Arc<dyn Kind>,
        metrics: Vec<Judging>,
        reward: Box<Reward>,
        proxy: Option<Box<Reward>>,
        drift: Option<Drift>,
        others: Vec<Part>,
        /// Held-out rows to look at.
        shown: Vec<usize>,
    },
    /// Whole episodes in copies of their own: the return of the sampling and of the deterministic policy.
    Episodes { env: Box<dyn Vectorized>, rng: Box<Rng> },
}

/// Examples besides the test part, with the metrics of them.
struct Part {
    examples: Arc<Examples>,
    metrics: Vec<Judging>,
}

impl Evaluation {
    /// # Errors
    /// When a metric is unknown, does not judge such targets, stands there twice, or its options don't fit; when the environment can't be
    /// had with these options; when a setting belongs to another kind of task. At the key that is to blame.
    pub fn new(task: &Task, settings: &EvaluationSettings, seed: u64) -> Result<Self> {
        let of = match &task.source {
            TaskSource::DataSet(data, kind) => held(data, kind, settings)?,
            TaskSource::Environment(environment) => {
                settings.check_of_environment()?;
                let judged = match &settings.options {
                    None => (**environment).clone(),
                    some => {
                        environment.with_options(some.as_ref()).map_err(|error| Error::setting("options", error))?
                    }
                };
                let rngs = (0..settings.episodes as u64).map(|i| stream(seed, "evaluation", i)).collect();
                Judgement::Episodes {
                    env: judged.copies(rngs, Purpose::Evaluation)?,
                    rng: Box::new(stream(seed, "evaluation policy", 0)),
                }
            }
        };
        Ok(Evaluation { of, outputs: Vec::new() })
    }

    /// The columns that [`Self::of`] fills, in order; the first one decides which weights are the best.
    pub fn columns(&self) -> Vec<String> {
        match &self.of {
            Judgement::Held { metrics, proxy, drift, others, .. } => {
                let of = |metrics: &[Judging]| {
                    metrics.iter().flat_map(|judging| judging.columns.iter().cloned()).collect::<Vec<_>>()
                };
                let policy = ["reward", "entropy"].into_iter().chain(proxy.as_ref().map(|_| "proxy"));
                let policy = policy.chain(drift.as_ref().map(|_| "root_kl_to_start")).map(String::from);
                let others = others.iter().flat_map(|part| of(&part.metrics));
                of(metrics).into_iter().chain(policy).chain(others).collect()
            }
            Judgement::Episodes { .. } => {
                ["deterministic_return", "return", "length", "entropy"].map(String::from).into()
            }
        }
    }

    /// Whether the first column is better when it is higher.
    pub fn higher_is_better(&self) -> bool {
        match &self.of {
            Judgement::Held { metrics, .. } => {
                metrics.iter().find_map(|judging| judging.metric.higher_is_better).unwrap_or(true)
            }
            Judgement::Episodes { .. } => true,
        }
    }

    /// Evaluates the network as it is now: each column with its value.
    pub fn of(&mut self, network: &Network) -> Result<Vec<(String, f64)>> {
        let values = self.values(network)?;
        Ok(self.columns().into_iter().zip(values).collect())
    }

    /// In the order of [`Self::columns`].
    fn values(&mut self, network: &Network) -> Result<Vec<f64>> {
        match &mut self.of {
            Judgement::Held { data, kind, metrics, reward, proxy, drift, others, .. } => {
                let outputs = &mut self.outputs;
                infer_all(network, &data.test, outputs)?;
                let mut row = numbers(metrics, &kind.judged(outputs, &data.test.targets)?)?;
                row.push(kind.mean_reward(reward, outputs, &data.test.targets));
                row.push(mean_entropy(network, outputs, data.test.len()));
                row.extend(proxy.iter().map(|proxy| kind.mean_reward(proxy, outputs, &data.test.targets)));
                if let Some(drift) = drift {
                    row.push(drift.root_kl(network, outputs, data.test.len())?);
                }
                for Part { examples, metrics } in others {
                    infer_all(network, examples, outputs)?;
                    row.extend(numbers(metrics, &kind.judged(outputs, &examples.targets)?)?);
                }
                Ok(row)
            }
            Judgement::Episodes { env, rng } => {
                let mut play = |rng: Option<&mut Rng>| play(env.as_mut(), network, &mut self.outputs, rng);
                let deterministic = play(None)?;
                let sampled = play(Some(rng))?;
                Ok(vec![deterministic.total, sampled.total, sampled.length, sampled.entropy])
            }
        }
    }
}

impl Evaluation {
    /// The metrics that are drawn, of the network as it is now, by their labels.
    pub fn drawn(&mut self, network: &Network) -> Result<Drawn> {
        let Judgement::Held { data, kind, metrics, .. } = &self.of else { return Ok(Drawn::default()) };
        let wanted: Vec<&Judging> = metrics.iter().filter(|judging| judging.columns.is_empty()).collect();
        if wanted.is_empty() {
            return Ok(Drawn::default());
        }
        infer_all(network, &data.test, &mut self.outputs)?;
        let output = kind.judged(&self.outputs, &data.test.targets)?;
        let value = |judging: &Judging| Ok((judging.label.clone(), judging.value(&output)?.thinned()));
        let values = wanted.into_iter().map(value).collect::<Result<_>>()?;
        Ok(Drawn { classes: data.target.names().to_vec(), values })
    }

    /// The heads of the network that read nothing but zeros of the first held-out examples; of none in an environment, where nothing is held out.
    pub fn heads_fed_zeros(&self, network: &Network) -> Result<Vec<&'static str>> {
        let Judgement::Held { data, .. } = &self.of else { return Ok(Vec::new()) };
        let rows = data.test.len().min(ROWS_OF_ZEROS);
        network.heads_fed_zeros(&data.test.inputs_of(0..rows), rows)
    }

    /// What the network as it is now predicts of the images to look at; nothing where none are asked for.
    pub fn predictions(&mut self, network: &Network) -> Result<Option<Predictions>> {
        let Judgement::Held { data, kind, shown, .. } = &self.of else { return Ok(None) };
        if shown.is_empty() {
            return Ok(None);
        }
        let examples = data.test.kept(shown);
        infer_all(network, &examples, &mut self.outputs)?;
        let overlaid = kind.overlaid(&self.outputs, &examples.targets)?;
        Ok(overlaid.map(|overlaid| Predictions::new(data, (shown, &examples), overlaid)))
    }
}

/// The held-out rows to look at.
fn shown(data: &DataSet, kind: &dyn Kind, count: usize) -> Result<Vec<usize>> {
    let rows = rows_to_show(data, count)?;
    let (outputs, targets) = kind.rehearsed();
    if !rows.is_empty() && kind.overlaid(&outputs, &targets)?.is_none() {
        let held = kind.in_words();
        let message = format!(
            "`predictions` shows classes, masks and boxes on images, and this data set has {held}; leave it out"
        );
        return Err(Error::setting("predictions", message));
    }
    Ok(rows)
}

fn held(data: &Arc<DataSet>, kind: &Arc<dyn Kind>, settings: &EvaluationSettings) -> Result<Judgement> {
    if settings.options.is_some() {
        return Err(Error::setting("options", "`options` of the evaluation are for environments"));
    }
    let judging = |metrics: &[Named], prefix: &str| -> Result<Vec<Judging>> {
        if let Some((_, metric)) = metrics.iter().enumerate().find(|(i, metric)| metrics[..*i].contains(metric)) {
            return Err(Error::Argument(format!("`{}` stands there twice", metric.label())));
        }
        metrics.iter().map(|named| Judging::new(named, kind.as_ref(), prefix)).collect()
    };
    let metrics = judging(&settings.metrics, "").map_err(|error| Error::setting("metrics", error))?;
    let first = metrics.iter().find(|judging| !judging.columns.is_empty());
    if let Some(Judging { metric, .. }) = first.filter(|judging| judging.metric.higher_is_better.is_none()) {
        let message =
            format!("`{}` is no better either way and can't decide; name another metric before it", metric.name);
        return Err(Error::setting("metrics", message));
    }
    let train_metrics = judging(settings.train_metrics.as_deref().unwrap_or_default(), TRAIN);
    let train_metrics = train_metrics.map_err(|error| Error::setting("train_metrics", error))?;
    if let Some(drawn) = train_metrics.iter().find(|judging| judging.metric.is_drawn()) {
        let name = drawn.metric.name;
        let message = format!("`{name}` is drawn, of the held-out examples alone: name it under `metrics`");
        return Err(Error::setting("train_metrics", message));
    }
    let reward = kind.reward(settings.reward.as_ref()).map_err(|error| Error::setting("reward", error))?.into();
    let proxy = settings.proxy.as_ref().map(|named| kind.reward(Some(named))).transpose();
    let proxy = proxy.map_err(|error| Error::setting("proxy", error))?.map(Box::new);
    let drift = settings.kl_to_start.then(Drift::default);
    let mut others = vec![Part { examples: data.train.clone(), metrics: train_metrics }];
    for (name, examples) in &data.further {
        let mut metrics = judging(&settings.metrics, &format!("{name}_"))?;
        metrics.retain(|judging| !judging.columns.is_empty());
        others.push(Part { examples: examples.clone(), metrics });
    }
    others.retain(|part| !part.metrics.is_empty());
    let shown = shown(data, kind.as_ref(), settings.predictions.unwrap_or(0))?;
    Ok(Judgement::Held { data: data.clone(), kind: kind.clone(), metrics, reward, proxy, drift, others, shown })
}

/// Means over episodes (entropy: over steps).
struct Played {
    total: f64,
    length: f64,
    entropy: f64,
}

/// Plays one whole episode in every copy: with sampled actions, or without a stream with the most likely ones.
fn play(
    env: &mut dyn Vectorized,
    network: &Network,
    outputs: &mut Vec<f32>,
    mut rng: Option<&mut Rng>,
) -> Result<Played> {
    env.reset();
    let (policy, copies) = (network.policy(), env.steps().copies);
    let mut once = Once::new(copies);
    let (mut actions, mut applied, mut log_probs) = (RawActions::default(), Vec::new(), Vec::new());
    let (mut total, mut steps, mut entropy) = (0.0, 0.0, 0.0);
    while !once.is_over() {
        network.infer_steps(env.steps(), outputs)?;
        let acting = policy.at(outputs);
        log_probs.clear();
        match &mut rng {
            Some(rng) => acting.sample(once.ended(), rng, &mut actions, &mut log_probs),
            None => acting.modes(copies, &mut actions),
        }
        for copy in once.playing() {
            entropy += acting.entropy(copy, &actions);
            steps += 1.0;
        }
        once.step(env, policy.applied(&actions, &mut applied))?;
        env.steps().ends.iter().for_each(|end| total += end.total_reward);
    }
    let copies = copies as f64;
    Ok(Played { total: total / copies, length: steps / copies, entropy: entropy / steps })
}
