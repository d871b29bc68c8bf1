//! Intervals by resampling, which every point of a curve and every cell of a table has: `cargo bench --bench statistics`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use lossward::report::statistics::{Bootstrap, mean, probability_of_improvement};
use lossward::stream;

fn main() {
    divan::main();
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
