//! A real number.

use super::{Comparison, Kind, foreign};
use crate::Result;
use crate::data::{Scale, Targets};
use crate::loss::{Inputs, Loss};
use crate::metric::{Judged, Metric, RealValues, Reward};
use crate::network::Outputs;
use crate::options::Named;
use candle_core::{Device, Tensor};
use lossward_envs::{Action, Bound, Dims, Space};

/// Outputs are the mean of the standardized value and, behind it, the logarithm of a standard deviation.
pub(super) struct Value {
    pub column: String,
    pub logarithm: bool,
    pub scale: Scale,
}

impl Kind for Value {
    fn in_words(&self) -> &'static str {
        "real values"
    }

    fn classes(&self) -> Option<usize> {
        None
    }

    fn actions(&self) -> Space {
        Space::Box { shape: Dims::of(&[1]), low: Bound::All(f32::MIN), high: Bound::All(f32::MAX) }
    }

    fn outputs(&self) -> Outputs {
        let Scale { mean, deviation } = self.scale;
        Outputs::Value { name: self.column.clone(), mean, deviation, logarithm: self.logarithm }
    }

    fn fits_loss(&self, loss: &Loss) -> bool {
        loss.trains_values()
    }

    fn compared(&self) -> &'static str {
        "a network's prediction with a real value"
    }

    /// Of the mean, and of the variance where the loss takes one.
    fn comparison<'a>(&'a self, outputs: &Tensor, targets: &Targets) -> Result<Comparison<'a>> {
        let values = targets.values().ok_or_else(foreign)?;
        let targets = vec![Tensor::from_slice(values, (values.len(), 1), &Device::Cpu)?];
        let outputs = outputs.clone();
        Ok(Box::new(move |loss, options| {
            let mean = outputs.narrow(1, 0, 1)?;
            let predictions = match loss.predictions.len() {
                1 => vec![mean],
                _ => vec![mean, (outputs.narrow(1, 1, 1)? * 2.0)?.exp()?],
            };
            (loss.per_example)(&Inputs { predictions, targets: targets.clone() }, options)
        }))
    }

    fn fits_metric(&self, metric: &Metric) -> bool {
        metric.judges_values()
    }

    fn usual_metrics(&self) -> &'static [&'static str] {
        &["r2", "rmse"]
    }

    /// In the target's own unit.
    fn judged<'a>(&self, outputs: &'a [f32], targets: &'a Targets) -> Result<Judged<'a>> {
        let values = targets.values().ok_or_else(foreign)?;
        let predicted: Vec<f64> = means(outputs, values.len()).map(|z| self.scale.restored(z)).collect();
        let truth: Vec<f64> = values.iter().map(|z| self.scale.restored(*z)).collect();
        Ok(Judged::Values(RealValues::new(predicted, truth, 1)?))
    }

    fn rehearsed(&self) -> (Vec<f32>, Targets) {
        (vec![0.0], Targets::Values(vec![0.0]))
    }

    fn reward(&self, named: Option<&Named>) -> Result<Reward> {
        Reward::of_value(named)
    }

    fn earned(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> f64 {
        reward.of(f64::from(action.values()[0]), targets.number(row))
    }

    /// Both standardized.
    fn mean_reward(&self, reward: &Reward, outputs: &[f32], targets: &Targets) -> f64 {
        let values = targets.values().unwrap_or_default();
        let earned = means(outputs, values.len()).zip(values).map(|(z, y)| reward.of(z.into(), (*y).into()));
        earned.sum::<f64>() / values.len() as f64
    }
}

/// The first output of each row.
fn means(outputs: &[f32], rows: usize) -> impl Iterator<Item = f32> + '_ {
    outputs.iter().step_by(outputs.len() / rows.max(1)).copied()
}
