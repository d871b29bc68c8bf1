//! Inputs that once went wrong without a word, with what is right.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;

/// A sandbox with the files of tests/faults.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, sandbox.path(path.file_name().unwrap().to_str().unwrap())).unwrap();
    }
    sandbox
}

/// The final value of a metric of the first arm.
fn final_value(sandbox: &Sandbox, out: &str, metric: &str) -> f64 {
    let summary = std::fs::read_to_string(sandbox.path(&format!("{out}/summary.json"))).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    summary["arms"][0]["final"][metric]["point"].as_f64().unwrap()
}

/// The column has no information: what is left predicts the mean, which loses to that of three held-out rows (y = 2, 4, 6 over a training
/// mean of 3.5 would be −0.375), and not by thirty orders of magnitude.
#[test]
fn a_constant_column_is_0_everywhere() {
    let sandbox = sandbox();
    let run = sandbox.run(&["run", "const_min.toml", "--out", "out"]).succeeded();
    assert!(run.err.contains("column `same` is 0.1 in every row to train on"), "{}", run.err);
    let r2 = final_value(&sandbox, "out", "r2");
    assert!((-1.0..=1.0).contains(&r2), "{r2}");
    let data = sandbox.run(&["data", "const_min.toml"]);
    assert!(data.out.contains("column `same` is 0.1 in every row"), "{}", data.out);
}

/// "01" in the file to train on, where there are letters, too, and "01" in the held-out one, where there are none.
#[test]
fn categories_stay_as_they_are_written() {
    let sandbox = sandbox();
    sandbox.run(&["run", "grades.toml", "--out", "out"]).succeeded();
    let (held_out, train) = (final_value(&sandbox, "out", "r2"), final_value(&sandbox, "out", "train_r2"));
    assert!(held_out > 0.9 && train > 0.9, "{held_out} held out, {train} in training");
    let data = sandbox.run(&["data", "zip_one_file.toml"]).succeeded();
    assert!(data.out.contains("00501") && data.out.contains("2 categories"), "{}", data.out);
    let classes = sandbox.run(&["data", "zip_one_file.toml", "--json"]);
    let classes: serde_json::Value = serde_json::from_str(&classes.out).unwrap();
    let names: Vec<&str> =
        classes["columns"][0]["categories"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["00501", "501"]);
}

#[test]
fn numbers_written_another_way_are_told_and_read_when_it_is_said_how() {
    let sandbox = sandbox();
    for (file, place, option) in [
        ("thousands_target", "row 1, column `price`: `1,100` looks like a number", "task.dataset.thousands=,"),
        ("decimal_comma_quoted", "row 1, column `area`: `0,5` looks like a number", "task.dataset.decimal=,"),
    ] {
        let toml = format!("{file}.toml");
        let run = sandbox.run(&["run", &toml, "--out", "out", "--force"]);
        let key = option.split(['.', '=']).nth(2).unwrap();
        run.failed_with(&[place, &format!("`{key} = \",\"` in `dataset`")]);
        let text = std::fs::read_to_string(sandbox.path(&toml)).unwrap();
        sandbox.write("read.toml", &text.replace("target =", &format!("{key} = \",\", target =")));
        sandbox.run(&["run", "read.toml", "--out", "out", "--force"]).succeeded();
    }
    let table = |entries: &[&str]| {
        entries.iter().enumerate().fold("x,y\n".to_string(), |text, (i, entry)| format!("{text}\"{entry}\",{i}\n"))
    };
    for (entries, said) in [
        (["45 %", "50 %", "5 %", "7 %", "8 %"], "`45 %` looks like a percentage"),
        (["1_000", "2_000", "3_000", "4", "5"], "`1_000` looks like a number: `thousands = \"_\"`"),
        (["2024-01-31", "2024-02-01", "2024-02-02", "2024-02-03", "2024-02-04"], "looks like a date"),
        (["$5", "$6", "$7", "$8", "$9"], "looks like an amount of money"),
        (["1", "2", "3", "4", "N/A"], "if it says that the entry is missing: `missing_values = [\"N/A\"]`"),
        (["1", "2", "3", "1e200", "5"], "1e200 is too large to be learned from"),
        (["1", "2", "3", "4", "-1e308"], "-1e308 is too large to be learned from"),
    ] {
        sandbox.write("table.csv", &table(&entries));
        for column in ["x", "y"] {
            let other = if column == "x" { "y" } else { "x" };
            let text = std::fs::read_to_string(sandbox.path("thousands_target.toml")).unwrap();
            sandbox.write("table.toml", &text.replace("thousands_target.csv", "table.csv").replace("price", other));
            let run = sandbox.run(&["run", "table.toml", "--out", "out", "--force"]);
            run.failed_with(&[said, "column `x`"]);
        }
        sandbox.run(&["data", "table.csv"]).succeeded();
        sandbox.run(&["data", "table.csv", "--figure", "table.png"]).succeeded();
    }
}

#[test]
fn tables_that_are_saved_badly_are_told() {
    let sandbox = sandbox();
    for (file, said) in [
        ("duplicate_space", "two columns are called `a`"),
        ("latin1_header", "save the table as UTF-8"),
        ("trailing_comma", "its header ends with a comma"),
    ] {
        let run = sandbox.run(&["run", &format!("{file}.toml"), "--out", "out"]);
        run.failed_with(&[said]);
        assert!(sandbox.run(&["data", &format!("{file}.csv")]).err.contains(said));
    }
    let boxes = sandbox.run(&["data", "box_wide.csv"]);
    boxes.failed_with(&["row 1, column `x1`: 1e200 is too large"]);
}

/// Sentences about what is no fault, but may be a misunderstanding.
#[test]
fn what_looks_like_something_else_is_told() {
    let sandbox = sandbox();
    let rows = |of: &dyn Fn(usize) -> String| (0..20).map(of).collect::<String>();
    sandbox.write(
        "ids.csv",
        &format!("id,color,y\n{}", rows(&|i| format!("{},{},{}\n", 100 + i, ["red", "None"][i % 2], i % 2))),
    );
    let text = std::fs::read_to_string(sandbox.path("zip_one_file.toml")).unwrap();
    let text = text.replace("zip_one_file.csv", "ids.csv").replace(", categorical = [\"zip\"]", "");
    sandbox.write("ids.toml", &text);
    for run in [
        sandbox.run(&["run", "ids.toml", "--out", "out"]),
        sandbox.run(&["data", "ids.toml"]),
        sandbox.run(&["data", "ids.csv"]),
    ] {
        let run = run.succeeded();
        let said = format!("{}{}", run.out, run.err);
        assert!(said.contains("`id` is a whole number that differs in every row"), "{said}");
        assert!(said.contains("the category `None`; if it says that the entry is missing"), "{said}");
    }
    sandbox.write("classes.toml", &text.replace("\"mse\"", "\"cross_entropy\"").replace("\"r2\"", "\"accuracy\""));
    let run = sandbox.run(&["run", "classes.toml", "--out", "classes"]);
    run.failed_with(&["if its target holds classes, say so: `kind = \"classification\"`"]);
}

/// Class 2 of 0 to 3 never occurs.
#[test]
fn labels_with_gaps_are_told() {
    let sandbox = sandbox();
    let labels = [0u8, 1, 3, 0, 1, 3, 0, 1, 3, 0];
    std::fs::write(sandbox.path("labels"), [&[0, 0, 8, 1, 0, 0, 0, 10][..], &labels].concat()).unwrap();
    let pixels: Vec<u8> = (0..40).map(|i| i * 5).collect();
    std::fs::write(sandbox.path("images"), [&[0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 2][..], &pixels].concat())
        .unwrap();
    let text = std::fs::read_to_string(sandbox.path("zip_one_file.toml")).unwrap();
    let dataset = text.lines().find(|line| line.starts_with("dataset")).unwrap();
    let text = text.replace(dataset, "dataset = { images = \"images\", labels = \"labels\" }");
    sandbox.write("gaps.toml", &text.replace("\"mse\"", "\"cross_entropy\"").replace("\"r2\"", "\"accuracy\""));
    let run = sandbox.run(&["run", "gaps.toml", "--out", "out"]).succeeded();
    assert!(run.err.contains("of the classes from 0 to 3, no label to train on is 2"), "{}", run.err);
    let data = sandbox.run(&["data", "labels"]);
    assert!(data.out.contains("of the classes from 0 to 3, no label is 2"), "{}", data.out);
}

/// The third class stands in the rows to train on alone, so that it is neither there nor predicted where the classifier is judged.
#[test]
fn a_class_that_does_not_occur_is_left_out_of_means() {
    let sandbox = sandbox();
    let with = |metrics: &str, out: &str| {
        sandbox.run(&["run", "absent.toml", "--out", out, &format!("evaluation.metrics={metrics}")]).succeeded();
    };
    with(r#"["f1", "precision", "recall", "average_precision", "accuracy", "balanced_accuracy"]"#, "defaults");
    for metric in ["f1", "precision", "recall", "average_precision", "accuracy", "balanced_accuracy"] {
        assert_eq!(final_value(&sandbox, "defaults", metric), 1.0, "{metric}");
    }
    with(r#"[{ f1 = { absent = "zero" } }, { f1 = { absent = "one" } }, { f1 = { average = "micro" } }]"#, "options");
    assert_eq!(final_value(&sandbox, "options", "f1(absent=zero)"), 2.0 / 3.0);
    assert_eq!(final_value(&sandbox, "options", "f1(absent=one)"), 1.0);
    assert_eq!(final_value(&sandbox, "options", "f1(average=micro)"), 1.0);
}
