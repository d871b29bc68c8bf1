//! Kills at random moments and pairs of processes: no finished trial is lost, none is trained twice, nothing is half-written.
//!
//! The short form runs with the tests; the long one by hand:
//! `cargo test --release --test reliability -- --ignored --nocapture` (LOSSWARD_KILLS=1000 and LOSSWARD_PAIRS=50 are the defaults).

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use common::{Run, Sandbox, files};
use lossward::stream;
use rand::Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// With early stopping and a metric that is drawn; a policy gradient; a teacher with its pupil; own data.
const EXPERIMENTS: [(&str, &str); 4] = [
    (
        "supervised",
        "task.dataset = \"iris\"\nbudget.examples = 20_000\nevaluation = { metrics = [\"accuracy\", \"confusion_matrix\"], early_stopping = { patience = 8 } }\n\
         [[arm]]\nname = \"a\"\nobjective = { kind = \"supervised\", loss = \"cross_entropy\" }\n[[arm]]\nname = \"b\"\nregularizer = { l2 = 1e-3 }\n\
         objective = { kind = \"supervised\", loss = \"cross_entropy\" }\n",
    ),
    (
        "reward",
        "task.env = \"CartPole-v1\"\nbudget.examples = 4_000\nevaluation = { every = 1_000, episodes = 2 }\n\
         [[arm]]\nname = \"ppo\"\nobjective = { kind = \"policy_gradient\", preset = \"ppo\" }\n",
    ),
    (
        "pupil",
        "task.env = \"CartPole-v1\"\nbudget.examples = 2_000\nevaluation = { every = 1_000, episodes = 2 }\n\
         [[arm]]\nname = \"pupil\"\nobjective = { kind = \"supervised\", loss = \"cross_entropy\", expert = { arm = \"teacher\", episodes = 2 } }\n\
         [[arm]]\nname = \"teacher\"\nobjective = { kind = \"policy_gradient\", preset = \"ppo\" }\n",
    ),
    (
        "own",
        "task.dataset = { csv = \"table.csv\", target = \"y\" }\nbudget.epochs = 50\n\
         [[arm]]\nname = \"a\"\nobjective = { kind = \"supervised\", loss = \"mse\" }\n",
    ),
];

/// What a trial is: rows without their seconds, weights, what is drawn; and when they were written.
type Trials = BTreeMap<PathBuf, (Vec<u8>, SystemTime)>;

struct Stage {
    sandbox: Sandbox,
    whole: BTreeMap<&'static str, Trials>,
    rng: lossward::Rng,
}

impl Stage {
    fn new(seed: u64) -> Stage {
        let sandbox = Sandbox::new();
        let table = (0..60).fold("x,y\n".to_string(), |text, i| format!("{text}{}.5,{}\n", i % 17, i % 17));
        sandbox.write("table.csv", &table);
        let mut whole = BTreeMap::new();
        for (name, text) in EXPERIMENTS {
            sandbox.write(&format!("{name}.toml"), &format!("seeds = 3\nnetwork.hidden = [8]\n{text}"));
            sandbox.run(&["run", &format!("{name}.toml"), "--out", &format!("whole-{name}")]).succeeded();
            whole.insert(name, trials(&sandbox.path(&format!("whole-{name}"))));
        }
        Stage { sandbox, whole, rng: stream(seed, "kills", 0) }
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.sandbox.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Kills a process at a random moment of this time; whether it was still running.
    fn kill(&mut self, mut child: Child, within: Duration) -> bool {
        std::thread::sleep(within.mul_f64(self.rng.random::<f64>()));
        let running = child.try_wait().unwrap().is_none();
        let signal = ["-KILL", "-KILL", "-KILL", "-TERM", "-INT"][self.rng.random_range(0..5)];
        Command::new("kill").args([signal, &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
        child.wait().unwrap();
        running
    }

    /// What is finished in a folder is what an undisturbed run left, and nothing of it has been written since `before`.
    fn check(&self, name: &str, folder: &Path, before: &Trials) -> Trials {
        let now = trials(folder);
        let whole = &self.whole[name];
        for (path, (content, _)) in &now {
            assert!(whole[path].0 == *content, "{name}: {} is not as in an undisturbed run", path.display());
        }
        for (path, (_, written)) in before {
            let kept = now.get(path).unwrap_or_else(|| panic!("{name}: {} was finished and is lost", path.display()));
            assert!(kept.1 == *written, "{name}: {} was trained twice", path.display());
        }
        now
    }
}

/// Of the trials that say that they are finished.
fn trials(results: &Path) -> Trials {
    let all = if results.is_dir() { files(results) } else { Vec::new() };
    let is_finished = |path: &Path| {
        std::fs::read_to_string(path.with_file_name("outcome.json")).is_ok_and(|text| text.contains("\"finished\""))
    };
    let is_record = |path: &Path| {
        ["rows.csv", "drawn.json", "final.safetensors", "best.safetensors"].iter().any(|name| path.ends_with(name))
    };
    let records = all.into_iter().filter(|(path, _)| is_record(path) && is_finished(path));
    let without_seconds = |content: &[u8]| {
        let cut = |line: &str| {
            line.split(',')
                .enumerate()
                .filter(|(i, _)| *i != 3)
                .map(|(_, cell)| cell.to_string())
                .collect::<Vec<_>>()
                .join(",")
        };
        String::from_utf8_lossy(content).lines().map(cut).collect::<Vec<_>>().join("\n").into_bytes()
    };
    records
        .map(|(path, content)| {
            let written = std::fs::metadata(&path).unwrap().modified().unwrap();
            let content = if path.ends_with("rows.csv") { without_seconds(&content) } else { content };
            (path.strip_prefix(results).unwrap().to_path_buf(), (content, written))
        })
        .collect()
}

/// Figures, tables and pages are whole.
fn whole_files(results: &Path) {
    for (path, content) in files(results) {
        let ends = |end: &[u8]| content.trim_ascii_end().ends_with(end);
        let whole = match path.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => ends(b"</svg>"),
            Some("html") => ends(b"</html>"),
            Some("png") => ends(b"IEND\xaeB`\x82"),
            Some("json") => {
                path.ends_with("claim.json") || serde_json::from_slice::<serde_json::Value>(&content).is_ok()
            }
            _ => true,
        };
        assert!(whole, "{} is half-written", path.display());
    }
}

fn kills(stage: &mut Stage, count: usize) -> (usize, usize) {
    let (mut killed, mut completed) = (0, 0);
    while killed < count {
        for (name, _) in EXPERIMENTS {
            let (file, out) = (format!("{name}.toml"), format!("killed-{name}-{completed}"));
            let folder = stage.sandbox.path(&out);
            let mut before = Trials::new();
            // Until a run ends before it is killed; then the figures are drawn and killed.
            loop {
                let jobs = ["1", "2"][stage.rng.random_range(0..2)];
                let child = stage.start(&["run", &file, "--out", &out, "--jobs", jobs]);
                let running = stage.kill(child, Duration::from_millis(400));
                killed += usize::from(running);
                if folder.is_dir() {
                    before = stage.check(name, &folder, &before);
                    whole_files(&folder);
                }
                if !running || before.len() == stage.whole[name].len() {
                    break;
                }
            }
            for _ in 0..2 {
                let child = stage.start(&["plot", &out]);
                killed += usize::from(stage.kill(child, Duration::from_millis(150)));
                whole_files(&folder);
            }
            stage.sandbox.run(&["run", &file, "--out", &out]).succeeded();
            assert_eq!(stage.check(name, &folder, &before).len(), stage.whole[name].len(), "{name}");
            let left = files(&folder)
                .into_iter()
                .find(|(path, _)| path.to_string_lossy().contains(".partial") || path.ends_with("claim.json"));
            assert!(left.is_none(), "{left:?}");
            completed += 1;
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
    (killed, completed)
}

/// Two processes on one fresh folder, in some of which one is killed: each trial is trained by one of them.
fn pairs(stage: &mut Stage, count: usize) -> usize {
    let mut trained = 0;
    for pair in 0..count {
        let (name, _) = EXPERIMENTS[pair % EXPERIMENTS.len()];
        let (file, out) = (format!("{name}.toml"), format!("pair-{pair}"));
        let start = |jobs| stage.start(&["run", &file, "--out", &out, "--jobs", jobs]);
        let (first, second) = (start("1"), start("2"));
        let both = match pair % 5 {
            4 => {
                stage.kill(first, Duration::from_millis(200));
                vec![second]
            }
            _ => vec![first, second],
        };
        let alone = both.len() == 1;
        let runs: Vec<Run> =
            both.into_iter().map(|child| Run::of(child.wait_with_output().unwrap()).succeeded()).collect();
        let said =
            |run: &Run| run.err.lines().filter(|line| line.starts_with('[') && line.contains("examples/s")).count();
        let of_both: usize = runs.iter().map(said).sum();
        let folder = stage.sandbox.path(&out);
        let found = stage.check(name, &folder, &Trials::new());
        assert_eq!(found.len(), stage.whole[name].len(), "{name}: {runs:?}");
        let wanted = stage.whole[name].keys().filter(|path| path.ends_with("rows.csv")).count();
        assert!(
            of_both == wanted || alone && of_both <= wanted,
            "{name}: {of_both} of {wanted} trials trained: {runs:?}"
        );
        whole_files(&folder);
        trained += wanted;
        std::fs::remove_dir_all(folder).unwrap();
    }
    trained
}

#[test]
fn a_few_kills_and_pairs() {
    let mut stage = Stage::new(1);
    kills(&mut stage, 8);
    pairs(&mut stage, 2);
}

#[test]
#[ignore = "takes minutes; run by hand, its figures stand in docs/reliability.md"]
fn many_kills_and_pairs() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let started = Instant::now();
    let mut stage = Stage::new(2);
    let (killed, completed) = kills(&mut stage, number("LOSSWARD_KILLS", 1_000));
    println!(
        "{killed} kills in {completed} folders: 0 finished trials lost, 0 trained twice, all rows and weights equal"
    );
    let count = number("LOSSWARD_PAIRS", 50);
    let trained = pairs(&mut stage, count);
    println!("{count} pairs of processes: {trained} trials, each trained once, all rows and weights equal");
    println!("{:.0} s", started.elapsed().as_secs_f64());
}
