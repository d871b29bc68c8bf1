//! One whole episode in every copy of an environment.

use crate::Result;
use lossward_envs::{Actions, Vectorized};

/// Which copies have ended their episode; those stand still until all have.
pub struct Once {
    ended: Vec<bool>,
}

impl Once {
    /// Of so many copies, whose episodes have just begun.
    pub fn new(copies: usize) -> Once {
        Once { ended: vec![false; copies] }
    }

    pub fn is_over(&self) -> bool {
        !self.ended.contains(&false)
    }

    /// Of each copy, whether its episode is over.
    pub fn ended(&self) -> &[bool] {
        &self.ended
    }

    /// The copies that still play.
    pub fn playing(&self) -> impl Iterator<Item = usize> {
        self.ended.iter().enumerate().filter(|(_, ended)| !**ended).map(|(copy, _)| copy)
    }

    /// Steps the copies that still play.
    pub fn step(&mut self, env: &mut dyn Vectorized, actions: Actions) -> Result<()> {
        env.step(actions, &self.ended)?;
        env.steps().ends.iter().for_each(|end| self.ended[end.copy] = true);
        Ok(())
    }
}
