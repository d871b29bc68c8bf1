#![allow(clippy::unwrap_used)]

use super::*;
use crate::objective::ObjectiveKind;

fn settings(shares: &[f64]) -> PhasesSettings {
    let text = "loss = \"cross_entropy\"\nbatch_size = 8";
    let phase = |share: &f64| PhaseSettings {
        share: *share,
        learning_rate: None,
        reset_optimizer: false,
        objective: ObjectiveSettings::Supervised(Box::new(toml::from_str(text).unwrap())),
    };
    PhasesSettings { phases: shares.iter().map(phase).collect() }
}

#[test]
fn phases_end_with_their_shares() {
    assert_eq!(settings(&[0.1, 0.2, 0.7]).ends(1_000), [100, 300, 1_000]);
    assert_eq!(settings(&[0.0, 1.0]).ends(7), [0, 7]);
    // Sums of shares that rounding makes a little more or less than 1.
    let tenths = [0.1; 10];
    assert_eq!(settings(&tenths).ends(1_000_000).last(), Some(&1_000_000));
    assert_eq!(settings(&[1.0]).terms().unwrap(), settings(&[0.5, 0.5]).terms().unwrap());
}
