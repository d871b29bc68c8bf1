//! The conformance suite: what every environment promises, as functions of its [`Spec`].

use crate::{Cause, EpisodeEnd, RandomActions, Space, Spec, StepError, Steps, Vectorized, panic_message, stream};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{env} breaks the rule '{rule}': {what}")]
pub struct Broken {
    pub env: &'static str,
    pub rule: &'static str,
    pub what: String,
}

/// The rules in the order in which they are checked, with what each asks.
pub const RULES: &[(&str, &str)] = &[
    ("spaces", "at least two actions and one feature; observations have the stated size and lie in the stated space"),
    ("finite", "rewards and observations are finite, and nothing panics"),
    ("determinism", "the same streams and actions give the same steps, bit for bit"),
    ("independence", "a copy's steps do not depend on how many others there are"),
    ("time limit", "episodes are never longer than the limit, and are truncated, not terminated, by it"),
    ("reset", "nothing of an episode is left after it: a used copy does what a new one does"),
];

const STEPS: usize = 2_000;
/// Episodes that all end as terminated in the step of the limit: then the dynamics know it.
const SUSPICIOUS: usize = 3;

/// Checks every rule of [`RULES`] with random actions and default options, and stops at the first broken one.
pub fn check(spec: &Spec) -> Result<(), Broken> {
    let broken = |rule, what| Broken { env: spec.id, rule, what };
    let checked = catch_unwind(AssertUnwindSafe(|| check_rules(spec)));
    checked
        .unwrap_or_else(|panic| Err(("finite", format!("the environment panicked: {}", panic_message(panic.as_ref())))))
        .map_err(|(rule, what)| broken(rule, what))
}

/// A rule that is broken, and how.
type Rule = (&'static str, String);
type Checked = Result<(), Rule>;

fn check_rules(spec: &Spec) -> Checked {
    let few = matches!(spec.actions, Space::Discrete(0 | 1)) || spec.actions.size() == 0;
    if few || spec.observations.size() == 0 {
        return Err(("spaces", format!("actions {}, observations {}", spec.actions, spec.observations)));
    }
    let mut three = Player::new(spec, 3, "env");
    let mut again = Player::new(spec, 3, "env");
    let mut alone = Player::new(spec, 1, "env");
    let mut limits = TimeLimit::default();
    // What went wrong in a reset is told by the first step.
    Player::new(spec, 1, "env").step()?;
    check_observations(spec, three.env.steps()).map_err(|what| ("spaces", format!("after the reset: {what}")))?;
    for step in 0..STEPS {
        let (a, b, c) = (three.step()?, again.step()?, alone.step()?);
        check_observations(spec, a).map_err(|what| ("spaces", format!("step {step}: {what}")))?;
        if !same(a, b) {
            return Err(("determinism", format!("two runs of one seed differ at step {step}")));
        }
        if a.observations[..a.features] != c.observations[..] || a.rewards[0] != c.rewards[0] {
            return Err(("independence", format!("copy 0 of three and a single copy differ at step {step}")));
        }
        a.ends.iter().try_for_each(|end| limits.note(spec, end))?;
    }
    check_reset(spec, three)
}

/// Whether two batches left the same bits.
fn same(a: &Steps, b: &Steps) -> bool {
    a.observations == b.observations && a.rewards == b.rewards && a.ends == b.ends
}

/// A played-out player, given the streams of a new one, does the same as that.
fn check_reset(spec: &Spec, mut used: Player) -> Checked {
    let mut new = Player::new(spec, 3, "env after a reset");
    let streams = |name: &str| (0..3).map(|i| stream(0, name, i)).collect();
    used.env.restart(streams("env after a reset"));
    used.actions = RandomActions::new(spec.actions, streams("actions"));
    if !same(used.env.steps(), new.env.steps()) {
        return Err(("reset", "the first observation of a used copy is not that of a new one".into()));
    }
    for step in 0..STEPS / 10 {
        if !same(used.step()?, new.step()?) {
            return Err(("reset", format!("a used copy and a new one differ at step {step} after the reset")));
        }
    }
    Ok(())
}

/// Episodes that reached the limit, by how they ended.
#[derive(Default)]
struct TimeLimit {
    terminated: usize,
    truncated: usize,
}

impl TimeLimit {
    fn note(&mut self, spec: &Spec, end: &EpisodeEnd) -> Checked {
        let Some(limit) = spec.max_steps else { return Ok(()) };
        if end.length > limit {
            return Err(("time limit", format!("an episode of {} steps where the limit is {limit}", end.length)));
        }
        match end.cause {
            _ if end.length < limit => {}
            Cause::Terminated => self.terminated += 1,
            Cause::Truncated => self.truncated += 1,
        }
        if self.truncated == 0 && self.terminated >= SUSPICIOUS {
            let what = format!(
                "all {SUSPICIOUS} episodes of {limit} steps ended as terminated: the limit belongs in the SPEC, not in the dynamics"
            );
            return Err(("time limit", what));
        }
        Ok(())
    }
}

/// Copies that play random actions; copy `i` draws from a stream of its own, whatever the number of copies.
struct Player {
    env: Box<dyn Vectorized>,
    actions: RandomActions,
}

impl Player {
    fn new(spec: &Spec, copies: u64, name: &str) -> Self {
        let streams = |name: &str| (0..copies).map(|i| stream(0, name, i)).collect();
        let env = spec.make_default(streams(name));
        Player { actions: RandomActions::new(env.actions(), streams("actions")), env }
    }

    /// The next steps, or the rule that they break.
    fn step(&mut self) -> Result<&Steps, Rule> {
        self.env.step(self.actions.draw(), &[]).map_err(|error| match error {
            StepError::Unwritten { .. } => ("spaces", error.to_string()),
            _ => ("finite", error.to_string()),
        })?;
        Ok(self.env.steps())
    }
}

fn check_observations(spec: &Spec, steps: &Steps) -> Result<(), String> {
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
    use crate::{Action, Bound, Copies, Dims, Env, Outcome, Rng, all};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn every_environment_conforms() {
        for spec in all() {
            assert_eq!(check(spec), Ok(()));
        }
    }

    /// What an environment may do wrong.
    #[derive(Clone, Copy, PartialEq)]
    enum Fault {
        None,
        WritesTooLittle,
        WritesTooMuch,
        LeavesTheSpace,
        Nan,
        PaysAfterTheEnd,
        SharesState,
        DrawsUnseeded,
        KnowsTheLimit,
    }

    /// Counts ten steps, with a fault.
    #[derive(Clone)]
    struct Faulty {
        fault: Fault,
        count: u32,
        /// Of all episodes.
        owed: f64,
        shared: Arc<AtomicU32>,
    }

    static UNSEEDED: AtomicU32 = AtomicU32::new(0);

    impl Env for Faulty {
        fn reset(&mut self, _: &mut Rng) {
            self.count = 0;
        }
        fn step(&mut self, action: Action<'_>, _: &mut Rng) -> Outcome {
            self.count += 1;
            let own = f64::from(action.index());
            let reward = match self.fault {
                Fault::Nan if self.count == 7 => f64::NAN,
                Fault::PaysAfterTheEnd => std::mem::replace(&mut self.owed, own),
                Fault::SharesState => f64::from(self.shared.fetch_add(1, Ordering::Relaxed)),
                Fault::DrawsUnseeded => f64::from(UNSEEDED.fetch_add(1, Ordering::Relaxed)),
                _ => own,
            };
            Outcome { reward, terminated: self.fault == Fault::KnowsTheLimit && self.count == 10 }
        }
        fn observe(&self, out: &mut [f32]) {
            out[0] = self.count as f32;
            match self.fault {
                Fault::WritesTooLittle => return,
                Fault::WritesTooMuch => out[2] = 0.0,
                Fault::LeavesTheSpace => out[0] = -1.0,
                _ => {}
            }
            out[1] = 0.0;
        }
    }

    fn verdict(fault: Fault) -> Result<(), Broken> {
        macro_rules! specs {
            ($($fault:ident),*) => {
                match fault { $(Fault::$fault => Spec {
                    make: |_, rngs| Ok(Copies::of(&spec(), faulty(Fault::$fault, rngs.len()), rngs)),
                    ..spec()
                }),* }
            };
        }
        fn faulty(fault: Fault, copies: usize) -> Vec<Faulty> {
            vec![Faulty { fault, count: 0, owed: 0.0, shared: Arc::default() }; copies]
        }
        const fn spec() -> Spec {
            Spec {
                id: "Faulty",
                summary: "",
                source: "",
                observations: Space::Box { shape: Dims::of(&[2]), low: Bound::All(0.0), high: Bound::All(99.0) },
                actions: Space::Discrete(2),
                max_steps: Some(10),
                reward_threshold: None,
                best_return: None,
                options: &[],
                make: |_, _| unreachable!(),
            }
        }
        let spec = specs!(
            None,
            WritesTooLittle,
            WritesTooMuch,
            LeavesTheSpace,
            Nan,
            PaysAfterTheEnd,
            SharesState,
            DrawsUnseeded,
            KnowsTheLimit
        );
        check(&spec)
    }

    #[test]
    fn every_fault_is_found_by_the_rule_that_it_breaks() {
        assert_eq!(verdict(Fault::None), Ok(()));
        for (fault, rule, words) in [
            (
                Fault::WritesTooLittle,
                "spaces",
                "step 0: the observation was not written whole: element 1 of 2 is missing",
            ),
            (Fault::WritesTooMuch, "finite", "panicked: index out of bounds"),
            (Fault::LeavesTheSpace, "spaces", "element 0 of an observation is -1, outside [0, 99]"),
            (Fault::Nan, "finite", "Faulty, copy 0, step 7: the environment returned a reward of NaN"),
            (Fault::PaysAfterTheEnd, "reset", "differ at step 0 after the reset"),
            (Fault::SharesState, "independence", "copy 0 of three"),
            (Fault::DrawsUnseeded, "determinism", "two runs of one seed differ"),
            (Fault::KnowsTheLimit, "time limit", "belongs in the SPEC"),
        ] {
            let broken = verdict(fault).unwrap_err();
            assert_eq!(broken.rule, rule, "{broken}");
            assert!(broken.what.contains(words), "{broken}");
            assert!(RULES.iter().any(|(name, _)| *name == broken.rule));
        }
    }
}
