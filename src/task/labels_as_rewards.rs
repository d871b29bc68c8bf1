//! Labels as rewards: a data set played as a one-step environment.

use super::kind::{self, Kind};
use crate::data::DataSet;
use crate::metric::Reward;
use lossward_envs::{Action, Bound, Copies, Dims, Env, Outcome, Rng, Space, Vectorized};
use rand::Rng as _;
use std::sync::Arc;

/// A contextual bandit: the observation is a training input drawn uniformly, the action is a class or a standardized value, the
/// reward is what it earns for the hidden target, and the episode is over.
#[derive(Clone)]
struct LabelsAsRewards {
    data: Arc<DataSet>,
    kind: Arc<dyn Kind>,
    reward: Reward,
    row: usize,
}

/// Copies, one per stream.
pub fn copies(data: &Arc<DataSet>, reward: Reward, rngs: Vec<Rng>) -> Box<dyn Vectorized> {
    let kind = kind::of(&data.target);
    let actions = kind.actions();
    let envs = vec![LabelsAsRewards { data: data.clone(), kind, reward, row: 0 }; rngs.len()];
    let observations =
        Space::Box { shape: Dims::of(&data.shape), low: Bound::All(f32::MIN), high: Bound::All(f32::MAX) };
    Box::new(Copies::new("labels as rewards", (observations, actions), None, envs, rngs))
}

impl Env for LabelsAsRewards {
    fn reset(&mut self, rng: &mut Rng) {
        self.row = rng.random_range(0..self.data.train.len());
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        let train = &self.data.train;
        let reward = self.reward.of(self.kind.decision(action), train.targets.number(self.row));
        Outcome { reward, terminated: true }
    }

    fn observe(&self, out: &mut [f32]) {
        self.data.train.write_input(self.row, out);
    }
}
