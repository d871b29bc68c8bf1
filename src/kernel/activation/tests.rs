use super::setting::ROWS;
use super::*;

fn all() -> impl Iterator<Item = Activation> {
    let steep = [0.0, 0.2].map(|slope| Slope::new(slope).unwrap());
    let others = steep.into_iter().flat_map(|slope| [Activation::LeakyRelu(slope), Activation::Elu(slope)]);
    ROWS.into_iter().map(|row| row.1).chain(others)
}

/// Of every argument: the result, and the derivative.
fn at<T: Real>(activation: Activation, arguments: &[T]) -> (Vec<T>, Vec<T>) {
    let (mut results, mut kept) = (arguments.to_vec(), vec![T::zero(); arguments.len()]);
    apply(activation, &mut results, T::zero(), &mut kept);
    let mut gradient = vec![T::one(); arguments.len()];
    multiply_derivative(activation, &mut gradient, &results, &kept);
    (results, gradient)
}

/// Wide vectors and none at all give the same bits, so that results don't depend on the machine's instructions.
#[test]
fn vector_code_equals_scalar_code() {
    let values: Vec<f32> = (-5000..5000).map(|i| i as f32 * 0.003).collect();
    for activation in all() {
        let (mut wide, mut narrow) = (values.clone(), values.clone());
        let shift = 0.25;
        vectorized(Apply { activation, shift, values: &mut wide });
        Apply { activation, shift, values: &mut narrow }.with_simd(pulp::Scalar::new());
        assert!(wide.iter().zip(&narrow).all(|(a, b)| a.to_bits() == b.to_bits()), "{activation:?}");
        let (mut wide, mut narrow) = (values.clone(), values.clone());
        vectorized(MultiplyDerivative { activation, gradient: &mut wide, at: &values });
        MultiplyDerivative { activation, gradient: &mut narrow, at: &values }.with_simd(pulp::Scalar::new());
        assert!(wide.iter().zip(&narrow).all(|(a, b)| a.to_bits() == b.to_bits()), "{activation:?}'");
    }
}

#[test]
fn derivatives_are_limits_of_differences() {
    // Between the places where some of them bend.
    let arguments: Vec<f64> = (-400..400).map(|i| (f64::from(i) + 0.5) * 0.05).collect();
    for activation in all() {
        let moved = |by: f64| at(activation, &arguments.iter().map(|z| z + by).collect::<Vec<f64>>()).0;
        let (above, below) = (moved(1e-5), moved(-1e-5));
        for (i, derivative) in at(activation, &arguments).1.into_iter().enumerate() {
            let difference = (above[i] - below[i]) / 2e-5;
            assert!((derivative - difference).abs() < 1e-8, "{activation:?} at {}", arguments[i]);
        }
    }
}

#[test]
fn single_precision_is_near_double() {
    let single: Vec<f32> = (-8000..8000).map(|i| i as f32 * 0.006).chain([1e-4, -1e-4, 1e-7, -1e-7]).collect();
    let double: Vec<f64> = single.iter().map(|z| f64::from(*z)).collect();
    for activation in all() {
        let ((results, slopes), (exact, exact_slopes)) = (at(activation, &single), at(activation, &double));
        for (i, z) in single.iter().enumerate() {
            let error = (f64::from(results[i]) - exact[i]).abs();
            assert!(error <= 2e-6 * exact[i].abs() + 1e-12, "{activation:?} of {z}: {} for {}", results[i], exact[i]);
            let error = (f64::from(slopes[i]) - exact_slopes[i]).abs();
            assert!(error <= 2e-6, "{activation:?}' at {z}: {} for {}", slopes[i], exact_slopes[i]);
        }
    }
}

/// What they become far out, and where they bend: as in PyTorch.
#[test]
fn the_ends_and_the_kinks_are_exact() {
    let slope = |x: f64| Slope::new(x).unwrap();
    // The result far to the left, as a multiple of the argument and a constant, and the derivative at 0.
    for (activation, (factor, constant), at_zero) in [
        (Activation::Relu, (0.0, 0.0), 0.0),
        (Activation::LeakyRelu(slope(0.2)), (0.2, 0.0), 0.2),
        (Activation::Elu(slope(0.7)), (0.0, -0.7), 0.7),
        (Activation::Softplus, (0.0, 0.0), 0.5),
        (Activation::Silu, (0.0, 0.0), 0.5),
        (Activation::Gelu, (0.0, 0.0), 0.5),
        (Activation::GeluTanh, (0.0, 0.0), 0.5),
    ] {
        let (results, slopes) = at(activation, &[-700.0, -40.0, 0.0, 40.0, 700.0]);
        for (i, z) in [(0, -700.0), (1, -40.0)] {
            assert!((results[i] - (factor * z + constant)).abs() < 1e-12, "{activation:?} of {z}: {}", results[i]);
            assert!((slopes[i] - factor).abs() < 1e-12, "{activation:?}' at {z}: {}", slopes[i]);
        }
        assert_eq!((&results[3..], slopes[2], &slopes[3..]), (&[40.0, 700.0][..], at_zero, &[1.0; 2][..]));
        let (singles, single_slopes) = at(activation, &[-700.0f32, -40.0, 0.0, 40.0, 700.0]);
        for (single, double) in singles.iter().chain(&single_slopes).zip(results.iter().chain(&slopes)) {
            assert!((f64::from(*single) - double).abs() <= 1e-6 * double.abs().max(1.0), "{activation:?}: {single}");
        }
        assert!(at(activation, &[f64::NAN]).0[0].is_nan() && at(activation, &[f32::NAN]).0[0].is_nan());
    }
    assert_eq!(at(Activation::Softplus, &[0.0]).0, [std::f64::consts::LN_2]);
}
