//! Sums of shifted rows: what a convolution computes, with every sum in a register and no image unfolded.

use super::activation::Real;
use super::buffer::Buffer;
use super::vector::{LANES, Simd, WithSimd, vectorized};
use super::vectors::{Lanes, lanes, load, store};

/// `to_f[p] = Σ_k w_fk · from[p + tap_k]` for every filter `f` and every position `p`.
pub(super) struct Correlation<'a, T> {
    /// Where each weight of a filter reads, for the first position.
    pub taps: &'a [usize],
    /// `[filters, taps]`
    pub weights: &'a [T],
    /// A multiple of [`LANES`], in which positions come.
    pub positions: usize,
}

impl<T: Real> Correlation<'_, T> {
    fn filters(&self) -> usize {
        self.weights.len() / self.taps.len().max(1)
    }

    /// The results of filter `f` begin at `f · positions` in `to`.
    ///
    /// # Panics
    /// When a position can't be read or written.
    pub fn apply(&self, from: &[T], to: &mut [T]) {
        self.assert_fits(from, to);
        if self.taps.is_empty() {
            return to.fill(T::zero());
        }
        vectorized(Apply { of: self, from, to });
    }

    /// `sums_fk ← sums_fk + Σ_p dz_f[p] · from[p + tap_k]`; `dz` has the layout of a result.
    ///
    /// # Panics
    /// As [`Self::apply`].
    pub fn add_gradient(&self, from: &[T], dz: &[T], sums: &mut Sums<T>) {
        self.assert_fits(from, dz);
        assert!(sums.lanes.len() >= self.weights.len() * LANES, "room for the sums");
        vectorized(AddGradient { of: self, from, dz, sums: &mut sums.lanes });
    }

    fn assert_fits(&self, from: &[T], to: &[T]) {
        let largest = self.taps.iter().copied().max().unwrap_or(0);
        assert!(self.positions.is_multiple_of(LANES), "whole vectors");
        assert!(from.len() >= largest + self.positions, "room to read");
        assert!(to.len() >= self.filters() * self.positions, "room to write");
    }
}

/// Gradients of weights, whose lanes are not yet added up.
pub(super) struct Sums<T: Real> {
    lanes: Buffer<T>,
}

impl<T: Real> Sums<T> {
    /// Zeros, for so many weights.
    pub fn new(weights: usize) -> Self {
        Sums { lanes: Buffer::zeros(weights * LANES) }
    }

    pub fn total(&self, weights: &mut [T]) {
        for (weight, lanes) in weights.iter_mut().zip(self.lanes.chunks_exact(LANES)) {
            *weight = lanes.iter().fold(T::zero(), |sum, lane| sum + *lane);
        }
    }
}

struct Apply<'a, T> {
    of: &'a Correlation<'a, T>,
    from: &'a [T],
    to: &'a mut [T],
}

impl<T: Real> WithSimd for Apply<'_, T> {
    type Output = ();

    /// Blocks of filters and of vectors whose sums fit the registers: 32 of the widest vectors, 16 of the others.
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let filters = self.of.filters();
        let mut packed = Buffer::any(self.of.taps.len() * 8);
        let mut first = 0;
        while first < filters {
            let left = filters - first;
            let wide = lanes::<f32, S>() == LANES;
            first += match left {
                8.. if wide => self.filters::<S, 8, 3>(simd, first, &mut packed),
                4.. => self.filters::<S, 4, 3>(simd, first, &mut packed),
                2.. => self.filters::<S, 2, 4>(simd, first, &mut packed),
                _ => self.filters::<S, 1, 8>(simd, first, &mut packed),
            };
        }
    }
}

impl<T: Real> Apply<'_, T> {
    /// `F` filters from `first` on, at all positions; their number.
    #[inline(always)]
    fn filters<S: Simd, const F: usize, const V: usize>(&mut self, simd: S, first: usize, packed: &mut [T]) -> usize {
        let Correlation { taps, weights, positions } = *self.of;
        for (tap, packed) in packed.chunks_exact_mut(F).take(taps.len()).enumerate() {
            for (filter, packed) in packed.iter_mut().enumerate() {
                *packed = weights[(first + filter) * taps.len() + tap];
            }
        }
        let (block, mut at) = (V * lanes::<T, S>(), 0);
        while at + block <= positions {
            // SAFETY: `apply` has asserted that every tap can be read and every filter's result written at every position.
            unsafe { self.block::<S, F, V>(simd, (first, at), packed) };
            at += block;
        }
        while at < positions {
            // SAFETY: as above; positions are whole vectors.
            unsafe { self.block::<S, F, 1>(simd, (first, at), packed) };
            at += lanes::<T, S>();
        }
        F
    }

    /// # Safety
    /// The vectors that begin at `at` can be read at every tap and written for every filter.
    #[inline(always)]
    unsafe fn block<S: Simd, const F: usize, const V: usize>(
        &mut self,
        simd: S,
        (first, at): (usize, usize),
        packed: &[T],
    ) {
        let from = self.from[at..].as_ptr();
        let mut sums = [[T::splat(simd, T::zero()); V]; F];
        for (tap, weights) in self.of.taps.iter().zip(packed.chunks_exact(F)) {
            let mut pixels = [T::splat(simd, T::zero()); V];
            for (v, pixels) in pixels.iter_mut().enumerate() {
                // SAFETY: the caller's.
                *pixels = unsafe { load::<T, S>(from.add(*tap + v * lanes::<T, S>())) };
            }
            for f in 0..F {
                let weight = T::splat(simd, weights[f]);
                for v in 0..V {
                    sums[f][v] = T::multiply_add(simd, weight, pixels[v], sums[f][v]);
                }
            }
        }
        for (f, sums) in sums.iter().enumerate() {
            let start = (first + f) * self.of.positions + at;
            for (v, sum) in sums.iter().enumerate() {
                // SAFETY: the caller's.
                unsafe { store::<T, S>(self.to.as_mut_ptr().add(start + v * lanes::<T, S>()), *sum) };
            }
        }
    }
}

struct AddGradient<'a, T> {
    of: &'a Correlation<'a, T>,
    from: &'a [T],
    dz: &'a [T],
    sums: &'a mut [T],
}

/// Positions whose floats stay in the nearest cache while all weights get their share of them.
const CHUNK: usize = 512;

impl<T: Real> WithSimd for AddGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (filters, taps) = (self.of.filters(), self.of.taps.len());
        let mut start = 0;
        while start < self.of.positions {
            let end = (start + CHUNK).min(self.of.positions);
            let mut filter = 0;
            while filter < filters {
                let many = filters - filter >= 4;
                let mut tap = 0;
                while tap < taps {
                    let corner = (filter, tap);
                    let wide = lanes::<f32, S>() == LANES && taps - tap >= 6;
                    let positions = (start, end);
                    // SAFETY: `add_gradient` has asserted that every tap and every filter's gradient can be read at every position.
                    tap += unsafe {
                        match (many, taps - tap) {
                            (true, _) if wide => self.block::<S, 4, 6>(simd, corner, positions),
                            (true, 3..) => self.block::<S, 4, 3>(simd, corner, positions),
                            (true, _) => self.block::<S, 4, 1>(simd, corner, positions),
                            (false, 3..) => self.block::<S, 1, 3>(simd, corner, positions),
                            (false, _) => self.block::<S, 1, 1>(simd, corner, positions),
                        }
                    };
                }
                filter += if many { 4 } else { 1 };
            }
            start = end;
        }
    }
}

impl<T: Real> AddGradient<'_, T> {
    /// `F` filters and `K` taps from a corner on, over these positions; the number of taps.
    ///
    /// # Safety
    /// They can be read at every position, up to a whole vector.
    #[inline(always)]
    unsafe fn block<S: Simd, const F: usize, const K: usize>(
        &mut self,
        simd: S,
        (filter, tap): (usize, usize),
        (start, end): (usize, usize),
    ) -> usize {
        let taps: [usize; K] = std::array::from_fn(|k| self.of.taps[tap + k]);
        let (from, dz) = (self.from.as_ptr(), self.dz.as_ptr());
        let at = |f: usize, k: usize| ((filter + f) * self.of.taps.len() + tap + k) * LANES;
        let mut sums = [[T::splat(simd, T::zero()); K]; F];
        let mut position = start;
        while position < end {
            let mut gradients = [T::splat(simd, T::zero()); F];
            for (f, gradient) in gradients.iter_mut().enumerate() {
                // SAFETY: the caller's.
                *gradient = unsafe { load::<T, S>(dz.add((filter + f) * self.of.positions + position)) };
            }
            for k in 0..K {
                // SAFETY: the caller's.
                let pixels = unsafe { load::<T, S>(from.add(taps[k] + position)) };
                for f in 0..F {
                    sums[f][k] = T::multiply_add(simd, gradients[f], pixels, sums[f][k]);
                }
            }
            position += lanes::<T, S>();
        }
        for (f, sums) in sums.iter().enumerate() {
            for (k, sum) in sums.iter().enumerate() {
                let kept = self.sums[at(f, k)..at(f, k) + lanes::<T, S>()].as_mut_ptr();
                // SAFETY: the slice is a vector long.
                unsafe { store::<T, S>(kept, <T as Lanes>::add(simd, load::<T, S>(kept), *sum)) };
            }
        }
        K
    }
}
