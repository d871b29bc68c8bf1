//! Convolutions that keep the size and move pixel by pixel: they need no zeros around their images, but to know where they end.

use super::Conv;
use crate::kernel::activation::Real;
use crate::kernel::correlation::{Correlation, Edges, Sums};

/// Images as they lie, of so many channels, to as many as there are filters.
fn correlation<'a>(edges: &'a Edges, positions: usize, [channels, filters]: [usize; 2]) -> Correlation<'a> {
    Correlation {
        places: edges.places(),
        channels,
        channel: positions,
        image: channels * positions,
        filters,
        result: positions,
        positions,
        edges: Some(edges),
    }
}

/// Results that are written before they are finished, so that they stay in the caches.
const NEAR: usize = 1 << 15;

/// `y` without bias and activation; `finish` gets images of it one after another.
pub(super) fn forward<T: Real>(conv: &Conv, (x, w): (&[T], &[T]), y: &mut [T], mut finish: impl FnMut(&mut [T])) {
    let (edges, positions) = (Edges::new(conv.height, conv.width, conv.kernel), conv.pixels());
    let of = correlation(&edges, positions, [conv.channels, conv.filters]);
    let (image, result) = (of.image, conv.filters * positions);
    let together = (NEAR / result.max(1)).max(1);
    for (x, y) in x.chunks(together * image).zip(y.chunks_mut(together * result)) {
        of.apply(w, x, y);
        finish(y);
    }
}

/// The gradients of weights and, where there is room for it, of `x`; `begin` makes `dz` of images one after another.
pub(super) fn backward<T: Real>(
    conv: &Conv,
    (x, w): (&[T], &[T]),
    dz: &mut [T],
    mut begin: impl FnMut(&mut [T]),
    (dw, dx): (&mut [T], Option<&mut [T]>),
) {
    let (edges, positions) = (Edges::new(conv.height, conv.width, conv.kernel), conv.pixels());
    dz.chunks_exact_mut(conv.filters * positions).for_each(&mut begin);
    let of = correlation(&edges, positions, [conv.channels, conv.filters]);
    let mut sums = Sums::new(&of);
    of.add_gradient(x, dz, &mut sums);
    sums.total(dw);
    if let Some(dx) = dx {
        // A pixel meets the weights of a filter from the last one on.
        let places: Vec<_> = conv.places().collect();
        let turned: Vec<_> = places.into_iter().rev().collect();
        correlation(&edges, positions, [conv.filters, conv.channels]).apply(&conv.back(w, &turned), dz, dx);
    }
}
