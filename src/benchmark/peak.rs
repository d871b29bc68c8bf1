//! What the machine can do at best.

use super::measure::{in_turns, quantile};
use crate::{Error, Result, kernel};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The best matrix product of one core, of those tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// `rows×inner×columns`
    pub shape: String,
    pub library: String,
    pub gflops: f64,
}

/// `[rows, inner, columns]` of the products that peaks are measured at: a large one, and those of the workloads.
const SHAPES: &[[usize; 3]] = &[[1024, 1024, 1024], SMALL, LARGE, [32, 144, 121]];
/// The product of the small networks' hidden layers, four batches of 128.
pub(super) const SMALL: [usize; 3] = [512, 64, 64];
/// The first layer of 784-256-128-10.
pub(super) const LARGE: [usize; 3] = [128, 784, 256];

pub(super) fn shape_name([rows, inner, columns]: [usize; 3]) -> String {
    format!("{rows}×{inner}×{columns}")
}

/// What multiplies matrices; the first one is what the kernels use, which leave large ones to the second one.
const LIBRARIES: [(&str, Multiply); 3] =
    [("lossward", kernel::multiply), ("gemm", kernel::multiply_packed), ("matrixmultiply", kernel::multiply_otherwise)];

/// `(out, (a, rows), (b, columns))`
type Multiply = fn(&mut [f32], (&[f32], usize), (&[f32], usize));

/// One product of row-major matrices by one library.
pub struct Product {
    shape: [usize; 3],
    a: Vec<f32>,
    b: Vec<f32>,
    out: Vec<f32>,
    by: Multiply,
}

impl Product {
    /// Of the shape `[rows, inner, columns]`, by what the kernels use (0) or by another.
    pub fn new(shape: [usize; 3], library: usize) -> Self {
        let [rows, inner, columns] = shape;
        let filled = |n: usize| (0..n).map(|i| (i as f32).sin()).collect();
        Product {
            shape,
            a: filled(rows * inner),
            b: filled(inner * columns),
            out: vec![0.0; rows * columns],
            by: LIBRARIES[library].1,
        }
    }

    /// By whichever library is the faster one at this shape.
    pub fn best(shape: [usize; 3]) -> Result<Self> {
        Ok(peak(shape)?.1)
    }

    /// Multiplies once; returns billions of operations.
    pub fn multiply(&mut self) -> f64 {
        let [rows, inner, columns] = self.shape;
        (self.by)(&mut self.out, (&self.a, rows), (&self.b, columns));
        2e-9 * (rows * inner * columns) as f64
    }
}

fn peak(shape: [usize; 3]) -> Result<(Peak, Product)> {
    let mut products = [0, 1, 2].map(|library| Product::new(shape, library));
    let [first, second, third] = products.each_mut();
    let rates = in_turns(
        Duration::from_millis(5),
        [&mut || Ok(first.multiply()), &mut || Ok(second.multiply()), &mut || Ok(third.multiply())],
    )?;
    let tried = LIBRARIES.iter().zip(rates.map(|rates| quantile(&rates, 0.5))).zip(products);
    let best = tried.max_by(|((_, one), _), ((_, other), _)| one.total_cmp(other));
    let (((library, _), gflops), product) = best.ok_or_else(|| Error::Argument("nothing that multiplies".into()))?;
    Ok((Peak { shape: shape_name(shape), library: (*library).into(), gflops }, product))
}

pub(super) fn peaks() -> Result<Vec<Peak>> {
    SHAPES.iter().map(|shape| Ok(peak(*shape)?.0)).collect()
}

/// Copying 64 MB to another place, in GB/s read and written.
pub(super) fn bandwidth() -> f64 {
    let from = vec![1u8; 1 << 26];
    let mut to = vec![0u8; 1 << 26];
    let copy = &mut || {
        to.copy_from_slice(std::hint::black_box(&from));
        std::hint::black_box(&mut to);
        Ok(2e-9 * from.len() as f64)
    };
    in_turns(Duration::from_millis(20), [copy]).map_or(f64::NAN, |[rates]| quantile(&rates, 0.5))
}
