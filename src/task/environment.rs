//! An environment as an experiment asks for it.

use super::TaskSettings;
use crate::options::{Given, Options};
use crate::{Error, Result, Rng};
use lossward_envs::{Space, Spec, Vectorized, wrapper};

/// The time limit of an environment that has none of its own: a policy that never ends an episode must not hold up a trial.
pub const DEFAULT_MAX_STEPS: u32 = 10_000;

/// An environment with its options and its time limit.
#[derive(Clone)]
pub struct Environment {
    pub spec: &'static Spec,
    /// With its options, as [`Self::actions`].
    pub observations: Space,
    pub actions: Space,
    given: Given,
    options: Options,
    max_steps: u32,
}

impl Environment {
    /// # Errors
    /// When there is no such environment, or it can't be had like this.
    pub fn new(id: &str, settings: &TaskSettings) -> Result<Environment> {
        let spec = find_environment(id)?;
        let max_steps = settings.max_steps.or(spec.max_steps).unwrap_or(DEFAULT_MAX_STEPS);
        Self::made(spec, settings.options.clone().unwrap_or_default(), max_steps)
    }

    fn made(spec: &'static Spec, given: Given, max_steps: u32) -> Result<Environment> {
        let options = Options::new(spec.id, spec.options, &given)?;
        let made = wrapper::limit_time((spec.make)(&options, Vec::new())?, max_steps)?;
        let (observations, actions) = (made.observations(), made.actions());
        Ok(Environment { spec, observations, actions, given, options, max_steps })
    }

    /// The same environment under other rules: these options over its own.
    ///
    /// # Errors
    /// When an option does not fit, or a network for the one environment would not fit the other.
    pub fn with_options(&self, over: Option<&Given>) -> Result<Environment> {
        let given = self.given.iter().chain(over.into_iter().flatten());
        let given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        let other = Self::made(self.spec, given, self.max_steps)?;
        if (other.observations.shape(), other.actions) != (self.observations.shape(), self.actions) {
            return Err(Error::Argument(format!(
                "with these options {} has observations {} and actions {}; training has {} and {}",
                self.spec.id, other.observations, other.actions, self.observations, self.actions
            )));
        }
        Ok(other)
    }

    /// Copies, one per stream.
    pub fn copies(&self, rngs: Vec<Rng>) -> Result<Box<dyn Vectorized>> {
        Ok(wrapper::limit_time((self.spec.make)(&self.options, rngs)?, self.max_steps)?)
    }
}

/// The built-in environment `id`, or an error with the nearest one.
pub fn find_environment(id: &str) -> Result<&'static Spec> {
    lossward_envs::find(id).ok_or_else(|| {
        let known: Vec<&str> = lossward_envs::all().map(|spec| spec.id).collect();
        Error::Argument(crate::error::unknown("environment", id, &known))
    })
}
