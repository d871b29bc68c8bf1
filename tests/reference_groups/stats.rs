use super::{Case, numbers};
use lossward::report::statistics::{Bootstrap, interquartile_mean};

/// Scores as `[tasks, runs]`; the files hold `[runs, tasks]`.
fn scores(case: &Case) -> (Vec<f64>, (usize, usize)) {
    let rows: Vec<Vec<f64>> = case.input("scores").as_array().unwrap().iter().map(numbers).collect();
    let (runs, tasks) = (rows.len(), rows[0].len());
    ((0..tasks).flat_map(|task| rows.iter().map(move |row| row[task])).collect(), (tasks, runs))
}

pub fn aggregates(case: &Case) {
    case.check("iqm", &[interquartile_mean(&scores(case).0)]);
}

pub fn bootstrap(case: &Case) {
    assert_eq!((case.text("method"), case.number("confidence")), ("percentile", 0.95));
    let (values, shape) = scores(case);
    let resamples = case.number("reps") as usize;
    let estimate = Bootstrap::new(shape, resamples, &mut lossward::stream(0, "test", 0)).interquartile_mean(&values);
    // The point is exact; the ends carry the case's Monte-Carlo tolerance.
    case.compare_within("point", &[estimate.point], &case.expected("point")["iqm"], (1e-9, 1e-12));
    case.compare("ci", &[estimate.low, estimate.high], &case.expected("ci")["iqm"]);
    case.expected("spread_over_3_seeds");
}
