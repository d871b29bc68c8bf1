//! What can be reached in a table at best, and what a given policy reaches: exact numbers to print beside what was learned.
//!
//! With `P`, `r` and the ends of a [`TransitionTable`] and the discount `γ`, the value of an action is
//!
//! ```text
//! q(s, a) = Σ p(s' | s, a) (r + γ v(s')),   v(s') = 0 where the episode ends
//! ```
//!
//! and the best values satisfy `v(s) = max_a q(s, a)`. They are found by sweeping over the states until nothing changes (Sutton and
//! Barto 2018, chapter 4).

use super::table::TransitionTable;

/// A sweep that changes no value by more than this, relative to values above 1, is the last.
const SETTLED: f64 = 1e-14;
const MOST_SWEEPS: usize = 100_000;

/// `q(s, a)`, given the values of all states.
pub fn action_value(table: &TransitionTable, values: &[f64], (state, action): (usize, usize), discount: f64) -> f64 {
    let worth = |terminated: bool, next: u32| if terminated { 0.0 } else { discount * values[next as usize] };
    let outcomes = table.transitions(state, action).iter();
    outcomes.map(|o| o.probability * (o.reward + worth(o.terminated, o.next_state))).sum()
}

/// The best values, `[states]`. Nothing if they do not settle, which an undiscounted task that never ends may do.
pub fn optimal_values(table: &TransitionTable, discount: f64) -> Option<Vec<f64>> {
    settle(table.states(), |values, state| best_value(table, values, state, discount))
}

/// The undiscounted best values with this many steps left, `[states]`: what can be reached under a time limit.
pub fn optimal_values_within(table: &TransitionTable, steps: u32) -> Vec<f64> {
    let mut values = vec![0.0; table.states()];
    for _ in 0..steps {
        let longer = (0..table.states()).map(|state| best_value(table, &values, state, 1.0)).collect();
        // What changes nothing once never will.
        if std::mem::replace(&mut values, longer) == values {
            break;
        }
    }
    values
}

/// The largest expected return of an episode, with a time limit or without; nothing where it does not settle.
pub fn best_expected_return(table: &TransitionTable, max_steps: Option<u32>) -> Option<f64> {
    let values = match max_steps {
        Some(steps) => optimal_values_within(table, steps),
        None => optimal_values(table, 1.0)?,
    };
    Some(mean_over_starts(table, &values))
}

/// The values of the policy that takes `policy(state)`, `[states]`. Nothing if they do not settle.
pub fn policy_values(table: &TransitionTable, policy: impl Fn(usize) -> usize, discount: f64) -> Option<Vec<f64>> {
    settle(table.states(), |values, state| action_value(table, values, (state, policy(state)), discount))
}

/// The best action given the best values; the first of equal ones.
pub fn best_action(table: &TransitionTable, values: &[f64], state: usize, discount: f64) -> usize {
    let value = |action| action_value(table, values, (state, action), discount);
    (1..table.actions()).fold(0, |best, action| if value(action) > value(best) { action } else { best })
}

/// The mean of the values over the states in which episodes begin: the expected return.
pub fn mean_over_starts(table: &TransitionTable, values: &[f64]) -> f64 {
    table.starts().iter().map(|(state, probability)| probability * values[*state as usize]).sum()
}

fn best_value(table: &TransitionTable, values: &[f64], state: usize, discount: f64) -> f64 {
    let value = |action| action_value(table, values, (state, action), discount);
    (0..table.actions()).map(value).fold(f64::NEG_INFINITY, f64::max)
}

fn settle(states: usize, update: impl Fn(&[f64], usize) -> f64) -> Option<Vec<f64>> {
    let mut values = vec![0.0; states];
    for _ in 0..MOST_SWEEPS {
        let mut settled = true;
        for state in 0..states {
            let value = update(&values, state);
            settled &= (value - values[state]).abs() <= SETTLED * value.abs().max(1.0);
            values[state] = value;
        }
        if settled {
            return Some(values);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy_text::table::Transition;

    /// Stay for 1, or leave for 2 with probability 1/2.
    fn table() -> TransitionTable {
        TransitionTable::new((1, 2), vec![(0, 1.0)], |_, action| match action {
            0 => vec![Transition::certain(0, 1.0, false)],
            _ => [true, false]
                .map(|terminated| Transition { probability: 0.5, next_state: 0, reward: 2.0, terminated })
                .into(),
        })
    }

    /// Staying forever is worth `1 / (1 − γ)`, leaving `2 / (1 − γ / 2)`.
    #[test]
    fn values_are_those_of_the_geometric_series() {
        for (discount, stay, leave) in [(0.5, 2.0, 8.0 / 3.0), (0.9, 10.0, 40.0 / 11.0)] {
            let near = |got: Option<Vec<f64>>, want: f64| assert!((got.unwrap()[0] - want).abs() < 1e-12);
            near(policy_values(&table(), |_| 0, discount), stay);
            near(policy_values(&table(), |_| 1, discount), leave);
            near(optimal_values(&table(), discount), f64::max(stay, leave));
            let best = best_action(&table(), &optimal_values(&table(), discount).unwrap(), 0, discount);
            assert_eq!(best, usize::from(leave > stay));
        }
        let undiscounted = policy_values(&table(), |_| 1, 1.0).unwrap();
        assert!((mean_over_starts(&table(), &undiscounted) - 4.0).abs() < 1e-12);
    }

    /// Leaving for 1 with probability 1/2 reaches it within `n` steps with probability `1 − 2^−n`, which is 1 in the end.
    #[test]
    fn a_long_time_limit_is_none() {
        let table = TransitionTable::new((1, 1), vec![(0, 1.0)], |_, _| {
            let arrive = |terminated: bool| f64::from(u8::from(terminated));
            [true, false]
                .map(|terminated| Transition {
                    probability: 0.5,
                    next_state: 0,
                    reward: arrive(terminated),
                    terminated,
                })
                .into()
        });
        for (limit, expected) in [(1, 0.5), (2, 0.75), (10, 1.0 - 0.5_f64.powi(10)), (u32::MAX, 1.0)] {
            assert_eq!(best_expected_return(&table, Some(limit)), Some(expected));
        }
        assert!((best_expected_return(&table, None).unwrap() - 1.0).abs() < 1e-12);
    }

    /// With one step left, leave for 2; with two, leave for `2 + 2 / 2`.
    #[test]
    fn a_time_limit_counts() {
        assert_eq!([1, 2, 3].map(|steps| optimal_values_within(&table(), steps)[0]), [2.0, 3.0, 4.0]);
        assert_eq!(optimal_values(&table(), 1.0), None, "who stays forever gets more than any number");
        assert_eq!([Some(2), None].map(|limit| best_expected_return(&table(), limit)), [Some(3.0), None]);
    }
}
