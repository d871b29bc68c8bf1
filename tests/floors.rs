//! The order of the modules: each knows those beneath it, and none above. What a file uses is read off its `crate::` paths.
//! And that every public type has a name of its own, and no file is long.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// From the ground up; modules of one floor don't know one another. The environments are a crate of their own, and know none of these.
const FLOORS: &[&[&str]] = &[
    &["error", "visible", "file_path", "patience", "disk", "parallel", "rows", "numbers", "aligned", "checks"],
    &["kernel"],
    &["distribution"],
    &["metric", "surrogate"],
    &["loss", "data", "network"],
    &["optimizer", "rollout", "detection"],
    &["task"],
    &["objective"],
    &["regularizer", "record"],
    &["microscope"],
    &["experiment"],
    &["diagnosis", "card"],
    &["train"],
    &["trial"],
    &["laboratory"],
    &["benchmark", "report"],
    &["cli"],
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false if path.extension().is_some_and(|ending| ending == "rs") => vec![path],
            false => Vec::new(),
        })
        .collect()
}

/// The code of a file without comments and without what only tests see.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The first names behind every `crate::` of a text, each of `crate::{a::b, c}` too.
fn used(code: &str) -> BTreeSet<String> {
    let name = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for c in list.chars() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.insert(name(&std::mem::take(&mut item)));
                    continue;
                }
                _ => {}
            }
            item.push(c);
        }
        found.insert(name(&item));
    }
    found
}

/// Nothing of a text that is a floor or stands above it.
fn arrows_up(module: &str, code: &str) -> Vec<String> {
    let floor = |module: &str| FLOORS.iter().position(|floor| floor.contains(&module));
    let own = floor(module);
    let up = |other: &String| other != module && floor(other).is_some_and(|other| Some(other) >= own);
    used(code).into_iter().filter(up).collect()
}

#[test]
fn no_arrow_runs_up_the_floors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for file in rust_files(&root) {
        let inside = file.strip_prefix(&root).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = first.trim_end_matches(".rs").to_string();
        let only_tests = ["tests.rs", "testing.rs", "table_test.rs", "identities.rs"];
        if ["lib", "main"].contains(&module.as_str()) || only_tests.iter().any(|name| file.ends_with(name)) {
            continue;
        }
        let code = code(&std::fs::read_to_string(&file).unwrap());
        let arrows = arrows_up(&module, &code);
        wrong.extend(arrows.iter().map(|other| format!("{} uses `{other}`", inside.display())));
        seen.insert(module);
    }
    assert!(wrong.is_empty(), "up the floors: {wrong:#?}");
    let known: BTreeSet<String> = FLOORS.iter().flat_map(|floor| floor.iter().map(|name| name.to_string())).collect();
    assert_eq!(seen, known, "every module has its floor");
}

#[test]
fn an_arrow_is_seen_however_it_is_written() {
    let up = |text: &str| arrows_up("kernel", &code(text));
    assert_eq!(up("use crate::report::Report;"), ["report"]);
    assert_eq!(up("use crate::{Error, data::{Scale, boxes}, stream,\n    cli::run};"), ["cli", "data"]);
    assert_eq!(up("let x = crate::task::four_decimals(1.0);"), ["task"]);
    assert!(up("use crate::{Error, Result};\nuse super::buffer; // crate::report\n").is_empty());
    assert!(up("#[cfg(test)]\nmod tests {\n    use crate::data;\n}").is_empty());
    assert_eq!(arrows_up("loss", "use crate::network::Network;"), ["network"], "not on one floor either");
}

#[test]
fn every_public_type_has_its_own_name_and_no_file_is_long() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [root.join("src"), root.join("envs")].iter().flat_map(|root| rust_files(root)).collect::<Vec<_>>();
    let (mut homes, mut wrong) = (BTreeMap::new(), Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        if lines > 400 {
            wrong.push(format!("{} has {lines} lines", file.display()));
        }
        let public = text.lines().filter_map(|line| line.strip_prefix("pub "));
        let types =
            public.filter_map(|rest| ["struct ", "enum ", "trait "].iter().find_map(|kind| rest.strip_prefix(kind)));
        for name in types.map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_string()) {
            let of_a_verb = name == "Arguments" && file.starts_with(root.join("src/cli"));
            if let (false, Some(other)) = (of_a_verb, homes.insert(name.clone(), file.clone())) {
                wrong.push(format!("`{name}` in {} and in {}", other.display(), file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(homes.len() > 100, "types are found");
}
