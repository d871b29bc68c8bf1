//! Held-out images are kept with what is predicted of them, drawn, and refused where there are none.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;
use lossward::experiment::Experiment;

/// The bytes of an IDX array of bytes.
fn idx(shape: [u32; 3], elements: Vec<u8>) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    shape.iter().for_each(|side| bytes.extend(side.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

/// Forty images of 8×8 with a bright square of 4×4 on the left or on the right, which is what is to be found; every other has none.
fn write_squares(sandbox: &Sandbox) {
    let (mut images, mut masks) = (Vec::new(), Vec::new());
    for (image, y, x) in (0..40u32).flat_map(|image| (0..64).map(move |i| (image, i / 8, i % 8))) {
        let left = if image % 4 < 2 { 0 } else { 4 };
        let inside = image % 2 == 0 && (2..6).contains(&y) && (left..left + 4).contains(&x);
        images.push(if inside { 200 + (image * 7 + x) as u8 % 50 } else { (y * x) as u8 });
        masks.push(u8::from(inside));
    }
    std::fs::write(sandbox.path("images.idx"), idx([40, 8, 8], images)).unwrap();
    std::fs::write(sandbox.path("masks.idx"), idx([40, 8, 8], masks)).unwrap();
}

const MASKS: &str = r#"seeds = 2
budget.examples = 320
[task]
dataset = { images = "images.idx", masks = "masks.idx", classes = ["none", "square"] }
[network]
layers = [{ conv = 4, kernel = 3, padding = "same" }, { conv = 1, kernel = 1 }]
hidden = []
[optimizer]
learning_rate = 1e-2
[evaluation]
every = 80
predictions = 3
metrics = ["dice", "confusion_matrix"]
[[arm]]
name = "a"
objective = { kind = "supervised", loss = "bce_with_logits", batch_size = 8 }
[[arm]]
name = "b"
objective = { kind = "supervised", loss = "dice", batch_size = 8 }
"#;

#[test]
fn predictions_of_the_first_seed_are_kept_and_drawn() {
    let sandbox = Sandbox::new();
    write_squares(&sandbox);
    sandbox.write("masks.toml", MASKS);
    sandbox.run(&["run", "masks.toml", "--quiet"]).succeeded();
    let of = |file: &str| sandbox.path(&format!("results/masks/{file}"));
    let kept = std::fs::read_to_string(of("trials/a/seed-0/predictions.json")).unwrap();
    let read: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert_eq!((read["rows"].as_array().unwrap().len(), read["classes"][1].as_str()), (3, Some("square")));
    // A square of 16 pixels is on each of them.
    for truth in read["truth"].as_array().unwrap() {
        let runs = truth["mask"].as_array().unwrap();
        let square: u64 = runs.chunks(2).filter(|run| run[0] == 1).map(|run| run[1].as_u64().unwrap()).sum();
        assert_eq!(square, 16, "{truth}");
    }
    let other = std::fs::read_to_string(of("trials/b/seed-0/predictions.json")).unwrap();
    let other: serde_json::Value = serde_json::from_str(&other).unwrap();
    assert_eq!((&read["rows"], &read["truth"]), (&other["rows"], &other["truth"]), "the same for all arms");
    assert!(!of("trials/a/seed-1/predictions.json").exists() && of("trials/a/seed-0/predictions.png").exists());
    let svg = std::fs::read_to_string(of("predictions.svg")).unwrap();
    assert_eq!(svg.matches("<image ").count(), 4 * 3, "images, truth and two arms");
    assert!(svg.contains("predicted: missed") && svg.contains("square"));
    let page = std::fs::read_to_string(of("report.html")).unwrap();
    assert!(page.contains("id=\"predictions\"") && page.contains("Sky blue is missed") && page.len() < 3_000_000);
    let drawn = std::fs::read_to_string(of("confusion_matrix.svg")).unwrap();
    assert!(drawn.contains("square") && drawn.contains("none"), "classes by their names");
    draws_the_same_again(&sandbox);
}

/// From the records alone; and a record whose predictions were touched is not whole.
fn draws_the_same_again(sandbox: &Sandbox) {
    let folder = sandbox.path("results/masks");
    let sheet = std::fs::read(folder.join("predictions.png")).unwrap();
    std::fs::remove_file(folder.join("predictions.png")).unwrap();
    std::fs::remove_file(sandbox.path("images.idx")).unwrap();
    sandbox.run(&["plot", "results/masks"]).succeeded();
    assert_eq!(std::fs::read(folder.join("predictions.png")).unwrap(), sheet);
    std::fs::write(folder.join("trials/a/seed-0/predictions.json"), "{}").unwrap();
    let told = sandbox.run(&["plot", "results/masks"]).succeeded();
    assert!(told.err.contains("predictions.json is cut off or changed"), "{}", told.err);
}

#[test]
fn what_has_no_pictures_is_refused() {
    let sandbox = Sandbox::new();
    let refused = |task: &str, predictions: &str| {
        let objective = match task {
            "env = \"CartPole-v1\"" => "{ kind = \"policy_gradient\", preset = \"reinforce\" }",
            "dataset = \"house_sacramento\"" => "{ kind = \"supervised\", loss = \"mse\" }",
            _ => "{ kind = \"supervised\", loss = \"cross_entropy\" }",
        };
        let text = format!(
            "seeds = 1\nbudget.examples = 100\n[task]\n{task}\n[evaluation]\npredictions = {predictions}\n[[arm]]\nname = \"a\"\nobjective = {objective}\n"
        );
        let loaded = Experiment::load(&sandbox.write("experiment.toml", &text), &[]);
        loaded.map(drop).map_err(|error| error.to_string())
    };
    let message = |task: &str, predictions: &str| refused(task, predictions).unwrap_err();
    let of_env = message("env = \"CartPole-v1\"", "4");
    assert!(
        of_env.contains("experiment.toml:6: an environment has no held-out images; `predictions` is for"),
        "{of_env}"
    );
    let of_table = message("dataset = \"iris\"", "4");
    assert!(of_table.contains("experiment.toml:6: `predictions` shows images, and an input"), "{of_table}");
    assert!(message("dataset = \"house_sacramento\"", "4").contains("`predictions` shows images"));
    assert!(message("dataset = \"digits\"", "33").contains("`predictions` is 33; a contact sheet has at most 32"));
    assert!(message("dataset = \"digits\"", "-1").contains("predictions"));
    assert!(message("dataset = \"digits\"", "\"all\"").contains("predictions"));
    for fine in ["dataset = \"iris\"", "env = \"CartPole-v1\"", "dataset = \"digits\""] {
        refused(fine, "0").unwrap();
    }
    refused("dataset = \"digits\"", "32").unwrap();
}
