//! Uniform actions: what conformance checks, benchmarks and demonstrations play.

use crate::{Actions, Rng, Space};
use rand::Rng as _;

/// A batch of actions, drawn anew each time; the memory is used again.
pub struct RandomActions {
    space: Space,
    /// One per copy, so that a copy's actions do not depend on how many others there are.
    rngs: Vec<Rng>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl RandomActions {
    /// One stream per copy.
    pub fn new(space: Space, rngs: Vec<Rng>) -> Self {
        RandomActions { space, rngs, indices: Vec::new(), values: Vec::new() }
    }

    /// Uniform over the space; an infinite bound counts as ±1.
    pub fn draw(&mut self) -> Actions<'_> {
        let (space, RandomActions { rngs, indices, values, .. }) = (self.space, self);
        indices.clear();
        values.clear();
        for rng in rngs {
            match space {
                Space::Discrete(n) => indices.push(rng.random_range(0..n)),
                Space::MultiDiscrete(sizes) => indices.extend(sizes.iter().map(|n| rng.random_range(0..*n))),
                Space::Box { low, high, .. } => values.extend((0..space.width()).map(|i| {
                    let finite = |bound: f32, otherwise: f32| if bound.is_finite() { bound } else { otherwise };
                    rng.random_range(finite(low.of(i), -1.0)..=finite(high.of(i), 1.0))
                })),
            }
        }
        match space {
            Space::Box { .. } => Actions::Values(values),
            _ => Actions::Indices(indices),
        }
    }
}
