//! `lossward loss`: every row of the table, every way to give its input, and what is wrong with it.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;
use lossward::loss::{self, Domain, Layout, Loss, Part};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::Stdio;

/// One example in the loss's layout.
fn input(loss: &Loss) -> Value {
    let prediction = |part: &Part| match (loss.layout, part.domain) {
        (Layout::Same, Domain::NotNegative | Domain::Unit) => json!([[0.3, 0.6]]),
        (Layout::Same, Domain::LogProbability) => json!([[-0.5, -1.0]]),
        (Layout::Same, _) => json!([[0.5, -1.0]]),
        (Layout::Classes, _) => json!([[-0.5, -1.5, -2.0]]),
        (Layout::Masks, _) => json!([[[[0.5, -1.0], [2.0, 0.1]]]]),
        (Layout::Boxes, _) => json!([[0.0, 0.0, 1.0, 1.0]]),
        (Layout::Bins, _) => json!([[[0.1, 0.2, 0.3], [1.0, 0.0, -1.0]]]),
        (Layout::Vectors, _) => json!([[1.0, part.name.len() as f64]]),
    };
    let target = |part: &Part| match (loss.layout, part.domain) {
        (Layout::Same, _) => json!([[1.0, 1.0]]),
        (Layout::Classes, _) => json!([2]),
        (Layout::Masks, _) => json!([[[1, 0], [1, 0]]]),
        (Layout::Boxes, _) => json!([[0.5, 0.0, 1.5, 1.0]]),
        (Layout::Bins, _) => json!([[0.4, 1.2]]),
        (Layout::Vectors, _) => json!([1]),
    };
    let object = |parts: &[Part], of: &dyn Fn(&Part) -> Value| -> Value {
        parts.iter().map(|part| (part.name.to_string(), of(part))).collect::<serde_json::Map<_, _>>().into()
    };
    json!({ "predictions": object(loss.predictions, &prediction), "targets": object(loss.targets, &target) })
}

#[test]
fn every_loss_is_computed_however_its_input_is_given() {
    let sandbox = Sandbox::new();
    for loss in loss::all() {
        let input = input(loss);
        let here = sandbox.run(&["loss", loss.name, &input.to_string(), "--json"]).succeeded();
        let object: Value = serde_json::from_str(&here.out).unwrap();
        assert!(object["value"].as_f64().unwrap().is_finite(), "{}: {object}", loss.name);
        sandbox.write("input.json", &input.to_string());
        let from_file = sandbox.run(&["loss", loss.name, "@input.json", "--json"]).succeeded();
        let mut child = sandbox.command(&["loss", loss.name, "-", "--json"]);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
        let from_pipe = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        assert_eq!((&from_file.out, &from_pipe), (&here.out, &here.out), "{}", loss.name);
        let [predictions, targets] = ["predictions", "targets"].map(|key| input[key].to_string());
        let mut apart = vec!["loss", loss.name, "--json", "--predictions", &predictions];
        if !loss.targets.is_empty() {
            apart.extend(["--targets", &targets]);
        }
        assert_eq!(sandbox.run(&apart).succeeded().out, here.out, "{}", loss.name);
        let words = sandbox.run(&["loss", loss.name, "@input.json"]).succeeded();
        assert!(words.out.starts_with("value ") && words.out.contains("gradient"), "{}", words.out);
    }
}

#[test]
fn every_loss_is_explained_and_listed() {
    let sandbox = Sandbox::new();
    let listed = sandbox.run(&["list", "losses"]).succeeded();
    for loss in loss::all() {
        let explained = sandbox.run(&["loss", loss.name, "--explain"]).succeeded();
        for part in [loss.formula, loss.gradient, loss.summary, loss.source] {
            assert!(explained.out.contains(part), "{}: no `{part}`", loss.name);
        }
        assert!(
            loss.options.iter().all(|option| explained.out.contains(&format!("{}: ", option.name))),
            "{}",
            loss.name
        );
        assert!(listed.out.contains(&format!("\n{} ", loss.name)) || listed.out.starts_with(loss.name));
        assert!(listed.out.contains(loss.formula), "{}", loss.name);
        let object = sandbox.run(&["loss", loss.name, "--explain", "--json"]).succeeded();
        let object: Value = serde_json::from_str(&object.out).unwrap();
        assert_eq!((&object["loss"], &object["formula"]), (&json!(loss.name), &json!(loss.formula)));
    }
}

/// The figures in docs/ are what the program draws, and the page has a section and a figure for each loss.
#[test]
fn the_page_on_objectives_has_every_loss_as_it_is_drawn() {
    let sandbox = Sandbox::new();
    sandbox.run(&["list", "losses", "--figures", "figures"]).succeeded();
    let page = std::fs::read_to_string("docs/objectives.md").unwrap();
    for loss in loss::all() {
        let name = format!("{}.svg", loss.name);
        let [drawn, committed] =
            [sandbox.path("figures").join(&name), format!("docs/figures/losses/{name}").into()].map(std::fs::read);
        assert!(
            drawn.unwrap() == committed.unwrap(),
            "{name}: run `lossward list losses --figures docs/figures/losses`"
        );
        assert!(page.contains(&format!("\n### {}\n", loss.name)), "no section on {}", loss.name);
        assert!(page.contains(&format!("(figures/losses/{name})")), "no figure of {}", loss.name);
    }
    sandbox.run(&["list", "metrics", "--figures", "figures"]).failed_with(&["--figures draws losses"]);
}

#[test]
fn what_is_wrong_is_named() {
    let sandbox = Sandbox::new();
    let cases: &[(&str, &str, &[&str])] = &[
        ("mse", r#"{"predictions":[1,2],"targets":[1]}"#, &["`targets` has shape [1]", "[2]"]),
        ("mse", r#"{"predictions":[1,null],"targets":[1,2]}"#, &["`predictions`", "entry 1 is null"]),
        ("mse", r#"{"predictions":[1,NaN],"targets":[1,2]}"#, &["not JSON"]),
        ("mse", r#"{"predictions":[],"targets":[]}"#, &["at least one example"]),
        ("mse", r#"{"predictions":[1],"tragets":[2]}"#, &["unknown key `tragets`", "did you mean `targets`"]),
        ("mse", r#"[1]"#, &["must be an object"]),
        ("mse", "{}", &["mse needs predictions", "--explain"]),
        ("mse", r#"{"predictions":[1]}"#, &["mse needs targets"]),
        ("mse", "@", &["@data.json"]),
        ("mse", r#"{"predictions":[1],"targets":[2],"options":{"delta":1}}"#, &["`delta` is not an option of mse"]),
        ("huber", r#"{"predictions":[1],"targets":[2],"options":{"delta":0}}"#, &["(0, ∞), not 0"]),
        (
            "dice",
            r#"{"predictions":[[[1]]],"targets":[[[1]]],"options":{"smooth":-1}}"#,
            &["`smooth` of dice", "not -1"],
        ),
        ("cross_entropy", r#"{"predictions":[[1,2]],"targets":[2]}"#, &["`targets`[0] is 2", "from 0 to 1"]),
        (
            "cross_entropy",
            r#"{"predictions":[[1,2]],"targets":[0],"options":{"weights":[1]}}"#,
            &["1 numbers for 2 classes"],
        ),
        ("cross_entropy", r#"{"predictions":[[1,2]],"targets":[[0.5,0.6]]}"#, &["a distribution", "1.1"]),
        (
            "cross_entropy",
            r#"{"predictions":[[1,2]],"targets":[9],"options":{"ignore_index":9}}"#,
            &["no example counts"],
        ),
        ("triplet_margin", r#"{"predictions":{"anchor":[[1]],"positive":[[1]]}}"#, &["lack `negative`"]),
        ("triplet_margin", r#"{"predictions":[[1]]}"#, &["anchor, positive, negative"]),
        ("ciou", r#"{"predictions":[[1,0,0,1]],"targets":[[0,0,1,1]]}"#, &["`predictions`[0][2] is 0", "at least 1"]),
        ("bce", r#"{"predictions":[1.2],"targets":[1]}"#, &["in [0, 1]"]),
        ("poisson_nll", r#"{"predictions":[-1],"targets":[1],"options":{"log_input":false}}"#, &["at least 0"]),
    ];
    for (name, input, parts) in cases {
        sandbox.run(&["loss", name, input]).failed_with(parts);
    }
    sandbox.run(&["loss", "mse", "@nowhere.json"]).failed_with(&["cannot read nowhere.json"]);
    sandbox.run(&["loss", "mse", "--predictions", "[1]"]).failed_with(&["mse needs --targets", "--explain"]);
}
