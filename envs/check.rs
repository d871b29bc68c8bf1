//! The conformance suite: what every environment promises, as functions of its [`Spec`].

use crate::{Action, Rng, Space, Spec, Steps, Vectorized, stream};
use rand::Rng as _;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{env} breaks the rule '{rule}': {what}")]
pub struct Broken {
    pub env: &'static str,
    pub rule: &'static str,
    pub what: String,
}

const STEPS: usize = 2_000;

/// Checks every rule with random actions and stops at the first broken one.
///
/// - *spaces*: at least two actions and one feature; observations have the stated size and lie in the stated box;
/// - *finite*: rewards and observations are finite (the step itself fails otherwise);
/// - *determinism*: the same streams and actions give the same steps, bit for bit;
/// - *independence*: a copy's steps do not depend on how many others there are;
/// - *time limit*: episodes are never longer than the limit, and are truncated, not terminated, by it.
pub fn check(spec: &Spec) -> Result<(), Broken> {
    let broken = |rule, what| Broken { env: spec.id, rule, what };
    let Space::Discrete(actions) = spec.actions else {
        return Err(broken("spaces", format!("the action space is {}, not Discrete(n)", spec.actions)));
    };
    if actions < 2 || spec.observations.size() == 0 {
        return Err(broken("spaces", format!("{} actions, observations {}", actions, spec.observations)));
    }
    let mut three = Player::new(spec, 3, actions);
    let mut again = Player::new(spec, 3, actions);
    let mut alone = Player::new(spec, 1, actions);
    for step in 0..STEPS {
        let [a, b, c] = [three.step(), again.step(), alone.step()]
            .map(|result| result.map_err(|error| broken("finite", error.to_string())));
        let (a, b, c) = (a?, b?, c?);
        check_space(spec, a).map_err(|what| broken("spaces", format!("step {step}: {what}")))?;
        if a.observations != b.observations || a.rewards != b.rewards || a.ends != b.ends {
            return Err(broken("determinism", format!("two runs of one seed differ at step {step}")));
        }
        if a.observations[..a.features] != c.observations[..] || a.rewards[0] != c.rewards[0] {
            return Err(broken("independence", format!("copy 0 of three and a single copy differ at step {step}")));
        }
        if let Some(end) = a.ends.iter().find(|end| end.length > spec.max_steps.unwrap_or(u32::MAX)) {
            return Err(broken("time limit", format!("an episode of {} steps", end.length)));
        }
    }
    Ok(())
}

/// Copies that play random actions; copy `i` draws from a stream of its own, whatever the number of copies.
struct Player {
    env: Box<dyn Vectorized>,
    rngs: Vec<Rng>,
    actions: Vec<Action>,
    count: u32,
}

impl Player {
    fn new(spec: &Spec, copies: u64, count: u32) -> Self {
        Player {
            env: (spec.make)((0..copies).map(|i| stream(0, "env", i)).collect()),
            rngs: (0..copies).map(|i| stream(0, "actions", i)).collect(),
            actions: vec![0; copies as usize],
            count,
        }
    }

    fn step(&mut self) -> Result<&Steps, crate::StepError> {
        for (action, rng) in self.actions.iter_mut().zip(&mut self.rngs) {
            *action = rng.random_range(0..self.count);
        }
        self.env.step(&self.actions, &[])?;
        Ok(self.env.steps())
    }
}

fn check_space(spec: &Spec, steps: &Steps) -> Result<(), String> {
    if steps.features != spec.observations.size() {
        return Err(format!("{} features where the space says {}", steps.features, spec.observations.size()));
    }
    let Space::Box { low, high } = spec.observations else { return Ok(()) };
    for observation in steps.observations.chunks(steps.features) {
        for (i, value) in observation.iter().enumerate() {
            if *value < low[i] || *value > high[i] {
                return Err(format!("element {i} of an observation is {value}, outside [{}, {}]", low[i], high[i]));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ALL, Copies, Env, Outcome};
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn every_environment_conforms() {
        for spec in ALL {
            assert_eq!(check(spec), Ok(()));
        }
    }

    /// Shares a counter between its copies.
    #[derive(Clone)]
    struct Entangled;
    static SHARED: AtomicU32 = AtomicU32::new(0);

    impl Env for Entangled {
        fn reset(&mut self, _: &mut Rng) {}
        fn step(&mut self, _: Action, _: &mut Rng) -> Outcome {
            Outcome { reward: f64::from(SHARED.fetch_add(1, Ordering::Relaxed)), terminated: false }
        }
        fn observe(&self, out: &mut [f32]) {
            out.fill(0.0);
        }
    }

    #[test]
    fn entangled_copies_are_found() {
        let spec = Spec {
            id: "Entangled",
            summary: "",
            observations: Space::Box { low: &[-1.0], high: &[1.0] },
            actions: Space::Discrete(2),
            max_steps: None,
            reward_threshold: None,
            make: |rngs| Box::new(Copies::new("Entangled", (1, 2), None, vec![Entangled; rngs.len()], rngs)),
        };
        assert_eq!(check(&spec).unwrap_err().rule, "determinism");
    }
}
