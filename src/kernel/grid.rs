//! Many independent choices at every place of a grid, whose logits lie plane by plane, as images have their channels.

use super::activation::Real;
use super::distributions::Distributions;
use candle_core::WithDType;

/// The choices at every place: of each, its number of logits. A single logit is a choice between 0 and 1, with the probability `σ(z)` of 1;
/// `n` logits are a choice among `n`.
///
/// A row of outputs is `[Σ logits, places]`, and an action `[choices, places]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    pub choices: Vec<u32>,
    /// `[height, width]`
    pub size: [usize; 2],
    /// What the logits of a place begin at; none where that is 0.
    pub biases: Vec<f32>,
}

impl Grid {
    pub fn places(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Logits of a place.
    pub fn planes(&self) -> usize {
        self.choices.iter().sum::<u32>() as usize
    }

    /// Floats of a row of outputs.
    pub fn outputs(&self) -> usize {
        self.planes() * self.places()
    }

    /// Numbers of an action.
    pub fn width(&self) -> usize {
        self.choices.len() * self.places()
    }

    /// Calls `visit(index in the action, first logit in the row, log-probabilities of what can be chosen)` for every choice of a row.
    pub(crate) fn for_each<T: Real>(&self, row: &[T], mut visit: impl FnMut(usize, usize, &[f64])) {
        let (places, mut log_probs) = (self.places(), Vec::new());
        let mut first = 0;
        for (choice, &size) in self.choices.iter().enumerate() {
            for place in 0..places {
                let at = first * places + place;
                log_probs.clear();
                log_probs.extend((size == 1).then_some(0.0));
                let logits = row[at..].iter().step_by(places).take(size as usize);
                log_probs.extend(logits.map(|z| WithDType::to_f64(*z)));
                normalize(&mut log_probs);
                visit(choice * places + place, at, &log_probs);
            }
            first += size as usize;
        }
    }

    /// In nats.
    pub(crate) fn entropy<T: Real>(&self, row: &[T]) -> f64 {
        let mut sum = 0.0;
        self.for_each(row, |_, _, log_probs| sum += entropy(log_probs));
        sum
    }
}

/// Subtracts the logarithm of the sum of exponentials.
fn normalize(logits: &mut [f64]) {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = largest + logits.iter().map(|z| (z - largest).exp()).sum::<f64>().ln();
    logits.iter_mut().for_each(|z| *z -= log_sum);
}

fn entropy(log_probs: &[f64]) -> f64 {
    -log_probs.iter().filter(|l| l.is_finite()).map(|l| l.exp() * l).sum::<f64>()
}

/// What was chosen at every place in every row.
pub(crate) struct ChosenPlaces<'a, T> {
    pub grid: &'a Grid,
    /// `[rows, outputs]`
    pub outputs: &'a [T],
    /// `[rows, width]`
    pub classes: &'a [u32],
}

impl<T: Real> ChosenPlaces<'_, T> {
    fn rows(&self) -> impl Iterator<Item = (&[T], &[u32])> {
        self.outputs.chunks_exact(self.grid.outputs()).zip(self.classes.chunks_exact(self.grid.width()))
    }
}

impl<T: Real> Distributions<T> for ChosenPlaces<'_, T> {
    fn log_probs(&self, out: &mut [T]) {
        for (out, (row, classes)) in out.iter_mut().zip(self.rows()) {
            let mut sum = 0.0;
            self.grid.for_each(row, |choice, _, log_probs| sum += log_probs[classes[choice] as usize]);
            *out = <T as WithDType>::from_f64(sum);
        }
    }

    fn entropy(&self) -> f64 {
        self.rows().map(|(row, _)| self.grid.entropy(row)).sum()
    }

    /// Of a choice with probabilities `p` and entropy `H`: `slope (e_y − p) − coefficient · p (log p + H)`.
    fn gradient(&self, slopes: &[T], coefficient: T, out: &mut [T]) {
        let (rows, coefficient) = (slopes.len().max(1) as f64, WithDType::to_f64(coefficient));
        let outs = out.chunks_exact_mut(self.grid.outputs()).zip(slopes);
        for ((out, slope), (row, classes)) in outs.zip(self.rows()) {
            let slope = WithDType::to_f64(*slope);
            self.grid.for_each(row, |choice, at, log_probs| {
                let entropy = if coefficient == 0.0 { 0.0 } else { entropy(log_probs) };
                // Of a single logit the first class has none.
                let first = usize::from(self.grid.choices[choice / self.grid.places()] == 1);
                for (class, log_p) in log_probs.iter().enumerate().skip(first) {
                    let p = log_p.exp();
                    let chosen = if classes[choice] as usize == class { slope } else { 0.0 };
                    let bonus = if p > 0.0 { coefficient * p * (log_p + entropy) } else { 0.0 };
                    out[at + (class - first) * self.grid.places()] =
                        <T as WithDType>::from_f64((chosen - slope * p - bonus) / rows);
                }
            });
        }
    }
}
