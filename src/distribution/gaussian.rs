//! Real numbers, unbounded or squashed into an interval.

use crate::kernel::plain::abs;
use candle_core::{D, Result, Tensor};
use std::f64::consts::{LN_2, PI};

/// Diagonal Gaussian distributions, one per row.
pub struct Gaussian {
    mean: Tensor,
    log_std: Tensor,
}

impl Gaussian {
    /// `mean` is `[batch, size]`; `log_std`, the natural logarithm of the standard deviation, is `[batch, size]` or, the same for
    /// all rows, `[size]`.
    pub fn new(mean: &Tensor, log_std: &Tensor) -> Result<Self> {
        Ok(Gaussian { mean: mean.clone(), log_std: log_std.broadcast_as(mean.shape())? })
    }

    /// `Σ −((x − μ)/σ)²/2 − ln σ − ln(2π)/2` of each row, `[batch]`; `values` is `[batch, size]`.
    pub fn log_prob(&self, values: &Tensor) -> Result<Tensor> {
        let z = ((values - &self.mean)? / self.log_std.exp()?)?;
        ((z.sqr()? * -0.5)? - (&self.log_std + 0.5 * (2.0 * PI).ln())?)?.sum(D::Minus1)
    }

    /// `Σ ln σ + ln(2πe)/2` of each row in nats, `[batch]`.
    pub fn entropy(&self) -> Result<Tensor> {
        (&self.log_std + 0.5 * (1.0 + (2.0 * PI).ln()))?.sum(D::Minus1)
    }

    /// `KL(p ‖ q) = Σ ln σ_q − ln σ_p + (σ_p² + (μ_p − μ_q)²) / (2 σ_q²) − 1/2` of each row in nats, `[batch]`.
    pub fn kl_divergence(&self, other: &Gaussian) -> Result<Tensor> {
        let log_ratio = (&self.log_std - &other.log_std)?;
        let shift = ((&self.mean - &other.mean)? / other.log_std.exp()?)?;
        let squares = ((&log_ratio * 2.0)?.exp()? + shift.sqr()?)?;
        (((squares * 0.5)? - log_ratio)? - 0.5)?.sum(D::Minus1)
    }
}

/// The distribution of `a = low + (high − low)(tanh u + 1)/2` with a Gaussian `u`, in terms of `u`.
///
/// The density is that of the action in its own units: it includes the slope of tanh and that of the affine map. The divergence of
/// two of them is that of their Gaussians.
pub struct TanhGaussian {
    gaussian: Gaussian,
    /// `Σ ln((high − low)/2)`
    log_scale: f64,
}

impl TanhGaussian {
    /// `log_scale` is the sum of `ln((high − low)/2)`: 0 in (−1, 1).
    pub fn new(gaussian: Gaussian, log_scale: f64) -> Self {
        TanhGaussian { gaussian, log_scale }
    }

    /// `log N(u) − Σ ln(1 − tanh² u) − Σ ln((high − low)/2)` of each row, `[batch]`; `raw` is `u`, `[batch, size]`.
    pub fn log_prob(&self, raw: &Tensor) -> Result<Tensor> {
        (self.gaussian.log_prob(raw)? - log_slopes(raw)?)? - self.log_scale
    }

    /// `H(N) + Σ ln(1 − tanh² u) + Σ ln((high − low)/2)` of each row, `[batch]`: an estimate of the entropy, which has no closed form,
    /// from one draw `u` of this distribution, as Brax makes it.
    ///
    /// Its gradient goes through `u = μ + σ ε` with a fixed `ε`, which is right on average. That of `−log π(a)` for a fixed action, the
    /// other usual estimate, is 0 on average: its bonus is noise.
    pub fn entropy_estimate(&self, raw: &Tensor) -> Result<Tensor> {
        let Gaussian { mean, log_std } = &self.gaussian;
        let std = log_std.exp()?;
        let noise = ((raw - mean)? / &std)?.detach();
        let drawn = (mean + (std * noise)?)?;
        (self.gaussian.entropy()? + log_slopes(&drawn)?)? + self.log_scale
    }
}

/// `Σ ln(1 − tanh² u)` of each row, in the form `2 (ln 2 − u − softplus(−2u))`, which stays exact where tanh is ±1; it is even in `u`,
/// and written so that its slope at 0 is 0.
fn log_slopes(raw: &Tensor) -> Result<Tensor> {
    let size = abs(raw)?;
    let tail = ((&size * -2.0)?.exp()? + 1.0)?.log()?;
    (((size + tail)? - LN_2)? * -2.0)?.sum(D::Minus1)
}
