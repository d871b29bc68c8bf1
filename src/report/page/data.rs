//! The curves of all columns, at few enough points for an eye and a page.

use super::mark::{Mark, marks};
use crate::experiment::Plot;
use crate::report::statistics::{Bootstrap, Estimate};
use crate::report::{ArmRecords, CURVE_RESAMPLES, Report, Summary, interpolate, interval, path};
use crate::stream;
use crate::task::Count;

/// The horizontal axes to choose from where nothing else is counted; the first one is shown first.
pub(super) const AXES: [&str; 3] = ["examples", "updates", "seconds"];

/// [`AXES`], and what all trials have counted besides.
pub(super) fn axes_of(report: &Report) -> Vec<&'static str> {
    let trials = || report.arms.iter().flat_map(|arm| &arm.trials);
    let counted = |column: &&str| {
        trials().next().is_some() && trials().all(|trial| trial.rows.columns.iter().any(|of| of == column))
    };
    AXES.into_iter().chain(Count::ALL.map(Count::column).into_iter().filter(counted)).collect()
}

/// Points of a curve, at most, and of all curves of a page together; no curve gets fewer than [`FEWEST`].
const POINTS: usize = 200;
const ALL_POINTS: usize = 30_000;
const FEWEST: usize = 40;

/// Every column of every arm.
pub(super) struct Curves {
    /// Per arm and axis; nothing of an arm without a finished trial.
    pub x: Vec<Option<Vec<Vec<f64>>>>,
    pub charts: Vec<ColumnCurves>,
}

/// A column of the record, of all arms that have it.
pub(super) struct ColumnCurves {
    pub column: String,
    pub marks: Vec<Mark>,
    pub logarithmic: bool,
    /// What the plots show of it, where that is not all.
    pub range: Option<[f64; 2]>,
    pub series: Vec<Series>,
}

pub(super) struct Series {
    pub arm: usize,
    /// Index of the point in the arm's `x` that the first estimate belongs to.
    pub first: usize,
    pub y: Vec<Estimate>,
    /// Trials behind it.
    pub n: usize,
}

impl Curves {
    /// Those of these columns that have something to show, in this order.
    pub fn of(report: &Report, summary: &Summary, columns: &[String]) -> Curves {
        let points = (ALL_POINTS / (report.arms.len() * columns.len()).max(1)).clamp(FEWEST, POINTS);
        let grids: Vec<Vec<f64>> = report.arms.iter().map(|arm| grid(arm, points)).collect();
        let bootstraps: Vec<Option<Bootstrap>> =
            report.arms.iter().map(|arm| (!arm.trials.is_empty()).then(|| bootstrap(arm.trials.len()))).collect();
        let chart = |column: &String| {
            let arms = report.arms.iter().zip(&grids).zip(&bootstraps).enumerate();
            let series =
                arms.filter_map(|(i, ((arm, grid), of_all))| series_of((i, arm), column, grid, of_all.as_ref()?));
            let series: Vec<Series> = series.collect();
            let log = report.experiment.plots.iter().filter_map(|plot| plot.log.as_ref());
            (!series.is_empty()).then(|| ColumnCurves {
                column: column.clone(),
                marks: marks(report, summary, column),
                logarithmic: log.flatten().any(|log| log == column),
                range: range(&report.experiment.plots, column),
                series,
            })
        };
        let charts = crate::parallel::map(columns, chart).into_iter().flatten().collect();
        let further = &axes_of(report)[1..];
        Curves { x: report.arms.iter().zip(&grids).map(|(arm, grid)| axes(arm, grid, further)).collect(), charts }
    }

    pub fn chart(&self, column: &str) -> Option<(usize, &ColumnCurves)> {
        self.charts.iter().enumerate().find(|(_, chart)| chart.column == column)
    }
}

/// From the lowest to the highest end of a column's ranges in the plots that show it; nothing if one of them shows all of it.
fn range(plots: &[Plot], column: &String) -> Option<[f64; 2]> {
    let mut shown = plots.iter().filter(|plot| plot.y.contains(column));
    let of = |plot: &Plot| plot.range.as_ref()?.get(column).copied();
    let first = of(shown.next()?)?;
    shown.try_fold(first, |[low, high], plot| of(plot).map(|[l, h]| [low.min(l), high.max(h)]))
}

impl ColumnCurves {
    /// Significant digits that an eye can tell apart in its range: four, and more where the range is narrow.
    pub fn digits(&self) -> usize {
        let ends = self.series.iter().flat_map(|series| &series.y).flat_map(|e| [e.low, e.high]);
        let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let zoom = low.abs().max(high.abs()) / (high - low);
        if zoom.is_finite() && zoom > 1.0 { 4 + (zoom.log10() as usize).min(6) } else { 4 }
    }
}

/// Counts of examples at which an arm's curves are shown: rows of its longest trial, thinned out, its ends kept.
fn grid(arm: &ArmRecords, points: usize) -> Vec<f64> {
    let counts = arm.trials.iter().filter_map(|trial| trial.rows.column("examples"));
    let end = |counts: &Vec<f64>| counts.last().copied().unwrap_or(0.0);
    let mut longest = counts.max_by(|a, b| end(a).total_cmp(&end(b))).unwrap_or_default();
    longest.dedup();
    let last = longest.len().saturating_sub(1);
    let points = points.min(longest.len());
    (0..points).map(|i| longest[if points > 1 { (i * last + (points - 1) / 2) / (points - 1) } else { 0 }]).collect()
}

/// The grid on the axis of examples and on these: the mean of the middle half of the trials' counts at the same number of examples.
fn axes(arm: &ArmRecords, grid: &[f64], further: &[&str]) -> Option<Vec<Vec<f64>>> {
    let on = |axis: &str| {
        let paths: Vec<_> = arm.trials.iter().filter_map(|trial| path(&trial.rows, "examples", axis)).collect();
        let at = |x: &f64| {
            let values: Vec<f64> = paths.iter().filter_map(|path| interpolate(&path.0, &path.1, *x)).collect();
            crate::report::statistics::interquartile_mean(&values)
        };
        grid.iter().map(at).collect::<Vec<f64>>()
    };
    (!grid.is_empty()).then(|| [grid.to_vec()].into_iter().chain(further.iter().map(|axis| on(axis))).collect())
}

fn bootstrap(n: usize) -> Bootstrap {
    Bootstrap::new((1, n), CURVE_RESAMPLES, &mut stream(0, "bootstrap", 0))
}

/// `of_all` resamples all trials of the arm.
fn series_of((arm, records): (usize, &ArmRecords), column: &str, grid: &[f64], of_all: &Bootstrap) -> Option<Series> {
    let paths: Vec<_> = records.trials.iter().filter_map(|trial| path(&trial.rows, "examples", column)).collect();
    if paths.is_empty() {
        return None;
    }
    let of_some = (paths.len() < records.trials.len()).then(|| bootstrap(paths.len()));
    let bootstrap = of_some.as_ref().unwrap_or(of_all);
    let at = |x: &f64| {
        let values: Option<Vec<f64>> = paths.iter().map(|path| interpolate(&path.0, &path.1, *x)).collect();
        values.map(|values| interval::interquartile_mean(bootstrap, &values))
    };
    let first = grid.iter().position(|x| paths.iter().all(|path| path.0[0] <= *x))?;
    Some(Series { arm, first, y: grid[first..].iter().map_while(at).collect(), n: paths.len() })
}

/// Whether any interval along a line is wider than its point: that of one trial is not, nor that of a profile of few.
pub(super) fn has_band(of: &[Estimate]) -> bool {
    of.iter().any(|e| e.low != e.high)
}
