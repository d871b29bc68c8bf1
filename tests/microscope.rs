//! A microscope leaves no trace in what it looks at, and sees what the training sees.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Sandbox, files};
use lossward::experiment::Experiment;
use lossward::record::{GradientReading, Rows, TrialFolder};
use std::path::{Path, PathBuf};

/// Weights, and rows without their seconds, by their place in the results.
fn trained(results: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let content = |path: &Path, content: Vec<u8>| match path.ends_with("rows.csv") {
        true => {
            let text = String::from_utf8(content).unwrap();
            let cells = |line: &str| {
                line.split(',').enumerate().filter(|(i, _)| *i != 3).map(|(_, x)| x).collect::<Vec<_>>().join(",")
            };
            Some(text.lines().map(cells).collect::<Vec<_>>().join("\n").into_bytes())
        }
        false => path.extension().is_some_and(|ending| ending == "safetensors").then_some(content),
    };
    let found = files(results).into_iter().filter_map(|(path, bytes)| {
        let content = content(&path, bytes)?;
        Some((path.strip_prefix(results).unwrap().to_path_buf(), content))
    });
    found.collect()
}

fn readings(results: &Path, arm: &str) -> Vec<GradientReading> {
    TrialFolder::of(results, arm, 0).read_microscope().unwrap()
}

/// Trains it with and without its `[microscope]` tables; the results with them, which differ in nothing that was trained.
fn leaves_no_trace(text: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    sandbox.write("with.toml", text);
    let without: Vec<&str> = text.lines().filter(|line| !line.contains("microscope")).collect();
    sandbox.write("without.toml", &without.join("\n"));
    for name in ["with", "without"] {
        sandbox.run(&["run", &format!("{name}.toml"), "--out", name, "--quiet"]).succeeded();
    }
    let (with, without) = (trained(&sandbox.path("with")), trained(&sandbox.path("without")));
    assert!(!with.is_empty());
    for ((path, with), (other, without)) in with.iter().zip(&without) {
        assert_eq!(path, other);
        assert!(with == without, "{} differs", path.display());
    }
    assert_eq!(with.len(), without.len());
    let results = sandbox.path("with");
    (sandbox, results)
}

/// By labels with dropped units and normalization by the batch; by rewards with each kind of memory that an objective has beside the network.
const ON_DIGITS: &str = r#"
seeds = 1
task.dataset = "digits"
optimizer.learning_rate = 1e-2
budget.examples = 3_000
evaluation.every = 1_000
microscope = { every = 700, against = ["CE", "critic"], samples = [1, 8], repeats = 3, contexts = 20 }
network.layers = [{ conv = 4, kernel = 3, padding = 1 }, { batch_norm = true }, { pool = 2 }]
[[arm]]
name = "CE"
objective = { kind = "supervised", loss = "cross_entropy" }
network.dropout = 0.2
network.hidden = [16]
[[arm]]
name = "critic"
objective = { kind = "policy_gradient", preset = "ppo", rollout = "episodes", environments = 64, batch_size = 16 }
[[arm]]
name = "average"
objective = { kind = "policy_gradient", preset = "reinforce", environments = 64, baseline = "moving_average", entropy_coefficient = 0.05 }
[[arm]]
name = "groups"
objective = { kind = "policy_gradient", preset = "grpo", environments = 64 }
microscope.baselines = true
"#;

#[test]
fn it_leaves_no_trace_in_a_training_on_a_data_set() {
    let (_sandbox, results) = leaves_no_trace(ON_DIGITS);
    for arm in ["ce", "critic", "average", "groups"] {
        let readings = readings(&results, arm);
        let mut examples: Vec<u64> = readings.iter().map(|reading| reading.examples).collect();
        examples.dedup();
        assert_eq!(examples.len(), 6, "at the start, after each 700 and at the end: {examples:?}");
        assert!(examples[0] == 0 && examples[5] >= 3_000);
        let has = |part: &str, against: &str, samples: Option<u64>| {
            readings.iter().any(|r| (r.part.as_str(), r.against.as_str(), r.samples) == (part, against, samples))
        };
        for part in ["outputs", "all", "layers.0", "layers.1", "layers.3"] {
            let other = if arm == "ce" { "critic" } else { "CE" };
            // Of the two it is always the one by rewards that is sampled, and it lies beside the other's expectation.
            assert!(has(part, other, None) && has(part, "CE", Some(8)), "{arm}, {part}");
        }
        assert!(readings.iter().all(|r| r.cosine.abs() <= 1.0 + 1e-9 && r.norm.is_finite() && r.reference == "exact"));
    }
    let groups = readings(&results, "groups");
    for baseline in ["none", "mean", "value", "leave_one_out", "greedy", "optimal"] {
        let sizes = groups.iter().filter(|r| r.baseline == baseline && r.part == "all" && r.examples == 0);
        let sizes: Vec<u64> = sizes.map(|reading| reading.samples.unwrap()).collect();
        assert_eq!(sizes, if baseline == "leave_one_out" { vec![8] } else { vec![1, 8] }, "{baseline}");
    }
}

/// With running statistics of observations and returns, a critic and minibatches; and a pupil whose examples are an expert's.
const IN_CART_POLE: &str = r#"
seeds = 1
task.env = "CartPole-v1"
task.wrappers = { normalize_observations = true, normalize_rewards = true }
network.hidden = [8]
budget.examples = 3_000
evaluation = { every = 1_000, episodes = 2 }
microscope = { every = 1_500, against = ["REINFORCE"], repeats = 3, contexts = 20 }
[[arm]]
name = "PPO"
objective = { kind = "policy_gradient", preset = "ppo", rollout = { steps = 64 } }
[[arm]]
name = "REINFORCE"
objective = { kind = "policy_gradient", preset = "reinforce", baseline = "mean" }
"#;

const PUPIL: &str = r#"
seeds = 1
task.env = "CartPole-v1"
network.hidden = [8]
budget.examples = 2_000
evaluation = { every = 1_000, episodes = 2 }
[[arm]]
name = "PPO"
objective = { kind = "policy_gradient", preset = "ppo", rollout = { steps = 64 } }
[[arm]]
name = "pupil"
objective = { kind = "supervised", loss = "cross_entropy", expert = { arm = "PPO", episodes = 3 } }
microscope = { every = 1_500, against = ["PPO", "REINFORCE"], repeats = 3, contexts = 20 }
[[arm]]
name = "REINFORCE"
objective = { kind = "policy_gradient", preset = "reinforce" }
"#;

#[test]
fn it_leaves_no_trace_in_a_training_in_an_environment() {
    let (_sandbox, results) = leaves_no_trace(IN_CART_POLE);
    let of_ppo = readings(&results, "ppo");
    let own = of_ppo.iter().filter(|r| r.part == "all" && r.against.is_empty() && r.objective == "PPO");
    assert!(own.clone().count() >= 3 && own.clone().all(|r| r.samples.is_none() && r.reference == "mean"));
    assert!(own.clone().all(|r| r.variance > 0.0 && r.signal_to_noise.is_finite() && r.norm > 0.0));
    assert!(of_ppo.iter().all(|reading| reading.part != "outputs"), "what is met in episodes differs");
    let (_sandbox, results) = leaves_no_trace(&PUPIL.replace("\"PPO\", \"REINFORCE\"", "\"REINFORCE\""));
    let of_pupil = readings(&results, "pupil");
    let beside =
        |part: &str| of_pupil.iter().any(|r| r.objective == "pupil" && r.part == part && r.against == "REINFORCE");
    assert!(beside("all") && beside("layers.0") && !beside("outputs"));
}

/// Where a batch is all examples, the expected gradient is the one that moves the network.
#[test]
fn it_sees_the_gradient_that_the_training_sees() {
    let sandbox = Sandbox::new();
    let text = "seeds = 1\ntask.dataset = \"iris\"\nnetwork.hidden = [8]\nbudget.epochs = 4\nevaluation.every = 1\n\
        optimizer = { rule = \"sgd\", learning_rate = 0.5 }\nmicroscope = { every = 1, contexts = 1000 }\n[[arm]]\nname = \"CE\"\n\
        objective = { kind = \"supervised\", loss = \"cross_entropy\", batch_size = 1000 }\n\
        [[arm]]\nname = \"PG\"\nobjective = { kind = \"policy_gradient\", preset = \"rloo\", environments = 8 }\nmicroscope.against = [\"CE\"]\n\
        microscope.samples = [2, 64]\n";
    sandbox.write("iris.toml", text);
    sandbox.run(&["run", "iris.toml", "--out", "iris", "--quiet"]).succeeded();
    let results = sandbox.path("iris");
    let norms = Rows::read(&TrialFolder::of(&results, "ce", 0).rows()).unwrap().column("gradient_norm").unwrap();
    // A supervised objective is compared with nothing here, so that the other arm's file has its gradient, at that one's weights.
    let of_reward = readings(&results, "pg");
    let first = |r: &&GradientReading| {
        r.examples == 0 && r.part == "all" && r.objective == "PG" && r.against == "CE" && r.samples.is_none()
    };
    let both = of_reward.iter().find(first).unwrap();
    let norm_of_ce = both.norm / both.norm_ratio;
    assert!((norm_of_ce - norms[1]).abs() < 1e-4 * norms[1], "{norm_of_ce} is not {}", norms[1]);
    // The more samples, the nearer to the expectation, and the less noise: half of the samples have twice the variance.
    let own = |samples: u64| {
        let is = |r: &&GradientReading| r.part == "all" && r.against.is_empty() && r.samples == Some(samples);
        of_reward.iter().filter(is).cloned().collect::<Vec<GradientReading>>()
    };
    for (few, many) in own(2).iter().zip(&own(64)) {
        assert!(
            few.cosine < many.cosine && many.cosine > 0.9 && few.variance > 4.0 * many.variance,
            "{few:?} {many:?}"
        );
        let (signal, noise) = (many.signal_to_noise, many.variance.sqrt());
        assert!((signal * noise - many.norm).abs() < 0.1 * many.norm, "{many:?}");
    }
    assert!(!own(2).is_empty());
    // Beside the figure of the rows.
    for name in ["microscope", "microscope-samples"] {
        assert!(results.join(format!("{name}.svg")).is_file() && results.join(format!("{name}.png")).is_file());
    }
    let page = std::fs::read_to_string(results.join("report.html")).unwrap();
    assert!(page.contains("Gradients under the microscope"));
}

#[test]
fn what_can_not_be_looked_at_is_named() {
    let sandbox = Sandbox::new();
    let message = |text: &str| {
        let path = sandbox.write("wrong.toml", text);
        Experiment::load(&path, &[]).map(drop).unwrap_err().to_string()
    };
    let of_digits = |table: &str| {
        let head = "task.dataset = \"digits\"\nbudget.examples = 1000\n";
        let arms = "[[arm]]\nname = \"CE\"\nobjective = { kind = \"supervised\", loss = \"cross_entropy\" }\n\
            [[arm]]\nname = \"PG\"\nobjective = { kind = \"policy_gradient\", preset = \"reinforce\" }\n\
            [[arm]]\nname = \"few\"\ntask.train_rows = 100\nobjective = { kind = \"supervised\", loss = \"cross_entropy\" }\n";
        message(&format!("{head}microscope = {{ {table} }}\n{arms}"))
    };
    for (table, parts) in [
        ("against = [\"Pg\"]", ["wrong.toml:3", "unknown arm `Pg`; did you mean `PG`?"]),
        ("against = [\"few\"]", ["wrong.toml:3", "`few` has other examples"]),
        ("samples = []", ["wrong.toml:3", "`samples` is empty"]),
        ("samples = [0]", ["wrong.toml:3", "`samples` must be at least 1"]),
        ("samples = [1.5]", ["wrong.toml:3", "`samples`"]),
        ("samples = [1e8]", ["wrong.toml:3", "beyond reason"]),
        ("repeats = 1", ["wrong.toml:3", "`repeats` must be at least 2"]),
        ("every = 0", ["wrong.toml:3", "`every` must be at least 1"]),
        ("contexts = 0", ["wrong.toml:3", "`contexts` must be at least 1"]),
        ("baselines = true", ["wrong.toml:3", "`CE` learns from labels"]),
        ("baselines = [\"values\"]", ["wrong.toml:3", "did you mean `value`?"]),
        ("baselines = 3", ["wrong.toml:3", "true, false or a list of none, mean, value"]),
        ("contxts = 3", ["wrong.toml:3", "unknown key `contxts`; did you mean `contexts`?"]),
    ] {
        let message = of_digits(table);
        assert!(parts.iter().all(|part| message.contains(part)), "{table}: {message}");
    }
    let said = message(PUPIL);
    assert!(said.contains("wrong.toml:13") && said.contains("`PPO` has a critic"), "{said}");
    let masks = "task.dataset = \"mri_lesion_sim\"\nbudget.examples = 1000\nnetwork.body = { unet = { widths = [4, 8] } }\n[[arm]]\nname = \"PG\"\n\
        objective = { kind = \"policy_gradient\", preset = \"reinforce\" }\nmicroscope.baselines = true\n";
    let said = message(masks);
    assert!(said.contains("on a data set of class labels"), "{said}");
    let teacher = "task.env = \"CartPole-v1\"\nbudget.examples = 1000\n[[arm]]\nname = \"PG\"\nmicroscope.against = [\"pupil\"]\n\
        objective = { kind = \"policy_gradient\", preset = \"reinforce\" }\n\
        [[arm]]\nname = \"pupil\"\nobjective = { kind = \"supervised\", loss = \"cross_entropy\", expert = { arm = \"PG\" } }\n";
    let said = message(teacher);
    assert!(said.contains("wrong.toml:5") && said.contains("learns from an expert"), "{said}");
}
