//! Elementary functions free of branches, so that loops over them become vector code.

/// `tanh x` with a relative error below 5e-7: the odd rational approximation of degree 13/6 that Eigen uses, clamped where
/// single precision is ±1.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let x = x.clamp(-7.905_311, 7.905_311);
    let y = x * x;
    let numerator = [
        -2.760_768_5e-16f32,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297e-8,
        1.485_722_4e-5,
        6.372_619_3e-4,
        4.893_524_6e-3,
    ];
    let denominator = [1.198_258_4e-6f32, 1.185_347e-4, 2.268_434_6e-3, 4.893_525e-3];
    x * horner(&numerator, y) / horner(&denominator, y)
}

/// `e^x` with a relative error below 3e-7 for `x` in [−87, 88], 0 below and infinity above: `2^n e^r` with `|r| ≤ ln 2 / 2`, the
/// second factor by its Taylor polynomial of degree 7.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.0, 88.0);
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, the first with so few bits that its product with `n` is exact.
    let r = clamped - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let taylor = [1.0 / 5040.0f32, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let two_to_n = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    let value = horner(&taylor, r) * two_to_n;
    let value = if x < -87.0 { 0.0 } else { value };
    if x > 88.0 { f32::INFINITY } else { value }
}

#[inline(always)]
fn horner(coefficients: &[f32], x: f32) -> f32 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(approximate: fn(f32) -> f32, exact: fn(f64) -> f64, (low, high): (f32, f32)) -> f64 {
        (0..4_000_000)
            .map(|i| low + (high - low) * (i as f32 / 4e6))
            .filter(|x| *x != 0.0)
            .map(|x| (f64::from(approximate(x)) / exact(f64::from(x)) - 1.0).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn errors_are_as_stated() {
        let tanh_error = worst(tanh, f64::tanh, (-10.0, 10.0));
        assert!(tanh_error < 5e-7, "the largest relative error of tanh is {tanh_error:e}");
        let exp_error = worst(exp, f64::exp, (-87.0, 88.0));
        assert!(exp_error < 3e-7, "the largest relative error of exp is {exp_error:e}");
    }

    #[test]
    fn the_ends_are_exact() {
        assert_eq!((tanh(0.0), tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (0.0, 1.0, -1.0));
        assert_eq!((exp(0.0), exp(f32::INFINITY), exp(f32::NEG_INFINITY), exp(-1e4)), (1.0, f32::INFINITY, 0.0, 0.0));
        assert!(tanh(f32::NAN).is_nan() && exp(f32::NAN).is_nan());
    }
}
