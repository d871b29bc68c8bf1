//! What README, CONTRIBUTING and docs/ say runs: every TOML block resolves, every command works, every line of Rust stands in the file that its block
//! names, every link leads somewhere. Blocks of Python are run in tests/weights.rs.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;
use lossward::experiment::Experiment;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages by their paths from the repository's root.
fn pages() -> Vec<(String, String)> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let all = docs.chain(["README.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
    let name = |path: &PathBuf| path.strip_prefix(root()).unwrap().display().to_string();
    all.map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

/// The blocks of one language, with the page that each stands in.
fn blocks(language: &str) -> Vec<(String, String)> {
    let fence = format!("```{language}\n");
    let of = |(name, text): (String, String)| {
        let blocks = text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_string());
        blocks.map(|block| (name.clone(), block)).collect::<Vec<_>>()
    };
    pages().into_iter().flat_map(of).collect()
}

/// What the pages take to be there: own data, a teacher's weights, JSON of a metric.
fn furnished() -> Sandbox {
    let sandbox = Sandbox::new();
    let house = |i: usize| format!("{i},{},{},{}\n", 50 + 7 * i % 90, 1000 + i % 4, 100_000 + 1000 * i);
    let houses: String = (0..40).map(house).collect();
    sandbox.write("houses.csv", &format!("id,area,zip,price\n{houses}"));
    let idx = |kind: &[u8], content: Vec<u8>| [kind, &content].concat();
    for (name, rows) in [("train", 20u8), ("t10k", 10)] {
        let images = idx(&[0, 0, 8, 3, 0, 0, 0, rows, 0, 0, 0, 2, 0, 0, 0, 2], (0..4 * rows).collect());
        let labels = idx(&[0, 0, 8, 1, 0, 0, 0, rows], (0..rows).map(|i| i % 2).collect());
        std::fs::write(sandbox.path(&format!("{name}-images-idx3-ubyte.gz")), images).unwrap();
        std::fs::write(sandbox.path(&format!("{name}-labels-idx1-ubyte.gz")), labels).unwrap();
    }
    sandbox.write("chosen.json", "[0,1,1,2]");
    sandbox.write("labels.json", "[0,1,2,2]");
    std::fs::create_dir(sandbox.path("experiments")).unwrap();
    let experiment = root().join("experiments/digits.toml");
    std::fs::copy(experiment, sandbox.path("experiments/digits.toml")).unwrap();
    sandbox
}

/// An experiment around the tables of a block, which has less than one needs.
fn completed(block: &str) -> String {
    let has = |key: &str| block.lines().any(|line| line.trim_start_matches('[').starts_with(key));
    let mut before = String::new();
    let mut after = String::new();
    if !has("budget") {
        before += "budget.examples = 1000\n";
    }
    if !has("task") {
        before += "task.dataset = \"digits\"\n";
    }
    if block.contains("train_rows = 200") {
        // Of a table that is as large as the text takes it to be.
        return completed(
            &block.replace("train_rows = 200", "train_rows = 20").replace("imbalance = {", "# imbalance = {"),
        );
    }
    if !block.contains("[[arm]]") {
        let objective = match (block.contains("env = "), block.contains("houses.csv")) {
            (true, _) => "{ kind = \"policy_gradient\", preset = \"reinforce\" }",
            (_, true) => "{ kind = \"supervised\", loss = \"mse\" }",
            _ => "{ kind = \"supervised\", loss = \"cross_entropy\" }",
        };
        after += &format!("\n[[arm]]\nname = \"added\"\nobjective = {objective}\n");
    }
    if block.contains("arm = \"teacher\"") {
        let objective = "{ kind = \"supervised\", loss = \"cross_entropy\" }";
        after += &format!("\n[[arm]]\nname = \"teacher\"\nobjective = {objective}\nnetwork = {{ dropout = 0.1 }}\n");
    }
    format!("{before}{block}{after}")
}

#[test]
fn every_experiment_resolves() {
    let sandbox = furnished();
    let blocks = blocks("toml");
    assert!(blocks.len() >= 8, "{} blocks", blocks.len());
    for (page, block) in blocks {
        // `lossward env new Walk` has not been run here.
        let block = block.replace("Custom/Walk-v0", "CartPole-v1");
        let file = sandbox.write("page.toml", &completed(&block));
        Experiment::load(&file, &[]).unwrap_or_else(|error| panic!("{page}: {error}\n{block}"));
    }
}

/// Words of a command as a shell takes them: quotes hold words together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, '#') if words.last().is_some_and(String::is_empty) => break,
            (None, '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => words.push(String::new()),
            (Some(open), c) if c == open => quote = None,
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Commands whose work is too long for a test, or that another one does: the tests themselves, a registered environment (tests/environments.rs plays
/// a file that `env new` writes), and measuring.
fn is_elsewhere(words: &[&str]) -> bool {
    matches!(words, ["cargo", "test" | "install", ..] | ["tools/same_rows", ..] | ["lossward", "bench", ..])
        || words.contains(&"Custom/Walk-v0")
        || words.starts_with(&["lossward", "env", "new"])
}

#[test]
fn every_command_works() {
    let sandbox = furnished();
    let table = pages().into_iter().flat_map(|(page, text)| {
        let cells = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(String::from));
        cells.filter(|cell| cell.starts_with("lossward ")).map(|cell| (page.clone(), cell)).collect::<Vec<_>>()
    });
    let lines = blocks("sh")
        .into_iter()
        .flat_map(|(page, block)| block.lines().map(|line| (page.clone(), line.to_string())).collect::<Vec<_>>());
    let mut run = 0;
    for (page, line) in lines.chain(table) {
        let line = line.replace("cargo run --release -- ", "lossward ");
        let line = line.replace("FILE [key=value …]", "experiments/digits.toml").replace("NAME", "f1");
        let mut words = words(&line);
        let here: Vec<&str> = words.iter().map(String::as_str).collect();
        if here.is_empty() || is_elsewhere(&here) || matches!(here[..], ["lossward", "loss" | "metric"]) {
            continue;
        }
        assert_eq!(words.remove(0), "lossward", "{page}: `{line}` is run by no test");
        if words[0] == "run" {
            words.extend(["budget.examples=1000", "--force", "--out", "shortened"].map(String::from));
            words.retain(|word| word != "first");
            let first = words.iter().position(|word| word == "--out").unwrap();
            if words.iter().filter(|word| *word == "--out").count() == 2 {
                words.remove(first);
            }
            if !words.contains(&"--seeds".to_string()) {
                words.extend(["--seeds", "1"].map(String::from));
            }
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let shortened = ["plot", "shortened"];
        let words = if words[0] == "plot" { &shortened[..] } else { &words[..] };
        if words[0] == "plot" {
            let run = [
                "run",
                "experiments/digits.toml",
                "budget.examples=1000",
                "--seeds",
                "1",
                "--force",
                "--out",
                "shortened",
            ];
            sandbox.run(&run).succeeded();
        }
        let done = sandbox.run(words);
        assert_eq!(done.status, Some(0), "{page}: `{line}`: {}", done.err);
        run += 1;
    }
    assert!(run >= 15, "{run} commands");
}

#[test]
fn every_line_of_rust_stands_in_its_file() {
    let blocks = blocks("rust");
    assert!(blocks.len() >= 8, "{} blocks", blocks.len());
    for (page, block) in blocks {
        let (file, lines) = block.split_once('\n').unwrap();
        let file = file.strip_prefix("// ").unwrap_or_else(|| panic!("{page}: a block of Rust begins with its file"));
        let code = std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{page}: {file}: {error}"));
        let code: Vec<&str> = code.lines().map(str::trim).collect();
        let mut from = 0;
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let found = code[from..].iter().position(|other| *other == line);
            from += found.unwrap_or_else(|| panic!("{page}: `{line}` does not stand (there) in {file}"));
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    for (page, text) in pages() {
        let folder = root().join(&page).parent().unwrap().to_path_buf();
        // Code may have brackets and parentheses, too.
        let text: String = text.split("```").step_by(2).collect();
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let file = target.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") || !file.contains(['/', '.']) {
                continue;
            }
            assert!(folder.join(file).exists(), "{page} links to {target}");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen} links");
}

/// Short enough to be read.
/// The lists that are written by hand have what the tables have.
#[test]
fn every_name_of_a_table_stands_in_its_document() {
    let sandbox = Sandbox::new();
    let tables = [
        ("losses", "objectives.md"),
        ("layers", "guide.md"),
        ("optimizers", "guide.md"),
        ("objectives", "guide.md"),
        ("datasets", "guide.md"),
        ("datasets", "datasets.md"),
    ];
    for (table, document) in tables {
        let text = std::fs::read_to_string(root().join("docs").join(document)).unwrap();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let listed = sandbox.run(&["list", table]).succeeded().out;
        let name = |line: &str| {
            let line = line.strip_prefix("  preset ").unwrap_or(line);
            line.split_whitespace().next().filter(|name| line.starts_with(name)).map(str::to_string)
        };
        let names: Vec<String> = listed.lines().filter_map(name).collect();
        assert!(names.len() > 1, "{listed}");
        let missing: Vec<_> = names.iter().filter(|name| !words.contains(&name.as_str())).collect();
        assert!(missing.is_empty(), "docs/{document} lacks {missing:?} of `lossward list {table}`");
    }
}

#[test]
fn the_readme_is_short() {
    let words = std::fs::read_to_string(root().join("README.md")).unwrap().split_whitespace().count();
    assert!(words < 1_500, "{words} words");
}
