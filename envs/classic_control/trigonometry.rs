//! Sines and cosines in line: a call of the library's functions would take most of a step's time.

use std::f64::consts::FRAC_2_PI;

/// Beyond it, products with the parts of π/2 are no longer exact.
const LIMIT: f64 = 1e5;
/// π/2 in three parts; a product of one of the first two with a whole number below 2²⁰ is exact.
const HALF_PI: [f64; 3] = [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21];
/// Added to a number of absolute value below 2⁵¹, it leaves the nearest whole number in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// Coefficients of `(sin r − r) / r³` in powers of `r²`, for `|r| ≤ π/4` (Sun's fdlibm).
const SIN: [f64; 6] = [
    -1.666_666_666_666_663_2e-1,
    8.333_333_333_322_49e-3,
    -1.984_126_982_985_795e-4,
    2.755_731_370_707_006_8e-6,
    -2.505_076_025_340_686_3e-8,
    1.589_690_995_211_55e-10,
];
/// Of `(cos r − 1 + r²/2) / r⁴`.
const COS: [f64; 6] = [
    4.166_666_666_666_66e-2,
    -1.388_888_888_887_411e-3,
    2.480_158_728_947_673e-5,
    -2.755_731_435_139_066_3e-7,
    2.087_572_321_298_175e-9,
    -1.135_964_755_778_819_5e-11,
];

/// `(sin x, cos x)` with an error of at most 2⁻⁵² in each.
#[inline(always)]
pub fn sin_cos(x: f64) -> (f64, f64) {
    if x.abs() > LIMIT {
        return x.sin_cos();
    }
    let rounded = x * FRAC_2_PI + ROUND;
    let (quadrant, quarters) = (rounded.to_bits(), rounded - ROUND);
    let r = ((x - quarters * HALF_PI[0]) - quarters * HALF_PI[1]) - quarters * HALF_PI[2];
    let z = r * r;
    let sin = r + r * z * polynomial(&SIN, z);
    let cos = 1.0 - (0.5 * z - z * z * polynomial(&COS, z));
    let (sin, cos) = if quadrant & 1 == 0 { (sin, cos) } else { (cos, sin) };
    // The sine is negative in quadrants 2 and 3, the cosine in 1 and 2.
    let signed = |value: f64, negative: u64| f64::from_bits(value.to_bits() ^ ((negative & 2) << 62));
    (signed(sin, quadrant), signed(cos, quadrant + 1))
}

/// Pairs first, because the processor computes them side by side.
#[inline(always)]
fn polynomial(coefficients: &[f64; 6], z: f64) -> f64 {
    let [a, b, c, d, e, f] = coefficients;
    let z2 = z * z;
    (a + b * z) + z2 * ((c + d * z) + z2 * (e + f * z))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::FRAC_PI_2;

    #[test]
    fn sines_and_cosines_are_those_of_the_standard_library() {
        let near_quarters = (-60_000..=60_000).map(|i| f64::from(i) * FRAC_PI_2);
        let spread = (-1_000_000..=1_000_000).map(|i| f64::from(i) * 1.1e-5);
        let far = (-100_000..=100_000).map(|i| f64::from(i) * 1.01);
        for x in near_quarters.chain(spread).chain(far).chain([1e300, 0.0]) {
            let ((sin, cos), (exact_sin, exact_cos)) = (sin_cos(x), x.sin_cos());
            assert!((sin - exact_sin).abs() <= f64::EPSILON, "sin {x} = {sin}, not {exact_sin}");
            assert!((cos - exact_cos).abs() <= f64::EPSILON, "cos {x} = {cos}, not {exact_cos}");
        }
        assert!(sin_cos(f64::NAN).0.is_nan());
    }
}
