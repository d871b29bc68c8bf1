//! Metrics of a network's outputs on the examples of a data set.

use crate::data::{Examples, InputValues, Target, Targets};
use crate::distribution::RawActions;
use crate::metric::{self, ClassifierOutput, Judge, Metric, RealValues, Reward, Value};
use crate::network::Network;
use crate::options::{Named, Options};
use crate::{Error, Result};

/// A metric with its options.
pub(super) struct Judging {
    pub metric: &'static Metric,
    options: Options,
    pub label: String,
    /// One, or one per class: `precision(average=none)[2]`; none of a metric that is drawn.
    pub columns: Vec<String>,
}

impl Judging {
    /// # Errors
    /// When the metric is unknown, does not judge such targets, or its options don't fit.
    pub fn new(named: &Named, target: &Target, prefix: &str) -> Result<Judging> {
        let metric = metric::find(&named.name)?;
        let (fits, held): (fn(&Metric) -> bool, &str) = match target {
            Target::Class { .. } => (Metric::judges_classifiers, "class labels"),
            Target::Value { .. } => (|metric| matches!(metric.judge, Judge::Values(_)), "real values"),
        };
        if !fits(metric) {
            let fitting = metric::ALL.iter().filter(|metric| fits(metric)).map(|metric| metric.name);
            let fitting = fitting.collect::<Vec<_>>().join(", ");
            let (name, judge) = (metric.name, metric.judge);
            return Err(Error::Argument(format!(
                "`{name}` judges {judge}, and this task has {held}; metrics that fit: {fitting}"
            )));
        }
        let options = Options::new(metric.name, metric.options, &named.options)?;
        let mut judging = Judging { metric, options, label: format!("{prefix}{}", named.label()), columns: Vec::new() };
        let label = &judging.label;
        judging.columns = match target.classes() {
            None => vec![label.clone()],
            Some(classes) => {
                // One example of each class tells what comes out, before anything is trained.
                let (logits, labels) = (vec![0.0; classes * classes], (0..classes as u32).collect::<Vec<u32>>());
                let output = Judged::Classes(ClassifierOutput::new(&logits, &labels, classes));
                match judging.value(&output)? {
                    Value::Number(_) => vec![label.clone()],
                    Value::PerClass(list) => list.iter().map(|of| format!("{label}[{}]", of.class)).collect(),
                    Value::Counts(_) | Value::Curves(_) | Value::Bins(_) => Vec::new(),
                }
            }
        };
        Ok(judging)
    }

    pub fn value(&self, output: &Judged) -> Result<Value> {
        match (output, &self.metric.judge) {
            (Judged::Classes(output), _) => output.judged_by(self.metric, &self.options),
            (Judged::Values { predictions, targets }, Judge::Values(value)) => {
                value(&RealValues::new(predictions, targets, 1)?, &self.options)
            }
            (Judged::Values { .. }, judge) => {
                Err(Error::Argument(format!("`{}` judges {judge}, not real values", self.metric.name)))
            }
        }
    }
}

/// The values of all columns of these metrics.
pub(super) fn numbers(metrics: &[Judging], output: &Judged) -> Result<Vec<f64>> {
    let of_one = |judging: &Judging| Ok(judging.value(output)?.numbers());
    let with_columns = metrics.iter().filter(|judging| !judging.columns.is_empty());
    Ok(with_columns.map(of_one).collect::<Result<Vec<_>>>()?.concat())
}

/// A network's outputs beside what is true.
pub(super) enum Judged<'a> {
    Classes(ClassifierOutput<'a>),
    /// In the target's own unit.
    Values {
        predictions: Vec<f64>,
        targets: Vec<f64>,
    },
}

impl<'a> Judged<'a> {
    /// `outputs` is `[examples, outputs]`; of a prediction of real values the first one is read.
    pub fn new(outputs: &'a [f32], examples: &'a Examples, target: &Target) -> Judged<'a> {
        match (&examples.targets, target) {
            (Targets::Values(values), Target::Value { scale, .. }) => Judged::Values {
                predictions: predictions(outputs, values.len()).map(|z| scale.restored(z)).collect(),
                targets: values.iter().map(|z| scale.restored(*z)).collect(),
            },
            (Targets::Classes(labels), target) => {
                Judged::Classes(ClassifierOutput::new(outputs, labels, target.classes().unwrap_or_default()))
            }
            (Targets::Values(_), Target::Class { .. }) => unreachable!("a data set's targets are of its kind"),
        }
    }
}

fn predictions(outputs: &[f32], rows: usize) -> impl Iterator<Item = f32> + '_ {
    outputs.iter().step_by(outputs.len() / rows).copied()
}

/// The mean reward of these outputs: what a policy that samples its class earns, computed without sampling; of real values
/// what the prediction itself earns, both standardized.
pub(super) fn mean_reward(reward: &Reward, outputs: &[f32], targets: &Targets) -> f64 {
    match targets {
        Targets::Classes(labels) => metric::expected_reward(reward, outputs, labels),
        Targets::Values(values) => {
            let earned = predictions(outputs, values.len()).zip(values).map(|(z, y)| reward.of(z.into(), (*y).into()));
            earned.sum::<f64>() / values.len() as f64
        }
    }
}

/// The mean entropy of the policy over these outputs, in nats.
pub(super) fn mean_entropy(network: &Network, outputs: &[f32], rows: usize) -> f64 {
    let acting = network.policy().at(outputs);
    let mut modes = RawActions::default();
    acting.modes(rows, &mut modes);
    (0..rows).map(|row| acting.entropy(row, &modes)).sum::<f64>() / rows as f64
}

/// Rows of bytes that are unpacked at a time.
const CHUNK: usize = 1024;

/// The network's outputs for all examples, `[examples, outputs]`.
pub(super) fn infer_all(network: &Network, examples: &Examples, outputs: &mut Vec<f32>) -> Result<()> {
    if let InputValues::Numbers(inputs) = &examples.inputs {
        return network.infer(inputs, examples.len(), outputs);
    }
    outputs.clear();
    let mut of_chunk = Vec::new();
    for first in (0..examples.len()).step_by(CHUNK) {
        let rows = first..(first + CHUNK).min(examples.len());
        network.infer(&examples.inputs_of(rows.clone()), rows.len(), &mut of_chunk)?;
        outputs.extend_from_slice(&of_chunk);
    }
    Ok(())
}
