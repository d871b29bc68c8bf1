//! What is read off the gradients of a look.

use super::look::{Gradient, Seen, Series};
use super::{ALL, GradientMoments, OUTPUTS, cosine, norm};
use crate::record::GradientReading;
use std::ops::Range;

/// A part of a gradient: that with respect to the outputs, or a range of that with respect to the parameters.
struct Part<'a> {
    name: &'a str,
    range: Option<Range<usize>>,
}

impl Part<'_> {
    fn of<'g>(&self, gradient: &'g Gradient) -> &'g [f32] {
        match &self.range {
            None => &gradient.outputs,
            Some(range) => &gradient.parameters[range.clone()],
        }
    }
}

/// Of all objectives of a look, the trial's own first: every estimate beside its own expectation, those of the own objective beside the
/// expectations of the others, those of the others beside that of the own one; and the expectations of the own one and the others.
pub(super) fn of(seen: &[Seen], layers: &[(String, Range<usize>)], at: (u64, u64)) -> Vec<GradientReading> {
    let Some((own, others)) = seen.split_first() else { return Vec::new() };
    let all = layers.last().map_or(0, |(_, range)| range.end);
    let mut parts = vec![Part { name: OUTPUTS, range: None }, Part { name: ALL, range: Some(0..all) }];
    parts.extend(layers.iter().map(|(name, range)| Part { name, range: Some(range.clone()) }));
    let mut readings = Vec::new();
    let mut read = |of: &Seen, against: &Seen, what: Option<&Series>| {
        let fitting = parts.iter().filter(|part| fits(part, of, against));
        readings.extend(fitting.map(|part| reading(part, of, (against, what), at)));
    };
    for (i, of) in seen.iter().enumerate() {
        for series in &of.series {
            read(of, of, Some(series));
            let compared = if i == 0 { others } else { std::slice::from_ref(own) };
            if series.baseline.is_none() {
                compared.iter().for_each(|against| read(of, against, Some(series)));
            }
        }
    }
    others.iter().for_each(|against| read(own, against, None));
    readings
}

/// Whether both have this part: episodes have no outputs.
fn fits(part: &Part, of: &Seen, against: &Seen) -> bool {
    let [of, against] = [of, against].map(|seen| part.of(&seen.expected).len());
    of > 0 && of == against
}

fn reading(
    part: &Part,
    of: &Seen,
    (against, series): (&Seen, Option<&Series>),
    (updates, examples): (u64, u64),
) -> GradientReading {
    let is_own = std::ptr::eq(of, against);
    let plain = of.of_expected_reward.as_ref().filter(|_| series.is_some_and(|series| series.baseline.is_some()));
    let reference = part.of(plain.unwrap_or(&against.expected));
    let estimates: Vec<&[f32]> = match series {
        Some(series) => series.estimates.iter().map(|estimate| part.of(estimate)).collect(),
        None => vec![part.of(&of.expected)],
    };
    let mean = |of: &dyn Fn(&[f32]) -> f64| estimates.iter().map(|e| of(e)).sum::<f64>() / estimates.len() as f64;
    let norm_of_estimates = mean(&|estimate| norm(estimate));
    let cosine = match series {
        Some(series) if is_own && series.is_reference => mean_cosine_with_others(&estimates),
        _ => mean(&|estimate| cosine(estimate, reference)),
    };
    let is_exact = against.is_exact || plain.is_some();
    let (variance, signal_to_noise) =
        if is_own { noise(&estimates, is_exact, reference) } else { (f64::NAN, f64::NAN) };
    GradientReading {
        updates,
        examples,
        objective: of.name.clone(),
        baseline: series.and_then(|series| series.baseline).map_or("", |baseline| baseline.name()).into(),
        against: if is_own { String::new() } else { against.name.clone() },
        reference: if is_exact { "exact" } else { "mean" }.into(),
        part: part.name.into(),
        samples: series.and_then(|series| series.samples),
        cosine,
        norm: norm_of_estimates,
        norm_ratio: norm_of_estimates / norm(reference),
        variance,
        signal_to_noise,
    }
}

/// The total variance of one estimate, and the norm of the expectation beside its root. Of an expectation that is the mean of estimates, noise is
/// taken out of the norm.
fn noise(estimates: &[&[f32]], is_exact: bool, expected: &[f32]) -> (f64, f64) {
    let moments = GradientMoments::of(estimates);
    let variance = moments.total_variance();
    let signal = match is_exact {
        true => norm(expected),
        false => moments.squared_norm_of_expectation().max(0.0).sqrt(),
    };
    (variance, signal / variance.sqrt())
}

/// The mean cosine of each estimate with the mean of the others: its own part in a mean would make it look better.
fn mean_cosine_with_others(estimates: &[&[f32]]) -> f64 {
    let (n, mean) = (estimates.len() as f64, GradientMoments::of(estimates).mean);
    let with_others = |estimate: &&[f32]| {
        let others: Vec<f64> = mean.iter().zip(*estimate).map(|(mean, own)| n * mean - f64::from(*own)).collect();
        cosine(estimate, &others)
    };
    estimates.iter().map(with_others).sum::<f64>() / n
}
