//! `lossward env`: every environment is described, checked, played and drawn; a new one begins as a file that conforms.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;

#[test]
fn every_environment_is_described_checked_and_played() {
    let sandbox = Sandbox::new();
    let listed = sandbox.run(&["env", "list"]).succeeded();
    for spec in lossward::envs::all() {
        assert!(listed.out.contains(spec.id), "{}", spec.id);
        let described = sandbox.run(&["env", "describe", spec.id]).succeeded();
        for part in ["| Action space |", "| Reward |", "# Source"] {
            assert!(described.out.contains(part), "{}: no `{part}`", spec.id);
        }
        sandbox.run(&["env", "check", spec.id]).succeeded();
        let played =
            sandbox.run(&["env", "rollout", spec.id, "--steps", "5", "--json", "--scene", "scene.svg"]).succeeded();
        assert_eq!(played.out.lines().count(), 6, "{}", played.out);
        let again = sandbox.run(&["env", "rollout", spec.id, "--steps", "5", "--json"]).succeeded();
        assert_eq!(played.out, again.out, "{}", spec.id);
        assert!(std::fs::read_to_string(sandbox.path("scene.svg")).unwrap().starts_with("<svg"));
    }
}

/// Numbers of tests/reference/envs, and closed forms.
#[test]
fn the_best_return_is_told_where_it_is_known() {
    let sandbox = Sandbox::new();
    for (id, line) in [
        ("FrozenLake-v1", Some("0.7442 (expected, within 100 steps)")),
        ("FrozenLake8x8-v1", Some("0.9132 (expected, within 200 steps)")),
        ("Taxi-v4", Some("7.93 (expected, within 200 steps)")),
        ("CliffWalking-v1", Some("-13 (expected)")),
        ("Blackjack-v1", Some("-0.0431 (expected)")),
        ("Lossward/Catch-v0", Some("1 (expected)")),
        ("Lossward/DeepSea-v0", Some("0.99 (expected)")),
        ("CartPole-v1", None),
        ("Lossward/BernoulliBandit-v0", None),
    ] {
        let described = sandbox.run(&["env", "describe", id]).succeeded().out;
        let told = described.lines().find_map(|told| told.strip_prefix("  best return   "));
        assert_eq!(told, line, "{id}");
    }
}

/// docs/environments.md is what the heads of the files say.
#[test]
fn the_page_on_environments_is_generated() {
    let sandbox = Sandbox::new();
    sandbox.run(&["env", "list", "--document", "docs"]).succeeded();
    for name in ["environments.md", "environments.png"] {
        let [written, committed] = [sandbox.path("docs").join(name), format!("docs/{name}").into()].map(std::fs::read);
        assert!(written.unwrap() == committed.unwrap(), "{name}: run `lossward env list --document docs`");
    }
}

#[test]
fn given_actions_are_played_and_wrong_ones_named() {
    let sandbox = Sandbox::new();
    let run = |actions: &str| sandbox.run(&["env", "rollout", "CartPole-v1", "--actions", actions]);
    assert_eq!(run("[0,1,0]").succeeded().out.lines().count(), 4);
    run("[0,2]").failed_with(&["CartPole-v1, copy 0, step 2: action 2 is outside Discrete(2)"]);
    run("[0.5]").failed_with(&["--actions", "0.5, not a whole number"]);
    run("[[0,1]]").failed_with(&["1 numbers for each step"]);
    run("[-1]").failed_with(&["action 0 is -1"]);
    sandbox.run(&["env", "describe", "CartPol-v1"]).failed_with(&["did you mean `CartPole-v1`?"]);
    let options = ["env", "rollout", "CartPole-v1", "--options", "{\"gravity\":1}"];
    sandbox.run(&options).failed_with(&["`gravity` is not an option of CartPole-v1"]);
}

/// What `new` writes is the example's file, which is compiled, checked and trained by its own tests.
#[test]
fn a_new_environment_is_the_example_under_another_name() {
    let sandbox = Sandbox::new();
    sandbox.run(&["env", "new", "Corridor"]).failed_with(&["envs/custom/mod.rs", "Lossward's source"]);
    std::fs::create_dir_all(sandbox.path("envs/custom")).unwrap();
    sandbox.write("envs/custom/mod.rs", "");
    sandbox.run(&["env", "new", "corridor"]).failed_with(&["begins with a capital"]);
    let run = sandbox.run(&["env", "new", "Corridor"]).succeeded();
    assert!(run.out.contains("corridor,") && run.out.contains("env check Custom/Corridor-v0"), "{}", run.out);
    let written = std::fs::read_to_string(sandbox.path("envs/custom/corridor.rs")).unwrap();
    let example = std::fs::read_to_string("examples/corridor/src/corridor.rs").unwrap();
    let expected = example.replace("use lossward::envs::{", "use crate::{").replace("Example/", "Custom/");
    assert_eq!(written, expected);
    sandbox.run(&["env", "new", "Corridor"]).failed_with(&["is there already"]);
}

/// The recorded actions, played again with the same seed, give the same lines; the observation after an end is what the next action met.
#[test]
fn a_recorded_trajectory_can_be_replayed() {
    let sandbox = Sandbox::new();
    for id in ["CartPole-v1", "Pendulum-v1", "Lossward/Catch-v0", "FrozenLake-v1"] {
        let record = |more: &[&str]| {
            let arguments = [&["env", "rollout", id, "--seed", "3", "--steps", "250", "--json"], more].concat();
            let lines = sandbox.run(&arguments).succeeded().out;
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
        };
        let recorded = record(&[]);
        let actions: Vec<&serde_json::Value> = recorded[1..].iter().map(|line| &line["action"]).collect();
        let actions = sandbox.write("actions.json", &serde_json::to_string(&actions).unwrap());
        assert_eq!(record(&["--actions", &format!("@{}", actions.display())]), recorded, "{id}");
        let ends: Vec<&serde_json::Value> =
            recorded.iter().filter(|line| line["terminated"] == true || line["truncated"] == true).collect();
        assert!(!ends.is_empty(), "{id}");
        for end in ends {
            let observation = end["reset_observation"].as_array().unwrap();
            assert_eq!(observation.len(), end["observation"].as_array().unwrap().len(), "{id}");
        }
        assert!(recorded.iter().all(|line| line.get("reset_observation").is_some() == line.get("return").is_some()));
    }
}

#[test]
fn what_can_not_be_written_is_told_before_playing() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("folder.svg")).unwrap();
    for (file, said) in [
        ("a.gif", "the name must end in .svg or .png"),
        ("nowhere/a.svg", "cannot write"),
        ("folder.svg", "a folder has this name"),
    ] {
        let run = sandbox.run(&["env", "rollout", "CartPole-v1", "--scene", file]).failed_with(&[said]);
        assert_eq!(run.out, "", "nothing was played");
        sandbox.run(&["data", "iris", "--figure", file]).failed_with(&[said]);
    }
    sandbox.write("file", "");
    sandbox.write("tiny.toml", common::TINY);
    sandbox.run(&["run", "tiny.toml", "--out", "file/x"]).failed_with(&["cannot create the folder"]);
}
