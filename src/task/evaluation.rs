//! How well a network does, the same for every arm of an experiment.

use super::{Source, Task};
use crate::data::DataSet;
use crate::distribution::Probabilities;
use crate::metric::{self, ClassifierOutput, Metric, Value};
use crate::network::Network;
use crate::options::{Named, Options};
use crate::{Error, Result, Rng, distribution, stream};
use lossward_envs::Vectorized;
use std::sync::Arc;

/// The evaluation of one trial. Its streams are its own, so that evaluating more often never moves the training.
pub struct Evaluation {
    kind: Kind,
    logits: Vec<f32>,
}

enum Kind {
    /// Held-out examples: the metrics, the expected reward of the sampling policy, and its entropy.
    Held { data: Arc<DataSet>, metrics: Vec<Judging>, reward: fn(u32, u32) -> f64 },
    /// Whole episodes in copies of their own: the return of the sampling and of the deterministic policy.
    Episodes { env: Box<dyn Vectorized>, actions: usize, rng: Box<Rng> },
}

/// A metric with its options.
struct Judging {
    metric: &'static Metric,
    options: Options,
    label: String,
}

impl Judging {
    /// # Errors
    /// When the metric is unknown, does not judge classifiers, or its options don't fit.
    fn new(named: &Named) -> Result<Judging> {
        let metric = metric::find(&named.name)?;
        if !metric.judges_classifiers() {
            let fitting = metric::ALL.iter().filter(|metric| metric.judges_classifiers()).map(|metric| metric.name);
            let fitting = fitting.collect::<Vec<_>>().join(", ");
            let name = metric.name;
            return Err(Error::Argument(format!(
                "`{name}` judges {}, and this task has class labels; metrics that fit: {fitting}",
                metric.judge
            )));
        }
        let options = Options::new(metric.name, metric.options, &named.options)?;
        Ok(Judging { metric, options, label: named.label() })
    }

    /// One, or one per class: `precision(average=none)[2]`.
    fn columns(&self, classes: usize) -> Vec<String> {
        match self.metric.is_per_class(&self.options) {
            true => (0..classes).map(|class| format!("{}[{class}]", self.label)).collect(),
            false => vec![self.label.clone()],
        }
    }

    fn value(&self, output: &ClassifierOutput) -> Result<Value> {
        output.judged_by(self.metric, &self.options)
    }
}

impl Evaluation {
    /// # Errors
    /// When a metric is unknown, does not judge classifiers, or its options don't fit the task.
    pub fn new(task: &Task, metrics: &[Named], episodes: usize, seed: u64) -> Result<Self> {
        let kind = match &task.source {
            Source::DataSet(data) => Kind::Held {
                data: data.clone(),
                metrics: metrics.iter().map(Judging::new).collect::<Result<_>>()?,
                reward: super::reward_score("accuracy")?,
            },
            Source::Environment(spec) => Kind::Episodes {
                env: (spec.make)((0..episodes as u64).map(|i| stream(seed, "evaluation", i)).collect()),
                actions: spec.actions.size(),
                rng: Box::new(stream(seed, "evaluation policy", 0)),
            },
        };
        Ok(Evaluation { kind, logits: Vec::new() })
    }

    /// The columns that [`Self::of`] fills, in order; the first one decides which weights are the best.
    pub fn columns(&self) -> Vec<String> {
        match &self.kind {
            Kind::Held { data, metrics, .. } => {
                let followed = metrics.iter().filter(|judging| !judging.metric.is_drawn());
                let of_metrics = followed.flat_map(|judging| judging.columns(data.classes));
                of_metrics.chain(["reward".into(), "entropy".into()]).collect()
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
            Kind::Held { data, metrics, reward } => {
                let logits = &mut self.logits;
                network.infer(&data.test.inputs, data.test.len(), logits)?;
                let labels = &data.test.labels;
                let probabilities = Probabilities::of(logits, data.classes);
                let entropies = probabilities.entropies().iter().map(|entropy| f64::from(*entropy));
                let output = ClassifierOutput::new(logits, labels, data.classes);
                let mut row = Vec::new();
                for judging in metrics.iter().filter(|judging| !judging.metric.is_drawn()) {
                    row.extend(judging.value(&output)?.numbers());
                }
                row.push(metric::expected_score(*reward, logits, labels));
                row.push(entropies.sum::<f64>() / labels.len() as f64);
                Ok(row)
            }
            Kind::Episodes { env, actions, rng } => {
                let mut play = |rng: Option<&mut Rng>| play(env.as_mut(), *actions, network, &mut self.logits, rng);
                let deterministic = play(None)?;
                let sampled = play(Some(rng))?;
                Ok(vec![deterministic.total, sampled.total, sampled.length, sampled.entropy])
            }
        }
    }
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
    actions: usize,
    network: &Network,
    logits: &mut Vec<f32>,
    mut rng: Option<&mut Rng>,
) -> Result<Played> {
    env.reset();
    let copies = env.steps().copies;
    let mut ended = vec![false; copies];
    let mut chosen = vec![0; copies];
    let (mut total, mut steps, mut entropy) = (0.0, 0.0, 0.0);
    while ended.contains(&false) {
        network.infer(&env.steps().observations, copies, logits)?;
        let probabilities = Probabilities::of(logits, actions);
        for (copy, row) in logits.chunks_exact(actions).enumerate().filter(|(copy, _)| !ended[*copy]) {
            entropy += f64::from(probabilities.entropies()[copy]);
            steps += 1.0;
            chosen[copy] = match &mut rng {
                Some(rng) => probabilities.sample(copy, rng).0,
                None => distribution::mode(row),
            };
        }
        env.step(&chosen, &ended)?;
        for end in &env.steps().ends {
            ended[end.copy] = true;
            total += end.total_reward;
        }
    }
    let copies = copies as f64;
    Ok(Played { total: total / copies, length: steps / copies, entropy: entropy / steps })
}
