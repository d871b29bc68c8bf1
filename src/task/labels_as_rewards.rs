//! Labels as rewards: a data set played as a one-step environment.

use super::Kind;
use crate::data::{Augmentation, DataSet, Targets};
use crate::metric::Reward;
use lossward_envs::{Action, Bound, Copies, Dims, Env, Outcome, Rng, Space, Vectorized};
use rand::Rng as _;
use std::sync::Arc;

/// A contextual bandit: the observation is a training input drawn uniformly, the action is a class, a standardized value, or
/// a choice at every place of an image, the reward is what it earns for the hidden target, and the episode is over.
#[derive(Clone)]
struct LabelsAsRewards {
    data: Arc<DataSet>,
    kind: Arc<dyn Kind>,
    reward: Reward,
    augmentation: Option<Augmentation>,
    row: usize,
    /// The input and the target of the row as they are changed, if they are.
    changed: Option<(Vec<f32>, Targets)>,
}

/// Copies, one per stream.
pub fn copies(
    (data, kind): (&Arc<DataSet>, &Arc<dyn Kind>),
    (reward, augmentation): (Reward, Option<Augmentation>),
    rngs: Vec<Rng>,
) -> Box<dyn Vectorized> {
    let actions = kind.actions();
    let env = LabelsAsRewards { data: data.clone(), kind: kind.clone(), reward, augmentation, row: 0, changed: None };
    let envs = vec![env; rngs.len()];
    let observations =
        Space::Box { shape: Dims::of(&data.shape), low: Bound::All(f32::MIN), high: Bound::All(f32::MAX) };
    Box::new(Copies::new("labels as rewards", (observations, actions), None, envs, rngs))
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
        let reward = self.kind.earned(&self.reward, action, targets, row);
        Outcome { reward, terminated: true }
    }

    fn observe(&self, out: &mut [f32]) {
        match &self.changed {
            Some((input, _)) => out.copy_from_slice(input),
            None => self.data.train.write_input(self.row, out),
        }
    }
}
