//! Metrics of a network's outputs on the examples of a data set.

use super::Kind;
use crate::data::Examples;
use crate::distribution::RawActions;
use crate::metric::{self, Judged, Metric, Value};
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
    pub fn new(named: &Named, kind: &dyn Kind, prefix: &str) -> Result<Judging> {
        let metric = metric::find(&named.name)?;
        if !kind.fits_metric(metric) {
            let fitting = metric::all().filter(|metric| kind.fits_metric(metric)).map(|metric| metric.name);
            let fitting = fitting.collect::<Vec<_>>().join(", ");
            let (name, judge, held) = (metric.name, metric.judge, kind.in_words());
            return Err(Error::Argument(format!(
                "`{name}` judges {judge}, and this task has {held}; metrics that fit: {fitting}"
            )));
        }
        let options = Options::new(metric.name, metric.options, &named.options)?;
        let label = format!("{prefix}{}", named.label());
        let (outputs, targets) = kind.rehearsed();
        let columns = match kind.judged(&outputs, &targets)?.by(metric, &options)? {
            Value::Number(_) => vec![label.clone()],
            Value::PerClass(list) => list.iter().map(|of| format!("{label}[{}]", of.class)).collect(),
            Value::Counts(_) | Value::Curves(_) | Value::Bins(_) => Vec::new(),
        };
        Ok(Judging { metric, options, label, columns })
    }

    pub fn value(&self, output: &Judged) -> Result<Value> {
        output.by(self.metric, &self.options)
    }
}

/// The values of all columns of these metrics.
pub(super) fn numbers(metrics: &[Judging], output: &Judged) -> Result<Vec<f64>> {
    let of_one = |judging: &Judging| Ok(judging.value(output)?.numbers());
    let with_columns = metrics.iter().filter(|judging| !judging.columns.is_empty());
    Ok(with_columns.map(of_one).collect::<Result<Vec<_>>>()?.concat())
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
    if let Some(inputs) = examples.inputs_as_they_lie() {
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
