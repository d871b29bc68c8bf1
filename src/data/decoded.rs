//! Image files, decoded: PNG and JPEG. What a file is say its first bytes, not its name.

use png::{BitDepth, ColorType, Transformations};
use std::io::Cursor;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// A file, and an image that is decoded, may have so many bytes: 8192×8192 gray pixels.
pub const MOST_BYTES: usize = 1 << 26;

/// What a file says of its image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    width: usize,
    height: usize,
    /// 1 of a gray image, 3 of another one.
    pub channels: usize,
    /// 16 bits for each number rather than 8.
    pub wide: bool,
    /// Whether it says how transparent each pixel is.
    pub transparent: bool,
}

/// The numbers of an image, `[height, width, channels]`.
pub enum Samples {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
}

impl Header {
    /// `[height, width]`
    pub fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// `64×48`, the width first.
    pub fn in_words(&self) -> String {
        format!("{}×{}", self.width, self.height)
    }

    fn checked(self) -> Result<Header, String> {
        let bytes =
            self.width.saturating_mul(self.height).saturating_mul(self.channels * if self.wide { 2 } else { 1 });
        match bytes {
            0 => Err(format!("an image of {} pixels", self.in_words())),
            1..=MOST_BYTES => Ok(self),
            _ => Err(format!("an image of {} pixels is {bytes} bytes; it may have {MOST_BYTES}", self.in_words())),
        }
    }
}

enum Format {
    Png,
    Jpeg,
}

fn format(content: &[u8]) -> Result<Format, String> {
    match content {
        [0x89, b'P', b'N', b'G', ..] => Ok(Format::Png),
        [0xff, 0xd8, ..] => Ok(Format::Jpeg),
        [] => Err("the file is empty".into()),
        _ => Err("neither PNG nor JPEG by its first bytes".into()),
    }
}

/// # Errors
/// When it is broken, or its image beyond reason.
pub fn header(content: &[u8]) -> Result<Header, String> {
    match format(content)? {
        Format::Png => {
            let (color, depth, reader) = opened(content, Transformations::EXPAND)?;
            let (channels, transparent) = match color {
                ColorType::Grayscale | ColorType::Indexed => (1, false),
                ColorType::GrayscaleAlpha => (1, true),
                ColorType::Rgb => (3, false),
                ColorType::Rgba => (3, true),
            };
            let (width, height) = reader.info().size();
            let wide = depth == BitDepth::Sixteen;
            Header { width: width as usize, height: height as usize, channels, wide, transparent }.checked()
        }
        Format::Jpeg => Ok(jpeg(content)?.0),
    }
}

/// Gray images have one number per pixel, all others three; how transparent a pixel is is left out.
///
/// # Errors
/// As [`header`].
pub fn image(content: &[u8]) -> Result<Samples, String> {
    let header = header(content)?;
    match format(content)? {
        Format::Jpeg => {
            let (_, mut decoder) = jpeg(content)?;
            Ok(Samples::Bytes(decoder.decode().map_err(|error| format!("broken JPEG: {error}"))?))
        }
        Format::Png => {
            let (color, _, reader) = opened(content, Transformations::EXPAND)?;
            let bytes = frame(reader)?;
            let stride = color.samples();
            Ok(match header.wide {
                false => Samples::Bytes(without_rest(&bytes, stride, header.channels)),
                true => {
                    let words: Vec<u16> = bytes.as_chunks().0.iter().map(|word| u16::from_be_bytes(*word)).collect();
                    Samples::Words(without_rest(&words, stride, header.channels))
                }
            })
        }
    }
}

/// The first `kept` of every `stride` numbers.
fn without_rest<T: Copy>(samples: &[T], stride: usize, kept: usize) -> Vec<T> {
    samples.chunks_exact(stride).flat_map(|pixel| &pixel[..kept]).copied().collect()
}

type PngReader<'a> = png::Reader<Cursor<&'a [u8]>>;

/// With what a pixel is after these changes.
fn opened(content: &[u8], changes: Transformations) -> Result<(ColorType, BitDepth, PngReader<'_>), String> {
    let mut decoder = png::Decoder::new(Cursor::new(content));
    decoder.set_transformations(changes);
    decoder.set_ignore_text_chunk(true);
    let reader = decoder.read_info().map_err(|error| format!("broken PNG: {error}"))?;
    let (color, depth) = reader.output_color_type();
    Ok((color, depth, reader))
}

fn frame(mut reader: PngReader) -> Result<Vec<u8>, String> {
    let size = reader.output_buffer_size().filter(|size| *size <= 4 * MOST_BYTES);
    let size = size.ok_or_else(|| format!("an image of more than {MOST_BYTES} bytes"))?;
    let mut bytes = vec![0; size];
    let read = reader.next_frame(&mut bytes).map_err(|error| format!("broken PNG: {error}"))?;
    bytes.truncate(read.buffer_size());
    Ok(bytes)
}

type Jpeg<'a> = JpegDecoder<ZCursor<&'a [u8]>>;

/// A decoder that gives gray as gray and all else as red, green and blue; strict, so that a file that is cut off is an error.
fn jpeg(content: &[u8]) -> Result<(Header, Jpeg<'_>), String> {
    let broken = |error: String| format!("broken JPEG: {error}");
    if !is_whole(content) {
        return Err(broken("it ends before its image does".into()));
    }
    let options = DecoderOptions::default().set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(content), options);
    decoder.decode_headers().map_err(|error| broken(error.to_string()))?;
    let info = decoder.info().ok_or("a JPEG without a header")?;
    let is_gray = info.components == 1;
    let space = if is_gray { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    let channels = if is_gray { 1 } else { 3 };
    let header = Header { width, height, channels, wide: false, transparent: false }.checked()?;
    Ok((header, decoder))
}

/// Whether segment by segment an end of image is reached (ITU-T T.81, annex B): decoders fill in what is cut off.
fn is_whole(content: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    const END_OF_IMAGE: u8 = 0xd9;
    let mut rest = &content[content.len().min(2)..];
    loop {
        match *rest {
            [0xff, END_OF_IMAGE, ..] => return true,
            // Filling before a marker.
            [0xff, 0xff, ..] => rest = &rest[1..],
            [0xff, marker, high, low, ..] => {
                let Some(next) = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..) else { return false };
                // Coded data follow, in which 0xff is followed by 0 or by the number of a restart.
                let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7);
                let skipped = if marker == START_OF_SCAN { next.windows(2).position(is_marker) } else { Some(0) };
                let Some(skipped) = skipped else { return false };
                rest = &next[skipped..];
            }
            _ => return false,
        }
    }
}

/// A mask as it is written, with its height and its width: the numbers of its palette or its grays, unscaled.
///
/// # Errors
/// When it is no PNG, broken, or has colors of its own.
pub fn mask(content: &[u8]) -> Result<([usize; 2], Vec<u8>), String> {
    if let Format::Jpeg = format(content)? {
        return Err("a JPEG; its numbers are near what they should be, so masks must be PNG".into());
    }
    let size = header(content)?.size();
    let (color, depth, reader) = opened(content, Transformations::IDENTITY)?;
    let bytes = frame(reader)?;
    let numbers = match depth {
        BitDepth::Eight => bytes,
        BitDepth::Sixteen => bytes.as_chunks().0.iter().map(|word| low_byte(*word)).collect::<Result<_, _>>()?,
        BitDepth::One | BitDepth::Two | BitDepth::Four => unpacked(&bytes, depth as usize, size),
    };
    let alpha = matches!(color, ColorType::GrayscaleAlpha | ColorType::Rgba);
    let stride = color.samples();
    let of_pixel = |(place, pixel): (usize, &[u8])| {
        let numbers = &pixel[..stride - usize::from(alpha)];
        match numbers.iter().all(|x| *x == numbers[0]) {
            true => Ok(numbers[0]),
            false => {
                let (line, column) = (place / size[1] + 1, place % size[1] + 1);
                let wanted = "a mask must be indexed or gray, its numbers the classes";
                Err(format!("line {line}, column {column}: the color {numbers:?}; {wanted}"))
            }
        }
    };
    Ok((size, numbers.chunks_exact(stride).enumerate().map(of_pixel).collect::<Result<_, _>>()?))
}

fn low_byte(word: [u8; 2]) -> Result<u8, String> {
    match word {
        [0, low] => Ok(low),
        _ => Err(format!("the value {}; classes of a mask are below 256", u16::from_be_bytes(word))),
    }
}

/// Numbers of a few bits each, of which every line begins a byte.
fn unpacked(bytes: &[u8], bits: usize, [height, width]: [usize; 2]) -> Vec<u8> {
    let line = (width * bits).div_ceil(8);
    let number = |row: usize, column: usize| {
        let byte = bytes[row * line + column * bits / 8];
        byte >> (8 - bits - column * bits % 8) & (0xff >> (8 - bits)) as u8
    };
    (0..height).flat_map(|row| (0..width).map(move |column| number(row, column))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAY: &[u8] = include_bytes!("../../tests/images/gray.jpg");
    const COLOR: &[u8] = include_bytes!("../../tests/images/color.jpg");
    const PROGRESSIVE: &[u8] = include_bytes!("../../tests/images/progressive.jpg");

    fn bytes(content: &[u8]) -> Vec<u8> {
        match image(content).unwrap() {
            Samples::Bytes(bytes) => bytes,
            Samples::Words(_) => panic!("16 bits"),
        }
    }

    /// Files of 20×12 pixels as javax.imageio of OpenJDK wrote them, and what it reads in six places; decoders may differ by a rounding, and
    /// by how they fill in colors between pixels.
    #[test]
    fn jpeg_is_read_as_others_read_it() {
        let places = [[0, 0], [19, 0], [0, 11], [19, 11], [7, 5], [12, 9]];
        let gray = [[0], [227], [22], [248], [94], [162]];
        let colors = [[1, 2, 190], [216, 5, 108], [11, 211, 201], [227, 214, 120], [82, 100, 162], [146, 178, 141]];
        let near = |content: &[u8], expected: &[Vec<i32>], most: i32| {
            let (samples, channels) = (bytes(content), expected[0].len());
            for ([x, y], expected) in places.iter().zip(expected) {
                let pixel = &samples[(y * 20 + x) * channels..][..channels];
                let apart = pixel.iter().zip(expected).map(|(a, b)| (i32::from(*a) - b).abs()).max();
                assert!(apart.unwrap() <= most, "{pixel:?} {expected:?} at {x}, {y}");
            }
        };
        near(GRAY, &gray.map(|pixel| pixel.to_vec()), 1);
        near(COLOR, &colors.map(|pixel| pixel.to_vec()), 4);
        near(PROGRESSIVE, &colors.map(|pixel| pixel.to_vec()), 4);
        let header = header(GRAY).unwrap();
        assert_eq!((header.size(), header.channels), ([12, 20], 1));
    }

    #[test]
    fn jpeg_that_is_cut_off_is_told() {
        for file in [GRAY, COLOR, PROGRESSIVE] {
            for length in (2..file.len() - 4).step_by(7) {
                let message = image(&file[..length]).map(drop).unwrap_err();
                assert!(message.starts_with("broken JPEG"), "{length}: {message}");
            }
        }
        assert!(mask(GRAY).unwrap_err().contains("masks must be PNG"));
    }
}
