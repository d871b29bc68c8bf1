//! Sums of shifted rows: what a convolution computes, with every sum in a register and no image unfolded.

mod apply;
mod edges;
mod gradient;

pub(super) use edges::Edges;
pub(super) use gradient::Sums;

use super::activation::Real;
use super::vector::{LANES, vectorized};

/// How a vector of pixels is read of which some may lie beyond the edges of an image.
mod reading {
    /// There are none.
    pub const ALL: u8 = 0;
    /// They are floats of some other row or image, which are read, too, and then left out: that costs nothing.
    pub const LEFT_OUT: u8 = 1;
    /// They may lie beyond the slice, and are not read.
    pub const GUARDED: u8 = 2;
}

/// `to_f[p] = Σ_k Σ_c w_fck · from_c[p + place_k]` for every filter `f`, channel `c`, place `k` of a filter and position `p`.
///
/// `from` is images of channels, `to` images of filters; weights are `[filters, channels, places]`.
pub(super) struct Correlation<'a> {
    /// Where each weight of a filter reads, of the first channel, for the first position.
    pub places: &'a [isize],
    pub channels: usize,
    /// Floats from one channel to the next.
    pub channel: usize,
    /// Floats from one image that is read to the next.
    pub image: usize,
    pub filters: usize,
    /// Floats from one filter's results to the next one's.
    pub result: usize,
    /// Of a result; a multiple of [`LANES`] where there are no edges.
    pub positions: usize,
    /// Which places lie outside of an image, where it has no zeros around it.
    pub edges: Option<&'a Edges>,
}

impl Correlation<'_> {
    /// Weights of a filter.
    fn taps(&self) -> usize {
        self.places.len() * self.channels
    }

    /// # Panics
    /// When a position can't be read or written.
    pub fn apply<T: Real>(&self, weights: &[T], from: &[T], to: &mut [T]) {
        self.assert_fits(from, to);
        assert!(weights.len() >= self.filters * self.taps(), "weights of all filters");
        if self.places.is_empty() || self.channels == 0 {
            return to.fill(T::zero());
        }
        vectorized(apply::Apply { of: self, weights, from, to });
    }

    /// `sums_fck ← sums_fck + Σ_p dz_f[p] · from_c[p + place_k]`; `dz` has the layout of a result.
    ///
    /// # Panics
    /// As [`Self::apply`].
    pub fn add_gradient<T: Real>(&self, from: &[T], dz: &[T], sums: &mut Sums<T>) {
        self.assert_fits(from, dz);
        sums.assert_fit(self);
        vectorized(gradient::AddGradient { of: self, from, dz, sums: sums.lanes() });
    }

    /// The lanes of the vector at this position that are there, from the lowest bit on.
    #[inline(always)]
    fn pixels(&self, position: usize) -> u32 {
        u32::MAX >> (32 - (self.positions - position).min(32))
    }

    /// Whether all places of so many positions from a start on lie in the slice, whichever image they belong to.
    #[inline(always)]
    fn is_within<T>(&self, from: &[T], start: usize, count: usize) -> bool {
        let reach = self.edges.map_or(0, Edges::reach);
        let last = self.channels.saturating_sub(1) * self.channel;
        start >= reach && start + last + count + reach <= from.len()
    }

    /// Images that a slice of results has.
    fn images<T>(&self, results: &[T]) -> usize {
        results.len() / (self.filters * self.result).max(1)
    }

    /// A position is read where its weights are: inside of its image, or within the slice where an image has no edges.
    fn assert_fits<T>(&self, from: &[T], to: &[T]) {
        assert!(self.positions <= self.result, "room for the results");
        let images = self.images(to);
        match self.edges {
            Some(edges) => {
                assert!(edges.belong_to(self.places, self.positions), "the edges of these places");
                let lie_together = self.channel == self.positions && self.image == self.channels * self.channel;
                assert!(lie_together && self.result == self.positions, "images without gaps");
                assert!(from.len() >= images * self.image, "room to read");
            }
            None => {
                assert!(self.positions.is_multiple_of(LANES), "whole vectors");
                assert!(self.places.iter().all(|place| *place >= 0), "places behind a position");
                let farthest = self.places.iter().copied().max().unwrap_or(0) as usize;
                let last = images.saturating_sub(1) * self.image + self.channels.saturating_sub(1) * self.channel;
                assert!(from.len() >= last + self.positions + farthest, "room to read");
            }
        }
    }
}
