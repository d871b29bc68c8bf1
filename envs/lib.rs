//! Reinforcement-learning environments, stepped in batches.
//!
//! - [`Env`]: the dynamics of one copy. An environment is one file that implements it.
//! - [`Spec`]: what a user can know without stepping: the spaces, the time limit, the best return. [`ALL`] is the
//!   table of built-in environments; `lossward list environments`, error suggestions and the conformance tests read it.
//! - [`Vectorized`]: many copies behind one dynamic call per batch of steps, with the time limit and the automatic reset
//!   outside the dynamics. The end of an episode says *why* it ended ([`Cause`]); there is no merged `done`.
//! - [`wrapper`]: functions of a [`Vectorized`] that change what is seen, paid or done: normalization, frame stack, time
//!   limit and so on.
//! - [`check`]: the conformance suite that every environment passes.
//! - [`stream`]: named random streams. No environment owns a seed; randomness is an argument.

pub mod bandit;
pub mod check;
pub mod classic_control;
mod copies;
pub mod custom;
pub mod diagnostic;
mod instance;
pub mod minatar;
pub mod names;
#[cfg(test)]
mod option_tests;
pub mod options;
mod random;
mod random_actions;
pub mod registry;
mod scene;
mod space;
mod steps;
pub mod toy_text;
mod vectorized;
pub mod wrapper;

pub use copies::{Copies, panic_message};
pub use random::{Rng, stream};
pub use random_actions::RandomActions;
pub use scene::{Ink, Scene, Shape};
pub use space::{Action, Actions, Bound, Dims, Space};
pub use steps::{Cause, EpisodeEnd, StepError, Steps};
pub use vectorized::Vectorized;

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
    /// Writes which actions are allowed in the current state, one entry per index of each choice, and returns true; false, always, where
    /// all are. Those that are not allowed can be taken all the same.
    fn action_mask(&self, _out: &mut [bool]) -> bool {
        false
    }
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
    /// The text of its file, `include_str!("…")`: the head of it is what [`Spec::doc`] shows.
    pub source: &'static str,
    /// With default options.
    pub observations: Space,
    pub actions: Space,
    /// Steps after which an episode is truncated.
    pub max_steps: Option<u32>,
    /// The mean return at which the environment counts as solved.
    pub reward_threshold: Option<f64>,
    /// What can be reached at best, where that is known.
    pub best_return: Option<BestReturn>,
    /// What it may be told.
    pub options: &'static [OptionRow],
    /// One copy per random stream.
    pub make: fn(&Options, Vec<Rng>) -> Made,
}

/// The largest expected return of an episode: the undiscounted sum of its rewards, of the best of all policies.
///
/// The policy may remember everything and knows the rules, how many steps are left and what its copies share. One that sees the present
/// observation only may have to do with less.
#[derive(Clone, Copy, Debug)]
pub struct BestReturn {
    /// With what is said after the number: `by dynamic programming`.
    pub found: &'static str,
    /// With these options and this time limit; nothing where it is not known.
    pub expected: fn(&Options, Option<u32>) -> Option<f64>,
}

/// Copies, or what is wrong with the options.
pub type Made = Result<Box<dyn Vectorized>, OptionError>;

impl Spec {
    /// The head of its file, as Markdown.
    pub fn doc(&self) -> String {
        let head = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        head.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect()
    }

    /// The largest expected return of an episode with these options and this time limit; nothing where it is not known. See
    /// [`BestReturn`].
    pub fn best_expected_return(&self, options: &Options, max_steps: Option<u32>) -> Option<f64> {
        self.best_return.and_then(|best| (best.expected)(options, max_steps))
    }

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
    bandit::bernoulli::SPEC,
    bandit::contextual::SPEC,
    bandit::gaussian::SPEC,
    bandit::open_bandit::SPEC,
    classic_control::acrobot::SPEC,
    classic_control::cart_pole::SPEC,
    classic_control::mountain_car::SPEC,
    classic_control::mountain_car_continuous::SPEC,
    classic_control::pendulum::SPEC,
    diagnostic::catch::SPEC,
    diagnostic::copy_task::SPEC,
    diagnostic::deep_sea::SPEC,
    diagnostic::lqr::SPEC,
    diagnostic::memory_chain::SPEC,
    diagnostic::shifted_grid::SPEC,
    minatar::asterix::SPEC,
    minatar::breakout::SPEC,
    minatar::freeway::SPEC,
    minatar::seaquest::SPEC,
    minatar::space_invaders::SPEC,
    toy_text::blackjack::SPEC,
    toy_text::cliff_walking::SPEC,
    toy_text::frozen_lake::SPEC,
    toy_text::frozen_lake::SPEC_8X8,
    toy_text::taxi::SPEC,
];

/// Other names of built-in environments: `(other name, id)`.
pub const ALIASES: &[(&str, &str)] = &[("Taxi-v3", "Taxi-v4")];

impl registry::TableRow for Spec {
    const WHAT: &'static str = "environment";

    fn name(&self) -> &'static str {
        self.id
    }
}

static TABLE: registry::Registry<Spec> = registry::Registry::new(&[ALL, custom::ALL]);

/// Adds environments of another crate to the built-in ones, once and before anything else is done.
///
/// # Errors
/// When an id is taken, or it is not the first call.
pub fn register(specs: &'static [Spec]) -> Result<(), String> {
    if let Some((alias, _)) = ALIASES.iter().find(|(alias, _)| specs.iter().any(|spec| spec.id == *alias)) {
        return Err(format!("the name `{alias}` of an environment is taken"));
    }
    TABLE.add(specs)
}

/// The built-in environments, your own, and those of other crates.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    TABLE.all()
}

/// The environment named `id`, or with this other name.
pub fn find(id: &str) -> Option<&'static Spec> {
    let id = ALIASES.iter().find(|(alias, _)| *alias == id).map_or(id, |(_, id)| id);
    all().find(|spec| spec.id == id)
}
