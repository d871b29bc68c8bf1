//! Losses of class labels on the way to a reward: of what every class would earn, in closed form.

use super::classification::{CLASSES, as_examples, labels, of_log_prob, weighted};
use super::inputs::{Inputs, PerExample};
use super::{Line, Loss, Slice};
use crate::Result;
use crate::distribution::{log_probs, mode};
use crate::kernel::{self, Pointwise, Real};
use crate::options::{Interval, OptionKind, OptionRow, Options};

const REWARDS: OptionRow = OptionRow {
    name: "rewards",
    meaning: "r: a row per true class, a column per chosen one; without it, 1 for the right class and 0 for a wrong one",
    kind: OptionKind::SquareMatrix(Interval::ANY),
};

pub(super) const ROWS: &[Loss] = &[
    Loss {
        name: "dft",
        formula: "−sg(p_y) log p_y, p = softmax(z), sg: held fixed where it is differentiated",
        gradient: "p_y (p − e_y)",
        summary: "dynamic fine-tuning: cross-entropy that counts a label as much as it is believed already; the gradient of 1 − p_y",
        source: "Wu et al. 2025, arXiv 2508.05629",
        per_example: |inputs, _| of_log_prob(inputs, HeldProbability),
        ..CLASSES
    },
    Loss {
        name: "expected_reward",
        formula: "−Σ_a p_a r(a, y), p = softmax(z); with a greedy baseline −Σ_a p_a (r(a, y) − r(argmax z, y))",
        gradient: "−p_a (r(a, y) − Σ_b p_b r(b, y)), with either baseline",
        summary: "the exact policy gradient: the reward of a drawn class, averaged over all draws",
        source: "Williams 1992; the greedy baseline: Rennie et al. 2017, arXiv 1612.00563",
        options: &[
            REWARDS,
            OptionRow {
                name: "baseline",
                meaning: "what is subtracted from the rewards: nothing, or what the most likely class earns; held fixed, it moves the value alone",
                kind: OptionKind::Choice(&["none", "greedy"]),
            },
        ],
        range: Interval::ANY,
        per_example: expected_reward,
        ..CLASSES
    },
    Loss {
        name: "raml",
        formula: "−Σ_a q_a log p_a, q_a ∝ e^(r(a, y)/τ), p = softmax(z)",
        gradient: "p − q",
        summary: "reward-augmented maximum likelihood: cross-entropy with the exponentiated payoff as a soft label",
        source: "Norouzi et al. 2016, arXiv 1609.00150",
        options: &[
            REWARDS,
            OptionRow {
                name: "temperature",
                meaning: "τ: what a class earns less than the best one divides its share by e^(difference/τ)",
                kind: OptionKind::Number { default: 0.2, range: Interval::POSITIVE },
            },
        ],
        slice: Slice {
            lines: &[
                Line::with("τ = 0.1", "temperature", 0.1),
                Line::with("τ = 0.5", "temperature", 0.5),
                Line::with("τ = 1", "temperature", 1.0),
            ],
            ..CLASSES.slice
        },
        per_example: raml,
        ..CLASSES
    },
];

/// `−sg(e^ℓ) ℓ` of a log-probability ℓ.
#[derive(Clone, Copy)]
struct HeldProbability;

impl Pointwise<1, 0> for HeldProbability {
    #[inline(always)]
    fn at<R: Real>(self, [log_prob]: [R; 1], _: [R; 0]) -> (R, [R; 1]) {
        let p = log_prob.exp();
        (-p * log_prob, [-p])
    }
}

/// What choosing `chosen` for `label` earns.
fn reward(chosen: usize, label: usize, options: &Options) -> f64 {
    match options.rows("rewards") {
        Some(rewards) => rewards[label][chosen],
        None => f64::from(u8::from(chosen == label)),
    }
}

/// What every class earns for this label.
fn earned(label: i64, classes: usize, options: &Options) -> Vec<f64> {
    (0..classes).map(|chosen| reward(chosen, label as usize, options)).collect()
}

fn expected_reward(inputs: &Inputs, options: &Options) -> Result<PerExample> {
    let labels = labels(&inputs.targets[0])?;
    let self_critical = options.choice("baseline") == "greedy";
    let values = kernel::rowwise([&as_examples(&inputs.predictions[0])?], |row, [scores], [gradient]| {
        let rewards = earned(labels[row], scores.len(), options);
        let probabilities: Vec<f64> = log_probs(scores).map(f64::exp).collect();
        let expected: f64 = probabilities.iter().zip(&rewards).map(|(p, reward)| p * reward).sum();
        for ((slope, p), reward) in gradient.iter_mut().zip(&probabilities).zip(&rewards) {
            *slope = -p * (reward - expected);
        }
        let baseline = if self_critical { rewards[mode(scores) as usize] } else { 0.0 };
        baseline - expected
    })?;
    Ok(values.into())
}

/// The exponentiated payoff `q_a ∝ e^(r_a/τ)` over all that can be chosen: of all distributions the one with the largest
/// `E_q[r] + τ H(q)` (Norouzi et al. 2016, arXiv 1609.00150). `rewards` are finite, `temperature` is positive.
pub fn exponentiated_payoff(rewards: &[f64], temperature: f64) -> Vec<f64> {
    let best = rewards.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let tilted: Vec<f64> = rewards.iter().map(|reward| ((reward - best) / temperature).exp()).collect();
    let total: f64 = tilted.iter().sum();
    tilted.iter().map(|share| share / total).collect()
}

fn raml(inputs: &Inputs, options: &Options) -> Result<PerExample> {
    let [scores, targets] = [&inputs.predictions[0], &inputs.targets[0]];
    let (classes, temperature) = (scores.dim(1)?, options.number("temperature"));
    let payoff = |label: i64| exponentiated_payoff(&earned(label, classes, options), temperature);
    weighted(scores, labels(targets)?.into_iter().flat_map(payoff).collect(), None)
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::super::tests::compute;
    use super::*;
    use crate::distribution::Policy;
    use crate::surrogate::{Surrogate, Taken, surrogate_objective};
    use candle_core::{Device, Tensor, Var};

    const LOGITS: [f64; 4] = [0.3, -1.2, 0.9, 0.1];
    /// Rewards of every class where the label is the third one.
    const EARNED: [f64; 4] = [0.4, -2.0, 1.5, 0.7];

    /// The options of a loss from TOML, among them rewards by which the third class earns [`EARNED`].
    fn options(name: &str, toml: &str) -> Options {
        let toml = toml.replace("MATRIX", &format!("[[1, 0, 0, 0], [0, 1, 0, 0], {EARNED:?}, [0, 0, 0, 1]]"));
        Options::new(name, find(name).unwrap().options, &toml::from_str(&toml).unwrap()).unwrap()
    }

    /// Value and gradient at [`LOGITS`] where the label is the third class.
    fn at(name: &str, toml: &str) -> (f64, Vec<f64>) {
        let logits = Tensor::new(&[LOGITS], &Device::Cpu).unwrap();
        let inputs = Inputs::pair(&logits, &Tensor::new(&[2u32], &Device::Cpu).unwrap());
        let (value, gradients) = compute(find(name).unwrap(), &inputs, &options(name, toml));
        (value, gradients.concat())
    }

    fn assert_close(got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        got.iter().zip(want).for_each(|(g, w)| assert!((g - w).abs() < 1e-12, "{got:?}, not {want:?}"));
    }

    #[test]
    fn a_held_probability_has_the_slope_of_the_expected_reward() {
        let (value, gradient) = at("dft", "");
        let (missed, slopes) = at("generalized_cross_entropy", "q = 1.0");
        assert_close(&gradient, &slopes);
        let p = 1.0 - missed;
        assert_close(&[value], &[-p * p.ln()]);
        let (expected, slopes) = at("expected_reward", "");
        assert_close(&gradient, &slopes);
        assert_close(&[expected], &[-p]);
    }

    /// `Σ_a π_a r_a ∇ log π_a`, each term from the objective that policy gradients climb.
    #[test]
    fn the_expected_reward_has_the_gradient_of_all_draws() {
        let mut exact = [0.0; 4];
        let probabilities: Vec<f64> = log_probs(&LOGITS).map(f64::exp).collect();
        for (action, p) in probabilities.iter().enumerate() {
            let logits = Var::new(&[LOGITS], &Device::Cpu).unwrap();
            let taken = Taken {
                policy: &Policy::Categorical { actions: 4 },
                actions: &Tensor::new(&[action as u32], &Device::Cpu).unwrap(),
                advantages: &Tensor::new(&[EARNED[action]], &Device::Cpu).unwrap(),
                old_log_probs: &Tensor::new(&[p.ln()], &Device::Cpu).unwrap(),
                surrogate: Surrogate::LogProb,
                entropy_coefficient: 0.0,
            };
            let gradients = surrogate_objective(&logits, &taken).unwrap().scalar.backward().unwrap();
            let score: Vec<f64> = gradients.get(&logits).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            exact.iter_mut().zip(score).for_each(|(sum, slope)| *sum += p * slope);
        }
        let (value, gradient) = at("expected_reward", "rewards = MATRIX");
        assert_close(&gradient, &exact.map(|slope| -slope));
        let expected: f64 = probabilities.iter().zip(EARNED).map(|(p, r)| p * r).sum();
        assert_close(&[value], &[-expected]);
        let (gap, same) = at("expected_reward", "rewards = MATRIX\nbaseline = \"greedy\"");
        assert_close(&same, &gradient);
        assert_close(&[gap], &[1.5 - expected]);
    }

    #[test]
    fn a_payoff_of_right_or_wrong_smooths_the_label() {
        for temperature in [0.15f64, 0.2, 1.0, 30.0] {
            let smoothing = 4.0 / ((1.0 / temperature).exp() + 3.0);
            let (value, gradient) = at("raml", &format!("temperature = {temperature:?}"));
            let (smoothed, slopes) = at("cross_entropy", &format!("label_smoothing = {smoothing:?}"));
            assert_close(&gradient, &slopes);
            assert_close(&[value], &[smoothed]);
        }
        assert_close(&at("raml", "temperature = 1e-3").1, &at("cross_entropy", "").1);
    }

    /// `E_q[r] + τ H(q)` is largest at the payoff, and the gradient of the loss is what the policy is away from it.
    #[test]
    fn the_payoff_is_the_best_of_all_distributions() {
        let temperature = 0.7;
        let payoff = exponentiated_payoff(&EARNED, temperature);
        let worth = |q: &[f64]| q.iter().zip(EARNED).map(|(q, r)| q * (r - temperature * q.ln())).sum::<f64>();
        let largest = temperature * EARNED.iter().map(|r| (r / temperature).exp()).sum::<f64>().ln();
        assert_close(&[worth(&payoff)], &[largest]);
        for step in [1e-3, -1e-3] {
            let moved = [payoff[0] + step, payoff[1], payoff[2] - step, payoff[3]];
            assert!(worth(&moved) < largest);
        }
        let gradient = at("raml", "rewards = MATRIX\ntemperature = 0.7").1;
        let away: Vec<f64> = log_probs(&LOGITS).zip(&payoff).map(|(log_p, q)| log_p.exp() - q).collect();
        assert_close(&gradient, &away);
        assert_eq!(exponentiated_payoff(&[1e308, -1e308, 1e308], 1e-9), [0.5, 0.0, 0.5]);
    }
}
