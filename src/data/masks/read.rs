//! Images with masks: from pairs of IDX files, or pairs of folders.

use super::Masks;
use crate::data::folder::{self, at, content};
use crate::data::idx::{self, Elements};
use crate::data::images::Images;
use crate::data::pixels::Pixels;
use crate::data::source::ByteSource;
use crate::data::{DataSet, Target, Targets, decoded};
use crate::{Result, parallel};
use std::path::Path;

/// The value that many programs write for the one class of a mask.
const WHITE: u8 = 255;

impl Images {
    /// `masks` is `[rows, height, width]` of whole numbers below 256.
    ///
    /// # Errors
    /// When the array is broken, or its size is not that of the images.
    pub fn with_masks(pixels: Pixels, masks: ByteSource) -> Result<Images> {
        let [height, width] = pixels.size()?;
        let array = idx::read(masks)?;
        let wanted = [pixels.rows(), height, width];
        if array.shape != wanted || array.elements.is_empty() {
            let message = format!("an array of {:?}; masks of these images must be {wanted:?}", array.shape);
            return Err(masks.error(message));
        }
        let value = |(place, x): (usize, f64)| match x.fract() == 0.0 && (0.0..256.0).contains(&x) {
            true => Ok(x as u8),
            false => {
                let here = Place { row: place / (height * width), pixel: place % (height * width), width };
                let message = format!("{}: {x} is no class; classes are whole numbers from 0 to 255", here.of(&pixels));
                Err(masks.error(message))
            }
        };
        let values = match array.elements {
            Elements::U8(bytes) => bytes,
            others => others.numbers().enumerate().map(value).collect::<Result<_>>()?,
        };
        let targets = Targets::Masks(Masks::new(height, width, values));
        Ok(Images { pixels, targets, name: masks.name() })
    }

    /// The masks are PNG files of a folder that are called as the images are, but for their endings.
    ///
    /// # Errors
    /// When an image has no mask or a mask no image, a mask is broken, of colors, or of another size than its image.
    pub fn with_mask_files(pixels: Pixels, masks: &Path) -> Result<Images> {
        let [height, width] = pixels.size()?;
        let files = folder::paired(&pixels, masks, &folder::files(masks, &folder::IMAGES)?)?;
        let read = |file: &String| {
            let (size, values) = decoded::mask(&content(masks, file)?).map_err(at(masks, file))?;
            if size != [height, width] {
                let message = format!("{}×{} pixels; its image has {width}×{height}", size[1], size[0]);
                return Err(at(masks, file)(message));
            }
            Ok(values)
        };
        let values = parallel::map(&files, read).into_iter().collect::<Result<Vec<_>>>()?.concat();
        let targets = Targets::Masks(Masks::new(height, width, values));
        Ok(Images { pixels, targets, name: masks.display().to_string() })
    }

    /// Images with masks of these classes; without names, of as many as occur, called by their numbers. Where there are no other values
    /// than 0 and 255, the latter is class 1.
    ///
    /// # Errors
    /// As [`Images::standardized`], and when a pixel has none of the classes, what is ignored is one of them, or only one class is trained on.
    pub fn data_set_of_masks(
        mut train: Images,
        mut test: Images,
        names: &[String],
        ignored: Option<u8>,
    ) -> Result<DataSet> {
        let [of_train, of_test] = [&train, &test].map(|part| masks(part).map_or([0; 256], Masks::counts));
        let occurs = |value: u8| of_train[usize::from(value)] + of_test[usize::from(value)] > 0;
        let two_valued = occurs(WHITE) && ignored != Some(WHITE) && names.len() < 256 && !(1..WHITE).any(occurs);
        if two_valued {
            [&mut train, &mut test].into_iter().for_each(whites_to_ones);
        }
        let trained = |value: &u8| ignored != Some(*value) && of_train[usize::from(*value)] > 0;
        let largest = if two_valued { 1 } else { (0..=255).rev().find(trained).unwrap_or(0) };
        let names: Vec<String> = match names {
            [] => (0..=largest).map(|class| class.to_string()).collect(),
            names => names.to_vec(),
        };
        if let Some(value) = ignored.filter(|value| usize::from(*value) < names.len()) {
            return Err(train.error(format!("`ignored_value` is {value}, one of the {} classes", names.len())));
        }
        for part in [&train, &test] {
            check(part, names.len(), ignored)?;
        }
        let kinds = (0..=255).filter(trained).count();
        if kinds < 2 {
            return Err(train.error("the masks to train on have one class only, so that nothing can be learned"));
        }
        let note = two_valued.then(|| format!("{}: masks of 0 and 255 are read as 0 and 1", train.name));
        let mut data = Images::standardized(train, test, Target::Mask { names, ignored })?;
        data.notes.extend(note);
        Ok(data)
    }
}

fn masks(images: &Images) -> Option<&Masks> {
    images.targets.masks()
}

fn whites_to_ones(images: &mut Images) {
    if let Targets::Masks(masks) = &mut images.targets {
        *masks = masks.mapped(|value| u8::from(value == WHITE));
    }
}

/// That every pixel has one of so many classes.
fn check(part: &Images, classes: usize, ignored: Option<u8>) -> Result<()> {
    let is_none = |value: &u8| usize::from(*value) >= classes && ignored != Some(*value);
    let all = masks(part).into_iter().flat_map(|masks| masks.iter().enumerate());
    let offender = all.into_iter().find_map(|(row, mask)| Some((row, mask.iter().position(is_none)?, mask)));
    let Some((row, pixel, mask)) = offender else { return Ok(()) };
    let width = *part.pixels.shape.last().unwrap_or(&1);
    let (here, value) = (Place { row, pixel, width }.of(&part.pixels), mask[pixel]);
    Err(part.error(format!(
        "{here}: the value {value} is none of the {classes} classes, 0 to {}; name more `classes`, or say `ignored_value = {value}`",
        classes - 1
    )))
}

/// A pixel of a mask.
struct Place {
    row: usize,
    pixel: usize,
    width: usize,
}

impl Place {
    /// Lines and columns are counted from 1.
    fn of(&self, pixels: &Pixels) -> String {
        let (line, column) = (self.pixel / self.width + 1, self.pixel % self.width + 1);
        format!("the mask of {}, line {line}, column {column}", pixels.name(self.row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Split;
    use crate::data::folder::tests::png;
    use png::{BitDepth, ColorType};

    /// Five images of 1×4 pixels with these masks.
    fn images(masks: &[u8]) -> Result<Images> {
        let header = [0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 4];
        let pixels: Vec<u8> = header.into_iter().chain(0..20).collect();
        let masks: Vec<u8> = header.into_iter().chain(masks.iter().copied()).collect();
        Images::with_masks(Pixels::read(ByteSource::Embedded("i.idx", &pixels))?, ByteSource::Embedded("m.idx", &masks))
    }

    fn data_set(masks: &[u8], names: &[&str], ignored: Option<u8>) -> Result<DataSet> {
        let (train, test) = images(masks)?.split(Split::Every(5));
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        Images::data_set_of_masks(train, test, &names, ignored)
    }

    fn message(masks: &[u8], names: &[&str], ignored: Option<u8>) -> String {
        data_set(masks, names, ignored).unwrap_err().to_string()
    }

    fn with(changes: &[(usize, u8)]) -> Vec<u8> {
        let mut masks = vec![0; 20];
        changes.iter().for_each(|(place, value)| masks[*place] = *value);
        masks
    }

    #[test]
    fn classes_are_those_that_occur_or_have_names() {
        let data = data_set(&with(&[(1, 2), (17, 1)]), &[], None).unwrap();
        assert_eq!(data.target, Target::Mask { names: ["0", "1", "2"].map(String::from).to_vec(), ignored: None });
        assert_eq!(data.train.targets.masks().unwrap().of(0), [0, 2, 0, 0]);
        assert_eq!(data.test.targets.masks().unwrap().of(0), [0, 1, 0, 0]);
        let white = data_set(&with(&[(1, 255), (17, 255)]), &[], None).unwrap();
        assert_eq!(white.target.classes(), Some(2));
        assert_eq!(white.train.targets.masks().unwrap().of(0), [0, 1, 0, 0]);
        assert!(white.notes[0].contains("m.idx: masks of 0 and 255 are read as 0 and 1"), "{:?}", white.notes);
        let ignored = data_set(&with(&[(1, 1), (17, 255)]), &["no", "yes"], Some(255)).unwrap();
        assert_eq!(ignored.test.targets.masks().unwrap().of(0), [0, 255, 0, 0]);
    }

    #[test]
    fn masks_that_do_not_fit_are_told() {
        let place = "m.idx: the mask of image 5, line 1, column 2: the value 3 is none of the 2 classes, 0 to 1";
        assert!(message(&with(&[(1, 1), (17, 3)]), &[], None).contains(place));
        assert!(message(&with(&[(1, 1), (17, 255)]), &["a", "b"], None).contains("or say `ignored_value = 255`"));
        assert!(message(&with(&[(1, 1)]), &["a", "b"], Some(1)).contains("`ignored_value` is 1, one of the 2 classes"));
        assert!(message(&with(&[]), &[], None).contains("one class only"));
        let short = message(&with(&[])[..16], &[], None);
        assert!(short.contains("m.idx"), "{short}");
    }

    #[test]
    fn masks_of_files_are_read_as_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let (images, masks) = (folder.path().join("images"), folder.path().join("masks"));
        let write = |folder: &Path, name: &str, content: &[u8]| {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(name), content).unwrap();
        };
        let gray = png([1, 4], ColorType::Grayscale, BitDepth::Eight, &[9, 8, 7, 6]);
        for name in ["a.png", "b.png", "c.png", "d.png"] {
            write(&images, name, &gray);
        }
        write(&masks, "a.png", &png([1, 4], ColorType::Indexed, BitDepth::Eight, &[2, 1, 0, 1]));
        write(&masks, "b.png", &png([1, 4], ColorType::Grayscale, BitDepth::Two, &[0b0001_1000]));
        write(&masks, "c.png", &png([1, 4], ColorType::Rgb, BitDepth::Eight, &[1, 1, 1, 0, 0, 0, 0, 0, 0, 2, 2, 2]));
        write(&masks, "d.png", &png([1, 4], ColorType::Grayscale, BitDepth::Sixteen, &[0, 1, 0, 0, 0, 2, 0, 0]));
        let read = || {
            let pixels = folder::pixels(&images, folder::files(&images, &folder::IMAGES)?)?;
            Images::with_mask_files(pixels, &masks)
        };
        let found = read().unwrap();
        let found: Vec<&[u8]> = found.targets.masks().unwrap().iter().collect();
        assert_eq!(found, [[2, 1, 0, 1], [0, 1, 2, 0], [1, 0, 0, 2], [1, 0, 2, 0]]);
        let message = || read().map(drop).unwrap_err().to_string();
        write(&masks, "d.png", &png([2, 2], ColorType::Grayscale, BitDepth::Eight, &[0; 4]));
        assert!(message().contains("d.png: 2×2 pixels; its image has 4×1"), "{}", message());
        write(&masks, "d.png", &png([1, 4], ColorType::Rgb, BitDepth::Eight, &[0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0]));
        assert!(message().contains("d.png: line 1, column 2: the color [255, 0, 0]; a mask must be indexed or gray"));
        write(&masks, "d.png", &png([1, 4], ColorType::Grayscale, BitDepth::Sixteen, &[1, 1, 0, 0, 0, 2, 0, 0]));
        assert!(message().contains("the value 257"), "{}", message());
        write(&masks, "e.png", &gray);
        std::fs::remove_file(masks.join("d.png")).unwrap();
        assert!(message().contains("the image `d.png` has no file `d.png` here"), "{}", message());
        std::fs::remove_file(images.join("d.png")).unwrap();
        assert!(message().contains("`e.png` belongs to no image of"), "{}", message());
    }
}
