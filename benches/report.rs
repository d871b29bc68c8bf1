//! How long the page of a large experiment takes: `cargo bench --bench report`.

#[path = "../tests/common/mod.rs"]
mod common;

use common::Sandbox;
use common::records::{experiment_of, write_results};
use divan::Bencher;
use lossward::record::TrialOutcome;
use lossward::report::Report;

fn main() {
    divan::main();
}

/// `(arms, seeds, rows)` of an experiment on disk.
fn written(sandbox: &Sandbox, (arms, seeds, rows): (usize, u64, usize)) -> std::path::PathBuf {
    let names: Vec<String> = (0..arms).map(|i| format!("arm number {i}")).collect();
    let finished = |_, _| Some(TrialOutcome::Finished { seconds: 3.0, warnings: Vec::new() });
    write_results(sandbox, &experiment_of(&names, seeds), rows, finished)
}

/// All that `lossward plot` does for twenty arms, fifty seeds and two thousand rows, 400 MB of them.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn plot_of_a_huge_experiment(bencher: Bencher) {
    let sandbox = Sandbox::new();
    let results = written(&sandbox, (20, 50, 2_000));
    bencher.bench_local(|| {
        let report = Report::read(&results)?;
        report.write(&lossward::report::Summary::of(&report)?, &results)
    });
}

/// Twenty arms, ten seeds, five hundred rows: from records on disk to the text of `report.html`.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn page_of_a_large_experiment(bencher: Bencher) {
    let sandbox = Sandbox::new();
    let results = written(&sandbox, (20, 10, 500));
    bencher.bench_local(|| Report::read(&results).and_then(|report| report.page()));
}
