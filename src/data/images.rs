//! Images with labels, from pairs of IDX files.

use super::idx::{self, Elements};
use super::source::ByteSource;
use super::table::{LARGEST, is_usable};
use super::{DataSet, Examples, Feature, InputValues, Scale, Split, Target, Targets};
use crate::Result;

/// Images and their labels.
pub struct Images {
    /// Of one image: `[features]`, or `[channels, height, width]`.
    shape: Vec<usize>,
    pixels: Elements,
    labels: Vec<u32>,
    /// What errors call the file of the labels.
    name: String,
}

impl Images {
    /// `images` is `[rows, features]`, `[rows, height, width]` or `[rows, height, width, channels]`, `labels` is `[rows]` whole numbers.
    ///
    /// # Errors
    /// When a file is broken, has another rank, or the two differ in the number of rows.
    pub fn read(images: ByteSource, labels: ByteSource) -> Result<Images> {
        let (pixels, classes) = (idx::read(images)?, idx::read(labels)?);
        let rank = |source: &ByteSource, shape: &[usize], wanted: &str| {
            Err(source.error(format!("an array of {shape:?}; it must be {wanted}")))
        };
        let (shape, pixels) = match (&pixels.shape[..], pixels.elements) {
            ([_, features], elements) => (vec![*features], elements),
            ([_, height, width], elements) => (vec![1, *height, *width], elements),
            ([_, height, width, channels], elements) => {
                (vec![*channels, *height, *width], channels_first(&elements, *channels, height * width))
            }
            (shape, _) => {
                return rank(&images, shape, "images, [rows, height, width] or [rows, height, width, channels]");
            }
        };
        if classes.shape.len() != 1 {
            return rank(&labels, &classes.shape, "labels, [rows]");
        }
        let rows = pixels.len() / shape.iter().product::<usize>().max(1);
        if rows != classes.elements.len() || pixels.is_empty() {
            let message = format!("{} labels for the {rows} images of {}", classes.elements.len(), images.name());
            return Err(labels.error(message));
        }
        let is_float = matches!(pixels, Elements::F32(_) | Elements::F64(_));
        let offender = if is_float { pixels.numbers().position(|x| !is_usable(x)) } else { None };
        if let Some(pixel) = offender {
            let (row, x) = (pixel / (pixels.len() / rows), pixels.number(pixel));
            let fault = if x.is_finite() { "too large to be learned from" } else { "not finite" };
            return Err(
                images.error(format!("row {}: a pixel is {fault} ({x:e}); pixels may go up to {LARGEST:e}", row + 1))
            );
        }
        let label = |(row, x): (usize, f64)| match x.fract() == 0.0 && (0.0..f64::from(MOST_CLASSES)).contains(&x) {
            true => Ok(x as u32),
            false => Err(labels.error(format!("row {}: {x} is no class; classes are whole numbers from 0", row + 1))),
        };
        let classes = classes.elements.numbers().enumerate().map(label).collect::<Result<_>>()?;
        Ok(Images { shape, pixels, labels: classes, name: labels.name() })
    }

    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// The rows to train on, and those that are held out.
    pub fn split(mut self, split: Split) -> (Images, Images) {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..self.labels.len()).partition(|row| split.holds_out(*row));
        let features: usize = self.shape.iter().product();
        let held_out = Images {
            shape: self.shape.clone(),
            pixels: self.pixels.gathered(test.len() * features, pixels(&test, features)),
            labels: test.iter().map(|&row| self.labels[row]).collect(),
            name: self.name.clone(),
        };
        self.pixels.keep(pixels(&train, features));
        self.labels = train.iter().map(|&row| self.labels[row]).collect();
        (self, held_out)
    }

    /// All pixels standardized by the mean and the standard deviation of all training pixels together, so that they keep their
    /// scale relative to one another. Without names, classes are called by their numbers.
    ///
    /// # Errors
    /// When a part is empty, the two have images of different sizes, the training part has one class only, or the other one a class
    /// that it lacks.
    pub fn data_set(train: Images, test: Images, names: &[&str]) -> Result<DataSet> {
        let error = |of: &Images, message: String| Err(crate::Error::content(&of.name, message));
        if train.shape != test.shape {
            return error(&test, format!("its images are {:?}, those to train on {:?}", test.shape, train.shape));
        }
        if train.labels.is_empty() || test.labels.is_empty() {
            return error(&train, "too few rows for a training and a held-out part".into());
        }
        let classes = train.labels.iter().max().map_or(0, |largest| *largest as usize + 1);
        if train.labels.iter().all(|label| *label == train.labels[0]) {
            return error(&train, format!("the labels to train on have one class only, {}", train.labels[0]));
        }
        if let Some(row) = test.labels.iter().position(|label| *label as usize >= classes) {
            let label = test.labels[row];
            return error(&test, format!("held-out row {}: no training row has its class, {label}", row + 1));
        }
        let names = match names {
            [] => (0..classes).map(|class| class.to_string()).collect(),
            names => names.iter().map(|name| name.to_string()).collect(),
        };
        let scale = pixel_scale(&train.pixels);
        let absent = absent(train.labels.iter().copied(), classes);
        let gap = absent.map(|absent| {
            let last = classes - 1;
            format!("{}: of the classes from 0 to {last}, no label to train on is {absent}; the network has an output for them all the same", train.name)
        });
        let mut notes: Vec<String> = gap.into_iter().collect();
        if !scale.varies() {
            notes.push(format!("every pixel to train on is {}: nothing can be learned from them", scale.mean));
        }
        let examples = |images: Images| {
            let inputs = match images.pixels {
                Elements::U8(bytes) => {
                    let numbers = std::array::from_fn(|byte| scale.standardized(byte as f64));
                    InputValues::Bytes { bytes, numbers: Box::new(numbers) }
                }
                others => InputValues::Numbers(others.numbers().map(|x| scale.standardized(x)).collect()),
            };
            Examples::new(inputs, Targets::Classes(images.labels)).into()
        };
        Ok(DataSet {
            shape: train.shape.clone(),
            features: vec![Feature::number("pixel", scale)],
            target: Target::Class { names },
            train: examples(train),
            test: examples(test),
            notes,
        })
    }
}

/// Labels lie below this.
pub const MOST_CLASSES: u32 = 1_000_000;

/// The classes below `classes` that no label is, in words; nothing where each occurs.
pub fn absent(labels: impl Iterator<Item = u32>, classes: usize) -> Option<String> {
    let mut occurs = vec![false; classes];
    labels.for_each(|label| occurs[label as usize] = true);
    let absent: Vec<String> = (0..classes).filter(|class| !occurs[*class]).map(|class| class.to_string()).collect();
    let shown = absent.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
    match absent.len() {
        0 => None,
        1..=10 => Some(shown),
        n => Some(format!("{shown} or {} others", n - 10)),
    }
}

/// The places of the pixels of these rows.
fn pixels(rows: &[usize], features: usize) -> impl Iterator<Item = usize> {
    rows.iter().flat_map(move |row| row * features..(row + 1) * features)
}

/// The mean and the standard deviation of all pixels; of bytes without a number for each.
fn pixel_scale(pixels: &Elements) -> Scale {
    let Elements::U8(bytes) = pixels else { return Scale::of(pixels.numbers()) };
    let mut counts = [0u64; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    Scale::of_counts(counts.iter().enumerate().map(|(byte, count)| (byte as f64, *count)))
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

    const IMAGES: [u8; 18] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 9];
    const LABELS: [u8; 10] = [0, 0, 8, 1, 0, 0, 0, 2, 1, 0];

    fn read(images: &[u8], labels: &[u8]) -> Result<Images> {
        Images::read(ByteSource::Embedded("i.idx", images), ByteSource::Embedded("l.idx", labels))
    }

    fn part(labels: &[u8]) -> Images {
        let header = [0, 0, 8, 2, 0, 0, 0, labels.len() as u8, 0, 0, 0, 2];
        let pixels: Vec<u8> = (0..2 * labels.len()).map(|i| i as u8 * 10).collect();
        read(&[&header[..], &pixels].concat(), &[&[0, 0, 8, 1, 0, 0, 0, labels.len() as u8], labels].concat()).unwrap()
    }

    #[test]
    fn pairs_that_do_not_belong_together_are_told() {
        let message = |images: &[u8], labels: &[u8]| read(images, labels).map(drop).unwrap_err().to_string();
        assert_eq!(read(&IMAGES, &LABELS).unwrap().labels, [1, 0]);
        assert!(message(&LABELS, &LABELS).contains("i.idx: an array of [2]; it must be images"));
        assert!(message(&IMAGES, &IMAGES).contains("l.idx: an array of [2, 1, 1]; it must be labels"));
        assert!(message(&IMAGES, &[0, 0, 8, 1, 0, 0, 0, 1, 1]).contains("1 labels for the 2 images of i.idx"));
        assert!(message(&IMAGES, &[0, 0, 9, 1, 0, 0, 0, 2, 1, 255]).contains("row 2: -1 is no class"));
    }

    #[test]
    fn parts_that_can_not_be_learned_from_are_told() {
        let message =
            |train: &[u8], test: &[u8]| Images::data_set(part(train), part(test), &[]).unwrap_err().to_string();
        assert!(message(&[1, 1, 1], &[1]).contains("one class only, 1"));
        assert!(message(&[0, 1, 1], &[0, 2]).contains("held-out row 2: no training row has its class, 2"));
        assert!(Images::data_set(part(&[0, 1]), read(&IMAGES, &LABELS).unwrap(), &[]).is_err(), "another size");
    }

    /// Bytes stay bytes; their numbers have mean 0 and deviation 1 over the training part, as a computation in another order says.
    #[test]
    fn bytes_are_standardized_when_they_are_read() {
        let data = Images::data_set(part(&[0, 1, 2, 0, 1]), part(&[0]), &[]).unwrap();
        let exact = Scale::of((0..10).map(|i| f64::from(i) * 10.0));
        let expected: Vec<f32> = (0..10).map(|i| exact.standardized(f64::from(i) * 10.0)).collect();
        assert_eq!(data.train.inputs_of(0..5), expected);
        assert!(data.train.counts().is_some());
        assert_eq!(data.target, Target::Class { names: ["0", "1", "2"].map(String::from).to_vec() });
        let mut second = [0.0; 2];
        data.train.write_input(1, &mut second);
        assert_eq!(second, expected[2..4]);
    }

    /// One image of 1×2 pixels with 3 channels, and floats: `[rows, height, width, channels]` becomes `[channels, height, width]`.
    #[test]
    fn channels_come_first() {
        let pixels: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_be_bytes()).collect();
        let header = [0, 0, 13, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        let images = read(&[&header[..], &pixels].concat(), &[0, 0, 8, 1, 0, 0, 0, 1, 0]).unwrap();
        assert_eq!((images.shape, images.pixels), (vec![3, 1, 2], Elements::F32(vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0])));
    }
}
