//! Objectives made of objectives, and arms that begin where others end.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;
use std::path::Path;

const HEAD: &str = r#"# Question: what lies between a label and a reward?
title = "Bridge"
seeds = 1
[task]
dataset = "digits"
[network]
hidden = [16]
[optimizer]
learning_rate = { schedule = "linear", from = 3e-3, to = 1e-3 }
[budget]
examples = 3_000
[evaluation]
every = 1_000
"#;

const LABEL: &str = r#"kind = "supervised", loss = "cross_entropy""#;
const REWARD: &str = r#"kind = "policy_gradient", preset = "ppo", reward = "accuracy", environments = 64, rollout = { steps = 2 }, batch_size = 32, epochs = 3"#;

fn arm(name: &str, objective: &str) -> String {
    format!("[[arm]]\nname = \"{name}\"\nobjective = {{ {objective} }}\n")
}

fn mixture(weights: [&str; 2]) -> String {
    let [label, reward] = weights;
    format!(r#"kind = "mixture", parts = [{{ weight = {label}, {LABEL} }}, {{ weight = {reward}, {REWARD} }}]"#)
}

fn phases(shares: [&str; 2]) -> String {
    let [label, reward] = shares;
    format!(r#"kind = "phases", phases = [{{ share = {label}, {LABEL} }}, {{ share = {reward}, {REWARD} }}]"#)
}

fn weights(results: &Path, slug: &str) -> Vec<u8> {
    std::fs::read(results.join(format!("trials/{slug}/seed-0/final.safetensors"))).unwrap()
}

/// The columns of a trial that say how good the network is, row by row.
fn judged(results: &Path, slug: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(results.join(format!("trials/{slug}/seed-0/rows.csv"))).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(String::from).collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let wanted = ["updates", "examples", "learning_rate", "accuracy", "cross_entropy", "loss"];
    let places = wanted.map(|name| head.iter().position(|column| column == name).unwrap());
    lines.map(|row| places.iter().map(|place| row[*place].clone()).collect()).collect()
}

#[test]
fn at_its_ends_the_bridge_is_either_side() {
    let sandbox = Sandbox::new();
    let arms = [
        ("label", LABEL.to_string()),
        ("reward", REWARD.to_string()),
        ("mixed label", mixture(["1.0", "0.0"])),
        ("mixed reward", mixture(["0.0", "1.0"])),
        ("phase label", phases(["1.0", "0.0"])),
        ("phase reward", phases(["0.0", "1.0"])),
    ];
    let text = HEAD.to_string() + &arms.map(|(name, objective)| arm(name, &objective)).concat();
    sandbox.write("bridge.toml", &text);
    sandbox.run(&["run", "bridge.toml", "--jobs", "2"]).succeeded();
    let results = sandbox.path("results/bridge");
    for side in ["label", "reward"] {
        for way in ["mixed", "phase"] {
            let other = format!("{way}-{side}");
            assert_eq!(judged(&results, side), judged(&results, &other), "{other}");
            assert!(weights(&results, side) == weights(&results, &other), "{other}");
        }
    }
    assert_ne!(judged(&results, "label"), judged(&results, "reward"));
}

#[test]
fn an_arm_begins_where_another_ended() {
    let sandbox = Sandbox::new();
    let go_on = |name: &str, from: &str| arm(name, REWARD) + &format!("start = {{ arm = \"{from}\" }}\n");
    // The pupil of a pupil stands first, and is trained last.
    let arms = go_on("third", "second") + &go_on("second", "first") + &arm("first", LABEL);
    sandbox.write("chain.toml", &(HEAD.to_string() + &arms));
    sandbox.run(&["run", "chain.toml", "--jobs", "2"]).succeeded();
    let results = sandbox.path("results/chain");
    let ends = ["first", "second", "third"].map(|slug| judged(&results, slug));
    // Accuracy and cross-entropy of the weights.
    let quality = |row: &Vec<String>| row[3..5].to_vec();
    assert_eq!(quality(ends[0].last().unwrap()), quality(&ends[1][0]));
    assert_eq!(quality(ends[1].last().unwrap()), quality(&ends[2][0]));
    // Weights that are gone are trained again, with those that they come from.
    let trained = weights(&results, "third");
    for slug in ["first", "second"] {
        std::fs::remove_file(results.join(format!("trials/{slug}/seed-0/final.safetensors"))).unwrap();
    }
    std::fs::remove_dir_all(results.join("trials/third")).unwrap();
    sandbox.run(&["run", "chain.toml", "--jobs", "2"]).succeeded();
    assert!(trained == weights(&results, "third"));
}

/// A phase's own learning rate runs over the phase, and a kept optimizer goes on with its moments.
#[test]
fn phases_have_their_own_pace() {
    let sandbox = Sandbox::new();
    let phase = |extra: &str| {
        format!("kind = \"phases\", phases = [{{ share = 0.5, {LABEL} }}, {{ share = 0.5, {LABEL}{extra} }}]")
    };
    let arms = arm("kept", &phase(""))
        + &arm("reset", &phase(", reset_optimizer = true"))
        + &arm("paced", &phase(", learning_rate = { schedule = \"linear\", from = 1e-2, to = 0.0 }"));
    sandbox.write("pace.toml", &(HEAD.to_string() + &arms));
    sandbox.run(&["run", "pace.toml", "evaluation.every=500"]).succeeded();
    let results = sandbox.path("results/pace");
    let [kept, reset, paced] = ["kept", "reset", "paced"].map(|slug| judged(&results, slug));
    let half = kept.iter().position(|row| row[1].parse::<u64>().unwrap() > 1_600).unwrap();
    assert_eq!(kept[..half], reset[..half]);
    assert_eq!(kept[..half], paced[..half]);
    assert!(kept[half] != reset[half] && kept[half] != paced[half]);
    let rates: Vec<f64> = paced[half..].iter().map(|row| row[2].parse().unwrap()).collect();
    assert!(
        rates.windows(2).all(|pair| pair[1] < pair[0]) && rates[0] > 5e-3 && *rates.last().unwrap() < 1e-3,
        "{rates:?}"
    );
}

#[test]
fn what_cannot_be_mixed_is_named_with_its_place() {
    let sandbox = Sandbox::new();
    let failed = |arms: &str, words: &[&str]| {
        sandbox.write("wrong.toml", &(HEAD.to_string() + arms));
        let run = sandbox.run(&["run", "wrong.toml"]);
        assert_ne!(run.status, Some(0), "{arms}");
        for word in words.iter().chain([&"wrong.toml:"]) {
            assert!(run.err.contains(word), "{arms}\n{} lacks {word}", run.err);
        }
    };
    failed(&arm("a", &mixture(["-0.5", "1.0"])), &["`weight` must be finite and not negative"]);
    failed(&arm("a", &mixture(["0.0", "0.0"])), &["all weights are 0"]);
    failed(&arm("a", &phases(["0.5", "0.4"])), &["the shares of the phases sum to 0.9, and must to 1"]);
    failed(&arm("a", &phases(["1.5", "-0.5"])), &["`share` must lie in [0, 1], not 1.5"]);
    let twice = format!("kind = \"mixture\", parts = [{{ weight = 1.0, {LABEL} }}, {{ weight = 1.0, {LABEL} }}]");
    failed(&arm("a", &twice), &["two parts are called \"supervised\"; give one a `name`"]);
    failed(&arm("a", "kind = \"mixture\", parts = [{ weight = 1.0, kind = \"supervised\" }]"), &["`loss`"]);
    failed(&arm("a", "kind = \"mixture\", parts = [{ weight = 1.0, kind = \"superwised\" }]"), &["supervised"]);
    failed(&arm("a", &format!("kind = \"mixture\", parts = [{{ {LABEL} }}]")), &["`weight`"]);
    failed(&arm("a", "kind = \"mixture\""), &["needs `parts`"]);
    let deep = format!("kind = \"phases\", phases = [{{ share = 1.0, {} }}]", phases(["0.5", "0.5"]));
    failed(&arm("a", &deep), &["a phase that consists of phases"]);
    let start = |from: &str| arm("a", LABEL) + &format!("start = {{ arm = \"{from}\" }}\n");
    failed(&(start("b") + &arm("c", LABEL)), &["`b`", "c"]);
    failed(&start("a"), &["can't be its own teacher"]);
    let circle = start("b") + &arm("b", LABEL) + "start = { arm = \"a\" }\n";
    failed(&circle, &["`a` learns from `b`, which learns from `a`"]);
    let wider = start("b") + &arm("b", LABEL) + "network = { hidden = [17] }\n";
    failed(&wider, &["`layers.0.weight` of `b` has shape [17, 64], and this arm's has [16, 64]"]);
    let environment = "[[arm]]\nname = \"a\"\ntask = { env = \"CartPole-v1\" }\nobjective = { kind = \"mixture\", parts = [{ weight = 1.0, kind = \"supervised\", loss = \"cross_entropy\" }] }\n";
    let head = HEAD.replace("[task]\ndataset = \"digits\"\n", "");
    sandbox.write("wrong.toml", &(head + environment));
    let run = sandbox.run(&["run", "wrong.toml"]);
    assert!(run.err.contains("CartPole-v1 has no labels; name an `expert`"), "{}", run.err);
}
