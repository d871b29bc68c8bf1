//! The same in candle's own vocabulary: the oracle of the fused one, and what runs where it doesn't.

use super::{GroupTarget, Surrogate, SurrogateObjective, Taken, log_odds};
use crate::kernel::plain::abs;
use candle_core::{D, DType, Result, Tensor};

/// See [`super::surrogate_objective`].
pub fn surrogate_objective(outputs: &Tensor, taken: &Taken) -> Result<SurrogateObjective> {
    let mean = |tensor: &Tensor| tensor.mean_all()?.to_dtype(DType::F64)?.to_scalar::<f64>();
    let chosen = taken.policy.log_prob(outputs, taken.actions)?;
    let entropies = taken.policy.entropy(outputs, Some(taken.actions))?;
    let log_ratio = (&chosen - taken.old_log_probs)?;
    let ratio = log_ratio.exp()?;
    let kl_k1 = -mean(&log_ratio)?;
    let kl_k3 = mean(&((&ratio - 1.0)? - log_ratio)?)?;
    let mut clip_fraction = 0.0;
    let surrogate = match taken.surrogate {
        Surrogate::LogProb => (chosen * taken.advantages)?.mean_all()?,
        Surrogate::Clipped { clip } => {
            clip_fraction = mean(&abs(&(&ratio - 1.0)?)?.gt(clip)?.to_dtype(DType::F64)?)?;
            let clipped = ratio.clamp(1.0 - clip, 1.0 + clip)?;
            (ratio * taken.advantages)?.minimum(&(clipped * taken.advantages)?)?.mean_all()?
        }
        Surrogate::Delightful { temperature } => {
            let delight = ((taken.advantages * &chosen)? * (-1.0 / temperature))?;
            let weights = (taken.advantages * candle_nn::ops::sigmoid(&delight)?)?.detach();
            (chosen * weights)?.mean_all()?
        }
        Surrogate::Target { temperature } => {
            let odds = (taken.advantages.sign()? * (log_odds(taken.policy)? / temperature))?.exp()?;
            let p = chosen.exp()?;
            let weights = ((&p * (&odds - 1.0)?)? / ((1.0 - &p)? + (odds * &p)?)?)?.detach();
            (chosen * weights)?.mean_all()?
        }
        Surrogate::GroupTarget(target) => group_target(&chosen, target)?,
        Surrogate::Gains(gains) => (taken.policy.option_log_probs(outputs)?.exp()? * gains)?.sum(1)?.mean_all()?,
        Surrogate::Parts(parts) => {
            let log_probs = taken.policy.option_log_probs(outputs)?;
            (log_probs.gather(&chosen_options(taken)?, 1)? * parts)?.sum(1)?.mean_all()?
        }
    };
    Ok(SurrogateObjective {
        scalar: (&surrogate + (entropies.mean_all()? * taken.entropy_coefficient)?)?,
        surrogate: mean(&surrogate)?,
        entropy: mean(&entropies)?,
        kl_k1,
        kl_k3,
        clip_fraction,
    })
}

/// Where the options that were chosen stand among those of all choices, `[batch, width]`.
fn chosen_options(taken: &Taken) -> Result<Tensor> {
    let mut end = 0;
    let first = |size: usize| {
        end += size as u32;
        end - size as u32
    };
    let first: Vec<u32> = taken.policy.options().into_iter().map(first).collect();
    let actions = taken.actions.to_dtype(DType::U32)?.reshape(((), first.len()))?;
    actions.broadcast_add(&Tensor::new(first, actions.device())?)
}

fn group_target(log_probs: &Tensor, target: &GroupTarget) -> Result<Tensor> {
    let (dtype, device) = (log_probs.dtype(), log_probs.device());
    let candidates = Tensor::new(&target.candidates[..], device)?;
    let groups = (target.targets.len() / target.size, target.size);
    let of_candidates = Tensor::zeros(target.targets.len(), dtype, device)?.index_add(&candidates, log_probs, 0)?;
    let log_p = candle_nn::ops::log_softmax(&of_candidates.reshape(groups)?, D::Minus1)?;
    let targets = Tensor::from_slice(&target.targets, groups, device)?.to_dtype(dtype)?;
    (log_p * targets)?.sum_all()? * (1.0 / groups.0 as f64)
}
