//! A metric of masks as the reward of a policy of pixels, enumerated over all masks and all groups of samples.

use super::{Case, numbers};
use candle_core::{DType, Device, Tensor, Var};
use lossward::distribution::Policy;
use lossward::kernel::Grid;
use lossward::metric::{MaskShape, Reward};
use lossward::options::Named;
use lossward::rollout::leave_one_out_advantages;
use lossward::surrogate::{Surrogate, Taken, surrogate_objective};
use serde_json::Value;
use std::collections::BTreeMap;

/// The reward as an experiment names it.
fn reward(metric: &str, shape: MaskShape) -> Reward {
    let named = match metric {
        "dice" => "{ dice = { positive = 1, absent = \"one\" } }",
        "iou" => "{ mean_iou = { positive = 1, absent = \"one\" } }",
        "f1" => "{ f1 = { positive = 1, absent = \"one\" } }",
        "exact" => "\"exact_match\"",
        other => panic!("no test knows the reward {other}"),
    };
    let table: BTreeMap<String, Named> = toml::from_str(&format!("reward = {named}")).unwrap();
    Reward::of_masks(Some(&table["reward"]), shape).unwrap()
}

/// Every mask with its probability, its reward, and gradients by the logits: of its log-probability, and of what its pixels are credited with.
struct Outcome {
    probability: f64,
    reward: f64,
    score: Vec<f64>,
    counterfactual: Vec<f64>,
}

fn outcomes(logits: &[f64], target: &[u8], reward: &Reward, dtype: DType) -> Vec<Outcome> {
    let pixels = logits.len();
    let shape = MaskShape::new(1, pixels, 2);
    let policy = Policy::Grid(Grid { choices: vec![1], size: [1, pixels], biases: Vec::new() });
    let outputs = Tensor::from_slice(logits, (1, pixels), &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
    let of_mask = |number: u32| {
        let mask: Vec<u32> = (0..pixels).map(|pixel| number >> pixel & 1).collect();
        let actions = Tensor::from_slice(&mask, (1, pixels), &Device::Cpu).unwrap();
        let outputs = Var::from_tensor(&outputs).unwrap();
        let one = Tensor::ones(1, dtype, &Device::Cpu).unwrap();
        let list = |t: &Tensor| super::flat(&t.to_dtype(DType::F64).unwrap());
        let gradient = |surrogate: Surrogate| {
            let (advantages, old_log_probs) = (&one, &one);
            let (policy, actions, entropy_coefficient) = (&policy, &actions, 0.0);
            let taken = Taken { policy, actions, advantages, old_log_probs, surrogate, entropy_coefficient };
            let gradients = surrogate_objective(&outputs, &taken).unwrap().scalar.backward().unwrap();
            list(gradients.get(&outputs).unwrap())
        };
        let predicted: Vec<u8> = mask.iter().map(|class| *class as u8).collect();
        let gains = Tensor::from_vec(reward.gains_of_mask(shape, &predicted, target), (1, 2 * pixels), &Device::Cpu);
        Outcome {
            probability: list(&policy.log_prob(&outputs, &actions).unwrap())[0].exp(),
            reward: reward.of_mask(shape, &predicted, target),
            score: gradient(Surrogate::LogProb),
            counterfactual: gradient(Surrogate::Gains(&gains.unwrap().to_dtype(dtype).unwrap())),
        }
    };
    (0..1u32 << pixels).map(of_mask).collect()
}

/// Expectation and total variance of an estimate of the gradient from `size` samples, over all of them.
fn estimator(outcomes: &[Outcome], size: usize, advantages: impl Fn(&[f64]) -> Vec<f64>) -> (Vec<f64>, f64) {
    let pixels = outcomes[0].score.len();
    let (mut mean, mut square) = (vec![0.0; pixels], 0.0);
    for group in 0..outcomes.len().pow(size as u32) {
        let samples: Vec<&Outcome> =
            (0..size).map(|i| &outcomes[group / outcomes.len().pow(i as u32) % outcomes.len()]).collect();
        let probability: f64 = samples.iter().map(|sample| sample.probability).product();
        let rewards: Vec<f64> = samples.iter().map(|sample| sample.reward).collect();
        let advantages = advantages(&rewards);
        let estimate = |pixel: usize| {
            let terms = samples.iter().zip(&advantages).map(|(sample, advantage)| advantage * sample.score[pixel]);
            terms.sum::<f64>() / size as f64
        };
        for (pixel, mean) in mean.iter_mut().enumerate() {
            *mean += probability * estimate(pixel);
            square += probability * estimate(pixel).powi(2);
        }
    }
    let variance = square - mean.iter().map(|mean| mean * mean).sum::<f64>();
    (mean, variance)
}

/// The expectation of the counterfactual gradient from one mask, and its total variance.
fn counterfactual(outcomes: &[Outcome]) -> (Vec<f64>, f64) {
    let mean = |of: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(|o| o.probability * of(o)).sum::<f64>();
    let pixels = outcomes[0].score.len();
    let expectation: Vec<f64> = (0..pixels).map(|pixel| mean(&|o| o.counterfactual[pixel])).collect();
    let square = mean(&|o| o.counterfactual.iter().map(|slope| slope * slope).sum());
    let variance = square - expectation.iter().map(|mean| mean * mean).sum::<f64>();
    (expectation, variance)
}

pub fn mask_reward(case: &Case) {
    let (logits, target) = (case.numbers("logits"), case.numbers("target"));
    let target: Vec<u8> = target.iter().map(|class| *class as u8).collect();
    let shape = MaskShape::new(1, logits.len(), 2);
    for metric in case.expected_with("") {
        let expected = case.expected(&metric).as_object().unwrap();
        let reward = reward(&metric, shape);
        for (dtype, tolerance) in [(DType::F64, None), (DType::F32, Some((1e-4, 1e-5)))] {
            let compare = |what: &str, got: &[f64], want: &Value| match tolerance {
                None => case.compare(&format!("{metric}: {what}"), got, want),
                Some(near) => case.compare_within(&format!("{metric}, single precision: {what}"), got, want, near),
            };
            let outcomes = outcomes(&logits, &target, &reward, dtype);
            let mean = |of: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(|o| o.probability * of(o)).sum::<f64>();
            let average = mean(&|o| o.reward);
            for (key, want) in expected {
                match (key.as_str(), key.rsplit_once("_K")) {
                    ("expected_reward", _) => compare(key, &[average], want),
                    ("reward_variance", _) => compare(key, &[mean(&|o| (o.reward - average).powi(2))], want),
                    ("grad", _) => {
                        let gradient = (0..logits.len()).map(|pixel| mean(&|o| o.reward * o.score[pixel]));
                        compare(key, &gradient.collect::<Vec<f64>>(), want);
                        compare("counterfactual expectation", &counterfactual(&outcomes).0, want);
                    }
                    (_, Some((name, size))) => {
                        let (expectation, variance) =
                            estimator(&outcomes, size.parse().unwrap(), |rewards| match name {
                                "leave_one_out" => leave_one_out_advantages(rewards, rewards.len()),
                                "reinforce" => rewards.to_vec(),
                                other => panic!("no test knows the estimator {other}"),
                            });
                        compare(&format!("{key} expectation"), &expectation, &want["expectation"]);
                        compare(&format!("{key} variance"), &[variance], &want["total_variance"]);
                        // Of as many masks, which are independent.
                        let credited = counterfactual(&outcomes).1 / size.parse::<f64>().unwrap();
                        assert!(credited < variance + 1e-12, "{metric}, {key}: {credited}, not below {variance}");
                        assert_eq!(want.as_object().unwrap().len(), 2);
                    }
                    _ => panic!("no test knows {key}: {:?}", numbers(want)),
                }
            }
        }
    }
}
