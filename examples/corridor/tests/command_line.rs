//! The command line of a crate that adds an environment knows it everywhere.

#![allow(clippy::unwrap_used)]

use std::process::Command;

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_corridor")).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn the_environment_is_listed_checked_described_and_played() {
    assert!(run(&["env", "list"]).contains("Example/Corridor-v0"));
    assert!(run(&["list", "environments"]).contains("Example/Corridor-v0"));
    assert!(run(&["env", "check", "Example/Corridor-v0"]).contains("keeps its promises"));
    assert!(run(&["env", "describe", "Example/Corridor-v0"]).contains("Ten cells in a row"));
    let steps = run(&["env", "rollout", "Example/Corridor-v0", "--actions", "[1,1,1,1,1,1,1,1,1]"]);
    assert!(steps.contains("return 1.0  length 9"), "{steps}");
}

#[test]
fn it_is_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("corridor.toml");
    let text = "task.env = \"Example/Corridor-v0\"\nseeds = 1\nbudget.examples = 8192\n[[arm]]\nname = \"ppo\"\n\
                objective = { kind = \"policy_gradient\", preset = \"ppo\" }\n";
    std::fs::write(&file, text).unwrap();
    let out =
        run(&["run", file.to_str().unwrap(), "--quiet", "--out", folder.path().join("results").to_str().unwrap()]);
    assert!(out.contains("ppo"), "{out}");
}
