//! Episodes of the most likely actions.

use super::Once;
use crate::Result;
use crate::distribution::RawActions;
use crate::network::Network;
use lossward_envs::Vectorized;

/// Plays one whole episode in every copy with the most likely actions. Returns the discounted return of each, `[copies]`, and
/// the steps that were taken.
pub fn greedy_returns(env: &mut dyn Vectorized, policy: &Network, discount: f32) -> Result<(Vec<f32>, u64)> {
    env.reset();
    let copies = env.steps().copies;
    let mut once = Once::new(copies);
    let (mut returns, mut weights) = (vec![0.0; copies], vec![1.0; copies]);
    let (mut outputs, mut actions, mut applied) = (Vec::new(), RawActions::default(), Vec::new());
    let mut steps = 0;
    while !once.is_over() {
        steps += once.playing().count() as u64;
        policy.infer_steps(env.steps(), &mut outputs)?;
        policy.policy().at(&outputs).modes(copies, &mut actions);
        once.step(env, policy.policy().applied(&actions, &mut applied))?;
        let left = env.steps();
        for copy in 0..copies {
            // A paused copy earns 0.
            returns[copy] += weights[copy] * left.rewards[copy];
            weights[copy] *= discount;
        }
    }
    Ok((returns, steps))
}
