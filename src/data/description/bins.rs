//! Bins of a histogram.

use super::Distribution;

/// Bins of one width, one beside the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bins {
    pub low: f64,
    pub width: f64,
    pub count: usize,
}

impl Bins {
    /// At most `most` bins from the least to the largest of all these numbers. Bins of whole numbers hold as many of them each, and
    /// begin and end half-way between two.
    pub fn of<'a>(distributions: impl IntoIterator<Item = &'a Distribution> + Clone, most: usize) -> Bins {
        let ranges = || distributions.clone().into_iter().filter_map(Distribution::range);
        let low = ranges().map(|(low, _)| low).fold(f64::INFINITY, f64::min);
        let high = ranges().map(|(_, high)| high).fold(f64::NEG_INFINITY, f64::max);
        let whole = distributions.clone().into_iter().all(Distribution::is_whole);
        match high - low {
            range if range.is_infinite() || range.is_nan() => Bins { low: 0.0, width: 1.0, count: 1 },
            range if whole => {
                let width = ((range + 1.0) / most as f64).ceil();
                Bins { low: low - 0.5, width, count: ((range + 1.0) / width).ceil() as usize }
            }
            0.0 => Bins { low: low - 0.5, width: 1.0, count: 1 },
            range => Bins { low, width: range / most as f64, count: most },
        }
    }

    /// The lower edge of a bin; that of the bin after the last one is the end.
    pub fn edge(&self, bin: usize) -> f64 {
        self.low + bin as f64 * self.width
    }

    /// Numbers in each bin; a bin has its lower edge, the last one its upper edge as well.
    pub fn counts(&self, distribution: &Distribution) -> Vec<usize> {
        let mut counts = vec![0; self.count];
        for (x, count) in distribution.counts() {
            let bin = ((x - self.low) / self.width).floor().max(0.0) as usize;
            counts[bin.min(self.count - 1)] += count;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_bins_of_their_own() {
        let beds = Distribution::of([1.0, 3.0, 3.0, 8.0]);
        let bins = Bins::of([&beds], 20);
        assert_eq!(bins, Bins { low: 0.5, width: 1.0, count: 8 });
        assert_eq!(bins.counts(&beds), [1, 0, 2, 0, 0, 0, 0, 1]);
        let years = Distribution::of((1900..2000).map(f64::from));
        let bins = Bins::of([&years], 30);
        assert_eq!((bins.width, bins.count, bins.counts(&years)[0]), (4.0, 25, 4));
        assert_eq!(bins.counts(&years).iter().sum::<usize>(), 100);
    }

    #[test]
    fn other_numbers_have_equal_bins_over_both_parts() {
        let (train, test) = (Distribution::of([0.0, 0.25, 0.5]), Distribution::of([1.0, 0.75]));
        let bins = Bins::of([&train, &test], 4);
        assert_eq!((bins.low, bins.width, bins.edge(4)), (0.0, 0.25, 1.0));
        assert_eq!((bins.counts(&train), bins.counts(&test)), (vec![1, 1, 1, 0], vec![0, 0, 0, 2]));
        assert_eq!(Bins::of([&Distribution::of([0.3])], 4).counts(&Distribution::of([0.3])), [1]);
        assert_eq!(Bins::of([&Distribution::of([])], 4).count, 1);
    }
}
