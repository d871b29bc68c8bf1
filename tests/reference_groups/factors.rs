//! How much each objective gives the right class: losses and policy gradients at the same logits, draws enumerated.

use super::{Case, flat, number, numbers};
use candle_core::{Device, Tensor, Var};
use lossward::distribution::{Policy, log_probs};
use lossward::loss::{Criterion, Inputs, LossSettings};
use lossward::surrogate::{GroupTarget, Surrogate, Taken, surrogate_objective};
use std::collections::BTreeMap;

/// One example of a case.
struct Example {
    logits: Vec<f64>,
    target: usize,
    gamma: f64,
    q: f64,
}

impl Example {
    fn probabilities(&self) -> Vec<f64> {
        log_probs(&self.logits).map(f64::exp).collect()
    }

    /// 1 for the target.
    fn reward(&self, action: usize) -> f64 {
        f64::from(u8::from(action == self.target))
    }

    /// Minus the gradient of a loss.
    fn descent(&self, loss: &str) -> Vec<f64> {
        let table: BTreeMap<String, LossSettings> = toml::from_str(&format!("loss = {loss}")).unwrap();
        let criterion = Criterion::new(&table["loss"]).unwrap();
        let logits = Tensor::from_slice(&self.logits, (1, self.logits.len()), &Device::Cpu).unwrap();
        let logits = Var::from_tensor(&logits).unwrap();
        let inputs = Inputs::pair(&logits, &Tensor::new(&[self.target as u32], &Device::Cpu).unwrap());
        let (value, _) = criterion.value(|loss, options| loss.of_classifier(&inputs, options)).unwrap();
        flat(value.neg().unwrap().backward().unwrap().get(&logits).unwrap())
    }

    /// The gradient of the objective of every action once, `[actions, actions]`, each row as if it were alone.
    fn of_actions(&self, advantages: &[f64], surrogate: Surrogate) -> Vec<Vec<f64>> {
        let actions = self.logits.len();
        let outputs = Tensor::from_vec(self.logits.repeat(actions), (actions, actions), &Device::Cpu).unwrap();
        let outputs = Var::from_tensor(&outputs).unwrap();
        let column = |values: Vec<f64>| Tensor::from_vec(values, actions, &Device::Cpu).unwrap();
        let taken = Taken {
            policy: &Policy::Categorical { actions: actions as u32 },
            actions: &Tensor::arange(0, actions as u32, &Device::Cpu).unwrap(),
            advantages: &column(advantages.to_vec()),
            old_log_probs: &column(log_probs(&self.logits).collect()),
            surrogate,
            entropy_coefficient: 0.0,
        };
        let gradients = surrogate_objective(&outputs, &taken).unwrap().scalar.backward().unwrap();
        let of_mean = gradients.get(&outputs).unwrap().to_vec2::<f64>().unwrap();
        of_mean.into_iter().map(|row| row.into_iter().map(|slope| slope * actions as f64).collect()).collect()
    }

    /// The expected gradient of one draw.
    fn expected(&self, advantage: impl Fn(usize) -> f64, surrogate: Surrogate) -> Vec<f64> {
        let advantages: Vec<f64> = (0..self.logits.len()).map(advantage).collect();
        let rows = self.of_actions(&advantages, surrogate);
        let drawn = |class: usize| rows.iter().zip(self.probabilities()).map(|(row, p)| p * row[class]).sum();
        (0..self.logits.len()).map(drawn).collect()
    }

    /// Every action is a candidate once, and its target is the policy tilted by the standardized rewards.
    fn of_target(&self) -> Vec<f64> {
        let actions = self.logits.len() as f64;
        let spread = (actions - 1.0).sqrt();
        let tilted = |(a, p): (usize, f64)| p * (if a == self.target { spread } else { -1.0 / spread }).exp();
        let tilted: Vec<f64> = self.probabilities().into_iter().enumerate().map(tilted).collect();
        let total: f64 = tilted.iter().sum();
        let target = GroupTarget {
            targets: tilted.iter().map(|q| q / total).collect(),
            size: self.logits.len(),
            candidates: (0..self.logits.len() as u32).collect(),
        };
        let advantages = vec![0.0; self.logits.len()];
        let rows = self.of_actions(&advantages, Surrogate::GroupTarget(&target));
        let mean = |class: usize| rows.iter().map(|row| row[class]).sum::<f64>() / actions;
        (0..self.logits.len()).map(mean).collect()
    }

    /// The ascent direction of an objective by its name in the cases.
    fn update(&self, objective: &str) -> Vec<f64> {
        let p = self.probabilities()[self.target];
        match objective {
            "ce" => self.descent("\"cross_entropy\""),
            "focal" => self.descent(&format!("{{ categorical_focal = {{ gamma = {:?} }} }}", self.gamma)),
            "gce" => self.descent(&format!("{{ generalized_cross_entropy = {{ q = {:?} }} }}", self.q)),
            "dft" => self.descent("\"dft\""),
            "pg" => {
                let sampled = self.expected(|a| self.reward(a), Surrogate::LogProb);
                assert_near(&sampled, &self.descent("\"expected_reward\""));
                sampled
            }
            "grpo" => {
                let deviation = (p * (1.0 - p)).sqrt();
                self.expected(|a| (self.reward(a) - p) / deviation, Surrogate::Clipped { clip: 0.2 })
            }
            "dg" => self.expected(|a| self.reward(a), Surrogate::Delightful { temperature: 1.0 }),
            "tpo" => {
                let advantages: Vec<f64> = (0..self.logits.len()).map(|a| self.reward(a)).collect();
                let of_one = self.of_actions(&advantages, Surrogate::Target { temperature: 1.0 });
                let of_all = self.of_target();
                assert_near(&of_all, &of_one[self.target]);
                of_all
            }
            other => panic!("no test knows the objective {other}"),
        }
    }
}

fn assert_near(got: &[f64], want: &[f64]) {
    got.iter().zip(want).for_each(|(g, w)| assert!((g - w).abs() < 1e-12, "{got:?}, not {want:?}"));
}

pub fn beta_weights(case: &Case) {
    let (gamma, q) = (case.number("focal_gamma"), case.number("gce_q"));
    let actions = case.number("num_actions") as usize;
    let example = |logits: Vec<f64>, target: usize| Example { logits, target, gamma, q };
    let examples: Vec<Example> = match case.has("logits") {
        true => vec![example(case.numbers("logits"), case.number("target") as usize)],
        false => {
            let others = |p: f64| vec![((1.0 - p) / (actions - 1) as f64).ln(); actions - 1];
            case.numbers("p").into_iter().map(|p| example([vec![p.ln()], others(p)].concat(), 0)).collect()
        }
    };
    assert!(examples.iter().all(|example| example.logits.len() == actions));
    let p = |example: &Example| example.probabilities()[example.target];
    for (objective, want) in case.expected("beta").as_object().unwrap() {
        let updates: Vec<Vec<f64>> = examples.iter().map(|example| example.update(objective)).collect();
        let beta = |(example, update): (&Example, &Vec<f64>)| update[example.target] / (1.0 - p(example));
        let betas: Vec<f64> = examples.iter().zip(&updates).map(beta).collect();
        case.compare(objective, &betas, want);
        for ((example, update), beta) in examples.iter().zip(&updates).zip(&betas) {
            let along = |(a, p): (usize, f64)| beta * (example.reward(a) - p);
            let along: Vec<f64> = example.probabilities().into_iter().enumerate().map(along).collect();
            update.iter().zip(&along).for_each(|(got, want)| assert!((got - want).abs() < 1e-9 * beta.max(1.0)));
        }
        if case.expects("update") {
            let want = &case.expected("update")[objective.as_str()];
            case.compare(&format!("update of {objective}"), &updates.concat(), want);
        }
    }
    if case.expects("update") {
        let names = |field: &str| case.expected(field).as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names("update"), names("beta"));
    }
    if case.expects("p") {
        case.check("p", &examples.iter().map(p).collect::<Vec<f64>>());
    }
    if case.expects("tpo_L") {
        let example = &examples[0];
        let (before, after) = (p(example), p(example) + example.update("tpo")[example.target]);
        let odds = after / (1.0 - after) / (before / (1.0 - before));
        assert!(number(case.expected("tpo_L")) > 1.0 && numbers(case.expected("tpo_L")).len() == 1);
        case.check("tpo_L", &[odds]);
    }
}
