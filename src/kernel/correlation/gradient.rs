//! The gradient of the weights.

use super::Correlation;
use super::edges::lanes_at;
use crate::kernel::activation::Real;
use crate::kernel::buffer::Buffer;
use crate::kernel::vector::{LANES, Simd, WithSimd};
use crate::kernel::vectors::{Lanes, all_lanes, has_masks, lanes, load, store};

/// Gradients of weights, `[filters, channels, places]`, whose lanes are not yet added up.
pub(crate) struct Sums<T: Real> {
    lanes: Buffer<T>,
}

impl<T: Real> Sums<T> {
    /// Zeros.
    pub fn new(of: &Correlation) -> Self {
        Sums { lanes: Buffer::zeros(of.filters * of.taps() * LANES) }
    }

    pub(super) fn assert_fit(&self, of: &Correlation) {
        assert!(self.lanes.len() == of.filters * of.taps() * LANES, "room for the sums");
    }

    pub(super) fn lanes(&mut self) -> &mut [T] {
        &mut self.lanes
    }

    pub fn total(&self, weights: &mut [T]) {
        for (weight, lanes) in weights.iter_mut().zip(self.lanes.chunks_exact(LANES)) {
            *weight = lanes.iter().fold(T::zero(), |sum, lane| sum + *lane);
        }
    }
}

pub(super) struct AddGradient<'a, T> {
    pub of: &'a Correlation<'a>,
    pub from: &'a [T],
    pub dz: &'a [T],
    pub sums: &'a mut [T],
}

/// Positions whose gradients of eight filters stay in the nearest cache while all weights get their share of them.
const CHUNK: usize = 1024;

/// Channels whose gradients are added up at once, and places of a channel that is left over.
const ROWS: usize = 3;

/// Vectors of an image, from a position on.
#[derive(Clone, Copy)]
struct Stretch {
    image: usize,
    start: usize,
    vectors: usize,
}

/// Where the pixels of a stretch are read: of the first channel at the stretch's start, and so much farther of each next channel.
#[derive(Clone, Copy)]
struct Pixels<T> {
    stretch: Stretch,
    first: *const T,
    channel: usize,
}

impl<T: Real> WithSimd for AddGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (images, positions) = (self.of.images(self.dz), self.of.positions);
        let together = (CHUNK / positions.next_multiple_of(LANES).max(1)).max(1);
        for first in (0..images).step_by(together) {
            for start in (0..positions).step_by(CHUNK) {
                let vectors = (positions - start).min(CHUNK).div_ceil(LANES);
                let stretches: Vec<_> =
                    (first..(first + together).min(images)).map(|image| Stretch { image, start, vectors }).collect();
                let mut filter = 0;
                while filter < self.of.filters {
                    filter += match self.of.filters - filter {
                        8.. if lanes::<f32, S>() == LANES => self.filters::<S, 8>(simd, filter, &stretches),
                        4.. => self.filters::<S, 4>(simd, filter, &stretches),
                        _ => self.filters::<S, 1>(simd, filter, &stretches),
                    };
                }
            }
        }
    }
}

impl<T: Real> AddGradient<'_, T> {
    /// `F` filters from one on, over some stretches; the number of filters.
    #[inline(always)]
    fn filters<S: Simd, const F: usize>(&mut self, simd: S, filter: usize, stretches: &[Stretch]) -> usize {
        let (channels, places) = (self.of.channels, self.of.places.len());
        let dz = self.packed::<S, F>(filter, stretches);
        let mut room: Vec<Buffer<T>> = stretches.iter().map(|_| Buffer::none()).collect();
        let mut channel = 0;
        while channel < channels {
            let rows = if channels - channel >= ROWS { ROWS } else { 1 };
            let pixels: Vec<Pixels<T>> = stretches
                .iter()
                .zip(&mut room)
                .map(|(stretch, room)| self.pixels(*stretch, (channel, rows), room))
                .collect();
            let mut place = 0;
            while place < places {
                // SAFETY: `pixels` can be read at all places.
                place += unsafe {
                    if rows == ROWS {
                        let corner = [0, 1, 2].map(|row| (channel + row, place));
                        self.block::<S, F, ROWS, true>(simd, (filter, corner), &dz, &pixels);
                        1
                    } else if places - place >= ROWS {
                        let corner = [0, 1, 2].map(|next| (channel, place + next));
                        self.block::<S, F, ROWS, false>(simd, (filter, corner), &dz, &pixels);
                        ROWS
                    } else {
                        self.block::<S, F, 1, true>(simd, (filter, [(channel, place)]), &dz, &pixels);
                        1
                    }
                };
            }
            channel += rows;
        }
        F
    }

    /// The gradients of `F` filters, `[vectors of the machine, filters, lanes]`: in one piece, where planes apart by a power of 2 would drive one another out of
    /// the cache. Zeros stand behind the last position.
    #[inline(always)]
    fn packed<S: Simd, const F: usize>(&self, filter: usize, stretches: &[Stretch]) -> Buffer<T> {
        let Correlation { filters, result, positions, .. } = *self.of;
        let width = lanes::<T, S>();
        let mut packed = Buffer::any(stretches.iter().map(|stretch| stretch.vectors).sum::<usize>() * F * LANES);
        let mut vectors = packed.chunks_exact_mut(F * width);
        for Stretch { image, start, vectors: count } in stretches {
            for (at, vector) in (*start..).step_by(width).zip(vectors.by_ref().take(count * (LANES / width))) {
                let there = positions.saturating_sub(at).min(width);
                for (f, to) in vector.chunks_exact_mut(width).enumerate() {
                    let from = &self.dz[((image * filters + filter + f) * result + at).min(self.dz.len())..];
                    if there == width {
                        // SAFETY: both are a vector long.
                        unsafe { store::<T, S>(to.as_mut_ptr(), load::<T, S>(from[..width].as_ptr())) };
                    } else {
                        to[..there].copy_from_slice(&from[..there]);
                        to[there..].fill(T::zero());
                    }
                }
            }
        }
        packed
    }

    /// The pixels of a stretch, of some channels; where a place lies beyond the slice, a copy of them with zeros around it.
    #[inline(always)]
    fn pixels(&self, stretch: Stretch, (channel, rows): (usize, usize), room: &mut Buffer<T>) -> Pixels<T> {
        let Correlation { channel: step, edges, .. } = *self.of;
        let reach = edges.map_or(0, |edges| edges.reach());
        let (start, count) = (stretch.image * self.of.image + channel * step + stretch.start, stretch.vectors * LANES);
        let end = start + (rows - 1) * step + count;
        if edges.is_none() || (start >= reach && end + reach <= self.from.len()) {
            return Pixels { stretch, first: self.from.as_ptr().wrapping_add(start), channel: step };
        }
        let width = count + 2 * reach;
        if room.is_empty() {
            *room = Buffer::any(ROWS * width);
        }
        for (row, to) in room.chunks_exact_mut(width).enumerate().take(rows) {
            let first = start + row * step;
            let there = first.saturating_sub(reach)..(first + count + reach).min(self.from.len());
            let before = reach.saturating_sub(first);
            to.fill(T::zero());
            to[before..before + there.len()].copy_from_slice(&self.from[there]);
        }
        Pixels { stretch, first: room.as_ptr().wrapping_add(reach), channel: width }
    }

    /// `F` filters from one on and `K` weights of each, `(channel, place)`; where they are at `ONE` place, their pixels end at the same edges.
    ///
    /// # Safety
    /// The pixels, of the first of these channels and those behind it, can be read at all places.
    #[inline(always)]
    unsafe fn block<S: Simd, const F: usize, const K: usize, const ONE: bool>(
        &mut self,
        simd: S,
        corner: (usize, [(usize, usize); K]),
        dz: &[T],
        pixels: &[Pixels<T>],
    ) {
        // SAFETY: the caller's.
        unsafe {
            match self.of.edges.is_some() {
                true => self.add_up::<S, F, K, ONE, true>(simd, corner, dz, pixels),
                false => self.add_up::<S, F, K, ONE, false>(simd, corner, dz, pixels),
            }
        }
    }

    /// # Safety
    /// As [`Self::block`].
    #[inline(always)]
    unsafe fn add_up<S: Simd, const F: usize, const K: usize, const ONE: bool, const EDGES: bool>(
        &mut self,
        simd: S,
        (filter, corner): (usize, [(usize, usize); K]),
        dz: &[T],
        pixels: &[Pixels<T>],
    ) {
        let Correlation { places, channels, .. } = *self.of;
        let mut sums = [[T::splat(simd, T::zero()); K]; F];
        let mut dz = dz.as_ptr();
        for Pixels { stretch, first, channel } in pixels {
            let mut rows = [*first; K];
            for k in 0..K {
                rows[k] =
                    first.wrapping_add((corner[k].0 - corner[0].0) * channel).wrapping_offset(places[corner[k].1]);
            }
            let place = corner.map(|(_, place)| place);
            // SAFETY: the caller's; the gradients of all vectors lie behind one another.
            sums = unsafe { self.stretch::<S, F, K, ONE, EDGES>(simd, (*stretch, place), dz, rows, sums) };
            dz = dz.wrapping_add(stretch.vectors * F * LANES);
        }
        for (f, sums) in sums.iter().enumerate() {
            for (k, sum) in sums.iter().enumerate() {
                let weight = ((filter + f) * channels + corner[k].0) * places.len() + corner[k].1;
                let kept = self.sums[weight * LANES..][..lanes::<T, S>()].as_mut_ptr();
                // SAFETY: the slice is a vector long.
                unsafe { store::<T, S>(kept, <T as Lanes>::add(simd, load::<T, S>(kept), *sum)) };
            }
        }
    }

    /// Adds the products of a stretch, whose pixels are read in these rows.
    ///
    /// # Safety
    /// They can be read, and so can as many vectors of gradients.
    #[inline(always)]
    unsafe fn stretch<S: Simd, const F: usize, const K: usize, const ONE: bool, const EDGES: bool>(
        &self,
        simd: S,
        (stretch, place): (Stretch, [usize; K]),
        dz: *const T,
        rows: [*const T; K],
        mut sums: [[T::Vector<S>; K]; F],
    ) -> [[T::Vector<S>; K]; F] {
        let all = T::mask(simd, all_lanes::<T, S>());
        let mut bits: [&[u16]; K] = [&[]; K];
        if let (true, Some(edges)) = (EDGES, self.of.edges) {
            for k in 0..K {
                bits[k] = &edges.bits(stretch.start, place[k])[..stretch.vectors];
            }
        }
        for vector in 0..stretch.vectors * (LANES / lanes::<T, S>()) {
            let step = vector * lanes::<T, S>();
            let mut masks = [all; K];
            if EDGES {
                for k in 0..if ONE { 1 } else { K } {
                    masks[k] = T::mask(simd, lanes_at(bits[k], step));
                }
            }
            // Fewer rows of pixels than of gradients, so that with the sums they fit the registers.
            let mut pixels = [T::splat(simd, T::zero()); K];
            for k in 0..K {
                // SAFETY: the caller's.
                pixels[k] = unsafe { load::<T, S>(rows[k].wrapping_add(step)) };
                if EDGES && !has_masks::<T, S>() {
                    pixels[k] = T::only(simd, masks[if ONE { 0 } else { k }], pixels[k]);
                }
            }
            for (f, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the caller's.
                let gradient = unsafe { load::<T, S>(dz.wrapping_add(F * step + f * lanes::<T, S>())) };
                for k in 0..K {
                    let mask = masks[if ONE { 0 } else { k }];
                    sums[k] = match EDGES && has_masks::<T, S>() {
                        true => T::multiply_add_some(simd, mask, [gradient, pixels[k]], sums[k]),
                        false => T::multiply_add(simd, gradient, pixels[k], sums[k]),
                    };
                }
            }
        }
        sums
    }
}
