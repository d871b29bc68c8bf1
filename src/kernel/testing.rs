//! Comparing a fused operation with its plain twin.

use crate::Rng;
use candle_core::{DType, Device, Result, Tensor, Var};
use rand::Rng as _;

/// Uniform in [−1, 1).
pub fn random_var(shape: &[usize], dtype: DType, rng: &mut Rng) -> Var {
    let values: Vec<f64> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()).unwrap()
}

/// Both functions give the same value and the same gradients in every argument, up to the rounding of the dtype.
pub fn assert_equal_with_gradients<const N: usize>(
    fused: impl Fn([&Tensor; N]) -> Result<Tensor>,
    plain: impl Fn([&Tensor; N]) -> Result<Tensor>,
    arguments: &[Var; N],
    what: &str,
) {
    let tolerance = if arguments[0].dtype() == DType::F64 { 1e-12 } else { 3e-5 };
    let fused = value_and_gradients(fused, arguments);
    let plain = value_and_gradients(plain, arguments);
    for (part, (fused, plain)) in fused.iter().zip(&plain).enumerate() {
        assert_eq!(fused.len(), plain.len(), "{what}: sizes of part {part}");
        for (i, (a, b)) in fused.iter().zip(plain).enumerate() {
            assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{what}: part {part} [{i}]: fused {a}, plain {b}");
        }
    }
}

/// The value, and the gradients of `Σ f · c` with fixed uneven `c`.
fn value_and_gradients<const N: usize>(
    f: impl Fn([&Tensor; N]) -> Result<Tensor>,
    arguments: &[Var; N],
) -> Vec<Vec<f64>> {
    let y = f(std::array::from_fn(|i| arguments[i].as_tensor())).unwrap();
    let c = Tensor::arange(0f64, y.elem_count() as f64, &Device::Cpu).unwrap();
    let c = c.cos().unwrap().reshape(y.shape()).unwrap().to_dtype(y.dtype()).unwrap();
    let gradients = (&y * c).unwrap().sum_all().unwrap().backward().unwrap();
    let flat = |t: &Tensor| t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    std::iter::once(flat(&y))
        .chain(arguments.iter().map(|v| gradients.get(v).map_or(vec![0.0; v.elem_count()], &flat)))
        .collect()
}
