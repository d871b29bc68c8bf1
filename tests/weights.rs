//! Weights say how they are to be used, and broken ones are answered.

#![allow(unsafe_code, clippy::unwrap_used)]

#[path = "common/counting.rs"]
mod counting;

mod common;

use candle_core::{Device, Tensor};
use common::Sandbox;
use counting::most_bytes;
use lossward::experiment::Experiment;
use lossward::network::{Network, NetworkSettings, Outputs, WeightsDescription};
use lossward::{distribution::Policy, stream, task::Task};
use lossward_envs::wrapper::WrapperStatistics;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence::WithSource;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// 60 rows: a number, a color, a gap, and a target of each kind.
fn table() -> String {
    let mut text = "size,color,kind,price\n".to_string();
    for i in 0..60 {
        let color = ["red", "blue"][i % 2];
        let kind = if i % 20 < 10 { "cheap" } else { "dear" };
        writeln!(text, "{}.5,{color},{kind},{}", i % 20, 100.0 * (1.0 + 0.1 * (i % 20) as f64)).unwrap();
    }
    text
}

fn experiment(sandbox: &Sandbox, dataset: &str, loss: &str) -> Experiment {
    sandbox.write("table.csv", &table());
    let text = format!(
        "seeds = 1\n[task]\ndataset = {{ csv = \"table.csv\", {dataset} }}\n[network]\nhidden = [5]\nactivation = \"tanh\"\n[budget]\nepochs = 20\n\
         [[arm]]\nname = \"a\"\nobjective = {{ kind = \"supervised\", loss = \"{loss}\" }}\n"
    );
    let file = sandbox.write("own.toml", &text);
    sandbox.run(&["run", "own.toml", "--out", "out", "--force"]).succeeded();
    Experiment::load(&file, &[]).unwrap()
}

const WEIGHTS: &str = "out/trials/a/seed-0/final.safetensors";

#[test]
fn weights_alone_say_how_they_are_used() {
    let sandbox = Sandbox::new();
    experiment(&sandbox, "target = \"kind\", ignored = [\"price\"]", "cross_entropy");
    let about = WeightsDescription::read(&sandbox.path(WEIGHTS)).unwrap().unwrap();
    let Some(Outputs::Classes { names }) = &about.usage.outputs else { panic!("{about:?}") };
    assert_eq!(names, &["cheap", "dear"]);
    let columns: Vec<_> = about.usage.features.iter().map(|of| (of.column.as_str(), of.value.as_deref())).collect();
    assert_eq!(columns, [("size", None), ("color", Some("blue")), ("color", Some("red"))]);
    assert!((about.usage.features[0].mean - 10.0).abs() < 1.0, "the mean of 0.5 to 19.5 over the training rows");
    let sizes: Vec<(&str, usize, usize)> =
        about.layers.iter().map(|of| (of.name.as_str(), of.layer.inputs(), of.layer.outputs())).collect();
    assert_eq!(sizes, [("layers.0", 3, 5), ("layers.1", 5, 2)]);
    experiment(&sandbox, "target = \"price\", ignored = [\"kind\"], logarithm = true", "mse");
    let about = WeightsDescription::read(&sandbox.path(WEIGHTS)).unwrap().unwrap();
    let Some(Outputs::Value { name, logarithm: true, .. }) = &about.usage.outputs else { panic!("{about:?}") };
    assert_eq!(name, "price");
    assert_eq!(about.layers.last().unwrap().name, "log_std");
    // A column that is only called so.
    sandbox.write("table.csv", &table().replace("price", "ln price"));
    let text = std::fs::read_to_string(sandbox.path("own.toml")).unwrap();
    sandbox.write("named.toml", &text.replace("\"price\"", "\"ln price\"").replace(", logarithm = true", ""));
    sandbox.run(&["run", "named.toml", "--out", "named", "--force"]).succeeded();
    let about = WeightsDescription::read(&sandbox.path("named/trials/a/seed-0/final.safetensors")).unwrap().unwrap();
    let Some(Outputs::Value { name, logarithm: false, .. }) = &about.usage.outputs else { panic!("{about:?}") };
    assert_eq!(name, "ln price");
    let env = "seeds = 1\n[task]\nenv = \"Pendulum-v1\"\nmax_steps = 20\nwrappers = { normalize_observations = true }\n[network]\npolicy = { squash = \"tanh\" }\n[budget]\n\
               examples = 200\n[[arm]]\nname = \"a\"\nobjective = { kind = \"policy_gradient\", preset = \"ppo\", environments = 2, rollout = { steps = 20 } }\n";
    sandbox.write("env.toml", env);
    sandbox.run(&["run", "env.toml", "--out", "env"]).succeeded();
    let weights = sandbox.path("env/trials/a/seed-0/final.safetensors");
    let about = WeightsDescription::read(&weights).unwrap().unwrap();
    let Some(Outputs::Numbers { low, squash, .. }) = &about.usage.outputs else { panic!("{about:?}") };
    assert_eq!((low.as_slice(), squash.as_str()), (&[-2.0][..], "tanh"));
    let environment = about.usage.environment.unwrap();
    assert!(
        environment.id == "Pendulum-v1"
            && environment.normalizes_observations
            && environment.settings.contains("max_steps = 20")
    );
    // The same trial, the same bytes.
    let before = std::fs::read(&weights).unwrap();
    sandbox.run(&["run", "env.toml", "--out", "env", "--force"]).succeeded();
    assert_eq!(std::fs::read(&weights).unwrap(), before);
}

/// A Python that has PyTorch and safetensors: the one that LOSSWARD_PYTHON names, or the one on the path.
fn python() -> Option<String> {
    let names = std::env::var("LOSSWARD_PYTHON").into_iter().chain(["python3".to_string(), "python".to_string()]);
    names.into_iter().find(|python| {
        let tried = Command::new(python).args(["-c", "import torch, safetensors.torch"]).output();
        tried.is_ok_and(|tried| tried.status.success())
    })
}

/// The guide's snippet on the rows of a table says what the library says.
#[test]
#[allow(clippy::print_stderr)]
fn the_snippet_of_the_guide_predicts_in_pytorch() {
    let Some(python) = python() else {
        eprintln!("skipped: no Python with torch and safetensors (LOSSWARD_PYTHON names one)");
        return;
    };
    let sandbox = Sandbox::new();
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide.md")).unwrap();
    let snippet = guide.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    sandbox.write("snippet.py", snippet);
    let rows: Vec<serde_json::Value> = (0..7)
        .map(|i| (3.25 * i as f64, ["red", "green", "blue"][i % 3]))
        .map(|(size, color)| serde_json::json!({ "size": size, "color": color }))
        .collect();
    sandbox.write("rows.json", &serde_json::to_string(&rows).unwrap());
    for (dataset, loss) in [
        ("target = \"kind\", ignored = [\"price\"]", "cross_entropy"),
        ("target = \"price\", ignored = [\"kind\"], logarithm = true", "mse"),
    ] {
        let experiment = experiment(&sandbox, dataset, loss);
        let output = Command::new(&python)
            .args(["snippet.py", WEIGHTS, "rows.json"])
            .current_dir(sandbox.path(""))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let arm = &experiment.arms[0];
        let task = Task::load(&arm.task, 0).unwrap();
        let policy = Policy::new(task.actions(), None).unwrap();
        let network =
            Network::of_policy(&arm.network, (&task.input_shape(), policy), &mut stream(0, "init", 0)).unwrap();
        network.load(&sandbox.path(WEIGHTS)).unwrap();
        let lossward::task::TaskSource::DataSet(data, _) = &task.source else { panic!() };
        let inputs: Vec<f32> = rows
            .iter()
            .flat_map(|row| {
                data.features.iter().map(|feature| match feature.category() {
                    Some(color) => f32::from(u8::from(row["color"] == color)),
                    None => feature.scale.standardized(row["size"].as_f64().unwrap()),
                })
            })
            .collect();
        let mut outputs = Vec::new();
        network.infer(&inputs, rows.len(), &mut outputs).unwrap();
        let theirs: Vec<f64> = said["outputs"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|row| row.as_array().unwrap())
            .map(|x| x.as_f64().unwrap())
            .collect();
        assert_eq!(theirs.len(), outputs.len());
        assert!(
            outputs.iter().zip(&theirs).all(|(ours, theirs)| (f64::from(*ours) - theirs).abs() < 1e-5),
            "{outputs:?} {theirs:?}"
        );
        assert_eq!(said["predictions"].as_array().unwrap().len(), rows.len());
        if loss == "mse" {
            let price = said["predictions"][3].as_f64().unwrap();
            assert!((100.0..320.0).contains(&price), "in its own unit: {price}");
        }
    }
}

fn small() -> Network {
    let settings: NetworkSettings =
        toml::from_str("hidden = [3]\nactivation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 1.0")
            .unwrap();
    Network::new(&settings, (&[2], 2), &mut stream(0, "init", 0)).unwrap()
}

fn load(content: &[u8], path: &Path) -> Result<(), String> {
    std::fs::write(path, content).unwrap();
    let network = small();
    let (loaded, most) = most_bytes(|| {
        (network.load(path).map_err(|error| error.to_string()), WeightsDescription::read(path).map(drop))
    });
    assert!(most <= 4 * content.len() + (1 << 20), "{most} bytes for {}", content.len());
    if let Err(message) = &loaded.0 {
        assert!(message.contains("weights"), "{message}");
    }
    loaded.0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::with_failure_persistence(WithSource("found")) })]

    /// Cut off, changed and extended files, and lying headers.
    #[test]
    fn damaged_weights_are_answered(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        length in prop::option::of(any::<u64>()),
        more in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        small().save(&path).unwrap();
        let mut content = std::fs::read(&path).unwrap();
        for (place, byte) in edits {
            let place = place.index(content.len());
            content[place] = byte;
        }
        if let Some(length) = length {
            content[..8].copy_from_slice(&length.to_le_bytes());
        }
        if let Some(cut) = cut {
            content.truncate(cut.index(content.len() + 1));
        }
        content.extend(more);
        _ = load(&content, &path);
    }
}

#[test]
fn weights_that_are_not_finite_or_of_another_shape_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    small().save(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    let end = bad.len();
    bad[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let message = load(&bad, &path).unwrap_err();
    assert!(message.contains("holds NaN, which is not finite"), "{message}");
    assert!(load(&good, &path).is_ok());
    assert!(load(&good[..end - 1], &path).unwrap_err().contains("not a safetensors file"));
    let huge = [&(1u64 << 40).to_le_bytes()[..], b"{}"].concat();
    assert!(load(&huge, &path).unwrap_err().contains("not a safetensors file"));
}

/// All three numbers of running statistics, finite, or none.
#[test]
fn statistics_are_whole_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    let normalizing = || small().with_statistics(Some(&WrapperStatistics::default()));
    let own = |path: &Path| candle_core::safetensors::load(path, &Device::Cpu).unwrap();
    small().save(&path).unwrap();
    let plain = own(&path);
    let scalar = |x: f64| Tensor::new(x, &Device::Cpu).unwrap();
    let two = |x: f64| Tensor::new(&[x, 1.0], &Device::Cpu).unwrap();
    let with = |given: &[(&str, Tensor)]| {
        let mut all = plain.clone();
        all.extend(given.iter().map(|(part, tensor)| (format!("observations.{part}"), tensor.clone())));
        candle_core::safetensors::save(&all, &path).unwrap();
        normalizing().load(&path).map_err(|error| error.to_string())
    };
    with(&[]).unwrap();
    with(&[("mean", two(0.5)), ("variance", two(1.0)), ("count", scalar(9.0))]).unwrap();
    for (given, says) in [
        (vec![("mean", two(0.5)), ("variance", two(1.0))], "the tensor `observations.count` is missing"),
        (vec![("count", scalar(9.0))], "the tensor `observations.mean` is missing"),
        (vec![("mean", two(f64::NAN)), ("variance", two(1.0)), ("count", scalar(9.0))], "the mean of feature 0 is NaN"),
        (vec![("mean", two(0.0)), ("variance", two(-1.0)), ("count", scalar(9.0))], "the variance of feature 0 is -1"),
        (vec![("mean", two(0.0)), ("variance", scalar(1.0)), ("count", scalar(9.0))], "`observations`"),
    ] {
        let message = with(&given).unwrap_err();
        assert!(message.contains(says) && message.contains("weights"), "{message}");
    }
}
