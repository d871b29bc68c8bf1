//! Pull the arm that fits the context that is shown.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(arms)`: the arm to pull |
//! | Observation space | `Box(features)`: the context `x`, a vector of length 1 |
//! | Reward | a draw from `N(w_a · x, deviation²)`, with `w_a` the weights of the arm `a` |
//! | Initial state | `contexts = "sphere"`: `x` uniform on the unit sphere; `"clusters"`: one of a few fixed `x`, each as likely |
//! | Termination | after every step |
//! | Truncation | never |
//! | Solved at | the mean over contexts of `max_a w_a · x`, which another draw of the weights changes |
//!
//! # Dynamics
//! The weights are drawn once per trial, every element `~ N(0, 1)`, and so are the fixed contexts, uniform on the sphere;
//! all copies of an environment share them, those of the evaluation too. The option `instance` makes the draw the same in
//! every trial.
//!
//! # The best that can be expected
//! For a context of length 1 each `w_a · x` is a standard normal draw, so over drawn weights the best arm of `K` earns
//! `m(K)`, the [`expected_maximum`](super::gaussian::expected_maximum) of `K` of them (1.539 for 10), whatever the
//! contexts. For given weights and two arms on the sphere of `d` features it is
//! `‖w₀ − w₁‖/2 · Γ(d/2) / (√π Γ((d+1)/2))`; for clusters, the mean of `max_a w_a · x` over them. A policy that does not look
//! at the context earns 0 on the sphere.
//!
//! # Source
//! Linear rewards as in Li, Chu, Langford and Schapire (2010), "A contextual-bandit approach to personalized news article
//! recommendation", arXiv 1003.0146.

use super::gaussian::normal;
use super::{ARMS, MOST_ARMS, bars, best};
use crate::instance::{INSTANCE, instance};
use crate::options::{Interval, OptionError, OptionKind, OptionRow, Options};
use crate::{Action, BestReturn, Bound, Copies, Dims, Env, Made, Outcome, Rng, Scene, Space, Spec};
use rand::Rng as _;
use std::sync::Arc;

pub const SPEC: Spec = Spec {
    id: "Lossward/ContextualBandit-v0",
    summary: "pull the one of 10 arms that fits the context; rewards linear in it, one step (Li 2010)",
    source: include_str!("contextual.rs"),
    observations: space(8),
    actions: Space::Discrete(10),
    max_steps: None,
    reward_threshold: None,
    best_return: Some(BestReturn { found: "the mean of the best arm over contexts", expected: best_return }),
    options: &[
        ARMS,
        OptionRow {
            name: "features",
            meaning: "elements of a context, at most 1000",
            kind: OptionKind::Whole { default: Some(8), at_least: 2 },
        },
        OptionRow {
            name: "contexts",
            meaning: "drawn anew from the whole sphere, or from a few fixed ones",
            kind: OptionKind::Choice(&["sphere", "clusters"]),
        },
        OptionRow {
            name: "clusters",
            meaning: "fixed contexts, at most 10000; used by `contexts = \"clusters\"`",
            kind: OptionKind::Whole { default: Some(5), at_least: 1 },
        },
        OptionRow::number(
            "deviation",
            0.5,
            Interval::NOT_NEGATIVE,
            "standard deviation of a reward of a given context",
        ),
        INSTANCE,
    ],
    make,
};

const fn space(features: usize) -> Space {
    Space::Box { shape: Dims::of(&[features]), low: Bound::All(-1.0), high: Bound::All(1.0) }
}

fn make(options: &Options, rngs: Vec<Rng>) -> Made {
    let drawn = Drawn::new(options, &rngs)?;
    let arms = drawn.arms();
    let context = vec![0.0; drawn.features];
    let spaces = (space(drawn.features), Space::Discrete(arms as u32));
    let env = ContextualBandit { drawn: Arc::new(drawn), deviation: options.number("deviation"), context };
    Ok(Box::new(Copies::new(SPEC.id, spaces, SPEC.max_steps, vec![env; rngs.len()], rngs)))
}

/// Over the fixed contexts of an instance; over the sphere, in closed form for two arms.
fn best_return(options: &Options, _: Option<u32>) -> Option<f64> {
    // Without an instance every trial has weights of its own.
    options.whole(INSTANCE.name)?;
    let drawn = Drawn::new(options, &[]).ok()?;
    let (arms, contexts) = (drawn.arms(), drawn.centers.chunks_exact(drawn.features));
    let count = contexts.len() as f64;
    match options.choice("contexts") {
        "clusters" => {
            let means = |context: &[f64]| (0..arms).map(|arm| drawn.mean(arm, context)).collect::<Vec<_>>();
            Some(contexts.map(|context| best(&means(context))).sum::<f64>() / count)
        }
        _ if arms == 2 => {
            let (first, second) = drawn.weights.split_at(drawn.features);
            let distance = first.iter().zip(second).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            Some(distance / 2.0 * mean_length_along_an_axis(drawn.features))
        }
        _ => None,
    }
}

/// `E |x₁|` over the unit sphere of `d` features, `Γ(d/2) / (√π Γ((d+1)/2))`: 2/π, 1/2, and from `d` to `d + 2` by `d / (d + 1)`.
fn mean_length_along_an_axis(features: usize) -> f64 {
    match features {
        0 | 1 => 1.0,
        2 => std::f64::consts::FRAC_2_PI,
        features => mean_length_along_an_axis(features - 2) * (features as f64 - 2.0) / (features as f64 - 1.0),
    }
}

/// What all copies share.
#[derive(Debug)]
struct Drawn {
    features: usize,
    /// `[arms, features]`
    weights: Vec<f64>,
    /// `[clusters, features]`; empty where contexts come from the whole sphere.
    centers: Vec<f64>,
}

impl Drawn {
    /// The streams are those of the copies.
    fn new(options: &Options, rngs: &[Rng]) -> Result<Drawn, OptionError> {
        let arms = options.whole_up_to("arms", MOST_ARMS)?;
        let features = options.whole_up_to("features", 1000)?;
        let clusters = match options.whole_up_to("clusters", 10_000)? {
            clusters if options.choice("contexts") == "clusters" => clusters,
            _ => 0,
        };
        let mut rng = instance(options, rngs, "arms");
        let weights = (0..arms * features).map(|_| normal(&mut rng)).collect();
        let mut centers = vec![0.0; clusters * features];
        centers.chunks_exact_mut(features).for_each(|center| draw_unit_vector(center, &mut rng));
        Ok(Drawn { features, weights, centers })
    }

    fn arms(&self) -> usize {
        self.weights.len() / self.features
    }

    /// The expected reward of an arm in a context.
    fn mean(&self, arm: usize, context: &[f64]) -> f64 {
        let weights = &self.weights[arm * self.features..(arm + 1) * self.features];
        weights.iter().zip(context).map(|(w, x)| w * x).sum()
    }
}

/// One copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct ContextualBandit {
    drawn: Arc<Drawn>,
    deviation: f64,
    context: Vec<f64>,
}

impl ContextualBandit {
    /// The expected reward of an arm in the present context.
    pub fn mean(&self, arm: usize) -> f64 {
        self.drawn.mean(arm, &self.context)
    }
}

impl Env for ContextualBandit {
    fn reset(&mut self, rng: &mut Rng) {
        let (features, centers) = (self.context.len(), &self.drawn.centers);
        if centers.is_empty() {
            draw_unit_vector(&mut self.context, rng);
        } else {
            let start = features * rng.random_range(0..centers.len() / features);
            self.context.copy_from_slice(&centers[start..start + features]);
        }
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng) -> Outcome {
        Outcome { reward: self.mean(action.index() as usize) + self.deviation * normal(rng), terminated: true }
    }

    fn observe(&self, out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(&self.context) {
            *out = *value as f32;
        }
    }

    /// What each arm is worth in this context.
    fn scene(&self) -> Option<Scene> {
        Some(bars(&(0..self.drawn.arms()).map(|arm| self.mean(arm)).collect::<Vec<_>>(), None))
    }
}

/// Uniform on the unit sphere: a normal draw, divided by its length.
fn draw_unit_vector(out: &mut [f64], rng: &mut Rng) {
    out.fill_with(|| normal(rng));
    let length = out.iter().map(|x| x * x).sum::<f64>().sqrt();
    out.iter_mut().for_each(|x| *x /= length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::gaussian::expected_maximum;
    use crate::{Actions, Vectorized, stream};

    fn copies(toml: &str, seed: u64, copies: u64) -> Box<dyn Vectorized> {
        let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(toml).unwrap()).unwrap();
        (SPEC.make)(&options, (0..copies).map(|i| stream(seed, "env", i)).collect()).unwrap()
    }

    /// The weights of the arm, seen through noiseless rewards: solves `x_i · w = r_i` from as many contexts as features.
    fn weights(toml: &str, seed: u64, arm: u32, features: usize) -> Vec<f64> {
        let mut env = copies(toml, seed, features as u64);
        let x: Vec<f64> = env.steps().observations.iter().map(|v| f64::from(*v)).collect();
        env.step(Actions::Indices(&vec![arm; features]), &[]).unwrap();
        let mut rows: Vec<Vec<f64>> = x.chunks(features).map(<[f64]>::to_vec).collect();
        rows.iter_mut().zip(&env.steps().rewards).for_each(|(row, reward)| row.push(f64::from(*reward)));
        for column in 0..features {
            let pivot = (column..features).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
            rows.swap(column, pivot.unwrap());
            let pivot = rows[column].clone();
            for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != column) {
                let factor = row[column] / pivot[column];
                row.iter_mut().zip(&pivot).for_each(|(element, of_pivot)| *element -= factor * of_pivot);
            }
        }
        (0..features).map(|i| rows[i][features] / rows[i][i]).collect()
    }

    /// Averages the better of both arms over contexts and compares with the closed form; `Γ(3/2) / (√π Γ(2)) = 1/2`.
    #[test]
    fn the_better_of_two_arms_earns_half_the_distance_of_their_weights_times_a_ratio_of_gammas() {
        let toml = "arms = 2\nfeatures = 3\ndeviation = 0";
        let (a, b) = (weights(toml, 4, 0, 3), weights(toml, 4, 1, 3));
        let distance = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let (mut first, mut second) = (copies(toml, 4, 20_000), copies(toml, 4, 20_000));
        first.step(Actions::Indices(&[0; 20_000]), &[]).unwrap();
        second.step(Actions::Indices(&[1; 20_000]), &[]).unwrap();
        let better = first.steps().rewards.iter().zip(&second.steps().rewards).map(|(a, b)| f64::from(a.max(*b)));
        let mean = better.sum::<f64>() / 20_000.0;
        // No reward is larger than the longer of both weights.
        let longest = [a, b].map(|w| w.iter().map(|w| w * w).sum::<f64>().sqrt()).into_iter().fold(0.0, f64::max);
        assert!((mean - distance / 2.0 * 0.5).abs() < 4.0 * longest / 20_000.0_f64.sqrt(), "{mean} {distance}");
    }

    /// Of clusters by playing every arm in many drawn ones without noise, within 4.5 standard errors; of two arms on the sphere by the
    /// weights that rewards show, with `Γ(2) / (√π Γ(5/2)) = 4/(3π)` for four features.
    #[test]
    fn the_best_return_is_known_where_the_weights_are() {
        let best = |toml: &str| {
            let options = Options::new(SPEC.id, SPEC.options, &toml::from_str(toml).unwrap()).unwrap();
            SPEC.best_expected_return(&options, None)
        };
        assert_eq!(["", "contexts = \"clusters\"", "arms = 2", "instance = 1"].map(best), [None; 4]);
        let toml = "instance = 1\ndeviation = 0\ncontexts = \"clusters\"\narms = 4";
        let reward = |arm| {
            let mut env = copies(toml, 0, 20_000);
            env.step(Actions::Indices(&[arm; 20_000]), &[]).unwrap();
            env.steps().rewards.clone()
        };
        let of_arms = [0, 1, 2, 3].map(reward);
        let largest = |i: usize| of_arms.iter().map(|rewards| f64::from(rewards[i])).fold(f64::NEG_INFINITY, f64::max);
        let played: Vec<f64> = (0..20_000).map(largest).collect();
        let mean = played.iter().sum::<f64>() / 20_000.0;
        let variance = played.iter().map(|reward| (reward - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((best(toml).unwrap() - mean).abs() < 4.5 * (variance / 20_000.0).sqrt(), "{mean}");
        let toml = "instance = 1\ndeviation = 0\narms = 2\nfeatures = 4";
        let (a, b) = (weights(toml, 4, 0, 4), weights(toml, 4, 1, 4));
        let distance = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let expected = distance / 2.0 * 4.0 / (3.0 * std::f64::consts::PI);
        assert!((best(toml).unwrap() - expected).abs() < 1e-4 * expected, "{expected}");
    }

    #[test]
    fn over_drawn_weights_the_best_arm_earns_the_expected_maximum() {
        for contexts in ["sphere", "clusters"] {
            let toml = format!("deviation = 0\ncontexts = \"{contexts}\"");
            let best = (0..2000).map(|seed| {
                let reward = |arm| {
                    let mut env = copies(&toml, seed, 1);
                    env.step(Actions::Indices(&[arm]), &[]).unwrap();
                    env.steps().rewards[0]
                };
                f64::from((0..10).map(reward).fold(f32::NEG_INFINITY, f32::max))
            });
            let mean = best.sum::<f64>() / 2000.0;
            let standard_error = (0.3443_f64 / 2000.0).sqrt();
            assert!((mean - expected_maximum(10)).abs() < 4.0 * standard_error, "{contexts}: {mean}");
        }
    }

    #[test]
    fn contexts_have_length_one_and_clusters_are_few() {
        for (toml, distinct) in [("", 500), ("contexts = \"clusters\"\nclusters = 3", 3)] {
            let env = copies(toml, 0, 500);
            let mut seen: Vec<Vec<u32>> = Vec::new();
            for context in env.steps().observations.chunks(8) {
                assert!((context.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-6);
                let bits: Vec<u32> = context.iter().map(|x| x.to_bits()).collect();
                if !seen.contains(&bits) {
                    seen.push(bits);
                }
            }
            assert_eq!(seen.len(), distinct, "{toml}");
        }
    }
}
