//! Reinforcement-learning environments, stepped in batches.
//!
//! - [`Env`]: the dynamics of one copy. An environment is one file that implements it.
//! - [`Spec`]: what a user can know without stepping: the spaces, the time limit, the reward threshold. [`ALL`] is the
//!   table of built-in environments; `lossward list environments`, error suggestions and the conformance tests read it.
//! - [`Vectorized`]: many copies behind one dynamic call per batch of steps, with the time limit and the automatic reset
//!   outside the dynamics. The end of an episode says *why* it ended ([`Cause`]); there is no merged `done`.
//! - [`check`]: the conformance suite that every environment passes.
//! - [`stream`]: named random streams. No environment owns a seed; randomness is an argument.

pub mod check;
pub mod classic_control;
mod random;
mod vectorized;

pub use random::{Rng, stream};
pub use vectorized::{Cause, Copies, EpisodeEnd, StepError, Steps, Vectorized};

/// An index into a discrete action space, `0..actions`.
pub type Action = u32;

/// What one step of the dynamics returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    pub reward: f64,
    /// The episode reached a terminal state, whose value is zero by definition. A time limit is *not* a terminal state and
    /// never appears here: [`Copies`] applies it.
    pub terminated: bool,
}

/// The dynamics of one environment copy.
///
/// An implementor holds the state and nothing else: no random generator, no step counter, no time limit.
pub trait Env: Send {
    /// Draws an initial state.
    fn reset(&mut self, rng: &mut Rng);
    /// Moves the state by one step. `action` lies in the space of the [`Spec`]: [`Copies`] has checked it.
    fn step(&mut self, action: Action, rng: &mut Rng) -> Outcome;
    /// Writes the observation of the current state, `[features]`.
    fn observe(&self, out: &mut [f32]);
}

/// A set of observations or actions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Space {
    /// The integers `0..n`.
    Discrete(u32),
    /// Real vectors with bounds per element; a bound may be infinite.
    Box { low: &'static [f32], high: &'static [f32] },
}

impl Space {
    /// The number of floats that a network reads (observations; a discrete one is one-hot) or writes (actions).
    pub fn size(&self) -> usize {
        match self {
            Space::Discrete(n) => *n as usize,
            Space::Box { low, .. } => low.len(),
        }
    }
}

impl std::fmt::Display for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Space::Discrete(n) => write!(f, "Discrete({n})"),
            Space::Box { low, .. } => write!(f, "Box({})", low.len()),
        }
    }
}

/// Everything about an environment that is known without stepping it.
pub struct Spec {
    /// The name in experiment files. Gymnasium's id only where dynamics and rewards are Gymnasium's.
    pub id: &'static str,
    /// One sentence for `lossward list environments`.
    pub summary: &'static str,
    pub observations: Space,
    pub actions: Space,
    /// Steps after which an episode is truncated.
    pub max_steps: Option<u32>,
    /// The mean return at which the environment counts as solved.
    pub reward_threshold: Option<f64>,
    /// One copy per random stream.
    pub make: fn(Vec<Rng>) -> Box<dyn Vectorized>,
}

/// The built-in environments. A new one is one file and one line here.
pub const ALL: &[Spec] = &[classic_control::cart_pole::SPEC];

/// The built-in environment named `id`.
pub fn find(id: &str) -> Option<&'static Spec> {
    ALL.iter().find(|spec| spec.id == id)
}
