//! Intervals by resampling, which every point of a curve and every cell of a table has: `cargo bench --bench statistics`. First it says how
//! often they cover what they should.

#![allow(clippy::print_stdout)]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use lossward::report::statistics::{Bootstrap, interquartile_mean, mean, probability_of_improvement};
use lossward::stream;

fn main() {
    coverage();
    divan::main();
}

/// How often the 95 % percentile interval of the interquartile mean of so many seeds covers the true one, of normal and of log-normal
/// scores; the true value of the latter is the mean of the middle half of a large sample.
fn coverage() {
    const EXPERIMENTS: usize = 4_000;
    let mut rng = stream(0, "coverage", 0);
    let mut normal = || -> f64 { rand_distr::Distribution::sample(&rand_distr::StandardNormal, &mut rng) };
    let large: Vec<f64> = (0..4_000_000).map(|_| normal().exp()).collect();
    let truth = interquartile_mean(&large);
    println!("seeds  normal  log-normal");
    for n in [3, 5, 7, 9, 10, 20] {
        let bootstrap = Bootstrap::new((1, n), 1_000, &mut stream(0, "bootstrap", 0));
        let mut covered = |truth: f64, of: fn(f64) -> f64| {
            let covers = (0..EXPERIMENTS).filter(|_| {
                let scores: Vec<f64> = (0..n).map(|_| of(normal())).collect();
                let interval = bootstrap.interquartile_mean(&scores);
                interval.low <= truth && truth <= interval.high
            });
            covers.count() as f64 / EXPERIMENTS as f64
        };
        println!("{n:>5}  {:>6.3}  {:>10.3}", covered(0.0, |x| x), covered(truth, f64::exp));
    }
}

fn scores(tasks: usize, runs: usize) -> Vec<f64> {
    (0..tasks * runs).map(|i| ((i * i) as f64).sin()).collect()
}

const RESAMPLES: usize = 50_000;

/// 50,000 resamples of 10 tasks × 10 runs, drawn anew.
#[divan::bench]
fn interquartile_mean_10_tasks(bencher: Bencher) {
    let scores = scores(10, 10);
    bencher.counter(ItemsCount::new(RESAMPLES)).bench_local(|| {
        Bootstrap::new((10, 10), RESAMPLES, &mut stream(0, "bootstrap", 0)).interquartile_mean(black_box(&scores))
    });
}

#[divan::bench]
fn mean_10_tasks(bencher: Bencher) {
    let scores = scores(10, 10);
    bencher.counter(ItemsCount::new(RESAMPLES)).bench_local(|| {
        Bootstrap::new((10, 10), RESAMPLES, &mut stream(0, "bootstrap", 0)).estimate(black_box(&scores), mean)
    });
}

#[divan::bench]
fn probability_of_improvement_10_tasks(bencher: Bencher) {
    let (x, y) = (scores(10, 10), scores(10, 11));
    bencher.counter(ItemsCount::new(RESAMPLES)).bench_local(|| {
        let rng = &mut stream(0, "bootstrap", 0);
        let (of_x, of_y) = (Bootstrap::new((10, 10), RESAMPLES, rng), Bootstrap::new((10, 11), RESAMPLES, rng));
        of_x.compare(&of_y, black_box((&x, &y)), |x, y| probability_of_improvement(x, y, 10))
    });
}

/// One point of a curve over so many runs: 1,000 resamples that are there already.
#[divan::bench(args = [3, 10, 30, 100])]
fn interquartile_mean_of_a_point(bencher: Bencher, runs: usize) {
    let scores = scores(1, runs);
    let bootstrap = Bootstrap::new((1, runs), 1_000, &mut stream(0, "bootstrap", 0));
    bencher.counter(ItemsCount::new(1_000usize)).bench_local(|| bootstrap.interquartile_mean(black_box(&scores)));
}
