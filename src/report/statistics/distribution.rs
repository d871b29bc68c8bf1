//! Tails of the normal and of Student's distribution, and the functions behind them, to 1e-12 of their value for up to a thousand
//! degrees of freedom; a digit is lost for each further factor of ten.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// `P(Z > z)` of a standard normal `Z`.
///
/// Near the center a series in `z` whose terms all have one sign (Abramowitz & Stegun 26.2.11), further out Laplace's continued
/// fraction (26.2.14), so that small tails keep their digits.
pub fn normal_tail(z: f64) -> f64 {
    let density = (-z * z / 2.0).exp() * FRAC_1_SQRT_2 / PI.sqrt();
    match z {
        _ if z.is_nan() => f64::NAN,
        _ if z < 0.0 => 1.0 - normal_tail(-z),
        _ if z < 2.5 => {
            let (mut term, mut sum, mut odd) = (z, z, 1.0);
            while term > f64::EPSILON / 4.0 * sum {
                odd += 2.0;
                term *= z * z / odd;
                sum += term;
            }
            0.5 - density * sum
        }
        _ => density / (1..=200).rev().fold(z, |below, k| z + f64::from(k) / below),
    }
}

/// `P(T > t)` of Student's distribution; `degrees_of_freedom` need not be whole (Abramowitz & Stegun 26.7.1).
pub fn t_tail(t: f64, degrees_of_freedom: f64) -> f64 {
    match t {
        _ if t == f64::INFINITY => 0.0,
        _ if t < 0.0 => 1.0 - t_tail(-t, degrees_of_freedom),
        _ => {
            let ratio = t * t / degrees_of_freedom;
            let x = 1.0 / (1.0 + ratio);
            let complement = if ratio > 1.0 { 1.0 / (1.0 + 1.0 / ratio) } else { ratio * x };
            0.5 * regularized(0.5 * degrees_of_freedom, 0.5, (x, complement))
        }
    }
}

/// The `z` with `P(Z > z) = tail`: 1.96 for 0.025.
pub fn normal_critical(tail: f64) -> f64 {
    critical(tail, normal_tail)
}

/// The `t` with `P(T > t) = tail`: 2.26 for 0.025 and 9 degrees of freedom.
pub fn t_critical(tail: f64, degrees_of_freedom: f64) -> f64 {
    if degrees_of_freedom > 0.0 { critical(tail, |t| t_tail(t, degrees_of_freedom)) } else { f64::NAN }
}

/// Where the tail of a symmetric distribution has this mass, by bisection until neighboring numbers are left.
fn critical(mass: f64, tail: impl Fn(f64) -> f64) -> f64 {
    match mass {
        _ if !(0.0..=1.0).contains(&mass) => return f64::NAN,
        0.0 => return f64::INFINITY,
        0.5 => return 0.0,
        _ if mass > 0.5 => return -critical(1.0 - mass, tail),
        _ => {}
    }
    let mut high = 1.0;
    while tail(high) > mass {
        high *= 2.0;
    }
    let mut low = 0.0;
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if tail(middle) > mass { low = middle } else { high = middle }
    }
}

/// The regularized incomplete beta function `I_x(a, b) = ∫₀ˣ tᵃ⁻¹ (1 − t)ᵇ⁻¹ dt / B(a, b)` for positive `a` and `b` and `x` in
/// `[0, 1]`; NaN elsewhere.
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    regularized(a, b, (x, 1.0 - x))
}

/// [`incomplete_beta`] of `x`, with `1 − x` as exact as it is known.
fn regularized(a: f64, b: f64, (x, complement): (f64, f64)) -> f64 {
    if !(a > 0.0 && b > 0.0 && x >= 0.0 && complement >= 0.0) {
        return f64::NAN;
    }
    if x == 0.0 || complement == 0.0 {
        return if x == 0.0 { 0.0 } else { 1.0 };
    }
    // The fraction converges quickly below the mean of the distribution; above it, that of the mirrored one does.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - regularized(b, a, (complement, x));
    }
    let ln = |x: f64, complement: f64| if x > 0.5 { (-complement).ln_1p() } else { x.ln() };
    let front = (a * ln(x, complement) + b * ln(complement, x) - ln_beta(a, b)).exp() / a;
    front * beta_fraction(a, b, x)
}

/// The continued fraction of the incomplete beta function (Abramowitz & Stegun 26.5.8) by Lentz's method as modified by Thompson
/// and Barnett.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut fraction) = (1.0, d);
    for m in 1..100_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + coefficient * d);
            c = away_from_zero(1.0 + coefficient / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// `ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a + b)`, without the cancellation of large terms.
fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = (a.min(b), a.max(b));
    let sum = small + large;
    if large < STIRLING {
        return ln_gamma(small) + ln_gamma(large) - ln_gamma(sum);
    }
    let rest = (-small / sum).ln_1p();
    let remainder = stirling_remainder(large) - stirling_remainder(sum);
    if small < STIRLING {
        return ln_gamma(small) + remainder + small - small * sum.ln() + (large - 0.5) * rest;
    }
    let remainder = remainder + stirling_remainder(small);
    HALF_LN_2_PI - 0.5 * large.ln() + remainder + (small - 0.5) * (small / sum).ln() + large * rest
}

const HALF_LN_2_PI: f64 = 0.918_938_533_204_672_8;

/// From here on Stirling's series is exact to the last bit.
const STIRLING: f64 = 10.0;

/// `ln Γ(x)` for positive `x`.
pub(super) fn ln_gamma(x: f64) -> f64 {
    if x < STIRLING {
        let steps = (STIRLING - x).ceil();
        let product: f64 = (0..steps as u32).map(|step| x + f64::from(step)).product();
        return ln_gamma(x + steps) - product.ln();
    }
    (x - 0.5) * x.ln() - x + HALF_LN_2_PI + stirling_remainder(x)
}

/// `ln Γ(x) − (x − ½) ln x + x − ½ ln 2π` for `x ≥ 10` (Abramowitz & Stegun 6.1.41).
fn stirling_remainder(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
        -3617.0 / 122_400.0,
    ];
    COEFFICIENTS.iter().rev().fold(0.0, |sum, coefficient| sum / (x * x) + coefficient) / x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-12 * want.abs(), "got {got:e}, expected {want:e}");
    }

    /// Computed with 40 digits by mpmath 1.3.0.
    #[test]
    fn tails_and_functions_agree_with_forty_digits() {
        let normal = [
            (0.3, 0.3820885778110474),
            (1.0, 0.15865525393145707),
            (1.96, 0.024997895148220435),
            (2.49, 0.006387154764943173),
            (2.5, 0.006209665325776135),
            (3.0, 0.0013498980316300946),
            (5.0, 2.866515718791939e-07),
            (10.0, 7.619853024160525e-24),
            (30.0, 4.906713927148187e-198),
        ];
        normal.iter().for_each(|&(z, tail)| assert_close(normal_tail(z), tail));
        let t = [
            (0.1, 3.0, 0.4633261744004029),
            (2.5, 9.0, 0.01693091384149287),
            (8.0, 4.3, 0.0004860349941138549),
            (12.0, 29.0, 4.53035416656859e-13),
            (40.0, 1.5, 0.0014898121954656227),
            (3.0, 1e3, 0.0013833545221190963),
            (1e-4, 7.5, 0.49996140992651644),
        ];
        t.iter().for_each(|&(t, degrees, tail)| assert_close(t_tail(t, degrees), tail));
        let beta = [
            (0.5, 0.5, 0.3, 0.36901011956554536),
            (4.5, 0.5, 0.9, 0.34343639613791355),
            (50.0, 0.5, 0.97, 0.08169933372182263),
            (30.5, 12.25, 0.2, 2.1731747471394168e-13),
            (1e3, 2e3, 0.3, 4.0738279160507714e-05),
            (1e4, 0.5, 0.9999, 0.1572940177633515),
        ];
        beta.iter().for_each(|&(a, b, x, value)| assert_close(incomplete_beta(a, b, x), value));
        let gamma = [
            (0.3, 1.0957979948180756),
            (1.5, -0.12078223763524522),
            (4.5, 2.4537365708424423),
            (9.9, 12.57717990421988),
            (10.0, 12.801827480081469),
            (123.4, 469.3360974421906),
        ];
        gamma.iter().for_each(|&(x, value)| assert_close(ln_gamma(x), value));
        assert_close(t_critical(0.025, 9.0), 2.2621571627982053);
        assert_close(t_critical(0.005, 4.7), 4.1678920401190584);
        assert_close(t_critical(1e-6, 30.0), 5.871117120418883);
        assert_close(normal_critical(0.025), 1.9599639845400543);
    }

    #[test]
    fn closed_forms_of_one_and_two_degrees_of_freedom() {
        for t in [1e-3, 0.3, 1.0, 2.0, 17.0, 1e6] {
            assert_close(t_tail(t, 1.0), (1.0 / t).atan() / PI);
            // ½ (1 − t/√(t² + 2)) without its cancellation.
            let root = (t * t + 2.0).sqrt();
            assert_close(t_tail(t, 2.0), 1.0 / (root * (root + t)));
            assert_close(t_tail(-t, 2.0), 1.0 - t_tail(t, 2.0));
        }
        assert_close(incomplete_beta(2.0, 3.0, 0.25), 0.26171875);
    }

    #[test]
    fn the_ends() {
        assert_eq!(
            [t_tail(f64::INFINITY, f64::NAN), t_tail(f64::NEG_INFINITY, 3.0), t_tail(0.0, 3.0)],
            [0.0, 1.0, 0.5]
        );
        assert_eq!([normal_tail(f64::INFINITY), normal_tail(f64::NEG_INFINITY), normal_tail(0.0)], [0.0, 1.0, 0.5]);
        assert_eq!([incomplete_beta(1.0, 2.0, 0.0), incomplete_beta(1.0, 2.0, 1.0)], [0.0, 1.0]);
        assert_eq!(
            [normal_critical(0.5), normal_critical(0.0), normal_critical(1.0)],
            [0.0, f64::INFINITY, -f64::INFINITY]
        );
        assert!(t_tail(f64::NAN, 3.0).is_nan() && t_tail(1.0, 0.0).is_nan() && normal_tail(f64::NAN).is_nan());
        assert!(incomplete_beta(1.0, 2.0, 1.5).is_nan() && incomplete_beta(-1.0, 2.0, 0.5).is_nan());
        assert!(normal_critical(2.0).is_nan() && t_critical(0.1, f64::NAN).is_nan() && t_critical(0.1, 0.0).is_nan());
    }
}
