//! Rewards as labels: the episodes of an expert become a data set.

use super::Environment;
use crate::data::{Examples, InputValues, Targets};
use crate::network::Network;
use crate::rollout::Once;
use crate::{Result, distribution, stream};
use lossward_envs::Actions;
use lossward_envs::wrapper::Purpose;

/// A policy whose most likely actions are taken as labels.
pub struct Expert {
    pub network: Network,
    /// Episodes to demonstrate.
    pub episodes: usize,
    /// Of the trial; the expert plays in streams of its own.
    pub seed: u64,
}

impl Expert {
    /// Plays whole episodes with the most likely action and keeps every `(observation, action)`; there are so many actions.
    pub fn demonstrate(&self, environment: &Environment, actions: usize) -> Result<Examples> {
        let rngs = (0..self.episodes as u64).map(|i| stream(self.seed, "expert", i)).collect();
        let mut env = environment.copies(rngs, Purpose::Evaluation)?;
        let mut logits = Vec::new();
        let mut once = Once::new(self.episodes);
        let (mut inputs, mut labels) = (Vec::new(), Vec::new());
        while !once.is_over() {
            let steps = env.steps();
            self.network.infer_steps(steps, &mut logits)?;
            let actions: Vec<u32> = logits.chunks_exact(actions).map(distribution::mode).collect();
            for (copy, observation) in steps.observations.chunks_exact(steps.features).enumerate() {
                if !once.ended()[copy] {
                    inputs.extend_from_slice(observation);
                    labels.push(actions[copy]);
                }
            }
            once.step(env.as_mut(), Actions::Indices(&actions))?;
        }
        Ok(Examples::new(InputValues::Numbers(inputs), Targets::Classes(labels)))
    }
}
