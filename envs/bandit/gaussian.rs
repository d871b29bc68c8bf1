//! Pull one of several arms whose rewards are normally distributed.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(arms)`: the arm to pull |
//! | Observation space | `Box(1)`: a constant 1 |
//! | Reward | a draw from `N(μ_a, deviation²)`, with `μ_a` the mean of the arm `a` |
//! | Initial state | none |
//! | Termination | after every step |
//! | Truncation | never |
//! | Solved at | `max_a μ_a`, which another draw of the arms changes |
//!
//! # Dynamics
//! The means are given, or drawn once per trial, `μ_a ~ N(0, spread²)`; all copies of an environment share them, those of
//! the evaluation too. The option `instance` makes the draw the same in every trial.
//!
//! # The best that can be expected
//! For given means it is `max_a μ_a`; over drawn means of `K` arms it is `spread · m(K)` with `m` the [`expected_maximum`]:
//! `1/√π`, `3/(2√π)`, 1.539 for 2, 3, 10 arms. Pulling arms at random earns 0.
//!
//! # Source
//! The 10-armed testbed of Sutton and Barto (2018), "Reinforcement Learning: An Introduction", second edition, section 2.3.

use super::{ARMS, BLIND, MOST_ARMS, are_fixed, bars, best, given_means};
use crate::instance::{INSTANCE, instance};
use crate::options::{Interval, OptionError, OptionKind, OptionRow, Options};
use crate::{Action, BestReturn, Copies, Env, Made, Outcome, Rng, Scene, Space, Spec};
use rand_distr::{Distribution, StandardNormal};
use std::sync::Arc;

pub const SPEC: Spec = Spec {
    id: "Lossward/GaussianBandit-v0",
    summary: "pull one of 10 arms with normally distributed rewards; one step (Sutton and Barto 2018)",
    source: include_str!("gaussian.rs"),
    observations: BLIND,
    actions: Space::Discrete(10),
    max_steps: None,
    reward_threshold: None,
    best_return: Some(BestReturn {
        found: "the mean of the best arm",
        expected: |options, _| if are_fixed(options) { Some(best(&means(options, &[]).ok()?)) } else { None },
    }),
    options: &[
        ARMS,
        OptionRow {
            name: "means",
            meaning: "the mean reward of each arm; drawn unless given",
            kind: OptionKind::Numbers(Interval::ANY),
        },
        OptionRow::number("spread", 1.0, Interval::NOT_NEGATIVE, "standard deviation from which means are drawn"),
        OptionRow::number("deviation", 1.0, Interval::NOT_NEGATIVE, "standard deviation of an arm's rewards"),
        INSTANCE,
    ],
    make,
};

fn make(options: &Options, rngs: Vec<Rng>) -> Made {
    let means = means(options, &rngs)?;
    let spaces = (SPEC.observations, Space::Discrete(means.len() as u32));
    let env = GaussianBandit { means: means.into(), deviation: options.number("deviation"), pulled: None };
    Ok(Box::new(Copies::new(SPEC.id, spaces, SPEC.max_steps, vec![env; rngs.len()], rngs)))
}

/// Of each arm; the streams are those of the copies.
fn means(options: &Options, rngs: &[Rng]) -> Result<Vec<f64>, OptionError> {
    let arms = options.whole_up_to("arms", MOST_ARMS)?;
    Ok(given_means(options, arms)?.unwrap_or_else(|| {
        let mut rng = instance(options, rngs, "arms");
        (0..arms).map(|_| options.number("spread") * normal(&mut rng)).collect()
    }))
}

/// One copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct GaussianBandit {
    /// Mean reward of each arm, shared by all copies.
    pub means: Arc<[f64]>,
    /// Standard deviation of the rewards of an arm.
    pub deviation: f64,
    pulled: Option<usize>,
}

impl Env for GaussianBandit {
    fn reset(&mut self, _: &mut Rng) {
        self.pulled = None;
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng) -> Outcome {
        let arm = action.index() as usize;
        self.pulled = Some(arm);
        Outcome { reward: self.means[arm] + self.deviation * normal(rng), terminated: true }
    }

    fn observe(&self, out: &mut [f32]) {
        out[0] = 1.0;
    }

    fn scene(&self) -> Option<Scene> {
        Some(bars(&self.means, self.pulled))
    }
}

pub(crate) fn normal(rng: &mut Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// The expected largest of `count` independent standard normal draws,
/// `∫₀^∞ 1 − Φ(x)^count − Φ(−x)^count dx`, to ten digits.
///
/// # Panics
/// When `count` is 0.
pub fn expected_maximum(count: u32) -> f64 {
    assert!(count > 0, "nothing has no maximum");
    // Simpson's rule over [0, 12], with `Φ` summed up along the way by the same rule on half the step.
    const STEPS: usize = 12_000;
    let step = 12.0 / STEPS as f64;
    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let power = |p: f64| p.powi(count.cast_signed());
    let (mut above, mut total) = (0.5, 0.0);
    for i in 0..=STEPS {
        let x = i as f64 * step;
        let weight = match i {
            0 | STEPS => 1.0,
            i => 2.0 + 2.0 * (i % 2) as f64,
        };
        total += weight * (1.0 - power(1.0 - above) - power(above));
        above -= step / 6.0 * (density(x) + 4.0 * density(x + 0.5 * step) + density(x + step));
    }
    total * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actions, stream};

    fn rngs(seed: u64, copies: u64) -> Vec<Rng> {
        (0..copies).map(|i| stream(seed, "env", i)).collect()
    }

    fn options(toml: &str) -> Options {
        Options::new(SPEC.id, SPEC.options, &toml::from_str(toml).unwrap()).unwrap()
    }

    /// Two and three in closed form, five and ten from Harter (1961), "Expected values of normal order statistics",
    /// Biometrika 48.
    #[test]
    fn expected_maxima_are_those_of_order_statistics() {
        let root = std::f64::consts::PI.sqrt();
        for (count, expected, tolerance) in
            [(1, 0.0, 1e-10), (2, 1.0 / root, 1e-10), (3, 1.5 / root, 1e-10), (5, 1.16296, 5e-6), (10, 1.53875, 5e-6)]
        {
            assert!((expected_maximum(count) - expected).abs() < tolerance, "{count}: {}", expected_maximum(count));
        }
    }

    /// The means are seen through rewards without noise.
    fn means(seed: u64) -> Vec<f64> {
        let mut env = (SPEC.make)(&options("deviation = 0"), rngs(seed, 10)).unwrap();
        env.step(Actions::Indices(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), &[]).unwrap();
        env.steps().rewards.iter().map(|reward| f64::from(*reward)).collect()
    }

    #[test]
    fn the_best_of_drawn_arms_is_as_good_as_expected() {
        let best: Vec<f64> = (0..4000).map(|seed| super::super::best(&means(seed))).collect();
        let mean = best.iter().sum::<f64>() / 4000.0;
        // The largest of ten has a variance of 0.3443.
        let standard_error = (0.3443_f64 / 4000.0).sqrt();
        assert!((mean - expected_maximum(10)).abs() < 4.0 * standard_error, "{mean}");
    }

    /// With given means it is the largest; with an instance, that of the rewards without noise. Drawn arms are another task per trial.
    #[test]
    fn the_best_return_is_known_where_the_arms_are() {
        let best = |toml: &str| SPEC.best_expected_return(&options(toml), None);
        assert_eq!(best("arms = 3\nmeans = [0.5, 2.0, -1.0]"), Some(2.0));
        assert_eq!(best(""), None);
        let mut env = (SPEC.make)(&options("deviation = 0\ninstance = 4\nspread = 2.0"), rngs(7, 10)).unwrap();
        env.step(Actions::Indices(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), &[]).unwrap();
        let largest = env.steps().rewards.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(best("instance = 4\nspread = 2.0").map(|best| best as f32), Some(largest));
    }

    #[test]
    fn copies_share_their_arms_and_trials_do_not() {
        let pull = |streams: Vec<Rng>| {
            let mut env = (SPEC.make)(&options("deviation = 0"), streams).unwrap();
            env.step(Actions::Indices(&[3, 3]), &[]).unwrap();
            env.steps().rewards.clone()
        };
        let rewards = pull(rngs(1, 2));
        assert_eq!(rewards[0], rewards[1]);
        assert_eq!(rewards, pull((0..2).map(|i| stream(1, "evaluation", i)).collect()));
        assert_ne!(rewards, pull(rngs(2, 2)));
    }

    #[test]
    fn rewards_have_the_mean_and_the_deviation_that_were_given() {
        let options = options("arms = 2\nmeans = [-1.0, 3.0]\ndeviation = 2.0");
        let mut env = (SPEC.make)(&options, rngs(0, 20_000)).unwrap();
        env.step(Actions::Indices(&[1; 20_000]), &[]).unwrap();
        let rewards: Vec<f64> = env.steps().rewards.iter().map(|reward| f64::from(*reward)).collect();
        let mean = rewards.iter().sum::<f64>() / 20_000.0;
        let variance = rewards.iter().map(|reward| (reward - 3.0).powi(2)).sum::<f64>() / 20_000.0;
        // Standard errors: σ/√n, and σ²√(2/n) of the variance.
        assert!((mean - 3.0).abs() < 4.0 * 2.0 / 20_000.0_f64.sqrt(), "{mean}");
        assert!((variance - 4.0).abs() < 4.0 * 4.0 * 1e-2, "{variance}");
        assert!(env.steps().ends.iter().all(|end| end.length == 1));
    }

    #[test]
    fn means_for_another_number_of_arms_are_refused() {
        let error = (SPEC.make)(&options("means = [1, 2]"), rngs(0, 1)).err().unwrap();
        assert_eq!(error.to_string(), "`means` has 2 numbers for 10 arms; set `arms` too");
        let error = (SPEC.make)(&options("arms = 10001"), rngs(0, 1)).err().unwrap();
        assert_eq!(error.to_string(), "`arms` must be at most 10000, not 10001");
    }
}
