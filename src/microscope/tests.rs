#![allow(clippy::unwrap_used)]

use super::*;
use crate::distribution::Policy;
use crate::experiment::Experiment;
use crate::objective::{AtExamples, Learned, Looked, Parts};
use crate::task::Task;
use candle_core::{Device, Tensor};
use rand_distr::{Distribution, StandardNormal};

const TWO: &str = "title = \"two\"\nseeds = 1\ntask.dataset = \"digits\"\nbudget.examples = 1000\n\
    [[arm]]\nname = \"CE\"\nobjective = { kind = \"supervised\", loss = \"cross_entropy\" }\n\
    [[arm]]\nname = \"PG\"\nobjective = { kind = \"policy_gradient\", preset = \"reinforce\", environments = 1 }\n";

/// The objectives of a file at given examples.
fn probes(text: &str) -> Vec<Box<dyn AtExamples>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.toml");
    std::fs::write(&path, text).unwrap();
    let experiment = Experiment::load(&path, &[]).unwrap();
    let probe = |arm: &crate::experiment::Arm| {
        let task = Task::load(&arm.task, 0).unwrap();
        let (network, optimizer) = (&arm.network, &arm.optimizer);
        let parts = Parts {
            task: &task,
            network,
            optimizer,
            budget: 1000,
            seed: 0,
            expert: &|_| unreachable!("no expert is asked for"),
        };
        match arm.objective.kind().probe(&parts).unwrap() {
            Probe::Examples(probe) => probe,
            Probe::Episodes(_) => panic!("a data set has no episodes"),
        }
    };
    experiment.arms.iter().map(probe).collect()
}

fn flat(of: Tensor) -> Vec<f64> {
    of.flatten_all().unwrap().to_vec1().unwrap()
}

/// Of 1,000 contexts with standard normal logits over 10 classes and a drawn right class, and of their logits: estimates come near the exact
/// policy gradient with the samples, and no nearer to that of cross-entropy than the exact one does. With `π_y` the probability of the right class,
/// `s = |e_y − π|²` and sums over contexts, the cosine of `n` samples is about `√(q / (q + (1 − q) / n))` with `q = Σ π_y² s / Σ π_y s`, and that of
/// the exact gradient with the one of cross-entropy is `Σ π_y s / √(Σ π_y² s · Σ s)`.
#[test]
fn samples_bring_an_estimate_to_its_expectation_and_not_to_another_gradient() {
    let probes = probes(TWO);
    let mut rng = stream(0, "test", 0);
    let logits: Vec<f64> = (0..10_000).map(|_| StandardNormal.sample(&mut rng)).collect();
    let outputs = Tensor::from_slice(&logits, (1000, 10), &Device::Cpu).unwrap();
    let (policy, rows) = (Policy::Categorical { actions: 10 }, (0..1000).collect::<Vec<usize>>());
    let at = Looked { policy: &policy, outputs: &outputs, rows: &rows, learned: Learned::default(), progress: 0.0 };
    let labels = probes[0].examples().targets.labels().unwrap().to_vec();
    let sums = logits.chunks(10).zip(labels).fold([0.0; 3], |[zero, one, two], (row, label)| {
        let p: Vec<f64> = crate::distribution::log_probs(row).map(f64::exp).collect();
        let right = p[label as usize];
        let s = 1.0 - 2.0 * right + p.iter().map(|p| p * p).sum::<f64>();
        [zero + s, one + right * s, two + right * right * s]
    });
    let [by_label, by_reward] = [&probes[0], &probes[1]].map(|probe| flat(probe.exact(&at).unwrap().unwrap()));
    assert!(probes[0].sampled(&at, 4, &mut rng).unwrap().is_none(), "a label is not sampled");
    let limit = cosine(&by_reward, &by_label);
    assert!((limit - sums[1] / (sums[2] * sums[0]).sqrt()).abs() < 1e-9 && (limit - 0.74).abs() < 0.02, "{limit}");
    for (samples, recorded) in [(1, 0.38), (4, 0.67), (16, 0.86), (64, 0.96), (256, 0.99)] {
        let repeats = if samples < 64 { 16 } else { 2 };
        let (mut own, mut other) = (0.0, 0.0);
        for _ in 0..repeats {
            let estimate = flat(probes[1].sampled(&at, samples, &mut rng).unwrap().unwrap());
            own += cosine(&estimate, &by_reward) / f64::from(repeats);
            other += cosine(&estimate, &by_label) / f64::from(repeats);
        }
        let q = sums[2] / sums[1];
        let closed = (q / (q + (1.0 - q) / samples as f64)).sqrt();
        assert!((own - closed).abs() < 0.015, "{samples} samples: {own}, and {closed}");
        // Those are of one set of contexts, between which 4 samples vary by 0.01 to either side, and single draws as much again.
        assert!((own - recorded).abs() < 0.04, "{samples} samples: {own}, and {recorded}");
        assert!((other - limit * own).abs() < 0.02, "{samples} samples: {other} with cross-entropy");
    }
}
