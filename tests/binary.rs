//! The program as a user meets it.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Sandbox, TINY, files};
use std::time::{Duration, Instant};

#[test]
fn a_small_experiment_leaves_records_figures_and_a_summary() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    let run = sandbox.run(&["run", "tiny.toml"]).succeeded();
    assert!(run.out.contains("label") && run.out.contains("reward") && run.out.contains("examples to accuracy 0.5"));
    assert!(run.err.contains("[4/4]"), "plain progress lines where there is no terminal: {}", run.err);
    let results = sandbox.path("results/tiny");
    for name in ["experiment.toml", "summary.csv", "summary.json", "curves.svg", "curves.png"] {
        assert!(results.join(name).is_file(), "{name} is missing");
    }
    for name in ["trial.toml", "rows.csv", "outcome.json", "final.safetensors", "best.safetensors"] {
        assert!(results.join("trials/reward/seed-1").join(name).is_file(), "{name} is missing");
    }
    let header = std::fs::read_to_string(results.join("trials/reward/seed-0/rows.csv")).unwrap();
    assert!(header.starts_with("updates,examples,episodes,seconds,loss,training_return,"), "{header}");
    let svg = std::fs::read_to_string(results.join("curves.svg")).unwrap();
    assert!(svg.contains("label (n = 2)") && svg.contains("accuracy, held out"));
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(results.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["arms"][0]["n"], 2);
    assert!(summary["arms"][0]["final"]["accuracy"]["point"].as_f64().unwrap() > 0.5);
    assert!(run.out.contains("Against label, seed by seed: accuracy at the end (higher is better)"), "{}", run.out);
    let compared = &summary["comparisons"][0]["arms"][0];
    assert_eq!((&compared["arm"], &compared["final"]["n"]), (&"reward".into(), &2.into()));
    for quantity in ["final", "area_under_curve"] {
        assert!(
            compared[quantity]["difference"]["point"].is_number()
                && compared[quantity]["improvement"]["point"].is_number()
        );
    }
    let mut table = csv::Reader::from_path(results.join("summary.csv")).unwrap();
    let column = table.headers().unwrap().iter().position(|name| name == "final_difference").unwrap();
    let cells: Vec<String> = table.records().map(|record| record.unwrap()[column].to_string()).collect();
    assert!(cells[0].is_empty(), "the first arm is what the other is compared with");
    assert_eq!(cells[1].parse::<f64>().unwrap(), compared["final"]["difference"]["point"].as_f64().unwrap());
}

/// A car that never gets out of the valley: said once in the terminal, though both seeds see it, and on the page with its seeds.
#[test]
fn a_reward_that_never_varies_is_told_once() {
    let sandbox = Sandbox::new();
    let text = "seeds = 2\ntask.env = \"MountainCar-v0\"\nbudget.examples = 20_000\nevaluation.every = 1_600\n\
                evaluation.episodes = 1\n[[arm]]\nname = \"lost\"\n\
                objective = { kind = \"policy_gradient\", preset = \"reinforce\" }\n";
    sandbox.write("car.toml", text);
    let run = sandbox.run(&["run", "car.toml", "--quiet"]).succeeded();
    assert_eq!(run.err.matches("warning: lost, seed ").count(), 1, "{}", run.err);
    assert!(
        run.err.contains("dead reward: every episode of the first") && run.err.contains("returned -200"),
        "{}",
        run.err
    );
    let page = std::fs::read_to_string(sandbox.path("results/car/report.html")).unwrap();
    assert!(page.contains("<td>0, 1</td>") && page.contains("dead reward: every episode"), "both seeds in one line");
}

#[test]
fn a_finished_experiment_is_redrawn_byte_for_byte_and_not_retrained() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    sandbox.run(&["run", "tiny.toml", "--quiet"]).succeeded();
    let before = files(&sandbox.path("results/tiny"));
    let again = sandbox.run(&["run", "tiny.toml"]).succeeded();
    assert!(again.err.contains("all 4 trials") && again.err.contains("--force"), "{}", again.err);
    std::fs::remove_file(sandbox.path("results/tiny/curves.png")).unwrap();
    sandbox.run(&["plot", "results/tiny"]).succeeded();
    assert_eq!(before, files(&sandbox.path("results/tiny")));
}

#[test]
fn more_seeds_only_run_what_is_missing_and_other_settings_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    sandbox.run(&["run", "tiny.toml", "--seeds", "1"]).succeeded();
    let run = sandbox.run(&["run", "tiny.toml"]).succeeded();
    assert!(run.err.contains("2 of 4 trials are finished already"), "{}", run.err);
    for (file, text) in
        [("other.toml", TINY.replace("\"Tiny\"", "\"Another\"")), ("fewer.toml", TINY.replace("\"label\"", "\"x\""))]
    {
        sandbox.write(file, &text);
        sandbox.run(&["run", file, "--out", "results/tiny"]).failed_with(&["results/tiny: holds", "--out", "--force"]);
    }
    sandbox.run(&["run", "tiny.toml", "--seeds", "1"]).failed_with(&["holds 2 seeds, and this asks for 1"]);
    let refused = sandbox.run(&["run", "tiny.toml", "optimizer.learning_rate=1e-2"]);
    refused.failed_with(&["another experiment", "learning_rate = 0.003", "learning_rate = 0.01", "--out", "--force"]);
    sandbox.run(&["run", "tiny.toml", "optimizer.learning_rate=1e-2", "--force", "--quiet"]).succeeded();
}

/// Rows without the column of seconds.
fn rows(path: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let seconds = text.lines().next().unwrap().split(',').position(|column| column == "seconds").unwrap();
    let without = |line: &str| {
        let cells: Vec<&str> =
            line.split(',').enumerate().filter(|(i, _)| *i != seconds).map(|(_, cell)| cell).collect();
        cells.join(",")
    };
    text.lines().map(without).collect()
}

#[test]
fn rows_are_the_same_for_any_number_of_jobs() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    for jobs in ["1", "2"] {
        sandbox.run(&["run", "tiny.toml", "--jobs", jobs, "--out", jobs, "--quiet"]).succeeded();
    }
    for arm in ["label", "reward"] {
        for seed in ["seed-0", "seed-1"] {
            let path = |jobs: &str| sandbox.path(jobs).join("trials").join(arm).join(seed).join("rows.csv");
            assert_eq!(rows(&path("1")), rows(&path("2")), "{arm}, {seed}");
        }
    }
}

#[test]
fn an_interrupted_run_keeps_its_records_and_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.write("long.toml", &TINY.replace("4_000", "400_000"));
    for signal in ["-INT", "-KILL"] {
        let mut child = sandbox.command(&["run", "long.toml", "--jobs", "1", "--force"]).spawn().unwrap();
        let written = sandbox.path("results/long/trials/label/seed-0/rows.csv");
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::fs::read_to_string(&written).map_or(0, |text| text.lines().count()) < 4 {
            assert!(Instant::now() < deadline, "no rows after a minute");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let status = child.wait().unwrap();
        if signal == "-INT" {
            assert_eq!(status.code(), Some(130));
        }
        assert!(rows(&written).len() >= 4, "rows are kept");
    }
    let on = sandbox.run(&["run", "long.toml", "budget.examples=8_000", "--quiet"]);
    on.succeeded();
    assert_eq!(std::fs::read_dir(sandbox.path("results/long/trials/label")).unwrap().count(), 2);
}

#[test]
fn a_trial_that_diverges_stops_alone_and_the_status_says_so() {
    let sandbox = Sandbox::new();
    let arm = "[[arm]]\nname = \"far too fast\"\nobjective = { kind = \"supervised\", loss = \"cross_entropy\" }\n\
               optimizer = { rule = \"sgd\", learning_rate = 1e38 }\n[[plot]]";
    sandbox.write("tiny.toml", &TINY.replace("[[plot]]", arm));
    let run =
        sandbox.run(&["run", "tiny.toml"]).failed_with(&["far too fast, seed 1", "update 2", "2 of 6 trials failed"]);
    assert!(run.out.contains("0 (2 failed)"), "{}", run.out);
    let outcome =
        std::fs::read_to_string(sandbox.path("results/tiny/trials/far-too-fast/seed-0/outcome.json")).unwrap();
    assert!(outcome.contains("failed") && outcome.contains("the loss is"), "{outcome}");
    assert!(sandbox.path("results/tiny/trials/label/seed-1/final.safetensors").is_file());
    assert!(sandbox.path("results/tiny/trials/far-too-fast/seed-1/best.safetensors").is_file());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    sandbox.write("file", "");
    sandbox.run(&["run", "tiny.toml", "--out", "file/results"]).failed_with(&["create the folder file/results"]);
}

#[test]
fn the_loss_of_the_readme() {
    let sandbox = Sandbox::new();
    let given = ["--predictions", "[[2.5,0.1,-1.2]]", "--targets", "[0]"];
    let run = sandbox.run(&[&["loss", "cross_entropy"], &given[..]].concat()).succeeded();
    assert!(run.out.contains("0.1093") && run.out.contains("-0.1035"), "{}", run.out);
    let json = sandbox.run(&[&["loss", "cross_entropy", "--json"], &given[..]].concat()).succeeded();
    let object: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!((object["value"].as_f64().unwrap() - 0.109_250_272_519_032_f64).abs() < 1e-12, "{object}");
    let bad = |targets: &str, parts: &[&str]| {
        let run = sandbox.run(&["loss", "cross_entropy", "--predictions", "[[2.5,0.1,-1.2]]", "--targets", targets]);
        run.failed_with(parts);
    };
    bad("[3]", &["`targets`[0] is 3", "a class from 0 to 2"]);
    bad("[0, 1]", &["`targets` has shape [2]", "[1]"]);
    bad("[-1]", &["`targets`[0] is -1"]);
    bad("[0.5]", &["`targets`[0] is 0.5"]);
    sandbox
        .run(&["loss", "cros_entropy", "--predictions", "[[1]]", "--targets", "[0]"])
        .failed_with(&["cross_entropy"]);
    sandbox.run(&["loss", "mse", "--predictions", "[[1],[1,2]]", "--targets", "[[1]]"]).failed_with(&["row 1 has 2"]);
}

#[test]
fn metrics_are_recorded_and_drawn_from_the_records_alone() {
    let sandbox = Sandbox::new();
    let metrics = "metrics = [{ f1 = { average = \"none\" } }, \"confusion_matrix\", \"pr_curve\", \"roc_curve\", \"reliability\"]";
    let file =
        TINY.replace("[[arm]]\nname = \"label\"", &format!("[evaluation]\n{metrics}\n[[arm]]\nname = \"label\""));
    sandbox.write("tiny.toml", &file.replace("\"accuracy\"]", "\"f1(average=none)[9]\"]").replace("threshold =", "# "));
    sandbox.run(&["run", "tiny.toml", "--quiet"]).succeeded();
    let results = sandbox.path("results/tiny");
    let head = std::fs::read_to_string(results.join("trials/label/seed-0/rows.csv")).unwrap();
    assert!(head.contains("f1(average=none)[0],f1(average=none)[1],") && !head.contains("confusion"), "{head}");
    let drawn = std::fs::read_to_string(results.join("trials/reward/seed-1/drawn.json")).unwrap();
    let drawn: serde_json::Value = serde_json::from_str(&drawn).unwrap();
    let counts = drawn["confusion_matrix"]["counts"].as_array().unwrap().iter();
    let counts = counts.flat_map(|row| row.as_array().unwrap()).map(|count| count.as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 360, "every held-out digit is counted once");
    let names = ["confusion_matrix", "pr_curve", "roc_curve", "reliability"];
    let figures =
        || names.map(|name| ["svg", "png"].map(|end| std::fs::read(results.join(format!("{name}.{end}"))).unwrap()));
    let before = figures();
    sandbox.run(&["plot", "results/tiny"]).succeeded();
    assert!(figures() == before, "drawn again, the figures are the same bytes");
}

#[test]
fn a_metric_is_computed_explained_and_drawn() {
    let sandbox = Sandbox::new();
    let metric = |arguments: &[&str]| sandbox.run(&[&["metric"], arguments].concat());
    let given = ["--predictions", "[0,1,1,2]", "--targets", "[0,1,2,2]"];
    let run = metric(&[&["f1"], &given[..], &["--options", "{\"average\":\"none\"}"]].concat()).succeeded();
    assert_eq!(run.out, "class 0  1\nclass 1  0.6666666666666666\nclass 2  0.6666666666666666\n");
    let object = "{\"predictions\":[[0.9,0.1],[0.2,0.8],[0.6,0.4]],\"targets\":[0,1,1],\"options\":{\"norm\":\"max\"}}";
    let run = metric(&["calibration_error", object, "--json"]).succeeded();
    assert_eq!(run.out, "{\"metric\":\"calibration_error\",\"value\":0.6}\n");
    sandbox.write("object.json", object);
    assert_eq!(metric(&["calibration_error", "@object.json", "--json"]).succeeded().out, run.out);
    assert_eq!(
        metric(&["roc_auc", "--predictions", "[1,2]", "--targets", "[1,1]"]).succeeded().out,
        "roc_auc  undefined\n"
    );
    let boxes = "[{\"image_id\":1,\"category_id\":7,\"bbox\":[0,0,9,9],\"score\":0.5}]";
    let run = metric(&["ap_per_class", "--predictions", boxes, "--targets", boxes]).succeeded();
    assert_eq!(run.out, "class 7  1\n");
    let maps = ["--predictions", "[[1,1,0],[0,0,0]]", "--targets", "[[0,1,255],[0,1,0]]", "--ignored", "255"];
    assert_eq!(metric(&[&["hausdorff_95"], &maps[..]].concat()).succeeded().out, "hausdorff_95  0.95\n");
    assert_eq!(metric(&[&["pixel_accuracy"], &maps[..]].concat()).succeeded().out, "pixel_accuracy  0.6\n");
    let scores = "{\"predictions\":[[0.3,0.4,0.1]],\"targets\":[[1,1,0]]}";
    assert_eq!(metric(&["best_threshold", scores]).succeeded().out, "best_threshold  0.2\n");
    assert_eq!(
        metric(&["threshold_gap", scores, "--logits", "--json"]).succeeded().out.trim(),
        "{\"metric\":\"threshold_gap\",\"value\":0.19999999999999996}"
    );
    let empty = "{\"predictions\":[[0,0]],\"targets\":[[0,0]],\"options\":{\"positive\":1,\"absent\":\"one\"}}";
    assert_eq!(metric(&["dice", empty]).succeeded().out, "dice  1\n");
    for row in lossward::metric::all() {
        let out = metric(&[row.name, "--explain"]).succeeded().out;
        assert!(out.contains(row.formula) && out.contains(row.source) && out.contains("range"), "{out}");
    }
    for name in ["confusion_matrix", "reliability", "roc_curve", "pr_curve"] {
        let data = "{\"predictions\":[[0.9,0.1],[0.2,0.8],[0.6,0.4]],\"targets\":[0,1,1]}";
        for (end, magic) in [("svg", "<svg"), ("png", "\u{89}PNG")] {
            let file = format!("{name}.{end}");
            metric(&[name, data, "--figure", &file]).succeeded();
            let bytes = std::fs::read(sandbox.path(&file)).unwrap();
            assert!(bytes.starts_with(&magic.chars().map(|c| c as u8).collect::<Vec<_>>()), "{file}");
        }
    }
}

/// Two scores that differ in their last bit, however they are given.
#[test]
fn scores_are_read_to_the_last_bit() {
    let sandbox = Sandbox::new();
    let data = "{\"predictions\":[0.9493954730932436,0.9493954730932437],\"targets\":[0,1]}";
    sandbox.write("scores.json", data);
    for given in [data, "@scores.json"] {
        let run = sandbox.run(&["metric", "roc_auc", given, "--json"]).succeeded();
        assert_eq!(run.out.trim(), "{\"metric\":\"roc_auc\",\"value\":1.0}");
    }
}

#[test]
fn bad_input_of_a_metric_is_answered_with_its_place() {
    let sandbox = Sandbox::new();
    for (name, predictions, targets, parts) in [
        ("accuracy", "[]", "[]", &["the batch is empty"][..]),
        ("accuracy", "[0, 1]", "[0]", &["2 predictions for 1 targets"]),
        ("accuracy", "[0, 1]", "[0, -2]", &["targets", "entry 1 is -2"]),
        ("accuracy", "[[0.1, 0.9]]", "[2]", &["target 0 is class 2", "0 to 1"]),
        ("accuracy", "[0.5]", "[0]", &["entry 0 is 0.5", "class indices"]),
        ("log_loss", "[[2.5, 0.1]]", "[0]", &["--logits", "prediction [0][0] is 2.5"]),
        ("brier", "[[0.5, 0.4]]", "[0]", &["row 0", "0.9"]),
        ("roc_auc", "[0.5, null]", "[0, 1]", &["predictions", "entry 1 is null"]),
        ("roc_auc", "[0.5, NaN]", "[0, 1]", &["--predictions", "not JSON"]),
        ("rmse", "[[1, 2], [3]]", "[1, 2]", &["predictions", "row 1 has 1 entries, row 0 has 2"]),
        ("rmse", "[1]", "2", &["targets must be a list, not 2"]),
        ("rmse", "[[1, 2]]", "[1, 2]", &["1×2 predictions for 2 targets"]),
        ("rmse", "{\"a\": [1], \"a\": [2]}", "[1]", &["--predictions", "`a` is there twice"]),
        ("dice", "[[0, 1]]", "[[0, 1.5]]", &["targets", "[0][1] is 1.5"]),
        ("dice", "[[0, 1.5]]", "[[0, 1]]", &["image 0, row 0, column 1", "1.5, neither a class nor a probability"]),
        ("dice", "[0.5, 0.5]", "[0, 2]", &["image 0, pixel 1: the true class is 2; the classes are 0 to 1"]),
        ("lesion_recall", "[0, 1]", "[0, 1]", &["flat lists of pixels", "maps [height][width] are needed"]),
        ("threshold_gap", "[[0, 1]]", "[[0, 1]]", &["scores of pixels are needed, and these are class maps"]),
        ("map", "[{\"image_id\": 1}]", "[]", &["predictions", "entry 0", "category_id"]),
        ("map_50", "[]", "3", &["targets", "annotations"]),
        ("acuracy", "[0]", "[0]", &["did you mean `accuracy`"]),
    ] {
        let run = sandbox.run(&["metric", name, "--predictions", predictions, "--targets", targets]);
        run.failed_with(parts);
    }
    let given = ["--predictions", "[0]", "--targets", "[0]"];
    let with = |name: &str, more: &[&str]| sandbox.run(&[&["metric", name], &given[..], more].concat());
    with("f1", &["--options", "{\"averag\": 1}"]).failed_with(&["did you mean `average`"]);
    with("accuracy", &["--logits"]).failed_with(&["logits are for metrics of probabilities and of masks"]);
    with("accuracy", &["--ignored", "1"]).failed_with(&["ignored pixels are for metrics of masks"]);
    with("accuracy", &["--figure", "a.png"]).failed_with(&["accuracy is not drawn", "roc_curve"]);
    with("confusion_matrix", &["--figure", "a.svg", "--classes", "10000"]).failed_with(&["10000 classes; at most 200"]);
    with("accuracy", &["--classes", "10001"]).failed_with(&["10001 classes; the most are 10000"]);
    let images = format!("[{}]", vec!["[[1001, 0]]"; 100].join(","));
    sandbox
        .run(&["metric", "dice", "--predictions", &images, "--targets", &images])
        .failed_with(&["1002 classes of 100 images; the most are 1000"]);
    with("confusion_matrix", &["--figure", "a.gif"]).failed_with(&[".svg or .png"]);
    sandbox.run(&["metric", "f1"]).failed_with(&["--predictions and --targets", "--explain"]);
    sandbox.run(&["metric", "f1", "{\"prediction\": [0]}"]).failed_with(&["did you mean `predictions`"]);
}

#[test]
fn everything_can_be_listed_and_every_verb_has_an_example() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("experiments")).unwrap();
    sandbox.write("experiments/tiny.toml", TINY);
    let listed = [
        ("environments", "CartPole-v1"),
        ("datasets", "digits"),
        ("losses", "cross_entropy"),
        ("metrics", "accuracy"),
        ("layers", "zeros around the image"),
        ("objectives", "preset ppo"),
        ("optimizers", "learning_rate_decay"),
        ("schedules", "a number in [0, 1), default 0.3"),
        ("experiments", "does the smoke rise?"),
    ];
    for (what, expected) in listed {
        let run = sandbox.run(&["list", what]).succeeded();
        assert!(run.out.contains(expected), "{what}: {}", run.out);
    }
    for verb in ["run", "plot", "list", "data", "loss", "metric"] {
        let help = sandbox.run(&[verb, "--help"]).succeeded().out;
        assert!(help.contains("Example") && help.contains(&format!("lossward {verb}")), "{help}");
    }
}

#[test]
fn a_benchmark_is_written_and_compared() {
    let sandbox = Sandbox::new();
    let only = ["bench", "--only", "lossward --version"];
    let run = sandbox.run(&[&only[..], &["--out", "a/bench.json"]].concat()).succeeded();
    assert!(run.out.contains("GFLOP/s") && run.out.contains("start: lossward --version"), "{}", run.out);
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(sandbox.path("a/bench.json")).unwrap()).unwrap();
    assert!(written["machine"]["cores"].as_u64().unwrap() >= 1);
    assert!(written["peaks"].as_array().unwrap().iter().all(|peak| peak["gflops"].as_f64().unwrap() > 0.0));
    assert_eq!(written["rows"][0]["unit"], "ms");
    let run = sandbox.run(&[&only[..], &["--against", "a/bench.json"]].concat()).succeeded();
    assert!(run.out.contains("here / there"), "{}", run.out);
    sandbox.run(&["bench", "--only", "no such"]).failed_with(&["no workload's name contains `no such`", "CartPole-v1"]);
    sandbox.run(&["bench", "--against", "none.json"]).failed_with(&["cannot read", "none.json"]);
    sandbox.write("other.json", "{}");
    sandbox.run(&["bench", "--against", "other.json"]).failed_with(&["other.json", "not a benchmark"]);
}
