//! One decision per episode: bandits with drawn arms, with contexts, and with rounds that another policy has logged.

pub mod bernoulli;
pub mod contextual;
pub mod gaussian;
pub mod off_policy;
pub mod open_bandit;

use crate::instance::INSTANCE;
use crate::options::{OptionError, OptionKind, OptionRow, Options};
use crate::{Bound, Dims, Ink, Scene, Shape, Space};

/// More than anyone plays, and few enough that a mistyped number does not fill the memory.
const MOST_ARMS: i64 = 10_000;

const ARMS: OptionRow = OptionRow {
    name: "arms",
    meaning: "arms, at most 10000",
    kind: OptionKind::Whole { default: Some(10), at_least: 2 },
};

/// A constant 1: there is nothing to see.
const BLIND: Space = Space::Box { shape: Dims::of(&[1]), low: Bound::All(0.0), high: Bound::All(1.0) };

/// The means that were given, one per arm.
///
/// # Errors
/// When their number is another.
fn given_means(options: &Options, arms: usize) -> Result<Option<Vec<f64>>, OptionError> {
    match options.numbers("means") {
        Some(means) if means.len() != arms => Err(OptionError::new(
            "means",
            format!("`means` has {} numbers for {arms} arms; set `arms` too", means.len()),
        )),
        means => Ok(means.map(<[f64]>::to_vec)),
    }
}

/// Whether every trial plays the same arms.
fn are_fixed(options: &Options) -> bool {
    options.numbers("means").is_some() || options.whole(INSTANCE.name).is_some()
}

/// The largest of some means.
fn best(means: &[f64]) -> f64 {
    means.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// One bar per arm from 0 to its mean; the best arm in the color of a goal, a mark over the one that was pulled.
fn bars(means: &[f64], pulled: Option<usize>) -> Scene {
    let (width, height) = (means.len() as f32, 0.6 * means.len() as f32);
    let best = best(means);
    let (low, high) = (means.iter().copied().fold(0.0, f64::min), best.max(0.0));
    let range = if high > low { high - low } else { 1.0 };
    let y = |value: f64| height * (0.1 + 0.8 * (value - low) / range) as f32;
    let mut scene = Scene::new(width, height);
    for (arm, &mean) in means.iter().enumerate() {
        let corner = (arm as f32 + 0.1, y(mean.min(0.0)));
        let ink = if mean == best { Ink::Goal } else { Ink::Quiet };
        scene.shapes.push(Shape::Rectangle { corner, size: (0.8, y(mean.max(0.0)) - corner.1), ink });
    }
    scene.shapes.push(Shape::Line { from: (0.0, y(0.0)), to: (width, y(0.0)), width: 0.05, ink: Ink::Outline });
    if let Some(arm) = pulled {
        let center = (arm as f32 + 0.5, y(means[arm]));
        scene.shapes.push(Shape::Circle { center, radius: 0.3, ink: Ink::Player });
    }
    scene
}
