//! Records that are not whole are never believed, and processes share a folder.

#![allow(unsafe_code, clippy::unwrap_used)]

#[path = "common/counting.rs"]
mod counting;

mod common;

use common::{Run, Sandbox, TINY, files};
use counting::most_bytes;
use lossward::record::{Rows, Status, TrialFolder, TrialOutcome};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence::WithSource;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// Rows without their seconds, and weights, by the folder of the trial and the name of the file.
fn trained(results: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let is_trained =
        |path: &Path| path.ends_with("rows.csv") || path.extension().is_some_and(|ending| ending == "safetensors");
    let without_seconds = |content: Vec<u8>| {
        let text = String::from_utf8(content).unwrap();
        let cut = |line: &str| {
            line.split(',').enumerate().filter(|(i, _)| *i != 3).map(|(_, cell)| cell).collect::<Vec<_>>().join(",")
        };
        text.lines().map(cut).collect::<Vec<_>>().join("\n").into_bytes()
    };
    let all = files(results).into_iter().filter(|(path, _)| is_trained(path));
    all.map(|(path, content)| {
        let content = if path.ends_with("rows.csv") { without_seconds(content) } else { content };
        (path.strip_prefix(results).unwrap().to_path_buf(), content)
    })
    .collect()
}

/// Each kind of damage to each file of a finished trial: `plot` leaves it out and says so, `run` trains it again, and it alone.
#[test]
fn what_is_not_whole_is_left_out_and_trained_again() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    sandbox.run(&["run", "tiny.toml", "--out", "whole"]).succeeded();
    let whole = trained(&sandbox.path("whole"));
    let folder = "trials/label/seed-1";
    type Damage = fn(&Path);
    let cut: Damage = |path| {
        std::fs::write(path, &std::fs::read(path).unwrap()[..std::fs::metadata(path).unwrap().len() as usize / 2])
            .unwrap()
    };
    let empty: Damage = |path| std::fs::write(path, "").unwrap();
    let gone: Damage = |path| std::fs::remove_file(path).unwrap();
    let flipped: Damage = |path| {
        let mut content = std::fs::read(path).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        std::fs::write(path, content).unwrap();
    };
    let only_a_header: Damage = |path| std::fs::write(path, "updates\n").unwrap();
    let line_less: Damage = |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let (rest, _) = text.trim_end().rsplit_once('\n').unwrap();
        std::fs::write(path, format!("{rest}\n")).unwrap();
    };
    for (file, damages) in [
        ("rows.csv", &[cut, empty, gone, flipped, line_less, only_a_header][..]),
        ("trial.toml", &[cut, empty, gone, flipped, line_less]),
        ("final.safetensors", &[cut, empty, gone, flipped]),
        ("best.safetensors", &[cut, gone]),
        ("outcome.json", &[cut, empty]),
    ] {
        for (i, damage) in damages.iter().enumerate() {
            damage(&sandbox.path(&format!("whole/{folder}/{file}")));
            let plot = sandbox.run(&["plot", "whole"]).succeeded();
            let said = plot
                .err
                .lines()
                .find(|line| line.contains("label, seed 1 is left out"))
                .unwrap_or_else(|| panic!("{file} {i}: {}", plot.err));
            assert!(said.contains(file) && said.contains("trains it again"), "{said}");
            let page = std::fs::read_to_string(sandbox.path("whole/report.html")).unwrap();
            assert!(page.contains("Of 4 trials, 1 have records that are not whole"), "{file}");
            let run = sandbox.run(&["run", "tiny.toml", "--out", "whole"]).succeeded();
            assert!(run.err.contains("label, seed 1 runs again, since its record is not whole"), "{}", run.err);
            assert!(run.err.contains("3 of 4 trials are finished already"), "{}", run.err);
            assert!(trained(&sandbox.path("whole")) == whole, "{file} {i}");
        }
    }
    // As in a clone: weights are not kept in version control.
    for (path, _) in files(&sandbox.path("whole"))
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|ending| ending == "safetensors"))
    {
        std::fs::remove_file(path).unwrap();
    }
    assert!(sandbox.run(&["run", "tiny.toml", "--out", "whole"]).succeeded().err.contains("all 4 trials"));
}

/// No trial is whole yet: there is nothing to draw, and nothing is said about columns that are not there. Once one is, a plot that asks for
/// another column is refused at its line.
#[test]
fn what_is_drawn_is_read_off_whole_records() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    sandbox.run(&["run", "tiny.toml", "--out", "out", "--seeds", "1"]).succeeded();
    for arm in ["label", "reward"] {
        let rows = sandbox.path(&format!("out/trials/{arm}/seed-0/rows.csv"));
        let whole = std::fs::read(&rows).unwrap();
        for damaged in [&b""[..], b"\n", b"updates\n"] {
            std::fs::write(&rows, damaged).unwrap();
            sandbox.run(&["plot", "out"]).succeeded();
        }
        if arm == "label" {
            std::fs::write(&rows, whole).unwrap();
        } else {
            std::fs::remove_dir_all(sandbox.path("out/trials/label")).unwrap();
            sandbox.run(&["plot", "out"]).succeeded();
            std::fs::write(&rows, whole).unwrap();
        }
    }
    let file = sandbox.path("out/experiment.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"accuracy\"]\n", "\"acuracy\"]\n")).unwrap();
    sandbox.run(&["plot", "out"]).failed_with(&["experiment.toml:", "unknown column of the record `acuracy`"]);
}

/// The files of a finished trial with rows, weights and what is drawn.
static FINISHED: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    let metrics = "evaluation.metrics=[\"accuracy\", \"confusion_matrix\"]";
    sandbox.run(&["run", "tiny.toml", "--out", "out", "--seeds", "1", "budget.examples=600", metrics]).succeeded();
    let folder = sandbox.path("out/trials/label/seed-0");
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_string();
    files(&folder).into_iter().map(|(path, content)| (name(&path), content)).collect()
});

/// A trial of which one file is something else; what is believed of it, which must be what was recorded.
fn believe(file: &str, content: &[u8]) {
    let results = tempfile::tempdir().unwrap();
    let folder = TrialFolder::of(results.path(), "label", 0);
    std::fs::create_dir_all(folder.path()).unwrap();
    let whole = |name: &str| &FINISHED.iter().find(|(other, _)| other == name).unwrap().1;
    for (name, content) in FINISHED.iter() {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    std::fs::write(folder.path().join(file), content).unwrap();
    let identity = String::from_utf8(whole("trial.toml").clone()).unwrap();
    let (status, most) = most_bytes(|| folder.status(&identity));
    let size: usize = FINISHED.iter().map(|(_, content)| content.len()).sum::<usize>() + content.len();
    assert!(most <= 4 * size + (1 << 20), "{most} bytes for {size}");
    if content == whole(file) {
        assert!(matches!(status, Status::Ended(TrialOutcome::Finished { .. })), "{status:?}");
    } else if file != "outcome.json" {
        assert!(matches!(&status, Status::Damaged(why) if why.contains(file)), "{file}: {status:?}");
    }
    // Broken or not, they are read without a panic.
    _ = (Rows::read(&folder.rows()), folder.read_drawn(), folder.provenance(), folder.has_checksums());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::with_failure_persistence(WithSource("found")) })]

    /// Changed, cut off, extended, and put in each other's place.
    #[test]
    fn a_damaged_record_is_never_believed(
        which in any::<prop::sample::Index>(),
        instead in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
        more in proptest::collection::vec(any::<u8>(), 0..6),
    ) {
        let (file, whole) = which.get(&FINISHED);
        let mut content = instead.map_or(whole, |other| &other.get(&FINISHED).1).clone();
        for (place, byte) in edits {
            let place = place.index(content.len());
            content[place] = byte;
        }
        if let Some(cut) = cut {
            content.truncate(cut.index(content.len() + 1));
        }
        content.extend(more);
        believe(file, &content);
    }
}

/// Found by the property above or by kills: what is read back by its shape alone.
#[test]
fn found_damage_stays_told() {
    for (file, content) in [
        ("rows.csv", &b""[..]),
        ("rows.csv", b"\n"),
        ("rows.csv", b"updates\n1,2\n"),
        ("rows.csv", b"updates,examples\n1,nan\n"),
        ("rows.csv", b"\xff\xfe"),
        ("trial.toml", b""),
        ("drawn.json", b"[]"),
        ("drawn.json", b"{\"confusion_matrix\": 1e400}"),
        ("outcome.json", b"{}"),
        ("outcome.json", b"{\"status\": \"finished\", \"seconds\": \"soon\"}"),
        ("outcome.json", b"{\"status\": \"finished\", \"seconds\": 1, \"record\": {\"rows\": -1, \"sha256\": {}}}"),
        ("final.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\xff"),
    ] {
        believe(file, content);
    }
}

fn start(sandbox: &Sandbox, arguments: &[&str]) -> std::process::Child {
    sandbox.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Two at the same moment, several times: each trial is trained once, by one of them.
#[test]
fn processes_share_a_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", &TINY.replace("seeds = 2", "seeds = 4"));
    sandbox.run(&["run", "tiny.toml", "--out", "alone"]).succeeded();
    let alone = trained(&sandbox.path("alone"));
    for pair in 0..3 {
        let out = format!("shared-{pair}");
        let both = ["1", "2"].map(|jobs| start(&sandbox, &["run", "tiny.toml", "--out", &out, "--jobs", jobs]));
        let runs = both.map(|child| Run::of(child.wait_with_output().unwrap()).succeeded());
        let count =
            |run: &Run| run.err.lines().filter(|line| line.starts_with('[') && line.contains("examples/s")).count();
        assert_eq!(runs.iter().map(count).sum::<usize>(), 8, "{runs:?}");
        assert!(trained(&sandbox.path(&out)) == alone);
        assert!(
            !files(&sandbox.path(&out))
                .iter()
                .any(|(path, _)| path.to_string_lossy().contains(".partial") || path.ends_with("claim.json"))
        );
    }
}

/// A claim of a process that is gone is no obstacle, one of a process that is alive is respected, also by --force.
#[cfg(target_os = "linux")]
#[test]
fn claims_are_respected_while_their_process_is_alive() {
    let sandbox = Sandbox::new();
    sandbox.write("long.toml", &TINY.replace("examples = 4_000", "examples = 40_000_000"));
    sandbox.write("tiny.toml", TINY);
    let mut long = start(
        &sandbox,
        &["run", "long.toml", "--out", "out", "--jobs", "1", "--seeds", "1", "arm.reward.budget.examples=4_000"],
    );
    let claim = sandbox.path("out/trials/label/seed-0/claim.json");
    while !claim.is_file() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let second = ["run", "long.toml", "--out", "out", "--seeds", "1", "arm.reward.budget.examples=4_000"];
    let refused = sandbox.run(&[&second[..], &["--force"]].concat());
    refused.failed_with(&["trains label, seed 0 there; stop it before you train again with --force"]);
    let mut other = start(&sandbox, &second);
    while !sandbox.path("out/trials/reward/seed-0/outcome.json").is_file() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // The first is killed without a chance to give its claim back; the other one, which waits for it, takes over.
    long.kill().unwrap();
    long.wait().unwrap();
    let theirs = std::fs::read_to_string(&claim).unwrap_or_default();
    while std::fs::read_to_string(&claim).unwrap_or_default() == theirs {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    other.kill().unwrap();
    let said = Run::of(other.wait_with_output().unwrap()).err;
    assert!(said.contains(&format!("label, seed 0 is trained by process {}", long.id())), "{said}");
}

/// On a full disk: no panic, what failed is counted, and nothing is averaged over no trial.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("LOSSWARD", env!("CARGO_BIN_EXE_lossward")).current_dir(sandbox.path(""));
        Run::of(command.output().unwrap())
    };
    shell("$LOSSWARD run tiny.toml --out out --seeds 1 2>/dev/full").succeeded();
    let unsaid = shell("$LOSSWARD run tiny.toml --out out --seeds 1 >/dev/full");
    assert_eq!(unsaid.status, Some(1), "{unsaid:?}");
    // No file may grow beyond 4 kB: neither records nor weights fit.
    let full = shell("trap '' XFSZ; ulimit -f 4; $LOSSWARD run tiny.toml --out full --seeds 1");
    assert_eq!(full.status, Some(1), "{full:?}");
    assert!(full.err.contains("2 of 2 trials failed") && !full.err.contains("panicked"), "{}", full.err);
}

/// Drawing ends at once, and leaves nothing half-written.
#[cfg(unix)]
#[test]
fn an_interruption_ends_drawing_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    sandbox.run(&["run", "tiny.toml", "--out", "out"]).succeeded();
    let before = files(&sandbox.path("out")).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    for (delay, signal) in [(5, "INT"), (20, "TERM"), (60, "INT"), (100, "TERM")] {
        let mut plot = start(&sandbox, &["plot", "out"]);
        std::thread::sleep(std::time::Duration::from_millis(delay));
        let asked = std::time::Instant::now();
        Command::new("kill").args([&format!("-{signal}"), &plot.id().to_string()]).status().unwrap();
        plot.wait().unwrap();
        assert!(asked.elapsed().as_secs() < 2);
        let after = files(&sandbox.path("out")).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert_eq!(before, after);
    }
    sandbox.run(&["plot", "out"]).succeeded();
}

#[test]
fn names_that_no_file_can_have_are_refused() {
    let sandbox = Sandbox::new();
    let long = "long ".repeat(60);
    for (from, to, said) in [
        ("name = \"label\"".to_string(), format!("name = \"{long}\""), "an arm's `name` becomes a folder"),
        (
            "name = \"reward\"".to_string(),
            "name = \"LABEL!\"".to_string(),
            "`LABEL!` and `label` would have the same folder, label",
        ),
        ("[[plot]]".to_string(), format!("[[plot]]\nname = \"{long}\""), "a plot's `name` becomes a file"),
    ] {
        sandbox.write("names.toml", &TINY.replace(&from, &to));
        sandbox.run(&["run", "names.toml", "--out", "out"]).failed_with(&["names.toml:", said]);
    }
}
