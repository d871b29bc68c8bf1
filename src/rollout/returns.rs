//! Returns and advantages: pure functions of rewards, values and ends.

use lossward_envs::Cause;
use num_traits::Float;

/// What returns and advantages are computed from; every slice is `[time, copies]`, time-major.
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

impl<T: Float> Trajectories<'_, T> {
    /// # Panics
    /// When the slices differ in length or are not whole rows of `copies`.
    pub(super) fn transitions(&self) -> usize {
        let n = self.rewards.len();
        let lengths = [self.values.len(), self.next_values.len(), self.ends.len()];
        assert_eq!(lengths, [n; 3], "trajectories of different lengths");
        assert_eq!(n % self.copies, 0, "{n} transitions are not whole rows of {} copies", self.copies);
        n
    }

    /// The transition after `t`; none where the episode ends and in the last row.
    pub(super) fn successor(&self, t: usize) -> Option<usize> {
        (self.ends[t].is_none() && t + self.copies < self.rewards.len()).then_some(t + self.copies)
    }

    /// `r_t + γ (1 − terminated_t) · after`
    pub(super) fn target(&self, t: usize, discount: T, after: T) -> T {
        let after = if self.ends[t] == Some(Cause::Terminated) { T::zero() } else { after };
        self.rewards[t] + discount * after
    }

    /// `δ_t = r_t + γ (1 − terminated_t) V(s_{t+1}) − V(s_t)`
    pub(super) fn error(&self, t: usize, discount: T) -> T {
        self.target(t, discount, self.next_values[t]) - self.values[t]
    }

    /// `x_t = first + second · x_{t+1}` with the two that `term` gives for `t`; `x` is 0 beyond the end of an episode.
    pub(super) fn accumulate(&self, term: impl Fn(usize) -> (T, T)) -> Vec<T> {
        let mut sums = vec![T::zero(); self.transitions()];
        for t in (0..sums.len()).rev() {
            let (own, weight) = term(t);
            sums[t] = own + weight * self.successor(t).map_or(T::zero(), |next| sums[next]);
        }
        sums
    }
}

/// Generalized advantage estimates (Schulman et al. 2015, arXiv 1506.02438), `[time, copies]`.
///
/// ```text
/// δ_t = r_t + γ (1 − terminated_t) V(s_{t+1}) − V(s_t)
/// A_t = δ_t + γ λ (1 − terminated_t − truncated_t) A_{t+1}
/// ```
///
/// A truncated episode bootstraps from the value of its last observation, a terminated one does not. With `λ = 0` they are the
/// one-step temporal-difference errors; with `λ = 1` and no critic (`V = 0`) they *are* the discounted returns.
///
/// # Panics
/// When the slices differ in length or are not whole rows of `copies`.
pub fn advantages<T: Float>(trajectories: &Trajectories<T>, discount: T, lambda: T) -> Vec<T> {
    trajectories.accumulate(|t| (trajectories.error(t, discount), discount * lambda))
}

/// λ-returns (Sutton and Barto 2018, chapter 12), `[time, copies]`: `A + V` with [`advantages`] `A`. Equally, with `G_{t+1}`
/// replaced by `V(s_{t+1})` after the last step,
///
/// ```text
/// G_t = r_t + γ (1 − terminated_t) ((1 − λ) V(s_{t+1}) + λ G_{t+1})
/// ```
///
/// # Panics
/// As [`advantages`].
pub fn lambda_returns<T: Float>(trajectories: &Trajectories<T>, discount: T, lambda: T) -> Vec<T> {
    let advantages = advantages(trajectories, discount, lambda);
    advantages.iter().zip(trajectories.values).map(|(advantage, value)| *advantage + *value).collect()
}

/// Returns of `steps` rewards and the value of the state after them (Sutton and Barto 2018, chapter 7), `[time, copies]`.
///
/// ```text
/// G_t = r_t + γ r_{t+1} + … + γ^{k−1} r_{t+k−1} + γ^k (1 − terminated_{t+k−1}) V(s_{t+k})
/// ```
///
/// `k` is `steps`, or fewer where the episode or the rollout ends before. With one step they are the targets of temporal
/// differences. `values` are not read.
///
/// # Panics
/// When `steps` is 0, and as [`advantages`].
pub fn n_step_returns<T: Float>(trajectories: &Trajectories<T>, discount: T, steps: usize) -> Vec<T> {
    assert!(steps > 0, "a return of 0 steps");
    let n = trajectories.transitions();
    let mut returns = Vec::from(trajectories.next_values);
    for step in 0..steps.min(n / trajectories.copies) {
        for t in 0..n {
            // What comes later in time still holds its return of one step less.
            let next = trajectories.successor(t).filter(|_| step > 0);
            let after = next.map_or(trajectories.next_values[t], |next| returns[next]);
            returns[t] = trajectories.target(t, discount, after);
        }
    }
    returns
}

/// Shifts to mean 0 and scales to standard deviation 1 (over n − 1, and 1e-8 added to it); fewer than two values become 0.
pub fn normalize<T: Float>(advantages: &mut [T]) {
    if advantages.len() < 2 {
        return advantages.fill(T::zero());
    }
    let (mean, variance) = mean_and_variance(advantages, 1.0);
    let scale = 1.0 / (variance.sqrt() + 1e-8);
    for advantage in advantages {
        *advantage = single((double(*advantage) - mean) * scale);
    }
}

/// The standard deviation, over n − 1; 0 of fewer than two values.
pub fn deviation<T: Float>(values: &[T]) -> f64 {
    if values.len() < 2 { 0.0 } else { mean_and_variance(values, 1.0).1.sqrt() }
}

/// The mean, and the sum of squared distances from it divided by `n − fewer`.
pub(super) fn mean_and_variance<T: Float>(values: &[T], fewer: f64) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|value| double(*value)).sum::<f64>() / n;
    (mean, values.iter().map(|value| (double(*value) - mean).powi(2)).sum::<f64>() / (n - fewer))
}

pub(super) fn double<T: Float>(value: T) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

/// In the precision of the caller.
pub(super) fn single<T: Float>(value: f64) -> T {
    T::from(value).unwrap_or_else(T::nan)
}

/// `1 − Var(y − ŷ) / Var(y)`: the share of the returns' variance that the values explain. NaN where the returns are constant.
pub fn explained_variance(predictions: &[f64], truths: &[f64]) -> f64 {
    let residuals: Vec<f64> = truths.iter().zip(predictions).map(|(y, p)| y - p).collect();
    let [(_, left), (_, all)] = [&residuals, truths].map(|values| mean_and_variance(values, 0.0));
    if all == 0.0 { f64::NAN } else { 1.0 - left / all }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::Rng;
    use rand::Rng as _;

    /// Calls `check` with random rewards, values and endings; values and next values agree in mid-episode.
    pub(in crate::rollout) fn for_random_endings(mut check: impl FnMut(&Trajectories<f64>, &mut Rng)) {
        let mut rng = lossward_envs::stream(0, "test", 0);
        for _ in 0..50 {
            let (copies, time) = (rng.random_range(1..5), rng.random_range(1..40));
            let mut draw = || (0..copies * time).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f64>>();
            let (rewards, values, mut next_values) = (draw(), draw(), draw());
            let end = |u: f64| match u {
                u if u < 0.1 => Some(Cause::Terminated),
                u if u < 0.2 => Some(Cause::Truncated),
                _ => None,
            };
            let ends: Vec<_> = (0..copies * time).map(|_| end(rng.random())).collect();
            for t in 0..copies * (time - 1) {
                if ends[t].is_none() {
                    next_values[t] = values[t + copies];
                }
            }
            let path =
                Trajectories { copies, rewards: &rewards, values: &values, next_values: &next_values, ends: &ends };
            check(&path, &mut rng);
        }
    }

    /// The transitions from `start` to the end of its episode or of the rollout.
    pub(in crate::rollout) fn onward(path: &Trajectories<f64>, start: usize) -> Vec<usize> {
        let over = |t: usize| path.ends[t].is_some() || t + path.copies >= path.rewards.len();
        let mut steps = vec![start];
        while !over(steps[steps.len() - 1]) {
            steps.push(start + steps.len() * path.copies);
        }
        steps
    }

    /// `V(s_{t+1})`, 0 after a termination.
    pub(in crate::rollout) fn bootstrap(path: &Trajectories<f64>, t: usize) -> f64 {
        if path.ends[t] == Some(Cause::Terminated) { 0.0 } else { path.next_values[t] }
    }

    pub(in crate::rollout) fn assert_close(got: &[f64], want: impl IntoIterator<Item = f64>) {
        let want: Vec<f64> = want.into_iter().collect();
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
    }

    /// `A_t = Σ_k (γλ)^k δ_{t+k}`, summed anew for every `t` until the episode ends: O(T²).
    #[test]
    fn advantages_equal_their_definition_over_random_endings() {
        for_random_endings(|path, _| {
            let delta = |t: usize| path.rewards[t] + 0.97 * bootstrap(path, t) - path.values[t];
            let sum = |start| {
                let weighted = |(k, t): (usize, &usize)| (0.97_f64 * 0.9).powi(k as i32) * delta(*t);
                onward(path, start).iter().enumerate().map(weighted).sum::<f64>()
            };
            assert_close(&advantages(path, 0.97, 0.9), (0..path.rewards.len()).map(sum));
        });
    }

    /// The return from `start` of the next `steps` rewards by its definition.
    fn n_step_return(path: &Trajectories<f64>, discount: f64, (start, steps): (usize, usize)) -> f64 {
        let mut taken = onward(path, start);
        taken.truncate(steps);
        let rewards = taken.iter().enumerate().map(|(k, t)| discount.powi(k as i32) * path.rewards[*t]);
        rewards.sum::<f64>() + discount.powi(taken.len() as i32) * bootstrap(path, taken[taken.len() - 1])
    }

    #[test]
    fn n_step_returns_equal_their_definition_over_random_endings() {
        for_random_endings(|path, rng| {
            let steps = rng.random_range(1..50);
            let want = (0..path.rewards.len()).map(|t| n_step_return(path, 0.97, (t, steps)));
            assert_close(&n_step_returns(path, 0.97, steps), want);
        });
    }

    /// `G^λ = (1 − λ) Σ_{n<N} λ^{n−1} G^(n) + λ^{N−1} G^(N)` where `N` steps are left.
    #[test]
    fn lambda_returns_are_the_mixture_of_n_step_returns() {
        for_random_endings(|path, rng| {
            let lambda: f64 = rng.random();
            let mixture = |t: usize| {
                let left = onward(path, t).len();
                let share = |n: usize| lambda.powi(n as i32 - 1) * if n < left { 1.0 - lambda } else { 1.0 };
                (1..=left).map(|n| share(n) * n_step_return(path, 0.97, (t, n))).sum::<f64>()
            };
            assert_close(&lambda_returns(path, 0.97, lambda), (0..path.rewards.len()).map(mixture));
        });
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
