//! Numbers without their order.

/// Distinct finite numbers in ascending order, each with how often it occurs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution(Vec<(f64, usize)>);

impl Distribution {
    /// Those that are not finite are left out.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Distribution {
        let mut all: Vec<f64> = numbers.into_iter().collect();
        all.sort_unstable_by(f64::total_cmp);
        Distribution::of_counts(all.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())))
    }

    /// Of distinct numbers in ascending order; those that don't occur or are not finite are left out.
    pub fn of_counts(counts: impl IntoIterator<Item = (f64, usize)>) -> Distribution {
        Distribution(counts.into_iter().filter(|(x, count)| *count > 0 && x.is_finite()).collect())
    }

    pub fn counts(&self) -> &[(f64, usize)] {
        &self.0
    }

    /// How many numbers there are.
    pub fn rows(&self) -> usize {
        self.0.iter().map(|(_, count)| count).sum()
    }

    pub fn distinct(&self) -> usize {
        self.0.len()
    }

    /// The least and the largest number.
    pub fn range(&self) -> Option<(f64, f64)> {
        Some((self.0.first()?.0, self.0.last()?.0))
    }

    pub fn mean(&self) -> f64 {
        self.mean_of(|x| x)
    }

    /// The standard deviation over n.
    pub fn deviation(&self) -> f64 {
        let mean = self.mean();
        self.mean_of(|x| (x - mean).powi(2)).sqrt()
    }

    fn mean_of(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.0.iter().map(|(x, count)| of(*x) * *count as f64).sum::<f64>() / self.rows() as f64
    }

    /// The quantile at `share` of the way from the least to the largest, linear between neighbors (Hyndman and Fan's type 7).
    pub fn quantile(&self, share: f64) -> f64 {
        let place = share * (self.rows().saturating_sub(1)) as f64;
        let [below, above] = [place.floor(), place.ceil()].map(|place| self.ranked(place as usize));
        below + (place - place.floor()) * (above - below)
    }

    /// The number at this place, counted from 0.
    fn ranked(&self, place: usize) -> f64 {
        let mut before = 0;
        let found = self.0.iter().find(|(_, count)| {
            before += count;
            before > place
        });
        found.map_or(f64::NAN, |(x, _)| *x)
    }

    pub fn is_whole(&self) -> bool {
        self.0.iter().all(|(x, _)| x.fract() == 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers by hand: 1, 1, 2, 4 have mean 2 and variance (1 + 1 + 0 + 4) / 4; numpy's quantiles are 1, 1.5 and 2.5.
    #[test]
    fn moments_and_quantiles_are_those_of_the_numbers() {
        let numbers = Distribution::of([4.0, 1.0, 2.0, 1.0]);
        assert_eq!(numbers.counts(), [(1.0, 2), (2.0, 1), (4.0, 1)]);
        assert_eq!((numbers.rows(), numbers.distinct(), numbers.range()), (4, 3, Some((1.0, 4.0))));
        assert_eq!((numbers.mean(), numbers.deviation()), (2.0, 1.5f64.sqrt()));
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|share| numbers.quantile(share)), [1.0, 1.0, 1.5, 2.5, 4.0]);
        assert!(numbers.is_whole() && !Distribution::of([0.5]).is_whole());
        let none = Distribution::of([]);
        assert_eq!(Distribution::of([f64::NAN, 1.0, f64::INFINITY]).counts(), [(1.0, 1)]);
        assert!(none.range().is_none() && none.mean().is_nan() && none.quantile(0.5).is_nan());
    }
}
