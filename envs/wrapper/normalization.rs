//! Observations and rewards of about unit size, by running statistics.

use super::{Layer, Statistics, Wrap, WrapError, check_parameter, wrap};
use crate::options::Interval;
use crate::vectorized::playing;
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
                moments.update(playing(steps.copies, paused).map(|copy| steps.observation(copy)));
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
        for copy in playing(steps.copies, paused) {
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
        let playing = playing(steps.copies, paused);
        for copy in playing.clone() {
            returns[copy] = returns[copy] * *discount + f64::from(steps.rewards[copy]);
        }
        let deviation = normalization.statistics.with(|moments| {
            if !normalization.frozen {
                moments.update(playing.map(|copy| &returns[copy..=copy]));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrapper::traces::{Players, copies_of, streams};
    use crate::wrapper::{Moments, Statistics, limit_time};
    use crate::{Action, Actions, Copies, Env, Outcome, Rng};

    /// A new handle without the weight that mean 0 and variance 1 begin with.
    fn exact(features: usize) -> Statistics {
        let statistics = Statistics::default();
        statistics.set(Moments::new(features, 0.0)).unwrap();
        statistics
    }

    /// Mean and population variance of all numbers at once.
    fn pooled(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
        let count = numbers.clone().count() as f64;
        let mean = numbers.clone().sum::<f64>() / count;
        (mean, numbers.map(|x| (x - mean).powi(2)).sum::<f64>() / count)
    }

    #[track_caller]
    fn assert_near(got: f32, want: f64) {
        assert!((f64::from(got) - want).abs() <= 1e-5 * (1.0 + want.abs()), "{got}, expected {want}");
    }

    /// By the definition, over everything that was seen so far.
    #[test]
    fn observations_are_normalized_by_all_that_counted() {
        let statistics = exact(4);
        let normalization = Normalization { clip: 1.5, ..Normalization::updating(&statistics) };
        let mut plain = Players::new(copies_of("CartPole-v1", 3), true);
        let mut normalized =
            Players::new(normalize_observations(copies_of("CartPole-v1", 3), normalization).unwrap(), true);
        let mut seen: Vec<Vec<f32>> = (0..3).map(|copy| plain.env.steps().observation(copy).to_vec()).collect();
        let (mut ends, mut clipped) = (0, 0);
        for step in 0..150 {
            if step == 70 {
                plain.env.reset();
                normalized.env.reset();
                seen.extend((0..3).map(|copy| plain.env.steps().observation(copy).to_vec()));
            }
            plain.step();
            normalized.step();
            let (raw, got) = (plain.env.steps(), normalized.env.steps());
            let playing: Vec<usize> = (0..3).filter(|&copy| !normalized.paused[copy]).collect();
            seen.extend(playing.iter().map(|&copy| raw.observation(copy).to_vec()));
            for feature in 0..4 {
                let (mean, variance) = pooled(seen.iter().map(|row| f64::from(row[feature])));
                let want = |x: f32| ((f64::from(x) - mean) / (variance + 1e-8).sqrt()).clamp(-1.5, 1.5);
                for &copy in &playing {
                    assert_near(got.observation(copy)[feature], want(raw.observation(copy)[feature]));
                    clipped += usize::from(got.observation(copy)[feature].abs() == 1.5);
                }
                for end in &raw.ends {
                    let last = (raw.last_observation(end.copy)[feature], got.last_observation(end.copy)[feature]);
                    assert_near(last.1, want(last.0));
                }
            }
            ends += raw.ends.len();
        }
        assert!(ends > 3 && clipped > 10, "{ends} ends, {clipped} clipped");
        assert_eq!(statistics.moments().unwrap().count, seen.len() as f64);
    }

    /// By the definition: the variance of all discounted returns so far, each summed up from the start of its episode.
    #[test]
    fn rewards_are_divided_by_the_deviation_of_the_returns() {
        let statistics = exact(1);
        let env = || limit_time(copies_of("Pendulum-v1", 3), 20).unwrap();
        let normalization = Normalization { clip: 2.0, ..Normalization::updating(&statistics) };
        let mut normalized = Players::new(normalize_rewards(env(), normalization, 0.9).unwrap(), true);
        let mut plain = Players::new(env(), true);
        let mut episodes: [Vec<f64>; 3] = Default::default();
        let (mut returns, mut clipped) = (Vec::new(), 0);
        for step in 0..120 {
            if step == 50 {
                plain.env.reset();
                normalized.env.reset();
                episodes = Default::default();
            }
            plain.step();
            normalized.step();
            let (raw, got) = (plain.env.steps(), normalized.env.steps());
            let playing: Vec<usize> = (0..3).filter(|&copy| !normalized.paused[copy]).collect();
            for &copy in &playing {
                episodes[copy].push(f64::from(raw.rewards[copy]));
                let discounted = episodes[copy].iter().rev().enumerate().map(|(k, r)| 0.9f64.powi(k as i32) * r);
                returns.push(discounted.sum::<f64>());
            }
            let (_, variance) = pooled(returns.iter().copied());
            for copy in 0..3 {
                let want = (f64::from(raw.rewards[copy]) / (variance + 1e-8).sqrt()).clamp(-2.0, 2.0);
                assert_near(got.rewards[copy], want);
                clipped += usize::from(got.rewards[copy] == -2.0);
            }
            raw.ends.iter().for_each(|end| episodes[end.copy].clear());
            assert_eq!(raw.ends, got.ends);
        }
        assert!(clipped > 0);
        assert_eq!(statistics.moments().unwrap().count, returns.len() as f64);
    }

    #[test]
    fn frozen_statistics_stay_and_are_read_as_they_are() {
        let (observations, returns) = (Statistics::default(), Statistics::default());
        let wrap = |normalization: fn(&Statistics) -> Normalization| {
            let env = normalize_observations(copies_of("CartPole-v1", 2), normalization(&observations)).unwrap();
            Players::new(normalize_rewards(env, normalization(&returns), 0.9).unwrap(), false)
        };
        let mut evaluation = wrap(Normalization::frozen);
        let moments = || [observations.moments().unwrap(), returns.moments().unwrap()];
        let initial = [4, 1].map(|features| Moments::new(features, Moments::INITIAL_COUNT));
        (0..50).for_each(|_| _ = evaluation.step());
        evaluation.env.reset();
        assert_eq!(moments(), initial);

        let mut training = wrap(Normalization::updating);
        (0..50).for_each(|_| _ = training.step());
        let trained = moments();
        assert_ne!(trained, initial);
        let mut plain = copies_of("CartPole-v1", 2);
        let same_episode = streams("again", 2);
        plain.restart(same_episode.clone());
        evaluation.env.restart(same_episode);
        let compare = |env: &dyn Vectorized, plain: &dyn Vectorized| {
            let [observations, _] = moments();
            for feature in 0..4 {
                let (mean, variance) = (observations.mean[feature], observations.variance[feature]);
                let x = f64::from(plain.steps().observation(1)[feature]);
                let want = ((x - mean) / (variance + 1e-8).sqrt()).clamp(-10.0, 10.0);
                assert_near(env.steps().observation(1)[feature], want);
            }
        };
        compare(&*evaluation.env, &*plain);
        // Replaced between two steps of the evaluation.
        observations.set(Moments { mean: vec![0.5; 4], variance: vec![4.0; 4], count: 1.0 }).unwrap();
        let actions = Actions::Indices(&[0, 1]);
        evaluation.env.step(actions, &[]).unwrap();
        plain.step(actions, &[]).unwrap();
        compare(&*evaluation.env, &*plain);
    }

    /// Shows what is not a number from its second episode on.
    struct Broken {
        episodes: usize,
    }

    impl Env for Broken {
        fn reset(&mut self, _: &mut Rng) {
            self.episodes += 1;
        }
        fn step(&mut self, _: Action<'_>, _: &mut Rng) -> Outcome {
            Outcome { reward: 0.0, terminated: true }
        }
        fn observe(&self, out: &mut [f32]) {
            out[0] = if self.episodes == 1 { 1.0 } else { f32::NAN };
        }
    }

    #[test]
    fn a_broken_first_observation_does_not_spoil_the_statistics() {
        let spaces = (Space::binary(&[1]), Space::Discrete(2));
        let rngs = streams("env", 1);
        let env = Copies::new("Broken", spaces, None, vec![Broken { episodes: 0 }], rngs);
        let statistics = exact(1);
        let mut env = normalize_observations(Box::new(env), Normalization::updating(&statistics)).unwrap();
        env.step(Actions::Indices(&[0]), &[]).unwrap();
        env.step(Actions::Indices(&[0]), &[]).unwrap_err();
        assert_eq!(statistics.moments().unwrap(), Moments { mean: vec![1.0], variance: vec![0.0], count: 1.0 });
    }
}
