//! The command line of a crate that adds a loss, a metric and a data set knows them everywhere.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn output(arguments: &[&str], folder: &std::path::Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_expectile")).args(arguments).current_dir(folder).output().unwrap()
}

fn run(arguments: &[&str]) -> String {
    let output = output(arguments, &std::env::temp_dir());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn rows_are_listed_explained_and_computed() {
    assert!(run(&["list", "losses"]).contains("expectile"));
    assert!(run(&["list", "metrics"]).contains("expectile_error"));
    assert!(run(&["list", "datasets"]).contains("fan"));
    assert!(run(&["loss", "expectile", "--explain"]).contains("Newey and Powell"));
    assert!(run(&["metric", "expectile_error", "--explain"]).contains("held-out rows"));
    assert!(run(&["data", "fan"]).contains("500"));
    let value = run(&[
        "loss",
        "expectile",
        "{ \"predictions\": [[0.0], [3.0]], \"targets\": [[2.0], [2.0]], \"options\": { \"tau\": 0.9 } }",
    ]);
    assert!(value.contains("1.85"), "{value}");
}

const FAN: &str = "seeds = 2\ntask.dataset = \"fan\"\nbudget.epochs = 20\noptimizer.learning_rate = 1e-2\n\
    evaluation.metrics = [{ expectile_error = { tau = 0.9 } }, \"r2\"]\n\
    [[arm]]\nname = \"mean\"\nobjective = { kind = \"supervised\", loss = \"mse\", batch_size = 25 }\n\
    [[arm]]\nname = \"edge\"\nobjective = { kind = \"supervised\", loss = { expectile = { tau = 0.9 } }, batch_size = 25 }\n";

/// Each loss is the best at its own metric.
#[test]
fn they_are_trained_drawn_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fan.toml"), FAN).unwrap();
    let done = output(&["run", "fan.toml", "--quiet", "--out", "out"], folder.path());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let summary = std::fs::read_to_string(folder.path().join("out/summary.csv")).unwrap();
    let last = |arm: &str, column: &str| -> f64 {
        let header: Vec<&str> = summary.lines().next().unwrap().split(',').collect();
        let place =
            header.iter().position(|name| name.contains(column)).unwrap_or_else(|| panic!("{column}: {summary}"));
        let row = summary.lines().find(|line| line.starts_with(arm)).unwrap();
        row.split(',').nth(place).unwrap().parse().unwrap()
    };
    assert!(last("edge", "expectile_error") < last("mean", "expectile_error"), "{summary}");
    assert!(last("edge", "r2") < last("mean", "r2"), "{summary}");
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("expectile"), "the page");
}

#[test]
fn what_is_misspelt_is_suggested_from_the_rows_of_both() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fan.toml"), FAN.replace("{ expectile = {", "{ expectil = {")).unwrap();
    let refused = output(&["run", "fan.toml"], folder.path());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("did you mean `expectile`"), "{said}");
}
