//! An objective as a function of examples that it is handed, or of episodes in environments of its own: what a microscope asks of it. Nothing
//! of the objective that trains is touched.

use super::policy_gradient::Episodes;
use crate::data::Examples;
use crate::distribution::Policy;
use crate::network::Network;
use crate::{Result, Rng};
use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where the gradients of an objective come from.
pub enum Probe {
    /// From a network's outputs at examples of a data set.
    Examples(Box<dyn AtExamples>),
    /// From what the policy meets in an environment.
    Episodes(Box<Episodes>),
}

/// What an objective has learned beside the network that it trains: read, and left as it is.
#[derive(Clone, Copy, Default)]
pub struct Learned<'a> {
    /// Of the values of states.
    pub critic: Option<&'a Network>,
    /// The moving average of the returns so far.
    pub moving_average: f64,
}

/// What a network puts out at some examples.
pub struct Looked<'a> {
    /// How the outputs are read.
    pub policy: &'a Policy,
    /// `[rows, outputs]`, without a graph behind it.
    pub outputs: &'a Tensor,
    /// Which examples, by their place among the training examples.
    pub rows: &'a [usize],
    pub learned: Learned<'a>,
    /// The share of the budget that is used up: what schedules go by.
    pub progress: f64,
}

/// An objective whose loss is a function of the network's outputs at given examples. Gradients are those of the loss, a mean over the examples,
/// with respect to the outputs: `[rows, outputs]`, of which the network makes those of its parameters.
pub trait AtExamples {
    fn examples(&self) -> &Arc<Examples>;

    /// Whether it sees the network as it trains on labels: with units dropped, and normalized by the batch.
    fn trains_on_labels(&self) -> bool;

    /// The gradient in closed form, the expectation over actions where there are some; nothing where it is not known.
    fn exact(&self, at: &Looked) -> Result<Option<Tensor>>;

    /// That of the expected reward alone, without anything that an objective adds to it; nothing where there is no reward, or it is not known.
    fn of_expected_reward(&self, _at: &Looked) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Its own estimate from so many sampled actions of each example; nothing where nothing is sampled, or so few can't be compared.
    fn sampled(&self, _at: &Looked, _samples: usize, _rng: &mut Rng) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// The plain policy gradient `A ∇log π` from the same actions with each of these baselines; nothing of those that can't be had.
    fn baselined(
        &self,
        _at: &Looked,
        _samples: usize,
        (_, _): (&[ComparedBaseline], &mut Rng),
    ) -> Result<Vec<(ComparedBaseline, Tensor)>> {
        Ok(Vec::new())
    }
}

/// What is subtracted from the reward of a sampled class, `r_j` of the `n` samples of one context; none of it changes the expectation of the
/// gradient, but for that of the mean, which counts the own reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparedBaseline {
    /// 0
    None,
    /// The mean of the rewards of all samples of all contexts.
    Mean,
    /// `Σ_a π_a r_a`: the expected reward of the context, what a perfect critic would say.
    Value,
    /// The mean of the other `n − 1` rewards of the context.
    LeaveOneOut,
    /// The reward of the most likely class of the context.
    Greedy,
    /// `Σ_a π_a r_a |e_a − π|² / Σ_a π_a |e_a − π|²`: of all constants of a context the one with the least variance of the gradient with respect
    /// to the logits (Greensmith, Bartlett and Baxter 2004, JMLR 5).
    Optimal,
}

impl ComparedBaseline {
    /// In the order in which they are recorded and drawn.
    pub const ALL: [ComparedBaseline; 6] = [
        ComparedBaseline::None,
        ComparedBaseline::Mean,
        ComparedBaseline::Value,
        ComparedBaseline::LeaveOneOut,
        ComparedBaseline::Greedy,
        ComparedBaseline::Optimal,
    ];

    /// As in a file.
    pub fn name(self) -> &'static str {
        match self {
            ComparedBaseline::None => "none",
            ComparedBaseline::Mean => "mean",
            ComparedBaseline::Value => "value",
            ComparedBaseline::LeaveOneOut => "leave_one_out",
            ComparedBaseline::Greedy => "greedy",
            ComparedBaseline::Optimal => "optimal",
        }
    }
}

/// The numbers of a tensor, row by row.
pub(super) fn numbers(of: &Tensor) -> Result<Vec<f32>> {
    Ok(of.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}
