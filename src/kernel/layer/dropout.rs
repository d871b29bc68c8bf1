//! Dropout.

use super::{Arriving, Dx, Layer, LayerRow, MOST_SOURCES, Operation, Passed, Planned};
use crate::kernel::activation::Real;
use candle_core::{Tensor, WithDType};
use lossward_envs::options::{Interval, OptionKind, OptionRow, Options};
use rand::RngCore as _;
use serde::{Deserialize, Serialize};

pub(super) const ROW: LayerRow = LayerRow {
    options: &[OptionRow {
        name: "dropout",
        meaning: "share of what comes in that is dropped",
        kind: OptionKind::RequiredNumber(Interval::BELOW_ONE),
    }],
    meaning: "drops units while training on labels (Srivastava et al. 2014)",
    plan,
    ..LayerRow::PLAIN
};

/// The seed is set for every batch.
fn plan(options: &Options, arriving: &Arriving) -> Result<Planned, String> {
    let layer = Layer::Dropout(Dropout { size: arriving.size(), rate: options.number("dropout"), seed: 0 });
    Ok(Planned { layer: Some(layer), shape: arriving.shapes[0].to_vec() })
}

/// Each float is dropped (becomes 0) with probability `rate`; the others are divided by `1 − rate`, so that their expectation
/// stays (Srivastava et al. 2014, in the inverted form). Only in training: at evaluation the layer is left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropout {
    /// Floats per example.
    pub size: usize,
    /// In `[0, 1)`.
    pub rate: f64,
    /// The same seed drops the same floats, so that the backward pass knows them again.
    pub seed: u64,
}

impl Dropout {
    /// What each float of a batch is multiplied by: 0 or `1 / (1 − rate)`.
    fn factors<T: Real>(&self) -> impl Iterator<Item = T> {
        let mut rng = lossward_envs::stream(self.seed, "dropped", 0);
        let threshold = self.rate * 2f64.powi(32);
        let kept = <T as WithDType>::from_f64(1.0 / (1.0 - self.rate));
        std::iter::repeat_with(move || if f64::from(rng.next_u32()) < threshold { T::zero() } else { kept })
    }

    /// Both passes: `to = factors · from`.
    fn scale<T: Real>(&self, from: &[T], to: &mut [T]) {
        for ((to, from), factor) in to.iter_mut().zip(from).zip(self.factors::<T>()) {
            *to = *from * factor;
        }
    }
}

impl Operation for Dropout {
    fn inputs(&self) -> [usize; MOST_SOURCES] {
        [self.size, 0]
    }

    fn outputs(&self) -> usize {
        self.size
    }

    fn forward<T: Real>(&self, xs: &[&[T]], _: (&[T], &[T]), y: &mut [T], _: &mut [T]) {
        self.scale(xs[0], y);
    }

    fn backward<T: Real>(&self, _: Passed<T>, _: &[T], dy: &mut [T], _: (&mut [T], &mut [T]), dxs: &mut Dx<T>) {
        if let Some(dx) = &mut dxs[0] {
            self.scale(dy, dx);
        }
    }

    fn plain(&self, xs: &[Tensor], _: &Tensor, _: &Tensor) -> candle_core::Result<Tensor> {
        let factors: Vec<f64> = self.factors().take(xs[0].elem_count()).collect();
        &xs[0] * Tensor::from_vec(factors, xs[0].shape(), xs[0].device())?.to_dtype(xs[0].dtype())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_is_dropped_and_the_expectation_are_as_stated() {
        let n = 100_000;
        for rate in [0.0, 0.1, 0.5, 0.9] {
            let factors: Vec<f64> = Dropout { size: 1, rate, seed: 7 }.factors().take(n).collect();
            let dropped = factors.iter().filter(|factor| **factor == 0.0).count() as f64 / n as f64;
            let deviation = (rate * (1.0 - rate) / n as f64).sqrt();
            assert!((dropped - rate).abs() <= 4.0 * deviation, "{rate}: {dropped}");
            assert!(factors.iter().all(|factor| *factor == 0.0 || (factor * (1.0 - rate) - 1.0).abs() < 1e-12));
        }
        let first = |seed| Dropout { size: 1, rate: 0.5, seed }.factors().take(64).collect::<Vec<f32>>();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
