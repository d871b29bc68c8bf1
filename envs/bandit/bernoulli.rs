//! Pull one of several arms, each of which pays 1 with a probability of its own.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(arms)`: the arm to pull |
//! | Observation space | `Box(1)`: a constant 1 |
//! | Reward | 1 with probability `p_a`, otherwise 0 |
//! | Initial state | none |
//! | Termination | after every step |
//! | Truncation | never |
//! | Solved at | `max_a p_a`, which another draw of the arms changes |
//!
//! # Dynamics
//! The probabilities are given, or drawn once per trial, uniformly in [0, 1); all copies of an environment share them,
//! those of the evaluation too. The option `instance` makes the draw the same in every trial.
//!
//! # The best that can be expected
//! For given probabilities it is `max_a p_a`; over drawn ones of `K` arms it is `K / (K + 1)`, the expected largest of `K`
//! uniform draws. Pulling arms at random earns 1/2.
//!
//! # Source
//! Thompson (1933), "On the likelihood that one unknown probability exceeds another in view of the evidence of two
//! samples", Biometrika 25, for two arms; uniformly drawn probabilities as in Kaufmann, Korda and Munos (2012), arXiv
//! 1205.4217.

use super::{ARMS, BLIND, MOST_ARMS, are_fixed, bars, best, given_means};
use crate::instance::{INSTANCE, instance};
use crate::options::{Interval, OptionError, OptionKind, OptionRow, Options};
use crate::{Action, BestReturn, Copies, Env, Made, Outcome, Rng, Scene, Space, Spec};
use rand::Rng as _;
use std::sync::Arc;

pub const SPEC: Spec = Spec {
    id: "Lossward/BernoulliBandit-v0",
    summary: "pull one of 10 arms that pay 1 or nothing; one step (Thompson 1933)",
    source: include_str!("bernoulli.rs"),
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
            meaning: "the probability with which each arm pays; drawn unless given",
            kind: OptionKind::Numbers(Interval::UNIT),
        },
        INSTANCE,
    ],
    make,
};

fn make(options: &Options, rngs: Vec<Rng>) -> Made {
    let means = means(options, &rngs)?;
    let spaces = (SPEC.observations, Space::Discrete(means.len() as u32));
    let env = BernoulliBandit { means: means.into(), pulled: None };
    Ok(Box::new(Copies::new(SPEC.id, spaces, SPEC.max_steps, vec![env; rngs.len()], rngs)))
}

/// Of each arm; the streams are those of the copies.
fn means(options: &Options, rngs: &[Rng]) -> Result<Vec<f64>, OptionError> {
    let arms = options.whole_up_to("arms", MOST_ARMS)?;
    Ok(given_means(options, arms)?.unwrap_or_else(|| {
        let mut rng = instance(options, rngs, "arms");
        (0..arms).map(|_| rng.random()).collect()
    }))
}

/// One copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct BernoulliBandit {
    /// Probability of each arm to pay, shared by all copies.
    pub means: Arc<[f64]>,
    pulled: Option<usize>,
}

impl Env for BernoulliBandit {
    fn reset(&mut self, _: &mut Rng) {
        self.pulled = None;
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng) -> Outcome {
        let arm = action.index() as usize;
        self.pulled = Some(arm);
        let pays = rng.random::<f64>() < self.means[arm];
        Outcome { reward: f64::from(u8::from(pays)), terminated: true }
    }

    fn observe(&self, out: &mut [f32]) {
        out[0] = 1.0;
    }

    fn scene(&self) -> Option<Scene> {
        Some(bars(&self.means, self.pulled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actions, stream};

    fn rewards(toml: &str, seed: u64, actions: &[u32]) -> Vec<f64> {
        let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(toml).unwrap()).unwrap();
        let rngs = (0..actions.len() as u64).map(|i| stream(seed, "env", i)).collect();
        let mut env = (SPEC.make)(&options, rngs).unwrap();
        env.step(Actions::Indices(actions), &[]).unwrap();
        env.steps().rewards.iter().map(|reward| f64::from(*reward)).collect()
    }

    #[test]
    fn arms_pay_as_often_as_they_should() {
        for (arm, probability) in [(0, 0.0), (1, 0.3), (2, 1.0)] {
            let rewards = rewards("arms = 3\nmeans = [0.0, 0.3, 1.0]", 0, &[arm; 20_000]);
            assert!(rewards.iter().all(|reward| [0.0, 1.0].contains(reward)));
            let mean = rewards.iter().sum::<f64>() / 20_000.0;
            let standard_error = (probability * (1.0 - probability) / 20_000.0_f64).sqrt();
            assert!((mean - probability).abs() <= 4.0 * standard_error, "arm {arm}: {mean}");
        }
    }

    #[test]
    fn the_best_return_is_known_where_the_arms_are() {
        let best = |toml: &str| {
            let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(toml).unwrap()).unwrap();
            SPEC.best_expected_return(&options, None)
        };
        assert_eq!(best("arms = 3\nmeans = [0.25, 0.75, 0.5]"), Some(0.75));
        assert_eq!(best(""), None);
        let p = best("instance = 2").unwrap();
        let paid = (0..10).map(|arm| rewards("instance = 2", 0, &[arm; 4000]).iter().sum::<f64>() / 4000.0);
        assert!((paid.fold(0.0, f64::max) - p).abs() < 4.0 * (0.25 / 4000.0_f64).sqrt(), "{p}");
    }

    /// Uniform draws: the largest of 10 is 10/11 on average, with a variance of 10/(11² · 12).
    #[test]
    fn the_best_of_drawn_arms_is_as_good_as_expected() {
        let options = Options::defaults(SPEC.options);
        let best = (0..4000).map(|seed| {
            let mut rng = instance(&options, &[stream(seed, "env", 0)], "arms");
            super::super::best(&[(); 10].map(|()| rng.random()))
        });
        let mean = best.sum::<f64>() / 4000.0;
        assert!((mean - 10.0 / 11.0).abs() < 4.0 * (10.0 / (121.0 * 12.0) / 4000.0_f64).sqrt(), "{mean}");
        // An arm of a trial pays as its draw says; over trials, half of the time.
        let paid: f64 = (0..4000).map(|seed| rewards("", seed, &[0])[0]).sum();
        assert!((paid / 4000.0 - 0.5).abs() < 4.0 * 0.5 / 4000.0_f64.sqrt(), "{paid}");
    }
}
