//! Choices at every place of a grid.

use super::Categorical;
use crate::kernel::Grid;
use candle_core::{Result, Tensor};

/// Independent choices at every place of a [`Grid`], of outputs `[batch, outputs]`. Log-probabilities, entropies and divergences are sums over
/// all of them.
pub struct Places {
    batch: usize,
    /// Of each choice, `[batch · places, classes]`.
    parts: Vec<Categorical>,
}

impl Places {
    pub fn new(outputs: &Tensor, grid: &Grid) -> Result<Self> {
        let batch = outputs.dim(0)?;
        let planes = outputs.reshape((batch, (), grid.places()))?;
        let mut end = 0;
        let part = |size: &u32| {
            let (start, size) = (end, *size as usize);
            end += size;
            let logits = planes.narrow(1, start, size)?.transpose(1, 2)?.reshape((batch * grid.places(), size))?;
            // Of a single logit the other class has 0.
            let logits = if size == 1 { Tensor::cat(&[&logits.zeros_like()?, &logits], 1)? } else { logits };
            Ok(Categorical::new(&logits))
        };
        Ok(Places { batch, parts: grid.choices.iter().map(part).collect::<Result<_>>()? })
    }

    /// `Σ log p(y)` of each row, `[batch]`; `classes` is `[batch, choices · places]` of u32.
    pub fn log_prob(&self, classes: &Tensor) -> Result<Tensor> {
        let classes = classes.reshape((self.batch, self.parts.len(), ()))?;
        let of = |(i, part): (usize, &Categorical)| part.log_prob(&classes.narrow(1, i, 1)?.flatten_all()?);
        self.sum(self.parts.iter().enumerate().map(of))
    }

    /// `log p` of every class, `[batch, choices · places · classes]`.
    pub fn log_probs(&self) -> Result<Tensor> {
        let of = |part: &Categorical| part.log_probs()?.reshape((self.batch, ()));
        Tensor::cat(&self.parts.iter().map(of).collect::<Result<Vec<_>>>()?, 1)
    }

    /// In nats, `[batch]`.
    pub fn entropy(&self) -> Result<Tensor> {
        self.sum(self.parts.iter().map(Categorical::entropy))
    }

    /// `KL(this ‖ other)` of each row in nats, `[batch]`.
    pub fn kl_divergence(&self, other: &Places) -> Result<Tensor> {
        self.sum(self.parts.iter().zip(&other.parts).map(|(p, q)| p.kl_divergence(q)))
    }

    fn sum(&self, mut terms: impl Iterator<Item = Result<Tensor>>) -> Result<Tensor> {
        let Some(first) = terms.next() else { candle_core::bail!("a grid without choices") };
        terms.try_fold(first?, |sum, term| sum + term?)?.reshape((self.batch, ()))?.sum(1)
    }
}
