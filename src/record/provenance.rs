//! The machine and the versions that trained a trial.

use super::Machine;
use serde::{Deserialize, Serialize};

/// What a trial was run with; it stands in its `outcome.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Versions of this program and of the tensor library beneath it.
    pub lossward: String,
    pub candle: String,
    pub machine: Machine,
}

impl Provenance {
    pub fn here() -> Self {
        Provenance { lossward: env!("CARGO_PKG_VERSION").into(), candle: candle_version(), machine: Machine::here() }
    }
}

/// The locked version, with which this program was built.
fn candle_version() -> String {
    let lock = include_str!("../../Cargo.lock");
    let of = lock.split("name = \"candle-core\"\nversion = \"").nth(1).and_then(|rest| rest.split('"').next());
    of.unwrap_or("unknown").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tensor_library_is_the_locked_one() {
        assert!(Provenance::here().candle.starts_with("0."), "{}", Provenance::here().candle);
    }
}
