//! A weighted sum of a loss of labels and a reward: the reward by the surrogate that policies are trained on, over all actions.

use super::{Case, flat, numbers};
use candle_core::{DType, Device, Tensor, Var};
use lossward::distribution::Policy;
use lossward::loss::{self, Inputs};
use lossward::objective::Sense;
use lossward::options::{Given, Options};
use lossward::surrogate::{Surrogate, Taken, surrogate_objective};

/// The expected reward and the sum over actions of the surrogates with `π_a r_a` as advantages, whose gradient is that of the former.
fn expected_reward(logits: &Var, rewards: &[Vec<f64>]) -> (f64, Tensor) {
    let (batch, actions) = logits.dims2().unwrap();
    let policy = Policy::Categorical { actions: actions as u32 };
    let (mut expected, mut surrogate): (f64, Option<Tensor>) = (0.0, None);
    for action in 0..actions {
        let taken = Tensor::from_vec(vec![action as u32; batch], batch, &Device::Cpu).unwrap();
        let log_probs = policy.log_prob(logits, &taken).unwrap().detach();
        let weighted =
            flat(&log_probs).iter().zip(rewards).map(|(log_p, r)| log_p.exp() * r[action]).collect::<Vec<f64>>();
        expected += weighted.iter().sum::<f64>() / batch as f64;
        let advantages = Tensor::from_vec(weighted, batch, &Device::Cpu).unwrap();
        let of_action = Taken {
            policy: &policy,
            actions: &taken,
            advantages: &advantages,
            old_log_probs: &log_probs,
            surrogate: Surrogate::LogProb,
            entropy_coefficient: 0.0,
        };
        let scalar = surrogate_objective(logits, &of_action).unwrap().scalar;
        surrogate = Some(match surrogate {
            None => scalar,
            Some(sum) => (sum + scalar).unwrap(),
        });
    }
    (expected, surrogate.unwrap())
}

pub fn mixture(case: &Case) {
    let logits = Var::from_tensor(&case.tensor("logits").to_dtype(DType::F64).unwrap()).unwrap();
    let labels = Tensor::new(case.indices("target"), &Device::Cpu).unwrap();
    let rewards: Vec<Vec<f64>> = case.input("rewards").as_array().unwrap().iter().map(numbers).collect();
    let weight = case.number("lambda");
    let loss = loss::find("cross_entropy").unwrap();
    let options = Options::new(loss.name, loss.options, &Given::new()).unwrap();
    let of_examples = (loss.per_example)(&Inputs::pair(&logits, &labels), &options).unwrap();
    let cross_entropy = of_examples.mean().unwrap();
    let (expected, surrogate) = expected_reward(&logits, &rewards);
    let value = weight * flat(&cross_entropy)[0] - (1.0 - weight) * expected;
    case.check("value", &[value]);
    case.check("cross_entropy", &flat(&cross_entropy));
    case.check("expected_reward", &[expected]);
    let supervised = Sense::Minimize.as_loss(&cross_entropy).unwrap();
    let rewarded = Sense::Maximize.as_loss(&surrogate).unwrap();
    let total = ((supervised * weight).unwrap() + (rewarded * (1.0 - weight)).unwrap()).unwrap();
    let gradients = total.backward().unwrap();
    case.check("grad", &flat(gradients.get(&logits).unwrap()));
}
