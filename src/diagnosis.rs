//! What the rows of a trial say about how it goes, in plain language: while it trains and when its record is read.

use crate::experiment::Arm;
use crate::record::Rows;

/// Something that a user should know. A trial has at most one of each kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// `dead reward`
    pub kind: &'static str,
    pub message: String,
}

/// `dead reward: every episode …`
impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// Rows of a reward that never varied before it counts as dead.
const DEAD_ROWS: usize = 10;
/// The share of its first value below which an entropy has collapsed.
const COLLAPSED: f64 = 0.01;
/// A collapse is early, and of consequence, before this share of the budget.
const EARLY: f64 = 0.5;
/// A gradient's norm over the median of those before it from which it explodes, and how many those must be.
const EXPLOSION: f64 = 100.0;
const ROWS_BEFORE: usize = 5;
/// From the best row on the loss must have lost this share of itself, and the metric this share of what had been gained, ...
const LOSS_FALLS: f64 = 0.2;
const METRIC_FALLS: f64 = 0.1;
/// ... over at least this share of the rows.
const FOR_LONG: f64 = 0.25;

/// What there is to say about the rows of one trial of this arm, finished or not.
pub fn findings(arm: &Arm, rows: &Rows) -> Vec<Finding> {
    let record = Record { arm, rows };
    let by_reward = arm.objective.kind().acts();
    let checks: &[fn(&Record) -> Option<Finding>] = match by_reward {
        true => &[dead_reward, collapsed_entropy, exploding_gradient],
        false => &[exploding_gradient, loss_without_metric],
    };
    checks.iter().filter_map(|check| check(&record)).collect()
}

/// What there is to say about heads that read nothing but zeros, which no row tells.
pub fn dead_heads(names: &[&str]) -> Option<Finding> {
    (!names.is_empty()).then(|| Finding {
        kind: "dead head",
        message: format!(
            "of the head `{}` its inputs are all zero, so that it says the same of every example and learns no more than its bias: a relu before it has died; `leaky_relu`, a normalization or no activation there, or a smaller learning rate, keeps it alive",
            names.join("`, `")
        ),
    })
}

struct Record<'a> {
    arm: &'a Arm,
    rows: &'a Rows,
}

impl Record<'_> {
    /// `(examples, value)` where there is a value.
    fn points(&self, column: &str) -> Vec<(f64, f64)> {
        let (Some(examples), Some(values)) = (self.rows.column("examples"), self.rows.column(column)) else {
            return Vec::new();
        };
        examples.into_iter().zip(values).filter(|(_, value)| !value.is_nan()).collect()
    }
}

/// Every episode since the beginning has ended with the same return.
fn dead_reward(record: &Record) -> Option<Finding> {
    let returns = record.points("training_return");
    let (first, seen) = (returns.first()?.1, returns.get(..DEAD_ROWS)?);
    let examples = seen.last()?.0;
    seen.iter().all(|(_, value)| *value == first).then(|| Finding {
        kind: "dead reward",
        message: format!(
            "every episode of the first {examples:.0} examples returned {first}; a reward that never varies teaches nothing: \
             explore more, shape it, or look whether it can be reached"
        ),
    })
}

/// The policy has become almost deterministic while much of the budget is left. A differential entropy may be negative, and is not
/// looked at.
fn collapsed_entropy(record: &Record) -> Option<Finding> {
    let entropies = record.points("entropy");
    let (_, first) = *entropies.first()?;
    if first <= 0.0 || entropies.iter().any(|(_, entropy)| *entropy < 0.0) {
        return None;
    }
    let budget = record.arm.budget.examples as f64;
    let below = |(_, entropy): &(f64, f64)| *entropy < COLLAPSED * first;
    let at = (1..entropies.len()).find(|&i| below(&entropies[i]) && below(&entropies[i - 1]))?;
    let (examples, entropy) = entropies[at];
    (examples <= EARLY * budget).then(|| Finding {
        kind: "collapsed entropy",
        message: format!(
            "after {examples:.0} of {budget:.0} examples the policy has {entropy:.2e} nats left of {first:.3}, and hardly tries \
             anything else any more; if the task is not solved, a smaller learning rate or an entropy bonus keeps it exploring"
        ),
    })
}

fn exploding_gradient(record: &Record) -> Option<Finding> {
    // Of the rows before, in order.
    let mut before: Vec<f64> = Vec::new();
    record.points("gradient_norm").into_iter().find_map(|(examples, norm)| {
        let median = if before.len() < ROWS_BEFORE { 0.0 } else { before[before.len() / 2] };
        before.insert(before.partition_point(|other| *other < norm), norm);
        (median > 0.0 && norm > EXPLOSION * median).then(|| Finding {
            kind: "exploding gradient",
            message: format!(
                "after {examples:.0} examples the gradient's norm is {norm:.3e}, {:.0} times its median before; \
                 `clip_norm` bounds it, and a smaller learning rate avoids it",
                norm / median
            ),
        })
    })
}

/// The loss goes on falling long after the metric was at its best.
fn loss_without_metric(record: &Record) -> Option<Finding> {
    let (column, higher) = record.arm.deciding_column(&record.rows.columns)?;
    let losses = record.points("loss");
    let judged: Vec<(f64, f64)> = record.points(&column).into_iter().filter(|(x, _)| *x > 0.0).collect();
    if judged.len() < 10 || losses.len() != judged.len() {
        return None;
    }
    let goodness = |i: usize| if higher { judged[i].1 } else { -judged[i].1 };
    let best = (0..judged.len()).fold(0, |best, i| if goodness(i) > goodness(best) { i } else { best });
    let last = judged.len() - 1;
    let gained = goodness(best) - goodness(0);
    let (then, now) = (losses[best].1, losses[last].1);
    let long = (last - best) as f64 >= FOR_LONG * judged.len() as f64;
    let falls = then > 0.0 && now < (1.0 - LOSS_FALLS) * then;
    (long && falls && goodness(best) - goodness(last) > METRIC_FALLS * gained.abs()).then(|| Finding {
        kind: "loss without metric",
        message: format!(
            "since {:.0} examples the training loss fell from {then:.3e} to {now:.3e}, while {column} went from {:.4} to {:.4}: what is \
             learned no longer helps on held-out examples; early stopping or regularization may",
            judged[best].0, judged[best].1, judged[last].1
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    /// An arm of 1000 examples with these columns beside the examples, a row per hundred.
    fn found(arm: &str, columns: &[(&str, &dyn Fn(usize) -> f64)]) -> Vec<Finding> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        std::fs::write(&path, format!("budget.examples = 2000\n[[arm]]\nname = \"a\"\n{arm}")).unwrap();
        let experiment = Experiment::load(&path, &[]).unwrap();
        let names = std::iter::once("examples").chain(columns.iter().map(|(name, _)| *name));
        let row = |i: usize| {
            std::iter::once(i as f64 * 100.0).chain(columns.iter().map(|(_, of)| of(i))).collect::<Vec<f64>>()
        };
        let rows = Rows::of(names.map(String::from).collect(), (0..=20).map(row));
        findings(&experiment.arms[0], &rows)
    }

    const REWARD: &str =
        "task.env = \"CartPole-v1\"\nobjective = { kind = \"policy_gradient\", preset = \"reinforce\" }";
    const LABEL: &str = "task.dataset = \"digits\"\nobjective = { kind = \"supervised\", loss = \"cross_entropy\" }";

    fn kinds(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.kind).collect()
    }

    #[test]
    fn each_is_found_where_it_is_and_nowhere_else() {
        let row_zero_is_empty = |of: fn(usize) -> f64| move |i: usize| if i == 0 { f64::NAN } else { of(i) };
        let dead = found(REWARD, &[("training_return", &row_zero_is_empty(|_| -200.0))]);
        assert_eq!(kinds(&dead), ["dead reward"]);
        assert!(dead[0].to_string().contains("first 1000 examples returned -200"), "{}", dead[0]);
        let late = |i: usize| if i == 9 { -150.0 } else { -200.0 };
        assert_eq!(found(REWARD, &[("training_return", &late)]), []);
        let collapse = |from: usize| move |i: usize| if i >= from { 0.001 } else { 0.69 };
        assert_eq!(kinds(&found(REWARD, &[("entropy", &collapse(5))])), ["collapsed entropy"]);
        assert_eq!(found(REWARD, &[("entropy", &collapse(15))]), [], "late");
        assert_eq!(found(REWARD, &[("entropy", &|i| 0.69 - i as f64 * 0.1)]), [], "of a density");
        let jump = |i: usize| if i == 12 { 400.0 } else { 1.0 + i as f64 * 0.1 };
        for arm in [REWARD, LABEL] {
            assert_eq!(kinds(&found(arm, &[("gradient_norm", &jump)])), ["exploding gradient"]);
        }
        assert_eq!(found(LABEL, &[("gradient_norm", &|i| if i == 2 { 400.0 } else { 1.0 })]), [], "at the start");
    }

    #[test]
    fn a_loss_that_falls_without_its_metric_is_found() {
        let falling: &dyn Fn(usize) -> f64 = &|i| if i == 0 { f64::NAN } else { 1.0 / i as f64 };
        let peaked = |i: usize| 0.9 - 0.01 * (i as f64 - 8.0).abs();
        let of = |accuracy: &dyn Fn(usize) -> f64| found(LABEL, &[("loss", falling), ("accuracy", accuracy)]);
        let told = of(&peaked);
        assert_eq!(kinds(&told), ["loss without metric"]);
        assert!(
            told[0].message.contains("since 800 examples")
                && told[0].message.contains("accuracy went from 0.9000 to 0.7800")
        );
        assert_eq!(of(&|i| 0.5 + 0.02 * i as f64), [], "both get better");
        assert_eq!(of(&|i| if i < 8 { 0.1 * i as f64 } else { 0.8 - 1e-4 * i as f64 }), [], "hardly worse");
    }
}
