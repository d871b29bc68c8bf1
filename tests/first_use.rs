//! What a new user writes and names, and the answer that helps.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Sandbox, TINY};
use lossward::experiment::Experiment;
use lossward::objective::ObjectiveSettings;

fn load(text: &str, overrides: &[&str]) -> Result<Experiment, String> {
    let sandbox = Sandbox::new();
    let file = sandbox.write("file.toml", text);
    let overrides: Vec<String> = overrides.iter().map(|given| given.to_string()).collect();
    Experiment::load(&file, &overrides).map_err(|error| error.to_string())
}

/// A table of 40 rows, y = 2x, with a gap in x.
fn table() -> String {
    (0..40).fold(
        "x,y\n".to_string(),
        |text, i| if i == 3 { text + ",6\n" } else { format!("{text}{i}.5,{}\n", 2 * i + 1) },
    )
}

const OWN: &str = "seeds = 1\n[task]\ndataset = { csv = \"data/table.csv\", target = \"y\" }\n[budget]\nexamples = 200\n[[arm]]\nname = \"a\"\nobjective = { kind = \"supervised\", loss = \"mse\" }\n";

#[test]
fn overrides_reach_every_key() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("data")).unwrap();
    sandbox.write("data/table.csv", &table());
    sandbox.write("own.toml", OWN);
    sandbox
        .run(&["run", "own.toml", "--out", "o"])
        .failed_with(&["row 4, column `x`: the entry is missing", "missing = \"fill\""]);
    sandbox.run(&["run", "own.toml", "--out", "o", "task.dataset.missing=fill"]).succeeded();
    sandbox.write("arm.toml", &format!("{OWN}task = {{ dataset = {{ missing = \"fill\" }} }}\n"));
    sandbox.run(&["run", "arm.toml", "--out", "arm"]).succeeded();
    let one = |given: &str| load(TINY, &[given]).unwrap();
    assert_eq!(one("network.hidden=32").arms[0].network.hidden(), [32]);
    assert_eq!(one("evaluation.metrics=accuracy").arms[1].evaluation.metrics[0].name, "accuracy");
    assert_eq!(one("budget.examples=1e5").arms[0].budget.examples, 100_000);
    assert_eq!(one("plot.curves.log=loss").plots[0].log.as_deref(), Some(&["loss".to_string()][..]));
    let half = load(TINY, &["budget.examples=1.5"]).unwrap_err();
    assert!(half.contains("`examples` must be a whole number") && half.contains("1.5"), "{half}");
    let schedule =
        ["optimizer.learning_rate={ schedule = \"linear\", from = 1e-3, to = 0.0 }", "optimizer.learning_rate.to=1e-4"];
    let end = load(TINY, &schedule).unwrap().arms[0].optimizer.learning_rate.at(1.0);
    assert!((end - 1e-4).abs() < 1e-12, "{end}");
    assert_eq!(
        load(TINY, &[schedule[0], "optimizer.learning_rate=0.5"]).unwrap().arms[0].optimizer.learning_rate.at(0.0),
        0.5
    );
}

/// Nothing of the old kind or preset stays behind.
#[test]
fn an_objective_of_another_kind_takes_the_place_of_the_old_one() {
    let replaced = load(TINY, &["arm.reward.objective={ kind = \"supervised\", loss = \"cross_entropy\" }"]).unwrap();
    assert!(matches!(replaced.arms[1].objective, ObjectiveSettings::Supervised(_)));
    let preset =
        load(TINY, &["arm.reward.objective={ kind = \"policy_gradient\", preset = \"a2c\", reward = \"accuracy\" }"])
            .unwrap();
    let ObjectiveSettings::PolicyGradient(settings) = &preset.arms[1].objective else { panic!() };
    assert_eq!((settings.preset.as_str(), settings.environments), ("a2c", 8), "64 was the old one's");
    let single = load(TINY, &["arm.reward.objective.environments=32"]).unwrap();
    let ObjectiveSettings::PolicyGradient(settings) = &single.arms[1].objective else { panic!() };
    assert_eq!((settings.preset.as_str(), settings.environments), ("reinforce", 32));
    let rollout = load(TINY, &["arm.reward.objective.rollout=7"]).unwrap_err();
    assert!(
        rollout.contains("`rollout` must be \"episodes\" or a number of steps, such as { steps = 256 }"),
        "{rollout}"
    );
}

#[test]
fn seeds_are_chosen_and_epochs_are_counted() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    let run =
        |arguments: &[&str]| sandbox.run(&[&["run", "tiny.toml", "--out", "o", "budget.epochs=1"], arguments].concat());
    run(&["seeds={ from = 10, count = 2 }"]).succeeded();
    assert!(
        sandbox.path("o/trials/label/seed-11/rows.csv").is_file() && !sandbox.path("o/trials/label/seed-0").exists()
    );
    let rows = std::fs::read_to_string(sandbox.path("o/trials/label/seed-10/rows.csv")).unwrap();
    let last = rows.lines().last().unwrap();
    assert_eq!(last.split(',').nth(1), Some("1437"), "the training digits, once: {last}");
    sandbox.run(&["plot", "o"]).succeeded();
    run(&["seeds={ from = 11, count = 1 }"]).failed_with(&["the seeds 10 to 11, and this asks for the seeds 11 to 11"]);
    run(&["seeds=3", "--seeds", "2"]).failed_with(&["`--seeds 2` and `seeds=3` both say which seeds"]);
    let env = TINY.replace("dataset = \"digits\"", "env = \"CartPole-v1\"");
    let message = load(&env, &["budget.epochs=3"]).unwrap_err();
    assert!(message.contains("an environment has no epochs"), "{message}");
    let message = load(&TINY.replace("[budget]\nexamples = 4_000\n", ""), &[]).unwrap_err();
    assert!(message.contains("write budget.examples = 100_000"), "{message}");
}

/// From another working directory, and by the command that the report gives.
#[test]
fn paths_start_at_the_experiment_file() {
    let sandbox = Sandbox::new();
    for folder in ["work/data", "elsewhere"] {
        std::fs::create_dir_all(sandbox.path(folder)).unwrap();
    }
    sandbox.write("work/data/table.csv", &table().replace("\n,6", "\n3.5,7"));
    sandbox.write("work/own.toml", OWN);
    let elsewhere = |arguments: &[&str]| {
        common::Run::of(sandbox.command(arguments).current_dir(sandbox.path("elsewhere")).output().unwrap())
    };
    elsewhere(&["run", "../work/own.toml", "--out", "out"]).succeeded();
    // The same trials from the folder of the file.
    let again = common::Run::of(
        sandbox
            .command(&["run", "own.toml", "--out", "../elsewhere/out"])
            .current_dir(sandbox.path("work"))
            .output()
            .unwrap(),
    );
    assert!(again.succeeded().err.contains("are finished"));
    let page = std::fs::read_to_string(sandbox.path("elsewhere/out/report.html")).unwrap();
    assert!(page.contains("lossward run experiment.toml --out again"), "the command that is tried here");
    let there = |arguments: &[&str]| {
        common::Run::of(sandbox.command(arguments).current_dir(sandbox.path("elsewhere/out")).output().unwrap())
    };
    there(&["run", "experiment.toml", "--out", "again"]).succeeded();
    let rows = |folder: &str| {
        let text =
            std::fs::read_to_string(sandbox.path(&format!("elsewhere/out/{folder}trials/a/seed-0/rows.csv"))).unwrap();
        let without_seconds = |line: &str| {
            line.split(',').enumerate().filter(|(i, _)| *i != 3).map(|(_, cell)| cell.to_string()).collect::<Vec<_>>()
        };
        text.lines().map(without_seconds).collect::<Vec<_>>()
    };
    assert_eq!(rows(""), rows("again/"));
    // On the command line a path starts where the program does.
    sandbox.write("elsewhere/other.csv", &table().replace("\n,6", "\n3.5,7"));
    elsewhere(&["run", "../work/own.toml", "--out", "other", "task.dataset.csv=other.csv"]).succeeded();
    elsewhere(&["run", "../work/own.toml", "--out", "none", "task.dataset.csv=data/table.csv"])
        .failed_with(&["cannot open", "elsewhere/data/table.csv"]);
}

#[test]
fn what_is_no_experiment_is_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    sandbox.write("table.csv", &table());
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    let run = |arguments: &[&str]| sandbox.run(&[&["run"], arguments].concat());
    run(&["tiny.toml", "--out", "out", "--seeds", "1"]).succeeded();
    run(&["out"]).failed_with(&["out is a results folder; `lossward plot out` draws it again"]);
    run(&["table.csv"]).failed_with(&[
        "table.csv is a table",
        "`lossward data table.csv`",
        "dataset = { csv = \"table.csv\", target = ",
    ]);
    run(&["empty"]).failed_with(&["empty is a folder, and no experiment"]);
    run(&["."]).failed_with(&["is a folder; give one file of it: tiny.toml"]);
    run(&["tony.toml"]).failed_with(&["unknown experiment `tony.toml`; did you mean `tiny.toml`"]);
    sandbox.run(&["list", "experiments"]).failed_with(&["there is no folder experiments here"]);
    sandbox.run(&["list", "experiments", "--folder", "empty"]).failed_with(&["no experiment file"]);
    run(&["tiny.toml", "--out", "out", "--seeds", "1", "optimizer.learning_rate=0.5", "network.hidden=[8]"])
        .failed_with(&["there `arm.network.hidden = [16]`, here `arm.network.hidden = [8]`"]);
    std::fs::write(sandbox.path("picture.toml"), b"\x89PNG\r\n\x1a\n\0\0").unwrap();
    run(&["picture.toml"]).failed_with(&["picture.toml", "UTF-8"]);
    let utf16: Vec<u8> = "\u{feff}seeds = 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(sandbox.path("utf16.toml"), utf16).unwrap();
    run(&["utf16.toml"]).failed_with(&["utf16.toml: it is UTF-16; save the experiment as UTF-8"]);
    let marked = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/small_bom.toml")).unwrap();
    assert!(marked.starts_with(b"\xef\xbb\xbf"));
    std::fs::write(sandbox.path("marked.toml"), marked).unwrap();
    assert!(
        run(&["marked.toml", "--out", "marked"]).succeeded().out.contains("Question: does it read?")
            || sandbox.path("marked/report.html").is_file()
    );
    sandbox.write("crlf.toml", &TINY.replace('\n', "\r\n"));
    run(&["crlf.toml", "--out", "crlf", "--seeds", "1"]).succeeded();
}
