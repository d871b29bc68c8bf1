//! Statistics of ranks.

use super::aggregate::mean;
use super::distribution::normal_tail;

/// Ranks from 1; equal values share the mean of theirs.
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&i| ranks[i] = rank);
        before += tied.len();
    }
    ranks
}

/// Whether one sample tends to be larger than another, by ranks alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the first is larger; ties count half.
    pub u: f64,
    pub p_two_sided: f64,
}

/// The U test (Mann & Whitney 1947) of two independent samples, by its normal approximation with corrections for ties and
/// continuity: `U` has mean `ab/2` and variance `ab/12 · (n + 1 − Σ (t³ − t) / (n (n − 1)))` over groups of `t` ties among all
/// `n = a + b` values. p is 1 where all values are equal, NaN where a sample is empty or holds NaN.
///
/// The approximation is rough below about 8 values a side.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> MannWhitney {
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    if first.is_empty() || second.is_empty() || all.iter().any(|value| value.is_nan()) {
        return MannWhitney { u: f64::NAN, p_two_sided: f64::NAN };
    }
    let (a, b, n) = (first.len() as f64, second.len() as f64, all.len() as f64);
    let mut ranks = average_ranks(&all);
    let u = ranks[..first.len()].iter().sum::<f64>() - a * (a + 1.0) / 2.0;
    ranks.sort_unstable_by(f64::total_cmp);
    let cube = |tied: &[f64]| (tied.len() as f64).powi(3) - tied.len() as f64;
    let ties: f64 = ranks.chunk_by(|x, y| x == y).map(cube).sum();
    let deviation = (a * b / 12.0 * ((n + 1.0) - ties / (n * (n - 1.0)))).sqrt();
    let excess = u.max(a * b - u) - a * b / 2.0 - 0.5;
    let p_two_sided = if deviation > 0.0 { (2.0 * normal_tail(excess / deviation)).min(1.0) } else { 1.0 };
    MannWhitney { u, p_two_sided }
}

/// Spearman's rank correlation: Pearson's correlation of [`average_ranks`], in `[−1, 1]`. 1 where one column rises whenever the
/// other does, whatever their shapes. NaN for fewer than two pairs, a column that never varies, or one that holds NaN.
///
/// # Panics
/// When the columns have different lengths.
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len(), "pairs of values");
    if x.iter().chain(y).any(|value| value.is_nan()) {
        return f64::NAN;
    }
    pearson(&average_ranks(x), &average_ranks(y))
}

fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let (x_mean, y_mean) = (mean(x), mean(y));
    let product = |(x, y): (&f64, &f64)| (x - x_mean) * (y - y_mean);
    let covariance: f64 = x.iter().zip(y).map(product).sum();
    let square = |values: &[f64], center: f64| values.iter().map(|value| (value - center).powi(2)).sum::<f64>();
    covariance / (square(x, x_mean) * square(y, y_mean)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lossward_envs::stream;
    use rand::Rng;

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        assert_eq!(average_ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]), [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(average_ranks(&[]), [0.0; 0]);
    }

    /// Without ties `1 − 6 Σ d² / (n (n² − 1))`; the example of ten pairs has d² summing to 194.
    #[test]
    fn spearman_of_textbook_pairs() {
        let iq = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        assert!((spearman(&iq, &hours) - (1.0 - 6.0 * 194.0 / 990.0)).abs() < 1e-15);
        // Ranks 1.5, 1.5, 3 and 1, 2.5, 2.5: covariance 0.75, both squares 1.5.
        assert!((spearman(&[0.0, 0.0, 1.0], &[0.0, 2.0, 2.0]) - 0.5).abs() < 1e-15);
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[1.0, 10.0, f64::INFINITY]), 1.0);
        assert!(spearman(&[1.0, 1.0], &[1.0, 2.0]).is_nan() && spearman(&[], &[]).is_nan());
    }

    /// A rank is one more than the values below, plus half of the others that are equal.
    #[test]
    fn ranks_and_u_by_brute_force() {
        let mut rng = stream(0, "test", 0);
        for n in 1..12 {
            let mut draw = |n: usize| (0..n).map(|_| f64::from(rng.random_range(0..5))).collect::<Vec<f64>>();
            let (x, y) = (draw(n), draw(n + 2));
            let below = |x: f64, y: f64| {
                if y < x {
                    1.0
                } else if y == x {
                    0.5
                } else {
                    0.0
                }
            };
            let brute: Vec<f64> =
                x.iter().map(|&x_i| 0.5 + x.iter().map(|&x_j| below(x_i, x_j)).sum::<f64>()).collect();
            assert_eq!(average_ranks(&x), brute);
            let u: f64 = x.iter().flat_map(|&x| y.iter().map(move |&y| below(x, y))).sum();
            let (test, mirrored) = (mann_whitney(&x, &y), mann_whitney(&y, &x));
            assert_eq!((test.u, mirrored.u), (u, (n * (n + 2)) as f64 - u));
            assert_eq!(test.p_two_sided, mirrored.p_two_sided);
        }
        assert_eq!(mann_whitney(&[2.0, 2.0], &[2.0]).p_two_sided, 1.0);
        assert!(mann_whitney(&[], &[1.0]).p_two_sided.is_nan());
    }
}
