//! What the best policy wins, by dynamic programming over everything that can be known.

use super::*;

/// What the player can know, and whether two cards made the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub player: Hand,
    /// The shown card.
    pub dealer: u8,
}

impl Position {
    /// A hand that is no natural counts as one of three cards: how many it has doesn't matter to what follows.
    fn counted(self) -> Position {
        let cards = if self.player.is_natural() { 2 } else { 3 };
        Position { player: Hand { cards, ..self.player }, ..self }
    }
}

/// The game as a table, for dynamic programming. Its states are the positions, and one more for the end.
///
/// The dealer's second card is drawn when the player sticks; the deck is infinite, so that nothing depends on when.
pub struct ExactGame {
    pub table: TransitionTable,
    positions: Vec<Position>,
}

impl ExactGame {
    pub fn new(rules: Rules) -> ExactGame {
        let starts = starts();
        let positions = reachable(starts.keys().copied());
        let end = positions.len() as u32;
        let index = |position: Position| positions.binary_search(&position.counted()).map_or(end, |i| i as u32);
        let starts = starts.into_iter().map(|(position, probability)| (index(position), probability)).collect();
        let finals: Vec<Vec<(Hand, f64)>> = (1..=10).map(dealer_hands).collect();
        let table = TransitionTable::new((positions.len() + 1, 2), starts, |state, action| {
            let Some(&Position { player, dealer }) = positions.get(state as usize) else {
                return vec![Transition::certain(end, 0.0, true)];
            };
            let hit = |(card, probability)| match player.with(card) {
                bust if bust.is_bust() => Transition { probability, next_state: end, reward: -1.0, terminated: true },
                player => {
                    let next_state = index(Position { player, dealer });
                    Transition { probability, next_state, reward: 0.0, terminated: false }
                }
            };
            let stick = |&(dealer, probability): &(Hand, f64)| {
                let reward = rules.payoff(player, dealer);
                Transition { probability, next_state: end, reward, terminated: true }
            };
            match action {
                STICK => finals[usize::from(dealer) - 1].iter().map(stick).collect(),
                _ => deck().map(hit).collect(),
            }
        });
        ExactGame { table, positions }
    }

    /// The position of a state; none at the end.
    pub fn position(&self, state: usize) -> Option<Position> {
        self.positions.get(state).copied()
    }

    /// The state of a position.
    pub fn state(&self, position: Position) -> Option<usize> {
        self.positions.binary_search(&position.counted()).ok()
    }
}

/// The positions after the deal, with their probabilities.
fn starts() -> BTreeMap<Position, f64> {
    let mut starts = BTreeMap::new();
    for (first, p) in deck() {
        for (second, q) in deck() {
            for (dealer, r) in deck() {
                let player = Hand::default().with(first).with(second);
                *starts.entry(Position { player, dealer }.counted()).or_insert(0.0) += p * q * r;
            }
        }
    }
    starts
}

/// Every position that can follow, sorted.
fn reachable(starts: impl Iterator<Item = Position>) -> Vec<Position> {
    let mut open: Vec<Position> = starts.collect();
    let mut known = std::collections::BTreeSet::new();
    while let Some(position) = open.pop() {
        if known.insert(position) {
            let next = deck().map(|(card, _)| Position { player: position.player.with(card), ..position }.counted());
            open.extend(next.filter(|position| !position.player.is_bust()));
        }
    }
    known.into_iter().collect()
}

/// The hands with which a dealer who shows this card ends, with their probabilities.
fn dealer_hands(shown: u8) -> Vec<(Hand, f64)> {
    let mut open = BTreeMap::from([(Hand::default().with(shown), 1.0)]);
    let mut finals: BTreeMap<Hand, f64> = BTreeMap::new();
    while let Some((hand, p)) = open.pop_first() {
        for (card, q) in deck() {
            let hand = hand.with(card);
            let list = if hand.is_for_dealer_to_hit() { &mut open } else { &mut finals };
            *list.entry(hand).or_insert(0.0) += p * q;
        }
    }
    finals.into_iter().collect()
}
