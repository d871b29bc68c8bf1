//! V-trace: returns and advantages of one policy from the trajectories of another.

use super::Trajectories;
use num_traits::Float;

/// How far importance ratios `ρ = π(a|s) / μ(a|s)` count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traces<T> {
    /// λ: how much of the later errors is let through; 1 in the paper.
    pub lambda: T,
    /// ρ̄ bounds the ratio of each error, and so decides which policy's values are the fixed point.
    pub error_clip: T,
    /// c̄ bounds the ratio of each trace, and so decides how fast it is reached.
    pub trace_clip: T,
    /// Bounds the ratio that weighs an advantage.
    pub advantage_clip: T,
}

/// What V-trace gives, each `[time, copies]`.
#[derive(Clone, Debug, PartialEq)]
pub struct VTrace<T> {
    /// `v_t − V(s_t)`
    pub errors: Vec<T>,
    /// `v_t`, what the critic is fitted to.
    pub targets: Vec<T>,
    /// `q_t`, estimates of `Q(s_t, a_t)`.
    pub action_values: Vec<T>,
    /// Times `∇ log π(a_t|s_t)` the policy gradient.
    pub advantages: Vec<T>,
}

/// V-trace (Espeholt et al. 2018, arXiv 1802.01561), with its λ as in rlax. `log_ratios` are `log π(a|s) − log μ(a|s)` of the policy
/// that learns and the one that acted, `[time, copies]`.
///
/// ```text
/// δ_t = r_t + γ (1 − terminated_t) V(s_{t+1}) − V(s_t)
/// v_t − V(s_t) = min(ρ̄, ρ_t) δ_t + γ λ min(c̄, ρ_t) (1 − terminated_t − truncated_t) (v_{t+1} − V(s_{t+1}))
/// q_t = r_t + γ (1 − terminated_t) ((1 − λ) V(s_{t+1}) + λ v_{t+1})
/// A_t = min(advantage_clip, ρ_t) (q_t − V(s_t))
/// ```
///
/// `v_{t+1}` is `V(s_{t+1})` after the last step of an episode or of the rollout. Where the two policies are one and no clip is
/// below 1, the errors are [`advantages`](super::advantages()) and the targets [`lambda_returns`](super::lambda_returns()).
///
/// # Panics
/// When the slices differ in length or are not whole rows of `copies`.
pub fn v_trace<T: Float>(
    trajectories: &Trajectories<T>,
    log_ratios: &[T],
    discount: T,
    traces: &Traces<T>,
) -> VTrace<T> {
    let Trajectories { values, next_values, .. } = *trajectories;
    assert_eq!(log_ratios.len(), trajectories.transitions(), "a log-ratio for every transition");
    let ratios: Vec<T> = log_ratios.iter().map(|log_ratio| log_ratio.exp()).collect();
    let errors = trajectories.accumulate(|t| {
        let weight = discount * traces.lambda * ratios[t].min(traces.trace_clip);
        (ratios[t].min(traces.error_clip) * trajectories.error(t, discount), weight)
    });
    let targets: Vec<T> = errors.iter().zip(values).map(|(error, value)| *error + *value).collect();
    let action_value = |t: usize| {
        let later = trajectories.successor(t).map_or(next_values[t], |next| targets[next]);
        trajectories.target(t, discount, (T::one() - traces.lambda) * next_values[t] + traces.lambda * later)
    };
    let action_values: Vec<T> = (0..values.len()).map(action_value).collect();
    let advantage = |t: usize| ratios[t].min(traces.advantage_clip) * (action_values[t] - values[t]);
    VTrace { advantages: (0..values.len()).map(advantage).collect(), errors, targets, action_values }
}

#[cfg(test)]
mod tests {
    use super::super::returns::tests::{assert_close, bootstrap, for_random_endings, onward};
    use super::super::{advantages, lambda_returns};
    use super::*;
    use rand::Rng as _;

    const DISCOUNT: f64 = 0.97;

    /// `Σ_k γ^k (Π_{i<k} λ min(c̄, ρ_i)) min(ρ̄, ρ_k) δ_k`, summed anew for every `t`.
    #[test]
    fn errors_equal_their_definition_over_random_endings() {
        for_random_endings(|path, rng| {
            let n = path.rewards.len();
            let log_ratios: Vec<f64> = (0..n).map(|_| rng.random_range(-1.0..1.0)).collect();
            let traces = Traces { lambda: 0.9, error_clip: 1.3, trace_clip: 1.1, advantage_clip: 1.2 };
            let got = v_trace(path, &log_ratios, DISCOUNT, &traces);
            let sum = |start| {
                let (mut sum, mut weight) = (0.0, 1.0);
                for t in onward(path, start) {
                    let ratio = log_ratios[t].exp();
                    let delta = path.rewards[t] + DISCOUNT * bootstrap(path, t) - path.values[t];
                    sum += weight * ratio.min(1.3) * delta;
                    weight *= DISCOUNT * 0.9 * ratio.min(1.1);
                }
                sum
            };
            assert_close(&got.errors, (0..n).map(sum));
            assert_close(&got.targets, (0..n).map(|t| path.values[t] + sum(t)));
            let action_value = |t: usize| {
                let later = if onward(path, t).len() == 1 { 0.0 } else { 0.9 * sum(t + path.copies) };
                path.rewards[t] + DISCOUNT * (bootstrap(path, t) + later)
            };
            assert_close(&got.action_values, (0..n).map(action_value));
            let weighted = |t: usize| log_ratios[t].exp().min(1.2) * (action_value(t) - path.values[t]);
            assert_close(&got.advantages, (0..n).map(weighted));
        });
    }

    #[test]
    fn on_policy_it_is_advantages_and_lambda_returns() {
        for_random_endings(|path, _| {
            let traces = Traces { lambda: 0.9, error_clip: 1.0, trace_clip: 1.0, advantage_clip: 1.0 };
            let got = v_trace(path, &vec![0.0; path.rewards.len()], DISCOUNT, &traces);
            assert_close(&got.errors, advantages(path, DISCOUNT, 0.9));
            assert_close(&got.targets, lambda_returns(path, DISCOUNT, 0.9));
            assert_close(&got.advantages, got.errors.iter().copied());
        });
    }
}
