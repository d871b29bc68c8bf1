//! Copies of a data set whose choices are credited one by one, or whose decisions are rewarded together.

use super::kind::Answer;
use super::labels_as_rewards::LabelsAsRewards;
use super::{Credit, Kind, Payment};
use crate::metric::Reward;
use lossward_envs::{Actions, Copies, Rng, Scene, Space, StepError, Steps, Vectorized};
use std::num::NonZeroU32;
use std::sync::Arc;

/// After every step it says what single choices earned ([`Steps::credits`]): gains, `[copies, Σ options]`, or parts, `[copies, width]`; zeros for copies
/// that pause. A reward of batches is paid to all copies of a batch.
pub struct Credited {
    copies: Copies<LabelsAsRewards>,
    kind: Arc<dyn Kind>,
    reward: Reward,
    credit: Credit,
    group_size: usize,
}

impl Credited {
    pub fn new(copies: Copies<LabelsAsRewards>, (kind, reward): (Arc<dyn Kind>, Reward), payment: &Payment) -> Self {
        Credited { copies, kind, reward, credit: payment.credit, group_size: payment.group_size.max(1) }
    }

    /// What the copies say themselves.
    fn collect_credits(&mut self, paused: &[bool]) {
        let width = match self.credit {
            Credit::Counterfactual => self.copies.actions().size(),
            _ => self.copies.actions().width(),
        };
        let mut credits = std::mem::take(&mut self.copies.steps_mut().credits);
        credits.clear();
        for copy in 0..self.copies.steps().copies {
            match paused.get(copy) {
                Some(true) => credits.resize(credits.len() + width, 0.0),
                _ => credits.extend(self.copies.env(copy).credits().iter().map(|credit| *credit as f32)),
            }
        }
        self.copies.steps_mut().credits = credits;
    }

    /// Pays each batch: the copies that stand at one place in their groups.
    fn pay_batches(&mut self, paused: &[bool]) -> Result<(), StepError> {
        let (copies, options) = (self.copies.steps().copies, self.copies.actions().size());
        if self.credit == Credit::Counterfactual {
            let credits = &mut self.copies.steps_mut().credits;
            credits.clear();
            credits.resize(copies * options, 0.0);
        }
        for first in 0..self.group_size.min(copies) {
            let members = (first..copies).step_by(self.group_size).filter(|copy| paused.get(*copy) != Some(&true));
            let members: Vec<usize> = members.collect();
            let answers = members.iter().filter_map(|copy| self.copies.env(*copy).answer().cloned());
            let answers: Vec<Answer> = answers.collect();
            let reward = self.kind.earned_together(&self.reward, &answers);
            if !reward.is_finite() {
                let step = 1;
                return Err(StepError::Reward { env: self.id(), copy: first, step, reward });
            }
            let steps = self.copies.steps_mut();
            members.iter().for_each(|copy| steps.rewards[*copy] = reward as f32);
            let ends = steps.ends.iter_mut().filter(|end| members.contains(&end.copy));
            ends.for_each(|end| end.total_reward = reward);
            if self.credit == Credit::Counterfactual {
                let gains = self.kind.gains_together(&self.reward, &answers);
                for (copy, gains) in members.iter().zip(gains.chunks_exact(options)) {
                    let credits = steps.credits[copy * options..][..options].iter_mut().zip(gains);
                    credits.for_each(|(credit, gain)| *credit = *gain as f32);
                }
            }
        }
        Ok(())
    }
}

impl Vectorized for Credited {
    fn reset(&mut self) {
        self.copies.reset();
    }

    fn restart(&mut self, rngs: Vec<Rng>) {
        self.copies.restart(rngs);
    }

    fn step(&mut self, actions: Actions<'_>, paused: &[bool]) -> Result<(), StepError> {
        self.copies.step(actions, paused)?;
        if self.reward.is_of_batches() {
            return self.pay_batches(paused);
        }
        self.collect_credits(paused);
        Ok(())
    }

    fn steps(&self) -> &Steps {
        self.copies.steps()
    }

    fn steps_mut(&mut self) -> &mut Steps {
        self.copies.steps_mut()
    }

    fn limit_time(&mut self, max_steps: NonZeroU32) {
        self.copies.limit_time(max_steps);
    }

    fn id(&self) -> &'static str {
        self.copies.id()
    }

    fn rngs(&self) -> &[Rng] {
        self.copies.rngs()
    }

    fn observations(&self) -> Space {
        self.copies.observations()
    }

    fn actions(&self) -> Space {
        self.copies.actions()
    }

    fn scene(&self, copy: usize) -> Option<Scene> {
        self.copies.scene(copy)
    }
}
