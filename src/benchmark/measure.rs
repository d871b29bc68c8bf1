//! Rates of work, measured in turns.

use crate::Result;
use std::time::{Duration, Instant};

/// Does a piece of work and returns how many units it was.
pub(super) type Work<'a> = &'a mut dyn FnMut() -> Result<f64>;

/// Rounds of turns: enough for a median on a noisy machine.
const ROUNDS: usize = 15;

/// Units per second of every work, over rounds in which each has a turn of at least `turn`. The first round warms up and is not
/// counted.
pub(super) fn in_turns<const N: usize>(turn: Duration, mut works: [Work; N]) -> Result<[Vec<f64>; N]> {
    let mut rates = [const { Vec::new() }; N];
    for round in 0..=ROUNDS {
        for (work, rates) in works.iter_mut().zip(&mut rates) {
            let start = Instant::now();
            let mut units = 0.0;
            while start.elapsed() < turn || units == 0.0 {
                units += work()?;
            }
            if round > 0 {
                rates.push(units / start.elapsed().as_secs_f64());
            }
        }
    }
    Ok(rates)
}

/// Linear between the two nearest values.
pub(super) fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}
