//! What one update does on average, where 1 is paid for one action and 0 for the others: by enumeration of the draws.

use super::advantages::{Estimates, confidence};
use super::{Baseline, PolicyGradientSettings};
use crate::distribution::{self, Policy};
use crate::surrogate::{Taken, surrogate_objective};
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor, Var};

/// One decision among so many actions: the first one is rewarded and has this probability, the others are equally likely.
#[derive(Clone, Copy, Debug)]
pub struct OneHotReward {
    pub p: f64,
    pub actions: usize,
}

/// Which actions an update learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draws {
    /// A group of the policy's draws, one where there are no groups; averaged over all that can be drawn.
    Sampled,
    /// A group of so many, each action in proportion to its probability: the limit of large groups.
    Proportional(usize),
    /// A group of every action once.
    Each,
}

/// The expected gradient of the objective by the logits, `[actions]`, in the first update after acting. It is made of what trains: advantages,
/// targets and surrogate of the settings, the draws enumerated.
///
/// A critic's value, and a mean over rollouts, are taken to be the expected reward `p`. The entropy bonus, and `normalize_advantages`, which
/// divides all states of a minibatch by one number, are left out.
///
/// # Errors
/// When `p` lies outside of (0, 1), there are fewer than two actions, a group has too few members to be compared, or can't be in proportion.
pub fn expected_update(settings: &PolicyGradientSettings, reward: OneHotReward, draws: Draws) -> Result<Vec<f64>> {
    let OneHotReward { p, actions } = reward;
    if !(0.0 < p && p < 1.0 && actions >= 2) {
        let message = format!("a probability in (0, 1) among at least 2 actions, not {p} among {actions}");
        return Err(Error::Argument(message));
    }
    let mut settings = settings.clone();
    let drawn = |right: usize, size: usize| (0..size).map(|i| u32::from(i >= right)).collect::<Vec<u32>>();
    match draws {
        Draws::Sampled => {
            let size = settings.group_size.unwrap_or(1);
            let fewest = if settings.baseline == Baseline::LeaveOneOut { 2 } else { 1 };
            if size < fewest {
                return Err(Error::Argument(format!("`group_size` must be at least {fewest} here, not {size}")));
            }
            let mut mean = vec![0.0; actions];
            for (right, probability) in binomial(size, p).into_iter().enumerate() {
                let update = update(&settings, reward, &drawn(right, size))?;
                mean.iter_mut().zip(update).for_each(|(mean, slope)| *mean += probability * slope);
            }
            Ok(mean)
        }
        Draws::Proportional(size) => {
            let right = p * size as f64;
            if (right - right.round()).abs() > 1e-9 {
                return Err(Error::Argument(format!("a share of {p} of {size} draws is {right}, no whole number")));
            }
            settings.group_size = Some(size);
            update(&settings, reward, &drawn(right.round() as usize, size))
        }
        Draws::Each => {
            settings.group_size = Some(actions);
            update(&settings, reward, &(0..actions as u32).collect::<Vec<u32>>())
        }
    }
}

/// The probability of each number of successes in `size` draws.
fn binomial(size: usize, p: f64) -> Vec<f64> {
    let mut log_ways = 0.0;
    let probability = |right: usize| {
        if right > 0 {
            log_ways += ((size - right + 1) as f64 / right as f64).ln();
        }
        (log_ways + right as f64 * p.ln() + (size - right) as f64 * (-p).ln_1p()).exp()
    };
    (0..=size).map(probability).collect()
}

/// The gradient of one group's objective, averaged over which of the equally likely actions took part.
fn update(settings: &PolicyGradientSettings, reward: OneHotReward, drawn: &[u32]) -> Result<Vec<f64>> {
    let OneHotReward { p, actions } = reward;
    let other = (1.0 - p) / (actions - 1) as f64;
    let logits: Vec<f64> = (0..actions).map(|action| if action == 0 { p.ln() } else { other.ln() }).collect();
    let log_probs: Vec<f64> = drawn.iter().map(|action| logits[*action as usize]).collect();
    let returns: Vec<f32> = drawn.iter().map(|action| f32::from(u8::from(*action == 0))).collect();
    let estimates = Estimates::of_episodes(&returns, &log_probs);
    let greedy = f32::from(u8::from(distribution::mode(&logits) == 0));
    let baseline = match settings.baseline {
        Baseline::None => 0.0,
        Baseline::Mean | Baseline::MovingAverage | Baseline::Value => p as f32,
        Baseline::Confidence => confidence(&logits) as f32,
        Baseline::Greedy | Baseline::LeaveOneOut | Baseline::Group => 0.0,
    };
    let advantages: Vec<f32> = match settings.baseline.compares_episodes() {
        true => estimates.episode_advantages(settings, &vec![greedy; drawn.len()]),
        false => returns.iter().map(|earned| earned - baseline).collect(),
    };
    let rows = drawn.len();
    let target = estimates.target(settings, &(0..rows).collect::<Vec<usize>>());
    let outputs = Var::from_tensor(&Tensor::from_vec(logits.repeat(rows), (rows, actions), &Device::Cpu)?)?;
    let taken = Taken {
        policy: &Policy::Categorical { actions: actions as u32 },
        actions: &Tensor::new(drawn, &Device::Cpu)?,
        advantages: &Tensor::from_vec(advantages, rows, &Device::Cpu)?.to_dtype(DType::F64)?,
        old_log_probs: &Tensor::from_vec(log_probs, rows, &Device::Cpu)?,
        surrogate: settings.climbed(settings.clip.as_ref().map_or(f64::INFINITY, |clip| clip.at(0.0)), target.as_ref()),
        entropy_coefficient: 0.0,
    };
    let gradients = surrogate_objective(&outputs, &taken)?.scalar.backward()?;
    let of_rows = gradients.get(&outputs).ok_or_else(|| Error::Argument("an objective without a gradient".into()))?;
    let mut update: Vec<f64> = of_rows.sum(0)?.to_vec1()?;
    let mean = update[1..].iter().sum::<f64>() / (actions - 1) as f64;
    update[1..].fill(mean);
    Ok(update)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::experiment::preset;

    #[test]
    fn what_has_no_expectation_is_refused() {
        let update = |group_size: Option<usize>, p: f64, actions: usize, draws: Draws| {
            let settings = PolicyGradientSettings { group_size, ..preset("rloo").unwrap() };
            expected_update(&settings, OneHotReward { p, actions }, draws).unwrap_err().to_string()
        };
        assert!(update(None, 0.5, 3, Draws::Sampled).contains("`group_size` must be at least 2 here, not 1"));
        assert!(update(Some(4), 1.0, 3, Draws::Sampled).contains("in (0, 1) among at least 2 actions, not 1 among 3"));
        assert!(update(Some(4), 0.5, 1, Draws::Each).contains("among 1"));
        assert!(update(Some(4), 0.3, 3, Draws::Proportional(4)).contains("1.2, no whole number"));
    }

    #[test]
    fn the_numbers_of_successes_have_their_probabilities() {
        let binomial = binomial(4, 0.3);
        let expected = [0.2401, 0.4116, 0.2646, 0.0756, 0.0081];
        assert!(binomial.iter().zip(expected).all(|(got, want)| (got - want).abs() < 1e-12), "{binomial:?}");
    }
}
