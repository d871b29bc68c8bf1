//! The folder can be copied out of the repository. Building it there takes minutes where the library isn't built yet, so that the
//! test is left to be asked for: `cargo test --release -p corridor -- --ignored`.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

/// The folder somewhere else, with the library named by its place.
fn copied() -> tempfile::TempDir {
    let (here, there) = (Path::new(env!("CARGO_MANIFEST_DIR")), tempfile::tempdir().unwrap());
    std::fs::create_dir(there.path().join("src")).unwrap();
    for file in ["src/main.rs", "src/corridor.rs"] {
        std::fs::copy(here.join(file), there.path().join(file)).unwrap();
    }
    let library = here.join("../..").canonicalize().unwrap();
    let manifest = std::fs::read_to_string(here.join("Cargo.toml")).unwrap();
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
    let target = Path::new(env!("CARGO_BIN_EXE_corridor")).ancestors().nth(2).unwrap();
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
    cargo(copied().path(), &["metadata", "--format-version", "1", "--quiet", "--offline", "--no-deps"]);
}

#[test]
#[ignore = "builds the library if `cargo build --release` has not"]
fn a_copy_builds() {
    cargo(copied().path(), &["build", "--release", "--quiet", "--offline"]);
}
