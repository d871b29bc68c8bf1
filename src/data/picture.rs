//! Images to look at, with what is predicted of them on top.

use super::ObjectBox;
use super::decoded::{self, Samples};
use crate::{Error, Result};
use std::borrow::Cow;

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
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// As those of an [`ObjectBox`].
    pub corners: [f64; 4],
    pub color: [u8; 3],
    /// A few words to stand on it, where there is room.
    pub words: String,
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
    pub fn tinted(self, mask: &[u8], ignored: Option<u8>) -> Picture {
        let color =
            |class: u8| if ignored == Some(class) { Some(IGNORED_COLOR) } else { mask_color(usize::from(class)) };
        self.colored(|pixel| color(mask[pixel]), 0.5)
    }

    /// With a share of a color on every pixel that has one.
    pub fn colored(mut self, color: impl Fn(usize) -> Option<[u8; 3]>, share: f64) -> Picture {
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            let Some(color) = color(i) else { continue };
            let part = |value: u8, share: f64| (f64::from(value) * share) as u8;
            *pixel = std::array::from_fn(|channel| part(pixel[channel], 1.0 - share) + part(color[channel], share));
        }
        self
    }

    /// Every `by`-th part as large both ways: the mean of each square of pixels; what is left over at the right and the lower edge is left out.
    pub fn reduced(&self, by: usize) -> Picture {
        let (width, height) = (self.width / by, self.height / by);
        let mean = |x: usize, y: usize, channel: usize| {
            let places = (0..by * by).map(|i| (y * by + i / by) * self.width + x * by + i % by);
            let sum: usize = places.map(|place| usize::from(self.pixels[place][channel])).sum();
            ((sum + by * by / 2) / (by * by)) as u8
        };
        let pixel = |i: usize| std::array::from_fn(|channel| mean(i % width, i / width, channel));
        Picture { width, height, pixels: (0..width * height).map(pixel).collect(), outlines: Vec::new() }
    }

    /// Pictures of one size as a single one, from left to right.
    pub fn side_by_side(pictures: &[Picture]) -> Picture {
        let [width, height] = pictures.first().map_or([0; 2], |first| [first.width, first.height]);
        let rows = (0..height).flat_map(|y| pictures.iter().map(move |of| &of.pixels[y * width..(y + 1) * width]));
        let pixels = rows.flatten().copied().collect();
        Picture { width: width * pictures.len(), height, pixels, outlines: Vec::new() }
    }

    /// The other way round: as many pictures of one size as [`Self::side_by_side`] has put together.
    pub fn apart(&self, pictures: usize) -> Vec<Picture> {
        let width = self.width / pictures.max(1);
        let of = |i: usize| {
            let rows = (0..self.height).map(|y| y * self.width + i * width);
            let pixels = rows.flat_map(|from| self.pixels[from..from + width].iter().copied()).collect();
            Picture { width, height: self.height, pixels, outlines: Vec::new() }
        };
        (0..pictures).map(of).collect()
    }

    pub fn is_gray(&self) -> bool {
        self.pixels.iter().all(|[r, g, b]| r == g && g == b)
    }

    /// The bytes of a PNG file; outlines are left out.
    ///
    /// # Errors
    /// When it has no pixel.
    pub fn png(&self) -> Result<Vec<u8>> {
        let (color, pixels) = match self.is_gray() {
            true => (png::ColorType::Grayscale, Cow::Owned(self.pixels.iter().map(|[r, ..]| *r).collect::<Vec<_>>())),
            false => (png::ColorType::Rgb, Cow::Borrowed(self.pixels.as_flattened())),
        };
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
        written.map_err(|error| Error::Drawing(error.to_string()))?;
        Ok(bytes)
    }

    /// Reads it back.
    ///
    /// # Errors
    /// When it is no image, or one of more than 8 bits; the message says which.
    pub fn of_png(content: &[u8]) -> Result<Picture, String> {
        let header = decoded::header(content)?;
        let Samples::Bytes(bytes) = decoded::image(content)? else { return Err("an image of 16 bits".into()) };
        let [height, width] = header.size();
        let pixel = |samples: &[u8]| if let [r, g, b] = *samples { [r, g, b] } else { [samples[0]; 3] };
        let pixels = bytes.chunks_exact(header.channels).map(pixel).collect();
        Ok(Picture { width, height, pixels, outlines: Vec::new() })
    }

    /// With a line around every object.
    pub fn outlined(mut self, boxes: &[ObjectBox]) -> Picture {
        let outline = |object: &ObjectBox| Outline {
            corners: object.corners.map(f64::from),
            color: if object.ignored { IGNORED_COLOR } else { class_color(object.class as usize) },
            words: String::new(),
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

    #[test]
    fn pictures_go_through_a_file_side_by_side() {
        for channels in [1, 3] {
            let of = |seed: usize| {
                Picture::new([channels, 2, 3], |channel, pixel| ((channel * 7 + pixel * 5 + seed) % 11) as f64 / 10.0)
            };
            let pictures = [of(0), of(1), of(4)];
            let strip = Picture::side_by_side(&pictures);
            assert_eq!((strip.width, strip.height, strip.is_gray()), (9, 2, channels == 1));
            let back = Picture::of_png(&strip.png().unwrap()).unwrap();
            assert_eq!(back.apart(3), pictures);
        }
        assert!(Picture::of_png(b"no image").is_err());
    }

    /// Of four squares of four pixels and a column that is left over.
    #[test]
    fn a_reduced_picture_has_the_means_of_its_squares() {
        let bytes = [0u8, 4, 255, 255, 9, 8, 0, 255, 255, 9];
        let picture = Picture::new([1, 2, 5], |_, pixel| f64::from(bytes[pixel]) / 255.0);
        assert_eq!(picture.reduced(2).pixels, [[3; 3], [255; 3]]);
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
