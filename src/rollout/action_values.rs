//! From values of actions to values of states: what the targets of Q-learning and its kin bootstrap from.

use crate::distribution::mode;
use num_traits::Float;

/// Whose action in a state counts.
#[derive(Clone, Copy, Debug)]
pub enum Choice<'a, T> {
    /// `max_a Q(s, a)`: Q-learning (Watkins 1989).
    Greedy,
    /// `Q(s, argmax_a Q'(s, a))` with these `Q'`, `[batch, actions]`: double Q-learning (van Hasselt et al. 2016, arXiv 1509.06461).
    GreedyBy(&'a [T]),
    /// `Q(s, a)` of these actions, `[batch]`: SARSA (Rummery and Niranjan 1994), and the value that a target is compared with.
    Taken(&'a [u32]),
    /// `Σ_a π(a|s) Q(s, a)` with these probabilities, `[batch, actions]`: expected SARSA (van Seijen et al. 2009).
    Expected(&'a [T]),
}

/// Values `[batch]` of states whose actions have the values `[batch, actions]`.
///
/// As `next_values` of [`Trajectories`](super::Trajectories), with those of the taken actions as `values`, they make
/// [`n_step_returns`](super::n_step_returns()) the targets of Q-learning, double Q-learning or (expected) SARSA, and
/// [`advantages`](super::advantages()) with `λ = 0` their temporal-difference errors.
///
/// # Panics
/// When the slices are not whole rows, differ in their number, or an action is not among the `actions`.
pub fn state_values<T: Float>(action_values: &[T], actions: usize, choice: Choice<T>) -> Vec<T> {
    assert_eq!(action_values.len() % actions, 0, "{} values of {actions} actions each", action_values.len());
    let (rows, batch) = (action_values.chunks_exact(actions), action_values.len() / actions);
    let as_many = |given: usize, wanted: usize| assert_eq!(given, wanted, "sizes of a choice and its action values");
    match choice {
        Choice::Greedy => rows.map(|row| row[mode(row) as usize]).collect(),
        Choice::GreedyBy(others) => {
            as_many(others.len(), action_values.len());
            rows.zip(others.chunks_exact(actions)).map(|(row, other)| row[mode(other) as usize]).collect()
        }
        Choice::Taken(taken) => {
            as_many(taken.len(), batch);
            rows.zip(taken).map(|(row, action)| row[*action as usize]).collect()
        }
        Choice::Expected(policy) => {
            as_many(policy.len(), action_values.len());
            let expected = |(row, policy): (&[T], &[T])| {
                row.iter().zip(policy).fold(T::zero(), |sum, (value, probability)| sum + *value * *probability)
            };
            rows.zip(policy.chunks_exact(actions)).map(expected).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_choice_reads_the_value_that_it_names() {
        let action_values = [1.0, 4.0, 2.0, 8.0, 0.0, 4.0];
        let of = |choice| state_values(&action_values, 3, choice);
        assert_eq!(of(Choice::Greedy), [4.0, 8.0]);
        assert_eq!(of(Choice::GreedyBy(&[0.0, 0.0, 1.0, 0.0, 1.0, 0.0])), [2.0, 0.0]);
        assert_eq!(of(Choice::Taken(&[0, 2])), [1.0, 4.0]);
        assert_eq!(of(Choice::Expected(&[0.5, 0.5, 0.0, 0.25, 0.25, 0.5])), [2.5, 4.0]);
    }
}
