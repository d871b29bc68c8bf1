//! Convolutions by way of images with zeros around them, whatever their stride and padding.

use super::Conv;
use crate::kernel::activation::Real;
use crate::kernel::correlation::{Correlation, Sums};
use crate::kernel::planes::{Planes, Sides};

impl Conv {
    fn planes(&self, batch: usize) -> Planes {
        let Conv { height, width, kernel, stride, padding, .. } = *self;
        let result = self.output().unwrap_or((0, 0));
        Planes::new(&Sides { image: (height, width), result, kernel, stride, padding }, batch)
    }
}

/// One image, in which several lie behind one another.
fn correlation<'a>(
    planes: &Planes,
    places: &'a [isize],
    channel: usize,
    [channels, filters]: [usize; 2],
) -> Correlation<'a> {
    let positions = planes.positions();
    Correlation { places, channels, channel, image: 0, filters, result: positions, positions, edges: None }
}

/// As in [`super::same`].
pub(super) fn forward<T: Real>(conv: &Conv, (x, w): (&[T], &[T]), y: &mut [T], mut finish: impl FnMut(&mut [T])) {
    let planes = conv.planes(y.len() / conv.result());
    let (mut images, mut results) = (planes.images(conv.channels), planes.results(conv.filters));
    let places: Vec<isize> = conv.places().map(|place| planes.place(place)).collect();
    let sides = [conv.channels, conv.filters];
    let of = correlation(&planes, &places, planes.phases() * planes.positions(), sides);
    let together = planes.together();
    for (x, y) in x.chunks(together * conv.image()).zip(y.chunks_mut(together * conv.result())) {
        planes.put_images(x, conv.channels, &mut images);
        of.apply(w, &images, &mut results);
        planes.take_results(&results, conv.filters, y);
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
    let planes = conv.planes(dz.len() / conv.result());
    let (mut images, mut gradients) = (planes.images(conv.channels), planes.gradients(conv.filters));
    let places: Vec<isize> = conv.places().map(|place| planes.place(place)).collect();
    let sides = [conv.channels, conv.filters];
    let of = correlation(&planes, &places, planes.phases() * planes.positions(), sides);
    let of_phase = |phase: usize| {
        let places: Vec<_> = conv.places().filter(|(row, column)| planes.phase(*row, *column) == phase).collect();
        let back: Vec<isize> = places.iter().map(|place| planes.place_back(*place)).collect();
        (back, conv.back(w, &places))
    };
    let back: Vec<_> = (0..planes.phases()).map(of_phase).collect();
    let mut by_pixels = planes.results(conv.channels);
    let (mut sums, together) = (Sums::new(&of), planes.together());
    let groups = x.chunks(together * conv.image()).zip(dz.chunks_mut(together * conv.result()));
    for (i, (x, dz)) in groups.enumerate() {
        begin(dz);
        planes.put_images(x, conv.channels, &mut images);
        planes.put_gradients(dz, conv.filters, &mut gradients);
        of.add_gradient(&images, planes.of_results(&gradients), &mut sums);
        let Some(dx) = &mut dx else { continue };
        let dx = &mut dx[i * together * conv.image()..][..x.len()];
        for (phase, (places, weights)) in back.iter().enumerate() {
            let of = correlation(&planes, places, planes.positions(), [conv.filters, conv.channels]);
            of.apply(weights, &gradients, &mut by_pixels);
            planes.take_images(phase, &by_pixels, conv.channels, dx);
        }
    }
    sums.total(dw);
}
