//! Environments that are a table: for each state and action, what may follow and how likely.

use crate::{Action, Copies, Env, Outcome, Rng, Scene, Space, Spec, Vectorized};
use rand::Rng as _;
use std::sync::Arc;

/// One thing that may follow an action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition {
    pub probability: f64,
    pub next_state: u32,
    pub reward: f64,
    /// Whether the episode ends with it. Then the value of `next_state` doesn't count.
    pub terminated: bool,
}

impl Transition {
    /// The only thing that may follow.
    pub fn certain(next_state: u32, reward: f64, terminated: bool) -> Transition {
        Transition { probability: 1.0, next_state, reward, terminated }
    }
}

/// A finite Markov decision process.
#[derive(Clone, Debug, PartialEq)]
pub struct TransitionTable {
    states: usize,
    actions: usize,
    /// Of all states and actions, one list after another.
    transitions: Vec<Transition>,
    /// Where the list of `state * actions + action` begins; one more for the end.
    beginnings: Vec<usize>,
    /// States in which episodes begin, by rising number, with their probabilities.
    starts: Vec<(u32, f64)>,
}

impl TransitionTable {
    /// The table of `(states, actions)` in which `follow(state, action)` follows. Equal outcomes are merged and sorted by next
    /// state, reward and end.
    ///
    /// # Panics
    /// When probabilities do not sum to 1, a state is outside, or there is nowhere to start: the builder is wrong.
    pub fn new(
        (states, actions): (usize, usize),
        starts: Vec<(u32, f64)>,
        follow: impl Fn(u32, u32) -> Vec<Transition>,
    ) -> TransitionTable {
        let mut table = TransitionTable { states, actions, transitions: Vec::new(), beginnings: vec![0], starts };
        assert_distribution(table.starts.iter().map(|start| start.1));
        for (state, action) in
            (0..states as u32).flat_map(|state| (0..actions as u32).map(move |action| (state, action)))
        {
            let list = merged(follow(state, action));
            assert_distribution(list.iter().map(|transition| transition.probability));
            assert!(list.iter().all(|transition| transition.next_state < states as u32), "a state that does not exist");
            table.transitions.extend(list);
            table.beginnings.push(table.transitions.len());
        }
        table
    }

    pub fn states(&self) -> usize {
        self.states
    }

    pub fn actions(&self) -> usize {
        self.actions
    }

    /// In which states episodes begin, and how often.
    pub fn starts(&self) -> &[(u32, f64)] {
        &self.starts
    }

    /// What may follow.
    pub fn transitions(&self, state: usize, action: usize) -> &[Transition] {
        let list = state * self.actions + action;
        &self.transitions[self.beginnings[list]..self.beginnings[list + 1]]
    }

    /// Whether an action may lead elsewhere: the entry of an action mask.
    pub fn moves(&self, state: usize, action: usize) -> bool {
        let elsewhere =
            |transition: &Transition| transition.probability > 0.0 && transition.next_state as usize != state;
        self.transitions(state, action).iter().any(elsewhere)
    }

    fn draw_start(&self, rng: &mut Rng) -> u32 {
        draw(&self.starts, |start| start.1, rng).0
    }
}

fn assert_distribution(probabilities: impl Iterator<Item = f64>) {
    let sum: f64 = probabilities.inspect(|p| assert!(*p >= 0.0, "a probability of {p}")).sum();
    assert!((sum - 1.0).abs() < 1e-9, "probabilities that sum to {sum}");
}

fn merged(mut list: Vec<Transition>) -> Vec<Transition> {
    list.sort_by(|a, b| {
        (a.next_state.cmp(&b.next_state)).then(a.reward.total_cmp(&b.reward)).then(a.terminated.cmp(&b.terminated))
    });
    list.dedup_by(|next, kept| {
        let same =
            (next.next_state, next.terminated) == (kept.next_state, kept.terminated) && next.reward == kept.reward;
        if same {
            kept.probability += next.probability;
        }
        same
    });
    list
}

/// One of a list, with these probabilities.
#[inline]
fn draw<'a, T>(list: &'a [T], probability: impl Fn(&T) -> f64, rng: &mut Rng) -> &'a T {
    let mut chosen = &list[0];
    if list.len() == 1 {
        return chosen;
    }
    let mut left = rng.random::<f64>();
    for item in list.iter().filter(|item| probability(item) > 0.0) {
        chosen = item;
        left -= probability(item);
        if left < 0.0 {
            break;
        }
    }
    chosen
}

/// A table and what its states look like.
pub struct World {
    pub table: TransitionTable,
    /// Whether [`TransitionTable::moves`] masks actions.
    pub masks_actions: bool,
    pub scene: Box<dyn Fn(u32) -> Scene + Send + Sync>,
}

/// One copy of an environment that is a table; all copies share it. Observations are one-hot.
#[derive(Clone)]
pub struct TabularEnv {
    world: Arc<World>,
    pub state: u32,
}

impl TabularEnv {
    pub fn new(world: Arc<World>) -> TabularEnv {
        let state = world.table.starts[0].0;
        TabularEnv { world, state }
    }

    /// One copy per stream, in the spaces of the table.
    pub fn copies(spec: &Spec, world: World, rngs: Vec<Rng>) -> Box<dyn Vectorized> {
        let size = |n: usize| Space::Discrete(n as u32);
        let spaces = (size(world.table.states), size(world.table.actions));
        let envs = vec![TabularEnv::new(Arc::new(world)); rngs.len()];
        Box::new(Copies::new(spec.id, spaces, spec.max_steps, envs, rngs))
    }
}

impl Env for TabularEnv {
    fn reset(&mut self, rng: &mut Rng) {
        self.state = self.world.table.draw_start(rng);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng) -> Outcome {
        let list = self.world.table.transitions(self.state as usize, action.index() as usize);
        let Transition { next_state, reward, terminated, .. } = *draw(list, |transition| transition.probability, rng);
        self.state = next_state;
        Outcome { reward, terminated }
    }

    fn observe(&self, out: &mut [f32]) {
        out.fill(0.0);
        out[self.state as usize] = 1.0;
    }

    fn action_mask(&self, out: &mut [bool]) -> bool {
        if self.world.masks_actions {
            out.iter_mut()
                .enumerate()
                .for_each(|(action, out)| *out = self.world.table.moves(self.state as usize, action));
        }
        self.world.masks_actions
    }

    fn scene(&self) -> Option<Scene> {
        Some((self.world.scene)(self.state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream;

    /// From state 0 to each of three states, one of them never, one of them twice.
    fn table() -> TransitionTable {
        let to =
            |next_state, probability| Transition { probability, next_state, reward: 0.0, terminated: next_state > 0 };
        TransitionTable::new((3, 1), vec![(0, 0.25), (1, 0.0), (2, 0.75)], |_, _| {
            vec![to(2, 0.5), to(0, 0.2), to(1, 0.0), to(2, 0.3)]
        })
    }

    #[test]
    fn equal_outcomes_are_merged_and_sorted() {
        let list: Vec<(u32, f64)> = table()
            .transitions(0, 0)
            .iter()
            .map(|transition| (transition.next_state, transition.probability))
            .collect();
        assert_eq!(list, [(0, 0.2), (1, 0.0), (2, 0.8)]);
        assert!(table().moves(0, 0));
    }

    /// Within 4.5 standard errors.
    #[test]
    fn starts_and_outcomes_come_as_often_as_the_table_says() {
        let world = World { table: table(), masks_actions: false, scene: Box::new(|_| Scene::new(1.0, 1.0)) };
        let mut env = TabularEnv::new(Arc::new(world));
        let (mut starts, mut ends, n) = ([0; 3], [0; 3], 100_000);
        let mut rng = stream(0, "env", 0);
        for _ in 0..n {
            env.reset(&mut rng);
            starts[env.state as usize] += 1;
            env.step(Action::Index(0), &mut rng);
            ends[env.state as usize] += 1;
        }
        let near = |count: i32, p: f64| {
            let n = f64::from(n);
            (f64::from(count) - n * p).abs() <= 4.5 * (n * p * (1.0 - p)).sqrt()
        };
        assert!(near(starts[0], 0.25) && starts[1] == 0, "{starts:?}");
        assert!(near(ends[0], 0.2) && ends[1] == 0, "{ends:?}");
    }
}
