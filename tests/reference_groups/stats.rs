use super::{Case, numbers};
use lossward::report::statistics::{
    Bootstrap, CONFIDENCE, Estimate, average_score_profile, interquartile_mean, mann_whitney, mean, mean_interval,
    median, optimality_gap, paired_t_test, probability_of_improvement, run_score_profile, smoothed,
    smoothed_from_first, standard_error, student_t_test, welch_t_test,
};

/// Scores as `[tasks, runs]`, and how many tasks; the files hold `[runs, tasks]`.
fn scores(case: &Case, key: &str) -> (Vec<f64>, usize) {
    let rows: Vec<Vec<f64>> = case.input(key).as_array().unwrap().iter().map(numbers).collect();
    let tasks = rows[0].len();
    ((0..tasks).flat_map(|task| rows.iter().map(move |row| row[task])).collect(), tasks)
}

fn confidence(case: &Case) -> f64 {
    if case.input("confidence").is_null() { CONFIDENCE } else { case.number("confidence") }
}

/// By its name in rliable; the reference of the optimality gap may stand in it: `optimality_gap_gamma0.8`.
fn aggregate(name: &str, scores: &[f64], tasks: usize) -> f64 {
    match name {
        "mean" => mean(scores),
        "median" => median(scores, tasks),
        "iqm" => interquartile_mean(scores),
        "optimality_gap" => optimality_gap(scores, 1.0),
        _ => match name.strip_prefix("optimality_gap_gamma") {
            Some(gamma) => optimality_gap(scores, gamma.parse().unwrap()),
            None => panic!("no aggregate is called `{name}`"),
        },
    }
}

pub fn aggregates(case: &Case) {
    let (scores, tasks) = scores(case, "scores");
    for name in case.expected_with("") {
        case.check(&name, &[aggregate(&name, &scores, tasks)]);
    }
}

/// The ends are means over three streams, as those of the file are over three seeds.
pub fn bootstrap(case: &Case) {
    assert_eq!(case.text("method"), "percentile");
    let (scores, tasks) = scores(case, "scores");
    let (shape, resamples) = ((tasks, scores.len() / tasks), case.number("reps") as usize);
    let bootstraps: Vec<Bootstrap> = (0..3)
        .map(|i| Bootstrap::new(shape, resamples, &mut lossward::stream(0, "test", i)).covering(confidence(case)))
        .collect();
    let [points, intervals] = ["point", "ci"].map(|key| case.expected(key).as_object().unwrap());
    assert!(points.keys().eq(intervals.keys()), "points of {:?}", intervals.keys());
    for (name, interval) in intervals {
        let estimate = |bootstrap: &Bootstrap| match name.as_str() {
            "iqm" => bootstrap.interquartile_mean(&scores),
            _ => bootstrap.estimate(&scores, |resample| aggregate(name, resample, tasks)),
        };
        let estimates: Vec<Estimate> = bootstraps.iter().map(estimate).collect();
        let average = |end: fn(&Estimate) -> f64| mean(&estimates.iter().map(end).collect::<Vec<f64>>());
        // The point is exact; the ends carry the case's Monte-Carlo tolerance.
        case.compare_within(name, &[estimates[0].point], &points[name], (1e-9, 1e-12));
        case.compare(name, &[average(|estimate| estimate.low), average(|estimate| estimate.high)], interval);
    }
    case.expected("spread_over_3_seeds");
}

pub fn profiles(case: &Case) {
    let (scores, tasks) = scores(case, "scores");
    let thresholds = case.numbers("taus");
    case.check("run_score", &run_score_profile(&scores, &thresholds));
    case.check("average_score", &average_score_profile(&scores, tasks, &thresholds));
}

pub fn improvement(case: &Case) {
    let ((x, tasks), (y, _)) = (scores(case, "x"), scores(case, "y"));
    case.check("probability_of_improvement", &[probability_of_improvement(&x, &y, tasks)]);
}

pub fn smoothing(case: &Case) {
    let (values, weight) = (case.numbers("x"), case.number("weight"));
    case.check("smoothed", &smoothed(&values, weight));
    case.check("biased_first_value_init", &smoothed_from_first(&values, weight));
}

pub fn tests(case: &Case) {
    if case.has("x") { interval_of_a_mean(case) } else { two_samples(case) }
}

fn interval_of_a_mean(case: &Case) {
    let values = case.numbers("x");
    let interval = mean_interval(&values, confidence(case));
    case.check("mean", &[interval.point]);
    case.check("sem", &[standard_error(&values)]);
    case.check("ci", &[interval.low, interval.high]);
}

fn two_samples(case: &Case) {
    let (a, b) = (case.numbers("a"), case.numbers("b"));
    let (welch, student, ranks) = (welch_t_test(&a, &b), student_t_test(&a, &b), mann_whitney(&a, &b));
    case.check("t", &[welch.t]);
    case.check("df", &[welch.degrees_of_freedom]);
    case.check("p_two_sided", &[welch.p_two_sided]);
    case.check("p_greater", &[welch.p_greater]);
    case.check("student_t", &[student.t]);
    case.check("student_p", &[student.p_two_sided]);
    case.check("mannwhitney_u", &[ranks.u]);
    case.check("mannwhitney_p_asymptotic", &[ranks.p_two_sided]);
    // `ci95_mean_difference`
    for rest in case.expected_with("ci") {
        let percent =
            rest.strip_suffix("_mean_difference").unwrap_or_else(|| panic!("no interval is called `ci{rest}`"));
        let interval = welch.interval(percent.parse::<f64>().unwrap() / 100.0);
        case.check(&format!("ci{rest}"), &[interval.low, interval.high]);
    }
    if case.expects("paired_t") {
        let paired = paired_t_test(&a, &b);
        case.check("paired_t", &[paired.t]);
        case.check("paired_p", &[paired.p_two_sided]);
    }
}
