//! Distributions of returns: projected onto fixed atoms, or regressed at fixed quantiles.

use super::returns::single;
use num_traits::Float;

/// The distribution of `r + γ Z` on the atoms of `Z` itself (C51: Bellemare et al. 2017, arXiv 1707.06887, algorithm 1),
/// `[atoms]`.
///
/// Every atom `z_j` of `support` (increasing, `[atoms]`) moves to `r + γ z_j`, clipped to the support, and its probability is
/// shared by the two atoms around that place, the nearer one getting more, so that the mean stays where nothing is clipped. After a
/// termination `discount` is 0 and all probability goes to `r`.
///
/// # Panics
/// When the support is empty or the slices differ in length.
pub fn categorical_projection<T: Float>(support: &[T], probabilities: &[T], reward: T, discount: T) -> Vec<T> {
    assert_eq!(support.len(), probabilities.len(), "atoms and their probabilities");
    let last = support.len() - 1;
    let mut projected = vec![T::zero(); support.len()];
    for (atom, probability) in support.iter().zip(probabilities) {
        let place = (reward + discount * *atom).max(support[0]).min(support[last]);
        let above = support.partition_point(|atom| *atom <= place).min(last);
        let below = above.saturating_sub(1);
        let gap = support[above] - support[below];
        let share = if gap > T::zero() { (place - support[below]) / gap } else { T::one() };
        projected[below] = projected[below] + (T::one() - share) * *probability;
        projected[above] = projected[above] + share * *probability;
    }
    projected
}

/// The loss of predicted quantiles `θ_i` at the levels `τ_i`, both `[quantiles]`, against samples `y_j` of the target, `[targets]`
/// (QR-DQN: Dabney et al. 2017, arXiv 1710.10044, equation 10), and its gradient by `θ`.
///
/// ```text
/// Σ_i mean_j |τ_i − 1{y_j < θ_i}| L_κ(y_j − θ_i)
/// ```
///
/// `L_κ` is Huber's loss, `u²/2` up to `κ = huber` and `κ (|u| − κ/2)` beyond; with `κ = 0` it is `|u|`, and the whole the quantile
/// (pinball) loss.
///
/// # Panics
/// When quantiles and levels differ in number.
pub fn quantile_huber_loss<T: Float>(quantiles: &[T], levels: &[T], targets: &[T], huber: T) -> (T, Vec<T>) {
    assert_eq!(quantiles.len(), levels.len(), "quantiles and their levels");
    let (zero, one) = (T::zero(), T::one());
    let count = single(targets.len() as f64);
    let mut value = zero;
    let slope = |(quantile, level): (&T, &T)| {
        let mut slope = zero;
        for target in targets {
            let error = *target - *quantile;
            let weight = (*level - if error < zero { one } else { zero }).abs() / count;
            let (loss, derivative) = if huber == zero {
                (error.abs(), if error == zero { zero } else { error.signum() })
            } else {
                let clipped = error.max(-huber).min(huber);
                (clipped * (error - clipped / (one + one)), clipped)
            };
            value = value + weight * loss;
            slope = slope - weight * derivative;
        }
        slope
    };
    let gradient = quantiles.iter().zip(levels).map(slope).collect();
    (value, gradient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn a_projection_keeps_the_mass_and_where_nothing_is_clipped_the_mean() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        let support = [-4.0, -1.5, 0.0, 0.5, 3.0, 7.0];
        for _ in 0..100 {
            let weights: Vec<f64> = support.iter().map(|_| rng.random()).collect();
            let total: f64 = weights.iter().sum();
            let probabilities: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
            let (reward, discount): (f64, f64) = (rng.random_range(-0.7..0.7), rng.random_range(0.0..0.8));
            let projected = categorical_projection(&support, &probabilities, reward, discount);
            let mean = |probabilities: &[f64]| support.iter().zip(probabilities).map(|(z, p)| z * p).sum::<f64>();
            assert!((projected.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!((mean(&projected) - reward - discount * mean(&probabilities)).abs() < 1e-12);
        }
    }

    #[test]
    fn a_projection_at_its_limits() {
        let (support, probabilities) = ([-1.0, 0.0, 1.0], [0.2, 0.3, 0.5]);
        assert_eq!(categorical_projection(&support, &probabilities, 0.0, 1.0), probabilities);
        assert_eq!(categorical_projection(&support, &probabilities, 5.0, 1.0), [0.0, 0.0, 1.0]);
        assert_eq!(categorical_projection(&support, &probabilities, -5.0, 1.0), [1.0, 0.0, 0.0]);
        assert_eq!(categorical_projection(&support, &probabilities, 0.5, 0.0), [0.0, 0.5, 0.5]);
        assert_eq!(categorical_projection(&[2.0], &[1.0], 5.0, 0.9), [1.0]);
    }

    #[test]
    fn the_gradient_of_the_quantile_loss_equals_finite_differences() {
        let mut rng = lossward_envs::stream(0, "test", 0);
        let levels = [0.1, 0.3, 0.5, 0.9];
        for huber in [0.0, 0.3, 1.0, 2.5] {
            let mut draw = |n: usize| (0..n).map(|_| rng.random_range(-2.0..2.0)).collect::<Vec<f64>>();
            let (quantiles, targets) = (draw(4), draw(7));
            let (_, gradient) = quantile_huber_loss(&quantiles, &levels, &targets, huber);
            for i in 0..quantiles.len() {
                let at = |shift: f64| {
                    let mut moved = quantiles.clone();
                    moved[i] += shift;
                    quantile_huber_loss(&moved, &levels, &targets, huber).0
                };
                let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
                assert!((slope - gradient[i]).abs() < 1e-6, "{huber}: {slope} {}", gradient[i]);
            }
        }
    }

    /// The quantile loss is least at the quantiles of the targets.
    #[test]
    fn the_pinball_loss_has_no_slope_at_a_quantile() {
        let targets: Vec<f64> = (0..10).map(f64::from).collect();
        let (_, gradient) = quantile_huber_loss(&[2.5, 6.5], &[0.3, 0.7], &targets, 0.0);
        assert!(gradient.iter().all(|slope| slope.abs() < 1e-12), "{gradient:?}");
    }
}
