//! An environment as an experiment asks for it: with its options, its time limit and its wrappers.

use super::TaskSettings;
use crate::options::{Given, Named, OptionValue, Options};
use crate::{Error, Result, Rng};
use lossward_envs::wrapper::{self, Purpose, WrapperStatistics, Wrappers};
use lossward_envs::{Space, Spec, Vectorized};

/// The time limit of an environment that has none of its own: a policy that never ends an episode must not hold up a trial.
pub const DEFAULT_MAX_STEPS: u32 = 10_000;

/// An environment, and what its wrappers have learned.
#[derive(Clone)]
pub struct Environment {
    pub spec: &'static Spec,
    /// With its options, as [`Self::actions`].
    pub observations: Space,
    pub actions: Space,
    given: Given,
    options: Options,
    max_steps: u32,
    wrappers: Wrappers,
    /// Shared by all copies of one trial.
    statistics: WrapperStatistics,
}

impl Environment {
    /// # Errors
    /// When there is no such environment, or it can't be had like this; at the key of the task that is to blame.
    pub fn new(id: &str, settings: &TaskSettings) -> Result<Environment> {
        let spec = find_environment(id).map_err(|error| error.under("env"))?;
        let max_steps = settings.max_steps.or(spec.max_steps).unwrap_or(DEFAULT_MAX_STEPS);
        let given = settings.options.clone().unwrap_or_default();
        let options = Options::new(spec.id, spec.options, &given).map_err(|error| Error::setting("options", error))?;
        let wrappers = settings.wrappers.clone().unwrap_or_default();
        let (observations, actions) = (spec.observations, spec.actions);
        let statistics = WrapperStatistics::default();
        let plain = Environment { spec, observations, actions, given, options, max_steps, wrappers, statistics };
        plain.with_its_spaces()
    }

    /// The spaces of the copies are known when there are some, be it none.
    fn with_its_spaces(self) -> Result<Environment> {
        let copies = self.copies(Vec::new(), Purpose::Training { discount: 1.0 })?;
        Ok(Environment { observations: copies.observations(), actions: copies.actions(), ..self })
    }

    /// The same environment under other rules: these options over its own.
    ///
    /// # Errors
    /// When an option does not fit, or a network for the one environment would not fit the other.
    pub fn with_options(&self, over: Option<&Given>) -> Result<Environment> {
        let given = self.given.iter().chain(over.into_iter().flatten());
        let given: Given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        let options = Options::new(self.spec.id, self.spec.options, &given)?;
        let other = Environment { given, options, ..self.clone() }.with_its_spaces()?;
        if (other.observations.shape(), other.actions) != (self.observations.shape(), self.actions) {
            return Err(Error::Argument(format!(
                "with these options {} has observations {} and actions {}; training has {} and {}",
                self.spec.id, other.observations, other.actions, self.observations, self.actions
            )));
        }
        Ok(other)
    }

    /// The same, with statistics of its own that begin as these are now.
    pub(super) fn apart(&self) -> Result<Environment> {
        let own = WrapperStatistics::default();
        let both = [(&own.observations, &self.statistics.observations), (&own.returns, &self.statistics.returns)];
        for (own, of) in both {
            of.moments().map_or(Ok(()), |moments| own.set(moments))?;
        }
        Ok(Environment { statistics: own, ..self.clone() })
    }

    /// Copies, one per stream.
    pub fn copies(&self, rngs: Vec<Rng>, purpose: Purpose) -> Result<Box<dyn Vectorized>> {
        let env = (self.spec.make)(&self.options, rngs).map_err(|error| Error::setting("options", error))?;
        let env = wrapper::limit_time(env, self.max_steps).map_err(|error| Error::setting("max_steps", error))?;
        let wrapped = self.wrappers.apply(env, purpose, &self.statistics);
        wrapped.map_err(|error| Error::setting("wrappers", error))
    }

    /// What can be reached in it at best; nothing where it is not known, as where actions stick.
    pub fn best_return(&self) -> Option<BestExpectedReturn> {
        if self.wrappers.sticky_actions.is_some_and(|probability| probability > 0.0) {
            return None;
        }
        let (max_steps, found) = (self.max_steps, self.spec.best_return?.found);
        let expected = self.spec.best_expected_return(&self.options, Some(max_steps))?;
        Some(BestExpectedReturn { environment: self.label(), max_steps, expected, found })
    }

    /// The id, with the options that were given and a time limit that is not its own: `FrozenLake-v1(map=8x8 max_steps=50)`.
    pub fn label(&self) -> String {
        let mut options = self.given.clone();
        if self.max_steps != self.spec.max_steps.unwrap_or(DEFAULT_MAX_STEPS) {
            options.insert("max_steps".into(), OptionValue::Whole(self.max_steps.into()));
        }
        Named { name: self.spec.id.into(), options }.label()
    }

    /// What a network for these observations must be saved with.
    pub fn statistics(&self) -> Option<&WrapperStatistics> {
        let Wrappers { normalize_observations, normalize_rewards, .. } = &self.wrappers;
        [normalize_observations, normalize_rewards].contains(&&Some(true)).then_some(&self.statistics)
    }
}

/// What the best of all policies can expect of an episode; see [`lossward_envs::BestReturn`].
#[derive(Clone, Debug, PartialEq)]
pub struct BestExpectedReturn {
    /// With the options that were given: `FrozenLake-v1(map=8x8)`.
    pub environment: String,
    pub max_steps: u32,
    pub expected: f64,
    /// With what is said after the number: `by dynamic programming`.
    pub found: &'static str,
}

impl std::fmt::Display for BestExpectedReturn {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let BestExpectedReturn { environment, expected, found, .. } = self;
        write!(f, "{environment}: the best expected return is {}, {found}", four_decimals(*expected))
    }
}

/// At most four: `0.7442`, `-13`.
pub fn four_decimals(value: f64) -> String {
    // Rounding must not leave the sign of a zero behind.
    ((value * 1e4).round() / 1e4 + 0.0).to_string()
}

/// The built-in environment `id`, or an error with the nearest one.
pub fn find_environment(id: &str) -> Result<&'static Spec> {
    lossward_envs::find(id).ok_or_else(|| {
        let known: Vec<&str> = lossward_envs::all().map(|spec| spec.id).collect();
        Error::Argument(crate::error::unknown("environment", id, &known))
    })
}
