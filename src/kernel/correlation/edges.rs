//! Which weights of a filter lie on the image, for every place of the filter.

use crate::kernel::vector::LANES;

/// A filter with an odd side that moves over an image pixel by pixel, its middle on every pixel once: its results have the image's size.
pub(crate) struct Edges {
    places: Vec<isize>,
    positions: usize,
    /// One bit per pixel, `[places, vectors]`.
    bits: Vec<u16>,
}

impl Edges {
    /// `kernel` is odd.
    pub fn new(height: usize, width: usize, kernel: usize) -> Edges {
        let (middle, positions) = (kernel / 2, height * width);
        let steps = || (0..kernel * kernel).map(|place| [place / kernel, place % kernel]);
        // From where on, and up to where, a step from the middle stays inside.
        let inside =
            |step: usize, side: usize| middle.saturating_sub(step)..(side + middle).saturating_sub(step).min(side);
        let mut edges = Edges {
            places: steps().map(|[down, across]| down as isize * width as isize + across as isize).collect(),
            positions,
            bits: vec![0; positions.div_ceil(LANES) * kernel * kernel],
        };
        let to_middle = (middle * width + middle) as isize;
        edges.places.iter_mut().for_each(|place| *place -= to_middle);
        for (place, [down, across]) in steps().enumerate() {
            let columns = inside(across, width);
            for row in inside(down, height) {
                edges.set(place, row * width + columns.start, row * width + columns.end);
            }
        }
        edges
    }

    /// The pixels from one position to another have this place on the image.
    fn set(&mut self, place: usize, start: usize, end: usize) {
        let (mut at, vectors) = (start, self.positions.div_ceil(LANES));
        while at < end {
            let (vector, lane) = (at / LANES, at % LANES);
            let count = (LANES - lane).min(end - at);
            self.bits[place * vectors + vector] |= (u16::MAX >> (LANES - count)) << lane;
            at += count;
        }
    }

    /// Where each weight of a filter reads for the first position, row by row.
    pub fn places(&self) -> &[isize] {
        &self.places
    }

    /// The farthest that a weight reads from the middle.
    pub(super) fn reach(&self) -> usize {
        self.places.last().map_or(0, |last| last.unsigned_abs())
    }

    pub(super) fn belong_to(&self, places: &[isize], positions: usize) -> bool {
        self.places == places && self.positions == positions
    }

    /// Of every [`LANES`] positions from one on, those for which a place lies on the image, from the lowest bit on.
    #[inline(always)]
    pub(super) fn bits(&self, position: usize, place: usize) -> &[u16] {
        let vectors = self.positions.div_ceil(LANES);
        &self.bits[place * vectors..][position / LANES..vectors]
    }
}

/// The lanes of a vector so many positions behind the first of such bits.
#[inline(always)]
pub(super) fn lanes_at(bits: &[u16], step: usize) -> u32 {
    u32::from(bits[step / LANES]) >> (step % LANES)
}
