//! Expected gradients of rewards of whole batches, by enumeration of everything that can be chosen.

use super::compared;
use crate::distribution::{Policy, log_probs};
use crate::metric::Reward;
use crate::options::Named;
use crate::rollout::leave_one_out_advantages;
use crate::surrogate::{Surrogate, Taken, surrogate_objective};
use candle_core::{Device, Tensor, Var};
use rand::Rng as _;
use std::collections::BTreeMap;

fn reward(named: &str, classes: usize) -> Reward {
    let table: BTreeMap<String, Named> = toml::from_str(&format!("reward = {named}")).unwrap();
    Reward::of_classes(Some(&table["reward"]), classes).unwrap()
}

/// Examples whose classes are chosen independently from the softmax of their logits.
struct Batch {
    classes: usize,
    logits: Vec<f64>,
    labels: Vec<u32>,
    reward: Reward,
}

impl Batch {
    fn random(named: &str, (examples, classes): (usize, usize), seed: u64) -> Batch {
        let mut rng = crate::stream(seed, "batch", 0);
        let logits = (0..examples * classes).map(|_| rng.random_range(-1.5..1.5)).collect();
        // Every class is there.
        let label = |i| if i < classes { i as u32 } else { rng.random_range(0..classes as u32) };
        let labels = (0..examples).map(label).collect();
        Batch { classes, logits, labels, reward: reward(named, classes) }
    }

    /// Everything that can be chosen, with its probability.
    fn outcomes(&self, logits: &[f64]) -> Vec<(Vec<u32>, f64)> {
        let (examples, classes) = (self.labels.len(), self.classes);
        let log_probs: Vec<f64> = logits.chunks(classes).flat_map(log_probs).collect();
        let outcome = |number: usize| {
            let chosen: Vec<u32> = (0..examples).map(|i| (number / classes.pow(i as u32) % classes) as u32).collect();
            let of = |(i, class): (usize, &u32)| log_probs[i * classes + *class as usize];
            let log_prob: f64 = chosen.iter().enumerate().map(of).sum();
            (chosen, log_prob.exp())
        };
        (0..classes.pow(examples as u32)).map(outcome).collect()
    }

    fn earned(&self, chosen: &[u32]) -> f64 {
        self.reward.of_batch(self.classes, chosen, &self.labels)
    }

    /// By central differences of the expected reward.
    fn exact(&self) -> Vec<f64> {
        let expected =
            |logits: &[f64]| self.outcomes(logits).iter().map(|(chosen, p)| p * self.earned(chosen)).sum::<f64>();
        let slope = |i: usize| {
            let at = |by: f64| {
                let mut moved = self.logits.clone();
                moved[i] += by;
                expected(&moved)
            };
            // Of the fourth order.
            (8.0 * (at(1e-3) - at(-1e-3)) - (at(2e-3) - at(-2e-3))) / 12e-3
        };
        (0..self.logits.len()).map(slope).collect()
    }

    /// The gradient that training takes from these rows, each context in all samples in turn.
    fn gradient(&self, samples: &[&[u32]], surrogate: impl Fn(usize, usize) -> Vec<f64>, by_option: bool) -> Vec<f64> {
        let (examples, k) = (self.labels.len(), samples.len());
        let pairs = || (0..examples).flat_map(|i| (0..k).map(move |sample| (i, sample)));
        let row = |(i, _): (usize, usize)| self.logits[i * self.classes..(i + 1) * self.classes].to_vec();
        let logits: Vec<f64> = pairs().flat_map(row).collect();
        let outputs = Tensor::from_vec(logits, (examples * k, self.classes), &Device::Cpu).unwrap();
        let outputs = Var::from_tensor(&outputs).unwrap();
        let actions: Vec<u32> = pairs().map(|(i, sample)| samples[sample][i]).collect();
        let actions = Tensor::from_vec(actions, examples * k, &Device::Cpu).unwrap();
        // One choice of a batch has the log-probability of all its rows.
        let credits: Vec<f64> =
            pairs().flat_map(|(i, sample)| surrogate(i, sample)).map(|x| x * examples as f64).collect();
        let shape = (examples * k, credits.len() / (examples * k));
        let credits = Tensor::from_vec(credits, shape, &Device::Cpu).unwrap();
        let advantages =
            if by_option { outputs.as_detached_tensor().sum(1).unwrap() } else { credits.squeeze(1).unwrap() };
        let taken = Taken {
            policy: &Policy::Categorical { actions: self.classes as u32 },
            actions: &actions,
            advantages: &advantages,
            old_log_probs: &advantages,
            surrogate: if by_option { Surrogate::Gains(&credits) } else { Surrogate::LogProb },
            entropy_coefficient: 0.0,
        };
        let gradients = surrogate_objective(&outputs, &taken).unwrap().scalar.backward().unwrap();
        let gradient = gradients.get(&outputs).unwrap().reshape((examples, k, self.classes)).unwrap();
        gradient.sum(1).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Mean over all outcomes, and the total variance.
    fn moments(estimates: &[(Vec<f64>, f64)]) -> (Vec<f64>, f64) {
        let mean = |i: usize| estimates.iter().map(|(estimate, p)| p * estimate[i]).sum::<f64>();
        let mean: Vec<f64> = (0..estimates[0].0.len()).map(mean).collect();
        let distance = |estimate: &[f64]| estimate.iter().zip(&mean).map(|(e, m)| (e - m).powi(2)).sum::<f64>();
        let variance = estimates.iter().map(|(estimate, p)| p * distance(estimate)).sum();
        (mean, variance)
    }
}

const REWARDS: &[&str] =
    &["{ f1 = { positive = 1 } }", "'f1'", "'balanced_accuracy'", "'matthews'", "'roc_auc'", "'cohen_kappa'"];

#[test]
fn counterfactual_credit_in_a_batch_is_unbiased() {
    for (seed, named) in REWARDS.iter().enumerate() {
        for size in [(8, 2), (5, 3)] {
            let batch = Batch::random(named, size, seed as u64);
            let estimate = |(chosen, p): &(Vec<u32>, f64)| {
                let gains = batch.reward.gains_of_batch(batch.classes, chosen, &batch.labels);
                let of = |i: usize, _| gains[i * batch.classes..(i + 1) * batch.classes].to_vec();
                (batch.gradient(&[chosen], of, true), *p)
            };
            let estimates: Vec<_> = batch.outcomes(&batch.logits).iter().map(estimate).collect();
            let (mean, _) = Batch::moments(&estimates);
            for (got, want) in mean.iter().zip(batch.exact()) {
                assert!((got - want).abs() < 1e-9, "{named} {size:?}: {got}, not {want}");
            }
        }
    }
}

/// Two samples of a batch, each against the other, and against the counterfactual credit of two samples.
#[test]
fn leaving_one_batch_out_is_unbiased_and_noisier_than_counterfactual_credit() {
    for (seed, named) in REWARDS.iter().enumerate() {
        for size in [(5, 2), (3, 3)] {
            let batch = Batch::random(named, size, seed as u64);
            let outcomes = batch.outcomes(&batch.logits);
            let (mut compared, mut credited) = (Vec::new(), Vec::new());
            for (first, p) in &outcomes {
                for (second, q) in &outcomes {
                    let samples: [&[u32]; 2] = [first, second];
                    let advantages = leave_one_out_advantages(&samples.map(|chosen| batch.earned(chosen)), 2);
                    compared.push((batch.gradient(&samples, |_, sample| vec![advantages[sample]], false), p * q));
                    let gains = samples.map(|chosen| batch.reward.gains_of_batch(batch.classes, chosen, &batch.labels));
                    let of =
                        |i: usize, sample: usize| gains[sample][i * batch.classes..(i + 1) * batch.classes].to_vec();
                    credited.push((batch.gradient(&samples, of, true), p * q));
                }
            }
            let ((mean, variance), (_, of_credited)) = (Batch::moments(&compared), Batch::moments(&credited));
            for (got, want) in mean.iter().zip(batch.exact()) {
                assert!((got - want).abs() < 1e-9, "{named} {size:?}: {got}, not {want}");
            }
            assert!(of_credited < variance, "{named} {size:?}: {of_credited}, not below {variance}");
        }
    }
}

/// Random batches of two to four classes: against the reward of each changed batch.
#[test]
fn gains_of_a_batch_are_differences_between_whole_batches() {
    let mut rng = crate::stream(0, "gains", 0);
    for round in 0..300 {
        let (named, classes) = (REWARDS[round % REWARDS.len()], rng.random_range(2..5));
        let batch = Batch::random(named, (rng.random_range(2..12), classes), round as u64);
        let chosen: Vec<u32> = batch.labels.iter().map(|_| rng.random_range(0..classes as u32)).collect();
        let gains = batch.reward.gains_of_batch(classes, &chosen, &batch.labels);
        for (i, gain) in gains.iter().enumerate() {
            let mut changed = chosen.clone();
            changed[i / classes] = (i % classes) as u32;
            let want = batch.earned(&changed) - batch.earned(&chosen);
            assert!((gain - want).abs() < 1e-12, "{named}: {gain}, not {want}");
        }
    }
}

/// Three samples of one context with two choices.
#[test]
fn a_choice_is_compared_with_the_same_choice_of_the_others() {
    assert_eq!(compared(&[3.0, 0.0, 1.0, 0.0, 2.0, 3.0], 2, 3), [1.5, -1.5, -1.5, -1.5, 0.0, 3.0]);
}
