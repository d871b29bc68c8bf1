//! One change of an image, its mask and its boxes.

use crate::data::ObjectBox;

/// What is done to an image: flipped, turned and scaled about its center, then moved; and each of its numbers changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Across, down.
    pub flip: [bool; 2],
    /// In pixels, across and down.
    pub shift: [f64; 2],
    /// In degrees, clockwise.
    pub turn: f64,
    pub scale: f64,
    pub brightness: f64,
    pub contrast: f64,
    /// Added to each channel of a color image.
    pub tint: [f64; 3],
    /// Whether every channel becomes the mean of all, before anything is added.
    pub gray: bool,
}

impl Change {
    /// Nothing.
    #[cfg(test)]
    pub(super) const STILL: Change = Change {
        flip: [false; 2],
        shift: [0.0; 2],
        turn: 0.0,
        scale: 1.0,
        brightness: 0.0,
        contrast: 1.0,
        tint: [0.0; 3],
        gray: false,
    };
}

/// So much of a box must be left in the image; of less, the object is ignored.
const LEAST_LEFT: f64 = 1.0 / 3.0;

impl Change {
    /// `image` and `out` are `[channels, height, width]`, linear between the four pixels around a place; beyond an edge the edge repeats.
    pub fn image(&self, [channels, height, width]: [usize; 3], image: &[f32], out: &mut [f32]) {
        let size = [height, width];
        let pixels = height * width;
        let places: Vec<[f64; 2]> = self.places(size).collect();
        let mean = image.iter().map(|x| f64::from(*x)).sum::<f64>() / image.len().max(1) as f64;
        for channel in 0..channels {
            let plane = &image[channel * height * width..(channel + 1) * height * width];
            let out = &mut out[channel * height * width..(channel + 1) * height * width];
            for (out, place) in out.iter_mut().zip(&places) {
                *out = between(size, plane, *place);
            }
        }
        if self.gray {
            for pixel in 0..pixels {
                let channels = || (pixel..channels * pixels).step_by(pixels);
                let gray = channels().map(|at| f64::from(out[at])).sum::<f64>() / channels().len() as f64;
                channels().for_each(|at| out[at] = gray as f32);
            }
        }
        if (self.brightness, self.contrast, self.tint) != (0.0, 1.0, [0.0; 3]) {
            for (plane, tint) in out.chunks_exact_mut(pixels.max(1)).zip(self.tint.iter().cycle()) {
                plane.iter_mut().for_each(|x| {
                    *x = ((f64::from(*x) - mean) * self.contrast + mean + self.brightness + tint) as f32;
                });
            }
        }
    }

    /// `mask` and `out` are `[height, width]`: each pixel is the one that its place lies in; beyond an edge the edge repeats.
    pub fn mask(&self, [height, width]: [usize; 2], mask: &[u8], out: &mut [u8]) {
        let nearest = |place: f64, count: usize| place.floor().clamp(0.0, count as f64 - 1.0) as usize;
        for (out, [x, y]) in out.iter_mut().zip(self.places([height, width])) {
            *out = mask[nearest(y, height) * width + nearest(x, width)];
        }
    }

    /// The box around the turned corners, cut at the edges; an object of which less than a third is left is ignored, one of which nothing
    /// is left is none.
    pub fn object(&self, size: [usize; 2], object: ObjectBox) -> Option<ObjectBox> {
        let [x1, y1, x2, y2] = object.corners.map(f64::from);
        let moved = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]].map(|corner| self.moved(size, corner));
        let range = |axis: usize, edge: usize| {
            let places = moved.map(|corner| corner[axis]);
            let (low, high) = places.iter().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
            (low.clamp(0.0, edge as f64), high.clamp(0.0, edge as f64), high - low)
        };
        let ((left, right, width), (top, bottom, height)) = (range(0, size[1]), range(1, size[0]));
        let corners = [left, top, right, bottom].map(|x| x as f32);
        let share = (right - left) * (bottom - top) / (width * height);
        let is_there = corners[0] < corners[2] && corners[1] < corners[3];
        is_there.then_some(ObjectBox { corners, ignored: object.ignored || share < LEAST_LEFT, ..object })
    }

    /// Where a place of the image, `[x, y]`, comes to lie.
    fn moved(&self, size: [usize; 2], place: [f64; 2]) -> [f64; 2] {
        let center = center(size);
        let [x, y] =
            [0, 1].map(|axis| if self.flip[axis] { center[axis] - place[axis] } else { place[axis] - center[axis] });
        let (sin, cos) = self.turn.to_radians().sin_cos();
        let turned = [cos * x - sin * y, sin * x + cos * y];
        [0, 1].map(|axis| center[axis] + self.scale * turned[axis] + self.shift[axis])
    }

    /// Where the middle of each pixel comes from, line by line, `[x, y]`.
    fn places(&self, [height, width]: [usize; 2]) -> impl Iterator<Item = [f64; 2]> {
        let (change, center) = (*self, center([height, width]));
        let (sin, cos) = self.turn.to_radians().sin_cos();
        let place = move |pixel: usize| {
            let middle = [(pixel % width) as f64 + 0.5, (pixel / width) as f64 + 0.5];
            let [x, y] = [0, 1].map(|axis| (middle[axis] - center[axis] - change.shift[axis]) / change.scale);
            let turned = [cos * x + sin * y, cos * y - sin * x];
            [0, 1].map(|axis| center[axis] + if change.flip[axis] { -turned[axis] } else { turned[axis] })
        };
        (0..height * width).map(place)
    }
}

/// `[x, y]`
fn center([height, width]: [usize; 2]) -> [f64; 2] {
    [width as f64 / 2.0, height as f64 / 2.0]
}

/// A plane at a place, linear between the middles of the four pixels around it.
fn between([height, width]: [usize; 2], plane: &[f32], [x, y]: [f64; 2]) -> f32 {
    let around = |place: f64, count: usize| {
        let place = (place - 0.5).clamp(0.0, count as f64 - 1.0);
        let below = place.floor() as usize;
        (below, (below + 1).min(count - 1), place - place.floor())
    };
    let ((left, right, across), (top, bottom, down)) = (around(x, width), around(y, height));
    let line = |row: usize| {
        let [left, right] = [left, right].map(|column| f64::from(plane[row * width + column]));
        left + across * (right - left)
    };
    (line(top) + down * (line(bottom) - line(top))) as f32
}

#[cfg(test)]
mod tests {
    use super::super::Augmentation;
    use super::*;
    use crate::stream;

    const STILL: Change = Change::STILL;
    const SIZE: [usize; 2] = [7, 9];
    /// Two channels, every pixel another number.
    fn image() -> Vec<f32> {
        (0..2 * 63).map(|i| (i as f32 * 0.37).sin()).collect()
    }

    fn changed(change: Change, image: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; image.len()];
        change.image([2, SIZE[0], SIZE[1]], image, &mut out);
        out
    }

    fn mask_of(change: Change, mask: &[u8]) -> Vec<u8> {
        let mut out = vec![0; mask.len()];
        change.mask(SIZE, mask, &mut out);
        out
    }

    fn object(corners: [f32; 4]) -> ObjectBox {
        ObjectBox { corners, class: 3, ignored: false }
    }

    #[test]
    fn flips_come_back_exactly_and_mirror() {
        let (image, mask) = (image(), (0..63).collect::<Vec<u8>>());
        let thing = object([1.0, 2.5, 4.0, 6.0]);
        for flip in [[true, false], [false, true], [true, true], [false, false]] {
            let change = Change { flip, ..STILL };
            let (once, mask_once) = (changed(change, &image), mask_of(change, &mask));
            assert_eq!(changed(change, &once), image);
            assert_eq!(mask_of(change, &mask_once), mask);
            let moved = change.object(SIZE, thing).unwrap();
            assert_eq!(change.object(SIZE, moved), Some(thing));
            for (place, value) in mask_once.iter().enumerate() {
                let [row, column] = [place / 9, place % 9];
                let from = if flip[1] { 6 - row } else { row } * 9 + if flip[0] { 8 - column } else { column };
                assert_eq!((*value, once[63 + place]), (mask[from], image[63 + from]), "{flip:?}");
            }
        }
        let mirrored = Change { flip: [true, false], ..STILL }.object(SIZE, thing).unwrap();
        assert_eq!(mirrored.corners, [5.0, 2.5, 8.0, 6.0]);
    }

    /// What did not leave the image is where it was.
    #[test]
    fn shifts_come_back_exactly() {
        let (image, mask) = (image(), (0..63).collect::<Vec<u8>>());
        let there = Change { shift: [2.0, -1.0], ..STILL };
        let back = Change { shift: [-2.0, 1.0], ..STILL };
        let (moved, returned) = (changed(there, &image), changed(back, &changed(there, &image)));
        let mask_returned = mask_of(back, &mask_of(there, &mask));
        for row in 1..7 {
            for column in 0..7 {
                let place = row * 9 + column;
                assert_eq!((returned[place], mask_returned[place]), (image[place], mask[place]));
                assert_eq!(moved[place - 9 + 2], image[place], "to the right and up");
            }
        }
        assert_eq!(moved[6 * 9 + 5], image[6 * 9 + 3], "the edge repeats");
        let thing = object([1.0, 2.0, 4.5, 5.0]);
        assert_eq!(there.object(SIZE, thing).unwrap().corners, [3.0, 1.0, 6.5, 4.0]);
        assert_eq!(back.object(SIZE, there.object(SIZE, thing).unwrap()), Some(thing));
    }

    /// A bright blob on 64×64 pixels, its mask and its box, moved in many ways: the mask covers what is bright, and the box fits it, as
    /// tightly as a box around the turned corners can.
    #[test]
    fn masks_and_boxes_follow_the_image() {
        let (size, pixels) = ([64, 64], 64 * 64);
        let inside = |pixel: usize| (24..40).contains(&(pixel % 64)) && (20..30).contains(&(pixel / 64));
        let image: Vec<f32> = (0..pixels).map(|pixel| f32::from(u8::from(inside(pixel)))).collect();
        let mask: Vec<u8> = (0..pixels).map(|pixel| u8::from(inside(pixel))).collect();
        let settings = Augmentation { shift: 8.0, turn: 30.0, scale: 0.3, flip_horizontal: true, ..Default::default() };
        let mut rng = stream(0, "augmentation", 0);
        for _ in 0..50 {
            let change = Change { flip: [settings.drawn(&mut rng).flip[0], false], ..settings.drawn(&mut rng) };
            let (mut moved, mut moved_mask) = (vec![0.0; pixels], vec![0; pixels]);
            change.image([1, 64, 64], &image, &mut moved);
            change.mask(size, &mask, &mut moved_mask);
            let found = change.object(size, object([24.0, 20.0, 40.0, 30.0])).unwrap();
            assert!(!found.ignored, "{change:?}");
            let agree = moved.iter().zip(&moved_mask).filter(|(x, class)| (**x > 0.5) == (**class == 1)).count();
            assert!(agree + 12 > pixels, "{agree} of {pixels} for {change:?}");
            let bright: Vec<usize> = (0..pixels).filter(|pixel| moved_mask[*pixel] == 1).collect();
            let range = |of: fn(usize) -> usize| {
                let places = || bright.iter().map(|pixel| of(*pixel));
                [places().min().unwrap() as f32, places().max().unwrap() as f32 + 1.0]
            };
            let ([left, right], [top, bottom]) = (range(|pixel| pixel % 64), range(|pixel| pixel / 64));
            let apart = [left, top, right, bottom].into_iter().zip(found.corners).map(|(a, b)| (a - b).abs());
            assert!(apart.fold(0.0, f32::max) <= 1.5, "{found:?} around {:?}", [left, top, right, bottom]);
        }
    }

    #[test]
    fn objects_that_leave_are_ignored_and_then_gone() {
        let thing = object([0.0, 0.0, 3.0, 3.0]);
        let left = |shift: f64| Change { shift: [-shift, 0.0], ..STILL }.object(SIZE, thing);
        assert_eq!(left(2.0).map(|object| (object.corners, object.ignored)), Some(([0.0, 0.0, 1.0, 3.0], false)));
        assert_eq!(left(2.5).map(|object| (object.corners, object.ignored)), Some(([0.0, 0.0, 0.5, 3.0], true)));
        assert_eq!(left(3.0), None);
    }

    /// The mean stays under contrast, and moves by the brightness.
    #[test]
    fn brightness_and_contrast_change_moments() {
        let image = image();
        let moments = |image: &[f32]| {
            let scale = crate::data::Scale::of(image.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
            [scale.mean, scale.deviation]
        };
        let [mean, deviation] = moments(&image);
        let [light, wide] = moments(&changed(Change { brightness: 0.3, contrast: 1.5, ..STILL }, &image));
        assert!((light - mean - 0.3).abs() < 1e-6 && (wide - 1.5 * deviation).abs() < 1e-6, "{light} {wide}");
    }

    #[test]
    fn a_gray_image_has_one_plane_thrice_and_a_tint_tells_them_apart() {
        let image = [1.0, 2.0, 3.0, 6.0, 5.0, 1.0];
        let changed = |change: Change| {
            let mut out = [0.0; 6];
            change.image([3, 1, 2], &image, &mut out);
            out
        };
        assert_eq!(changed(Change { gray: true, ..STILL }), [3.0; 6]);
        assert_eq!(changed(Change { tint: [0.5, -1.0, 0.0], ..STILL }), [1.5, 2.5, 2.0, 5.0, 5.0, 1.0]);
        assert_eq!(changed(Change { gray: true, tint: [0.5, -1.0, 0.0], ..STILL }), [3.5, 3.5, 2.0, 2.0, 3.0, 3.0]);
    }
}
