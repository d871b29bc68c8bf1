//! Whole learning curves: their mean height, and smoothing for the eye.

/// The mean height of the curve through `(x, y)`: its area by trapezoids over the range of `x`, divided by that range, so that
/// curves over different ranges compare and the unit is that of `y`. `x` rises. A single point has its own height; without
/// points NaN.
///
/// # Panics
/// When `x` and `y` have different lengths.
pub fn mean_height(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len(), "pairs of coordinates");
    let [Some(first), Some(last), Some(end)] = [x.first(), x.last(), y.last()] else { return f64::NAN };
    if first == last {
        return *end;
    }
    let area = |(x, y): (&[f64], &[f64])| (x[1] - x[0]) * (y[0] + y[1]) / 2.0;
    // Two rows at one count enclose nothing, whatever their heights.
    let trapezoids = x.windows(2).zip(y.windows(2)).filter(|(x, _)| x[1] > x[0]);
    trapezoids.map(area).sum::<f64>() / (last - first)
}

/// Exponential smoothing without the pull towards 0 at the beginning, as TensorBoard draws it:
/// `s_i = Σ_j w^(i−j) x_j / Σ_j w^(i−j)` over `j ≤ i`, with `weight` `w` in `[0, 1)`; 0 changes nothing. The same as
/// `ewm(alpha=1 − w, adjust=True)` of pandas.
pub fn smoothed(values: &[f64], weight: f64) -> Vec<f64> {
    let (mut last, mut remaining) = (0.0, 1.0);
    let step = |value: &f64| {
        last = weight * last + (1.0 - weight) * value;
        remaining *= weight;
        last / (1.0 - remaining)
    };
    values.iter().map(step).collect()
}

/// Exponential smoothing that begins at the first value: `s_0 = x_0`, `s_i = w s_{i−1} + (1 − w) x_i`. The same as
/// `ewm(alpha=1 − w, adjust=False)` of pandas and as older versions of TensorBoard; the first value weighs more than any other.
pub fn smoothed_from_first(values: &[f64], weight: f64) -> Vec<f64> {
    let mut last = values.first().copied().unwrap_or(0.0);
    let step = |value: &f64| {
        last = weight * last + (1.0 - weight) * value;
        last
    };
    values.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line's mean height is that of its middle, a parabola's `x²` over `[0, 3]` is 3.
    #[test]
    fn heights_of_known_curves() {
        assert_eq!(mean_height(&[10.0, 20.0, 50.0], &[1.0, 2.0, 5.0]), 3.0);
        let x: Vec<f64> = (0..=3000).map(|i| f64::from(i) / 1000.0).collect();
        let y: Vec<f64> = x.iter().map(|x| x * x).collect();
        assert!((mean_height(&x, &y) - 3.0).abs() < 1e-6);
        assert_eq!(mean_height(&[0.0, 1.0, 1.0, 2.0], &[1.0, 1.0, 3.0, 3.0]), 2.0);
        assert_eq!(mean_height(&[4.0], &[7.0]), 7.0);
        assert!(mean_height(&[], &[]).is_nan());
    }

    #[test]
    fn a_constant_stays_and_weight_zero_changes_nothing() {
        for smooth in [smoothed, smoothed_from_first] {
            assert!(smooth(&[3.0; 50], 0.9).iter().all(|value| (value - 3.0).abs() < 1e-12));
            assert_eq!(smooth(&[1.0, -2.0, 5.0], 0.0), [1.0, -2.0, 5.0]);
            assert!(smooth(&[], 0.5).is_empty());
        }
    }
}
