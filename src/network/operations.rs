//! What a network has computed.

use super::Network;
use std::cell::Cell;

/// Multiplications and additions of its dense layers and convolutions so far.
#[derive(Default)]
pub(super) struct Operations(Cell<u64>);

impl Operations {
    pub fn add(&self, examples: usize, of_each: u64) {
        self.0.set(self.0.get().wrapping_add(examples as u64 * of_each));
    }
}

impl Network {
    /// Multiplications and additions of all passes so far; one that can be differentiated counts with its gradients.
    pub fn operations(&self) -> u64 {
        self.operations.0.get()
    }

    /// What is done here is not counted.
    pub fn uncounted<T>(&self, done: impl FnOnce(&Network) -> T) -> T {
        let before = self.operations();
        let made = done(self);
        self.operations.0.set(before);
        made
    }
}
