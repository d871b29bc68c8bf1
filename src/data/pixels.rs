//! Images without what is predicted of them, as their files have them.

use super::idx::{self, Elements};
use super::source::ByteSource;
use super::table::{LARGEST, is_usable};
use super::{Examples, InputValues, Scale, Split, Targets};
use crate::{Error, Result};
use std::sync::Arc;

/// Images of one size, before they are standardized.
pub struct Pixels {
    /// Of one image: `[features]`, or `[channels, height, width]`.
    pub shape: Vec<usize>,
    /// `[rows, features]`
    pub elements: Elements,
    /// What errors call the file or folder that they are from.
    pub source: String,
    /// The file of each image, from the folder on; nothing where one array has all of them.
    pub files: Vec<String>,
    /// Which image of the source each one is.
    rows: Vec<u32>,
    /// What whoever learns from them should know.
    pub notes: Vec<String>,
}

impl Pixels {
    /// `[rows, features]`, `[rows, height, width]` or `[rows, height, width, channels]`.
    ///
    /// # Errors
    /// When the array is broken or has another rank.
    pub fn read(source: ByteSource) -> Result<Pixels> {
        let pixels = idx::read(source)?;
        let (shape, elements) = match (&pixels.shape[..], pixels.elements) {
            ([_, features], elements) => (vec![*features], elements),
            ([_, height, width], elements) => (vec![1, *height, *width], elements),
            ([_, height, width, channels], elements) => {
                (vec![*channels, *height, *width], channels_first(&elements, *channels, height * width))
            }
            (shape, _) => {
                let wanted = "images, [rows, height, width] or [rows, height, width, channels]";
                return Err(source.error(format!("an array of {shape:?}; it must be {wanted}")));
            }
        };
        Ok(Pixels::new(shape, elements, source.name(), Vec::new()))
    }

    pub fn new(shape: Vec<usize>, elements: Elements, source: String, files: Vec<String>) -> Pixels {
        let rows = elements.len() / shape.iter().product::<usize>().max(1);
        Pixels { shape, elements, source, files, rows: (0..rows as u32).collect(), notes: Vec::new() }
    }

    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The height and the width of an image.
    ///
    /// # Errors
    /// When they are rows of features.
    pub fn size(&self) -> Result<[usize; 2]> {
        match self.shape[..] {
            [_, height, width] => Ok([height, width]),
            _ => Err(self.error("rows of features; masks and boxes belong to images, [rows, height, width]")),
        }
    }

    /// What a message calls an image: its file, or its number counted from 1.
    pub fn name(&self, row: usize) -> String {
        let place = self.rows[row] as usize;
        self.files.get(place).map_or_else(|| format!("image {}", place + 1), |file| format!("`{file}`"))
    }

    pub fn error(&self, message: impl ToString) -> Error {
        Error::content(&self.source, message)
    }

    /// # Errors
    /// When a pixel can't be learned from; the message names its image.
    pub fn check(&self) -> Result<()> {
        if !matches!(self.elements, Elements::F32(_) | Elements::F64(_)) {
            return Ok(());
        }
        let Some(pixel) = self.elements.numbers().position(|x| !is_usable(x)) else { return Ok(()) };
        let (row, x) = (pixel / (self.elements.len() / self.rows()), self.elements.number(pixel));
        let fault = if x.is_finite() { "too large to be learned from" } else { "not finite" };
        Err(self.error(format!("row {}: a pixel is {fault} ({x:e}); pixels may go up to {LARGEST:e}", row + 1)))
    }

    /// The rows to train on with their numbers, and those that are held out with theirs.
    pub fn split(mut self, split: Split) -> ((Pixels, Vec<usize>), (Pixels, Vec<usize>)) {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..self.rows()).partition(|row| split.holds_out(*row));
        let features: usize = self.shape.iter().product();
        let held_out = Pixels {
            elements: self.elements.gathered(test.len() * features, places(&test, features)),
            rows: test.iter().map(|row| self.rows[*row]).collect(),
            shape: self.shape.clone(),
            source: self.source.clone(),
            files: self.files.clone(),
            notes: Vec::new(),
        };
        self.elements.keep(places(&train, features));
        self.rows = train.iter().map(|row| self.rows[*row]).collect();
        ((self, train), (held_out, test))
    }

    /// The mean and the standard deviation of all pixels; of bytes without a number for each.
    pub fn scale(&self) -> Scale {
        let Elements::U8(bytes) = &self.elements else { return Scale::of(self.elements.numbers()) };
        let mut counts = [0u64; 256];
        bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
        Scale::of_counts(counts.iter().enumerate().map(|(byte, count)| (byte as f64, *count)))
    }

    /// Standardized, with their targets.
    pub fn examples(self, scale: Scale, targets: Targets) -> Arc<Examples> {
        let inputs = match self.elements {
            Elements::U8(bytes) => {
                let numbers = std::array::from_fn(|byte| scale.standardized(byte as f64));
                InputValues::Bytes { bytes, numbers: Box::new(numbers) }
            }
            others => InputValues::Numbers(others.numbers().map(|x| scale.standardized(x)).collect()),
        };
        Examples::new(inputs, targets).into()
    }
}

/// The places of the pixels of these rows.
fn places(rows: &[usize], features: usize) -> impl Iterator<Item = usize> {
    rows.iter().flat_map(move |row| row * features..(row + 1) * features)
}

/// `[rows, pixels, channels]` as `[rows, channels, pixels]`.
fn channels_first(elements: &Elements, channels: usize, pixels: usize) -> Elements {
    let size = channels * pixels;
    elements.gathered(
        elements.len(),
        (0..elements.len()).map(|i| {
            let (image, channel, pixel) = (i / size, i % size / pixels, i % pixels);
            image * size + pixel * channels + channel
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One image of 1×2 pixels with 3 channels, and floats: `[rows, height, width, channels]` becomes `[channels, height, width]`.
    #[test]
    fn channels_come_first() {
        let pixels: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_be_bytes()).collect();
        let header = [0, 0, 13, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        let content = [&header[..], &pixels].concat();
        let images = Pixels::read(ByteSource::Embedded("i.idx", &content)).unwrap();
        assert_eq!((images.shape, images.elements), (vec![3, 1, 2], Elements::F32(vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0])));
    }

    #[test]
    fn images_keep_their_names() {
        let files = ["a.png", "b.png", "c.png"].map(String::from).to_vec();
        let pixels = Pixels::new(vec![1, 1, 2], Elements::U8(vec![0, 1, 2, 3, 4, 5]), "folder".into(), files);
        let ((train, kept), (test, held_out)) = pixels.split(Split::After(1));
        assert_eq!((kept, held_out), (vec![0], vec![1, 2]));
        assert_eq!((train.name(0), test.name(1)), ("`a.png`".into(), "`c.png`".into()));
        assert_eq!(test.elements, Elements::U8(vec![2, 3, 4, 5]));
    }
}
