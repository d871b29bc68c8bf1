//! The sums of all filters at all positions.

use super::edges::lanes_at;
use super::{Correlation, reading};
use crate::kernel::activation::Real;
use crate::kernel::buffer::Buffer;
use crate::kernel::vector::{LANES, Simd, WithSimd};
use crate::kernel::vectors::{all_lanes, has_masks, lanes, load, store};

pub(super) struct Apply<'a, T> {
    pub of: &'a Correlation<'a>,
    pub weights: &'a [T],
    pub from: &'a [T],
    pub to: &'a mut [T],
}

impl<T: Real> WithSimd for Apply<'_, T> {
    type Output = ();

    /// Blocks of filters and of vectors whose sums fit the registers: 32 of the widest vectors, 16 of the others.
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut packed = Buffer::any(self.of.taps() * 8);
        let mut first = 0;
        while first < self.of.filters {
            let left = self.of.filters - first;
            let wide = lanes::<f32, S>() == LANES;
            first += match left {
                8.. if wide => self.filters::<S, 8, 3>(simd, first, &mut packed),
                4.. => self.filters::<S, 4, 3>(simd, first, &mut packed),
                2.. => self.filters::<S, 2, 4>(simd, first, &mut packed),
                _ => self.filters::<S, 1, 4>(simd, first, &mut packed),
            };
        }
    }
}

impl<T: Real> Apply<'_, T> {
    /// `F` filters from `first` on, at all positions of all images; their number.
    #[inline(always)]
    fn filters<S: Simd, const F: usize, const V: usize>(&mut self, simd: S, first: usize, packed: &mut [T]) -> usize {
        let Correlation { places, channels, positions, .. } = *self.of;
        for (place, packed) in packed.chunks_exact_mut(channels * F).take(places.len()).enumerate() {
            for (channel, packed) in packed.chunks_exact_mut(F).enumerate() {
                for (filter, packed) in packed.iter_mut().enumerate() {
                    *packed = self.weights[((first + filter) * channels + channel) * places.len() + place];
                }
            }
        }
        let images = self.of.images(self.to);
        for image in 0..images {
            let mut at = 0;
            while at < positions {
                let left = (positions - at).div_ceil(lanes::<T, S>());
                let block = Block { first, image, at, packed };
                // SAFETY: `assert_fits` has seen that every place that lies on the image can be read, and every result written.
                let done = unsafe {
                    match left {
                        _ if left >= V && left != V + 1 => self.block::<S, F, V>(simd, &block),
                        2.. => self.block::<S, F, 2>(simd, &block),
                        _ => self.block::<S, F, 1>(simd, &block),
                    }
                };
                at += done * lanes::<T, S>();
            }
        }
        F
    }

    /// The results of `F` filters in `V` vectors; the number of vectors.
    ///
    /// # Safety
    /// They can be read where their places lie on the image, and written.
    #[inline(always)]
    unsafe fn block<S: Simd, const F: usize, const V: usize>(&mut self, simd: S, block: &Block<T>) -> usize {
        let start = block.image * self.of.image + block.at;
        // SAFETY: the caller's; where pixels beyond edges are read, they lie in the slice.
        unsafe {
            match self.of.edges {
                None => self.sums::<S, F, V, { reading::ALL }>(simd, block, start),
                Some(_) if has_masks::<T, S>() && self.of.is_within(self.from, start, V * lanes::<T, S>()) => {
                    self.sums::<S, F, V, { reading::LEFT_OUT }>(simd, block, start);
                }
                Some(_) => self.sums::<S, F, V, { reading::GUARDED }>(simd, block, start),
            }
        }
        V
    }

    /// # Safety
    /// As [`Self::block`], read in this way.
    #[inline(always)]
    unsafe fn sums<S: Simd, const F: usize, const V: usize, const READING: u8>(
        &mut self,
        simd: S,
        block: &Block<T>,
        start: usize,
    ) {
        let Correlation { places, channels, filters, result, positions, edges, .. } = *self.of;
        let mut sums = [[T::splat(simd, T::zero()); V]; F];
        let mut masks = [T::mask(simd, all_lanes::<T, S>()); V];
        for (place, weights) in block.packed.chunks_exact(channels * F).take(places.len()).enumerate() {
            let from = self.from.as_ptr().wrapping_add(start).wrapping_offset(places[place]);
            if let (true, Some(edges)) = (READING != reading::ALL, edges) {
                let bits = edges.bits(block.at, place);
                for (v, mask) in masks.iter_mut().enumerate() {
                    *mask = T::mask(simd, lanes_at(bits, block.at % LANES + v * lanes::<T, S>()));
                }
            }
            // SAFETY: the caller's.
            sums = unsafe { self.place::<S, F, V, READING>(simd, weights, (from, masks), sums) };
        }
        let to = (block.image * filters + block.first) * result;
        for (f, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                let position = block.at + v * lanes::<T, S>();
                let place = self.to[to + f * result + position..].as_mut_ptr();
                // SAFETY: the caller's.
                unsafe {
                    match position + lanes::<T, S>() <= positions {
                        true => store::<T, S>(place, *sum),
                        false => T::store_some(simd, T::mask(simd, self.of.pixels(position)), place, *sum),
                    }
                }
            }
        }
    }

    /// Adds the products of all channels at one place of the filters, whose first pixels lie at `from`.
    ///
    /// # Safety
    /// They can be read in this way.
    #[inline(always)]
    unsafe fn place<S: Simd, const F: usize, const V: usize, const READING: u8>(
        &self,
        simd: S,
        weights: &[T],
        (mut from, masks): (*const T, [T::Mask<S>; V]),
        mut sums: [[T::Vector<S>; V]; F],
    ) -> [[T::Vector<S>; V]; F] {
        for weights in weights.chunks_exact(F) {
            let mut pixels = [T::splat(simd, T::zero()); V];
            for v in 0..V {
                let at = from.wrapping_add(v * lanes::<T, S>());
                // SAFETY: the caller's.
                pixels[v] = unsafe {
                    if READING == reading::GUARDED { T::load_some(simd, masks[v], at) } else { load::<T, S>(at) }
                };
            }
            for f in 0..F {
                let weight = T::splat(simd, weights[f]);
                for v in 0..V {
                    sums[f][v] = match READING {
                        reading::LEFT_OUT => T::multiply_add_some(simd, masks[v], [weight, pixels[v]], sums[f][v]),
                        _ => T::multiply_add(simd, weight, pixels[v], sums[f][v]),
                    };
                }
            }
            from = from.wrapping_add(self.of.channel);
        }
        sums
    }
}

/// Filters from the first on, at positions of an image from one on.
struct Block<'a, T> {
    first: usize,
    image: usize,
    at: usize,
    /// Their weights, `[places, channels, filters of a block]`.
    packed: &'a [T],
}
