//! Labels as rewards: a data set played as a one-step environment.

use crate::data::DataSet;
use lossward_envs::{Action, Env, Outcome, Rng};
use rand::Rng as _;
use std::sync::Arc;

/// A contextual bandit: the observation is a training input drawn uniformly, the action is a class, the reward is a score
/// of that class against the hidden label, and the episode is over.
#[derive(Clone)]
pub struct LabelsAsRewards {
    data: Arc<DataSet>,
    score: fn(u32, u32) -> f64,
    row: usize,
}

impl LabelsAsRewards {
    pub fn new(data: Arc<DataSet>, score: fn(u32, u32) -> f64) -> Self {
        LabelsAsRewards { data, score, row: 0 }
    }
}

impl Env for LabelsAsRewards {
    fn reset(&mut self, rng: &mut Rng) {
        self.row = rng.random_range(0..self.data.train.len());
    }

    fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
        Outcome { reward: (self.score)(action.index(), self.data.train.labels[self.row]), terminated: true }
    }

    fn observe(&self, out: &mut [f32]) {
        out.copy_from_slice(self.data.train.input(self.row));
    }
}
