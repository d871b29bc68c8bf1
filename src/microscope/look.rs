//! One look: the gradients of an objective at the weights in hand, expected and estimated.

use super::{MicroscopeSettings, ProbedArm};
use crate::data::Examples;
use crate::network::Network;
use crate::objective::{AtExamples, ComparedBaseline, Episodes, Learned, Looked, Probe};
use crate::{Result, Rng, stream};
use candle_core::{DType, Device, Tensor};
use rand::Rng as _;
use rand::seq::index;

/// What all objectives of a look have in common.
pub(super) struct Look<'a> {
    pub settings: &'a MicroscopeSettings,
    /// The one that is trained: read only.
    pub network: &'a Network,
    pub copy: &'a Network,
    pub learned: Learned<'a>,
    pub examples: u64,
    pub progress: f64,
    /// The seed of what is drawn for all of them alike: examples, and the units that are dropped.
    pub shared: u64,
}

/// A gradient of a loss.
pub(super) struct Gradient {
    /// With respect to the network's outputs, row by row; empty of episodes.
    pub outputs: Vec<f32>,
    /// With respect to all parameters.
    pub parameters: Vec<f32>,
}

/// Independent estimates of one kind.
pub(super) struct Series {
    /// The objective's own where there is none.
    pub baseline: Option<ComparedBaseline>,
    /// Nothing of episodes.
    pub samples: Option<u64>,
    pub estimates: Vec<Gradient>,
    /// Whether the expected gradient is the mean of these.
    pub is_reference: bool,
}

/// The gradients of one objective.
pub(super) struct Seen {
    pub name: String,
    pub expected: Gradient,
    /// Whether the expected one is known in closed form.
    pub is_exact: bool,
    /// Of the expected reward alone, where baselines are compared.
    pub of_expected_reward: Option<Gradient>,
    pub series: Vec<Series>,
}

impl Look<'_> {
    /// The gradients of an arm's objective, and of its reward with these baselines. The copy has the weights of the network in hand afterwards,
    /// running statistics included.
    pub fn at(&self, subject: &ProbedArm, (baselines, rng): (&[ComparedBaseline], &mut Rng)) -> Result<Seen> {
        self.copy.parameters().copy(self.network.parameters())?;
        let ([exact, of_expected_reward], mut series) = match &subject.probe {
            Probe::Examples(objective) => self.at_examples(objective.as_ref(), (baselines, rng))?,
            Probe::Episodes(episodes) => ([None, None], vec![self.in_episodes(episodes, rng)?]),
        };
        let is_exact = exact.is_some();
        let expected = match exact {
            Some(exact) => exact,
            None => {
                // The one with the least noise.
                let own = series.iter_mut().filter(|series| series.baseline.is_none());
                own.max_by_key(|series| series.samples).map_or_else(Gradient::nothing, |best| {
                    best.is_reference = true;
                    Gradient::mean(&best.estimates)
                })
            }
        };
        Ok(Seen { name: subject.name.clone(), expected, is_exact, of_expected_reward, series })
    }

    /// What is expected of the objective, and of its reward alone; and its estimates.
    fn at_examples(
        &self,
        objective: &dyn AtExamples,
        (baselines, rng): (&[ComparedBaseline], &mut Rng),
    ) -> Result<([Option<Gradient>; 2], Vec<Series>)> {
        let (rows, seed) = self.contexts(objective.examples());
        let inputs = objective.examples().inputs_of(rows.iter().copied());
        let inputs = Tensor::from_vec(inputs, (rows.len(), objective.examples().features()), &Device::Cpu)?;
        let outputs = match objective.trains_on_labels() {
            true => self.copy.forward_training(&inputs, seed)?.swap_remove(0),
            false => self.copy.forward(&inputs)?,
        };
        let at = Looked {
            policy: self.copy.policy(),
            outputs: &outputs.detach(),
            rows: &rows,
            learned: self.learned,
            progress: self.progress,
        };
        let back = |by_outputs: Tensor| self.backward(&outputs, &by_outputs);
        let mut series = Vec::new();
        for &samples in &self.settings.samples {
            let estimate = |_| objective.sampled(&at, samples as usize, rng)?.map(back).transpose();
            let estimates = (0..self.settings.repeats).map(estimate).collect::<Result<Option<Vec<_>>>>()?;
            series.extend(estimates.map(|estimates| Series::own(Some(samples), estimates)));
        }
        for &samples in &self.settings.samples {
            series.extend(self.baselined(objective, &at, (samples, &back), (baselines, rng))?);
        }
        let compares = series.iter().any(|series| series.baseline.is_some());
        let of_reward = if compares { objective.of_expected_reward(&at)? } else { None };
        Ok(([objective.exact(&at)?.map(back).transpose()?, of_reward.map(back).transpose()?], series))
    }

    /// A series for each of the baselines that are compared, of the same actions.
    fn baselined(
        &self,
        objective: &dyn AtExamples,
        at: &Looked,
        (samples, back): (u64, &dyn Fn(Tensor) -> Result<Gradient>),
        (baselines, rng): (&[ComparedBaseline], &mut Rng),
    ) -> Result<Vec<Series>> {
        let mut all: Vec<Series> = Vec::new();
        if baselines.is_empty() {
            return Ok(all);
        }
        for _ in 0..self.settings.repeats {
            for (baseline, gradient) in objective.baselined(at, samples as usize, (baselines, rng))? {
                let gradient = back(gradient)?;
                match all.iter_mut().find(|series| series.baseline == Some(baseline)) {
                    Some(series) => series.estimates.push(gradient),
                    None => all.push(Series { baseline: Some(baseline), ..Series::own(Some(samples), vec![gradient]) }),
                }
            }
        }
        Ok(all)
    }

    fn in_episodes(&self, episodes: &Episodes, rng: &mut Rng) -> Result<Series> {
        let mut estimates = Vec::new();
        for _ in 0..self.settings.repeats {
            let parameters = episodes.gradient(self.copy, (self.learned, self.examples), rng.random())?;
            estimates.push(Gradient { outputs: Vec::new(), parameters });
            // Acting has moved its running statistics.
            self.copy.parameters().copy(self.network.parameters())?;
        }
        Ok(Series::own(None, estimates))
    }

    /// Which examples are looked at, in rising order, and the seed that units are dropped by: the same for all objectives of a look.
    fn contexts(&self, examples: &Examples) -> (Vec<usize>, u64) {
        let mut rng = stream(self.shared, "contexts", 0);
        let count = (self.settings.contexts as usize).min(examples.len());
        let mut rows = index::sample(&mut rng, examples.len(), count).into_vec();
        rows.sort_unstable();
        (rows, rng.random())
    }

    /// From the gradient by the outputs to that by the parameters.
    fn backward(&self, outputs: &Tensor, by_outputs: &Tensor) -> Result<Gradient> {
        let parameters = self.copy.parameters();
        let along = (outputs * by_outputs)?.sum_all()?;
        let gradient = parameters.gradient(&along)?.map_or_else(|| parameters.flat().zeros_like(), Ok)?;
        Ok(Gradient { outputs: numbers(by_outputs)?, parameters: numbers(&gradient)? })
    }
}

fn numbers(of: &Tensor) -> Result<Vec<f32>> {
    Ok(of.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}

impl Series {
    fn own(samples: Option<u64>, estimates: Vec<Gradient>) -> Self {
        Series { baseline: None, samples, estimates, is_reference: false }
    }
}

impl Gradient {
    fn nothing() -> Self {
        Gradient { outputs: Vec::new(), parameters: Vec::new() }
    }

    fn mean(of: &[Gradient]) -> Self {
        let mean = |part: fn(&Gradient) -> &[f32]| {
            let all: Vec<&[f32]> = of.iter().map(part).collect();
            super::GradientMoments::of(&all).mean.into_iter().map(|x| x as f32).collect()
        };
        Gradient { outputs: mean(|g| &g.outputs), parameters: mean(|g| &g.parameters) }
    }
}
