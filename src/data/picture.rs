//! Images to look at, with what is predicted of them on top.

use super::ObjectBox;

/// `[height][width]` pixels of red, green and blue.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[u8; 3]>,
    /// Lines around what is in it.
    pub outlines: Vec<Outline>,
}

/// A rectangle in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outline {
    /// As those of an [`ObjectBox`].
    pub corners: [f64; 4],
    pub color: [u8; 3],
}

/// Colors of classes on images, which are dark more often than not (those of Okabe and Ito 2008, and three lighter ones).
const CLASS_COLORS: [[u8; 3]; 10] = [
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    [213, 94, 0],
    [204, 121, 167],
    [0, 114, 178],
    [255, 255, 255],
    [160, 255, 160],
    [255, 170, 170],
];

/// Of what is ignored.
pub const IGNORED_COLOR: [u8; 3] = [150, 150, 150];

/// The color of a class of objects; those behind the tenth begin anew.
pub fn class_color(class: usize) -> [u8; 3] {
    CLASS_COLORS[class % CLASS_COLORS.len()]
}

/// The color of a class of pixels, of which the first is no object and has none.
pub fn mask_color(class: usize) -> Option<[u8; 3]> {
    class.checked_sub(1).map(class_color)
}

impl Picture {
    /// `shares` gives the brightness of a channel of a pixel, 0 to 1. Three channels, or three and a transparency, are colors; of
    /// any other number the mean is gray.
    pub fn new([channels, height, width]: [usize; 3], shares: impl Fn(usize, usize) -> f64) -> Picture {
        let byte = |share: f64| (share.clamp(0.0, 1.0) * 255.0).round() as u8;
        let pixel = |pixel: usize| match channels {
            3 | 4 => std::array::from_fn(|channel| byte(shares(channel, pixel))),
            _ => [byte((0..channels).map(|channel| shares(channel, pixel)).sum::<f64>() / channels as f64); 3],
        };
        Picture { width, height, pixels: (0..width * height).map(pixel).collect(), outlines: Vec::new() }
    }

    /// With half of the color of its class on every pixel of an object; `mask` is `[height, width]`.
    pub fn tinted(mut self, mask: &[u8], ignored: Option<u8>) -> Picture {
        for (pixel, class) in self.pixels.iter_mut().zip(mask) {
            let color = if ignored == Some(*class) { Some(IGNORED_COLOR) } else { mask_color(usize::from(*class)) };
            let Some(color) = color else { continue };
            *pixel = std::array::from_fn(|channel| pixel[channel] / 2 + color[channel] / 2);
        }
        self
    }

    /// With a line around every object.
    pub fn outlined(mut self, boxes: &[ObjectBox]) -> Picture {
        let outline = |object: &ObjectBox| Outline {
            corners: object.corners.map(f64::from),
            color: if object.ignored { IGNORED_COLOR } else { class_color(object.class as usize) },
        };
        self.outlines.extend(boxes.iter().map(outline));
        self
    }

    /// The mean brightness of every part of a grid that is laid over it, 0 to 1, `[lines][columns]`.
    pub fn shrunk(&self, columns: usize, lines: usize) -> Vec<Vec<f64>> {
        let across = cover(self.width, columns);
        let down = cover(self.height, lines);
        let gray = |x: usize, y: usize| {
            let [r, g, b] = self.pixels[y * self.width + x].map(f64::from);
            (0.299 * r + 0.587 * g + 0.114 * b) / 255.0
        };
        let mean = |xs: &[(usize, f64)], ys: &[(usize, f64)]| {
            let of_row =
                |(y, share): &(usize, f64)| share * xs.iter().map(|(x, share)| share * gray(*x, *y)).sum::<f64>();
            ys.iter().map(of_row).sum::<f64>()
        };
        down.iter().map(|ys| across.iter().map(|xs| mean(xs, ys)).collect()).collect()
    }
}

/// Of each of `cells` equal parts of `pixels`, the pixels that lie in it, with their shares of it.
fn cover(pixels: usize, cells: usize) -> Vec<Vec<(usize, f64)>> {
    let size = pixels as f64 / cells as f64;
    let cell = |cell: usize| {
        let (from, to) = (cell as f64 * size, (cell + 1) as f64 * size);
        let overlap = |pixel: usize| (to.min(pixel as f64 + 1.0) - from.max(pixel as f64)).max(0.0) / size;
        let last = (to.ceil() as usize).min(pixels);
        (from as usize..last).map(|pixel| (pixel, overlap(pixel))).collect()
    };
    (0..cells).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_colors_or_gray() {
        let of = |channels| Picture::new([channels, 1, 2], |channel, pixel| channel as f64 / 2.0 * pixel as f64);
        assert_eq!(of(3).pixels, [[0; 3], [0, 128, 255]]);
        assert_eq!(of(2).pixels, [[0; 3], [64; 3]]);
        assert_eq!(of(1).pixels, [[0; 3]; 2]);
    }

    #[test]
    fn classes_are_seen_on_top() {
        let gray = Picture::new([1, 1, 4], |_, _| 1.0);
        let tinted = gray.clone().tinted(&[0, 1, 2, 255], Some(255));
        assert_eq!(tinted.pixels, [[255; 3], [242, 206, 127], [170, 217, 243], [202; 3]]);
        let object = ObjectBox { corners: [0.0, 0.0, 2.0, 1.0], class: 10, ignored: false };
        let outlined = gray.outlined(&[object, ObjectBox { ignored: true, ..object }]);
        assert_eq!([outlined.outlines[0].color, outlined.outlines[1].color], [[230, 159, 0], IGNORED_COLOR]);
    }

    /// Three pixels in two cells: each has the half of the middle one.
    #[test]
    fn shrinking_keeps_the_mean() {
        let picture = Picture::new([1, 1, 3], |_, pixel| [0.0, 1.0, 0.0][pixel]);
        let cells = picture.shrunk(2, 1);
        assert!(cells[0].iter().all(|cell| (cell - 1.0 / 3.0).abs() < 1e-9), "{cells:?}");
        assert_eq!(picture.shrunk(6, 2)[1], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    }
}
