//! Initial weights, drawn from our own streams.

use crate::Rng;
use crate::kernel::Activation;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// How the weights of a layer are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initialization {
    /// Normal with standard deviation `gain / √fan_in` (He et al. 2015, arXiv 1502.01852).
    Kaiming,
    /// A uniformly distributed matrix with orthonormal rows or columns, whichever are fewer, times `gain` (Saxe et al. 2013,
    /// arXiv 1312.6120).
    Orthogonal,
}

impl Initialization {
    /// The gain of a hidden layer. Kaiming's keeps the variance through the activation: √2 for relu, √(2 / (1 + slope²)) for leaky relu (He et
    /// al. 2015), 5/3 for tanh and 1 for sigmoid (PyTorch's `calculate_gain`), and relu's for those that are like it, as is custom.
    /// Orthogonal layers take √2 for each, the custom of policy-gradient implementations.
    pub fn gain(self, activation: Activation) -> f64 {
        match (self, activation) {
            (Initialization::Kaiming, Activation::Tanh) => 5.0 / 3.0,
            (Initialization::Kaiming, Activation::Sigmoid) => 1.0,
            (Initialization::Kaiming, Activation::LeakyRelu(slope)) => (2.0 / (1.0 + slope.get().powi(2))).sqrt(),
            (_, Activation::Identity) => 1.0,
            _ => std::f64::consts::SQRT_2,
        }
    }

    /// A weight matrix `[rows, columns]`, row-major; an output sums up `fan_in` numbers.
    pub fn draw(self, (rows, columns): (usize, usize), fan_in: f64, gain: f64, rng: &mut Rng) -> Vec<f32> {
        match self {
            Initialization::Kaiming => {
                let deviation = gain / fan_in.sqrt();
                normal(rows * columns, rng).iter().map(|z| (deviation * z) as f32).collect()
            }
            Initialization::Orthogonal if rows <= columns => {
                orthonormal_rows(rows, columns, rng).iter().map(|q| (gain * q) as f32).collect()
            }
            Initialization::Orthogonal => {
                let transposed = orthonormal_rows(columns, rows, rng);
                let at = |i: usize| transposed[i % columns * rows + i / columns];
                (0..rows * columns).map(|i| (gain * at(i)) as f32).collect()
            }
        }
    }
}

fn normal(count: usize, rng: &mut Rng) -> Vec<f64> {
    StandardNormal.sample_iter(rng).take(count).collect()
}

/// Gram–Schmidt on rows of normal draws, each row reduced twice so that rounding does not spoil orthogonality.
fn orthonormal_rows(rows: usize, columns: usize, rng: &mut Rng) -> Vec<f64> {
    let mut q = normal(rows * columns, rng);
    for i in 0..rows {
        let (done, rest) = q.split_at_mut(i * columns);
        let row = &mut rest[..columns];
        for _ in 0..2 {
            for previous in done.chunks_exact(columns) {
                let dot: f64 = row.iter().zip(previous).map(|(a, b)| a * b).sum();
                row.iter_mut().zip(previous).for_each(|(a, b)| *a -= dot * b);
            }
        }
        let norm = row.iter().map(|a| a * a).sum::<f64>().sqrt();
        row.iter_mut().for_each(|a| *a /= norm);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_matrices_are_orthogonal_both_ways_round() {
        for (rows, columns) in [(3, 7), (7, 3), (64, 64)] {
            let w = Initialization::Orthogonal.draw(
                (rows, columns),
                columns as f64,
                2.0,
                &mut lossward_envs::stream(0, "init", 0),
            );
            let few = rows.min(columns);
            let at = |i: usize, k: usize| if rows <= columns { w[i * columns + k] } else { w[k * columns + i] };
            for i in 0..few {
                for j in 0..few {
                    let dot: f32 = (0..rows.max(columns)).map(|k| at(i, k) * at(j, k)).sum();
                    let expected = if i == j { 4.0 } else { 0.0 };
                    assert!((dot - expected).abs() < 1e-5, "⟨{i}, {j}⟩ = {dot} in {rows}×{columns}");
                }
            }
        }
    }

    #[test]
    fn kaiming_has_its_standard_deviation() {
        let w = Initialization::Kaiming.draw((200, 50), 50.0, 1.0, &mut lossward_envs::stream(0, "init", 0));
        let variance = w.iter().map(|w| f64::from(w * w)).sum::<f64>() / w.len() as f64;
        assert!((variance * 50.0 - 1.0).abs() < 0.05, "variance × fan_in is {}", variance * 50.0);
    }
}
