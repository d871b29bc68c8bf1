//! The folder can be copied out of the repository. It is built from scratch there, so that the test is left to be asked for:
//! `cargo test --release -p corridor -- --ignored`.

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
    std::fs::write(there.path().join("Cargo.toml"), manifest.replace("../..", library.to_str().unwrap())).unwrap();
    std::fs::copy(library.join("Cargo.lock"), there.path().join("Cargo.lock")).unwrap();
    there
}

fn cargo(folder: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_copy_is_a_crate_of_its_own() {
    cargo(copied().path(), &["metadata", "--format-version", "1", "--quiet", "--offline", "--no-deps"]);
}

#[test]
#[ignore = "builds everything once more, which takes minutes"]
fn a_copy_builds() {
    cargo(copied().path(), &["build", "--quiet", "--offline"]);
}
