//! The numbers of the page for its script.

use super::data::{ColumnCurves, Curves, axes_of, has_band};
use super::order::Profiles;
use super::tracking::Pair;
use crate::report::statistics::Estimate;
use crate::report::turns::turns;
use crate::report::{Report, axis_label, label};
use crate::{Error, Result};
use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct Data<'a> {
    arms: Vec<&'a str>,
    axes: Vec<String>,
    pairs: Vec<OfPair>,
    profiles: Vec<OfProfiles<'a>>,
    /// Per arm and axis; nothing of an arm without a finished trial.
    x: Vec<Option<Vec<Vec<Short>>>>,
    /// Where arms turn from one phase to the next, on the first axis.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    turns: Vec<(usize, f64)>,
    charts: Vec<OfChart>,
}

/// The curves of an arm in two charts.
#[derive(Serialize)]
struct OfPair {
    #[serde(rename = "a")]
    arm: usize,
    x: usize,
    y: usize,
}

#[derive(Serialize)]
struct OfProfiles<'a> {
    name: &'a str,
    x: Vec<Short>,
    #[serde(rename = "s")]
    series: Vec<OfSeries>,
}

#[derive(Serialize)]
struct OfChart {
    name: String,
    log: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<[Short; 2]>,
    marks: Vec<(Short, &'static str)>,
    #[serde(rename = "s")]
    series: Vec<OfSeries>,
}

#[derive(Serialize)]
struct OfSeries {
    #[serde(rename = "a")]
    arm: usize,
    /// The point in the arm's `x` that the first estimate belongs to.
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    first: Option<usize>,
    y: Vec<Short>,
    /// Where a band is drawn around it.
    #[serde(rename = "l", skip_serializing_if = "Option::is_none")]
    low: Option<Vec<Short>>,
    #[serde(rename = "h", skip_serializing_if = "Option::is_none")]
    high: Option<Vec<Short>>,
}

/// A number of so many significant digits; `null` for what is not finite.
#[derive(Clone, Copy)]
struct Short(f64, usize);

impl Serialize for Short {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        /// Whole numbers below are exact, and shorter without a point.
        const EXACT: f64 = 1e15;
        let Short(value, digits) = *self;
        if !value.is_finite() {
            return serializer.serialize_none();
        }
        let rounded: f64 = format!("{value:.*e}", digits - 1).parse().unwrap_or(value);
        match rounded.fract() == 0.0 && rounded.abs() < EXACT {
            true => serializer.serialize_i64(rounded as i64),
            false => serializer.serialize_f64(rounded),
        }
    }
}

fn numbers(values: impl Iterator<Item = f64>, digits: usize) -> Vec<Short> {
    values.map(|value| Short(value, digits)).collect()
}

impl OfSeries {
    fn new(arm: usize, first: Option<usize>, of: &[Estimate], digits: usize) -> OfSeries {
        let pick = |pick: fn(&Estimate) -> f64| numbers(of.iter().map(pick), digits);
        let band = has_band(of);
        OfSeries {
            arm,
            first,
            y: pick(|e| e.point),
            low: band.then(|| pick(|e| e.low)),
            high: band.then(|| pick(|e| e.high)),
        }
    }
}

/// Of everything that is drawn, as it may stand inside a `<script>` element.
pub(super) fn of(report: &Report, curves: &Curves, pairs: &[Pair], profiles: &[Profiles]) -> Result<String> {
    let names = axes_of(report);
    let digits = |axis: &str| if axis == "seconds" { 4 } else { 9 };
    let axis = |of: &Vec<Vec<f64>>| {
        let named = of.iter().zip(&names);
        named.map(|(counts, name)| numbers(counts.iter().copied(), digits(name))).collect::<Vec<_>>()
    };
    let data = Data {
        arms: report.arms.iter().map(|arm| arm.name.as_str()).collect(),
        axes: names.iter().map(|axis| axis_label(axis, report.experiment.arms.iter())).collect(),
        pairs: pairs.iter().map(|pair| OfPair { arm: pair.arm, x: pair.loss, y: pair.metric }).collect(),
        profiles: profiles.iter().map(of_profiles).collect(),
        x: curves.x.iter().map(|axes| axes.as_ref().map(&axis)).collect(),
        turns: turns(report, report.arms.iter().map(|arm| &arm.name[..])),
        charts: curves.charts.iter().map(of_chart).collect(),
    };
    let text = serde_json::to_string(&data).map_err(|error| Error::Drawing(error.to_string()))?;
    Ok(text.replace('<', "\\u003c"))
}

fn of_chart(chart: &ColumnCurves) -> OfChart {
    let digits = chart.digits();
    let series = chart.series.iter().map(|of| OfSeries::new(of.arm, Some(of.first), &of.y, digits));
    OfChart {
        name: label(&chart.column),
        log: chart.logarithmic,
        range: chart.range.map(|range| range.map(|end| Short(end, 9))),
        marks: chart.marks.iter().map(|mark| (Short(mark.at, 6), mark.class)).collect(),
        series: series.collect(),
    }
}

fn of_profiles(profiles: &Profiles) -> OfProfiles<'_> {
    let series = profiles.of.iter().map(|(arm, y)| OfSeries::new(*arm, None, y, 3));
    OfProfiles { name: &profiles.name, x: numbers(profiles.levels.iter().copied(), 5), series: series.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let four = |value| serde_json::to_string(&Short(value, 4)).unwrap();
        assert_eq!(
            [0.123456, -0.0, 1e-7 / 3.0, 100_001.0, f64::NAN].map(four),
            ["0.1235", "0", "3.333e-8", "100000", "null"]
        );
    }
}
