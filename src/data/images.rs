//! Labelled images from pairs of IDX files.

use super::{DataSet, Examples, idx};
use crate::{Error, Result};

/// Two files with the names that errors call them.
pub(super) struct Pair<'a> {
    pub images: (&'a str, &'a [u8]),
    pub labels: (&'a str, &'a [u8]),
}

/// Bytes of images and their labels.
pub(super) struct Images {
    /// `[rows, height, width]`
    shape: [usize; 3],
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Pair<'_> {
    /// # Errors
    /// When a file is broken, has another rank, or the two differ in the number of rows.
    pub fn read(&self) -> Result<Images> {
        let images = idx::parse(self.images.0, self.images.1)?;
        let labels = idx::parse(self.labels.0, self.labels.1)?;
        let rank = |name: &str, shape: &[usize], wanted: &str| {
            Error::content(name, format!("an array of {shape:?}; it must be {wanted}"))
        };
        let shape = <[usize; 3]>::try_from(&images.shape[..])
            .map_err(|_| rank(self.images.0, &images.shape, "images, [rows, height, width]"))?;
        if labels.shape.len() != 1 {
            return Err(rank(self.labels.0, &labels.shape, "labels, [rows]"));
        }
        if shape[0] != labels.shape[0] {
            let message = format!("{} labels for the {} images of {}", labels.shape[0], shape[0], self.images.0);
            return Err(Error::content(self.labels.0, message));
        }
        Ok(Images { shape, pixels: images.bytes, labels: labels.bytes })
    }
}

impl Images {
    /// The first rows, and those after them.
    pub fn split(self, rows: usize) -> (Images, Images) {
        let [all, height, width] = self.shape;
        let part = |range: std::ops::Range<usize>| Images {
            shape: [range.len(), height, width],
            pixels: self.pixels[range.start * height * width..range.end * height * width].to_vec(),
            labels: self.labels[range].to_vec(),
        };
        (part(0..rows), part(rows..all))
    }

    /// All pixels standardized by the mean and the standard deviation of all training pixels together, so that they keep their
    /// scale relative to one another.
    pub fn data_set(train: &Images, test: &Images, classes: usize) -> DataSet {
        let pixels: Vec<f64> = train.pixels.iter().map(|&pixel| f64::from(pixel)).collect();
        let (mean, deviation) = super::tabular::mean_and_deviation(&pixels);
        // Every pixel is one of 256.
        let standardized: Vec<f32> = (0..=255).map(|pixel| ((f64::from(pixel) - mean) / deviation) as f32).collect();
        let examples = |images: &Images| Examples {
            inputs: images.pixels.iter().map(|&pixel| standardized[usize::from(pixel)]).collect(),
            labels: images.labels.iter().map(|&label| u32::from(label)).collect(),
        };
        let shape = vec![1, train.shape[1], train.shape[2]];
        DataSet { shape, classes, train: examples(train), test: examples(test) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_do_not_belong_together_are_told() {
        let images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 9];
        let labels = [0, 0, 8, 1, 0, 0, 0, 2, 1, 0];
        let read = |images: &[u8], labels: &[u8]| {
            Pair { images: ("i.idx", images), labels: ("l.idx", labels) }.read().map(|read| read.labels)
        };
        let message = |images: &[u8], labels: &[u8]| read(images, labels).unwrap_err().to_string();
        assert_eq!(read(&images, &labels).unwrap(), [1, 0]);
        assert!(message(&labels, &labels).contains("i.idx: an array of [2]; it must be images"));
        assert!(message(&images, &images).contains("l.idx: an array of [2, 1, 1]; it must be labels"));
        assert!(message(&images, &[0, 0, 8, 1, 0, 0, 0, 1, 1]).contains("1 labels for the 2 images of i.idx"));
    }
}
