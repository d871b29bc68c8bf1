//! Come closer to 21 than the dealer without going over.
//!
//! | | |
//! |---|---|
//! | Action space | `Discrete(2)`: 0 sticks, 1 hits |
//! | Observation space | `MultiDiscrete(32, 11, 2)`, each one-hot: the player's sum, the dealer's first card (ace 1, faces 10), whether the player has a usable ace |
//! | Reward | 1 for winning, −1 for losing, 0 for a draw and for a hit that is not bust; 1.5 for winning with a natural under `natural` |
//! | Initial state | two cards for the player and two for the dealer, of which one is shown |
//! | Termination | the player sticks or is bust |
//! | Truncation | none |
//! | Solved at | not stated; the best expected return is −0.0431 |
//!
//! # Options
//! - `sab`: the rules of Sutton and Barto: the player's natural wins unless the dealer has one too, which is a draw.
//! - `natural`: winning with a natural pays 1.5. Under `sab` it does nothing.
//!
//! Without `sab` a natural is a 21 like any other: the dealer may draw up to one. The best expected returns are then −0.0466 and, with
//! `natural`, −0.0257.
//!
//! # Dynamics
//! Cards come from an infinite deck: ace to 9 with probability 1/13 each, 10 with 4/13. An ace counts 11 where that keeps the sum at or
//! below 21 (it is *usable*), otherwise 1. A sum above 21 is bust and loses at once. When the player sticks, the dealer draws until the
//! sum is 17 or more; the larger sum wins, where bust counts 0. A natural is an ace and a ten as the first two cards.
//!
//! # Source
//! Sutton and Barto (2018), "Reinforcement Learning: An Introduction", example 5.1; the rules are those of Gymnasium's `Blackjack-v1`,
//! which is registered with `sab`.

mod exact;

pub use exact::{ExactGame, Position};

use super::dynamic_programming::best_expected_return;
use super::table::{Transition, TransitionTable};
use crate::options::{OptionKind, OptionRow, Options};
use crate::{Action, BestReturn, Copies, Env, Ink, Outcome, Rng, Scene, Shape, Space, Spec};
use rand::Rng as _;
use std::collections::BTreeMap;

pub const SPEC: Spec = Spec {
    id: "Blackjack-v1",
    summary: "come closer to 21 than the dealer; 1 for winning, −1 for losing (Sutton and Barto 2018)",
    source: include_str!("blackjack.rs"),
    observations: Space::MultiDiscrete(&[SUMS as u32, CARDS as u32, 2]),
    actions: Space::Discrete(2),
    max_steps: None,
    reward_threshold: None,
    best_return: Some(BestReturn {
        found: "by dynamic programming",
        expected: |options, max_steps| best_expected_return(&ExactGame::new(Rules::new(options)).table, max_steps),
    }),
    options: &[
        OptionRow {
            name: "natural",
            meaning: "whether winning with a natural pays 1.5; does nothing with sab",
            kind: OptionKind::Flag { default: false },
        },
        OptionRow {
            name: "sab",
            meaning: "whether a natural wins against all but a natural, as in Sutton and Barto",
            kind: OptionKind::Flag { default: true },
        },
    ],
    make: |options, rngs| Ok(Copies::of(&SPEC, vec![Blackjack::new(Rules::new(options)); rngs.len()], rngs)),
};

const SUMS: usize = 32;
const CARDS: usize = 11;
/// A bust hand of aces.
const MOST_CARDS: usize = 22;
const STICK: u32 = 0;
const DEALER_STICKS_AT: u8 = 17;

/// What a natural is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub natural: bool,
    pub sab: bool,
}

impl Rules {
    pub fn new(options: &Options) -> Rules {
        Rules { natural: options.flag("natural"), sab: options.flag("sab") }
    }

    /// The reward of a player who sticks, once the dealer has drawn.
    fn payoff(self, player: Hand, dealer: Hand) -> f64 {
        let winner = match player.score().cmp(&dealer.score()) {
            std::cmp::Ordering::Less => -1.0,
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Greater => 1.0,
        };
        match player.is_natural() {
            true if self.sab && !dealer.is_natural() => 1.0,
            true if !self.sab && self.natural && winner > 0.0 => 1.5,
            _ => winner,
        }
    }
}

/// What counts of the cards in a hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hand {
    /// With a usable ace as 11.
    pub sum: u8,
    pub usable_ace: bool,
    /// Three stand for more.
    cards: u8,
}

impl Hand {
    /// The hand after one more card.
    #[must_use]
    pub fn with(self, card: u8) -> Hand {
        let hard = if self.usable_ace { self.sum - 10 } else { self.sum } + card;
        // An ace that is not usable leaves no room for another one to be.
        let usable_ace = (self.usable_ace || card == 1) && hard + 10 <= 21;
        Hand { sum: if usable_ace { hard + 10 } else { hard }, usable_ace, cards: (self.cards + 1).min(3) }
    }

    pub fn is_bust(self) -> bool {
        self.sum > 21
    }

    /// An ace and a ten.
    pub fn is_natural(self) -> bool {
        self.cards == 2 && self.sum == 21
    }

    fn score(self) -> u8 {
        if self.is_bust() { 0 } else { self.sum }
    }

    fn is_for_dealer_to_hit(self) -> bool {
        self.cards < 2 || self.sum < DEALER_STICKS_AT
    }
}

/// Every card with its probability.
fn deck() -> impl Iterator<Item = (u8, f64)> {
    (1..=10).map(|card| (card, if card == 10 { 4.0 / 13.0 } else { 1.0 / 13.0 }))
}

fn draw(rng: &mut Rng) -> u8 {
    rng.random_range(1..=13u8).min(10)
}

/// The cards of one side.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    hand: Hand,
    cards: [u8; MOST_CARDS],
    count: usize,
}

impl Side {
    fn take(&mut self, card: u8) {
        self.hand = self.hand.with(card);
        self.cards[self.count] = card;
        self.count += 1;
    }

    fn dealt(rng: &mut Rng) -> Side {
        let mut side = Side::default();
        side.take(draw(rng));
        side.take(draw(rng));
        side
    }
}

/// The state of one copy; see the module's head for the task.
#[derive(Clone, Debug)]
pub struct Blackjack {
    rules: Rules,
    player: Side,
    dealer: Side,
    /// The dealer's cards are on the table.
    is_over: bool,
}

impl Blackjack {
    /// Before the cards are dealt.
    pub fn new(rules: Rules) -> Blackjack {
        Blackjack { rules, player: Side::default(), dealer: Side::default(), is_over: false }
    }

    /// The player's hand and the dealer's shown card.
    pub fn position(&self) -> Position {
        Position { player: self.player.hand, dealer: self.dealer.cards[0] }
    }
}

impl Env for Blackjack {
    fn reset(&mut self, rng: &mut Rng) {
        self.player = Side::dealt(rng);
        self.dealer = Side::dealt(rng);
        self.is_over = false;
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng) -> Outcome {
        if action.index() != STICK {
            self.player.take(draw(rng));
            self.is_over = self.player.hand.is_bust();
            return Outcome { reward: if self.is_over { -1.0 } else { 0.0 }, terminated: self.is_over };
        }
        while self.dealer.hand.is_for_dealer_to_hit() {
            self.dealer.take(draw(rng));
        }
        self.is_over = true;
        Outcome { reward: self.rules.payoff(self.player.hand, self.dealer.hand), terminated: true }
    }

    fn observe(&self, out: &mut [f32]) {
        let Position { player, dealer } = self.position();
        out.fill(0.0);
        for index in [player.sum.into(), SUMS + usize::from(dealer), SUMS + CARDS + usize::from(player.usable_ace)] {
            out[index] = 1.0;
        }
    }

    /// The dealer's cards above, all but the first face down until the end; the player's below, with the sum.
    fn scene(&self) -> Option<Scene> {
        let mut scene = Scene::new(10.0, 6.0);
        let rows = [(&self.dealer, 3.6, Ink::Other), (&self.player, 0.4, Ink::Player)];
        for (side, bottom, ink) in rows {
            // More cards lie closer together.
            let distance = (6.0 / side.count.max(1) as f32).min(1.6);
            for (i, card) in side.cards[..side.count].iter().enumerate() {
                let left = 0.5 + distance * i as f32;
                let is_hidden = ink == Ink::Other && i > 0 && !self.is_over;
                let ink = if is_hidden { Ink::Quiet } else { ink };
                scene.shapes.push(Shape::Rectangle { corner: (left, bottom), size: (1.4, 2.0), ink });
                if !is_hidden {
                    let text = if *card == 1 { "A".into() } else { card.to_string() };
                    scene.shapes.push(Shape::Text {
                        at: (left + 0.4, bottom + 1.3),
                        text,
                        size: 0.6,
                        ink: Ink::Outline,
                    });
                }
            }
            let is_shown = ink == Ink::Player || self.is_over;
            let text = if is_shown { side.hand.sum.to_string() } else { "?".into() };
            scene.shapes.push(Shape::Text { at: (9.2, bottom + 0.7), text, size: 0.8, ink: Ink::Outline });
        }
        Some(scene)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy_text::dynamic_programming::{best_action, mean_over_starts, optimal_values};
    use crate::{Actions, Vectorized, stream};

    fn hand(cards: &[u8]) -> Hand {
        cards.iter().fold(Hand::default(), |hand, card| hand.with(*card))
    }

    #[test]
    fn aces_count_eleven_where_they_can() {
        for (cards, sum, usable_ace, is_natural) in [
            (&[1, 10][..], 21, true, true),
            (&[1, 1], 12, true, false),
            (&[1, 1, 10], 12, false, false),
            (&[5, 5, 1], 21, true, false),
            (&[10, 2, 1], 13, false, false),
            (&[1, 5, 5], 21, true, false),
            (&[1, 5, 5, 10], 21, false, false),
            (&[10, 10, 10], 30, false, false),
        ] {
            let hand = hand(cards);
            assert_eq!((hand.sum, hand.usable_ace, hand.is_natural()), (sum, usable_ace, is_natural), "{cards:?}");
        }
    }

    #[test]
    fn a_natural_pays_what_the_rules_say() {
        let (natural, late, twenty) = (hand(&[1, 10]), hand(&[10, 6, 5]), hand(&[10, 10]));
        let pay = |natural: bool, sab: bool, player, dealer| Rules { natural, sab }.payoff(player, dealer);
        assert_eq!([late, twenty, natural].map(|dealer| pay(false, true, natural, dealer)), [1.0, 1.0, 0.0]);
        assert_eq!([late, twenty, natural].map(|dealer| pay(true, true, natural, dealer)), [1.0, 1.0, 0.0]);
        assert_eq!([late, twenty, natural].map(|dealer| pay(true, false, natural, dealer)), [0.0, 1.5, 0.0]);
        assert_eq!([late, twenty, natural].map(|dealer| pay(false, false, natural, dealer)), [0.0, 1.0, 0.0]);
        assert_eq!(pay(true, true, late, natural), 0.0);
        assert_eq!(pay(true, true, twenty, hand(&[10, 6, 9])), 1.0);
    }

    /// Playing the best policy of the table with cards, within 4.5 standard errors of its exact return.
    #[test]
    fn played_hands_return_what_the_table_says() {
        for rules in [(false, true), (false, false), (true, false)].map(|(natural, sab)| Rules { natural, sab }) {
            let game = ExactGame::new(rules);
            let values = optimal_values(&game.table, 1.0).unwrap();
            let spaces = (SPEC.observations, SPEC.actions);
            let mut copies = Copies::new(SPEC.id, spaces, None, vec![Blackjack::new(rules)], vec![stream(1, "env", 0)]);
            let (mut sum, mut squares, mut hands) = (0.0, 0.0, 0.0);
            while hands < 200_000.0 {
                let state = game.state(copies.env_mut(0).position()).unwrap();
                copies.step(Actions::Indices(&[best_action(&game.table, &values, state, 1.0) as u32]), &[]).unwrap();
                for end in &copies.steps().ends {
                    (sum, squares, hands) = (sum + end.total_reward, squares + end.total_reward.powi(2), hands + 1.0);
                }
            }
            let mean: f64 = sum / hands;
            let error = ((squares / hands - mean * mean) / hands).sqrt();
            let exact = mean_over_starts(&game.table, &values);
            assert!((mean - exact).abs() <= 4.5 * error, "{rules:?}: {mean} ± {error}, exactly {exact}");
        }
    }
}
