//! Images with what is predicted of them; of classes, from pairs of IDX files.

use super::idx;
use super::pixels::Pixels;
use super::source::ByteSource;
use super::{DataSet, Feature, Split, Target, Targets};
use crate::{Error, Result};

/// Images and what belongs to each.
pub struct Images {
    pub pixels: Pixels,
    pub targets: Targets,
    /// What errors call the file of the targets.
    pub name: String,
}

impl Images {
    /// `images` is `[rows, features]`, `[rows, height, width]` or `[rows, height, width, channels]`, `labels` is `[rows]` whole numbers.
    ///
    /// # Errors
    /// When a file is broken, has another rank, or the two differ in the number of rows.
    pub fn read(images: ByteSource, labels: ByteSource) -> Result<Images> {
        let (pixels, classes) = (Pixels::read(images)?, idx::read(labels)?);
        if classes.shape.len() != 1 {
            return Err(labels.error(format!("an array of {:?}; it must be labels, [rows]", classes.shape)));
        }
        let rows = pixels.rows();
        if rows != classes.elements.len() || pixels.elements.is_empty() {
            let message = format!("{} labels for the {rows} images of {}", classes.elements.len(), images.name());
            return Err(labels.error(message));
        }
        pixels.check()?;
        let label = |(row, x): (usize, f64)| match x.fract() == 0.0 && (0.0..f64::from(MOST_CLASSES)).contains(&x) {
            true => Ok(x as u32),
            false => Err(labels.error(format!("row {}: {x} is no class; classes are whole numbers from 0", row + 1))),
        };
        let classes = classes.elements.numbers().enumerate().map(label).collect::<Result<_>>()?;
        Ok(Images { pixels, targets: Targets::Classes(classes), name: labels.name() })
    }

    pub fn rows(&self) -> usize {
        self.targets.len()
    }

    /// The rows to train on, and those that are held out.
    pub fn split(self, split: Split) -> (Images, Images) {
        let Images { pixels, targets, name } = self;
        let ((train, kept), (test, held_out)) = pixels.split(split);
        let part = |pixels, rows: Vec<usize>| Images { pixels, targets: targets.kept(&rows), name: name.clone() };
        (part(train, kept), part(test, held_out))
    }

    /// An error that names the file of the targets.
    pub fn error(&self, message: impl ToString) -> Error {
        Error::content(&self.name, message)
    }

    /// Images of classes. Without names, classes are called by their numbers.
    ///
    /// # Errors
    /// As [`Self::standardized`], and when the training part has one class only, or the other one a class that it lacks.
    pub fn data_set(train: Images, test: Images, names: &[&str]) -> Result<DataSet> {
        let [of_train, of_test] = [&train, &test].map(|part| part.targets.labels().unwrap_or_default());
        train.check_fits(&test)?;
        let classes = of_train.iter().max().map_or(0, |largest| *largest as usize + 1);
        if of_train.iter().all(|label| *label == of_train[0]) {
            return Err(train.error(format!("the labels to train on have one class only, {}", of_train[0])));
        }
        if let Some(row) = of_test.iter().position(|label| *label as usize >= classes) {
            let label = of_test[row];
            return Err(test.error(format!("held-out row {}: no training row has its class, {label}", row + 1)));
        }
        let names = match names {
            [] => (0..classes).map(|class| class.to_string()).collect(),
            names => names.iter().map(|name| name.to_string()).collect(),
        };
        let gap = absent(of_train.iter().copied(), classes).map(|absent| {
            let last = classes - 1;
            format!("{}: of the classes from 0 to {last}, no label to train on is {absent}; the network has an output for them all the same", train.name)
        });
        let mut data = Images::standardized(train, test, Target::Class { names })?;
        data.notes.splice(0..0, gap);
        Ok(data)
    }

    /// That another part has images of this size, and neither is empty.
    fn check_fits(&self, test: &Images) -> Result<()> {
        let (of_train, of_test) = (&self.pixels.shape, &test.pixels.shape);
        if of_train != of_test {
            return Err(test.error(format!("its images are {of_test:?}, those to train on {of_train:?}")));
        }
        match self.targets.is_empty() || test.targets.is_empty() {
            true => Err(self.error("too few rows for a training and a held-out part")),
            false => Ok(()),
        }
    }

    /// All pixels standardized by the mean and the standard deviation of all training pixels together, so that they keep their
    /// scale relative to one another.
    ///
    /// # Errors
    /// When a part is empty, or the two have images of different sizes.
    pub fn standardized(train: Images, test: Images, target: Target) -> Result<DataSet> {
        train.check_fits(&test)?;
        let scale = train.pixels.scale();
        let mut notes = [&train.pixels.notes[..], &test.pixels.notes].concat();
        if !scale.varies() {
            notes.push(format!("every pixel to train on is {}: nothing can be learned from them", scale.mean));
        }
        Ok(DataSet {
            shape: train.pixels.shape.clone(),
            features: vec![Feature::number("pixel", scale)],
            target,
            train: train.pixels.examples(scale, train.targets),
            test: test.pixels.examples(scale, test.targets),
            further: Vec::new(),
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

#[cfg(test)]
mod tests {
    use super::super::Scale;
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
        assert_eq!(read(&IMAGES, &LABELS).unwrap().targets, Targets::Classes(vec![1, 0]));
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
}
