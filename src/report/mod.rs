//! Records read back: statistics, figures, tables and a page with all of them. Nothing here needs a live run.

mod comparison;
mod drawn;
pub mod figure;
mod interval;
mod labels;
mod microscope;
mod page;
mod predictions;
pub mod statistics;
mod summary;
mod turns;

pub use comparison::{Comparison, ComparisonRow, PairedDifference};
pub use labels::label;
use labels::{axis_label, is_counter, short_label};
pub use summary::{Summary, SummaryRow};

use crate::diagnosis;
use crate::experiment::{Arm, Experiment};
use crate::metric::Drawn;
use crate::record::{GradientReading, Provenance, Rows, Status, TrialOutcome};
use crate::task::Predictions;
use crate::trial::Trial;
use crate::{Error, Result, stream};
use statistics::{Bootstrap, Estimate, Wait};
use std::path::Path;

/// The finished trials of an experiment.
pub struct Report {
    pub experiment: Experiment,
    /// In the order of the experiment.
    pub arms: Vec<ArmRecords>,
    /// What trained them, as far as it is recorded.
    pub provenance: Vec<Provenance>,
}

/// The trials of one arm.
#[derive(Default)]
pub struct ArmRecords {
    pub name: String,
    /// Finished ones, by rising seed.
    pub trials: Vec<TrialRecord>,
    /// `(seed, reason)`
    pub failed: Vec<(u64, String)>,
    /// `(seed, what is wrong)`: their records are not whole.
    pub damaged: Vec<(u64, String)>,
    /// Seeds without an outcome.
    pub missing: Vec<u64>,
}

pub struct TrialRecord {
    pub seed: u64,
    pub rows: Rows,
    /// Of the final weights.
    pub drawn: Drawn,
    /// Held-out images to look at, where they are kept.
    pub predictions: Option<Predictions>,
    /// What its microscope read, if it had one.
    pub readings: Vec<GradientReading>,
    pub seconds: f64,
    /// What to know before the records are believed.
    pub warnings: Vec<String>,
}

/// A quantity of an arm along an axis: an estimate over trials at every point.
pub struct ArmCurve {
    pub x: Vec<f64>,
    pub y: Vec<Estimate>,
    /// Trials behind it.
    pub n: usize,
}

/// Resamples behind the bands of curves and behind the numbers of tables.
const CURVE_RESAMPLES: usize = 1_000;
const TABLE_RESAMPLES: usize = 10_000;

impl Report {
    /// Reads the results folder of an experiment by itself.
    pub fn read(results: &Path) -> Result<Report> {
        let path = results.join("experiment.toml");
        if !path.is_file() {
            return Err(Error::content(
                results,
                "no experiment.toml there; is this the results folder of an experiment?",
            ));
        }
        let mut report = Report::of(Experiment::load_recorded(&path, &[])?, results)?;
        let mut columns: Vec<String> = Vec::new();
        for trial in report.arms.iter().flat_map(|arm| &arm.trials) {
            let new = trial.rows.columns.iter().filter(|column| !columns.contains(column));
            columns.extend(new.cloned().collect::<Vec<_>>());
        }
        report.experiment = Experiment::load_recorded(&path, &columns)?;
        Ok(report)
    }

    /// Reads the records of an experiment.
    pub fn of(experiment: Experiment, results: &Path) -> Result<Report> {
        let seeds: Vec<u64> = experiment.seeds.range().collect();
        let (mut arms, mut provenance) = (Vec::new(), Vec::new());
        for arm in &experiment.arms {
            let mut records = ArmRecords { name: arm.name.clone(), ..ArmRecords::default() };
            let all = crate::parallel::map(&seeds, |seed| read(&experiment, (arm, *seed), results));
            for (seed, read) in seeds.iter().zip(all) {
                let (found, by) = read?;
                provenance.extend(by.filter(|by| !provenance.contains(by)));
                match found {
                    Found::Trial(mut trial) => {
                        if let Some(before) =
                            records.trials.last().or(arms.last().and_then(|arm: &ArmRecords| arm.trials.last()))
                        {
                            trial.rows.share(&before.rows);
                        }
                        records.trials.push(*trial);
                    }
                    Found::Failed(reason) => records.failed.push((*seed, reason)),
                    Found::Damaged(fault) => records.damaged.push((*seed, fault)),
                    Found::Nothing => records.missing.push(*seed),
                }
            }
            arms.push(records);
        }
        Ok(Report { experiment, arms, provenance })
    }

    /// The column that decides among these arms, and whether higher is better there.
    pub(crate) fn deciding(&self, group: &[usize]) -> Option<(String, bool)> {
        let trained = group.iter().find_map(|&arm| Some((arm, self.arms[arm].trials.first()?)));
        trained.and_then(|(arm, trial)| self.experiment.arms[arm].deciding_column(&trial.rows.columns))
    }

    /// Whether a column that nobody asked for as a metric has one and the same value in all rows of all trials, such as the entropy of a fixed
    /// deviation: it says nothing.
    fn is_constant(&self, column: &str) -> bool {
        let trials = self.arms.iter().flat_map(|arm| &arm.trials);
        let mut values = trials.filter_map(|trial| trial.rows.column(column)).flatten().filter(|value| !value.is_nan());
        let asked = column == "loss" || crate::metric::of_column(column).is_some();
        let first = values.next();
        let mut rest = values.peekable();
        !asked && rest.peek().is_some() && rest.all(|value| Some(value) == first)
    }

    /// What stands around its means, in words.
    pub(crate) fn interval(&self) -> String {
        interval::in_words(self.arms.iter().map(|arm| arm.trials.len()))
    }

    /// `report.html`: the whole answer on one page that needs nothing else.
    pub fn page(&self) -> Result<Vec<u8>> {
        page::html(self, &Summary::of(self)?)
    }

    /// Draws every `[[plot]]`, every metric that is drawn, what microscopes read and the predictions as SVG and PNG, and writes the summary and the page, into the results folder. Returns what was written.
    pub fn write(&self, summary: &Summary, results: &Path) -> Result<Vec<std::path::PathBuf>> {
        let mut written = Vec::new();
        let mut files =
            vec![("summary.csv".to_string(), summary.csv()?), ("summary.json".to_string(), summary.json()?)];
        for plot in &self.experiment.plots {
            let name = crate::experiment::slug(&plot.name);
            let drawing = figure::Figure::new(self, plot);
            files.push((format!("{name}.svg"), drawing.svg()?));
            files.push((format!("{name}.png"), drawing.png()?));
        }
        for (name, drawing) in self.drawings() {
            files.push((format!("{name}.svg"), drawing.svg()?));
            files.push((format!("{name}.png"), drawing.png()?));
        }
        for (name, figure) in self.microscope_figures() {
            files.push((format!("{name}.svg"), figure.svg()?));
            files.push((format!("{name}.png"), figure.png()?));
        }
        for (name, sheet) in self.prediction_sheets() {
            files.push((format!("{name}.svg"), sheet.svg()?));
            files.push((format!("{name}.png"), sheet.png()?));
        }
        files.push(("report.html".to_string(), page::html(self, summary)?));
        for (name, content) in files {
            let path = results.join(name);
            crate::disk::write_whole(&path, &content)?;
            written.push(path);
        }
        Ok(written)
    }
}

/// What a trial's folder holds.
enum Found {
    Trial(Box<TrialRecord>),
    Failed(String),
    Damaged(String),
    Nothing,
}

fn read(experiment: &Experiment, (arm, seed): (&Arm, u64), results: &Path) -> Result<(Found, Option<Provenance>)> {
    let trial = Trial::new(experiment, arm, seed, results);
    let found = match trial.status()? {
        Status::Ended(TrialOutcome::Finished { seconds, warnings }) => {
            let (rows, drawn) = (Rows::read(&trial.folder.rows())?, trial.folder.read_drawn()?);
            let (predictions, readings) = (trial.folder.read_predictions()?, trial.folder.read_microscope()?);
            let found = diagnosis::findings(arm, &rows).into_iter().map(|finding| finding.to_string());
            let warnings = found.chain(warnings).collect();
            Found::Trial(Box::new(TrialRecord { seed, rows, drawn, predictions, readings, seconds, warnings }))
        }
        Status::Ended(TrialOutcome::Failed { reason }) => Found::Failed(reason),
        Status::Damaged(fault) => Found::Damaged(fault),
        Status::Missing | Status::Other { .. } => Found::Nothing,
    };
    Ok((found, trial.folder.provenance()))
}

/// Points of a path, which goes back and forth where it hardly moves.
const PATH_POINTS: usize = 24;

/// Points of a curve in a figure: two for every other pixel of a panel.
const FIGURE_POINTS: usize = 384;

impl ArmRecords {
    /// The column `y` against the column `x`; nothing where no trial has both. What is no count, and may go back and forth, is taken at the
    /// same examples as `y`.
    pub fn curve(&self, x: &str, y: &str) -> Option<ArmCurve> {
        if !is_counter(x) {
            let (along, curve) = (self.curve("examples", x)?, self.curve("examples", y)?);
            let points: Vec<f64> = along.y.iter().map(|estimate| estimate.point).collect();
            let at = curve.x.iter().map(|examples| interpolate(&along.x, &points, *examples));
            let shown = curve.y.iter().zip(at).filter_map(|(estimate, at)| Some((at?, *estimate)));
            let every = curve.y.len().div_ceil(PATH_POINTS);
            let (x, y) = shown.step_by(every.max(1)).unzip();
            return Some(ArmCurve { x, y, n: curve.n.min(along.n) });
        }
        let paths: Vec<(Vec<f64>, Vec<f64>)> = self.trials.iter().filter_map(|trial| path(&trial.rows, x, y)).collect();
        let end = |path: &&(Vec<f64>, Vec<f64>)| path.0.last().copied().unwrap_or(0.0);
        let longest = paths.iter().max_by(|a, b| end(a).total_cmp(&end(b)))?;
        let n = paths.len();
        let values = |at: f64| paths.iter().map(|(x, y)| interpolate(x, y, at)).collect::<Option<Vec<f64>>>();
        let known = longest.0.iter().filter_map(|at| Some((*at, values(*at)?)));
        let points: Vec<(f64, Vec<f64>)> = known.collect();
        let heights = || points.iter().map(|(at, values)| (*at, statistics::interquartile_mean(values)));
        let bootstrap = Bootstrap::new((1, n), CURVE_RESAMPLES, &mut stream(0, "bootstrap", 0));
        let mut curve = ArmCurve { x: Vec::new(), y: Vec::new(), n };
        for i in thinned(heights(), points.len()) {
            let (at, values) = &points[i];
            curve.x.push(*at);
            curve.y.push(interval::interquartile_mean(&bootstrap, values));
        }
        if curve.x.is_empty() { None } else { Some(curve) }
    }

    /// The last value of a column, over trials.
    pub fn last(&self, column: &str) -> Option<Estimate> {
        estimate(&self.finals(column))
    }

    /// The last value of a column of each trial that has one.
    pub fn finals(&self, column: &str) -> Vec<f64> {
        self.trials.iter().filter_map(|trial| trial.last(column)).collect()
    }

    /// Training time, over trials.
    pub fn seconds(&self) -> Option<Estimate> {
        estimate(&self.trials.iter().map(|trial| trial.seconds).collect::<Vec<f64>>())
    }

    /// How many examples each trial needed to the first row where `reached(column)`, or had in vain.
    pub fn waits(&self, column: &str, reached: impl Fn(f64) -> bool) -> Vec<Wait> {
        let wait = |trial: &TrialRecord| {
            let (examples, values) = (trial.rows.column("examples")?, trial.rows.column(column)?);
            let row = values.iter().position(|value| reached(*value));
            Some(Wait { examples: row.map_or(*examples.last()?, |row| examples[row]), reached: row.is_some() })
        };
        self.trials.iter().filter_map(wait).collect()
    }
}

/// The places of at most about [`FIGURE_POINTS`] of these points `(x, y)`: the ends, and of each of as many equal parts of the axis the least and
/// the largest, so that nothing that an eye could see is left out.
fn thinned(points: impl Iterator<Item = (f64, f64)>, count: usize) -> Vec<usize> {
    if count <= FIGURE_POINTS {
        return (0..count).collect();
    }
    let points: Vec<(f64, f64)> = points.collect();
    let (from, to) = (points[0].0, points[count - 1].0);
    let part = |i: usize| ((points[i].0 - from) / (to - from) * (FIGURE_POINTS / 2) as f64) as usize;
    let mut kept = vec![0, count - 1];
    let places: Vec<usize> = (0..count).collect();
    for same in places.chunk_by(|a, b| part(*a) == part(*b)) {
        let by_height = |a: &&usize, b: &&usize| points[**a].1.total_cmp(&points[**b].1);
        kept.extend(same.iter().min_by(by_height));
        kept.extend(same.iter().max_by(by_height));
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}

impl TrialRecord {
    /// The last value of a column.
    pub fn last(&self, column: &str) -> Option<f64> {
        self.rows.column(column)?.into_iter().rfind(|value| !value.is_nan())
    }
}

/// The interquartile mean over trials with its interval, of few with their range; nothing over nothing.
pub fn estimate(values: &[f64]) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    let bootstrap = Bootstrap::new((1, values.len()), TABLE_RESAMPLES, &mut stream(0, "bootstrap", 1));
    Some(interval::interquartile_mean(&bootstrap, values))
}

/// The points of one trial that have both coordinates.
fn path(rows: &Rows, x: &str, y: &str) -> Option<(Vec<f64>, Vec<f64>)> {
    let points = rows.column(x)?.into_iter().zip(rows.column(y)?).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let points: (Vec<f64>, Vec<f64>) = points.unzip();
    if points.0.is_empty() { None } else { Some(points) }
}

/// The value of a path at `at`, linear between points; after the last point its value, before the first nothing. Trials end
/// at slightly different counts, because the last batch or episode is finished.
fn interpolate(x: &[f64], y: &[f64], at: f64) -> Option<f64> {
    let after = x.partition_point(|x| *x <= at);
    match (after.checked_sub(1), x.get(after)) {
        // Of two rows at one count the later one: the best weights, put back by early stopping.
        (Some(exact), _) if x[exact] == at => Some(y[exact]),
        (Some(before), Some(_)) => {
            let share = (at - x[before]) / (x[after] - x[before]);
            Some(y[before] + share * (y[after] - y[before]))
        }
        (Some(last), None) => Some(y[last]),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_interpolated_inside_and_go_on_at_their_last_value() {
        let (x, y) = ([0.0, 2.0, 4.0], [0.0, 1.0, 5.0]);
        assert_eq!(
            [0.0, 1.0, 3.0, 4.0].map(|at| interpolate(&x, &y, at)),
            [Some(0.0), Some(0.5), Some(3.0), Some(5.0)]
        );
        assert_eq!((interpolate(&x, &y, -1.0), interpolate(&x, &y, 4.1)), (None, Some(5.0)));
        assert_eq!(interpolate(&[0.0, 2.0, 2.0], &[0.0, 1.0, 3.0], 2.0), Some(3.0));
    }

    /// A thousand rows with one that sticks out by itself.
    #[test]
    fn thinning_keeps_what_sticks_out() {
        let height = |i: usize| if i == 777 { 9.0 } else { (i % 7) as f64 / 10.0 };
        let kept = thinned((0..10_000).map(|i| (i as f64, height(i))), 10_000);
        assert!(
            kept.len() <= FIGURE_POINTS + 4 && kept.contains(&777) && kept.contains(&0) && kept.contains(&9_999),
            "{}",
            kept.len()
        );
        assert_eq!(thinned((0..50).map(|i| (i as f64, 0.0)), 50).len(), 50);
    }
}
