//! The conformance suite: what every environment promises, as functions of its [`Spec`].

use crate::{RandomActions, Space, Spec, Steps, Vectorized, stream};

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
    if matches!(spec.actions, Space::Discrete(0 | 1)) || spec.actions.size() == 0 || spec.observations.size() == 0 {
        return Err(broken("spaces", format!("actions {}, observations {}", spec.actions, spec.observations)));
    }
    let mut three = Player::new(spec, 3);
    let mut again = Player::new(spec, 3);
    let mut alone = Player::new(spec, 1);
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
    actions: RandomActions,
}

impl Player {
    fn new(spec: &Spec, copies: u64) -> Self {
        let streams = |name| (0..copies).map(|i| stream(0, name, i)).collect();
        let env = spec.make_default(streams("env"));
        Player { actions: RandomActions::new(env.actions(), streams("actions")), env }
    }

    fn step(&mut self) -> Result<&Steps, crate::StepError> {
        self.env.step(self.actions.draw(), &[])?;
        Ok(self.env.steps())
    }
}

fn check_space(spec: &Spec, steps: &Steps) -> Result<(), String> {
    let space = spec.observations;
    if steps.features != space.size() {
        return Err(format!("{} features where the space says {}", steps.features, space.size()));
    }
    for observation in steps.observations.chunks(steps.features) {
        if let (Some(i), Space::Box { low, high, .. }) = (space.first_outside(observation), space) {
            let (value, low, high) = (observation[i], low.of(i), high.of(i));
            return Err(format!("element {i} of an observation is {value}, outside [{low}, {high}]"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ALL, Action, Bound, Copies, Dims, Env, Outcome, Rng};
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
        fn step(&mut self, _: Action<'_>, _: &mut Rng) -> Outcome {
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
            observations: Space::Box { shape: Dims::of(&[1]), low: Bound::All(-1.0), high: Bound::All(1.0) },
            actions: Space::Discrete(2),
            max_steps: None,
            reward_threshold: None,
            options: &[],
            make: |_, rngs| {
                let spaces = (
                    Space::Box { shape: Dims::of(&[1]), low: Bound::All(-1.0), high: Bound::All(1.0) },
                    Space::Discrete(2),
                );
                Ok(Box::new(Copies::new("Entangled", spaces, None, vec![Entangled; rngs.len()], rngs)))
            },
        };
        assert_eq!(check(&spec).unwrap_err().rule, "determinism");
    }
}
