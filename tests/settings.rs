//! What settings of losses, regularizers, dropout and early stopping do to the record of an experiment.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;

const HEAD: &str = r#"# Question: what do the settings do?
seeds = 1
[task]
dataset = "digits"
[network]
hidden = [16]
[optimizer]
learning_rate = 3e-3
[budget]
examples = 6_000
[evaluation]
every = 500
metrics = ["accuracy"]
"#;

/// The rows of an arm's only trial.
struct Rows {
    header: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Rows {
    fn read(sandbox: &Sandbox, arm: &str) -> Rows {
        let path = sandbox.path(&format!("results/settings/trials/{arm}/seed-0/rows.csv"));
        let mut reader = csv::Reader::from_path(path).unwrap();
        let header = reader.headers().unwrap().clone();
        Rows { header, rows: reader.records().map(Result::unwrap).collect() }
    }

    /// NaN where a cell is empty.
    fn column(&self, name: &str) -> Vec<f64> {
        let i = self.header.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name}"));
        self.rows.iter().map(|row| row[i].parse().unwrap_or(f64::NAN)).collect()
    }
}

fn run(arms: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("settings.toml", &format!("{HEAD}{arms}"));
    sandbox.run(&["run", "settings.toml", "--quiet"]).succeeded();
    sandbox
}

fn arm(name: &str, rest: &str) -> String {
    let loss = if rest.contains("loss = ") { "" } else { "objective.loss = \"cross_entropy\"\n" };
    format!("[[arm]]\nname = \"{name}\"\nobjective.kind = \"supervised\"\n{loss}{rest}\n")
}

#[test]
fn the_terms_of_a_composite_and_of_the_regularizer_are_recorded_apart_and_sum_up() {
    let composite = "objective.loss = { composite = [{ loss = \"cross_entropy\", weight = 0.5 }, \
                     { loss = { categorical_focal = { gamma = 1.0 } }, weight = 2.0 }] }\n\
                     regularizer = { elastic_net = { strength = 1e-4, l1_ratio = 0.5 }, entropy = 0.01, kl = { coefficient = 0.1 } }";
    let sandbox = run(&arm("composite", composite));
    let rows = Rows::read(&sandbox, "composite");
    let [loss, first, second] =
        ["loss", "cross_entropy_loss", "categorical_focal(gamma=1)_loss"].map(|name| rows.column(name));
    for i in 1..loss.len() {
        assert!((loss[i] - first[i] - second[i]).abs() < 1e-6, "row {i}: {} {} {}", loss[i], first[i], second[i]);
    }
    let [elastic_net, bonus, divergence] =
        ["elastic_net", "entropy_bonus", "kl_penalty"].map(|name| *rows.column(name).last().unwrap());
    assert!(elastic_net > 0.0 && divergence > 0.0 && bonus < 0.0, "{elastic_net} {bonus} {divergence}");
}

/// A strong divergence from a teacher holds the pupil at the teacher's answers, though its labels say nothing.
#[test]
fn a_reference_arm_pulls_its_pupil() {
    let pupil = "task.control = \"permuted_labels\"\n";
    let held = arm("held", &format!("{pupil}regularizer.kl = {{ coefficient = 100.0, arm = \"teacher\" }}"));
    let sandbox = run(&[
        arm("teacher", "").replace("objective.kind", "task.dataset = \"digits\"\nobjective.kind"),
        arm("free", pupil),
        held,
    ]
    .concat());
    let last = |arm: &str| *Rows::read(&sandbox, arm).column("accuracy").last().unwrap();
    let (teacher, free, held) = (last("teacher"), last("free"), last("held"));
    assert!(free < 0.3 && teacher > 0.75 && held > teacher - 0.1, "{teacher} {free} {held}");
}

#[test]
fn early_stopping_ends_a_trial_and_keeps_its_best_weights() {
    let stopping =
        "evaluation.early_stopping = { patience = 1 }\noptimizer.learning_rate = 0.3\nbudget.examples = 60_000";
    let sandbox = run(&arm("stopped", stopping));
    let rows = Rows::read(&sandbox, "stopped");
    let (examples, accuracy) = (rows.column("examples"), rows.column("accuracy"));
    let best = accuracy.iter().copied().fold(0.0, f64::max);
    assert!(*examples.last().unwrap() < 60_000.0, "{examples:?}");
    assert_eq!(*accuracy.last().unwrap(), best, "{accuracy:?}");
    let weights = |name: &str| {
        std::fs::read(sandbox.path(&format!("results/settings/trials/stopped/seed-0/{name}.safetensors"))).unwrap()
    };
    assert_eq!(weights("final"), weights("best"));
}

/// Dropout makes training worse than evaluation, is the same for the same seed, and draws nothing from other streams.
#[test]
fn dropout_is_on_in_training_and_off_at_evaluation() {
    let arms =
        [arm("plain", ""), arm("dropped", "network.dropout = 0.5"), arm("none", "network.dropout = 0.0")].concat();
    let [one, other] = [run(&arms), run(&arms)];
    let loss = |sandbox: &Sandbox, arm: &str| Rows::read(sandbox, arm).column("loss")[1..].to_vec();
    assert_eq!(loss(&one, "dropped"), loss(&other, "dropped"));
    assert_eq!(loss(&one, "plain"), loss(&one, "none"));
    let end = |arm: &str| *loss(&one, arm).last().unwrap();
    assert!(end("dropped") > end("plain") + 0.2, "{} {}", end("dropped"), end("plain"));
    let accuracy = *Rows::read(&one, "dropped").column("accuracy").last().unwrap();
    assert!(accuracy > 0.7, "{accuracy}");
}

/// As with PyTorch's schedulers: update t, counted from 0, of T has the rate at t/T.
#[test]
fn the_first_update_has_the_first_rate_of_a_schedule() {
    let schedule = "optimizer.learning_rate = { schedule = \"linear\", from = 0.01, to = 0.0 }\nbudget.examples = 640\n\
                    evaluation.every = 64\nobjective.batch_size = 64";
    let sandbox = run(&arm("scheduled", schedule));
    let rates = Rows::read(&sandbox, "scheduled").column("learning_rate")[1..].to_vec();
    let expected: Vec<f64> = (0..10).map(|t| 0.01 * (1.0 - f64::from(t) / 10.0)).collect();
    assert_eq!(rates.len(), expected.len());
    assert!(rates.iter().zip(&expected).all(|(rate, expected)| (rate - expected).abs() < 1e-12), "{rates:?}");
}
