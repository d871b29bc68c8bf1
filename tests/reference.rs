//! Reference cases recorded from other packages.
//!
//! Runs every case of the folder named by `LOSSWARD_REFERENCE` (by default tests/reference; its format is described in
//! tests/reference/FORMAT.md), fails on a group or a field that it doesn't know, and prints how many cases of each group ran.

#![allow(clippy::unwrap_used)]

mod reference_groups;

use reference_groups::{Case, GROUPS};
use std::io::Write;
use std::path::{Path, PathBuf};

#[test]
fn every_reference_case_agrees() {
    let folder = std::env::var_os("LOSSWARD_REFERENCE").map_or_else(|| "tests/reference".into(), PathBuf::from);
    let mut failures = Vec::new();
    let mut groups = Vec::new();
    for file in json_files(&folder) {
        let group = file.strip_prefix(&folder).unwrap().with_extension("").to_string_lossy().replace('\\', "/");
        let Some((_, run)) = GROUPS.iter().find(|(name, _)| *name == group) else {
            failures.push(format!("{group}: no test knows this group"));
            continue;
        };
        let cases = read_cases(&file);
        // Not `println!`, which the test runner swallows.
        writeln!(std::io::stderr(), "{group}: {} cases", cases.len()).unwrap();
        assert!(!cases.is_empty(), "{group} has no case");
        groups.push(group.clone());
        for case in cases {
            let name = format!("{group}/{}", case.name);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                run(&case);
                case.assert_all_fields_used();
            }));
            if let Err(panic) = outcome {
                let text = panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "see above".into());
                failures.push(format!("{name}: {text}"));
            }
        }
    }
    assert!(!groups.is_empty(), "no reference cases in {}", folder.display());
    if folder == Path::new("tests/reference") {
        let absent: Vec<_> = GROUPS.iter().filter(|(name, _)| !groups.iter().any(|group| group == name)).collect();
        let absent: Vec<&str> = absent.iter().map(|(name, _)| *name).collect();
        assert!(absent.is_empty(), "no case is there any more of {absent:?}");
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<PathBuf>>()
    };
    let folders = list(folder).into_iter().filter(|path| path.is_dir());
    let mut files: Vec<PathBuf> = folders.flat_map(|folder| list(&folder)).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

fn read_cases(file: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(file).unwrap();
    let group = file.file_stem().unwrap().to_string_lossy();
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    parsed["cases"].as_array().expect("`cases` is a list").iter().map(|case| Case::new(&group, case)).collect()
}
