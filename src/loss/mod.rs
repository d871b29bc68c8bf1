//! Supervised losses: per example, reduced by the caller. [`ALL`] is the table behind `lossward loss`, `lossward list
//! losses`, the error suggestions and the finite-difference tests: a new loss is one function and one row.

mod classification;
mod regression;

use crate::{Error, Result};
use candle_core::Tensor;

/// What a loss compares predictions with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Class indices, `[batch]` of u32, against logits `[batch, classes]`.
    Classes,
    /// Real values, `[batch, outputs]`, against predictions of the same shape.
    Values,
}

/// One row of the table.
pub struct Loss {
    pub name: &'static str,
    pub formula: &'static str,
    pub summary: &'static str,
    pub targets: Targets,
    /// `(predictions [batch, outputs], targets)` to the loss of each example, `[batch]`.
    pub per_example: fn(&Tensor, &Tensor) -> Result<Tensor>,
}

pub const ALL: &[Loss] = &[
    Loss {
        name: "cross_entropy",
        formula: "−log softmax(z)_y",
        summary: "classification from logits; the softmax is part of the loss",
        targets: Targets::Classes,
        per_example: classification::cross_entropy,
    },
    Loss {
        name: "mse",
        formula: "mean over outputs of (ŷ − y)²",
        summary: "regression; the mean is its minimizer",
        targets: Targets::Values,
        per_example: regression::mse,
    },
    Loss {
        name: "mae",
        formula: "mean over outputs of |ŷ − y|",
        summary: "regression; the median is its minimizer, outliers count less",
        targets: Targets::Values,
        per_example: regression::mae,
    },
];

/// The loss named `name`.
pub fn find(name: &str) -> Result<&'static Loss> {
    ALL.iter().find(|loss| loss.name == name).ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|loss| loss.name).collect();
        Error::Argument(crate::error::unknown("loss", name, &known))
    })
}

pub use regression::mse;

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device, Var};

    /// Central differences of every loss in the table, in double precision.
    #[test]
    fn gradients_equal_finite_differences() {
        let device = Device::Cpu;
        for loss in ALL {
            let at = [[0.3f64, -1.2, 2.0], [0.9, 0.1, -0.4]];
            let targets = match loss.targets {
                Targets::Classes => Tensor::new(&[2u32, 0], &device).unwrap(),
                Targets::Values => Tensor::new(&[[1.0f64, 0.0, 2.5], [-1.0, 0.3, 0.2]], &device).unwrap(),
            };
            let value = |z: &Tensor| (loss.per_example)(z, &targets).unwrap().sum_all().unwrap();
            let var = Var::new(&at, &device).unwrap();
            let gradients = value(&var).backward().unwrap();
            let gradient = gradients.get(&var).unwrap().to_vec2::<f64>().unwrap();
            for (i, j) in (0..2).flat_map(|i| (0..3).map(move |j| (i, j))) {
                let shifted = |by: f64| {
                    let mut z = at;
                    z[i][j] += by;
                    value(&Tensor::new(&z, &device).unwrap()).to_scalar::<f64>().unwrap()
                };
                let difference = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
                assert!((difference - gradient[i][j]).abs() < 1e-8, "{} at [{i}, {j}]", loss.name);
            }
        }
    }

    #[test]
    fn extreme_logits_stay_finite() {
        let logits = Var::from_tensor(&Tensor::new(&[[1e4f32, -1e4]], &Device::Cpu).unwrap()).unwrap();
        for (target, expected) in [(0u32, 0.0), (1, 2e4)] {
            let loss = classification::cross_entropy(&logits, &Tensor::new(&[target], &Device::Cpu).unwrap()).unwrap();
            assert_eq!(loss.to_vec1::<f32>().unwrap(), [expected]);
            let gradients = loss.sum_all().unwrap().backward().unwrap();
            let gradient = gradients.get(&logits).unwrap().to_dtype(DType::F64).unwrap().to_vec2::<f64>().unwrap();
            assert!(gradient[0].iter().all(|g| g.is_finite()), "{gradient:?}");
        }
    }
}
