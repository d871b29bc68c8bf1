//! Elementary functions free of branches, so that loops over them become vector code.

/// `tanh x` with a relative error below 5e-7: the odd rational approximation of degree 13/6 that Eigen uses, and ±1 from where on single
/// precision can hardly tell it from that.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
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
    let value = x * fused_horner(&numerator, y) / fused_horner(&denominator, y);
    if x.abs() > 7.905_311 { 1f32.copysign(x) } else { value }
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

/// `ln x` with a relative error below 3e-7: `n ln 2 + 2 artanh((m − 1) / (m + 1))` for `x = 2^n m` with `m` in [√½, √2), the
/// second term by its series to the ninth power.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    // Below the normal numbers the exponent field says nothing: those are scaled up first.
    let is_small = x < f32::MIN_POSITIVE;
    let scaled = if is_small { x * 8_388_608.0 } else { x };
    // The exponent of x / √½, so that m lies around 1.
    let bits = scaled.to_bits().wrapping_sub(0x3f35_04f3);
    let exponent = (bits as i32) >> 23;
    let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3));
    let n = exponent as f32 - if is_small { 23.0 } else { 0.0 };
    let s = (m - 1.0) / (m + 1.0);
    let series = [2.0 / 9.0f32, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0];
    let tail = horner(&series, s * s) * (s * s) * s;
    let value = n * 0.693_359_4 + (2.0 * s + (tail + n * -2.121_944_4e-4));
    let value = if x == f32::INFINITY { x } else { value };
    let value = if x == 0.0 { f32::NEG_INFINITY } else { value };
    if x >= 0.0 { value } else { f32::NAN }
}

/// `1 / (1 + e^−x)` with a relative error below 5e-7.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The distribution function of the standard normal, `Φ(x)`, with a relative error below 1e-6 down to −12.8, where single
/// precision loses digits: for negative `x` it is `e^(−x²/2) P(1 / (1 + 0.3 |x|))` with a polynomial of degree 8, fitted to the
/// scaled complementary error function on [0, 14] (weighted least squares towards the smallest relative error).
#[inline(always)]
pub(super) fn normal_cdf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.3 * size);
    let fitted = [
        0.035_674_877f32,
        -0.157_203_5,
        0.206_354_2,
        -0.053_684_24,
        0.128_561_93,
        0.099_913_41,
        0.120_753_966,
        0.119_629_3,
    ];
    // x² in two parts: rounding x² itself would cost e^(−x²/2) two digits.
    let high = f32::from_bits(size.to_bits() & 0xffff_f000);
    let low = size - high;
    let tail = exp(-0.5 * high * high) * exp(-0.5 * low * (size + high)) * horner(&fitted, t) * t;
    if x < 0.0 { tail } else { 1.0 - tail }
}

#[inline(always)]
fn horner(coefficients: &[f32], x: f32) -> f32 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// [`horner`] with every product and sum rounded once, in half of the instructions.
#[inline(always)]
fn fused_horner(coefficients: &[f32], x: f32) -> f32 {
    coefficients[1..].iter().fold(coefficients[0], |sum, c| sum.mul_add(x, *c))
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
        let sigmoid_error = worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), (-80.0, 80.0));
        assert!(sigmoid_error < 5e-7, "the largest relative error of sigmoid is {sigmoid_error:e}");
        let cdf = |x: f64| 0.5 * (1.0 - candle_core::cpu::erf::erf_f64(-x * std::f64::consts::FRAC_1_SQRT_2));
        let cdf_error = worst(normal_cdf, cdf, (-4.0, 8.0));
        assert!(cdf_error < 1e-6, "the largest relative error of Φ is {cdf_error:e}");
        for (low, high) in [(1e-37, 1e-30), (1e-4, 0.9), (0.9, 1.1), (1.1, 1e4), (1e30, 3e38)] {
            let ln_error = worst(ln, f64::ln, (low, high));
            assert!(ln_error < 3e-7, "the largest relative error of ln in [{low}, {high}] is {ln_error:e}");
        }
    }

    /// Far in the tail, against values of 50 digits (mpmath's `ncdf`).
    #[test]
    fn the_tail_of_the_normal_distribution_is_exact() {
        for (x, exact) in [
            (-5.0f32, 2.866_515_718_791_939e-7),
            (-7.3f32, 1.4388365984713014e-13),
            (-9.9f32, 2.08138315856773e-23),
            (-11.7f32, 6.372_689_239_372_996e-32),
            (-12.8f32, 8.197_541_578_903_561e-38),
        ] {
            let error = (f64::from(normal_cdf(x)) / exact - 1.0).abs();
            assert!(error < 1e-6, "Φ({x}) is off by {error:e}");
        }
    }

    #[test]
    fn the_logarithm_has_its_ends() {
        assert_eq!((ln(0.0), ln(1.0), ln(f32::INFINITY)), (f32::NEG_INFINITY, 0.0, f32::INFINITY));
        assert!(ln(-1.0).is_nan() && ln(f32::NAN).is_nan());
        assert!((ln(1e-40) - -92.103_4).abs() < 1e-4);
    }

    #[test]
    fn the_ends_are_exact() {
        assert_eq!((tanh(0.0), tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (0.0, 1.0, -1.0));
        assert_eq!((exp(0.0), exp(f32::INFINITY), exp(f32::NEG_INFINITY), exp(-1e4)), (1.0, f32::INFINITY, 0.0, 0.0));
        assert!(tanh(f32::NAN).is_nan() && exp(f32::NAN).is_nan());
    }
}
