//! How often one arm beats another.

use super::aggregate::rows;

/// `P(X > Y)`, the chance that a run of the first arm scores higher than one of the second; ties count half. Over all pairs of
/// runs of a task, `(#(x > y) + ½ #(x = y)) / (n_x n_y)`, and the mean over tasks (Agarwal et al. 2021, arXiv 2108.13264).
///
/// `x` is `[tasks, runs of the first]`, `y` is `[tasks, runs of the second]`. NaN where an arm has no runs. Where lower is better,
/// exchange the two.
///
/// # Panics
/// When the scores don't divide into `tasks` rows.
pub fn probability_of_improvement(x: &[f64], y: &[f64], tasks: usize) -> f64 {
    let wins = |x: &[f64], y: &[f64]| {
        let over_all = |x: f64| y.iter().map(|&y| u64::from(x > y) + u64::from(x >= y)).sum::<u64>();
        x.iter().map(|&x| over_all(x)).sum::<u64>() as f64 / (2 * x.len() * y.len()) as f64
    };
    if x.is_empty() || y.is_empty() {
        return f64::NAN;
    }
    rows(x, tasks).zip(rows(y, tasks)).map(|(x, y)| wins(x, y)).sum::<f64>() / tasks as f64
}

#[cfg(test)]
mod tests {
    use super::super::Bootstrap;
    use super::*;
    use lossward_envs::stream;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn ties_count_half_and_every_task_counts_the_same() {
        assert_eq!(probability_of_improvement(&[1.0, 2.0], &[1.0, 1.0, 3.0], 1), 3.0 / 6.0);
        assert_eq!(probability_of_improvement(&[1.0, 2.0, 0.0, 0.0], &[0.0, 0.0, 0.0, 1.0], 2), (1.0 + 0.25) / 2.0);
        assert_eq!(probability_of_improvement(&[f64::INFINITY], &[f64::INFINITY], 1), 0.5);
        assert!(probability_of_improvement(&[], &[1.0], 1).is_nan());
    }

    /// Normal scores whose centers lie a deviation apart: `Φ(1/√2) = 0.7602`. Of 400 intervals about 95 % cover it.
    #[test]
    fn the_interval_covers_the_truth_about_as_often_as_it_says() {
        let mut rng = stream(0, "test", 0);
        let truth = 1.0 - super::super::normal_tail(0.5f64.sqrt());
        let covered = (0..400)
            .filter(|_| {
                let x: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(15).map(|value: f64| value + 1.0).collect();
                let y: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(12).collect();
                let (of_x, of_y) = (Bootstrap::new((1, 15), 500, &mut rng), Bootstrap::new((1, 12), 500, &mut rng));
                let estimate = of_x.compare(&of_y, (&x, &y), |x, y| probability_of_improvement(x, y, 1));
                assert_eq!(estimate.point, probability_of_improvement(&x, &y, 1));
                estimate.low <= truth && truth <= estimate.high
            })
            .count();
        assert!((355..=395).contains(&covered), "{covered} of 400 intervals cover the truth");
    }
}
