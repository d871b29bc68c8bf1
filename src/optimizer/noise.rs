//! Gradient noise.

use super::pass::{Step, clipped, real};
use crate::Rng;
use crate::kernel::Real;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// Noise `N(0, scale/(1 + t)^decay)`, a variance, on every entry of the clipped gradient at update `t`, counted from 0
/// (Neelakantan et al. 2015, arXiv 1511.06807).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradientNoise {
    pub scale: f64,
    #[serde(default = "usual_decay")]
    pub decay: f64,
}

/// The paper's.
pub(super) const USUAL_DECAY: f64 = 0.55;

fn usual_decay() -> f64 {
    USUAL_DECAY
}

pub(super) struct Noise {
    pub settings: GradientNoise,
    pub rng: Rng,
}

impl Noise {
    /// Replaces `noisy` by the clipped gradient with noise.
    pub fn add<T: Real>(&mut self, step: Step, gradient: &[T], noisy: &mut Vec<T>) {
        let (scale, limit): (T, T) = (real(step.scale), real(step.limit));
        let deviation = (self.settings.scale / (step.update as f64).powf(self.settings.decay)).sqrt();
        noisy.clear();
        noisy.extend(gradient.iter().map(|g| {
            let draw: f64 = StandardNormal.sample(&mut self.rng);
            clipped(*g, scale, limit) + real::<T>(deviation * draw)
        }));
    }
}
