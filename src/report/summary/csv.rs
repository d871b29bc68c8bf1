//! One line per arm.

use super::Summary;
use crate::report::statistics::Estimate;
use crate::report::{Comparison, PairedDifference};
use crate::{Error, Result};

impl Summary {
    pub fn csv(&self) -> Result<Vec<u8>> {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        let csv_error = |error: ::csv::Error| Error::Argument(format!("the summary: {error}"));
        writer.write_record(self.head()).map_err(csv_error)?;
        for row in &self.rows {
            let mut record = vec![row.arm.clone(), row.n.to_string(), row.failed.to_string()];
            record.extend(row.finals.iter().flat_map(|estimate| cells(*estimate)));
            if self.threshold.is_some() {
                record.extend(cells(row.to_threshold.map(|to| to.examples)));
                record.push(row.to_threshold.map_or(String::new(), |to| to.reached.to_string()));
            }
            record.extend(cells(row.seconds));
            if !self.comparisons.is_empty() {
                let area = |comparison: &Comparison| comparison.areas.iter().find(|(arm, _)| *arm == row.arm)?.1;
                let comparison = self.comparisons.iter().find(|comparison| area(comparison).is_some());
                let metric = comparison.map(|comparison| [comparison.metric.clone(), comparison.reference.clone()]);
                record.extend(metric.unwrap_or_default());
                record.extend(cells(comparison.and_then(area)));
                // The first arm is what the others are compared with, and has no row.
                let compared = comparison.and_then(|comparison| comparison.rows.iter().find(|of| of.arm == row.arm));
                record.extend(difference_cells(compared.and_then(|row| row.last)));
                record.extend(difference_cells(compared.and_then(|row| row.area)));
            }
            writer.write_record(&record).map_err(csv_error)?;
        }
        writer.into_inner().map_err(|error| Error::Argument(format!("the summary: {error}")))
    }

    fn head(&self) -> Vec<String> {
        let triple = |name: &str| ["", "_low", "_high"].map(|end| format!("{name}{end}"));
        let mut head = vec!["arm".to_string(), "n".into(), "failed".into()];
        head.extend(self.metrics.iter().flat_map(|metric| triple(metric)));
        if self.threshold.is_some() {
            head.extend(triple("examples_to_threshold"));
            head.push("reached_threshold".into());
        }
        head.extend(triple("seconds"));
        if !self.comparisons.is_empty() {
            head.extend(["compared_metric", "reference"].map(String::from));
            head.extend(triple("area"));
            for name in ["final", "area"] {
                head.push(format!("{name}_pairs"));
                head.extend(triple(&format!("{name}_difference")));
                head.extend(["p", "adjusted_p", "effect_size"].map(|what| format!("{name}_{what}")));
                head.extend(triple(&format!("{name}_improvement")));
            }
        }
        head
    }
}

/// A point and the ends of its interval; empty where there is none.
fn cells(estimate: Option<Estimate>) -> [String; 3] {
    match estimate {
        Some(Estimate { point, low, high }) => {
            [point, low, high].map(|value| if value.is_nan() { String::new() } else { value.to_string() })
        }
        None => [const { String::new() }; 3],
    }
}

/// In the order of the head; empty where there is none.
fn difference_cells(difference: Option<PairedDifference>) -> Vec<String> {
    let number =
        |value: Option<f64>| value.filter(|value| !value.is_nan()).map_or(String::new(), |value| value.to_string());
    let mut record = vec![difference.map_or(String::new(), |difference| difference.n.to_string())];
    record.extend(cells(difference.map(|difference| difference.difference)));
    record.push(number(difference.map(|difference| difference.p)));
    record.push(number(difference.and_then(|difference| difference.adjusted_p)));
    record.push(number(difference.map(|difference| difference.effect_size)));
    record.extend(cells(difference.map(|difference| difference.improvement)));
    record
}
