//! `report.html`: whole, small, escaped, and alive in a browser.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::Sandbox;
use common::records::{experiment_of, write_results};
use lossward::record::TrialOutcome;
use lossward::report::{Report, Summary};
use std::path::Path;
use std::process::Command;

fn finished(warnings: &[&str]) -> Option<TrialOutcome> {
    Some(TrialOutcome::Finished { seconds: 3.0, warnings: warnings.iter().map(|text| text.to_string()).collect() })
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("arm number {i}")).collect()
}

fn page(results: &Path) -> String {
    let report = Report::read(results).unwrap();
    report.write(&Summary::of(&report).unwrap(), results).unwrap();
    std::fs::read_to_string(results.join("report.html")).unwrap()
}

#[test]
fn one_file_says_everything_and_loads_nothing() {
    let sandbox = Sandbox::new();
    let results = write_results(&sandbox, &experiment_of(&names(3), 4), 60, |_, _| finished(&[]));
    let html = page(&results);
    for said in [
        "Which arm is which?",
        "<h2>Answer</h2>",
        "examples to accuracy, held out 0.5",
        "Performance profile",
        "Probability of improvement",
        "Spearman",
        "gradient norm",
        "n = 4",
        "were not recorded",
        "lossward run experiment.toml",
        "hidden = [16]",
    ] {
        assert!(html.contains(said), "no `{said}`");
    }
    let before_scripts = html.split("<script").next().unwrap();
    assert!(before_scripts.contains("<path class=\"line a2 d0\" d=\"M"), "curves for readers without scripts");
    for loading in ["src=\"", "@import", "url(", "<link", "<img"] {
        assert!(!html.contains(loading), "`{loading}` would load something");
    }
    assert!(!html.contains(sandbox.path("").to_str().unwrap()), "a path of this machine");
    assert_eq!(html, page(&results), "the same records give the same bytes");
    let first =
        common::files(&results).into_iter().map(|(path, _)| path).find(|path| path.ends_with("outcome.json")).unwrap();
    let outcome = std::fs::read_to_string(&first).unwrap();
    let provenance = "\"provenance\": {\"lossward\": \"0.0.7\", \"candle\": \"0.1.2\", \"machine\": {\"processor\": \"A <fast> one\", \"cores\": 3, \
         \"vectors\": \"AVX\", \"memory_gib\": 7.0, \"system\": \"linux x86_64\"}}";
    std::fs::write(first, outcome.replacen('{', &format!("{{{provenance},"), 1)).unwrap();
    let html = page(&results);
    assert!(html.contains("A &lt;fast&gt; one, 3 cores") && html.contains("lossward 0.0.7, candle 0.1.2"));
}

#[test]
fn names_from_files_stay_text() {
    let sandbox = Sandbox::new();
    let arms = ["<b>&\"x", "</script><script>alert(1)</script>"].map(String::from);
    let warning = "<i>slanted</i>";
    let results = write_results(&sandbox, &experiment_of(&arms, 2), 20, |_, _| finished(&[warning]));
    let html = page(&results);
    assert!(html.contains("&lt;b&gt;&amp;&quot;x"), "escaped as text");
    for raw in ["<b>&\"x", "<script>alert", warning] {
        assert!(!html.contains(raw), "`{raw}` is markup");
    }
    assert_eq!(html.matches("</script>").count(), 2, "the data's and the script's own ends");
}

#[test]
fn failures_are_reported_with_seeds_and_reasons() {
    let sandbox = Sandbox::new();
    let failed = || Some(TrialOutcome::Failed { reason: "update 7 (700 examples): the loss is NaN".into() });
    let some = write_results(&sandbox, &experiment_of(&names(2), 4), 30, |arm, seed| match (arm, seed) {
        (1, 0 | 2) => failed(),
        (1, 3) => None,
        (0, 1) => finished(&["half of it was noise"]),
        _ => finished(&[]),
    });
    let html = page(&some);
    for said in [
        "Of 8 trials, 2 failed, 1 did not run to the end, 1 ended with a warning",
        "<td>0, 2</td><td><span class=\"tag failed\">failed</span></td>",
        "update 7 (700 examples): the loss is NaN",
        "<td>3</td><td><span class=\"tag missing\">",
        "half of it was noise",
        "n = 1 to 4",
    ] {
        assert!(html.contains(said), "no `{said}`");
    }
    let sandbox = Sandbox::new();
    let none = write_results(&sandbox, &experiment_of(&names(2), 3), 30, |_, _| failed());
    let html = page(&none);
    assert!(html.contains("No trial has finished yet") && html.contains("<td>0, 1, 2</td>"));
}

/// Twenty arms, ten seeds, five hundred rows.
#[test]
fn a_large_experiment_stays_below_three_megabytes() {
    let sandbox = Sandbox::new();
    let results = write_results(&sandbox, &experiment_of(&names(20), 10), 500, |_, _| finished(&[]));
    let html = page(&results);
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert!(html.contains("arm number 19"));
}

/// A browser that can say what it made of a page; nothing where none is installed.
fn browser() -> Option<&'static str> {
    let known = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let works = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let found = known.into_iter().find(works);
    if found.is_none() {
        assert!(
            std::env::var_os("LOSSWARD_NEEDS_BROWSER").is_none(),
            "none of {} is installed, and LOSSWARD_NEEDS_BROWSER asks for one",
            known.join(", ")
        );
        eprintln!("skipped: none of {} is installed, so nobody looked at the page", known.join(", "));
    }
    found
}

/// Catches what goes wrong before anything else runs.
const CATCH: &str = "<script>const wrong = []; addEventListener('error', event => wrong.push(event.message)); \
                     console.error = (...texts) => wrong.push(texts.join(' '));</script>";

/// A window of any width around the page: that of a browser has a least one. Shows what it is told.
const WINDOW: &str = "<!doctype html><iframe src=\"copy.html\" style=\"width: WIDTHpx; height: 900px; border: 0\"></iframe>\
                      <pre id=\"seen\"></pre><script>addEventListener('message', event => {\
                      document.getElementById('seen').textContent = event.data; });</script>";

/// Opens a copy of the page in which a script acts as a reader would, and returns what it has seen.
fn seen_by_a_reader(browser: &str, sandbox: &Sandbox, html: &str, width: u32) -> serde_json::Value {
    let acts = include_str!("common/reader.js");
    let html = html.replacen("<head>", &format!("<head>{CATCH}"), 1);
    let html = html.replacen("</body>", &format!("<script>{acts}</script></body>"), 1);
    sandbox.write("copy.html", &html);
    let file = sandbox.write("window.html", &WINDOW.replace("WIDTH", &width.to_string()));
    let profile = sandbox.path("profile");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"])
        .arg("--virtual-time-budget=5000")
        .arg("--window-size=1400,1000")
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let said = dom.split("<pre id=\"seen\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    let said = said.filter(|said| !said.is_empty());
    let said = said.unwrap_or_else(|| panic!("nothing seen: {}", String::from_utf8_lossy(&output.stderr)));
    let text = said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_reader_hides_an_arm_changes_the_axis_and_reads_a_point() {
    let Some(browser) = browser() else { return };
    let sandbox = Sandbox::new();
    let arms = ["cross-entropy", "<b>&\"x", "REINFORCE with a rather long name that goes on"].map(String::from);
    let results = write_results(&sandbox, &experiment_of(&arms, 4), 60, |_, _| finished(&["slow"]));
    let html = page(&results);
    for width in [375, 1280] {
        let seen = seen_by_a_reader(browser, &sandbox, &html, width);
        assert_eq!(seen["wrong"].as_array().map(Vec::len), Some(0), "{seen:#}");
        assert_eq!(seen["width"], width, "{seen:#}");
        assert!(seen["overflow"].as_i64().unwrap() <= 0, "wider than the window: {seen:#}");
        assert_eq!(seen["redrawn"], true, "the script draws what stood there before: {seen:#}");
        assert_eq!(seen["lines"], serde_json::json!([3, 2, 3]), "with all arms, without one, with all: {seen:#}");
        assert_eq!(seen["pressed"], serde_json::json!(["true", "false", "true"]), "{seen:#}");
        assert_eq!(seen["strips"], serde_json::json!([false, true, false]), "hidden in every figure: {seen:#}");
        assert_eq!(seen["axes"], serde_json::json!(["labelled rows", "seconds"]), "{seen:#}");
        assert_ne!(seen["ticks"][0], seen["ticks"][1], "{seen:#}");
        let tip = seen["tip"].as_str().unwrap();
        assert!(tip.contains("seconds") && tip.contains("cross-entropy") && tip.contains("<b>&\"x"), "{tip}");
        assert!(tip.contains('[') && tip.contains(']'), "with its interval: {tip}");
        assert!(seen["by_key"][0] != seen["by_key"][1] && seen["escaped"] == true, "{seen:#}");
        assert_eq!(seen["sorted"], true, "{seen:#}");
        assert_ne!(seen["papers"][0], seen["papers"][1], "light and dark: {seen:#}");
    }
}
