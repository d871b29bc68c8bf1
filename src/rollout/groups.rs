//! Advantages without a critic: rewards compared within groups of attempts at the same task.
//!
//! Rewards are `[groups, size]`; every function panics when they are not whole groups.

use super::returns::{double, mean_and_variance, single};
use num_traits::Float;
use serde::{Deserialize, Serialize};

/// What centered rewards are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupScale {
    /// Nothing (Dr. GRPO: Liu et al. 2025, arXiv 2503.20783).
    One,
    /// The standard deviation of the own group (GRPO: Shao et al. 2024, arXiv 2402.03300).
    Group(Deviation),
    /// The standard deviation of all rewards.
    Batch(Deviation),
}

/// Which standard deviation, and what is added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// Over n − 1, and 1e-4 added to it, as TRL does.
    Sample,
    /// Over n, and 1e-8 added to it.
    Population,
}

impl Deviation {
    fn of<T: Float>(self, values: &[T]) -> f64 {
        let (fewer, epsilon) = match self {
            Deviation::Sample => (1.0, 1e-4),
            Deviation::Population => (0.0, 1e-8),
        };
        mean_and_variance(values, fewer).1.sqrt() + epsilon
    }
}

/// `(r − mean of the group) / scale`, `[groups, size]`; 0 in groups whose rewards are all equal, as in groups of one.
pub fn group_advantages<T: Float>(rewards: &[T], size: usize, scale: GroupScale) -> Vec<T> {
    let all = match scale {
        GroupScale::Batch(deviation) => deviation.of(rewards),
        GroupScale::One | GroupScale::Group(_) => 1.0,
    };
    per_group(rewards, size, |group| match scale {
        GroupScale::Group(deviation) => deviation.of(group),
        GroupScale::One | GroupScale::Batch(_) => all,
    })
}

/// `r_i` less the mean of the *other* rewards of the group, `[groups, size]` (Kool et al. 2019; RLOO: Ahmadian et al. 2024,
/// arXiv 2402.14740). As the baseline doesn't depend on the own action, the policy gradient stays unbiased.
///
/// # Panics
/// When `size` is less than 2: there are no others then.
pub fn leave_one_out_advantages<T: Float>(rewards: &[T], size: usize) -> Vec<T> {
    assert!(size > 1, "leaving one out needs groups of at least 2, not {size}");
    // r_i − (K m − r_i) / (K − 1) with the mean m is (r_i − m) K / (K − 1).
    per_group(rewards, size, |_| (size - 1) as f64 / size as f64)
}

/// The share of groups whose rewards are all equal, and from which therefore nothing is learned; NaN without groups.
pub fn zero_spread_fraction<T: Float>(rewards: &[T], size: usize) -> f64 {
    let groups = groups(rewards, size);
    let count = groups.len() as f64;
    groups.filter(|group| is_constant(group)).count() as f64 / count
}

/// Rewards less the mean of their group, divided by what `divisor` gives for it.
fn per_group<T: Float>(rewards: &[T], size: usize, divisor: impl Fn(&[T]) -> f64) -> Vec<T> {
    let mut advantages = Vec::with_capacity(rewards.len());
    for group in groups(rewards, size) {
        if is_constant(group) {
            // The mean of equal numbers may be off by a rounding, which a tiny divisor would blow up.
            advantages.extend(group.iter().map(|_| T::zero()));
            continue;
        }
        let ((mean, _), divisor) = (mean_and_variance(group, 0.0), divisor(group));
        advantages.extend(group.iter().map(|reward| single::<T>((double(*reward) - mean) / divisor)));
    }
    advantages
}

fn groups<T>(rewards: &[T], size: usize) -> std::slice::ChunksExact<'_, T> {
    assert_eq!(rewards.len() % size, 0, "{} rewards are not whole groups of {size}", rewards.len());
    rewards.chunks_exact(size)
}

fn is_constant<T: Float>(group: &[T]) -> bool {
    group.windows(2).all(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn the_own_reward_is_left_out() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for size in 2..6 {
            let rewards: Vec<f64> = (0..3 * size).map(|_| rng.random_range(-1.0..1.0)).collect();
            let got = leave_one_out_advantages(&rewards, size);
            for (i, advantage) in got.iter().enumerate() {
                let group = i - i % size..i - i % size + size;
                let others: f64 = group.filter(|other| *other != i).map(|other| rewards[other]).sum();
                assert!((advantage - (rewards[i] - others / (size - 1) as f64)).abs() < 1e-12);
            }
        }
    }

    /// The expectation, over all tuples of `size` actions of a bandit, of `1/K Σ_i A_i ∇ log π(a_i)` by the logits; and the
    /// exact gradient `p_a (r_a − J)` of the expected reward.
    fn expected_and_exact(size: u32, advantages: impl Fn(&[f64]) -> Vec<f64>) -> ([f64; 3], [f64; 3]) {
        let (logits, rewards) = ([0.3_f64, -1.1, 0.6], [1.0, 2.5, -0.7]);
        let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
        let policy = logits.map(|logit| logit.exp() / total);
        let mut expected = [0.0; 3];
        for tuple in 0..3_usize.pow(size) {
            let actions: Vec<usize> = (0..size).map(|i| tuple / 3_usize.pow(i) % 3).collect();
            let probability: f64 = actions.iter().map(|action| policy[*action]).product();
            let drawn: Vec<f64> = actions.iter().map(|action| rewards[*action]).collect();
            for (action, advantage) in actions.iter().zip(advantages(&drawn)) {
                for (arm, sum) in expected.iter_mut().enumerate() {
                    let slope = f64::from(u8::from(arm == *action)) - policy[arm];
                    *sum += probability * advantage * slope / f64::from(size);
                }
            }
        }
        let mean: f64 = policy.iter().zip(rewards).map(|(p, reward)| p * reward).sum();
        (expected, std::array::from_fn(|arm| policy[arm] * (rewards[arm] - mean)))
    }

    #[test]
    fn leaving_one_out_is_unbiased_and_centering_shrinks_the_gradient() {
        for size in [2, 3] {
            let (expected, exact) = expected_and_exact(size, |r| leave_one_out_advantages(r, r.len()));
            let (centered, _) = expected_and_exact(size, |r| group_advantages(r, r.len(), GroupScale::One));
            let shrunk = f64::from(size - 1) / f64::from(size);
            for arm in 0..3 {
                assert!((expected[arm] - exact[arm]).abs() < 1e-12, "{expected:?} {exact:?}");
                assert!((centered[arm] - shrunk * exact[arm]).abs() < 1e-12, "{centered:?} {exact:?}");
            }
        }
    }

    #[test]
    fn groups_without_spread_teach_nothing() {
        let rewards = [0.1, 0.1, 0.1, 1.0, 0.0, 1.0];
        let scales = [Deviation::Sample, Deviation::Population];
        let scales =
            scales.into_iter().flat_map(|deviation| [GroupScale::Group(deviation), GroupScale::Batch(deviation)]);
        for scale in scales.chain([GroupScale::One]) {
            let advantages = group_advantages(&rewards, 3, scale);
            assert_eq!(advantages[..3], [0.0; 3], "{scale:?}");
            assert!(advantages[3..].iter().all(|advantage| *advantage != 0.0));
            assert_eq!(group_advantages(&rewards[..1], 1, scale), [0.0], "a group of one");
        }
        assert_eq!(leave_one_out_advantages(&rewards, 3)[..3], [0.0; 3]);
        assert_eq!(zero_spread_fraction(&rewards, 3), 0.5);
        assert_eq!(zero_spread_fraction(&rewards, 1), 1.0);
    }

    #[test]
    #[should_panic(expected = "leaving one out needs groups of at least 2, not 1")]
    fn one_cannot_be_left_out_of_one() {
        leave_one_out_advantages(&[1.0, 2.0], 1);
    }
}
