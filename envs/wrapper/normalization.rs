//! Observations and rewards of about unit size, by running statistics.

use super::{Layer, Statistics, Wrap, WrapError, check_parameter, wrap};
use crate::options::Interval;
use crate::vectorized::is_paused;
use crate::{Bound, Space, StepError, Steps, Vectorized};

/// By what, and how, [`normalize_observations`] and [`normalize_rewards`] normalize.
#[derive(Clone, Debug)]
pub struct Normalization {
    /// Every environment that shares a handle reads them as they are at its step or reset.
    pub statistics: Statistics,
    /// Whether they are only read.
    pub frozen: bool,
    /// The largest absolute value that comes out.
    pub clip: f64,
    /// Added to the variance.
    pub epsilon: f64,
}

impl Normalization {
    /// For training: every step counts. Clipped at 10, with ε = 1e-8, as in stable-baselines3.
    pub fn updating(statistics: &Statistics) -> Self {
        Normalization { statistics: statistics.clone(), frozen: false, clip: 10.0, epsilon: 1e-8 }
    }

    /// For evaluation: what there is is read, and stays.
    pub fn frozen(statistics: &Statistics) -> Self {
        Normalization { frozen: true, ..Normalization::updating(statistics) }
    }

    fn check(&self, env: &dyn Vectorized, wrapper: &'static str, features: usize) -> Result<(), WrapError> {
        check_parameter(env, wrapper, ("clip", self.clip), Interval::POSITIVE)?;
        check_parameter(env, wrapper, ("epsilon", self.epsilon), Interval::POSITIVE)?;
        match self.statistics.sized(features) {
            given if given == features => Ok(()),
            given => Err(WrapError::Features { env: env.id(), wrapper, given, features }),
        }
    }

    /// By what an element with this variance is divided.
    fn deviation(&self, variance: f64) -> f64 {
        (variance + self.epsilon).sqrt()
    }

    fn clipped(&self, value: f64) -> f32 {
        value.clamp(-self.clip, self.clip) as f32
    }
}

/// `clip((x − mean) / √(variance + ε), ±clip)` for every feature `x` of an observation, by the running statistics of all
/// observations so far, as stable-baselines3's `VecNormalize`.
///
/// Unless frozen, the observations that wrapping, a reset or a step leaves count as one batch before they are normalized;
/// those of paused copies don't. The last observation of an episode is normalized but doesn't count: the first one of the
/// next episode does in its place.
///
/// # Errors
/// When the observation space is not a box, the statistics are of another number of features, or `clip` or `epsilon` is not
/// a positive number.
pub fn normalize_observations(env: Box<dyn Vectorized>, normalization: Normalization) -> Wrap {
    let (wrapper, space) = ("normalize_observations", env.observations());
    if !matches!(space, Space::Box { .. }) {
        let (env, right) = (env.id(), "a box; one-hot observations are of unit size already");
        return Err(WrapError::Space { env, wrapper, part: "observations", space: Box::new(space), right });
    }
    let features = env.steps().features;
    normalization.check(&*env, wrapper, features)?;
    Ok(wrap(env, NormalizedObservations { normalization, mean: vec![0.0; features], deviation: vec![1.0; features] }))
}

struct NormalizedObservations {
    normalization: Normalization,
    /// `[features]`, of the batch in hand, like the next.
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl NormalizedObservations {
    fn normalize(&self, observation: &mut [f32]) {
        for (x, (mean, deviation)) in observation.iter_mut().zip(self.mean.iter().zip(&self.deviation)) {
            *x = self.normalization.clipped((f64::from(*x) - mean) / deviation);
        }
    }

    /// Reads the statistics, which take in the batch before if they are not frozen.
    fn read_statistics(&mut self, steps: &Steps, paused: &[bool]) {
        let NormalizedObservations { normalization, mean, deviation } = self;
        // An observation that is wrong is told by the next step, and must not spoil what will be saved.
        let finite = || steps.observations.iter().fold(true, |finite, x| finite & x.is_finite());
        normalization.statistics.with(|moments| {
            if !normalization.frozen && finite() {
                let rows = steps.observations.chunks_exact(steps.features).enumerate();
                moments.update(rows.filter(|(copy, _)| !is_paused(paused, *copy)).map(|(_, row)| row));
            }
            mean.copy_from_slice(&moments.mean);
            for (deviation, &variance) in deviation.iter_mut().zip(&moments.variance) {
                *deviation = normalization.deviation(variance);
            }
        });
    }
}

impl Layer for NormalizedObservations {
    fn observation_space(&self, below: Space) -> Space {
        let Space::Box { shape, .. } = below else { return below };
        let clip = self.normalization.clip as f32;
        Space::Box { shape, low: Bound::All(-clip), high: Bound::All(clip) }
    }

    fn after_reset(&mut self, steps: &mut Steps) {
        self.read_statistics(steps, &[]);
        (0..steps.copies).for_each(|copy| self.normalize(steps.observation_mut(copy)));
    }

    fn after_step(&mut self, steps: &mut Steps, paused: &[bool]) -> Result<(), StepError> {
        self.read_statistics(steps, paused);
        for copy in (0..steps.copies).filter(|&copy| !is_paused(paused, copy)) {
            self.normalize(steps.observation_mut(copy));
            if steps.length(copy) == 0 {
                self.normalize(steps.last_observation_mut(copy));
            }
        }
        Ok(())
    }
}

/// `clip(r / √(variance + ε), ±clip)`, by the running variance of the discounted return of each copy,
/// `G ← discount · G + r`, which begins at 0 with every episode. As stable-baselines3's `VecNormalize`; the rewards are not
/// centered. Unless frozen, the returns of the copies that were not paused count as one batch of every step, before the
/// rewards are divided. The statistics are of one feature.
///
/// # Errors
/// When the discount is not in [0, 1], or as with [`normalize_observations`].
pub fn normalize_rewards(env: Box<dyn Vectorized>, normalization: Normalization, discount: f64) -> Wrap {
    let wrapper = "normalize_rewards";
    check_parameter(&*env, wrapper, ("discount", discount), Interval::UNIT)?;
    normalization.check(&*env, wrapper, 1)?;
    let returns = vec![0.0; env.steps().copies];
    Ok(wrap(env, NormalizedRewards { normalization, discount, returns }))
}

struct NormalizedRewards {
    normalization: Normalization,
    discount: f64,
    /// `[copies]`, discounted, of the episodes so far.
    returns: Vec<f64>,
}

impl Layer for NormalizedRewards {
    fn after_reset(&mut self, _: &mut Steps) {
        self.returns.fill(0.0);
    }

    fn after_step(&mut self, steps: &mut Steps, paused: &[bool]) -> Result<(), StepError> {
        let NormalizedRewards { normalization, discount, returns } = self;
        let playing = |copy: &usize| !is_paused(paused, *copy);
        for copy in (0..steps.copies).filter(playing) {
            returns[copy] = returns[copy] * *discount + f64::from(steps.rewards[copy]);
        }
        let deviation = normalization.statistics.with(|moments| {
            if !normalization.frozen {
                moments.update((0..steps.copies).filter(playing).map(|copy| &returns[copy..=copy]));
            }
            normalization.deviation(moments.variance[0])
        });
        // The reward of a paused copy is 0 and stays so.
        for reward in &mut steps.rewards {
            *reward = normalization.clipped(f64::from(*reward) / deviation);
        }
        steps.ends.iter().for_each(|end| returns[end.copy] = 0.0);
        Ok(())
    }
}
