//! Over all that can be drawn, in double precision.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::data::{InputValues, Targets};
use crate::objective::Learned;
use crate::options::Named;
use crate::task::kind;
use candle_core::DType;

const ROWS: [usize; 2] = [0, 1];
const CLASSES: usize = 3;

/// Two examples of three classes, with what each mistake costs.
fn rewarded(preset: &str, over: &str) -> Rewarded {
    let defaults: toml::Table = toml::from_str(include_str!("../../../experiment/defaults.toml")).unwrap();
    let mut table = defaults["preset"][preset].as_table().unwrap().clone();
    table.insert("preset".into(), preset.into());
    table.extend(toml::from_str::<toml::Table>(over).unwrap());
    let reward: std::collections::BTreeMap<String, Named> = toml::from_str(COSTS).unwrap();
    let kind = kind::of_classes(["a", "b", "c"].map(String::from).to_vec());
    Rewarded {
        settings: table.try_into().unwrap(),
        examples: Examples::new(InputValues::Numbers(vec![0.0; 2]), Targets::Classes(vec![2, 0])).into(),
        reward: kind.reward(Some(&reward["reward"])).unwrap(),
        kind,
    }
}

const COSTS: &str = "reward = { cost = { costs = [[0, 1, 4], [2, 0, 1], [3, 0.5, 0]] } }";
const LOGITS: [f64; 6] = [0.5, -1.0, 0.2, 1.5, 0.0, -0.7];

fn with_logits<T>(of: impl FnOnce(&Looked) -> T) -> T {
    let outputs = Tensor::from_slice(&LOGITS, (2, CLASSES), &Device::Cpu).unwrap();
    let policy = Policy::Categorical { actions: CLASSES as u32 };
    let learned = Learned { critic: None, moving_average: -0.75 };
    of(&Looked { policy: &policy, outputs: &outputs, rows: &ROWS, learned, progress: 0.0 })
}

fn flat(of: &Tensor) -> Vec<f64> {
    of.flatten_all().unwrap().to_vec1().unwrap()
}

/// Expectation and total variance of an estimate over every possible draw of so many samples of each of the two rows.
fn enumerated(of: &Rewarded, at: &Looked, samples: usize, estimate: impl Fn(&Draws) -> Vec<f64>) -> (Vec<f64>, f64) {
    let p: Vec<f64> = LOGITS.chunks(CLASSES).flat_map(|row| distribution::log_probs(row).map(f64::exp)).collect();
    let (mut mean, mut square) = (vec![0.0; 2 * CLASSES], 0.0);
    for number in 0..CLASSES.pow(2 * samples as u32) {
        let class = |i: usize| number / CLASSES.pow(i as u32) % CLASSES;
        let classes: Vec<usize> = (0..2 * samples).map(class).collect();
        let probability: f64 = classes.iter().enumerate().map(|(i, class)| p[i / samples * CLASSES + class]).product();
        let actions = RawActions::Indices(classes.iter().map(|class| *class as u32).collect());
        let rewards = of.rewards(at, &actions, samples);
        let estimate = estimate(&Draws { samples, actions, rewards });
        mean.iter_mut().zip(&estimate).for_each(|(mean, x)| *mean += probability * x);
        square += probability * estimate.iter().map(|x| x * x).sum::<f64>();
    }
    let variance = square - mean.iter().map(|x| x * x).sum::<f64>();
    (mean, variance)
}

fn assert_near(got: &[f64], want: &[f64], what: &str) {
    let near = got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-6);
    assert!(near && got.len() == want.len(), "{what}: {got:?} rather than {want:?}");
}

/// `∂/∂z_k Σ_a π_a r_a = π_k (r_k − Σ_a π_a r_a)`, turned round into the gradient of a loss, a mean over two rows.
fn closed_form(of: &Rewarded, at: &Looked) -> Vec<f64> {
    let table = of.table(at, CLASSES as u32);
    let rows = LOGITS.chunks(CLASSES).zip(table.chunks(CLASSES));
    rows.flat_map(|(logits, r)| {
        let p: Vec<f64> = distribution::log_probs(logits).map(f64::exp).collect();
        let value = mean_of(&p, r);
        p.iter().zip(r).map(|(p, r)| -p * (f64::from(*r) - value) / 2.0).collect::<Vec<f64>>()
    })
    .collect()
}

#[test]
fn the_exact_gradient_is_that_of_the_expected_reward() {
    with_logits(|at| {
        let of = rewarded("reinforce", "");
        assert_eq!(of.table(at, 3), [-3.0, -0.5, 0.0, 0.0, -1.0, -4.0]);
        let expected = closed_form(&of, at);
        assert_near(&flat(&of.of_expected_reward(at).unwrap().unwrap()), &expected, "of the reward");
        for baseline in ["none", "mean", "moving_average", "greedy", "confidence"] {
            let of = rewarded("reinforce", &format!("baseline = \"{baseline}\""));
            assert_near(&flat(&of.exact(at).unwrap().unwrap()), &expected, baseline);
        }
    });
}

/// What an objective samples has the expectation that is said to be exact: every weight that a surrogate gives, with and without entropy. A mean
/// that counts the own reward makes it smaller by the share of that.
#[test]
fn estimates_of_every_objective_have_their_expectation() {
    let cases = [
        ("reinforce", "", 1.0),
        ("reinforce", "entropy_coefficient = 0.3", 1.0),
        ("reinforce", "baseline = \"greedy\"", 1.0),
        ("reinforce", "baseline = \"moving_average\"", 1.0),
        ("reinforce", "baseline = \"mean\"", 0.75),
        ("ppo", "normalize_advantages = false", 1.0),
        ("rloo", "", 1.0),
        ("dg", "", 1.0),
        ("dg", "temperature = 0.5\nbaseline = \"greedy\"", 1.0),
        ("tpo", "", 1.0),
        ("tpo", "temperature = 3.0", 1.0),
    ];
    with_logits(|at| {
        for (preset, over, share) in cases {
            let of = rewarded(preset, over);
            let estimate = |draws: &Draws| {
                let advantages = of.advantages(at, draws).unwrap().unwrap();
                flat(&of.gradient(at, draws, &advantages, false).unwrap())
            };
            let exact = flat(&of.exact(at).unwrap().unwrap());
            let exact: Vec<f64> = exact.iter().map(|x| x * share).collect();
            assert_near(&enumerated(&of, at, 2, estimate).0, &exact, &format!("{preset} {over}"));
        }
        // Half of what it estimates, since half of the mean of two is the own reward; and no mean is one of deviations.
        let of = rewarded("grpo", "");
        let draws = of.draws(at, 1, &mut crate::stream(0, "test", 0)).unwrap();
        assert!(of.advantages(at, &draws).unwrap().is_none(), "one sample is compared with nothing");
        assert!(rewarded("tpo", "group_size = 2\nepochs = 4").exact(at).unwrap().is_none());
    });
}

/// None of them moves the expectation, and of all constants of a context the optimal one has the least variance.
#[test]
fn baselines_are_unbiased_and_the_optimal_constant_has_the_least_noise() {
    with_logits(|at| {
        let of = rewarded("reinforce", "");
        let expected = closed_form(&of, at);
        let with = |baseline: ComparedBaseline| {
            enumerated(&of, at, 2, |draws| {
                flat(&of.gradient(at, draws, &of.compared(at, draws, baseline).unwrap().unwrap(), true).unwrap())
            })
        };
        let constant = |constants: [f32; 2]| {
            let estimate =
                |draws: &Draws| flat(&of.gradient(at, draws, &less(&draws.rewards, &constants, 2), true).unwrap());
            enumerated(&of, at, 2, estimate).1
        };
        let optimal = with(ComparedBaseline::Optimal).1;
        for baseline in ComparedBaseline::ALL {
            let (expectation, variance) = with(baseline);
            let share = if baseline == ComparedBaseline::Mean { 0.75 } else { 1.0 };
            let wanted: Vec<f64> = expected.iter().map(|x| x * share).collect();
            assert_near(&expectation, &wanted, baseline.name());
            if ![ComparedBaseline::Mean, ComparedBaseline::Optimal].contains(&baseline) {
                assert!(variance > optimal * 1.001, "{}: {variance}, and {optimal}", baseline.name());
            }
        }
        let table = of.table(at, 3);
        let best: Vec<f32> = LOGITS
            .chunks(CLASSES)
            .zip(table.chunks(CLASSES))
            .map(|(logits, r)| {
                let p: Vec<f64> = distribution::log_probs(logits).map(f64::exp).collect();
                optimal_constant(&p, r) as f32
            })
            .collect();
        assert!((constant([best[0], best[1]]) - optimal).abs() < 1e-7);
        for (i, j) in [(-1, 0), (1, 0), (0, -1), (0, 1), (1, 1), (-1, 1)] {
            let beside = constant([best[0] + 0.05 * i as f32, best[1] + 0.05 * j as f32]);
            assert!(beside > optimal, "{beside} at ({i}, {j}), and {optimal}");
        }
    });
}

/// Samples of one class are counted where there are many of them, and come to what each by itself does.
#[test]
fn counting_classes_changes_nothing() {
    with_logits(|at| {
        for (preset, over) in
            [("reinforce", "entropy_coefficient = 0.3"), ("grpo", ""), ("dg", ""), ("rloo", ""), ("ppo", "")]
        {
            let of = rewarded(preset, over);
            let draws = of.draws(at, 20, &mut crate::stream(0, "test", 1)).unwrap();
            let advantages = of.advantages(at, &draws).unwrap().unwrap();
            for plain in [false, true] {
                let [counted, each] =
                    [of.gradient(at, &draws, &advantages, plain), of.of_each(at, &draws, &advantages, plain)];
                assert_near(&flat(&counted.unwrap()), &flat(&each.unwrap()), &format!("{preset} {over}"));
            }
        }
    });
}

/// Parts that are repeated by themselves come to what all at once come to.
#[test]
fn chunks_change_nothing() {
    let outputs = Tensor::zeros((9, 2), DType::F32, &Device::Cpu).unwrap();
    let policy = Policy::Categorical { actions: 2 };
    let rows: Vec<usize> = (0..9).collect();
    let at = Looked { policy: &policy, outputs: &outputs, rows: &rows, learned: Learned::default(), progress: 0.0 };
    assert_eq!(chunks(&at, 1).collect::<Vec<_>>(), [(0, 9)]);
    assert_eq!(chunks(&at, REPEATED / 8).collect::<Vec<_>>(), [(0, 4), (4, 4), (8, 1)]);
    assert_eq!(chunks(&at, REPEATED).collect::<Vec<_>>(), (0..9).map(|i| (i, 1)).collect::<Vec<_>>());
}
