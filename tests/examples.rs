//! The examples can be copied out of the repository. Building them there takes minutes where the library isn't built yet, so that the
//! test is left to be asked for: `cargo test --release --test examples -- --ignored`.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Every folder of examples.
fn examples() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(all.len() >= 2, "{all:?}");
    all
}

/// The folder somewhere else, with the library named by its place.
fn copied(example: &Path) -> tempfile::TempDir {
    let (library, there) = (Path::new(env!("CARGO_MANIFEST_DIR")), tempfile::tempdir().unwrap());
    std::fs::create_dir(there.path().join("src")).unwrap();
    for file in std::fs::read_dir(example.join("src")).unwrap().map(|entry| entry.unwrap().path()) {
        std::fs::copy(&file, there.path().join("src").join(file.file_name().unwrap())).unwrap();
    }
    let manifest = std::fs::read_to_string(example.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("path = \"../..\"") && !manifest.contains("workspace = true"), "{manifest}");
    // Built like the library, so that what is built already is used.
    let root = std::fs::read_to_string(library.join("Cargo.toml")).unwrap();
    let profiles = root.split("\n[profile").skip(1).map(|table| format!("\n[profile{table}"));
    let manifest = manifest.replace("../..", library.to_str().unwrap());
    std::fs::write(there.path().join("Cargo.toml"), manifest + &profiles.collect::<String>()).unwrap();
    std::fs::copy(library.join("Cargo.lock"), there.path().join("Cargo.lock")).unwrap();
    there
}

fn cargo(folder: &Path, arguments: &[&str]) {
    let target = Path::new(env!("CARGO_BIN_EXE_lossward")).ancestors().nth(2).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_copy_is_a_crate_of_its_own() {
    for example in examples() {
        cargo(copied(&example).path(), &["metadata", "--format-version", "1", "--quiet", "--offline", "--no-deps"]);
    }
}

#[test]
#[ignore = "builds the library if `cargo build --release` has not"]
fn a_copy_builds() {
    for example in examples() {
        cargo(copied(&example).path(), &["build", "--release", "--quiet", "--offline"]);
    }
}
