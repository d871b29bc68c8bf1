//! Drawing actions, without a graph.

use super::{GaussianPolicy, Policy, Probabilities, mode};
use crate::kernel::{Distributions, Gaussians, Grid, Real};
use crate::rows::picked;
use crate::{Result, Rng};
use candle_core::{Device, Tensor};
use rand::Rng as _;
use rand_distr::{Distribution, StandardNormal};

/// Actions of many rows as a policy drew them, `[rows, width]`: in a box before any clipping or squashing.
#[derive(Clone, Debug, PartialEq)]
pub enum RawActions {
    Indices(Vec<u32>),
    Values(Vec<f32>),
}

/// Empty.
impl Default for RawActions {
    fn default() -> Self {
        RawActions::Indices(Vec::new())
    }
}

impl RawActions {
    pub fn clear(&mut self) {
        match self {
            RawActions::Indices(indices) => indices.clear(),
            RawActions::Values(values) => values.clear(),
        }
    }

    /// Puts more behind; what was of the other kind is gone.
    pub fn extend(&mut self, more: &RawActions) {
        match more {
            RawActions::Indices(more) => self.indices().extend_from_slice(more),
            RawActions::Values(more) => self.values().extend_from_slice(more),
        }
    }

    /// The list, which becomes one of indices.
    fn indices(&mut self) -> &mut Vec<u32> {
        if let RawActions::Values(_) = self {
            *self = RawActions::Indices(Vec::new());
        }
        match self {
            RawActions::Indices(indices) => indices,
            RawActions::Values(_) => unreachable!("it has just become a list of indices"),
        }
    }

    /// The list, which becomes one of values.
    fn values(&mut self) -> &mut Vec<f32> {
        if let RawActions::Indices(_) = self {
            *self = RawActions::Values(Vec::new());
        }
        match self {
            RawActions::Values(values) => values,
            RawActions::Indices(_) => unreachable!("it has just become a list of values"),
        }
    }

    /// Those of these rows, `[rows]` where an action is one index and `[rows, width]` otherwise.
    pub fn tensor(&self, rows: &[usize], width: usize) -> Result<Tensor> {
        let shape = (rows.len(), width);
        Ok(match self {
            RawActions::Indices(all) if width == 1 => Tensor::from_vec(picked(all, rows, 1), rows.len(), &Device::Cpu)?,
            RawActions::Indices(all) => Tensor::from_vec(picked(all, rows, width), shape, &Device::Cpu)?,
            RawActions::Values(all) => Tensor::from_vec(picked(all, rows, width), shape, &Device::Cpu)?,
        })
    }
}

/// The distributions of many rows at once.
pub enum Acting<'a> {
    Categorical(Probabilities<'a>),
    /// One per choice.
    MultiCategorical(Vec<Probabilities<'a>>),
    Gaussian(&'a GaussianPolicy, &'a [f32]),
    Grid(&'a Grid, &'a [f32]),
}

impl Policy {
    /// The distributions of these outputs, `[rows, outputs]`.
    pub fn at<'a>(&'a self, outputs: &'a [f32]) -> Acting<'a> {
        match self {
            Policy::Categorical { actions } => Acting::Categorical(Probabilities::of(outputs, *actions as usize)),
            Policy::MultiCategorical { sizes } => Acting::MultiCategorical(Probabilities::of_blocks(outputs, sizes)),
            Policy::Gaussian(gaussian) => Acting::Gaussian(gaussian, outputs),
            Policy::Grid(grid) => Acting::Grid(grid, outputs),
        }
    }
}

impl Acting<'_> {
    /// Sets `actions` to a draw for every row, and puts their log-probabilities behind `log_probs`. A row whose entry in `skipped` is true
    /// draws nothing: its action and its log-probability are 0.
    pub fn sample(&self, skipped: &[bool], rng: &mut Rng, actions: &mut RawActions, log_probs: &mut Vec<f32>) {
        actions.clear();
        match self {
            Acting::Categorical(probabilities) => {
                let indices = actions.indices();
                for (row, &skipped) in skipped.iter().enumerate() {
                    let (action, log_prob) = if skipped { (0, 0.0) } else { probabilities.sample(row, rng) };
                    indices.push(action);
                    log_probs.push(log_prob);
                }
            }
            Acting::MultiCategorical(choices) => {
                let indices = actions.indices();
                for (row, &skipped) in skipped.iter().enumerate() {
                    let mut sum = 0.0;
                    for probabilities in choices {
                        let (action, log_prob) = if skipped { (0, 0.0) } else { probabilities.sample(row, rng) };
                        indices.push(action);
                        sum += log_prob;
                    }
                    log_probs.push(sum);
                }
            }
            Acting::Grid(grid, outputs) => {
                let indices = actions.indices();
                for (row, &skipped) in outputs.chunks_exact(grid.outputs()).zip(skipped) {
                    log_probs.push(sample_places(grid, row, skipped, rng, indices));
                }
            }
            Acting::Gaussian(policy, outputs) => {
                let values = actions.values();
                draw(policy.size(), outputs, (skipped, rng), values);
                let start = log_probs.len();
                log_probs.resize(start + skipped.len(), 0.0);
                gaussians(policy, outputs, values).log_probs(&mut log_probs[start..]);
                let rows = log_probs[start..].iter_mut().zip(skipped);
                rows.filter(|(_, skipped)| **skipped).for_each(|(log_prob, _)| *log_prob = 0.0);
            }
        }
    }

    /// Sets `actions` to the most likely one of each of so many rows; the mean of a Gaussian, before any squashing.
    pub fn modes(&self, rows: usize, actions: &mut RawActions) {
        actions.clear();
        match self {
            Acting::Categorical(probabilities) => {
                actions.indices().extend((0..rows).map(|row| probabilities.mode(row)));
            }
            Acting::MultiCategorical(choices) => {
                let modes = (0..rows).flat_map(|row| choices.iter().map(move |choice| choice.mode(row)));
                actions.indices().extend(modes);
            }
            Acting::Grid(grid, outputs) => {
                let indices = actions.indices();
                for row in outputs.chunks_exact(grid.outputs()) {
                    grid.for_each(row, |_, _, log_probs| indices.push(mode(log_probs)));
                }
            }
            Acting::Gaussian(policy, outputs) => {
                let means = outputs.chunks_exact(2 * policy.size()).flat_map(|row| &row[..policy.size()]);
                actions.values().extend(means);
            }
        }
    }

    /// The entropy of a row in nats; squashed by tanh, the estimate from its action.
    ///
    /// # Panics
    /// When `actions` are of the other kind.
    pub fn entropy(&self, row: usize, actions: &RawActions) -> f64 {
        match (self, actions) {
            (Acting::Categorical(probabilities), _) => f64::from(probabilities.entropies()[row]),
            (Acting::MultiCategorical(choices), _) => {
                choices.iter().map(|choice| f64::from(choice.entropies()[row])).sum()
            }
            (Acting::Grid(grid, outputs), _) => grid.entropy(&outputs[row * grid.outputs()..][..grid.outputs()]),
            (Acting::Gaussian(policy, outputs), RawActions::Values(values)) => {
                let size = policy.size();
                gaussians(policy, &outputs[row * 2 * size..][..2 * size], &values[row * size..][..size]).entropy()
            }
            _ => panic!("a buffer of the other kind of actions"),
        }
    }
}

/// Puts a draw at every place of a row, or zeros, behind `indices`; its log-probability.
fn sample_places(grid: &Grid, row: &[f32], skipped: bool, rng: &mut Rng, indices: &mut Vec<u32>) -> f32 {
    if skipped {
        indices.resize(indices.len() + grid.width(), 0);
        return 0.0;
    }
    let mut sum = 0.0;
    grid.for_each(row, |_, _, log_probs| {
        let mut left: f64 = rng.random();
        let drawn = log_probs.iter().position(|log_p| {
            left -= log_p.exp();
            left < 0.0
        });
        // Rounding may leave a crumb behind the last class; it falls to the most likely one.
        let drawn = drawn.unwrap_or(mode(log_probs) as usize);
        indices.push(drawn as u32);
        sum += log_probs[drawn];
    });
    sum as f32
}

fn gaussians<'a>(policy: &GaussianPolicy, outputs: &'a [f32], values: &'a [f32]) -> Gaussians<'a, f32> {
    let log_scale = policy.log_scale().map(|log_scale| log_scale as f32);
    Gaussians { outputs, values, size: policy.size(), log_scale }
}

/// Puts `μ + σ ε` of every row that is not skipped, and 0 of the others, behind `values`.
fn draw(size: usize, outputs: &[f32], (skipped, rng): (&[bool], &mut Rng), values: &mut Vec<f32>) {
    for (row, skipped) in outputs.chunks_exact(2 * size).zip(skipped) {
        let (means, log_stds) = row.split_at(size);
        values.extend(means.iter().zip(log_stds).map(|(mean, log_std)| {
            let noise: f32 = if *skipped { return 0.0 } else { StandardNormal.sample(rng) };
            mean + log_std.fast_exp() * noise
        }));
    }
}
