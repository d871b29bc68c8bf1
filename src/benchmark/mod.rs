//! How fast this build is on this machine, as fractions of what the machine can do, measured in one run.
//!
//! Every figure is the median over rounds that alternate between the workload, what it is compared with and the machine's own
//! peak, so that a clock that changes or a neighbor on the same processor meets all of them alike.

mod data;
mod measure;
mod peak;
mod plain;
mod process;
mod reinforcement;
mod scratch;
mod training;

pub use peak::{Peak, Product};

use crate::record::Machine;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A run of `lossward bench`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Benchmark {
    /// The version that was measured.
    pub lossward: String,
    pub machine: Machine,
    pub peaks: Vec<Peak>,
    /// Copying, bytes read and written, in GB/s.
    pub bandwidth: f64,
    pub rows: Vec<Row>,
}

/// One workload's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub workload: String,
    pub unit: Unit,
    /// Median over the rounds.
    pub value: f64,
    /// First and third quartile over the rounds.
    pub quartiles: [f64; 2],
    /// Useful floating-point operations per second, in GFLOP/s: those of the matrix products, no more than the method needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gflops: Option<f64>,
    /// Median over the rounds of `gflops` to the peak named by `of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Median over the rounds of the ratio to what `compared_with` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<String>,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    #[serde(rename = "samples/s")]
    Samples,
    #[serde(rename = "steps/s")]
    Steps,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "MB")]
    Megabytes,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Unit::Samples => "samples/s",
            Unit::Steps => "steps/s",
            Unit::Milliseconds => "ms",
            Unit::Megabytes => "MB",
        }
    }

    /// Whether more of it is better.
    pub fn higher_is_better(self) -> bool {
        matches!(self, Unit::Samples | Unit::Steps)
    }
}

impl Row {
    fn new(workload: impl Into<String>, unit: Unit, values: &[f64]) -> Self {
        Row {
            workload: workload.into(),
            unit,
            value: measure::quantile(values, 0.5),
            quartiles: [measure::quantile(values, 0.25), measure::quantile(values, 0.75)],
            gflops: None,
            fraction: None,
            of: None,
            ratio: None,
            compared_with: None,
        }
    }

    /// With the operations of one unit, and the machine's peak in the same rounds.
    fn with_peak(mut self, values: &[f64], operations: f64, peaks: &[f64], of: &str) -> Self {
        let fractions: Vec<f64> =
            values.iter().zip(peaks).map(|(value, peak)| value * operations / 1e9 / peak).collect();
        self.gflops = Some(self.value * operations / 1e9);
        self.fraction = Some(measure::quantile(&fractions, 0.5));
        self.of = Some(of.into());
        self
    }

    /// With what it is compared with in the same rounds.
    fn with_ratio(mut self, values: &[f64], others: &[f64], compared_with: &str) -> Self {
        let ratios: Vec<f64> = values.iter().zip(others).map(|(value, other)| value / other).collect();
        self.ratio = Some(measure::quantile(&ratios, 0.5));
        self.compared_with = Some(compared_with.into());
        self
    }
}

/// A workload's name, and what measures it.
type Workload = (&'static str, fn(&str) -> Result<Row>);

const MEMORY: &str = "peak memory of ppo on CartPole-v1";

/// All workloads in the order of the table.
const WORKLOADS: &[Workload] = &[
    ("train 4-64-64-2 tanh, batch 128", training::control),
    ("train 64-64-64-10 tanh, batch 32", training::digits_32),
    ("train 64-64-64-10 tanh, batch 128", training::digits_128),
    ("train 784-256-128-10 relu, batch 128", training::images),
    ("train conv16-pool-conv32-pool-10 relu on 28x28, batch 64", training::convolutions),
    ("train U-Net 8-16-32 batch norm relu on 64x64, batch 8", training::masks),
    ("train detector 16-32-64 stride 4 batch norm relu on 64x64, batch 8", training::boxes),
    ("ppo on CartPole-v1, whole loop", |name| reinforcement::whole_loop(name, &[])),
    ("ppo on CartPole-v1, 8 copies × 256 steps, batch 64, 10 epochs", |name| {
        reinforcement::whole_loop(name, &["environments=8", "rollout.steps=256", "batch_size=64", "epochs=10"])
    }),
    ("ppo on CartPole-v1, 8 seeds, 2 jobs", reinforcement::two_jobs),
    ("step CartPole-v1, 1 copy", |name| reinforcement::step(name, "CartPole-v1", 1)),
    ("step CartPole-v1, 64 copies", |name| reinforcement::step(name, "CartPole-v1", 64)),
    ("step CartPole-v1, 1024 copies", |name| reinforcement::step(name, "CartPole-v1", 1024)),
    ("step Acrobot-v1, 64 copies", |name| reinforcement::step(name, "Acrobot-v1", 64)),
    ("step Pendulum-v1, 64 copies", |name| reinforcement::step(name, "Pendulum-v1", 64)),
    ("step MinAtar/Breakout-v1, 64 copies", |name| reinforcement::step(name, "MinAtar/Breakout-v1", 64)),
    ("step MinAtar/SpaceInvaders-v1, 64 copies", |name| reinforcement::step(name, "MinAtar/SpaceInvaders-v1", 64)),
    ("act 4-64-64-2 tanh, 4 copies", |name| reinforcement::act(name, 4)),
    ("act 4-64-64-2 tanh, 64 copies", |name| reinforcement::act(name, 64)),
    ("act 4-64-64-2 tanh, 1024 copies", |name| reinforcement::act(name, 1024)),
    ("read 60,000 images of 28x28 (IDX)", data::plain),
    ("read 60,000 images of 28x28 (IDX, gzip)", data::compressed),
    ("start: lossward --version", process::version),
    ("start: ten updates recorded", process::ten_updates),
    (MEMORY, process::memory),
];

/// The workloads whose name contains `only`, in any case.
///
/// # Errors
/// When there is none.
fn chosen(only: &str) -> Result<Vec<&'static Workload>> {
    let only = only.to_lowercase();
    // Where a system does not tell the memory of a process, there is nothing to measure.
    let tells_memory = Path::new("/proc/self/status").exists();
    let possible = || WORKLOADS.iter().filter(|(name, _)| tells_memory || *name != MEMORY);
    let chosen: Vec<&Workload> = possible().filter(|(name, _)| name.to_lowercase().contains(&only)).collect();
    if chosen.is_empty() {
        let known: String = possible().map(|(name, _)| format!("\n  {name}")).collect();
        return Err(Error::Argument(format!("no workload's name contains `{only}`; there are:{known}")));
    }
    Ok(chosen)
}

/// Their names.
pub fn names(only: &str) -> Result<Vec<&'static str>> {
    Ok(chosen(only)?.into_iter().map(|(name, _)| *name).collect())
}

/// Measures the machine and every workload whose name contains `only`, in any case; `begun` is told what is measured next. Workloads that
/// failed come with their errors, and the others are measured all the same.
pub fn run(only: &str, mut begun: impl FnMut(&str)) -> Result<(Benchmark, Vec<(&'static str, Error)>)> {
    let chosen = chosen(only)?;
    begun("the machine");
    let (machine, peaks, bandwidth) = (Machine::here(), peak::peaks()?, peak::bandwidth());
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for (name, measure) in chosen {
        begun(name);
        match measure(name) {
            Ok(row) => rows.push(row),
            Err(error) => failed.push((*name, error)),
        }
    }
    Ok((Benchmark { lossward: env!("CARGO_PKG_VERSION").into(), machine, peaks, bandwidth, rows }, failed))
}

impl Benchmark {
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::file("read the benchmark", path))?;
        serde_json::from_str(&text)
            .map_err(|error| Error::content(path, format!("not a benchmark of lossward: {error}")))
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self).map_err(|error| Error::content(path, error))?;
        text.push('\n');
        crate::disk::write_whole(path, text.as_bytes())
    }
}
