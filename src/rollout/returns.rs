//! Returns and advantages: pure functions of rewards, values and ends.

use lossward_envs::Cause;
use num_traits::{Float, FromPrimitive};

/// What advantages are computed from; every slice is `[time, copies]`, time-major.
pub struct Trajectories<'a, T> {
    pub copies: usize,
    pub rewards: &'a [T],
    /// `V(s_t)`; zeros where there is no critic.
    pub values: &'a [T],
    /// `V` of the observation that the step really led to: of the next row in mid-episode, of the last observation where an
    /// episode was truncated, of what follows the rollout in its last row. Not read where the episode terminated.
    pub next_values: &'a [T],
    pub ends: &'a [Option<Cause>],
}

/// Generalized advantage estimates (Schulman et al. 2015, arXiv 1506.02438), `[time, copies]`.
///
/// ```text
/// δ_t = r_t + γ (1 − terminated_t) V(s_{t+1}) − V(s_t)
/// A_t = δ_t + γ λ (1 − terminated_t − truncated_t) A_{t+1}
/// ```
///
/// A truncated episode bootstraps from the value of its last observation, a terminated one does not. The returns are
/// `A + V`; with `λ = 1` and no critic (`V = 0`) the advantages *are* the discounted returns.
///
/// # Panics
/// When the slices differ in length or are not whole rows of `copies`.
pub fn advantages<T: Float>(trajectories: &Trajectories<T>, discount: T, lambda: T) -> Vec<T> {
    let Trajectories { copies, rewards, values, next_values, ends } = *trajectories;
    let n = rewards.len();
    assert!(values.len() == n && next_values.len() == n && ends.len() == n, "trajectories of different lengths");
    assert_eq!(n % copies, 0, "{n} transitions are not whole rows of {copies} copies");
    let mut advantages = vec![T::zero(); n];
    for t in (0..n).rev() {
        let bootstrap = if ends[t] == Some(Cause::Terminated) { T::zero() } else { next_values[t] };
        let delta = rewards[t] + discount * bootstrap - values[t];
        let after = if ends[t].is_none() && t + copies < n { advantages[t + copies] } else { T::zero() };
        advantages[t] = delta + discount * lambda * after;
    }
    advantages
}

/// Shifts to mean 0 and scales to standard deviation 1 (over n − 1, and 1e-8 added to it); fewer than two values become 0.
pub fn normalize<T: Float + FromPrimitive>(advantages: &mut [T]) {
    let n = advantages.len() as f64;
    if n < 2.0 {
        return advantages.fill(T::zero());
    }
    let double = |a: &T| a.to_f64().unwrap_or(f64::NAN);
    let mean = advantages.iter().map(double).sum::<f64>() / n;
    let variance = advantages.iter().map(|a| (double(a) - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let scale = 1.0 / (variance.sqrt() + 1e-8);
    for advantage in advantages {
        *advantage = T::from_f64((double(advantage) - mean) * scale).unwrap_or_else(T::nan);
    }
}

/// `1 − Var(y − ŷ) / Var(y)`: the share of the returns' variance that the values explain. NaN where the returns are constant.
pub fn explained_variance(predictions: &[f64], truths: &[f64]) -> f64 {
    let residuals: Vec<f64> = truths.iter().zip(predictions).map(|(y, p)| y - p).collect();
    let variance = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64
    };
    let of_truths = variance(truths);
    if of_truths == 0.0 { f64::NAN } else { 1.0 - variance(&residuals) / of_truths }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    /// The definition `A_t = Σ_k (γλ)^k δ_{t+k}`, summed anew for every `t` until the episode ends: O(T²).
    fn brute_force(path: &Trajectories<f64>, discount: f64, lambda: f64) -> Vec<f64> {
        let (n, copies) = (path.rewards.len(), path.copies);
        (0..n)
            .map(|start| {
                let (mut sum, mut weight, mut t) = (0.0, 1.0, start);
                loop {
                    let next = if path.ends[t] == Some(Cause::Terminated) { 0.0 } else { path.next_values[t] };
                    sum += weight * (path.rewards[t] + discount * next - path.values[t]);
                    weight *= discount * lambda;
                    if path.ends[t].is_some() || t + copies >= n {
                        return sum;
                    }
                    t += copies;
                }
            })
            .collect()
    }

    #[test]
    fn advantages_equal_their_definition_over_random_endings() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for _ in 0..50 {
            let (copies, time) = (rng.random_range(1..5), rng.random_range(1..40));
            let mut draw = || (0..copies * time).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f64>>();
            let (rewards, values, next_values) = (draw(), draw(), draw());
            let end = |u: f64| match u {
                u if u < 0.1 => Some(Cause::Terminated),
                u if u < 0.2 => Some(Cause::Truncated),
                _ => None,
            };
            let ends: Vec<_> = (0..copies * time).map(|_| end(rng.random())).collect();
            let path =
                Trajectories { copies, rewards: &rewards, values: &values, next_values: &next_values, ends: &ends };
            let expected = brute_force(&path, 0.97, 0.9);
            for (got, want) in advantages(&path, 0.97, 0.9).iter().zip(expected) {
                assert!((got - want).abs() < 1e-12);
            }
        }
    }

    /// A reward of 1 for ever is worth 1/(1−γ); cutting the episode anywhere must not change that when the truncation
    /// bootstraps, and a termination must.
    #[test]
    fn a_time_limit_does_not_change_the_value_of_a_constant_reward() {
        let (discount, value) = (0.9, 10.0);
        for cut in 0..5 {
            let mut ends = [None; 5];
            ends[cut] = Some(Cause::Truncated);
            let path =
                Trajectories { copies: 1, rewards: &[1.0; 5], values: &[0.0; 5], next_values: &[0.0; 5], ends: &ends };
            let mut next_values = [0.0; 5];
            next_values[cut] = value;
            next_values[4] = value;
            let returns = advantages(&Trajectories { next_values: &next_values, ..path }, discount, 1.0);
            assert!(returns.iter().all(|g| (g - value).abs() < 1e-12), "{returns:?}");
        }
        let ends = [None, Some(Cause::Terminated)];
        let path =
            Trajectories { copies: 1, rewards: &[1.0; 2], values: &[0.0; 2], next_values: &[0.0, 10.0], ends: &ends };
        assert_eq!(advantages(&path, 0.9, 1.0), [1.9, 1.0]);
    }
}
