//! Categorical distributions over the columns of rows of logits.

use super::activation::Real;
use super::buffer::Buffer;
use super::distributions::Distributions;
use super::softmax::Softmax;
use super::vector::{Simd, WithSimd, vectorized};
use candle_core::WithDType;
use std::ops::{Deref, Range};

/// Of every row of logits, the choice among some of its columns.
pub(crate) struct Choices<'a, T: Real> {
    logits: Logits<'a, T>,
    softmax: Softmax<T>,
    /// Columns of a whole row, and those to choose from.
    row: usize,
    range: Range<usize>,
}

enum Logits<'a, T: Real> {
    All(&'a [T]),
    Some(Buffer<T>),
}

impl<T: Real> Deref for Logits<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Logits::All(logits) => logits,
            Logits::Some(logits) => logits,
        }
    }
}

impl<'a, T: Real> Choices<'a, T> {
    /// One choice among all columns: `logits` is `[rows, columns]`.
    pub fn among_all(logits: &'a [T], columns: usize) -> Self {
        let softmax = Softmax::of(logits, columns);
        Choices { logits: Logits::All(logits), softmax, row: columns, range: 0..columns }
    }

    /// Independent choices, one among each of these numbers of columns, which follow one another in a row.
    pub fn among_blocks(logits: &'a [T], sizes: &[u32]) -> Vec<Self> {
        let row = sizes.iter().sum::<u32>() as usize;
        let mut end = 0;
        let block = |size: &u32| {
            let range = end..end + *size as usize;
            end = range.end;
            let mut some = Buffer::any(logits.len() / row * range.len());
            for (some, all) in some.chunks_exact_mut(range.len()).zip(logits.chunks_exact(row)) {
                some.copy_from_slice(&all[range.clone()]);
            }
            Choices { softmax: Softmax::of(&some, range.len()), logits: Logits::Some(some), row, range }
        };
        sizes.iter().map(block).collect()
    }

    pub fn log_prob(&self, row: usize, class: usize) -> T {
        self.softmax.log_prob(self.logits(row), row, class)
    }

    /// Of every row, given the class of each.
    fn log_probs(&self, classes: impl Iterator<Item = u32>) -> impl Iterator<Item = T> {
        let rows = self.logits.chunks_exact(self.range.len().max(1)).zip(classes).enumerate();
        rows.map(|(row, (logits, class))| self.softmax.log_prob(logits, row, class as usize))
    }

    /// Of one row.
    pub fn probabilities(&self, row: usize) -> &[T] {
        &self.softmax.probabilities[row * self.range.len()..][..self.range.len()]
    }

    /// Of one row.
    pub fn logits(&self, row: usize) -> &[T] {
        &self.logits[row * self.range.len()..][..self.range.len()]
    }

    /// Of every row, in nats.
    pub fn entropies(&self) -> &[T] {
        &self.softmax.entropies
    }

    /// The gradient of the mean over rows of `slope · log p_class + coefficient · entropy` with respect to the logits; `classes`
    /// are those of every row.
    fn gradient(&self, classes: impl Iterator<Item = u32>, slopes: &[T], coefficient: T, out: &mut [T]) {
        let columns = self.range.len();
        vectorized(Gradient {
            logits: &self.logits,
            columns,
            softmax: &self.softmax,
            slopes,
            coefficient,
            out: &mut *out,
        });
        for (row, class) in classes.enumerate() {
            out[row * columns + class as usize] += slopes[row] / real_count(slopes.len());
        }
    }
}

/// What was chosen in every row, `[rows, choices]`.
pub(crate) struct Chosen<'a, T: Real> {
    pub choices: &'a [Choices<'a, T>],
    pub classes: &'a [u32],
}

impl<T: Real> Chosen<'_, T> {
    /// Each choice with the classes that were chosen.
    fn each(&self) -> impl Iterator<Item = (&Choices<'_, T>, impl Iterator<Item = u32>)> {
        let classes = |choice: usize| self.classes.iter().skip(choice).step_by(self.choices.len()).copied();
        self.choices.iter().enumerate().map(move |(choice, choices)| (choices, classes(choice)))
    }
}

impl<T: Real> Distributions<T> for Chosen<'_, T> {
    fn log_probs(&self, out: &mut [T]) {
        out.fill(T::zero());
        for (choices, classes) in self.each() {
            out.iter_mut().zip(choices.log_probs(classes)).for_each(|(sum, log_prob)| *sum += log_prob);
        }
    }

    fn entropy(&self) -> f64 {
        let of_choice = |choices: &Choices<T>| choices.entropies().iter().map(|h| WithDType::to_f64(*h)).sum::<f64>();
        self.choices.iter().map(of_choice).sum()
    }

    fn gradient(&self, slopes: &[T], coefficient: T, out: &mut [T]) {
        for (choices, classes) in self.each() {
            let range = choices.range.clone();
            if range.len() == choices.row {
                choices.gradient(classes, slopes, coefficient, out);
                continue;
            }
            let mut some = Buffer::any(slopes.len() * range.len());
            choices.gradient(classes, slopes, coefficient, &mut some);
            for (all, some) in out.chunks_exact_mut(choices.row).zip(some.chunks_exact(range.len())) {
                all[range.clone()].copy_from_slice(some);
            }
        }
    }
}

#[inline(always)]
fn real_count<T: Real>(count: usize) -> T {
    <T as WithDType>::from_f64(count as f64)
}

/// `(−g p − c p (log p + H)) / batch`, to which the action's own `g / batch` is still to be added.
struct Gradient<'a, T: Real> {
    logits: &'a [T],
    columns: usize,
    softmax: &'a Softmax<T>,
    slopes: &'a [T],
    coefficient: T,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Gradient { logits, columns, softmax, slopes, coefficient, out } = self;
        let (scale, zero) = (T::one() / real_count(slopes.len()), T::zero());
        let rows = out.chunks_exact_mut(columns).zip(logits.chunks_exact(columns));
        for (row, ((out, logits), p)) in rows.zip(softmax.probabilities.chunks_exact(columns)).enumerate() {
            // log p + H = (z − m) − ln Σ + H
            let shift = softmax.largest[row] + softmax.log_sums[row] - softmax.entropies[row];
            for ((out, z), p) in out.iter_mut().zip(logits).zip(p) {
                // A class of no probability has no slope, though its logarithm is infinite.
                let bonus = if *p > zero { coefficient * *p * (*z - shift) } else { zero };
                *out = -(slopes[row] * *p + bonus) * scale;
            }
        }
    }
}
