//! Labels as rewards: a data set played as a one-step environment.

use super::credited::Credited;
use super::kind::Answer;
use super::{Credit, Kind, Payment};
use crate::data::{Augmentation, DataSet, Targets};
use crate::metric::Reward;
use lossward_envs::{Action, Bound, Copies, Dims, Env, Outcome, Rng, Space, Vectorized};
use rand::Rng as _;
use std::sync::Arc;

/// A contextual bandit: the observation is a training input drawn uniformly, the action is a class, a standardized value, or
/// a choice at every place of an image, the reward is what it earns for the hidden target, and the episode is over.
#[derive(Clone)]
pub struct LabelsAsRewards {
    data: Arc<DataSet>,
    kind: Arc<dyn Kind>,
    reward: Reward,
    credit: Credit,
    augmentation: Option<Augmentation>,
    row: usize,
    /// The input and the target of the row as they are changed, if they are.
    changed: Option<(Vec<f32>, Targets)>,
    /// Of the last action: of each option what would be gained by it, or of each choice what it earned.
    credits: Vec<f64>,
    /// The last action with its target, where a batch of them is rewarded together.
    answer: Option<Answer>,
}

/// Copies, one per stream, that are paid `reward`.
pub fn copies(
    (data, kind): (&Arc<DataSet>, &Arc<dyn Kind>),
    (reward, payment): (Reward, &Payment),
    augmentation: Option<Augmentation>,
    rngs: Vec<Rng>,
) -> Box<dyn Vectorized> {
    let actions = kind.actions();
    // The part of the only choice is the whole reward.
    let is_alone = payment.credit == Credit::Decision && actions.width() == 1;
    let credit = if is_alone { Credit::Whole } else { payment.credit };
    let env = LabelsAsRewards {
        data: data.clone(),
        kind: kind.clone(),
        reward: reward.clone(),
        credit,
        augmentation,
        row: 0,
        changed: None,
        credits: Vec::new(),
        answer: None,
    };
    let envs = vec![env; rngs.len()];
    let observations =
        Space::Box { shape: Dims::of(&data.shape), low: Bound::All(f32::MIN), high: Bound::All(f32::MAX) };
    let copies = Copies::new("labels as rewards", (observations, actions), None, envs, rngs);
    match credit.is_whole() && !reward.is_of_batches() {
        true => Box::new(copies),
        false => Box::new(Credited::new(copies, (kind.clone(), reward), payment)),
    }
}

impl LabelsAsRewards {
    pub fn credits(&self) -> &[f64] {
        &self.credits
    }

    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }
}

impl Env for LabelsAsRewards {
    fn reset(&mut self, rng: &mut Rng) {
        let LabelsAsRewards { data, augmentation, row, changed, .. } = self;
        *row = rng.random_range(0..data.train.len());
        *changed = augmentation.map(|augmentation| augmentation.augmented(&data.train, &[*row], &data.shape, rng));
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        let (targets, row) = match &self.changed {
            Some((_, targets)) => (targets, 0),
            None => (&self.data.train.targets, self.row),
        };
        if self.reward.is_of_batches() {
            let numbers = match action {
                Action::Index(index) => vec![index],
                _ => action.indices().to_vec(),
            };
            self.answer = Some((numbers, targets.kept(&[row])));
            return Outcome { reward: 0.0, terminated: true };
        }
        let reward = self.kind.earned(&self.reward, action, targets, row);
        match self.credit {
            Credit::Whole => {}
            Credit::Counterfactual => self.credits = self.kind.gains(&self.reward, action, targets, row),
            Credit::Decision => self.credits = self.kind.parts(&self.reward, action, targets, row),
        }
        Outcome { reward, terminated: true }
    }

    fn observe(&self, out: &mut [f32]) {
        match &self.changed {
            Some((input, _)) => out.copy_from_slice(input),
            None => self.data.train.write_input(self.row, out),
        }
    }
}
