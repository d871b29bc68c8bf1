//! What microscopes read, over seeds: against the sizes of samples, and against examples.

use super::figure::{Curves, Figure};
use super::statistics::Estimate;
use super::{ArmCurve, ArmRecords, CURVE_RESAMPLES, Report, TrialRecord, axis_label, interval};
use crate::microscope::ALL;
use crate::objective::ComparedBaseline;
use crate::record::GradientReading;
use crate::report::statistics::Bootstrap;
use crate::stream;

/// The beginnings of the names of all files here.
pub(crate) const FILE: &str = "microscope";

/// Which readings of a look are meant, all of them of all parameters.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    objective: &'a str,
    baseline: &'a str,
    against: &'a str,
    samples: Option<u64>,
}

/// When a training is looked at.
#[derive(Clone, Copy)]
enum Moment {
    Start,
    End,
}

/// An objective at the weights of an arm.
struct Subject<'a> {
    records: &'a ArmRecords,
    objective: &'a str,
}

impl Subject<'_> {
    /// `REINFORCE`, or `REINFORCE at CE` where another arm trains the network.
    fn name(&self) -> String {
        match self.objective == self.records.name {
            true => self.objective.into(),
            false => format!("{} at {}", self.objective, self.records.name),
        }
    }
}

impl Wanted<'_> {
    fn is(&self, reading: &GradientReading) -> bool {
        (self.objective, self.baseline) == (&reading.objective, &reading.baseline)
            && (self.against, self.samples) == (&reading.against, reading.samples)
            && reading.part == ALL
    }
}

/// A number of a reading.
type Number = fn(&GradientReading) -> f64;

const COSINE: Number = |reading| reading.cosine;
const SIGNAL_TO_NOISE: Number = |reading| reading.signal_to_noise;
const NORM_RATIO: Number = |reading| reading.norm_ratio;
const VARIANCE: Number = |reading| reading.variance;

/// The looks of a trial, in order.
fn looks(trial: &TrialRecord) -> Vec<&[GradientReading]> {
    trial.readings.chunk_by(|a, b| a.updates == b.updates).collect()
}

fn found(look: &[GradientReading], wanted: &Wanted, number: Number) -> Option<f64> {
    let value = number(look.iter().find(|reading| wanted.is(reading))?);
    value.is_finite().then_some(value)
}

/// The interquartile mean over trials with what surrounds it; nothing where no trial has a value.
fn estimate(values: &[f64]) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    let bootstrap = Bootstrap::new((1, values.len()), CURVE_RESAMPLES, &mut stream(0, "bootstrap", 0));
    Some(interval::interquartile_mean(&bootstrap, values))
}

fn curve(points: Vec<(f64, Estimate)>, n: usize) -> Option<ArmCurve> {
    let (x, y) = points.into_iter().unzip::<_, _, Vec<f64>, Vec<Estimate>>();
    if x.is_empty() { None } else { Some(ArmCurve { x, y, n }) }
}

/// A number against the sizes of samples, at one moment.
fn over_samples(
    trials: &[TrialRecord],
    sizes: &[u64],
    (wanted, number): (Wanted, Number),
    at: Moment,
) -> Option<ArmCurve> {
    let look = |trial| match at {
        Moment::Start => looks(trial).first().copied(),
        Moment::End => looks(trial).last().copied(),
    };
    let point = |size: &u64| {
        let wanted = Wanted { samples: Some(*size), ..wanted };
        let values: Vec<f64> = trials.iter().filter_map(|trial| found(look(trial)?, &wanted, number)).collect();
        Some((*size as f64, estimate(&values)?))
    };
    curve(sizes.iter().filter_map(point).collect(), trials.len())
}

/// A number against examples, as far as all trials have been looked at.
fn over_examples(trials: &[TrialRecord], wanted: &Wanted, number: Number) -> Option<ArmCurve> {
    let all: Vec<Vec<&[GradientReading]>> = trials.iter().map(looks).collect();
    let fewest = all.iter().map(Vec::len).min()?;
    let point = |i: usize| {
        let values: Vec<f64> = all.iter().filter_map(|looks| found(looks[i], wanted, number)).collect();
        let examples = all.iter().map(|looks| looks[i].first().map_or(0.0, |reading| reading.examples as f64));
        Some((examples.sum::<f64>() / all.len() as f64, estimate(&values)?))
    };
    curve((0..fewest).filter_map(point).collect(), trials.len())
}

/// All values of a field, each once, in order of appearance.
fn distinct<'a, T: PartialEq>(
    readings: impl Iterator<Item = &'a GradientReading>,
    field: impl Fn(&'a GradientReading) -> T,
) -> Vec<T> {
    let mut all = Vec::new();
    for value in readings.map(field) {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all
}

impl Report {
    /// `(name of the files, figure)` of what microscopes read; none where there were none.
    pub fn microscope_figures(&self) -> Vec<(String, Figure)> {
        let subjects = self.subjects();
        let all = [
            ("", self.over_examples(&subjects)),
            ("-samples", self.over_samples(&subjects)),
            ("-baselines", self.baselines(&subjects)),
        ];
        let drawn = all.into_iter().filter(|(_, curves)| !curves.panels.is_empty());
        drawn.map(|(ending, curves)| (format!("{FILE}{ending}"), Figure::of_curves(self, curves))).collect()
    }

    fn readings(&self) -> impl Iterator<Item = &GradientReading> {
        self.arms.iter().flat_map(|arm| &arm.trials).flat_map(|trial| &trial.readings)
    }

    /// The own objectives of the arms first, and behind them those of others at their weights.
    fn subjects(&self) -> Vec<Subject<'_>> {
        let looked_at = self.arms.iter().filter(|arm| arm.trials.iter().any(|trial| !trial.readings.is_empty()));
        let of_arm = |records: &'_ ArmRecords| {
            let readings = records.trials.iter().flat_map(|trial| &trial.readings);
            distinct(readings, |reading| reading.objective.clone())
        };
        let mut subjects = Vec::new();
        for records in looked_at {
            let objectives = of_arm(records);
            let known = self.arms.iter().filter(|arm| objectives.contains(&arm.name));
            subjects.extend(known.map(|arm| Subject { records, objective: &arm.name }));
        }
        subjects.sort_by_key(|subject| subject.objective != subject.records.name);
        subjects
    }

    fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = distinct(self.readings(), |r| r.samples).into_iter().flatten().collect();
        sizes.sort_unstable();
        sizes
    }

    /// What gradients are compared with, other than their own expectation.
    fn others(&self) -> Vec<&str> {
        let mut others = distinct(self.readings(), |reading| reading.against.as_str());
        others.retain(|against| !against.is_empty());
        others
    }

    fn over_samples(&self, subjects: &[Subject]) -> Curves {
        let sizes = self.sizes();
        let moments = [(Moment::Start, "start"), (Moment::End, "end")];
        let lines: Vec<(&Subject, Moment, String)> = subjects
            .iter()
            .flat_map(|of| moments.map(|(moment, word)| (of, moment, format!("{}, {word}", of.name()))))
            .collect();
        let panel = |against: &str, number: Number| {
            let of = |(color, (of, moment, _)): (usize, &(&Subject, Moment, String))| {
                let wanted = Wanted { objective: of.objective, baseline: "", against, samples: None };
                Some((color, over_samples(&of.records.trials, &sizes, (wanted, number), *moment)?))
            };
            lines.iter().enumerate().filter_map(of).collect::<Vec<_>>()
        };
        let mut panels = vec![("cosine with the own expected gradient".to_string(), false, panel("", COSINE))];
        panels.extend(
            self.others().into_iter().map(|other| (format!("cosine with {other}"), false, panel(other, COSINE))),
        );
        panels.push(("signal-to-noise, log scale".into(), true, panel("", SIGNAL_TO_NOISE)));
        Curves::new(
            "sampled actions per context, log scale".into(),
            true,
            lines.into_iter().map(|line| line.2).collect(),
            panels,
        )
    }

    fn over_examples(&self, subjects: &[Subject]) -> Curves {
        let panel = |against: &str, samples: Option<u64>, number: Number| {
            let of = |(color, of): (usize, &Subject)| {
                let wanted = Wanted { objective: of.objective, baseline: "", against, samples };
                Some((color, over_examples(&of.records.trials, &wanted, number)?))
            };
            subjects.iter().enumerate().filter_map(of).collect::<Vec<_>>()
        };
        let mut panels = Vec::new();
        for other in self.others() {
            panels.push((format!("cosine of the expected gradient with {other}"), false, panel(other, None, COSINE)));
            panels.push((format!("its norm beside that of {other}, log scale"), true, panel(other, None, NORM_RATIO)));
        }
        let sizes = self.sizes();
        let ends = sizes.first().into_iter().chain(sizes.last().filter(|_| sizes.len() > 1));
        for samples in ends {
            let words = if *samples == 1 { "1 sample".into() } else { format!("{samples} samples") };
            let cosine = panel("", Some(*samples), COSINE);
            panels.push((format!("cosine with the own expected gradient, {words}"), false, cosine));
            let noise = panel("", Some(*samples), SIGNAL_TO_NOISE);
            panels.push((format!("signal-to-noise, {words}, log scale"), true, noise));
        }
        panels.push(("cosine of a rollout with the mean of others".into(), false, panel("", None, COSINE)));
        panels.push(("signal-to-noise of a rollout, log scale".into(), true, panel("", None, SIGNAL_TO_NOISE)));
        let names = subjects.iter().map(Subject::name).collect();
        Curves::new(axis_label("examples", self.experiment.arms.iter()), false, names, panels)
    }

    fn baselines(&self, subjects: &[Subject]) -> Curves {
        let sizes = self.sizes();
        let panel = |of: &Subject, moment: Moment| {
            let with = |(color, baseline): (usize, ComparedBaseline)| {
                let baseline = baseline.name();
                let wanted = Wanted { objective: of.objective, baseline, against: "", samples: None };
                Some((color, over_samples(&of.records.trials, &sizes, (wanted, VARIANCE), moment)?))
            };
            ComparedBaseline::ALL.into_iter().enumerate().filter_map(with).collect::<Vec<_>>()
        };
        let panels = subjects.iter().flat_map(|of| {
            [(Moment::Start, "start"), (Moment::End, "end")]
                .map(|(moment, word)| (format!("variance, {}, {word}, log scale", of.name()), true, panel(of, moment)))
        });
        let names = ComparedBaseline::ALL.map(|baseline| baseline.name().replace('_', " ")).into();
        Curves::new("sampled actions per context, log scale".into(), true, names, panels.collect())
    }
}
