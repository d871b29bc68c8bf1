//! Experiment files and overrides that nobody would write on purpose: an error with a place, no panic, and no more memory than is stated.

#![allow(unsafe_code, clippy::unwrap_used)]

#[path = "common/counting.rs"]
mod counting;

use counting::most_bytes;
use lossward::experiment::Experiment;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence::WithSource;
use std::path::PathBuf;

const SEED: &str = r#"# Question: does it hold?
title = "Hostile"
seeds = 2
threshold = { metric = "accuracy", value = 0.5 }
[task]
dataset = "iris"
train_rows = 50
imbalance = { class = 1, ratio = 2 }
label_noise = 0.1
[network]
layers = [{ dense = 4 }, { dropout = 0.1 }]
hidden = [4]
dropout = 0.1
activation = "relu"
initialization = "kaiming"
output_gain = 1.0
[optimizer]
rule = "sgd"
learning_rate = { schedule = "linear", from = 1e-3, to = 0.0 }
momentum = 0.9
clip_norm = 0.5
[regularizer]
l1 = 0.0
elastic_net = { strength = 1e-4, l1_ratio = 0.5 }
entropy = 0.01
kl = { coefficient = 0.1 }
[budget]
examples = 400
[evaluation]
every = 100
metrics = ["accuracy", { top_k = { k = 2 } }]
train_metrics = ["accuracy"]
reward = "accuracy"
episodes = 3
early_stopping = { patience = 5, threshold = 0.01 }
[[arm]]
name = "a"
objective = { kind = "supervised", loss = { composite = [{ loss = "cross_entropy", weight = 0.5 }] }, batch_size = 8 }
[[plot]]
name = "curves"
x = "examples"
y = ["loss", "accuracy"]
log = ["loss"]
range = { accuracy = [0.0, 1.0] }
arms = ["a"]
"#;

const REWARD: &str = r#"seeds = 1
[task]
env = "CartPole-v1"
options = { }
max_steps = 50
wrappers = { normalize_observations = true, clip_rewards = [-1, 1] }
control = "random_reward"
[budget]
examples = 400
[evaluation]
episodes = 2
[[arm]]
name = "b"
objective = { kind = "policy_gradient", preset = "ppo", environments = 2, rollout = { steps = 8 }, clip = 0.2, epochs = 2, batch_size = 4, target_kl = 0.1 }
"#;

fn load(text: &[u8], overrides: &[String]) -> Result<Experiment, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.toml");
    std::fs::write(&file, text).unwrap();
    let (loaded, most) = most_bytes(|| Experiment::load(&file, overrides));
    // Positions of all parts live in one text, so that each has the length of those before it; and iris is read.
    let length = text.len() + overrides.iter().map(String::len).sum::<usize>();
    assert!(most <= 400 * length * (1 + overrides.len()) + (8 << 20), "{most} bytes for {length}, with {overrides:?}");
    loaded.map_err(|error| {
        let message = error.to_string();
        assert!(
            message.contains("hostile.toml") || message.contains("override `") || message.contains("built-in"),
            "no place: {message}"
        );
        message
    })
}

/// Words of a library, not of the file.
const JARGON: [&str; 10] =
    ["untagged", "variant", "sequence", "struct ", "unit", "newtype", "u64", "usize", "wanted ", "data did not match"];

/// Every key of these files with something else behind it.
#[test]
fn a_wrong_type_names_the_key_in_the_words_of_the_file() {
    load(SEED.as_bytes(), &[]).unwrap();
    load(REWARD.as_bytes(), &[]).unwrap();
    let wrong = [
        "-7.5",
        "\"gibberish\"",
        "true",
        "[[]]",
        "{ gibberish = 1 }",
        "1979-05-27",
        "\"\"",
        "[]",
        "nan",
        "1_000_000_000_000",
    ];
    let (mut answered, mut faults) = (0, Vec::new());
    for seed in [SEED, REWARD] {
        let mut table = String::new();
        for line in seed.lines() {
            if line.starts_with('[') {
                table = line.trim_matches(['[', ']']).to_string();
            }
            let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else { continue };
            for value in wrong {
                let text = seed.replacen(&format!("\n{line}\n"), &format!("\n{key} = {value}\n"), 1);
                let Err(message) = load(text.as_bytes(), &[]) else { continue };
                answered += 1;
                let jargon = JARGON.iter().any(|word| message.contains(*word) && !message.contains("at least 1 unit"));
                // An unknown name is called by its kind: "unknown data set".
                let parts = [key, "gibberish", "unknown ", "`arm", "`plot"];
                let named = parts.iter().any(|part| message.contains(part)) || message.contains(&table);
                if jargon || !named {
                    faults.push(format!("{key} = {value}: {message}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(answered > 200, "{answered}");
}

#[test]
fn what_is_beyond_reason_is_refused_at_once() {
    for (seed, given, key) in [
        (SEED, "seeds=1_000_000_000_000", "seeds"),
        (SEED, "budget.examples=1e12", "examples"),
        (SEED, "budget.epochs=1_000_000_000_000", "epochs"),
        (SEED, "evaluation.every=1e12", "every"),
        (SEED, "evaluation.episodes=1_000_000_000_000", "episodes"),
        (SEED, "network.hidden=[1_000_000_000_000, 1_000_000_000_000]", "weights"),
        (SEED, "arm.a.objective.batch_size=1e12", "batch_size"),
        (SEED, "evaluation.metrics=[{ calibration_error = { bins = 1_000_000_000_000 } }]", "bins"),
        (REWARD, "arm.b.objective.environments=1e12", "environments"),
        (REWARD, "arm.b.objective.rollout.steps=1e12", "steps"),
        (REWARD, "arm.b.objective.epochs=1e12", "epochs"),
        (REWARD, "task.wrappers.stack_frames=1_000_000_000_000", "stack_frames"),
        (REWARD, "budget.epochs=3", "epochs"),
    ] {
        let message = load(seed.as_bytes(), &[given.to_string()]).unwrap_err();
        assert!(message.contains(key), "{given}: {message}");
    }
}

fn corpus() -> Vec<String> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/experiments"));
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    // Sets that take long to load are left to other tests.
    let small = files.filter(|text| !["mnist", "letter"].iter().any(|slow| text.contains(slow)));
    small.chain([SEED.to_string(), REWARD.to_string()]).collect()
}

const PIECES: &[&str] = &[
    "=",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\n",
    ".",
    ",",
    "nan",
    "-inf",
    "1e999",
    "0x",
    "''",
    "\"\"\"",
    "\u{feff}",
    "\0",
    "\u{1b}[31m",
    "[[arm]]",
    "[arm]",
    "name = \"a\"",
    "seeds",
    "kind",
    "1979-05-27",
    "9223372036854775808",
    "a.b.c.d",
    "#",
    "\r\n",
    "[[",
    "]]",
    "true",
    "\u{202e}",
];

const KEYS: &[&str] = &[
    "seeds",
    "title",
    "task",
    "task.dataset",
    "task.dataset.csv",
    "task.env",
    "network.hidden",
    "network.layers",
    "optimizer.rule",
    "optimizer.learning_rate",
    "optimizer.learning_rate.schedule",
    "budget",
    "budget.examples",
    "evaluation.metrics",
    "arm",
    "arm.a",
    "arm.a.objective",
    "arm.a.objective.loss",
    "arm.a.name",
    "plot",
    "plot.curves.log",
    "plot.curves",
    "threshold",
    "objective",
    "regularizer.kl",
    "",
    "..",
    "a b",
    "folder",
    "question",
];

const VALUES: &[&str] = &[
    "",
    "1",
    "-1",
    "0.5",
    "1e5",
    "nan",
    "inf",
    "true",
    "\"x\"",
    "x",
    "[]",
    "[1, 2]",
    "{}",
    "{ a = 1 }",
    "{ schedule = \"cosine\", from = 1.0, to = 0.0 }",
    "sgd",
    "{ kind = \"policy_gradient\", preset = \"ppo\" }",
    "{ csv = \"nowhere.csv\", target = \"y\" }",
    "accuracy",
    "loss",
    "=",
    "\"",
    "1979-05-27",
    "[[[[[[]]]]]]",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::with_failure_persistence(WithSource("found")) })]

    #[test]
    fn damaged_files_are_answered(
        which in any::<prop::sample::Index>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), proptest::sample::select(PIECES), 0..40usize), 1..5),
    ) {
        let corpus = corpus();
        let mut text = which.get(&corpus).clone().into_bytes();
        for (place, piece, cut) in edits {
            let from = place.index(text.len() + 1);
            let to = (from + cut).min(text.len());
            text.splice(from..to, piece.bytes());
        }
        _ = load(&text, &[]);
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        _ = load(&bytes, &[]);
    }

    #[test]
    fn any_overrides_are_answered(
        of_reward in any::<bool>(),
        given in proptest::collection::vec((proptest::sample::select(KEYS), proptest::sample::select(VALUES)), 1..4),
    ) {
        let overrides: Vec<String> = given.iter().map(|(key, value)| format!("{key}={value}")).collect();
        _ = load(if of_reward { REWARD } else { SEED }.as_bytes(), &overrides);
    }
}

/// Each with a message of its own in tests/faults.rs or here; what the properties find from now on is kept in hostile_experiments.found.
#[test]
fn found_files_and_overrides_stay_answered() {
    let faults = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults")).unwrap();
    let files =
        faults.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let files: Vec<_> = files.map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!files.is_empty());
    files.iter().for_each(|text| drop(load(text, &[])));
    for (text, given) in [
        ("", ""),
        ("\u{feff}", "seeds=1"),
        ("seeds = 1", "arm.a=1"),
        ("[[arm]]", "arm.a.name="),
        (SEED, "arm.a.objective={}"),
        (SEED, "plot.curves={ y = [] }"),
        (SEED, "task.dataset={ csv = \"\" }"),
        (REWARD, "arm.b.objective.preset=nan"),
        (REWARD, "budget.examples=1e999"),
    ] {
        _ = load(text.as_bytes(), &[given.to_string()]);
        _ = load(text.as_bytes(), &[]);
    }
}
