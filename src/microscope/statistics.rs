//! Statistics of estimates of one gradient: how far they point one way, and how much of them is noise.

/// Sums that are formed side by side.
const LANES: usize = 8;

/// `a·b`, `|a|²` and `|b|²`, in double precision.
pub(super) fn products<A: Copy + Into<f64>, B: Copy + Into<f64>>(a: &[A], b: &[B]) -> [f64; 3] {
    let mut lanes = [[0.0; LANES]; 3];
    let mut add = |lane: usize, a: A, b: B| {
        let (a, b): (f64, f64) = (a.into(), b.into());
        lanes[0][lane] += a * b;
        lanes[1][lane] += a * a;
        lanes[2][lane] += b * b;
    };
    let (whole_a, whole_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (lane, (a, b)) in whole_a.remainder().iter().zip(whole_b.remainder()).enumerate() {
        add(lane, *a, *b);
    }
    for (a, b) in whole_a.zip(whole_b) {
        for lane in 0..LANES {
            add(lane, a[lane], b[lane]);
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}

/// `a·b / (|a| |b|)` of vectors of one length, in double precision; 0 where one of the two is a zero vector.
pub fn cosine<A: Copy + Into<f64>, B: Copy + Into<f64>>(a: &[A], b: &[B]) -> f64 {
    cosine_of(products(a, b))
}

/// The same of [`products`].
pub(super) fn cosine_of([product, of_a, of_b]: [f64; 3]) -> f64 {
    if of_a == 0.0 || of_b == 0.0 { 0.0 } else { product / (of_a.sqrt() * of_b.sqrt()) }
}

/// The mean of [`cosine`] over all pairs of estimates; NaN of fewer than two.
pub fn mean_pairwise_cosine<T: Copy + Into<f64>>(estimates: &[&[T]]) -> f64 {
    let pairs = estimates.iter().enumerate().flat_map(|(i, a)| estimates[..i].iter().map(move |b| cosine(a, b)));
    let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), cosine| (sum + cosine, count + 1.0));
    sum / count
}

/// `|x|`, the 2-norm.
pub fn norm<T: Copy + Into<f64>>(x: &[T]) -> f64 {
    products(x, x)[1].sqrt()
}

/// Mean and variance of every coordinate over `N` independent estimates `ĝ` of one gradient `g`, in double precision.
pub struct GradientMoments {
    /// `[coordinates]`
    pub mean: Vec<f64>,
    /// Over `N`, `[coordinates]`; over `N − 1` it is [`Self::variance`].
    pub variance_population: Vec<f64>,
    /// `N`
    pub estimates: usize,
}

impl GradientMoments {
    /// Of estimates of equal length, one or more.
    pub fn of<T: Copy + Into<f64>>(estimates: &[&[T]]) -> Self {
        let (n, coordinates) = (estimates.len() as f64, estimates.first().map_or(0, |first| first.len()));
        let mut mean = vec![0.0; coordinates];
        for estimate in estimates {
            mean.iter_mut().zip(*estimate).for_each(|(sum, x)| *sum += (*x).into());
        }
        mean.iter_mut().for_each(|sum| *sum /= n);
        let mut variance_population = vec![0.0; coordinates];
        for estimate in estimates {
            let deviations = estimate.iter().zip(&mean).map(|(x, mean)| (*x).into() - mean);
            variance_population.iter_mut().zip(deviations).for_each(|(sum, deviation)| *sum += deviation * deviation);
        }
        variance_population.iter_mut().for_each(|sum| *sum /= n);
        GradientMoments { mean, variance_population, estimates: estimates.len() }
    }

    /// `N / (N − 1)`; NaN of one estimate, which says nothing about its variance.
    fn correction(&self) -> f64 {
        if self.estimates < 2 { f64::NAN } else { self.estimates as f64 / (self.estimates as f64 - 1.0) }
    }

    /// `Σ (ĝ − mean)² / (N − 1)` of every coordinate; NaN of one estimate.
    pub fn variance(&self) -> Vec<f64> {
        self.variance_population.iter().map(|variance| variance * self.correction()).collect()
    }

    /// The sum of [`Self::variance`] over the coordinates: an unbiased estimate of `E|ĝ − g|²`.
    pub fn total_variance(&self) -> f64 {
        self.variance_population.iter().sum::<f64>() * self.correction()
    }

    /// `|mean| / √(total variance)`: of one estimate.
    pub fn signal_to_noise(&self) -> f64 {
        norm(&self.mean) / self.total_variance().sqrt()
    }

    /// `√N |mean| / √(total variance)`: of the mean of all of them.
    pub fn signal_to_noise_of_mean(&self) -> f64 {
        (self.estimates as f64).sqrt() * self.signal_to_noise()
    }

    /// `|mean| / √variance` of every coordinate.
    pub fn signal_to_noise_per_coordinate(&self) -> Vec<f64> {
        self.mean.iter().zip(self.variance()).map(|(mean, variance)| mean.abs() / variance.sqrt()).collect()
    }

    /// `|mean|² − total variance / N`: an unbiased estimate of `|g|²`, which may be negative.
    pub fn squared_norm_of_expectation(&self) -> f64 {
        norm(&self.mean).powi(2) - self.total_variance() / self.estimates as f64
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::stream;
    use rand_distr::{Distribution, Normal};

    /// Around a known mean with a known deviation: what the estimates come to over many sets of them.
    #[test]
    fn variance_and_squared_norm_are_unbiased() {
        let (normal, g) = (Normal::new(0.0, 2.0).unwrap(), [1.0, -2.0, 0.0, 0.5]);
        let mut rng = stream(0, "test", 0);
        let (mut variance, mut square) = (0.0, 0.0);
        for _ in 0..20_000 {
            let estimates: Vec<Vec<f64>> =
                (0..4).map(|_| g.iter().map(|g| g + normal.sample(&mut rng)).collect()).collect();
            let moments = GradientMoments::of(&estimates.iter().map(Vec::as_slice).collect::<Vec<_>>());
            variance += moments.total_variance() / 20_000.0;
            square += moments.squared_norm_of_expectation() / 20_000.0;
        }
        assert!((variance - 16.0).abs() < 0.15 && (square - 5.25).abs() < 0.15, "{variance} {square}");
    }

    /// Of more numbers than there are lanes, and fewer.
    #[test]
    fn sums_side_by_side_are_those_one_after_another() {
        for count in [0, 1, 7, 8, 19, 64] {
            let a: Vec<f32> = (0..count).map(|i| (i * 7 % 11) as f32 - 3.0).collect();
            let b: Vec<f64> = (0..count).map(|i| (i * 5 % 13) as f64 + 0.5).collect();
            let sum = |of: &dyn Fn(f64, f64) -> f64| a.iter().zip(&b).map(|(a, b)| of((*a).into(), *b)).sum::<f64>();
            assert_eq!(products(&a, &b), [sum(&|a, b| a * b), sum(&|a, _| a * a), sum(&|_, b| b * b)]);
        }
        assert_eq!(
            (cosine(&[0.0, 0.0], &[1.0, 2.0]), cosine(&[3f32, 4.0], &[6.0, 8.0]), norm(&[3f32, 4.0])),
            (0.0, 1.0, 5.0)
        );
    }

    #[test]
    fn one_estimate_has_no_variance() {
        let moments = GradientMoments::of(&[&[3f32, 4.0][..]]);
        assert_eq!(moments.mean, [3.0, 4.0]);
        assert!(moments.total_variance().is_nan() && moments.signal_to_noise().is_nan());
        assert!(mean_pairwise_cosine(&[&[1.0][..]]).is_nan());
    }
}
