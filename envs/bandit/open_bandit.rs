//! Recommend one of 34 articles of clothing to real visitors of a shop, by replaying what was shown and clicked.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(34)`: the item to show |
//! | Observation space | `Box(63)`: position on the page (one of 3), four features of the visitor (one of 3, 5, 9, 9; one-hot all), the visitor's affinity to each of the 34 items (counts, 0 to 15) |
//! | Reward | in a round in which the item was indeed shown: 1 if it was clicked, otherwise 0; in any other round 0 |
//! | Initial state | a logged round, each as likely |
//! | Termination | after a round in which the item was indeed shown |
//! | Truncation | never |
//! | Solved at | not known; showing items at random earns 0.0046, the share of clicks |
//!
//! # Dynamics
//! The log holds what a policy that shows every item with probability 1/34 has shown to whom, and whether they clicked. A
//! round whose logged item differs from the action is skipped, since nobody knows whether that item would have been
//! clicked: the next round, drawn like the first one, takes its place. The first round in which both agree ends the
//! episode. Whether they agree depends neither on the visitor nor on the item, so the mean return of a policy estimates
//! what it would have earned per visitor. It is exactly `Σ_i π(a_i|x_i) r_i / Σ_i π(a_i|x_i)` over the logged rounds:
//! rounds are drawn with replacement, not read once from first to last as in the source. The clicks are 46 in 10 000 rounds,
//! so differences between policies drown in noise; [`inverse_propensity`](super::off_policy::inverse_propensity) tells how
//! much.
//!
//! # Source
//! Replay: Li, Chu, Langford and Wang (2011), "Unbiased offline evaluation of contextual-bandit-based news article
//! recommendation algorithms", arXiv 1003.5956. Data: Saito, Aihara, Matsutani and Narita (2021), "Open Bandit Dataset and
//! Pipeline", arXiv 2008.07146, campaign "Men", policy "random"; see `datasets/open_bandit_men/DATASET.md`.

use super::off_policy::LoggedRound;
use crate::{Action, Bound, Copies, Dims, Env, Ink, Outcome, Rng, Scene, Space, Spec};
use flate2::read::GzDecoder;
use rand::Rng as _;
use std::io::Read;
use std::sync::OnceLock;

const ITEMS: usize = 34;
/// Codes of the one-hot columns: position, u0 to u3.
const CODES: [usize; 5] = [3, 3, 5, 9, 9];
/// 29 codes and 34 affinities.
const FEATURES: usize = 63;

pub const SPEC: Spec = Spec {
    id: "Lossward/OpenBandit-v0",
    summary: "recommend one of 34 items by replaying logged rounds; 1 for a click (Li 2011, Saito 2021)",
    source: include_str!("open_bandit.rs"),
    observations: Space::Box { shape: Dims::of(&[FEATURES]), low: Bound::All(0.0), high: Bound::All(15.0) },
    actions: Space::Discrete(ITEMS as u32),
    max_steps: None,
    reward_threshold: None,
    best_return: None,
    options: &[],
    make: |_, rngs| Ok(Copies::of(&SPEC, vec![OpenBandit { log: log(), round: 0 }; rngs.len()], rngs)),
};

/// The logged rounds.
#[derive(Debug)]
pub struct Log {
    pub rounds: Vec<LoggedRound>,
    /// `[rounds, 63]`; small whole numbers.
    contexts: Vec<u8>,
}

impl Log {
    /// What is known about the visitor of a round.
    pub fn context(&self, round: usize) -> &[u8] {
        &self.contexts[round * FEATURES..(round + 1) * FEATURES]
    }
}

/// The log that the program carries, unpacked when it is first asked for.
pub fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let packed = include_bytes!("../../datasets/open_bandit_men/random.csv.gz");
        let mut text = String::new();
        GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("the file was packed when the program was built");
        let mut log = Log { rounds: Vec::new(), contexts: Vec::new() };
        for line in text.lines().skip(1) {
            read_round(&mut log, line).unwrap_or_else(|| panic!("a broken line in open_bandit_men: {line}"));
        }
        log
    })
}

/// A line `seconds, item, position, click, propensity, u0 … u3, affinity 0 … 33`.
fn read_round(log: &mut Log, line: &str) -> Option<()> {
    let mut fields = line.split(',').skip(1);
    let mut whole = || fields.next()?.parse::<u8>().ok();
    let (item, position, click) = (whole()?, whole()?, whole()?);
    let propensity = fields.next()?.parse().ok()?;
    log.rounds.push(LoggedRound { action: u32::from(item), reward: f64::from(click), propensity });
    let mut code = position.checked_sub(1)?;
    for (i, codes) in CODES.into_iter().enumerate() {
        if i > 0 {
            code = fields.next()?.parse().ok()?;
        }
        log.contexts.extend((0..codes).map(|k| u8::from(k == usize::from(code))));
    }
    for _ in 0..ITEMS {
        log.contexts.push(fields.next()?.parse().ok()?);
    }
    Some(())
}

/// One copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct OpenBandit {
    log: &'static Log,
    /// The present one.
    pub round: usize,
}

impl Env for OpenBandit {
    fn reset(&mut self, rng: &mut Rng) {
        self.round = rng.random_range(0..self.log.rounds.len());
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng) -> Outcome {
        let round = self.log.rounds[self.round];
        if action.index() == round.action {
            return Outcome { reward: round.reward, terminated: true };
        }
        self.reset(rng);
        Outcome { reward: 0.0, terminated: false }
    }

    fn observe(&self, out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(self.log.context(self.round)) {
            *out = f32::from(*value);
        }
    }

    /// The items in four rows: the one that was shown, which the policy cannot see, and those that the visitor has an
    /// affinity to.
    fn scene(&self) -> Option<Scene> {
        let affinities = &self.log.context(self.round)[FEATURES - ITEMS..];
        let shown = self.log.rounds[self.round].action as usize;
        Some(Scene::grid(4, 9, |row, column| match row * 9 + column {
            item if item >= ITEMS => None,
            item if item == shown => Some(Ink::Goal),
            item if affinities[item] > 0 => Some(Ink::Other),
            _ => Some(Ink::Quiet),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::off_policy::{inverse_propensity, replay};
    use super::*;
    use crate::{Actions, stream};

    /// The facts of DATASET.md.
    #[test]
    fn the_log_is_the_one_that_its_description_tells() {
        let log = log();
        assert_eq!(log.rounds.len(), 10_000);
        assert_eq!(log.rounds.iter().map(|round| round.reward).sum::<f64>(), 46.0);
        assert!(log.rounds.iter().all(|round| (round.propensity - 1.0 / 34.0).abs() < 1e-15));
        for i in 0..log.rounds.len() {
            let ones: u8 = log.context(i)[..FEATURES - ITEMS].iter().sum();
            assert_eq!(ones, 5, "round {i} has one code of each of five columns");
        }
    }

    #[test]
    fn showing_items_at_random_earns_the_share_of_clicks() {
        let rounds = &log().rounds;
        let estimate = inverse_propensity(rounds, |_| 1.0 / 34.0).unwrap();
        assert!((estimate.mean - 0.0046).abs() < 1e-12);
        // Of a mean of 10 000 draws of 0 and 1.
        let expected = (0.0046_f64 * (1.0 - 0.0046) / 9_999.0).sqrt();
        assert!((estimate.standard_error - expected).abs() < 1e-12);
        // All that always show one item: together they agree with every round once.
        let agreed = (0..34).map(|item| replay(rounds, |_| item).unwrap().rounds).sum::<usize>();
        assert_eq!(agreed, 10_000);
    }

    /// Episodes of the policy that always shows one item: they earn its share of clicks, and the rounds to wait for it are
    /// geometrically distributed.
    #[test]
    fn the_mean_return_is_the_replay_estimate() {
        let rounds = &log().rounds;
        let clicks = |item| rounds.iter().filter(|round| round.action == item).map(|round| round.reward).sum::<f64>();
        let item = (0..34).max_by(|a, b| clicks(*a).total_cmp(&clicks(*b))).unwrap();
        let estimate = replay(rounds, |_| item).unwrap();
        let mut env = SPEC.make_default((0..100).map(|i| stream(0, "env", i)).collect());
        let (mut episodes, mut total, mut length) = (0.0, 0.0, 0.0);
        while episodes < 40_000.0 {
            env.step(Actions::Indices(&[item; 100]), &[]).unwrap();
            for end in &env.steps().ends {
                episodes += 1.0;
                total += end.total_reward;
                length += f64::from(end.length);
            }
        }
        let p = estimate.mean;
        assert!((total / episodes - p).abs() < 4.0 * (p * (1.0 - p) / episodes).sqrt(), "{} {p}", total / episodes);
        let wait = 10_000.0 / estimate.rounds as f64;
        assert!((length / episodes - wait).abs() < 4.0 * wait / episodes.sqrt(), "{} {wait}", length / episodes);
    }
}
