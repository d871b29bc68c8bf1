//! What a fused objective needs of a batch of distributions.

/// The distributions of a batch, each with the action that was taken: what the surrogate needs of them.
pub(crate) trait Distributions<T> {
    /// Sets `log π(a|s)` of each row.
    fn log_probs(&self, out: &mut [T]);
    /// The sum over rows, in nats.
    fn entropy(&self) -> f64;
    /// Sets the gradient of the mean over rows of `slope · log π(a|s) + coefficient · entropy` with respect to the outputs.
    fn gradient(&self, slopes: &[T], coefficient: T, out: &mut [T]);
}
