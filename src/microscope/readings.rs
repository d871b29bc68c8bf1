//! What is read off the gradients of a look.

use super::look::{Gradient, Seen, Series};
use super::statistics::{cosine_of, products};
use super::{ALL, GradientMoments, OUTPUTS};
use crate::record::GradientReading;
use std::ops::Range;

/// Of all objectives of a look, the trial's own first: every estimate beside its own expectation, those of the own objective beside the
/// expectations of the others, those of the others beside that of the own one; and the expectations of the own one and the others.
pub(super) fn of(seen: &[Seen], layers: &[(String, Range<usize>)], at: (u64, u64)) -> Vec<GradientReading> {
    let Some((own, others)) = seen.split_first() else { return Vec::new() };
    let mut readings = Vec::new();
    let mut read = |of: &Seen, against: &Seen, what: Option<&Series>| {
        readings.extend(Pair::new(of, against, what).readings(layers, at));
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

/// Estimates, or an expected gradient, beside an expected gradient.
struct Pair<'a> {
    of: &'a Seen,
    against: &'a Seen,
    /// The expected gradient without one.
    series: Option<&'a Series>,
    is_own: bool,
    reference: &'a Gradient,
    is_exact: bool,
}

/// Sums over the coordinates of a part of a gradient; those of several parts add up to those of all of them.
struct Sums {
    /// Of each estimate `a`, with `b` what its cosine is taken with: `a·b`, `|a|²`, `|b|²`.
    products: Vec<[f64; 3]>,
    /// `|reference|²`
    reference: f64,
    /// Of one estimate, and an estimate of the square of their expectation; NaN where they are not beside their own.
    variance: f64,
    square: f64,
}

impl Sums {
    fn add(&mut self, other: &Sums) {
        for (sum, more) in self.products.iter_mut().flatten().zip(other.products.iter().flatten()) {
            *sum += more;
        }
        self.reference += other.reference;
        self.variance += other.variance;
        self.square += other.square;
    }
}

impl<'a> Pair<'a> {
    fn new(of: &'a Seen, against: &'a Seen, series: Option<&'a Series>) -> Self {
        let of_reward =
            of.of_expected_reward.as_ref().filter(|_| series.is_some_and(|series| series.baseline.is_some()));
        Pair {
            of,
            against,
            series,
            is_own: std::ptr::eq(of, against),
            reference: of_reward.unwrap_or(&against.expected),
            is_exact: against.is_exact || of_reward.is_some(),
        }
    }

    /// Of the outputs, where both have them: episodes have none. Of all parameters, and of each layer.
    fn readings(&self, layers: &[(String, Range<usize>)], at: (u64, u64)) -> Vec<GradientReading> {
        let mut readings = Vec::new();
        let outputs = self.of.expected.outputs.len();
        if outputs > 0 && outputs == self.reference.outputs.len() {
            readings.push(self.reading(OUTPUTS, &self.sums(|gradient| &gradient.outputs), at));
        }
        let of_layers: Vec<Sums> =
            layers.iter().map(|(_, range)| self.sums(|gradient| &gradient.parameters[range.clone()])).collect();
        let all = of_layers.iter().fold(self.sums(|_| &[]), |mut all, layer| {
            all.add(layer);
            all
        });
        readings.push(self.reading(ALL, &all, at));
        readings.extend(layers.iter().zip(&of_layers).map(|((name, _), sums)| self.reading(name, sums, at)));
        readings
    }

    fn sums<'g>(&'g self, part: impl Fn(&'g Gradient) -> &'g [f32]) -> Sums {
        let reference = part(self.reference);
        let estimates: Vec<&[f32]> = match self.series {
            Some(series) => series.estimates.iter().map(&part).collect(),
            None => vec![part(&self.of.expected)],
        };
        let moments = self.is_own.then(|| GradientMoments::of(&estimates));
        let products = match (self.series, &moments) {
            (Some(series), Some(moments)) if series.is_reference => with_others(&estimates, &moments.mean),
            _ => estimates.iter().map(|estimate| products(estimate, reference)).collect(),
        };
        Sums {
            products,
            reference: self::products(reference, reference)[0],
            variance: moments.as_ref().map_or(f64::NAN, GradientMoments::total_variance),
            square: moments.as_ref().map_or(f64::NAN, GradientMoments::squared_norm_of_expectation),
        }
    }

    fn reading(&self, part: &str, sums: &Sums, (updates, examples): (u64, u64)) -> GradientReading {
        let mean = |of: fn([f64; 3]) -> f64| {
            sums.products.iter().map(|products| of(*products)).sum::<f64>() / sums.products.len() as f64
        };
        let norm = mean(|[_, square, _]| square.sqrt());
        // Noise is taken out of the norm of an expectation that is the mean of estimates.
        let signal = if self.is_exact { sums.reference } else { sums.square.max(0.0) };
        let series = self.series;
        GradientReading {
            updates,
            examples,
            objective: self.of.name.clone(),
            baseline: series.and_then(|series| series.baseline).map_or("", |baseline| baseline.name()).into(),
            against: if self.is_own { String::new() } else { self.against.name.clone() },
            reference: if self.is_exact { "exact" } else { "mean" }.into(),
            part: part.into(),
            samples: series.and_then(|series| series.samples),
            cosine: mean(cosine_of),
            norm,
            norm_ratio: norm / sums.reference.sqrt(),
            variance: sums.variance,
            signal_to_noise: if self.is_own { (signal / sums.variance).sqrt() } else { f64::NAN },
        }
    }
}

/// Of each estimate and the mean of the others: its own part in a mean would make it look better.
fn with_others(estimates: &[&[f32]], mean: &[f64]) -> Vec<[f64; 3]> {
    let (n, mut others) = (estimates.len() as f64, vec![0.0; mean.len()]);
    let with_others = |estimate: &&[f32]| {
        let left = mean.iter().zip(*estimate).map(|(mean, own)| (n * mean - f64::from(*own)) / (n - 1.0));
        others.iter_mut().zip(left).for_each(|(other, left)| *other = left);
        products(estimate, &others)
    };
    estimates.iter().map(with_others).collect()
}
