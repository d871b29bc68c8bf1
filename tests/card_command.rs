//! `lossward card`: what it prints and draws, what the page says of it, and what is wrong with a name.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;
use lossward::card::{ALL, Card, PROBABILITIES};
use serde_json::Value;

#[test]
fn every_objective_is_measured_and_agrees_with_its_formula() {
    let sandbox = Sandbox::new();
    let words = sandbox.run(&["card"]).succeeded().out;
    let object: Value = serde_json::from_str(&sandbox.run(&["card", "--json"]).succeeded().out).unwrap();
    let objectives = object["objectives"].as_array().unwrap();
    assert_eq!(objectives.len(), ALL.len());
    for objective in objectives {
        let list =
            |key: &str| objective[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>();
        for (formula, measured) in list("beta").iter().zip(list("measured")) {
            assert!((formula - measured).abs() < 1e-6 * formula.abs().max(1.0), "{objective}");
        }
        assert!(words.contains(&format!("\n{}", objective["name"].as_str().unwrap())), "{objective}");
    }
    let two = sandbox.run(&["card", "ce", "pg", "--classes", "2"]).succeeded().out;
    assert!(two.contains("\nreinforce") && two.contains("n = 2 classes") && !two.contains("dg"), "{two}");
}

/// The numbers of a row of the page are those of the formulas, to the decimals that it shows.
#[test]
fn the_page_has_the_numbers_of_the_formulas() {
    let page = std::fs::read_to_string("docs/policy_gradients.md").unwrap();
    let section = page.split("\n## One label, one factor\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut seen = Vec::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let name = cells[0].split('`').nth(1).unwrap();
        let card = Card::read(name, 10).unwrap();
        let values: Vec<f64> = PROBABILITIES.iter().map(|p| card.beta(*p)).collect();
        let shown = &cells[cells.len() - 6..];
        let wanted = values.iter().copied().chain([values[0] / values[3]]);
        for (shown, wanted) in shown.iter().zip(wanted) {
            let decimals = shown.split('.').nth(1).unwrap_or_default().len();
            assert!(decimals >= 3, "{name}: {shown}");
            assert_eq!(*shown, format!("{wanted:.decimals$}").replace('-', "−"), "{name}");
        }
        let marked = cells[0].contains('*');
        assert_eq!(marked, !card.row.in_any_company, "{name}");
        seen.push(name);
    }
    let missing: Vec<_> = ALL.iter().filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "docs/policy_gradients.md lacks {missing:?}");
}

#[test]
fn the_figure_of_the_page_is_what_is_drawn() {
    let sandbox = Sandbox::new();
    sandbox.run(&["card", "--figure", "card.svg"]).succeeded();
    let [drawn, committed] = [sandbox.path("card.svg"), "docs/figures/card.svg".into()].map(std::fs::read);
    assert!(drawn.unwrap() == committed.unwrap(), "run `lossward card --figure docs/figures/card.svg`");
    sandbox.run(&["card", "ppo", "gce=0.5", "--figure", "card.png"]).succeeded();
    assert!(std::fs::read(sandbox.path("card.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn what_is_wrong_is_named() {
    let sandbox = Sandbox::new();
    let crowd: Vec<String> = (2..18).map(|size| format!("grpo={size}")).collect();
    let crowd: Vec<&str> =
        ["card"].into_iter().chain(crowd.iter().map(String::as_str)).chain(["--figure", "a.svg"]).collect();
    let cases: &[(&[&str], &[&str])] = &[
        (&["card", "gpro"], &["unknown objective `gpro`", "did you mean `grpo`?"]),
        (&["card", "gce=1.5"], &["`gce=1.5`", "must be a number in [0, 1]"]),
        (&["card", "ppo=3"], &["`ppo=3`", "ppo has no parameter"]),
        (&["card", "grpo=1"], &["a whole number in [2, 256]"]),
        (&["card", "--figure", "card.pdf"], &["must end in .svg or .png"]),
        (&crowd, &["16 weights in one panel", "at most 14"]),
    ];
    for (words, parts) in cases {
        sandbox.run(words).failed_with(parts);
    }
    assert_eq!(sandbox.run(&["card", "--classes", "1"]).status, Some(2));
}
