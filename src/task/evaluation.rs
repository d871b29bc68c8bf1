//! How well a network does, the same for every arm of an experiment.

use super::{Source, Task};
use crate::data::DataSet;
use crate::distribution::{Probabilities, RawActions};
use crate::experiment::EvaluationSettings;
use crate::metric::{self, ClassifierOutput, Metric, Reward, Value};
use crate::network::Network;
use crate::options::{Named, Options};
use crate::record::Drawn;
use crate::{Error, Result, Rng, stream};
use lossward_envs::Vectorized;
use lossward_envs::wrapper::Purpose;
use std::sync::Arc;

/// The evaluation of one trial. Its streams are its own, so that evaluating more often never moves the training.
pub struct Evaluation {
    kind: Kind,
    outputs: Vec<f32>,
}

enum Kind {
    /// Held-out examples: the metrics, the expected reward of the sampling policy, and its entropy.
    /// The training examples, too, as far as metrics ask for them.
    Held { data: Arc<DataSet>, metrics: Vec<Judging>, reward: Reward, train_metrics: Vec<Judging> },
    /// Whole episodes in copies of their own: the return of the sampling and of the deterministic policy.
    Episodes { env: Box<dyn Vectorized>, rng: Box<Rng> },
}

/// A metric with its options.
struct Judging {
    metric: &'static Metric,
    options: Options,
    label: String,
    /// One, or one per class: `precision(average=none)[2]`; none of a metric that is drawn.
    columns: Vec<String>,
}

impl Judging {
    /// # Errors
    /// When the metric is unknown, does not judge classifiers, or its options don't fit.
    fn new(named: &Named, classes: usize, prefix: &str) -> Result<Judging> {
        let metric = metric::find(&named.name)?;
        if !metric.judges_classifiers() {
            let fitting = metric::ALL.iter().filter(|metric| metric.judges_classifiers()).map(|metric| metric.name);
            let fitting = fitting.collect::<Vec<_>>().join(", ");
            let (name, judge) = (metric.name, metric.judge);
            return Err(Error::Argument(format!(
                "`{name}` judges {judge}, and this task has class labels; metrics that fit: {fitting}"
            )));
        }
        let options = Options::new(metric.name, metric.options, &named.options)?;
        let mut judging = Judging { metric, options, label: format!("{prefix}{}", named.label()), columns: Vec::new() };
        // One example of each class tells what comes out, before anything is trained.
        let (logits, labels) = (vec![0.0; classes * classes], (0..classes as u32).collect::<Vec<u32>>());
        let label = &judging.label;
        judging.columns = match judging.value(&ClassifierOutput::new(&logits, &labels, classes))? {
            Value::Number(_) => vec![label.clone()],
            Value::PerClass(list) => list.iter().map(|of| format!("{label}[{}]", of.class)).collect(),
            Value::Counts(_) | Value::Curves(_) | Value::Bins(_) => Vec::new(),
        };
        Ok(judging)
    }

    fn value(&self, output: &ClassifierOutput) -> Result<Value> {
        output.judged_by(self.metric, &self.options)
    }
}

impl Evaluation {
    /// # Errors
    /// When a metric is unknown, does not judge classifiers, or its options don't fit the task; when the environment can't
    /// be had with these options.
    pub fn new(task: &Task, settings: &EvaluationSettings, seed: u64) -> Result<Self> {
        let kind = match &task.source {
            Source::DataSet(data) => {
                let judging = |metrics: &[Named], prefix| {
                    metrics.iter().map(|named| Judging::new(named, data.classes, prefix)).collect::<Result<_>>()
                };
                let accuracy = Named::plain("accuracy");
                Kind::Held {
                    data: data.clone(),
                    metrics: judging(&settings.metrics, "")?,
                    train_metrics: judging(settings.train_metrics.as_deref().unwrap_or_default(), "train_")?,
                    reward: Reward::new(settings.reward.as_ref().unwrap_or(&accuracy), data.classes)?,
                }
            }
            Source::Environment(environment) => {
                let judged = environment.with_options(settings.options.as_ref())?;
                let rngs = (0..settings.episodes as u64).map(|i| stream(seed, "evaluation", i)).collect();
                Kind::Episodes {
                    env: judged.copies(rngs, Purpose::Evaluation)?,
                    rng: Box::new(stream(seed, "evaluation policy", 0)),
                }
            }
        };
        Ok(Evaluation { kind, outputs: Vec::new() })
    }

    /// The columns that [`Self::of`] fills, in order; the first one decides which weights are the best.
    pub fn columns(&self) -> Vec<String> {
        match &self.kind {
            Kind::Held { metrics, train_metrics, .. } => {
                let of = |metrics: &[Judging]| {
                    metrics.iter().flat_map(|judging| judging.columns.iter().cloned()).collect::<Vec<_>>()
                };
                let policy = ["reward".into(), "entropy".into()];
                of(metrics).into_iter().chain(policy).chain(of(train_metrics)).collect()
            }
            Kind::Episodes { .. } => ["deterministic_return", "return", "length", "entropy"].map(String::from).into(),
        }
    }

    /// Whether the first column is better when it is higher.
    pub fn higher_is_better(&self) -> bool {
        match &self.kind {
            Kind::Held { metrics, .. } => {
                metrics.iter().find_map(|judging| judging.metric.higher_is_better).unwrap_or(true)
            }
            Kind::Episodes { .. } => true,
        }
    }

    /// Evaluates the network as it is now.
    pub fn of(&mut self, network: &Network) -> Result<Vec<f64>> {
        match &mut self.kind {
            Kind::Held { data, metrics, reward, train_metrics } => {
                let logits = &mut self.outputs;
                network.infer(&data.test.inputs, data.test.len(), logits)?;
                let labels = &data.test.labels;
                let mut row = numbers(metrics, &ClassifierOutput::new(logits, labels, data.classes))?;
                let probabilities = Probabilities::of(logits, data.classes);
                let entropies = probabilities.entropies().iter().map(|entropy| f64::from(*entropy));
                row.push(metric::expected_reward(reward, logits, labels));
                row.push(entropies.sum::<f64>() / labels.len() as f64);
                if !train_metrics.is_empty() {
                    network.infer(&data.train.inputs, data.train.len(), logits)?;
                    row.extend(numbers(
                        train_metrics,
                        &ClassifierOutput::new(logits, &data.train.labels, data.classes),
                    )?);
                }
                Ok(row)
            }
            Kind::Episodes { env, rng } => {
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
        let Kind::Held { data, metrics, .. } = &self.kind else { return Ok(Drawn::new()) };
        let wanted: Vec<&Judging> = metrics.iter().filter(|judging| judging.columns.is_empty()).collect();
        if wanted.is_empty() {
            return Ok(Drawn::new());
        }
        network.infer(&data.test.inputs, data.test.len(), &mut self.outputs)?;
        let output = ClassifierOutput::new(&self.outputs, &data.test.labels, data.classes);
        wanted.into_iter().map(|judging| Ok((judging.label.clone(), judging.value(&output)?.thinned()))).collect()
    }
}

/// The values of all columns of these metrics.
fn numbers(metrics: &[Judging], output: &ClassifierOutput) -> Result<Vec<f64>> {
    let of_one = |judging: &Judging| Ok(judging.value(output)?.numbers());
    let with_columns = metrics.iter().filter(|judging| !judging.columns.is_empty());
    Ok(with_columns.map(of_one).collect::<Result<Vec<_>>>()?.concat())
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
    let mut ended = vec![false; copies];
    let (mut actions, mut applied, mut log_probs) = (RawActions::default(), Vec::new(), Vec::new());
    let (mut total, mut steps, mut entropy) = (0.0, 0.0, 0.0);
    while ended.contains(&false) {
        network.infer_steps(env.steps(), outputs)?;
        let acting = policy.at(outputs);
        log_probs.clear();
        match &mut rng {
            Some(rng) => acting.sample(&ended, rng, &mut actions, &mut log_probs),
            None => acting.modes(copies, &mut actions),
        }
        for copy in (0..copies).filter(|copy| !ended[*copy]) {
            entropy += acting.entropy(copy, &actions);
            steps += 1.0;
        }
        env.step(policy.applied(&actions, &mut applied), &ended)?;
        for end in &env.steps().ends {
            ended[end.copy] = true;
            total += end.total_reward;
        }
    }
    let copies = copies as f64;
    Ok(Played { total: total / copies, length: steps / copies, entropy: entropy / steps })
}
