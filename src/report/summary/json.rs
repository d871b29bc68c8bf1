//! The whole answer, for programs.

use super::{Summary, SummaryRow};
use crate::report::statistics::Estimate;
use crate::report::{Comparison, ComparisonRow, PairedDifference};
use crate::task::BestExpectedReturn;
use crate::{Error, Result};
use serde_json::{Map, Value, json};

impl Summary {
    pub fn json(&self) -> Result<Vec<u8>> {
        let arm = |row: &SummaryRow| {
            let finals = self.metrics.iter().zip(&row.finals).map(|(metric, estimate)| (metric.clone(), of(*estimate)));
            let mut entry = json!({
                "arm": row.arm,
                "n": row.n,
                "failed": row.failed,
                "final": Value::Object(finals.collect::<Map<String, Value>>()),
                "seconds": of(row.seconds),
            });
            if let Some(to) = row.to_threshold {
                entry["examples_to_threshold"] = of(Some(to.examples));
                entry["median_examples_to_threshold"] = of(Some(to.median));
                entry["reached_threshold"] = json!(to.reached);
            }
            entry
        };
        let mut whole = json!({
            "title": self.title,
            "statistic": "interquartile mean over seeds; low and high are the ends of a 95 % percentile bootstrap interval, and below 5 seeds \
                          the least and the largest of them",
        });
        if let Some(threshold) = &self.threshold {
            whole["threshold"] = json!({
                "metric": threshold.metric,
                "value": threshold.value,
                "median": "Kaplan and Meier's, with the interval of Brookmeyer and Crowley; \
                           null where the trials did not last long enough",
            });
        }
        if !self.best_returns.is_empty() {
            let best = |best: &BestExpectedReturn| {
                json!({
                    "environment": best.environment,
                    "max_steps": best.max_steps,
                    "expected": best.expected,
                    "found": best.found,
                })
            };
            whole["best_returns"] = self.best_returns.iter().map(best).collect();
        }
        whole["arms"] = self.rows.iter().map(arm).collect();
        for entry in whole["arms"].as_array_mut().into_iter().flatten() {
            let areas = self.comparisons.iter().flat_map(|comparison| &comparison.areas);
            if let Some((_, area)) = areas.into_iter().find(|(arm, _)| entry["arm"] == **arm) {
                entry["area_under_curve"] = of(*area);
            }
        }
        if !self.comparisons.is_empty() {
            whole["comparisons"] = self.comparisons.iter().map(compared).collect();
        }
        let text =
            serde_json::to_string_pretty(&whole).map_err(|error| Error::Argument(format!("the summary: {error}")))?;
        Ok((text + "\n").into_bytes())
    }
}

/// JSON has no infinity: a threshold that was not reached is null.
fn of(estimate: Option<Estimate>) -> Value {
    match estimate {
        Some(Estimate { point, low, high }) => json!({ "point": point, "low": low, "high": high }),
        None => Value::Null,
    }
}

fn compared(comparison: &Comparison) -> Value {
    let (from, to) = comparison.examples;
    let row = |row: &ComparisonRow| json!({ "arm": row.arm, "final": difference(row.last), "area_under_curve": difference(row.area) });
    json!({
        "metric": comparison.metric,
        "higher_is_better": comparison.higher_is_better,
        "reference": comparison.reference,
        "area_under_curve": { "from": from, "to": to, "unit": "mean of the metric over these examples" },
        "statistic": "difference: mean of arm minus reference over the seeds that both finished, with Student's 95 % \
                      interval; p: paired t test, two-sided; adjusted_p: by Holm's method for all tests of the report; \
                      effect_size: mean difference over its standard deviation; improvement: probability that a run of \
                      the arm is better than one of the reference, with a 95 % percentile bootstrap interval",
        "adjusted_for": comparison.adjusted_for(),
        "arms": comparison.rows.iter().map(row).collect::<Vec<Value>>(),
    })
}

fn difference(difference: Option<PairedDifference>) -> Value {
    let Some(difference) = difference else { return Value::Null };
    let mut value = json!({
        "n": difference.n,
        "difference": of(Some(difference.difference)),
        "p": difference.p,
    });
    if let Some(p) = difference.adjusted_p {
        value["adjusted_p"] = json!(p);
    }
    value["effect_size"] = json!(difference.effect_size);
    value["improvement"] = of(Some(difference.improvement));
    value
}
