//! One of several classes.

use super::{Answer, Comparison, Kind, foreign};
use crate::data::Targets;
use crate::loss::{Inputs, Loss};
use crate::metric::{ClassifierOutput, Judged, Metric, Reward, expected_reward};
use crate::network::Outputs;
use crate::options::Named;
use crate::task::predictions::{Overlaid, Overlay, rounded};
use crate::{Error, Result, distribution};
use candle_core::{Device, Tensor};
use lossward_envs::{Action, Space};

/// Outputs are logits, one per class.
pub(super) struct Class {
    pub names: Vec<String>,
}

impl Kind for Class {
    fn in_words(&self) -> &'static str {
        "class labels"
    }

    fn classes(&self) -> Option<usize> {
        Some(self.names.len())
    }

    fn actions(&self) -> Space {
        Space::Discrete(self.names.len() as u32)
    }

    fn outputs(&self) -> Outputs {
        Outputs::Classes { names: self.names.clone() }
    }

    fn fits_loss(&self, loss: &Loss) -> bool {
        loss.trains_classifiers()
    }

    fn compared(&self) -> &'static str {
        "a network's scores with class labels"
    }

    fn comparison<'a>(&'a self, outputs: &Tensor, targets: &Targets) -> Result<Comparison<'a>> {
        let labels = targets.labels().ok_or_else(foreign)?;
        let inputs = Inputs::pair(outputs, &Tensor::new(labels, &Device::Cpu)?);
        Ok(Box::new(move |loss, options| loss.of_classifier(&inputs, options)))
    }

    fn fits_metric(&self, metric: &Metric) -> bool {
        metric.judges_classifiers()
    }

    fn usual_metrics(&self) -> &'static [&'static str] {
        &["accuracy", "cross_entropy"]
    }

    fn judged<'a>(&self, outputs: &'a [f32], targets: &'a Targets) -> Result<Judged<'a>> {
        let labels = targets.labels().ok_or_else(foreign)?;
        Ok(Judged::Classifier(ClassifierOutput::new(outputs, labels, self.names.len())))
    }

    fn overlaid(&self, outputs: &[f32], targets: &Targets) -> Result<Option<Vec<Overlaid>>> {
        let labels = targets.labels().ok_or_else(foreign)?;
        let of = |(logits, label): (&[f32], &u32)| {
            let class = distribution::mode(logits) as usize;
            let score = distribution::log_probs(logits).nth(class).map(|log_prob| rounded(log_prob.exp()));
            let truth = Overlay::Class { class: *label as usize, score: None };
            Overlaid { truth, predicted: Overlay::Class { class, score } }
        };
        Ok(Some(outputs.chunks_exact(self.names.len()).zip(labels).map(of).collect()))
    }

    fn rehearsed(&self) -> (Vec<f32>, Targets) {
        let classes = self.names.len();
        (vec![0.0; classes * classes], Targets::Classes((0..classes as u32).collect()))
    }

    fn reward(&self, named: Option<&Named>) -> Result<Reward> {
        Reward::of_class(named, self.names.len())
    }

    fn training_reward(&self, named: Option<&Named>, together: bool) -> Result<Reward> {
        match together {
            true => Err(Error::setting(
                "together",
                "`together` is for boxes; classes are rewarded together where their metric asks for it",
            )),
            false => Reward::of_classes(named, self.names.len()),
        }
    }

    fn earned_together(&self, reward: &Reward, answers: &[Answer]) -> f64 {
        let (chosen, labels) = of_batch(answers);
        reward.of_batch(self.names.len(), &chosen, &labels)
    }

    fn gains_together(&self, reward: &Reward, answers: &[Answer]) -> Vec<f64> {
        let (chosen, labels) = of_batch(answers);
        reward.gains_of_batch(self.names.len(), &chosen, &labels)
    }

    fn gains(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> Vec<f64> {
        let labels = targets.labels().unwrap_or_default();
        reward.gains_of_class(self.names.len(), action.index(), labels[row])
    }

    fn earned(&self, reward: &Reward, action: Action, targets: &Targets, row: usize) -> f64 {
        reward.of(f64::from(action.index()), targets.number(row))
    }

    fn mean_reward(&self, reward: &Reward, outputs: &[f32], targets: &Targets) -> f64 {
        targets.labels().map_or(f64::NAN, |labels| expected_reward(reward, outputs, labels))
    }
}

/// The chosen classes and the labels.
fn of_batch(answers: &[Answer]) -> (Vec<u32>, Vec<u32>) {
    answers.iter().map(|(chosen, targets)| (chosen[0], targets.labels().map_or(0, |labels| labels[0]))).unzip()
}
