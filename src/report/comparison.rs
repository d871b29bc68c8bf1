//! Each arm against the first one that learns the same, seed by seed.

use super::statistics::{
    Bootstrap, CONFIDENCE, Estimate, holm, mean_height, paired_effect_size, paired_t_test, probability_of_improvement,
};
use super::{ArmRecords, Report, TABLE_RESAMPLES, TrialRecord, estimate, interpolate, interval, path};
use crate::experiment::Arm;
use crate::stream;

/// More tests than these are adjusted for their number.
pub const TESTS_WITHOUT_ADJUSTMENT: usize = 8;

/// What decides which weights are the best, compared between the first of the arms that learn the same, the reference, and the others: at
/// the end of training, and on average over it.
pub struct Comparison {
    /// A column of the record.
    pub metric: String,
    pub higher_is_better: bool,
    /// The name of the first arm.
    pub reference: String,
    /// From the first to the last number of examples that these arms have in common: what the area under the curve spans.
    pub examples: (f64, f64),
    /// Each arm with the area under its curve divided by the examples that it spans, over trials; in the order of the experiment.
    pub areas: Vec<(String, Option<Estimate>)>,
    /// One per arm after the first, in the order of the experiment; nothing of a pair that shares fewer than two seeds.
    pub rows: Vec<ComparisonRow>,
}

pub struct ComparisonRow {
    pub arm: String,
    /// At the end of training.
    pub last: Option<PairedDifference>,
    /// Of the area under the curve, as in [`Comparison::areas`].
    pub area: Option<PairedDifference>,
}

/// An arm and the reference in the seeds that both finished.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    /// Seeds in common, two at least.
    pub n: usize,
    /// The mean of the arm minus the reference, with Student's interval of [`CONFIDENCE`].
    pub difference: Estimate,
    /// Of the paired t test, two-sided; NaN where the two never differ.
    pub p: f64,
    /// Adjusted for all tests of the report ([`holm`]); nothing where they are few.
    pub adjusted_p: Option<f64>,
    /// How many those are.
    pub adjusted_for: Option<usize>,
    /// The mean difference over its standard deviation.
    pub effect_size: f64,
    /// The chance that a run of the arm is better than one of the reference, with its bootstrap interval; NaN of few seeds.
    pub improvement: Estimate,
}

impl Comparison {
    /// One for each group of arms that learn the same, in the order of their first arms; none of a single arm, or where no arm shares
    /// two seeds with the first.
    pub fn all(report: &Report) -> Vec<Comparison> {
        let of = |arms: &Vec<usize>| {
            let pairs = arms.iter().map(|&arm| (&report.experiment.arms[arm], &report.arms[arm]));
            Comparison::of(&pairs.collect::<Vec<_>>())
        };
        let mut all: Vec<Comparison> = groups(&report.experiment.arms).iter().filter_map(of).collect();
        adjust(&mut all);
        all
    }

    fn of(group: &[(&Arm, &ArmRecords)]) -> Option<Comparison> {
        let arms: Vec<&ArmRecords> = group.iter().map(|(_, records)| *records).collect();
        let (reference, others) = arms.split_first()?;
        let (metric, higher_is_better) = group[0].0.deciding_column(&reference.trials.first()?.rows.columns)?;
        let examples = common_range(&arms, &metric)?;
        let heights = |arm: &ArmRecords| by_seed(arm, |trial| height(trial, &metric, examples));
        let ends = |arm: &ArmRecords| by_seed(arm, |trial| trial.last(&metric));
        let (reference_ends, reference_heights) = (ends(reference), heights(reference));
        let rows: Vec<ComparisonRow> = others
            .iter()
            .map(|arm| ComparisonRow {
                arm: arm.name.clone(),
                last: paired_difference(&ends(arm), &reference_ends, higher_is_better),
                area: paired_difference(&heights(arm), &reference_heights, higher_is_better),
            })
            .collect();
        if rows.iter().all(|row| row.last.is_none() && row.area.is_none()) {
            return None;
        }
        let values = |arm: &ArmRecords| heights(arm).into_iter().map(|(_, height)| height).collect::<Vec<f64>>();
        let areas = arms.iter().map(|arm| (arm.name.clone(), estimate(&values(arm)))).collect();
        Some(Comparison { metric, higher_is_better, reference: reference.name.clone(), examples, areas, rows })
    }

    /// How many tests the p values are adjusted for, if they are: all that the report makes.
    pub fn adjusted_for(&self) -> Option<usize> {
        self.rows.iter().flat_map(|row| row.last.iter().chain(&row.area)).find_map(|test| test.adjusted_for)
    }
}

/// The indices of the arms that learn the same, in the order of the first of each group.
pub(super) fn groups(arms: &[Arm]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, arm) in arms.iter().enumerate() {
        match groups.iter_mut().find(|group| learn_the_same(&arms[group[0]], arm)) {
            Some(group) => group.push(i),
            None => groups.push(vec![i]),
        }
    }
    groups
}

/// Whether two arms have the same data or environment, changed in the same way, and are judged alike. Options of an environment, such as
/// an action mask, are a way to learn the same; those of a data set make it another one.
fn learn_the_same(one: &Arm, other: &Arm) -> bool {
    let of_data = |arm: &Arm| arm.task.dataset.is_some().then(|| arm.task.options.clone());
    let data = |arm: &Arm| (arm.task.dataset.clone(), arm.task.env.clone(), of_data(arm));
    let changes = |arm: &Arm| (arm.task.train_rows, arm.task.imbalance, arm.task.label_noise);
    let judged = |arm: &Arm| (arm.evaluation.metrics.clone(), arm.evaluation.options.clone());
    data(one) == data(other) && changes(one) == changes(other) && judged(one) == judged(other)
}

/// The examples that every arm's curve spans. Within an arm a trial that stopped early goes on at its last value, as in figures.
fn common_range(arms: &[&ArmRecords], metric: &str) -> Option<(f64, f64)> {
    let (mut from, mut to) = (f64::NEG_INFINITY, f64::INFINITY);
    for arm in arms {
        let counts: Vec<Vec<f64>> =
            arm.trials.iter().filter_map(|trial| Some(path(&trial.rows, "examples", metric)?.0)).collect();
        let ends = counts.iter().filter_map(|counts| counts.last().copied());
        let Some(end) = ends.max_by(f64::total_cmp) else { continue };
        to = to.min(end);
        from = counts.iter().filter_map(|counts| counts.first().copied()).fold(from, f64::max);
    }
    (from < to && to.is_finite()).then_some((from, to))
}

/// The mean height of a trial's curve over these examples. After a trial that stopped early put its best weights back, their value counts; up to
/// that count the values do that were measured there.
fn height(trial: &TrialRecord, metric: &str, (from, to): (f64, f64)) -> Option<f64> {
    let (examples, values) = path(&trial.rows, "examples", metric)?;
    // All rows of the span, also two at one count: the step from one to the other has no area, wherever it is.
    let inside = examples.iter().copied().zip(values.iter().copied()).filter(|(at, _)| (from..=to).contains(at));
    let end = |at: f64| (!examples.contains(&at)).then(|| Some((at, interpolate(&examples, &values, at)?))).flatten();
    let (x, y): (Vec<f64>, Vec<f64>) = end(from).into_iter().chain(inside).chain(end(to)).unzip();
    Some(mean_height(&x, &y))
}

/// `(seed, value)` of the trials that have one.
fn by_seed(arm: &ArmRecords, value: impl Fn(&TrialRecord) -> Option<f64>) -> Vec<(u64, f64)> {
    arm.trials.iter().filter_map(|trial| Some((trial.seed, value(trial)?))).collect()
}

/// Nothing for fewer than two seeds in common.
fn paired_difference(arm: &[(u64, f64)], reference: &[(u64, f64)], higher_is_better: bool) -> Option<PairedDifference> {
    let partner = |seed: u64| reference.iter().find(|(other, _)| *other == seed);
    let pairs = arm.iter().filter_map(|(seed, value)| Some((*value, partner(*seed)?.1)));
    let (arm, reference): (Vec<f64>, Vec<f64>) = pairs.unzip();
    let n = arm.len();
    if n < 2 {
        return None;
    }
    let test = paired_t_test(&arm, &reference);
    let mut rng = stream(0, "bootstrap", 2);
    let bootstraps = [(); 2].map(|()| Bootstrap::new((1, n), TABLE_RESAMPLES, &mut rng));
    let better = |arm: &[f64], reference: &[f64]| {
        let (first, second) = if higher_is_better { (arm, reference) } else { (reference, arm) };
        probability_of_improvement(first, second, 1)
    };
    Some(PairedDifference {
        n,
        difference: test.interval(CONFIDENCE),
        p: test.p_two_sided,
        adjusted_p: None,
        adjusted_for: None,
        effect_size: paired_effect_size(&arm, &reference),
        improvement: match n < interval::ENOUGH {
            true => Estimate { point: better(&arm, &reference), low: f64::NAN, high: f64::NAN },
            false => bootstraps[0].compare(&bootstraps[1], (&arm, &reference), better),
        },
    })
}

/// Adjusts the p values of all comparisons for each other where they are many: a reader of the report sees all of them.
fn adjust(comparisons: &mut [Comparison]) {
    let rows = comparisons.iter_mut().flat_map(|comparison| &mut comparison.rows);
    let mut tests: Vec<&mut PairedDifference> =
        rows.flat_map(|row| row.last.iter_mut().chain(&mut row.area)).filter(|test| !test.p.is_nan()).collect();
    if tests.len() > TESTS_WITHOUT_ADJUSTMENT {
        let p: Vec<f64> = tests.iter().map(|test| test.p).collect();
        tests.iter_mut().zip(holm(&p)).for_each(|(test, adjusted)| {
            (test.adjusted_p, test.adjusted_for) = (Some(adjusted), Some(p.len()));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::metric::Drawn;
    use crate::record::Rows;

    fn trial(seed: u64, rows: &[(f64, f64)]) -> TrialRecord {
        let columns = ["examples", "accuracy"].map(String::from).to_vec();
        let rows = Rows::of(columns, rows.iter().map(|(x, y)| [*x, *y]));
        TrialRecord {
            seed,
            rows,
            drawn: Drawn::default(),
            predictions: None,
            seconds: 1.0,
            readings: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn arm(name: &str, trials: Vec<TrialRecord>) -> ArmRecords {
        ArmRecords { name: name.into(), trials, ..ArmRecords::default() }
    }

    /// A report of arms that only exist on paper.
    fn report(arms: Vec<ArmRecords>, evaluation: &str) -> Report {
        let text: String = arms
            .iter()
            .map(|arm| {
                let name = &arm.name;
                format!(
                    "[[arm]]\nname = \"{name}\"\nobjective = {{ kind = \"supervised\", loss = \"cross_entropy\" }}\n"
                )
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("experiment.toml");
        std::fs::write(
            &file,
            format!("budget.examples = 20\n[task]\ndataset = \"digits\"\n[evaluation]\n{evaluation}\n{text}"),
        )
        .unwrap();
        Report { experiment: Experiment::load(&file, &[]).unwrap(), arms, provenance: Vec::new() }
    }

    fn only(report: &Report) -> Comparison {
        let mut all = Comparison::all(report);
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    const ACCURACY: &str = "metrics = [\"confusion_matrix\", \"accuracy\", \"cross_entropy\"]";

    #[test]
    fn only_seeds_that_both_finished_are_compared() {
        let of = |seed: u64, last: f64| trial(seed, &[(0.0, 0.0), (10.0, last)]);
        let reference = arm("reference", vec![of(0, 0.5), of(1, 0.6), of(3, 0.1)]);
        let other = arm("other", vec![of(0, 0.7), of(1, 0.9), of(2, 1.0)]);
        let comparison = only(&report(vec![reference, other], ACCURACY));
        assert_eq!((comparison.metric.as_str(), comparison.higher_is_better), ("accuracy", true));
        assert_eq!(comparison.examples, (0.0, 10.0));
        let last = comparison.rows[0].last.unwrap();
        assert_eq!(last.n, 2);
        assert!((last.difference.point - 0.25).abs() < 1e-12);
        // Differences 0.2 and 0.3: t = 5 with one degree of freedom, p = 2 atan(1/5) / π.
        assert!((last.p - 2.0 * 0.2f64.atan() / std::f64::consts::PI).abs() < 1e-9, "{last:?}");
        assert!((last.effect_size - 5.0 / 2f64.sqrt()).abs() < 1e-9);
        assert_eq!((last.improvement.point, last.adjusted_p, comparison.adjusted_for()), (1.0, None, None));
        assert!(last.improvement.low.is_nan(), "two seeds have no interval");
        // The area of a line from 0 is half of its end.
        assert!((comparison.rows[0].area.unwrap().difference.point - 0.125).abs() < 1e-12);
    }

    #[test]
    fn lower_may_be_better() {
        let of = |seed: u64, last: f64| trial(seed, &[(0.0, 1.0), (10.0, last)]);
        let arms = vec![arm("a", vec![of(0, 0.1), of(1, 0.2)]), arm("b", vec![of(0, 0.3), of(1, 0.5)])];
        let mut report = report(arms, "metrics = [\"cross_entropy\"]");
        for trial in report.arms.iter_mut().flat_map(|arm| &mut arm.trials) {
            trial.rows.columns[1] = "cross_entropy".into();
        }
        let comparison = only(&report);
        assert!(!comparison.higher_is_better);
        let last = comparison.rows[0].last.unwrap();
        assert!(last.difference.point > 0.0 && last.improvement.point == 0.0, "{last:?}");
    }

    /// Curves that end elsewhere: over the examples that all arms have, and on at the last value within an arm.
    #[test]
    fn areas_span_what_all_arms_have() {
        let long = arm("long", (0..2).map(|seed| trial(seed, &[(0.0, 0.0), (10.0, 1.0), (20.0, 0.0)])).collect());
        let stopped = trial(1, &[(2.0, 1.0), (6.0, 0.5)]);
        let short = arm("short", vec![trial(0, &[(0.0, 0.5), (10.0, 0.5)]), stopped]);
        let comparison = only(&report(vec![long, short], ACCURACY));
        assert_eq!(comparison.examples, (2.0, 10.0));
        let [of_long, of_short] = &comparison.areas[..] else { panic!("two arms") };
        assert!((of_long.1.unwrap().point - 0.6).abs() < 1e-12);
        // 0.5, and 0.75 for half of the span and 0.5 for the other.
        assert!((of_short.1.unwrap().point - (0.5 + 0.625) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn many_tests_are_adjusted_and_few_seeds_are_not_compared() {
        let of = |seed: u64, last: f64| trial(seed, &[(0.0, 0.0), (10.0, last)]);
        let an_arm = |i: u64| {
            arm(&format!("arm {i}"), (0..4).map(|seed| of(seed, (i * 7 + seed * (3 + i)) as f64 % 11.0)).collect())
        };
        let comparison = only(&report((0..6).map(an_arm).collect(), ACCURACY));
        assert_eq!(comparison.adjusted_for(), Some(10));
        let tests = comparison.rows.iter().flat_map(|row| [row.last.unwrap(), row.area.unwrap()]);
        assert!(tests.into_iter().all(|test| test.adjusted_p.unwrap() >= test.p));
        let single = |name: &str| arm(name, vec![of(0, 0.5)]);
        assert!(Comparison::all(&report(vec![single("a"), single("b")], ACCURACY)).is_empty());
        assert!(Comparison::all(&report(vec![an_arm(0)], ACCURACY)).is_empty());
    }

    /// A trial that stopped early has two rows at its last count: 0 → 1 over 10 examples, and 0.4 of the weights that were put back. Up to there its
    /// mean is 0.5, whether the span ends there or goes on.
    #[test]
    fn restored_weights_count_from_where_they_were_put_back() {
        let stopped = trial(0, &[(0.0, 0.0), (10.0, 1.0), (10.0, 0.4)]);
        assert!((height(&stopped, "accuracy", (0.0, 10.0)).unwrap() - 0.5).abs() < 1e-12);
        assert!((height(&stopped, "accuracy", (0.0, 20.0)).unwrap() - (0.5 + 0.4) / 2.0).abs() < 1e-12);
        assert!((height(&stopped, "accuracy", (5.0, 15.0)).unwrap() - (0.75 + 0.4) / 2.0).abs() < 1e-12);
    }

    /// Two groups of arms with five tests of a pair each: the family is the report.
    #[test]
    fn tests_of_all_groups_are_adjusted_together() {
        let of = |seed: u64, last: f64| trial(seed, &[(0.0, 0.0), (10.0, last)]);
        let an_arm = |i: u64| {
            arm(&format!("arm {i}"), (0..6).map(|seed| of(seed, (i * 7 + seed * (3 + i)) as f64 % 11.0)).collect())
        };
        let mut both = report((0..6).map(an_arm).collect(), ACCURACY);
        for other in &mut both.experiment.arms[3..] {
            other.task.label_noise = Some(0.1);
        }
        let all = Comparison::all(&both);
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|comparison| comparison.adjusted_for().is_none()), "eight tests");
        let mut more = report((0..7).map(an_arm).collect(), ACCURACY);
        for other in &mut more.experiment.arms[4..] {
            other.task.label_noise = Some(0.1);
        }
        let all = Comparison::all(&more);
        assert!(all.iter().all(|comparison| comparison.adjusted_for() == Some(10)), "6 and 4 tests");
    }
}
