//! Convolutions that move pixel by pixel and stay inside of their images, which are read as they lie: the results of a row are followed by
//! some that belong to no place of the filter.

use super::Conv;
use crate::kernel::activation::Real;
use crate::kernel::buffer::Buffer;
use crate::kernel::copy_rows::CopyRows;
use crate::kernel::correlation::{Correlation, Sums};
use crate::kernel::vector::{LANES, vectorized};

/// Positions of the images that are worked on at once.
const LONG: usize = 1024;

/// What is known before the images are.
struct Sizes {
    /// Pixels of a channel, and the whole vectors that hold them.
    plane: usize,
    vectors: usize,
    /// Where each weight of a filter reads for the first position.
    places: Vec<isize>,
    /// The farthest of them, in whole vectors.
    reach: usize,
    /// From the first result of an image to the last one, those of no place between them, in whole vectors.
    positions: usize,
    together: usize,
}

impl Sizes {
    /// For so many images at most.
    fn of(conv: &Conv, batch: usize) -> Sizes {
        let (out_height, out_width) = conv.output().unwrap_or((0, 0));
        let plane = conv.height * conv.width;
        let places: Vec<isize> = conv.places().map(|(row, column)| (row * conv.width + column) as isize).collect();
        let positions = (out_height.saturating_sub(1) * conv.width + out_width).next_multiple_of(LANES);
        let together = (LONG / positions.max(1)).clamp(1, batch.max(1));
        let reach = (places.last().copied().unwrap_or(0) as usize).next_multiple_of(LANES);
        Sizes { plane, vectors: plane.next_multiple_of(LANES), places, reach, positions, together }
    }

    /// To results that lie so far apart.
    fn forward(&self, conv: &Conv, result: usize) -> Correlation<'_> {
        Correlation {
            places: &self.places,
            channels: conv.channels,
            channel: self.plane,
            image: conv.image(),
            filters: conv.filters,
            result,
            positions: self.positions,
            edges: None,
        }
    }

    /// Where the rows of results lie between those of no place, filters being so far apart, and where without them.
    fn rows(&self, conv: &Conv, images: usize, result: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let ((height, width), pitch) = (conv.output().unwrap_or((0, 0)), conv.width);
        (0..images * conv.filters).flat_map(move |plane| {
            (0..height).map(move |row| (plane * result + row * pitch, (plane * height + row) * width))
        })
    }
}

/// What is read of some images, of which `x` holds these and all behind them: with the last ones some floats more, of any value, since the
/// last vector of positions ends beyond them.
fn readable<'a, T: Real>(of: &Correlation, x: &'a [T], images: usize, room: &'a mut Buffer<T>) -> &'a [T] {
    let needed = images * of.image + LANES;
    if x.len() >= needed {
        return x;
    }
    *room = Buffer::zeros(needed);
    room[..x.len()].copy_from_slice(x);
    room
}

/// As in [`super::same`].
pub(super) fn forward<T: Real>(conv: &Conv, (x, w): (&[T], &[T]), y: &mut [T], mut finish: impl FnMut(&mut [T])) {
    let (sizes, width) = (Sizes::of(conv, y.len() / conv.result()), conv.output().map_or(0, |(_, width)| width));
    let of = sizes.forward(conv, sizes.positions);
    let (mut results, mut room) = (Buffer::any(sizes.together * conv.filters * sizes.positions), Buffer::none());
    for (i, y) in y.chunks_mut(sizes.together * conv.result()).enumerate() {
        let images = y.len() / conv.result();
        let x = readable(&of, &x[i * sizes.together * conv.image()..], images, &mut room);
        let results = &mut results[..images * conv.filters * sizes.positions];
        of.apply(w, x, results);
        vectorized(CopyRows { rows: sizes.rows(conv, images, sizes.positions), width, from: results, to: y });
        finish(y);
    }
}

/// As in [`super::same`].
pub(super) fn backward<T: Real>(
    conv: &Conv,
    (x, w): (&[T], &[T]),
    dz: &mut [T],
    mut begin: impl FnMut(&mut [T]),
    (dw, mut dx): (&mut [T], Option<&mut [T]>),
) {
    let (sizes, width) = (Sizes::of(conv, dz.len() / conv.result()), conv.output().map_or(0, |(_, width)| width));
    let Sizes { plane, vectors, reach, together, .. } = sizes;
    let of = sizes.forward(conv, vectors);
    let image = conv.filters * vectors;
    // Between the rows, and before the first one, nothing but zeros is ever written.
    let mut spread = Buffer::zeros(reach + together * image);
    let places: Vec<_> = conv.places().collect();
    let back: Vec<isize> = sizes.places.iter().map(|place| reach as isize - place).collect();
    let weights = if dx.is_some() { conv.back(w, &places) } else { Vec::new() };
    let to_images = Correlation {
        places: &back,
        channels: conv.filters,
        channel: vectors,
        image,
        filters: conv.channels,
        result: vectors,
        positions: vectors,
        edges: None,
    };
    let mut by_pixels = Buffer::any(if dx.is_some() { together * conv.channels * vectors } else { 0 });
    let (mut sums, mut room) = (Sums::new(&of), Buffer::none());
    for (i, dz) in dz.chunks_mut(together * conv.result()).enumerate() {
        begin(dz);
        let (images, start) = (dz.len() / conv.result(), i * together * conv.image());
        let spread = &mut spread[..reach + images * image];
        let rows = sizes.rows(conv, images, vectors).map(|(to, from)| (from, to));
        vectorized(CopyRows { rows, width, from: dz, to: &mut spread[reach..] });
        of.add_gradient(readable(&of, &x[start..], images, &mut room), &spread[reach..], &mut sums);
        if let Some(dx) = &mut dx {
            let by_pixels = &mut by_pixels[..images * conv.channels * vectors];
            to_images.apply(&weights, spread, by_pixels);
            let rows = (0..images * conv.channels).map(|channel| (channel * vectors, channel * plane));
            vectorized(CopyRows { rows, width: plane, from: by_pixels, to: &mut dx[start..] });
        }
    }
    sums.total(dw);
}
