//! Images to look at.

/// `[height][width]` pixels of red, green and blue.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[u8; 3]>,
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
        Picture { width, height, pixels: (0..width * height).map(pixel).collect() }
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

    /// Three pixels in two cells: each has the half of the middle one.
    #[test]
    fn shrinking_keeps_the_mean() {
        let picture = Picture::new([1, 1, 3], |_, pixel| [0.0, 1.0, 0.0][pixel]);
        let cells = picture.shrunk(2, 1);
        assert!(cells[0].iter().all(|cell| (cell - 1.0 / 3.0).abs() < 1e-9), "{cells:?}");
        assert_eq!(picture.shrunk(6, 2)[1], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    }
}
