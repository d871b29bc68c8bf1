//! What settings may be: sentences for what they must not be, and sizes beyond reason, in one place.

use crate::{Error, Result};

pub type Check = Result<()>;

pub fn fail(path: &str, message: impl ToString) -> Check {
    Err(Error::setting(path, message))
}

pub fn require(holds: bool, path: &str, message: &str) -> Check {
    if holds { Ok(()) } else { fail(path, message) }
}

/// The last name of a path.
fn key(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

pub fn not_negative(value: f64, path: &str) -> Check {
    let holds = value >= 0.0 && value.is_finite();
    require(holds, path, &format!("`{}` must be finite and not negative, not {value}", key(path)))
}

pub fn at_least_one(value: u64, path: &str) -> Check {
    require(value >= 1, path, &format!("`{}` must be at least 1", key(path)))
}

/// The most that sizes can be: nobody waits for more, or no machine has the memory.
pub mod most {
    pub const SEEDS: u64 = 100_000;
    pub const FIRST_SEED: u64 = 1 << 53;
    pub const EXAMPLES: u64 = 100_000_000_000;
    pub const EPOCHS: u64 = 10_000_000;
    pub const ROWS: u64 = 10_000_000;
    pub const EPISODES: u64 = 1_000_000;
    pub const COPIES: u64 = 100_000;
    pub const STEPS: u64 = 10_000_000;
    pub const TRANSITIONS: u64 = 100_000_000;
    pub const BATCH: u64 = 10_000_000;
}

/// Keys with their values and the most that each can be.
pub fn within(limits: &[(&str, u64, u64)]) -> Check {
    limits.iter().try_for_each(|(path, value, most)| {
        require(value <= most, path, &format!("`{}` is {value}, beyond reason; the most is {most}", key(path)))
    })
}
