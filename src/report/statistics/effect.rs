//! How large a difference is, in units of the spread.

use super::aggregate::{mean, variance};
use super::distribution::ln_gamma;
use super::t_test::{differences, pooled_variance};

/// `d = (ā − b̄) / s` of independent samples, with the pooled deviation `s` of Student's test (Cohen 1988). By custom 0.2 is
/// small, 0.5 medium and 0.8 large. NaN where a sample has fewer than two values or neither has any spread nor difference.
pub fn cohens_d(first: &[f64], second: &[f64]) -> f64 {
    (mean(first) - mean(second)) / pooled_variance(first, second).sqrt()
}

/// [`cohens_d`] times `Γ(m/2) / (√(m/2) Γ((m − 1)/2))` with `m = a + b − 2`, which takes away its bias: of few values `d` is too
/// far from 0 (Hedges 1981).
pub fn hedges_g(first: &[f64], second: &[f64]) -> f64 {
    let half = (first.len() + second.len()) as f64 / 2.0 - 1.0;
    cohens_d(first, second) * (ln_gamma(half) - ln_gamma(half - 0.5)).exp() / half.sqrt()
}

/// `d_z = d̄ / s_d` of the differences of samples that belong together pair by pair (Cohen 1988): the paired `t` over `√n`. NaN
/// for fewer than two pairs, and where there is neither spread nor difference.
///
/// # Panics
/// When the samples have different lengths.
pub fn paired_effect_size(first: &[f64], second: &[f64]) -> f64 {
    let differences = differences(first, second);
    mean(&differences) / variance(&differences).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::{paired_t_test, student_t_test};
    use super::*;
    use lossward_envs::stream;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn sizes_are_those_of_the_tests_without_the_number_of_runs() {
        let (a, b) = ([1.0, 3.0, 5.0, 8.0], [0.0, 1.0, 1.0, 4.0]);
        assert!((cohens_d(&a, &b) * 2f64.sqrt() - student_t_test(&a, &b).t).abs() < 1e-14);
        assert!((paired_effect_size(&a, &b) * 2.0 - paired_t_test(&a, &b).t).abs() < 1e-14);
        // With 6 degrees of freedom: Γ(3) / (√3 Γ(5/2)) = 2 / (√3 · 3/4 · √π).
        let correction = 2.0 / (3f64.sqrt() * 0.75 * std::f64::consts::PI.sqrt());
        assert!((hedges_g(&a, &b) / cohens_d(&a, &b) - correction).abs() < 1e-14);
        assert!(cohens_d(&[1.0], &[2.0]).is_nan() && paired_effect_size(&[1.0], &[2.0]).is_nan());
    }

    /// Of normal samples that lie 0.8 deviations apart; the standard error of either mean is below 0.014.
    #[test]
    fn the_corrected_size_has_no_bias() {
        let mut rng = stream(0, "test", 0);
        let mut draw = |center: f64| -> Vec<f64> {
            StandardNormal.sample_iter(&mut rng).take(4).map(|value: f64| center + value).collect()
        };
        let sizes: Vec<[f64; 2]> = (0..6_000)
            .map(|_| {
                let (a, b) = (draw(0.8), draw(0.0));
                [cohens_d(&a, &b), hedges_g(&a, &b)]
            })
            .collect();
        let average = |which: usize| mean(&sizes.iter().map(|size| size[which]).collect::<Vec<f64>>());
        assert!(average(0) > 0.87 && (average(1) - 0.8).abs() < 0.04, "{} {}", average(0), average(1));
    }
}
