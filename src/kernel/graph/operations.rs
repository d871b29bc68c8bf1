//! How much a pass computes.

use super::Graph;

impl Graph {
    /// Multiplications and additions of one example's forward pass, by its dense layers and convolutions.
    pub fn forward_operations(&self) -> u64 {
        self.layers().map(|layer| layer.operations()).sum()
    }

    /// Of one example's training step: the forward pass, as much for the gradients of the weights, and as much for those of the inputs but for
    /// the first layer.
    pub fn training_operations(&self) -> u64 {
        3 * self.forward_operations() - self.nodes()[0].layer.operations()
    }
}
