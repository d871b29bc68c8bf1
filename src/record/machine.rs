//! What trained or measured: the machine.

use crate::kernel;
use serde::{Deserialize, Serialize};

/// A machine, as far as it can be found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    /// The widest vector instructions that the kernels use here.
    pub vectors: String,
    pub memory_gib: Option<f64>,
    /// Operating system and architecture.
    pub system: String,
}

impl Machine {
    /// The one that this runs on; what can't be found out is said to be unknown.
    pub fn here() -> Self {
        let entry = |file: &str, key: &str| {
            let text = std::fs::read_to_string(file).ok()?;
            let line = text.lines().find(|line| line.starts_with(key))?;
            Some(line.split_once(':')?.1.trim().to_string())
        };
        let kib = |text: String| text.split_whitespace().next()?.parse::<f64>().ok();
        Machine {
            processor: entry("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into()),
            cores: std::thread::available_parallelism().map_or(1, |cores| cores.get()),
            vectors: kernel::vector_instructions().into(),
            memory_gib: entry("/proc/meminfo", "MemTotal").and_then(kib).map(|kib| (kib / 1_048_576.0).round()),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}
