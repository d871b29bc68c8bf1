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
pub mod minatar;
pub mod names;
pub mod options;
mod random;
mod random_actions;
mod scene;
mod space;
mod vectorized;

pub use random::{Rng, stream};
pub use random_actions::RandomActions;
pub use scene::{Ink, Scene, Shape};
pub use space::{Action, Actions, Bound, Dims, Space};
pub use vectorized::{Cause, Copies, EpisodeEnd, StepError, Steps, Vectorized};

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
    fn step(&mut self, action: Action<'_>, rng: &mut Rng) -> Outcome;
    /// Writes the observation of the current state, `[features]`.
    fn observe(&self, out: &mut [f32]);
    /// What the current state looks like.
    fn scene(&self) -> Option<Scene> {
        None
    }
}

use options::{OptionError, OptionRow, Options};

/// Everything about an environment that is known without stepping it.
pub struct Spec {
    /// The name in experiment files. Gymnasium's id only where dynamics and rewards are Gymnasium's.
    pub id: &'static str,
    /// One sentence for `lossward list environments`.
    pub summary: &'static str,
    /// With default options.
    pub observations: Space,
    pub actions: Space,
    /// Steps after which an episode is truncated.
    pub max_steps: Option<u32>,
    /// The mean return at which the environment counts as solved.
    pub reward_threshold: Option<f64>,
    /// What it may be told.
    pub options: &'static [OptionRow],
    /// One copy per random stream.
    pub make: fn(&Options, Vec<Rng>) -> Made,
}

/// Copies, or what is wrong with the options.
pub type Made = Result<Box<dyn Vectorized>, OptionError>;

impl Spec {
    /// Copies with default options, one per random stream.
    ///
    /// # Panics
    /// When the environment refuses its own defaults.
    pub fn make_default(&self, rngs: Vec<Rng>) -> Box<dyn Vectorized> {
        (self.make)(&Options::defaults(self.options), rngs).unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }
}

/// The built-in environments. A new one is one file and one line here.
pub const ALL: &[Spec] = &[
    classic_control::cart_pole::SPEC,
    minatar::asterix::SPEC,
    minatar::breakout::SPEC,
    minatar::freeway::SPEC,
    minatar::seaquest::SPEC,
    minatar::space_invaders::SPEC,
];

/// The built-in environment named `id`.
pub fn find(id: &str) -> Option<&'static Spec> {
    ALL.iter().find(|spec| spec.id == id)
}
