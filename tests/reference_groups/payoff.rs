//! Reward-augmented maximum likelihood over all sequences of a length: each of them is a class.

use super::{Case, flat};
use candle_core::{Device, Tensor, Var};
use lossward::distribution::Categorical;
use lossward::loss::{self, Inputs, exponentiated_payoff};
use lossward::options::{Given, OptionValue, Options};

/// All sequences, in lexicographic order.
fn sequences(vocabulary: usize, length: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for _ in 0..length {
        let longer = |of: &Vec<usize>| (0..vocabulary).map(|token| [&of[..], &[token]].concat()).collect::<Vec<_>>();
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// Insertions, deletions and substitutions that turn one sequence into the other (Levenshtein 1966).
fn edit_distance(one: &[usize], other: &[usize]) -> usize {
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (i, token) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, wanted) in other.iter().enumerate() {
            let substituted = above[j] + usize::from(token != wanted);
            row.push(substituted.min(above[j + 1] + 1).min(row[j] + 1));
        }
        above = row;
    }
    above[other.len()]
}

/// Places where two sequences of one length differ.
fn hamming_distance(one: &[usize], other: &[usize]) -> usize {
    one.iter().zip(other).filter(|(a, b)| a != b).count()
}

fn one_row(logits: &[f64]) -> Tensor {
    Tensor::from_slice(logits, (1, logits.len()), &Device::Cpu).unwrap()
}

/// A loss at these logits, and its gradient.
fn computed(name: &str, given: Given, logits: &[f64], label: usize) -> (f64, Vec<f64>) {
    let row = loss::find(name).unwrap();
    let options = Options::new(name, row.options, &given).unwrap();
    let logits = Var::from_tensor(&one_row(logits)).unwrap();
    let inputs = Inputs::pair(&logits, &Tensor::new(&[label as i64], &Device::Cpu).unwrap());
    loss::check(row, &inputs, &options).unwrap();
    let value = (row.per_example)(&inputs, &options).unwrap().mean().unwrap();
    let gradient = flat(value.backward().unwrap().get(&logits).unwrap());
    (value.to_scalar().unwrap(), gradient)
}

pub fn raml(case: &Case) {
    let (vocabulary, length) = (case.number("vocabulary") as usize, case.number("length") as usize);
    let (temperature, logits) = (case.number("tau"), case.numbers("logits"));
    let target: Vec<usize> = case.indices("target").into_iter().map(|token| token as usize).collect();
    let outputs = sequences(vocabulary, length);
    let distance = match case.text("reward_kind") {
        "hamming" => hamming_distance,
        "edit" => edit_distance,
        other => panic!("no test knows the reward {other}"),
    };
    let earned = |truth: &Vec<usize>| outputs.iter().map(|output| -(distance(output, truth) as f64)).collect();
    let rewards: Vec<Vec<f64>> = outputs.iter().map(earned).collect();
    let label = outputs.iter().position(|output| *output == target).unwrap();
    case.check("outputs", &outputs.concat().iter().map(|token| *token as f64).collect::<Vec<f64>>());
    case.check("rewards", &rewards[label]);

    let payoff = exponentiated_payoff(&rewards[label], temperature);
    case.check("q", &payoff);
    let matrix = Given::from([("rewards".to_string(), OptionValue::Rows(rewards.clone()))]);
    let mut tempered = matrix.clone();
    tempered.insert("temperature".into(), OptionValue::Number(temperature));
    let (value, gradient) = computed("raml", tempered, &logits, label);
    case.check("raml_loss", &[value]);
    case.check("grad", &gradient);

    let distribution = |logits: &[f64]| Categorical::new(&one_row(logits));
    let tilted: Vec<f64> = rewards[label].iter().map(|reward| reward / temperature).collect();
    let (policy, best) = (distribution(&logits), distribution(&tilted));
    let entropy = |of: &Categorical| flat(&of.entropy().unwrap())[0];
    let expected: f64 = payoff.iter().zip(&rewards[label]).map(|(q, reward)| q * reward).sum();
    case.check("entropy", &[entropy(&best)]);
    case.check("expected_reward", &[expected]);
    case.check("kl_pi_q", &flat(&policy.kl_divergence(&best).unwrap()));
    let (missed, _) = computed("expected_reward", matrix, &logits, label);
    case.check("entropy_regularised_objective", &[temperature * entropy(&policy) - missed]);
    case.check("entropy_regularised_optimum", &[expected + temperature * entropy(&best)]);
}
