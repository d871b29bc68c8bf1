//! Tests that shuffle what would be exchangeable if there were no difference, and the correction for many tests.

use super::aggregate::mean;
use crate::Rng;
use rand::Rng as _;

/// The two-sided p of the mean of paired differences, such as two arms' by seed: if there were no difference, each could as
/// well have the other sign (Fisher 1935). The share of sign patterns whose sum is at least as far from 0 as the observed one.
///
/// Exact, over all `2ⁿ` patterns, where those are no more than `resamples`; otherwise `(1 + count) / (1 + resamples)` of drawn
/// ones. The smallest possible value is `2/2ⁿ`: with fewer than 6 pairs it cannot fall below 0.05. NaN for no pairs and where one is
/// NaN.
pub fn sign_flip_p(differences: &[f64], resamples: usize, rng: &mut Rng) -> f64 {
    let observed = differences.iter().sum::<f64>().abs();
    if differences.is_empty() || observed.is_nan() {
        return f64::NAN;
    }
    let least = observed - rounding(differences);
    let flipped = |pattern: &mut dyn FnMut(usize) -> bool| {
        let signed = |(i, value): (usize, &f64)| if pattern(i) { -value } else { *value };
        differences.iter().enumerate().map(signed).sum::<f64>().abs() >= least
    };
    let patterns = 1usize.checked_shl(differences.len() as u32).filter(|patterns| *patterns <= resamples);
    match patterns {
        Some(patterns) => {
            let count = (0..patterns).filter(|pattern| flipped(&mut |i| pattern >> i & 1 == 1)).count();
            count as f64 / patterns as f64
        }
        None => {
            let count = (0..resamples).filter(|_| flipped(&mut |_| rng.random())).count();
            (1 + count) as f64 / (1 + resamples) as f64
        }
    }
}

/// The two-sided p of the difference of the means of independent samples: if there were none, every division of all values
/// into groups of these sizes would be as likely (Pitman 1937). `(1 + count) / (1 + resamples)` of drawn divisions whose
/// difference is at least as far from 0 as the observed one. NaN for an empty sample and where a value is NaN.
pub fn permutation_p(first: &[f64], second: &[f64], resamples: usize, rng: &mut Rng) -> f64 {
    let mut all: Vec<f64> = first.iter().chain(second).copied().collect();
    let expected = first.len() as f64 * mean(&all);
    // Given the sum of all values, that of the first group decides the difference.
    let observed = (first.iter().sum::<f64>() - expected).abs();
    if first.is_empty() || second.is_empty() || observed.is_nan() {
        return f64::NAN;
    }
    let least = observed - rounding(&all);
    let mut divided = || {
        for i in 0..first.len() {
            let other = rng.random_range(i..all.len());
            all.swap(i, other);
        }
        (all[..first.len()].iter().sum::<f64>() - expected).abs() >= least
    };
    let count = (0..resamples).filter(|_| divided()).count();
    (1 + count) as f64 / (1 + resamples) as f64
}

/// Sums in another order differ by less.
fn rounding(values: &[f64]) -> f64 {
    1e-12 * values.iter().map(|value| value.abs()).sum::<f64>()
}

/// The p of many tests, adjusted so that the chance of even one false alarm among all of them stays below the level that they
/// are held to (Holm 1979): the smallest is multiplied by their number, the next by one less, and so on, never falling and
/// at most 1. In the order given. NaN is no test: it stays and is not counted.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&i| !p[i].is_nan()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = p.to_vec();
    let mut least: f64 = 0.0;
    for (before, &i) in order.iter().enumerate() {
        least = least.max((p[i] * (order.len() - before) as f64).min(1.0));
        adjusted[i] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::super::{paired_t_test, welch_t_test};
    use super::*;
    use lossward_envs::stream;
    use rand_distr::{Distribution, StandardNormal};

    /// Darwin's maize: 15 pairs, eighths of an inch; Fisher (1935) counted 1726 of 32768 patterns that are at least as extreme.
    const DARWIN: [f64; 15] =
        [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];

    #[test]
    fn darwins_maize() {
        let mut rng = stream(0, "test", 0);
        assert_eq!(sign_flip_p(&DARWIN, 1 << 15, &mut rng), 1726.0 / 32768.0);
        let drawn = sign_flip_p(&DARWIN, 20_000, &mut rng);
        assert!((drawn - 1726.0 / 32768.0).abs() < 0.006, "{drawn}");
        assert_eq!(sign_flip_p(&[1.0, 2.0, 3.0], 100, &mut rng), 2.0 / 8.0);
        assert_eq!(sign_flip_p(&[0.0, 0.0], 100, &mut rng), 1.0);
        assert!(sign_flip_p(&[], 100, &mut rng).is_nan() && sign_flip_p(&[f64::NAN], 100, &mut rng).is_nan());
    }

    /// Of the 10 divisions of 1 to 5 into two and three, those of sums 3 and 9 lie 3 from the expected 6.
    #[test]
    fn few_divisions_by_counting() {
        let p = permutation_p(&[1.0, 2.0], &[3.0, 4.0, 5.0], 20_000, &mut stream(0, "test", 1));
        assert!((p - 0.2).abs() < 0.012, "{p}");
        assert!(permutation_p(&[], &[1.0], 10, &mut stream(0, "test", 1)).is_nan());
    }

    /// For normal draws they come close to the t tests.
    #[test]
    fn shuffling_agrees_with_the_t_tests_on_normal_draws() {
        let mut rng = stream(0, "test", 2);
        for shift in [0.0, 0.3, 0.8] {
            let x: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(30).map(|value: f64| value + shift).collect();
            let y: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(30).collect();
            let (independent, welch) = (permutation_p(&x, &y, 20_000, &mut rng), welch_t_test(&x, &y).p_two_sided);
            assert!((independent - welch).abs() < 0.015, "{independent}, {welch}");
            let differences: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
            let (flipped, paired) = (sign_flip_p(&differences, 20_000, &mut rng), paired_t_test(&x, &y).p_two_sided);
            assert!((flipped - paired).abs() < 0.015, "{flipped}, {paired}");
        }
    }

    #[test]
    fn holm_multiplies_steps_up_and_never_falls() {
        let adjusted = holm(&[0.01, 0.04, f64::NAN, 0.03, 0.005]);
        let rounded: Vec<String> = adjusted.iter().map(|p| format!("{p:.3}")).collect();
        assert_eq!(rounded, ["0.030", "0.060", "NaN", "0.060", "0.020"]);
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}
