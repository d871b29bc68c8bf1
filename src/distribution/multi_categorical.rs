//! Several independent classes.

use super::Categorical;
use candle_core::{Result, Tensor};

/// Independent categorical distributions, several per row, whose logits follow one another in a row of `[batch, Σ sizes]`.
///
/// Log-probabilities, entropies and divergences are sums over them.
pub struct MultiCategorical {
    parts: Vec<Categorical>,
}

impl MultiCategorical {
    /// `sizes` are the classes of each.
    pub fn new(logits: &Tensor, sizes: &[u32]) -> Result<Self> {
        let mut end = 0;
        let part = |size: &u32| {
            let start = end;
            end += *size as usize;
            Ok(Categorical::new(&logits.narrow(1, start, *size as usize)?.contiguous()?))
        };
        Ok(MultiCategorical { parts: sizes.iter().map(part).collect::<Result<_>>()? })
    }

    /// `Σ_k log p_k(y_k)` of each row, `[batch]`; `classes` is `[batch, sizes]` of u32.
    pub fn log_prob(&self, classes: &Tensor) -> Result<Tensor> {
        let column = |k: usize| classes.narrow(1, k, 1)?.squeeze(1)?.contiguous();
        sum(self.parts.iter().enumerate().map(|(k, part)| part.log_prob(&column(k)?)))
    }

    /// `log p` of every class of each, `[batch, Σ sizes]`.
    pub fn log_probs(&self) -> Result<Tensor> {
        Tensor::cat(&self.parts.iter().map(Categorical::log_probs).collect::<Result<Vec<_>>>()?, 1)
    }

    /// In nats, `[batch]`.
    pub fn entropy(&self) -> Result<Tensor> {
        sum(self.parts.iter().map(Categorical::entropy))
    }

    /// `KL(this ‖ other)` of each row in nats, `[batch]`.
    pub fn kl_divergence(&self, other: &MultiCategorical) -> Result<Tensor> {
        sum(self.parts.iter().zip(&other.parts).map(|(p, q)| p.kl_divergence(q)))
    }
}

fn sum(mut terms: impl Iterator<Item = Result<Tensor>>) -> Result<Tensor> {
    let Some(first) = terms.next() else { candle_core::bail!("a distribution over no choices") };
    terms.try_fold(first?, |sum, term| sum + term?)
}
